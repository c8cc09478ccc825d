//! The way between two nodes.
//!
//! Every node listens for others with its [`front`]: `POST /` takes the messages of [`handshake`], by which nodes get to
//! know each other, and `GET /` with `Upgrade: nats` becomes a pipe to the node's own NATS server. Who asks is found
//! out by [`identify`] in either case: by a certificate, by the credentials of a super user, or, without TLS, by name
//! and address. The other end ([`dial`]) offers what came of it on a port of the loopback interface, so that neither
//! NATS server nor client knows anything of all this. [`pipes`] ends at once what is not allowed any more.

mod dial;
mod front;
mod handshake;
mod identify;
mod join;
mod leave;
mod members;
mod pipes;
mod tasks;
#[cfg(test)]
mod tests;
mod tls;
mod update;
mod upkeep;

pub use join::{Contact, NodeRequest};
pub use leave::{leave, remove};
pub use update::update;

use super::NatsAddress;
use super::identity::Identity;
use super::nodes::{NodeRecord, Nodes};
use crate::config::Config;
use crate::error::OperationError;
use crate::http::Listeners;
use crate::server::Server;
use crate::store::Store;
use anyhow::Context;
use dial::Diallers;
use front::Front;
use pipes::Pipes;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tasks::Tasks;
use tls::Tls;

/// What this node has to do with others.
pub struct Link {
    /// Who this node is.
    pub(super) identity: Identity,
    /// The others.
    pub nodes: Nodes,
    /// Held by operations that change what is known of the others, so that they take turns.
    pub(crate) turn: tokio::sync::Mutex<()>,
    front: Front,
    diallers: Diallers,
    pipes: Arc<Pipes>,
    tls: Tls,
    tasks: Tasks,
    /// The port of the operations API.
    operations: OnceLock<u16>,
}

/// Why there is no way to another node.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct LinkError {
    /// What happened.
    pub text: String,
    /// When the other node removed this one, in epoch milliseconds.
    pub removed: Option<f64>,
}

impl LinkError {
    fn new(text: impl Into<String>) -> LinkError {
        LinkError { text: text.into(), removed: None }
    }
}

impl From<OperationError> for LinkError {
    fn from(error: OperationError) -> LinkError {
        LinkError::new(error.message)
    }
}

impl Link {
    /// What is known from earlier starts.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(store: &Store, config: &Config) -> anyhow::Result<Link> {
        let opened = async {
            let identity = Identity::open(store, config).await?;
            let nodes = Nodes::open(store, &identity.name())?;
            Ok::<_, OperationError>((identity, nodes))
        };
        let (identity, nodes) =
            opened.await.map_err(|error| anyhow::anyhow!("{error}")).context("cannot read the nodes")?;
        Ok(Link {
            identity,
            nodes,
            turn: tokio::sync::Mutex::default(),
            front: Front::default(),
            diallers: Diallers::default(),
            pipes: Arc::default(),
            tls: Tls::default(),
            tasks: Tasks::default(),
            operations: OnceLock::new(),
        })
    }

    /// Listens for other nodes and keeps in touch with them.
    ///
    /// # Errors
    /// When a socket cannot be used.
    pub fn begin(server: &Arc<Server>, listeners: &Listeners) -> std::io::Result<()> {
        let link = &server.replication.link;
        for (is_secure, listener) in [(false, &listeners.replication), (true, &listeners.replication_secure)]
        {
            if let Some((_, listener)) = listener {
                link.front.listen(server, listener.try_clone()?, is_secure)?;
            }
        }
        if let Some(address) = listeners.plain_address().or_else(|| listeners.secure_address()) {
            let _ = link.operations.set(address.port());
        }
        upkeep::begin(server);
        Ok(())
    }

    /// Takes up what the tables of nodes say now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn reload(&self, store: &Store) -> Result<(), OperationError> {
        self.nodes.reload(store, &self.identity.name())
    }

    /// Ends everything that goes on.
    pub async fn stop(&self) {
        self.tasks.stop().await;
        self.pipes.close(|_| true);
        self.front.forget();
    }

    /// Where other nodes are listened for: without and with TLS.
    pub fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        self.front.addresses()
    }

    /// The port of this node's operations API, once it is listened on.
    pub fn operations_port(&self) -> Option<u16> {
        self.operations.get().copied()
    }

    /// For how long a node has been connected; `None` while it is not.
    pub fn uptime(&self, node: &str) -> Option<Duration> {
        self.pipes.uptime(node)
    }

    /// Whether this node is part of a cluster, or set up to be.
    pub fn is_enabled(&self, config: &Config) -> bool {
        config.replication.is_configured() || config.clustering.enabled || !self.nodes.current().is_empty()
    }
}

/// The NATS server of a peer, as it can be reached from here while the peer is known.
///
/// # Errors
/// When the peer cannot be reached or does not want us.
pub async fn nats_of(server: &Arc<Server>, peer: &NodeRecord) -> Result<NatsAddress, LinkError> {
    dial::nats_of(server, peer).await
}
