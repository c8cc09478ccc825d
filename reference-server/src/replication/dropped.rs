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
use crate::store::{CREATED_TIME, HistoryEntry, Store, StoreError, Table, UPDATED_TIME, View, WriteTxn};
use crate::value::{Object, Value};
use std::collections::BTreeMap;
use std::ops::Bound;
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

    /// Whether what was written at `time` was dropped with the database.
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
    // What is written to another of that name is later, whatever the clock here says.
    store.not_before(time);
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
    let later = written_after(txn.view()?, &table, time)?;
    txn.drop_table(name)?;
    note_table(txn, name, Some(time))?;
    if later.is_empty() {
        return Ok(true);
    }
    let table = txn.create_table(spec_of(&TableDefinition::full(&table)))?;
    for Survivor { key, record, expires_at } in later.values() {
        txn.put(&table, key, record, *expires_at)?;
    }
    txn.log_history(&table, HistoryEntry::new("upsert", user))?;
    Ok(true)
}

/// A record as it is.
struct Survivor {
    key: Value,
    record: Object,
    expires_at: Option<f64>,
}

/// The records of a table that were written after a time, by the JSON of their keys. What has no history is told to
/// nobody, and so is left out.
fn written_after(view: View<'_>, table: &Table, time: f64) -> Result<BTreeMap<String, Survivor>, StoreError> {
    let mut found = BTreeMap::new();
    for entry in view.history(table, Bound::Excluded(time), Bound::Unbounded, false)? {
        for change in entry?.changes() {
            let key = change?.key();
            // It may be gone again, or have expired.
            if let Some(stored) = view.get(table, &key)?.filter(|stored| stored.updated() > time) {
                let mut record = members(&stored, table);
                record.retain(|name, _| name != CREATED_TIME && name != UPDATED_TIME);
                found.insert(key.to_json(), Survivor { key, record, expires_at: stored.expires_at() });
            }
        }
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Database, StoreOptions, TableSpec};

    /// Writes a record of its own in a request of its own; tells when.
    fn write(database: &Database, key: f64) -> f64 {
        let work = move |txn: &mut WriteTxn<'_>| {
            let table = match txn.catalog().table("t").cloned() {
                Some(table) => table,
                None => txn.create_table(TableSpec { audit: true, ..TableSpec::dynamic("t", "id") })?,
            };
            let record = Object::from_iter([("id".to_owned(), Value::Number(key))]);
            txn.put(&table, &Value::Number(key), &record, None)?;
            txn.log_history(&table, HistoryEntry::new("insert", None))?;
            Ok::<_, StoreError>(txn.timestamp())
        };
        database.write_blocking(work).unwrap()
    }

    fn keys(database: &Database) -> Option<Vec<Value>> {
        let reader = database.read().unwrap();
        let table = reader.catalog().table("t")?;
        let records = reader.scan(table, crate::store::KeyRange::all(), false).unwrap();
        Some(records.map(|record| record.unwrap().key()).collect())
    }

    #[tokio::test]
    async fn what_is_later_than_a_drop_stays() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { no_sync: true, ..StoreOptions::default() };
        let store = Store::open(folder.path(), options).unwrap();
        let database = store.create_database("data").unwrap();
        let times = [1.0, 2.0, 3.0].map(|key| write(&database, key));
        let drop_as_of = |time: f64| {
            database.write_blocking(move |txn| drop_table_as_of(txn, "t", time, Some("kim"))).unwrap()
        };
        assert!(drop_as_of(times[1]));
        assert_eq!(keys(&database), Some(vec![Value::Number(3.0)]));
        let has = |since: Option<f64>, time: f64| {
            let mut dropped = Dropped::of(&store, "data", since).unwrap();
            dropped.has(database.read().unwrap().view(), "t", time).unwrap()
        };
        assert!(has(None, times[1]) && !has(None, times[2]));
        assert!(
            has(Some(times[1]), times[0]) && !has(Some(times[2]), times[0]),
            "only what was dropped since"
        );
        // An earlier drop that comes late changes nothing; a later one counts though there is no table.
        assert!(drop_as_of(times[0]));
        assert!(has(None, times[1]));
        let now = write(&database, 4.0);
        assert!(drop_as_of(now) && keys(&database).is_none());
        assert!(!drop_as_of(now + 60_000.0) && has(None, now + 1.0));
        assert!(write(&database, 5.0) > now + 60_000.0, "what is written from then on is later");
        note_database(&store, "data", now + 90_000.0).await.unwrap();
        assert!(has(None, now + 80_000.0) && !has(None, now + 100_000.0));
        let soon = now + 5_000.0;
        note_database(&store, "brief", soon).await.unwrap();
        assert!(write(&store.create_database("brief").unwrap(), 1.0) > soon);
    }
}
