//! How far this node has come with the others, kept in each database beside its data, so that both change in one
//! commit.

use super::apply::Cursor;
use super::state::Mark;
use crate::access::system_tables::system_database;
use crate::error::OperationError;
use crate::store::{Database, Store, StoreError, View, WriteTxn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of the number that tells one life of a database from another.
const LIFE: &str = "life";
/// What the keys of what was applied begin with, by origins.
const APPLIED: &str = "applied-";
/// What the keys of places in streams begin with, by nodes.
const CURSOR: &str = "cursor-";
/// What the keys of the lives of databases at other nodes begin with, by databases; in the server's own database.
const SHARED: &str = "shared-";
/// How many of them are kept.
const MOST_LIVES: usize = 64;

/// Which life of a database this is; numbers of its history mean nothing in another.
///
/// # Errors
/// When it cannot be read or given.
pub async fn life(database: &Database) -> Result<String, OperationError> {
    if let Some(life) = life_of(database.read()?.view())? {
        return Ok(life);
    }
    let new = uuid::Uuid::new_v4().simple().to_string();
    database
        .write(move |txn: &mut WriteTxn<'_>| {
            if let Some(life) = life_of(txn.view()?)? {
                return Ok(life);
            }
            txn.set_replication_state(LIFE, Some(new.as_bytes()))?;
            Ok(new.clone())
        })
        .await
}

/// As [`life`], when it has been given.
///
/// # Errors
/// When it cannot be read.
pub fn life_of(view: View<'_>) -> Result<Option<String>, StoreError> {
    let life = view.replication_state(LIFE)?;
    Ok(life.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

/// How much of the transactions of a node has been applied.
///
/// # Errors
/// When it cannot be read.
pub fn applied(database: &Database, origin: &str) -> Result<Option<Mark>, StoreError> {
    applied_in(database.read()?.view(), origin)
}

/// As [`applied`], within a transaction.
///
/// # Errors
/// When it cannot be read.
pub fn applied_in(view: View<'_>, origin: &str) -> Result<Option<Mark>, StoreError> {
    get(view, &format!("{APPLIED}{origin}"))
}

/// How much has been applied of all other nodes, as of the last commit: who asks now and then holds no writer up.
///
/// # Errors
/// When it cannot be read.
pub fn all_applied(database: &Database) -> Result<BTreeMap<String, Mark>, StoreError> {
    all_applied_in(database.read_committed()?.view())
}

/// As [`all_applied`], within a transaction.
///
/// # Errors
/// When it cannot be read.
pub fn all_applied_in(view: View<'_>) -> Result<BTreeMap<String, Mark>, StoreError> {
    let states = view.replication_states(APPLIED)?;
    states.into_iter().map(|(origin, bytes)| Ok((origin, decode(bytes)?))).collect()
}

/// Keeps how much of the transactions of a node has been applied.
///
/// # Errors
/// When LMDB fails.
pub fn set_applied(txn: &mut WriteTxn<'_>, origin: &str, mark: &Mark) -> Result<(), StoreError> {
    put(txn, &format!("{APPLIED}{origin}"), mark)
}

/// How far the stream of a node has been read.
///
/// # Errors
/// When it cannot be read.
pub fn cursor(database: &Database, node: &str) -> Result<Option<Cursor>, StoreError> {
    get(database.read()?.view(), &format!("{CURSOR}{node}"))
}

/// Keeps how far the stream of a node has been read.
///
/// # Errors
/// When LMDB fails.
pub fn set_cursor(txn: &mut WriteTxn<'_>, node: &str, cursor: &Cursor) -> Result<(), StoreError> {
    put(txn, &format!("{CURSOR}{node}"), cursor)
}

/// The lives of a database at other nodes that its changes were taken from; known even when the database is gone here.
///
/// # Errors
/// When it cannot be read.
pub fn shared(store: &Store, database: &str) -> Result<Vec<String>, StoreError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    Ok(get(reader.view(), &format!("{SHARED}{database}"))?.unwrap_or_default())
}

/// Keeps that changes are taken from a life of a database.
///
/// # Errors
/// When it cannot be kept.
pub async fn note_shared(store: &Store, database: &str, life: &str) -> Result<(), OperationError> {
    let mut lives = shared(store, database)?;
    if lives.iter().any(|known| known == life) {
        return Ok(());
    }
    lives.push(life.to_owned());
    lives.drain(..lives.len().saturating_sub(MOST_LIVES));
    let key = format!("{SHARED}{database}");
    let system = system_database(store)?;
    system.write(move |txn: &mut WriteTxn<'_>| Ok(put(txn, &key, &lives)?)).await
}

/// Something that is kept under a key.
pub(super) fn get<T: for<'de> Deserialize<'de>>(view: View<'_>, key: &str) -> Result<Option<T>, StoreError> {
    view.replication_state(key)?.map(decode).transpose()
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, StoreError> {
    let corrupt = |error| StoreError::Corrupt(format!("the state of replication cannot be read: {error}"));
    rmp_serde::from_slice(bytes).map_err(corrupt)
}

/// Keeps something under a key.
pub(super) fn put<T: Serialize>(txn: &mut WriteTxn<'_>, key: &str, value: &T) -> Result<(), StoreError> {
    let bytes = rmp_serde::to_vec_named(value).unwrap_or_default();
    txn.set_replication_state(key, Some(&bytes))
}
