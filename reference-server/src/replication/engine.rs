//! What goes on while there are other nodes: the tasks of this node's own server, and one for each of the others.

use super::confirm::Confirmations;
use super::nats::{Connection, Nats};
use super::nodes::NodeRecord;
use super::outbox::{Outbox, Told};
use super::peer::{Peer, Peers};
use super::status::Status;
use super::{answers, identity, nodes, relay};
use crate::server::Server;
use crate::store::SYSTEM_DATABASE;
use anyhow::Context;
use async_nats::jetstream;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// How often the set of databases is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// The pause before a connection to the own server is tried again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a stream may take until it says how far it has come.
const MARK_PATIENCE: Duration = Duration::from_secs(10);
/// Tables of the server's own database that are of this node alone.
const OWN_TABLES: &[&str] = &[
    "hdb_temp",
    "hdb_certificate",
    "hdb_raw_analytics",
    "hdb_session",
    "hdb_session_will",
    "hdb_job",
    "hdb_info",
    "hdb_link",
    // The nodes tell each other of these themselves.
    "hdb_nodes",
];
/// Shared only when the configuration says so.
const ANALYTICS: &str = "hdb_analytics";

/// What all tasks share.
pub(super) struct Engine {
    /// The name of this node.
    pub(super) node: String,
    server: Weak<Server>,
    /// The own NATS server.
    pub(super) nats: Nats,
    /// How far the own streams have come, by database.
    pub(super) told: Mutex<BTreeMap<String, Told>>,
    /// Asks outboxes for a mark, by database.
    marks: Mutex<HashMap<String, mpsc::Sender<oneshot::Sender<()>>>>,
    /// What the others have applied.
    pub(super) confirmations: Confirmations,
    /// How the links are.
    pub(super) status: Status,
    /// The other nodes that are connected.
    pub(super) peers: Peers,
    /// What was begun by a request of another node.
    guests: Mutex<JoinSet<()>>,
}

impl Engine {
    pub(super) fn new(server: &Arc<Server>, node: String, nats: Nats) -> Engine {
        Engine {
            node,
            server: Arc::downgrade(server),
            nats,
            told: Mutex::default(),
            marks: Mutex::default(),
            confirmations: Confirmations::default(),
            status: Status::default(),
            peers: Peers::default(),
            guests: Mutex::default(),
        }
    }

    /// The instance, while it lives.
    ///
    /// # Errors
    /// When it is ending.
    pub(super) fn server(&self) -> anyhow::Result<Arc<Server>> {
        self.server.upgrade().context("the server is ending")
    }

    /// Whether changes of a table are told and taken.
    pub(super) fn replicates_table(&self, database: &str, table: &str) -> bool {
        let Ok(server) = self.server() else { return false };
        if database != SYSTEM_DATABASE {
            return true;
        }
        !OWN_TABLES.contains(&table) && (table != ANALYTICS || server.config.replication.analytics)
    }

    /// Whether a database is replicated at all.
    pub(super) fn replicates(&self, database: &str) -> bool {
        self.server().is_ok_and(|server| server.config.replication.databases.includes(database))
    }

    /// How long streams keep messages: as long as histories are kept.
    pub(super) fn retention(&self) -> Option<Duration> {
        self.server().ok().and_then(|server| server.config.logging.audit_retention)
    }

    /// The time here, in epoch milliseconds.
    pub(super) fn now(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
    }

    /// Takes the wishes for marks in the stream of a database from now on.
    pub(super) fn wishes(&self, database: &str) -> mpsc::Receiver<oneshot::Sender<()>> {
        let (sender, receiver) = mpsc::channel(1);
        self.marks.lock().insert(database.to_owned(), sender);
        receiver
    }

    /// Has the stream of a database say how far it has come, so that it is known when what was said before is gone.
    pub(super) async fn mark(&self, database: &str) -> anyhow::Result<()> {
        let wishes = self.marks.lock().get(database).cloned().context("there is no such stream")?;
        let (done, answer) = oneshot::channel();
        let wish = async {
            wishes.send(done).await.ok()?;
            answer.await.ok()
        };
        let answered = tokio::time::timeout(MARK_PATIENCE, wish).await;
        answered.ok().flatten().context("the stream does not answer")
    }

    /// Begins something for another node, which ends with the engine.
    pub(super) fn serve(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut guests = self.guests.lock();
        while guests.try_join_next().is_some() {}
        guests.spawn(work);
    }

    /// Goes on until it is aborted.
    pub(super) async fn run(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().keep_own());
        tasks.spawn(self.clone().keep_peers());
        tasks.spawn(relay::keep(self.clone()));
        while tasks.join_next().await.is_some() {}
    }

    /// Ends what is under way for others.
    pub(super) fn end(&self) {
        self.guests.lock().abort_all();
    }

    /// Works with the own server whenever it is up.
    async fn keep_own(self: Arc<Self>) {
        let mut address = self.nats.watch();
        loop {
            if address.wait_for(Option::is_some).await.is_err() {
                return;
            }
            if let Err(error) = self.clone().work_with_own().await {
                tracing::debug!("the own NATS server is lost: {error:#}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn work_with_own(self: Arc<Self>) -> anyhow::Result<()> {
        let place = self.nats.own().context("it is down")?;
        let connection = Connection::open(&place).await?;
        let context = jetstream::new(connection.client.clone());
        let mut tasks = JoinSet::new();
        answers::begin(&self, &connection.client, &mut tasks).await?;
        // Outboxes by the database they are of, which may be dropped and made again.
        let mut outboxes: HashMap<String, (usize, AbortHandle)> = HashMap::new();
        loop {
            let server = self.server()?;
            let databases = server.store.databases();
            drop(server);
            for (name, (_, outbox)) in outboxes.extract_if(|name, (identity, _)| {
                !databases
                    .iter()
                    .any(|database| database.name() == name && identity_of(database) == *identity)
            }) {
                outbox.abort();
                self.told.lock().remove(&name);
                self.confirmations.begin_anew(&name);
                super::streams::remove(&context, &self.node, &name).await?;
            }
            for database in databases {
                let name = database.name().to_owned();
                if !outboxes.contains_key(&name) && self.replicates(&name) {
                    let identity = identity_of(&database);
                    let outbox = Outbox { engine: self.clone(), context: context.clone(), database };
                    outboxes.insert(name, (identity, tasks.spawn(outbox.run())));
                }
            }
            tokio::select! {
                () = connection.lost() => anyhow::bail!("the connection ended"),
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    }

    /// Keeps a task for every other node that is known.
    async fn keep_peers(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        let mut known: HashMap<String, (NodeRecord, AbortHandle)> = HashMap::new();
        let Ok(server) = self.server() else { return };
        let mut changes = nodes::watch(&server);
        drop(server);
        loop {
            let Ok(server) = self.server() else { return };
            changes.borrow_and_update();
            let list = nodes::list(&server);
            drop(server);
            known.retain(|name, (record, task)| {
                let stays = list.contains(record);
                if !stays {
                    task.abort();
                    self.peers.forget(name);
                    if !list.iter().any(|node| node.name == *name) {
                        self.status.forget(name);
                        self.confirmations.forget(name);
                    }
                }
                stays
            });
            for record in list {
                if !known.contains_key(&record.name) {
                    let peer = Peer::new(self.clone(), record.clone());
                    known.insert(record.name.clone(), (record, tasks.spawn(peer.run())));
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
            while tasks.try_join_next().is_some() {}
        }
    }

    /// Whether this node goes by another name now.
    pub(super) fn is_renamed(&self) -> bool {
        self.server().is_ok_and(|server| identity::node_name(&server) != self.node)
    }
}

/// Tells a database from another one of the same name.
fn identity_of(database: &Arc<crate::store::Database>) -> usize {
    Arc::as_ptr(database) as usize
}
