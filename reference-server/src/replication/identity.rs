//! Who this node is.

use crate::server::Server;

/// The name of this node.
pub fn node_name(server: &Server) -> String {
    server.config.hostname.clone()
}
