//! What goes on while there are other nodes: the tasks of this node's own server, and one for each of the others.

use super::audience::{Audience, Excerpt};
use super::confirm::Confirmations;
use super::names::StreamName;
use super::nats::{Admission, Connection, Nats};
use super::nodes::NodeRecord;
use super::outbox::{Key, Outbox, Told};
use super::peer::{Peer, Peers};
use super::status::Status;
use super::{answers, identity, nodes, relay};
use crate::server::Server;
use crate::store::{Database, SYSTEM_DATABASE};
use anyhow::Context;
use async_nats::jetstream;
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// How often the set of databases is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// The pause before a connection to the own server is tried again, doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How many tries in a row have to fail until the log tells of it.
const TELLING_FAILURES: u32 = 4;
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
    /// How far the own streams have come.
    pub(super) told: Mutex<BTreeMap<Key, Told>>,
    /// Asks outboxes for a mark.
    marks: Mutex<HashMap<Key, mpsc::Sender<oneshot::Sender<()>>>>,
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
        if fault!("users-stay-here") && ["hdb_user", "hdb_role"].contains(&table) {
            return false;
        }
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

    /// How many other nodes are told of changes of a database.
    pub(super) fn takers(&self, database: &str) -> usize {
        let Ok(server) = self.server() else { return 0 };
        if !self.replicates(database) {
            return 0;
        }
        nodes::list(&server).iter().filter(|node| Audience::of(node).reads_of(database)).count()
    }

    /// How long streams keep messages: as long as histories are kept.
    pub(super) fn retention(&self) -> Option<Duration> {
        self.server().ok().and_then(|server| server.config.logging.audit_retention)
    }

    /// The time here, in epoch milliseconds.
    pub(super) fn now(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
    }

    /// Takes the wishes for marks in a stream from now on.
    pub(super) fn wishes(&self, stream: Key) -> mpsc::Receiver<oneshot::Sender<()>> {
        let (sender, receiver) = mpsc::channel(1);
        self.marks.lock().insert(stream, sender);
        receiver
    }

    /// Has a stream say how far it has come, so that it is known when what was said before is gone.
    pub(super) async fn mark(&self, stream: &Key) -> anyhow::Result<()> {
        let wishes = self.marks.lock().get(stream).cloned().context("there is no such stream")?;
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
        let mut failures = 0;
        loop {
            if address.wait_for(Option::is_some).await.is_err() {
                return;
            }
            match self.nats.connect(&self.node).await {
                Ok(connection) => {
                    failures = 0;
                    if let Err(error) = self.clone().work_with_own(connection).await {
                        tracing::warn!("what the own NATS server does is begun anew: {error:#}");
                    }
                }
                Err(error) => {
                    failures += 1;
                    // Once, and not of what passes by itself, such as a configuration that is just read.
                    match failures == TELLING_FAILURES {
                        true => tracing::error!("nothing is told to other nodes: {error:#}"),
                        false => tracing::debug!("nothing is told to other nodes: {error:#}"),
                    }
                }
            }
            tokio::time::sleep((PAUSE * 2_u32.pow(failures.min(8))).min(LONGEST_PAUSE)).await;
        }
    }

    async fn work_with_own(self: Arc<Self>, connection: Connection) -> anyhow::Result<()> {
        let context = jetstream::new(connection.client.clone());
        let mut tasks = JoinSet::new();
        answers::begin(&self, &connection.client, &mut tasks).await?;
        // Outboxes with what they are of: a database, which may be dropped and made again, and an excerpt of it.
        let mut outboxes: HashMap<Key, (Identity, AbortHandle)> = HashMap::new();
        loop {
            let wanted = self.wanted_streams()?;
            for (key, (_, outbox)) in outboxes.extract_if(|key, (identity, _)| {
                wanted.get(key).is_none_or(|(database, excerpt)| identity_of(database, excerpt) != *identity)
            }) {
                outbox.abort();
                self.told.lock().remove(&key);
                let (database, reader) = (key.0.as_str(), key.1.as_deref());
                if reader.is_none() {
                    self.confirmations.begin_anew(database);
                }
                super::streams::remove(&context, StreamName { node: &self.node, database, reader }).await?;
            }
            for (key, (database, excerpt)) in wanted {
                if let Entry::Vacant(place) = outboxes.entry(key) {
                    let identity = identity_of(&database, &excerpt);
                    let outbox = Outbox { engine: self.clone(), context: context.clone(), database, excerpt };
                    place.insert((identity, tasks.spawn(outbox.run())));
                }
            }
            tokio::select! {
                () = connection.lost() => anyhow::bail!("the connection ended"),
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    }

    /// The streams that are to be there: of each database one for all, and one for each node that may read some of its
    /// tables only.
    fn wanted_streams(&self) -> anyhow::Result<Streams> {
        let server = self.server()?;
        let nodes = nodes::list(&server);
        let excerpts = nodes.iter().flat_map(|node| Audience::of(node).excerpts(&node.name));
        let excerpts: Vec<(String, Excerpt)> = excerpts.collect();
        let mut wanted = BTreeMap::new();
        for database in server.store.databases() {
            let name = database.name().to_owned();
            if !self.replicates(&name) {
                continue;
            }
            for (_, excerpt) in excerpts.iter().filter(|(of, _)| *of == name) {
                let key = (name.clone(), Some(excerpt.reader.clone()));
                wanted.insert(key, (database.clone(), Some(excerpt.clone())));
            }
            wanted.insert((name, None), (database, None));
        }
        Ok(wanted)
    }

    /// Lets the other nodes that are known in to the own server, each to what it may read.
    pub(super) fn admit(&self) {
        let Ok(server) = self.server() else { return };
        let admission = |node: &NodeRecord| {
            let audience = Audience::of(node);
            let stream = |(database, excerpt): (String, Excerpt)| {
                StreamName { node: &self.node, database: &database, reader: Some(&excerpt.reader) }.stream()
            };
            let streams = audience.excerpts(&node.name).into_iter().map(stream).collect();
            let streams = (audience != Audience::Member).then_some(streams);
            Admission { node: node.name.clone(), streams }
        };
        self.nats.admit(|| nodes::list(&server).iter().map(admission).collect());
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
            self.admit();
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

/// Streams, with the databases that they are filled from, and the excerpts.
type Streams = BTreeMap<Key, (Arc<Database>, Option<Excerpt>)>;

/// Tells a database from another one of the same name, and an excerpt of it from one with other tables.
type Identity = (usize, Option<Excerpt>);

fn identity_of(database: &Arc<Database>, excerpt: &Option<Excerpt>) -> Identity {
    (Arc::as_ptr(database) as usize, excerpt.clone())
}
