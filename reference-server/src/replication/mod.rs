//! Replication: what one node commits reaches the other nodes of its cluster, and the last write of a record wins
//! everywhere.
//!
//! ```text
//! client → node A ── LMDB {data + history entry} ── outbox ─→ NATS of A: one stream per database
//!                                                                ↑ read through the link between the nodes
//! client → node B ── LMDB {apply + history entry + cursor} ←─────┘
//! ```
//!
//! The history in LMDB is the system of record: streams may lose anything, and are filled again from it. Every node has
//! its own nats-server on loopback, a child of this program ([`nats`]), which others reach only through [`link`]. What
//! it publishes are the transactions of its own clients ([`message`]); what others publish it reads
//! and applies ([`apply`]), with the place it has come to in the same transaction. A node that was
//! away for too long, or is new, takes a copy ([`copy`]). What a dead node cannot tell any more is asked for at those
//! who have it.

mod answers;
pub mod apply;
mod audience;
mod call;
mod confirm;
pub mod copy;
pub mod definitions;
pub mod dropped;
mod engine;
pub mod identity;
pub mod link;
pub mod message;
mod names;
mod nats;
pub mod nodes;
mod outbox;
mod outgoing;
mod peer;
pub mod progress;
mod reader;
mod relay;
mod running;
pub mod state;
mod status;
mod streams;
pub mod transfer;
mod wire;

pub use call::DONE_AT;
pub use streams::Keep;

use crate::config::Config;
use crate::server::Server;
use crate::store::Store;
use crate::value::{Object, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// True when this machine has the nats-server that nodes need.
pub fn has_nats_server() -> bool {
    nats::program().is_ok()
}

/// Where a NATS server can be reached, on loopback, and how to log in.
#[derive(Clone)]
pub struct NatsAddress {
    /// Where it listens, or what leads to it.
    pub address: SocketAddr,
    /// The user to log in as.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Why an operation could not be run at another node.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no such node, or no connection to it.
    #[error("node '{0}' cannot be reached")]
    Unreachable(String),
    /// It has not answered in time.
    #[error("node '{0}' did not answer in time")]
    TimedOut(String),
    /// It answered with a failure.
    #[error("{0}")]
    Failed(String),
}

/// The state of the flow of one database between this node and another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkStatus {
    /// The other node.
    pub node: String,
    /// The database.
    pub database: String,
    /// True while its changes arrive.
    pub connected: bool,
    /// The time of a round trip, in milliseconds.
    pub latency: Option<f64>,
    /// The nodes whose changes arrive over this connection.
    pub nodes: Vec<String>,
    /// When it last confirmed one of our commits, in epoch milliseconds like all that follow.
    pub last_commit_confirmed: Option<f64>,
    /// The time, at its origin, of the last transaction that arrived.
    pub last_received_remote: Option<f64>,
    /// When that arrived here.
    pub last_received_local: Option<f64>,
    /// When the last of our transactions was sent.
    pub last_send: Option<f64>,
    /// The time of the transaction that is being sent.
    pub sending: Option<f64>,
}

/// The replication of an instance; at rest until there is another node.
pub struct Replication {
    /// The way to the other nodes.
    pub link: link::Link,
    running: running::Running,
}

impl Replication {
    /// What is known of other nodes from earlier starts; nothing goes on yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(store: &Store, config: &Config) -> anyhow::Result<Replication> {
        let link = link::Link::open(store, config).await?;
        Ok(Replication { link, running: running::Running::default() })
    }

    /// Starts what the configuration and the known nodes ask for.
    ///
    /// # Errors
    /// When what the configuration asks for cannot be had.
    pub async fn begin(server: &Arc<Server>) -> anyhow::Result<()> {
        server.replication.running.begin(server);
        Ok(())
    }

    /// Has requests that wait for other nodes be answered soon, as the server is about to end.
    pub fn end_waiting(&self) {
        self.running.end_waiting();
    }

    /// Ends everything that goes on, and lets go of the server.
    pub async fn stop(&self) {
        self.running.stop().await;
        self.link.stop().await;
    }

    /// Where this node's NATS server listens; it is started where it does not run.
    ///
    /// # Errors
    /// When there is no nats-server, or it does not start.
    pub async fn ensure_started(&self) -> anyhow::Result<SocketAddr> {
        let engine = self.running.ensure_started().await?;
        let own = engine.nats.own().ok_or_else(|| anyhow::anyhow!("nats-server has just ended"))?;
        Ok(own.address)
    }

    /// Fails, and says why, when there is no NATS server that this node could work with.
    ///
    /// # Errors
    /// When there is no nats-server, or the one that the configuration names cannot be used.
    pub async fn check(&self) -> anyhow::Result<()> {
        self.running.check().await
    }

    /// Where another node is led to, and as whom: a user that may read what was agreed on with that node.
    ///
    /// # Errors
    /// When there is no nats-server, it does not start, or the node is not known.
    pub async fn admit(&self, node: &str) -> anyhow::Result<NatsAddress> {
        let engine = self.running.ensure_started().await?;
        engine.admit();
        engine.nats.for_peer(node).await
    }

    /// Runs an operation at another node, with all rights, and returns its answer.
    ///
    /// # Errors
    /// When the node cannot be reached, does not answer within 30 s, or the operation fails there.
    pub async fn call(&self, node: &str, operation: Object) -> Result<Value, CallError> {
        self.running.call(node, operation).await
    }

    /// The state of every connection, in the order of nodes and databases.
    pub fn links(&self) -> Vec<LinkStatus> {
        self.running.links()
    }

    /// What a node that is connected said of itself.
    pub fn about(&self, node: &str) -> Option<state::About> {
        self.running.about(node)
    }

    /// Waits until so many other nodes have applied the transaction of this one with a number in a database's history;
    /// false when they have not within `limit`, or until the server ends. Where there are not so many other nodes that
    /// take the database nobody is waited for.
    pub async fn confirmed(&self, database: &str, number: u64, nodes: usize, limit: Duration) -> bool {
        self.running.confirmed(database, number, nodes, limit).await
    }

    /// Drops what this node's stream has of the changes of a table; returns how many messages. The table stays, and
    /// nodes that had not read them take a copy.
    ///
    /// # Errors
    /// When the stream cannot be reached.
    pub async fn purge(&self, database: &str, table: &str, keep: Keep) -> anyhow::Result<u64> {
        self.running.purge(database, table, keep).await
    }
}
