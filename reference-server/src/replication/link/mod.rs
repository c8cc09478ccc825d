//! The way between two nodes: a connection that both have identified each other on.

use super::NatsAddress;
use super::nodes::NodeRecord;
use crate::server::Server;
use std::sync::Arc;

/// Why there is no way to another node.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LinkError(pub String);

/// The NATS server of a peer, as it can be reached from here while the peer is known.
///
/// # Errors
/// When the peer cannot be reached or does not want us.
pub async fn nats_of(_server: &Arc<Server>, peer: &NodeRecord) -> Result<NatsAddress, LinkError> {
    Err(LinkError(format!("no way leads to {} yet", peer.name)))
}
