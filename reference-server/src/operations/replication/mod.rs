//! Replication as it was before 4.4: the network of nodes, and what streams still hold.

mod network;

use super::{Call, Handler, Outcome, Reply};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] =
    &[("cluster_network", |call| Box::pin(network::cluster_network(call)))];
