//! What nodes tell each other of themselves, about once a second.

use super::engine::Engine;
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
    /// Which life of its stream; empty while the stream is not there.
    pub(super) epoch: String,
    /// The number of the last message in the stream.
    pub(super) message: u64,
    /// The number of the last transaction in the stream.
    pub(super) lseq: u64,
    /// What has been applied of the others, by their names.
    pub(super) applied: BTreeMap<String, Mark>,
}

/// The answer to a question how a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) node: String,
    pub(super) databases: BTreeMap<String, DatabaseState>,
}

/// The question: who asks, and how far the one who is asked has been heard, by database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) node: String,
    pub(super) applied: BTreeMap<String, Mark>,
}

/// What a node tells when it has applied something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledgement {
    pub(super) node: String,
    pub(super) database: String,
    pub(super) mark: Mark,
}

/// What is to be said of this node.
pub(super) fn own(engine: &Engine) -> anyhow::Result<State> {
    let server = engine.server()?;
    let told = engine.told.lock().clone();
    let mut databases = BTreeMap::new();
    for database in server.store.databases() {
        let name = database.name();
        if !engine.replicates(name) {
            continue;
        }
        let told = told.get(name).cloned().unwrap_or_default();
        let applied = progress::all_applied(&database)?;
        let (life, epoch, message, lseq) = (told.life, told.epoch, told.message, told.lseq);
        databases.insert(name.to_owned(), DatabaseState { life, epoch, message, lseq, applied });
    }
    Ok(State { node: engine.node.clone(), databases })
}

/// The question for a node.
pub(super) fn question(engine: &Engine, node: &str) -> anyhow::Result<Question> {
    let server = engine.server()?;
    let mut applied = BTreeMap::new();
    for database in server.store.databases() {
        if let Some(mark) = progress::applied(&database, node)? {
            applied.insert(database.name().to_owned(), mark);
        }
    }
    Ok(Question { node: engine.node.clone(), applied })
}

/// What travels of it.
pub(super) fn encode<T: Serialize>(what: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(what).unwrap_or_default()
}

/// What arrived.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> anyhow::Result<T> {
    Ok(wire::read(bytes)?)
}
