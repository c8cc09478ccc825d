//! Tests of the store as a whole.

mod crash;
mod files;
mod history;
mod model;
mod records;
mod remote;
mod speed;
mod tables;
mod window;
mod writer;

use super::*;
use crate::value::{Object, Value};

/// A store in a folder of its own that goes with it.
struct TestStore {
    store: Option<Store>,
    options: StoreOptions,
    folder: tempfile::TempDir,
}

impl TestStore {
    fn new() -> TestStore {
        TestStore::with(StoreOptions { no_sync: true, ..StoreOptions::default() })
    }

    fn with(options: StoreOptions) -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(Store::open(folder.path(), options.clone()).unwrap());
        TestStore { store, options, folder }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn data(&self) -> Arc<Database> {
        match self.store().database("data") {
            Some(database) => database,
            None => self.store().create_database("data").unwrap(),
        }
    }

    /// Closes and opens the store, as a restart does.
    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(Store::open(self.folder.path(), self.options.clone()).unwrap());
    }
}

/// Writes and waits.
fn write<T: Send + 'static>(
    database: &Database,
    work: impl FnMut(&mut WriteTxn<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    database.write_blocking(work).unwrap()
}

fn create_table(database: &Database, spec: TableSpec) -> Arc<Table> {
    write(database, move |txn| txn.create_table(spec.clone()))
}

fn json(text: &str) -> Value {
    crate::value::parse_json(text.as_bytes()).unwrap()
}

fn record(text: &str) -> Object {
    json(text).as_object().unwrap().clone()
}

/// Stores records given as JSON texts; each has its key in `id`.
fn put_all(database: &Database, table: &str, records: &[&str]) {
    let records: Vec<Object> = records.iter().map(|text| record(text)).collect();
    let table = table.to_owned();
    write(database, move |txn| {
        let table = txn.catalog().table(&table).unwrap().clone();
        for record in &records {
            txn.put(&table, &record["id"], record, None)?;
        }
        Ok(())
    });
}

/// A record as JSON text.
fn text_of(table: &Table, record: &Record<'_>) -> String {
    let members: Vec<String> = record
        .attributes()
        .map(|(id, value)| {
            format!("{:?}:{}", table.attribute_name(id), std::str::from_utf8(value.json()).unwrap())
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The keys of a scan as JSON texts.
fn keys_of(scan: Scan<'_>) -> Vec<String> {
    scan.map(|record| record.unwrap().key().to_json()).collect()
}

/// The keys of an index scan as JSON texts.
fn hits_of(scan: IndexScan<'_>) -> Vec<String> {
    scan.map(|hit| hit.unwrap().primary_key().unwrap().to_json()).collect()
}

#[test]
fn pages_come_back_after_they_were_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
    let database = store.create_database("d").unwrap();
    let key = Value::from(1.0);
    let stored = key.clone();
    database
        .write_blocking(move |txn| -> Result<(), StoreError> {
            let table = txn.create_table(TableSpec::dynamic("t", "id"))?;
            txn.put(&table, &stored, &Object::from_iter([("id".to_owned(), stored.clone())]), None)
        })
        .unwrap();
    let reader = database.read().unwrap();
    let table = reader.catalog().table("t").unwrap().clone();
    let before = reader.get(&table, &key).unwrap().unwrap();
    let _low_memory = database.with_low_memory();
    super::resident::release(database.file()).unwrap();
    assert_eq!(before.key(), key);
    assert!(reader.get(&table, &key).unwrap().is_some());
}
