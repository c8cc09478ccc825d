//! The nats-server of this node: a child process that listens on loopback only, or one that the configuration names.

mod child;
mod config;

use super::names;
use crate::replication::NatsAddress;
use anyhow::Context;
use async_nats::{Client, ConnectOptions, Event};
use child::Supervisor;
pub(super) use child::program;
pub(super) use config::Admission;
use config::{Guest, Settings};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a connection or an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a connection is tried out; it is given up after two that were not answered.
const PING_EVERY: Duration = Duration::from_secs(2);
/// The pause between two tries to get in.
const GLANCE: Duration = Duration::from_millis(20);
/// How many messages of a subscription may wait to be read.
const WAITING: usize = 4096;

/// The nats-server, once it was started.
pub(super) struct Nats {
    address: watch::Receiver<Option<SocketAddr>>,
    own: (String, String),
    /// What keeps the child; `None` when the server is not ours.
    child: Option<Kept>,
    /// Keeps the address of a server that is not ours.
    _given: Option<watch::Sender<Option<SocketAddr>>>,
}

/// The child, and what it is told.
struct Kept {
    supervisor: Supervisor,
    folder: PathBuf,
    node: String,
    guests: Mutex<Vec<Guest>>,
}

impl Nats {
    /// Starts the child with its files in `folder`. Blocks until it can be reached.
    ///
    /// # Errors
    /// When there is no nats-server, or it does not start.
    pub(super) fn start(folder: &Path, node: &str) -> anyhow::Result<Nats> {
        let own = password();
        let settings = Settings { folder, node, own_password: &own, guests: &[] };
        let (tell, address) = watch::channel(None);
        let supervisor = Supervisor::start(folder, settings.text(), tell)?;
        let (folder, node) = (folder.to_owned(), node.to_owned());
        let child = Kept { supervisor, folder, node, guests: Mutex::default() };
        Ok(Nats { address, own: ("self".to_owned(), own), child: Some(child), _given: None })
    }

    /// Uses the server behind a URL such as `nats://user:password@host:4222`, whether or not it runs now.
    ///
    /// # Errors
    /// When the URL names no place.
    pub(super) fn given(url: &str) -> anyhow::Result<Nats> {
        let parsed = reqwest::Url::parse(url).context("REPLICATION_NATS_URL is no URL")?;
        anyhow::ensure!(parsed.scheme() == "nats", "REPLICATION_NATS_URL is no nats:// URL");
        let host = parsed.host_str().context("REPLICATION_NATS_URL names no host")?;
        let mut found = (host.trim_matches(['[', ']']), parsed.port().unwrap_or(4222)).to_socket_addrs()?;
        let address = found.next().context("REPLICATION_NATS_URL names no address")?;
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = (plain(parsed.username()), plain(parsed.password().unwrap_or_default()));
        let (tell, address) = watch::channel(Some(address));
        Ok(Nats { address, own: user, child: None, _given: Some(tell) })
    }

    /// Lets those nodes in that `wanted` tells, and no others; connections of those that may do something else than
    /// before end. A server that is not ours knows no such difference.
    pub(super) fn admit(&self, wanted: impl FnOnce() -> Vec<Admission>) {
        let Some(child) = &self.child else { return };
        let mut guests = child.guests.lock();
        let known =
            |admission: &Admission| guests.iter().find(|guest| guest.admission == *admission).cloned();
        let new = |admission: Admission| Guest { admission, password: password() };
        let next = wanted().into_iter().map(|admission| known(&admission).unwrap_or_else(|| new(admission)));
        let next: Vec<Guest> = next.collect();
        let same = |one: &Guest, other: &Guest| one.password == other.password;
        if next.len() == guests.len() && next.iter().zip(guests.iter()).all(|(one, other)| same(one, other)) {
            return;
        }
        *guests = next;
        let (folder, node) = (child.folder.as_path(), child.node.as_str());
        let settings = Settings { folder, node, own_password: &self.own.1, guests: &guests };
        child.supervisor.configure(settings.text());
    }

    /// Where another node is led to, once it is let in.
    ///
    /// # Errors
    /// When it is not one of those that are let in, or the server is down.
    pub(super) async fn for_peer(&self, node: &str) -> anyhow::Result<NatsAddress> {
        let Some(child) = &self.child else {
            // There all are the same user.
            self.connect(node).await?;
            return self.own().context("the address is lost");
        };
        let user = {
            let guests = child.guests.lock();
            let guest = guests.iter().find(|guest| guest.admission.node == node);
            guest.map(|guest| (guest.user(), guest.password.clone())).context("it is not let in")?
        };
        let began = Instant::now();
        loop {
            let place = self.reached_as(&user).context("nats-server has just ended")?;
            // It takes a moment until the server knows who is let in.
            match Connection::open(&place, node).await {
                Ok(_) => return Ok(place),
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Connects for the work of this node itself.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, or has no streams.
    pub(super) async fn connect(&self, node: &str) -> anyhow::Result<Connection> {
        let place = self.own().context("nats-server has just ended")?;
        let whose = if self.child.is_none() { " of REPLICATION_NATS_URL" } else { "" };
        let server = || format!("the NATS server{whose} at {}", place.address);
        let connection =
            Connection::open(&place, node).await.with_context(|| format!("{} cannot be used", server()))?;
        // Read by hand, as older servers tell less than the client wants to know.
        let streams = connection.client.request("$JS.API.INFO", "".into()).await;
        let answer = streams.with_context(|| format!("{} has no JetStream", server()))?;
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
        if let Some(error) = answer.get("error") {
            let why = error.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
            anyhow::bail!("{} has no JetStream for this user: {why}", server());
        }
        Ok(connection)
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
        if let Some(child) = &self.child {
            child.supervisor.stop();
        }
    }

    fn reached_as(&self, (user, password): &(String, String)) -> Option<NatsAddress> {
        let address = (*self.address.borrow())?;
        Some(NatsAddress { address, user: user.clone(), password: password.clone() })
    }
}

fn password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A connection that is given up when it is lost, rather than mended: whoever uses it begins anew from what is stored.
pub(super) struct Connection {
    /// The connection.
    pub(super) client: Client,
    lost: watch::Receiver<bool>,
}

impl Connection {
    /// Connects, on behalf of a node.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub(super) async fn open(place: &NatsAddress, node: &str) -> anyhow::Result<Connection> {
        let (tell, lost) = watch::channel(false);
        let tell = Mutex::new(Some(tell));
        let options = ConnectOptions::new()
            .user_and_password(place.user.clone(), place.password.clone())
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(PING_EVERY)
            .subscription_capacity(WAITING)
            .custom_inbox_prefix(names::inbox(node))
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
