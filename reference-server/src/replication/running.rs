//! The engine of an instance: begun with the first other node, ended with the instance.

use super::engine::Engine;
use super::names::StreamName;
use super::nats::{self, Nats};
use super::outbox::Key;
use super::state::About;
use super::streams::{self, Keep};
use super::{CallError, LinkStatus, apply, call, identity, nodes};
use crate::server::Server;
use crate::store::SYSTEM_DATABASE;
use crate::value::{Object, Value};
use anyhow::Context;
use arc_swap::ArcSwapOption;
use async_nats::jetstream;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The folder of the child, under the root folder.
const FOLDER: &str = "clustering";
/// The pause after a start that failed.
const PAUSE: Duration = Duration::from_secs(5);
/// How long writes may still wait for other nodes when the server is to end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The engine, and what keeps it.
#[derive(Default)]
pub(super) struct Running {
    server: OnceLock<Weak<Server>>,
    engine: ArcSwapOption<Engine>,
    /// Held while the engine is begun.
    beginning: tokio::sync::Mutex<()>,
    is_over: AtomicBool,
    /// Whether nobody is to wait for other nodes any more.
    is_ending: watch::Sender<bool>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    work: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    /// Begins the engine as soon as there is another node.
    pub(super) fn begin(&self, server: &Arc<Server>) {
        let _ = self.server.set(Arc::downgrade(server));
        let keeper = tokio::spawn(keep(Arc::downgrade(server)));
        *self.keeper.lock() = Some(keeper);
    }

    /// The engine, begun now where it is not.
    pub(super) async fn ensure_started(&self) -> anyhow::Result<Arc<Engine>> {
        let _turn = self.beginning.lock().await;
        if let Some(engine) = self.engine.load_full() {
            if !engine.is_renamed() {
                return Ok(engine);
            }
            self.end().await;
        }
        anyhow::ensure!(!self.is_over.load(Ordering::Acquire), "the server is ending");
        let server = self.server.get().and_then(Weak::upgrade).context("the server is not ready")?;
        let node = identity::node_name(&server);
        let (folder, name) = (server.config.root_path.join(FOLDER), node.clone());
        let url = server.config.replication.nats_url.clone();
        let started = tokio::task::spawn_blocking(move || match url {
            Some(url) => Nats::given(&url),
            None => Nats::start(&folder, &name),
        });
        let engine = Arc::new(Engine::new(&server, node, started.await??));
        let told = engine.clone();
        let logged = apply::log_system_tables(&server, move |table| {
            told.replicates(SYSTEM_DATABASE) && told.replicates_table(SYSTEM_DATABASE, table)
        });
        logged.await.map_err(|error| anyhow::anyhow!("{error}"))?;
        self.engine.store(Some(engine.clone()));
        *self.work.lock() = Some(tokio::spawn(engine.clone().run()));
        Ok(engine)
    }

    /// Fails when there is no NATS server that this node could work with. Where nothing is to flow none is needed.
    pub(super) async fn check(&self) -> anyhow::Result<()> {
        let Some(server) = self.server.get().and_then(Weak::upgrade) else { return Ok(()) };
        match &server.config.replication.nats_url {
            Some(url) => Nats::given(url)?.connect(&identity::node_name(&server)).await.map(drop),
            None => nats::program().map(drop),
        }
    }

    /// Has writes that wait for other nodes be answered soon.
    pub(super) fn end_waiting(&self) {
        self.is_ending.send_replace(true);
    }

    /// Ends everything.
    pub(super) async fn stop(&self) {
        self.end_waiting();
        self.is_over.store(true, Ordering::Release);
        let keeper = self.keeper.lock().take();
        if let Some(keeper) = keeper {
            keeper.abort();
            let _ = keeper.await;
        }
        let _turn = self.beginning.lock().await;
        self.end().await;
    }

    async fn end(&self) {
        let work = self.work.lock().take();
        if let Some(work) = work {
            work.abort();
            let _ = work.await;
        }
        if let Some(engine) = self.engine.swap(None) {
            engine.end();
            let _ = tokio::task::spawn_blocking(move || engine.nats.stop()).await;
        }
    }

    pub(super) fn links(&self) -> Vec<LinkStatus> {
        self.engine.load().as_ref().map(|engine| engine.status.links()).unwrap_or_default()
    }

    pub(super) fn about(&self, node: &str) -> Option<About> {
        self.engine.load().as_ref()?.peers.about(node)
    }

    pub(super) async fn call(&self, node: &str, operation: Object) -> Result<Value, CallError> {
        match self.engine.load_full() {
            Some(engine) => call::call(&engine, node, operation).await,
            None => Err(CallError::Unreachable(node.to_owned())),
        }
    }

    /// Waits until so many other nodes have applied a transaction of this one; false when they have not within `limit`,
    /// or until the server ends. Where there are not so many that are told of the database nobody is waited for.
    pub(super) async fn confirmed(&self, database: &str, lseq: u64, nodes: usize, limit: Duration) -> bool {
        let Some(engine) = self.engine.load_full() else { return true };
        let Some(mut changes) = engine.server().ok().map(|server| nodes::watch(&server)) else {
            return false;
        };
        let waiting = async {
            loop {
                changes.borrow_and_update();
                if engine.takers(database) < nodes {
                    return;
                }
                tokio::select! {
                    () = engine.confirmations.wait(database, lseq, nodes) => return,
                    // Who was waited for may be no node any more.
                    changed = changes.changed() => if changed.is_err() { return },
                }
            }
        };
        let mut is_ending = self.is_ending.subscribe();
        let ending = async {
            let _ = is_ending.wait_for(|is_ending| *is_ending).await;
            tokio::time::sleep(LAST_WAIT).await;
        };
        tokio::select! {
            biased;
            () = waiting => true,
            () = tokio::time::sleep(limit) => false,
            () = ending => false,
        }
    }

    /// Drops messages about a table from this node's stream.
    pub(super) async fn purge(&self, database: &str, table: &str, keep: Keep) -> anyhow::Result<u64> {
        let Some(engine) = self.engine.load_full() else { return Ok(0) };
        let place = engine.nats.own().context("the own NATS server is down")?;
        let connection = super::nats::Connection::open(&place, &engine.node).await?;
        let context = jetstream::new(connection.client.clone());
        let mut purged = 0;
        let streams: Vec<Key> = engine.told.lock().keys().filter(|(of, _)| of == database).cloned().collect();
        for key in streams {
            // Numbers mean those of the stream for all.
            if key.1.is_some() && matches!(keep, Keep::From(_)) {
                continue;
            }
            engine.mark(&key).await?;
            let name = StreamName { node: &engine.node, database, reader: key.1.as_deref() };
            let count = streams::purge(&context, name, table, keep).await?;
            if key.1.is_none() {
                purged = count;
            }
        }
        Ok(purged)
    }
}

/// Begins the engine when it is wanted. Holds on to nothing meanwhile.
async fn keep(server: Weak<Server>) {
    let Some(mut changes) = server.upgrade().map(|server| nodes::watch(&server)) else { return };
    loop {
        changes.borrow_and_update();
        let Some(strong) = server.upgrade() else { return };
        let is_wanted = !nodes::list(&strong).is_empty() || !strong.config.replication.routes.is_empty();
        let mut pause = None;
        if is_wanted && let Err(error) = strong.replication.running.ensure_started().await {
            tracing::error!("replication does not begin: {error:#}");
            pause = Some(PAUSE);
        }
        drop(strong);
        let again = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = again => {}
        }
    }
}
