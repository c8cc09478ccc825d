//! The other nodes: the rows of `system.hdb_nodes`.

use crate::server::Server;
use std::sync::Arc;

/// A row of `system.hdb_nodes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRecord {
    /// Its name, unique in the cluster.
    pub name: String,
    /// Where it is reached: `wss://host:port` or `ws://host:port`.
    pub url: Option<String>,
    /// The tables that flow; `None` for all of all databases.
    pub subscriptions: Option<Vec<Subscription>>,
    /// Which ways changes flow.
    pub replicates: Flow,
    /// Changes from this instant on, in epoch milliseconds, instead of a copy.
    pub start_time: Option<f64>,
    /// Serial numbers of certificates that it is not known by any more.
    pub revoked_certificates: Vec<String>,
    /// Its shard.
    pub shard: Option<u32>,
}

/// The flow of one table, seen from this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// Its changes are applied here.
    pub subscribe: bool,
    /// Our changes are applied there.
    pub publish: bool,
}

/// Which ways changes flow, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// We send to it.
    pub sends: bool,
    /// We take from it.
    pub receives: bool,
}

impl Default for Flow {
    fn default() -> Flow {
        Flow { sends: true, receives: true }
    }
}

/// The other nodes that are known, without this one.
pub fn list(_server: &Arc<Server>) -> Vec<NodeRecord> {
    Vec::new()
}

/// Wakes whenever a row changes, whether by an operation or by replication.
pub fn watch(_server: &Arc<Server>) -> tokio::sync::watch::Receiver<u64> {
    tokio::sync::watch::channel(0).1
}
