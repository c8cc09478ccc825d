//! The databases of an instance, in LMDB.

/// All databases of an instance.
pub struct Store;
