//! What was dropped here, and when: nothing that other nodes wrote before comes back, however late it arrives.
//!
//! A drop that other nodes are told of (`replicated: true`) has one time on all of them, that of the first. So they all
//! judge alike of a write that was made at another node before the drop came there: it is later, and stays, everywhere.
//!
//! A time is kept for each name that was dropped while there were other nodes; with none nobody can bring anything
//! back. It stays for good, about sixty bytes, since a node may be away for any time.

use super::apply::spec_of;
use super::message::TableDefinition;
use super::{names, progress};
use crate::access::system_tables::{members, system_database};
use crate::error::OperationError;
use crate::server::Server;
use crate::store::{CREATED_TIME, HistoryEntry, KeyRange, Store, StoreError, UPDATED_TIME, View, WriteTxn};
use crate::value::{Object, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was dropped of one database, as far as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Dropped {
    /// When a database of that name was dropped, in epoch milliseconds.
    database: Option<f64>,
    /// Drops before that time do not count.
    since: Option<f64>,
    tables: BTreeMap<String, Option<f64>>,
}

impl Dropped {
    /// The drops in a database since a time; `None` for all.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(store: &Store, database: &str, since: Option<f64>) -> Result<Dropped, StoreError> {
        let system = system_database(store)?;
        let database = progress::get(system.read()?.view(), &database_key(database))?;
        Ok(Dropped { database, since, tables: BTreeMap::new() })
    }

    /// Whether what was written at `time`, in the table if there is one, was dropped with the database.
    pub fn has_database(&self, time: f64) -> bool {
        self.counts(self.database, time)
    }

    /// Whether what was written to a table at `time` was dropped.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn has(&mut self, view: View<'_>, table: &str, time: f64) -> Result<bool, StoreError> {
        let dropped = match self.tables.get(table) {
            Some(dropped) => *dropped,
            None => {
                let dropped = progress::get(view, &table_key(table))?;
                self.tables.insert(table.to_owned(), dropped);
                dropped
            }
        };
        Ok(self.has_database(time) || self.counts(dropped, time))
    }

    fn counts(&self, dropped: Option<f64>, time: f64) -> bool {
        dropped.is_some_and(|dropped| time <= dropped && self.since <= Some(dropped))
    }
}

/// Whether drops need to be kept in mind.
pub fn matter(server: &Arc<Server>) -> bool {
    !server.replication.link.nodes.current().is_empty()
}

/// Keeps that a table is dropped, now or as of a time.
///
/// # Errors
/// When LMDB fails.
pub fn note_table(txn: &mut WriteTxn<'_>, table: &str, time: Option<f64>) -> Result<(), StoreError> {
    let time = time.unwrap_or(txn.timestamp());
    txn.note_time(time);
    note(txn, &table_key(table), time)
}

/// Keeps that a database is dropped as of a time.
///
/// # Errors
/// When it cannot be kept.
pub async fn note_database(store: &Store, database: &str, time: f64) -> Result<(), OperationError> {
    let key = database_key(database);
    let system = system_database(store)?;
    system.write(move |txn: &mut WriteTxn<'_>| Ok(note(txn, &key, time)?)).await
}

fn note(txn: &mut WriteTxn<'_>, key: &str, time: f64) -> Result<(), StoreError> {
    let known: Option<f64> = progress::get(txn.records_view(), key)?;
    if known.is_some_and(|known| known >= time) {
        return Ok(());
    }
    progress::put(txn, key, &time)
}

/// Drops a table as of a time. Records that were written later stay; they are written anew, whole, so that all nodes
/// have the same of them. Tells whether there was a table.
///
/// # Errors
/// When the store fails.
pub fn drop_table_as_of(
    txn: &mut WriteTxn<'_>,
    name: &str,
    time: f64,
    user: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(table) = txn.catalog().table(name).cloned() else {
        note_table(txn, name, Some(time))?;
        return Ok(false);
    };
    let mut later: Vec<(Value, Object, Option<f64>)> = Vec::new();
    for record in txn.view()?.scan(&table, KeyRange::all(), false)? {
        let record = record?;
        if record.updated() > time {
            let mut attributes = members(&record, &table);
            attributes.retain(|name, _| name != CREATED_TIME && name != UPDATED_TIME);
            later.push((record.key(), attributes, record.expires_at()));
        }
    }
    txn.drop_table(name)?;
    note_table(txn, name, Some(time))?;
    if later.is_empty() {
        return Ok(true);
    }
    let table = txn.create_table(spec_of(&TableDefinition::full(&table)))?;
    for (key, record, expires_at) in &later {
        txn.put(&table, key, record, *expires_at)?;
    }
    txn.log_history(&table, HistoryEntry::new("upsert", user))?;
    Ok(true)
}

/// When something was dropped last: a table, or a database.
///
/// # Errors
/// When it cannot be read.
pub fn time_of(store: &Store, database: &str, table: Option<&str>) -> Result<Option<f64>, StoreError> {
    match (table, store.database(database)) {
        (Some(table), Some(database)) => progress::get(database.read()?.view(), &table_key(table)),
        (Some(_), None) => Ok(None),
        (None, _) => Ok(Dropped::of(store, database, None)?.database),
    }
}

fn table_key(table: &str) -> String {
    format!("dropped-{}", names::digest(table))
}

fn database_key(database: &str) -> String {
    format!("dropped-database-{}", names::digest(database))
}
