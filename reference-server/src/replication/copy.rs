//! Taking a whole database from another node.
