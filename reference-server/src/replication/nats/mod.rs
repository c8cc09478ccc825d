//! The nats-server of this node: a child process that listens on loopback only, or one that the configuration names.

mod child;
mod config;

use crate::replication::NatsAddress;
use anyhow::Context;
use async_nats::{Client, ConnectOptions, Event};
use child::Supervisor;
use config::Settings;
use parking_lot::Mutex;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// How long a connection or an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a connection is tried out; it is given up after two that were not answered.
const PING_EVERY: Duration = Duration::from_secs(2);
/// How many messages of a subscription may wait to be read.
const WAITING: usize = 4096;

/// The nats-server, once it was started.
pub(super) struct Nats {
    address: watch::Receiver<Option<SocketAddr>>,
    own: (String, String),
    peer: (String, String),
    supervisor: Option<Supervisor>,
    /// Keeps the address of a server that is not ours.
    _given: Option<watch::Sender<Option<SocketAddr>>>,
}

impl Nats {
    /// Starts the child with its files in `folder`. Blocks until it can be reached.
    ///
    /// # Errors
    /// When there is no nats-server, or it does not start.
    pub(super) fn start(folder: &Path, node: &str) -> anyhow::Result<Nats> {
        let password = || uuid::Uuid::new_v4().simple().to_string();
        let (own, peer) = (password(), password());
        let settings = Settings { folder, node, own_password: &own, peer_password: &peer };
        let (tell, address) = watch::channel(None);
        let supervisor = Supervisor::start(folder, settings.text(), tell)?;
        let (own, peer) = (("self".to_owned(), own), ("peer".to_owned(), peer));
        Ok(Nats { address, own, peer, supervisor: Some(supervisor), _given: None })
    }

    /// Uses the server behind a URL such as `nats://user:password@host:4222`.
    ///
    /// # Errors
    /// When the URL names no place.
    pub(super) fn given(url: &str) -> anyhow::Result<Nats> {
        let parsed = reqwest::Url::parse(url).context("REPLICATION_NATS_URL is no URL")?;
        let host = parsed.host_str().context("REPLICATION_NATS_URL names no host")?;
        let mut found = (host.trim_matches(['[', ']']), parsed.port().unwrap_or(4222)).to_socket_addrs()?;
        let address = found.next().context("REPLICATION_NATS_URL names no address")?;
        let user = (parsed.username().to_owned(), parsed.password().unwrap_or_default().to_owned());
        let (tell, address) = watch::channel(Some(address));
        Ok(Nats { address, own: user.clone(), peer: user, supervisor: None, _given: Some(tell) })
    }

    /// Where other nodes are led to; `None` while the child is down.
    pub(super) fn for_peers(&self) -> Option<NatsAddress> {
        self.reached_as(&self.peer)
    }

    /// Where this node works; `None` while the child is down.
    pub(super) fn own(&self) -> Option<NatsAddress> {
        self.reached_as(&self.own)
    }

    /// Changes whenever the child comes up or goes down.
    pub(super) fn watch(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.clone()
    }

    /// Ends the child. Blocks.
    pub(super) fn stop(&self) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.stop();
        }
    }

    fn reached_as(&self, (user, password): &(String, String)) -> Option<NatsAddress> {
        let address = (*self.address.borrow())?;
        Some(NatsAddress { address, user: user.clone(), password: password.clone() })
    }
}

/// A connection that is given up when it is lost, rather than mended: whoever uses it begins anew from what is stored.
pub(super) struct Connection {
    /// The connection.
    pub(super) client: Client,
    lost: watch::Receiver<bool>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub(super) async fn open(place: &NatsAddress) -> anyhow::Result<Connection> {
        let (tell, lost) = watch::channel(false);
        let tell = Mutex::new(Some(tell));
        let options = ConnectOptions::new()
            .user_and_password(place.user.clone(), place.password.clone())
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(PING_EVERY)
            .subscription_capacity(WAITING)
            .ignore_discovered_servers()
            .max_reconnects(1)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    // Whoever waits sees the channel closed.
                    drop(tell.lock().take());
                }
                std::future::ready(())
            });
        let url = format!("nats://{}", place.address);
        let connecting = tokio::time::timeout(PATIENCE, options.connect(url));
        let client = connecting.await.context("no answer in time")??;
        Ok(Connection { client, lost })
    }

    /// Waits until the connection is lost.
    pub(super) async fn lost(&self) {
        let mut lost = self.lost.clone();
        let _ = lost.wait_for(|lost| *lost).await;
    }
}
