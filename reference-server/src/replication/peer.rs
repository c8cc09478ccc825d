//! One other node: the connection to it, how it is, and what is read from it.

use super::engine::Engine;
use super::link;
use super::nats::Connection;
use super::nodes::NodeRecord;
use super::reader::Reader;
use super::state::{self, About, State};
use super::{names, nats};
use anyhow::Context;
use async_nats::{Client, Request};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// How often a node is asked how it is.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long the answer may take; then the connection is taken for lost.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a way to the node is looked for.
const CONNECTING: Duration = Duration::from_secs(10);
/// The pause before the next try, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A node and its client, with what it said last.
type Connected = (String, Client, Arc<State>);

/// The nodes that are connected.
#[derive(Default)]
pub(super) struct Peers {
    connected: watch::Sender<HashMap<String, (Client, Arc<State>)>>,
}

impl Peers {
    /// All of them.
    pub(super) fn all(&self) -> Vec<Connected> {
        let connected = self.connected.borrow();
        connected
            .iter()
            .map(|(name, (client, state))| (name.clone(), client.clone(), state.clone()))
            .collect()
    }

    /// What a node that is connected said of itself.
    pub(super) fn about(&self, node: &str) -> Option<About> {
        self.connected.borrow().get(node).map(|(_, state)| state.about.clone())
    }

    /// Waits until a node is connected.
    pub(super) async fn connected(&self, node: &str) -> Client {
        let mut connected = self.connected.subscribe();
        loop {
            if let Some((client, _)) = connected.borrow_and_update().get(node) {
                return client.clone();
            }
            if connected.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn says(&self, node: &str, client: &Client, state: Arc<State>) {
        self.connected
            .send_modify(|connected| drop(connected.insert(node.to_owned(), (client.clone(), state))));
    }

    /// A node is not connected any more.
    pub(super) fn forget(&self, node: &str) {
        self.connected.send_if_modified(|connected| connected.remove(node).is_some());
    }
}

/// The task of a node.
pub(super) struct Peer {
    engine: Arc<Engine>,
    record: Arc<NodeRecord>,
}

impl Peer {
    pub(super) fn new(engine: Arc<Engine>, record: NodeRecord) -> Peer {
        Peer { engine, record: Arc::new(record) }
    }

    /// Goes on until it is aborted.
    pub(super) async fn run(self) {
        let name = &self.record.name;
        let mut pause = FIRST_PAUSE;
        let mut was_connected = true;
        loop {
            let began = Instant::now();
            let Err(error) = self.work().await;
            let is_connected = self.engine.status.down_since(name).is_none();
            // Once per loss; a node that stays away is not told of again.
            match was_connected || is_connected {
                true => tracing::warn!(node = name, "there is no connection: {error:#}"),
                false => tracing::debug!(node = name, "there is still no connection: {error:#}"),
            }
            was_connected = false;
            self.engine.peers.forget(name);
            self.engine.status.unreachable(name);
            pause =
                if began.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Connects and reads until the connection is lost.
    async fn work(&self) -> anyhow::Result<Infallible> {
        let server = self.engine.server()?;
        let found = tokio::time::timeout(CONNECTING, link::nats_of(&server, &self.record)).await;
        drop(server);
        let place = found.context("no way was found in time")??;
        let connection: nats::Connection = Connection::open(&place, &self.engine.node).await?;
        let client = connection.client.clone();
        let (tell, states) = watch::channel(Arc::new(State::default()));
        let mut readers = JoinSet::new();
        let mut reading: HashMap<String, AbortHandle> = HashMap::new();
        let mut turns = tokio::time::interval(ASK_EVERY);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = connection.lost() => anyhow::bail!("the connection ended"),
                _ = turns.tick() => {}
            }
            let state = tokio::select! {
                () = connection.lost() => anyhow::bail!("the connection ended"),
                state = self.ask(&client) => Arc::new(state?),
            };
            tell.send_replace(state.clone());
            self.engine.peers.says(&self.record.name, &client, state.clone());
            self.engine.status.relays_no_more(&self.record.name);
            let shared = self.shared(&state);
            self.engine.status.shares(&self.record.name, &shared);
            let wanted = self.wanted(&shared);
            reading.retain(|database, reader| {
                let stays = wanted.contains(database) && !reader.is_finished();
                if !stays {
                    reader.abort();
                }
                stays
            });
            while readers.try_join_next().is_some() {}
            for database in shared.difference(&wanted) {
                // Nothing is read there, so that the connection is all there is.
                self.engine.status.update(&self.record.name, database, |link| link.connected = true);
            }
            for database in wanted {
                if let Entry::Vacant(place) = reading.entry(database) {
                    let reader = Reader {
                        engine: self.engine.clone(),
                        client: client.clone(),
                        record: self.record.clone(),
                        database: place.key().clone(),
                        states: states.clone(),
                    };
                    place.insert(readers.spawn(reader.run()));
                }
            }
        }
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<State> {
        let question = state::question(&self.engine, &self.record.name)?;
        let began = Instant::now();
        let request = Request::new().payload(state::encode(&question).into()).timeout(Some(ANSWER));
        let answer = client
            .send_request(names::Request::Ping.subject(&self.record.name, &self.engine.node), request)
            .await
            .context("no answer")?;
        self.engine.status.reached(&self.record.name, began.elapsed().as_secs_f64() * 1000.0);
        state::decode(&answer.payload)
    }

    /// The databases that both nodes replicate, or the other one could give to this one.
    fn shared(&self, state: &State) -> BTreeSet<String> {
        let names = state.databases.keys().filter(|name| self.engine.replicates(name));
        let subscribed = |name: &String| {
            let all = self.record.subscriptions.as_ref();
            all.is_none_or(|all| all.iter().any(|one| one.database == *name))
        };
        names.filter(|name| subscribed(name)).cloned().collect()
    }

    /// Those whose changes are taken.
    fn wanted(&self, shared: &BTreeSet<String>) -> BTreeSet<String> {
        if !self.record.replicates.receives {
            return BTreeSet::new();
        }
        let subscribed = |name: &String| {
            let all = self.record.subscriptions.as_ref();
            all.is_none_or(|all| all.iter().any(|one| one.database == *name && one.subscribe))
        };
        shared.iter().filter(|name| subscribed(name)).cloned().collect()
    }
}
