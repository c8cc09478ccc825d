//! What nodes tell each other of themselves, about once a second.

use super::audience::Audience;
use super::engine::Engine;
use super::names::StreamName;
use super::nodes::NodeRecord;
use super::{progress, wire};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place in the history of a database of some node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which life of the database.
    pub life: String,
    /// The number of the last transaction.
    pub lseq: u64,
}

/// What a node has of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DatabaseState {
    /// Which life of the database.
    pub(super) life: String,
    /// The stream that the one who asks may read.
    pub(super) stream: String,
    /// Which life of that stream; empty while it is not there, or may not be read.
    pub(super) epoch: String,
    /// The number of the last message in the stream.
    pub(super) message: u64,
    /// The number of the last transaction in the stream.
    pub(super) lseq: u64,
    /// What has been applied of the others, by their names.
    pub(super) applied: BTreeMap<String, Mark>,
}

/// What a node is, for cluster_status in its old form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The version of its server.
    pub version: String,
    /// Its operating system.
    pub platform: String,
    /// The port of its operations API.
    pub operations_port: Option<u16>,
}

/// The answer to a question how a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) node: String,
    pub(super) about: About,
    pub(super) databases: BTreeMap<String, DatabaseState>,
}

/// The question, which tells how far the one who is asked has been heard, by database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) applied: BTreeMap<String, Mark>,
}

/// What a node tells when it has applied something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledgement {
    pub(super) database: String,
    pub(super) mark: Mark,
}

/// What is to be said of this node to another: no more than what that one may read.
pub(super) fn own(engine: &Engine, asker: &NodeRecord) -> anyhow::Result<State> {
    let server = engine.server()?;
    let audience = Audience::of(asker);
    let told = engine.told.lock().clone();
    let mut databases = BTreeMap::new();
    for database in server.store.databases() {
        let name = database.name();
        let is_agreed_on =
            asker.subscriptions.as_ref().is_none_or(|all| all.iter().any(|one| one.database == name));
        if !engine.replicates(name) || !is_agreed_on {
            continue;
        }
        let mut state = DatabaseState::default();
        if audience.reads_of(name) {
            let is_member = audience == Audience::Member;
            let reader = (!is_member).then(|| asker.name.clone());
            state.stream =
                StreamName { node: &engine.node, database: name, reader: reader.as_deref() }.stream();
            let told = told.get(&(name.to_owned(), reader)).cloned().unwrap_or_default();
            (state.life, state.epoch) = (told.life, told.epoch);
            (state.message, state.lseq) = (told.message, told.lseq);
            if is_member {
                state.applied = progress::all_applied(&database)?;
            }
        }
        databases.insert(name.to_owned(), state);
    }
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: std::env::consts::OS.to_owned(),
        operations_port: server.replication.link.operations_port(),
    };
    Ok(State { node: engine.node.clone(), about, databases })
}

/// The question for a node.
pub(super) fn question(engine: &Engine, node: &str) -> anyhow::Result<Question> {
    let server = engine.server()?;
    let mut applied = BTreeMap::new();
    for database in server.store.databases() {
        if let Some(mark) = progress::applied_in(database.read_committed()?.view(), node)? {
            applied.insert(database.name().to_owned(), mark);
        }
    }
    Ok(Question { applied })
}

/// What travels of it.
pub(super) fn encode<T: Serialize>(what: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(what).unwrap_or_default()
}

/// What arrived.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> anyhow::Result<T> {
    Ok(wire::read(bytes)?)
}
