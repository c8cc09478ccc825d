//! The sizes of tables and the figures of the storage engine.

use super::{count, text};
use crate::store::{Database, SYSTEM_DATABASE, Store, StoreError, TreeStatistics};
use crate::value::{Object, Value, object};
use std::sync::Arc;

fn of_users(store: &Store) -> impl Iterator<Item = Arc<Database>> {
    store.databases().into_iter().filter(|database| database.name() != SYSTEM_DATABASE)
}

/// Every table of the users' databases with its size and number of records. The histories of a database's tables are
/// one; each table with a history shows it.
pub(super) fn table_size(store: &Store) -> Value {
    let mut sizes = Vec::new();
    for database in of_users(store) {
        // One that is dropped meanwhile is left out.
        let _ = tables_of(&database, &mut sizes);
    }
    Value::Array(sizes)
}

fn tables_of(database: &Database, sizes: &mut Vec<Value>) -> Result<(), StoreError> {
    let statistics = database.statistics()?;
    let history_size = database.history_size();
    let reader = database.read()?;
    for table in reader.catalog().clone().tables() {
        let (history, entries) =
            if table.audit { (history_size, statistics.history.entries) } else { (0, 0) };
        sizes.push(object([
            ("schema", text(database.name())),
            ("table", text(table.name.as_str())),
            ("table_size", count(reader.view().table_size(table)?)),
            ("record_count", count(reader.count(table)?)),
            ("transaction_log_size", count(history)),
            ("transaction_log_record_count", count(entries as u64)),
        ]));
    }
    Ok(())
}

/// The figures of every user's database.
pub(super) fn metrics(store: &Store) -> Value {
    let figures = of_users(store)
        .filter_map(|database| Some((database.name().to_owned(), of_database(&database).ok()?)));
    Value::Object(figures.collect())
}

fn of_database(database: &Database) -> Result<Value, StoreError> {
    let statistics = database.statistics()?;
    let reader = database.read()?;
    let mut tables = Object::new();
    for table in reader.catalog().clone().tables() {
        // The tables of a database share a tree: its pages are the database's.
        let figures = object([
            ("treeDepth", count(statistics.records.depth)),
            ("treeBranchPageCount", count(0_u64)),
            (
                "treeLeafPageCount",
                count(reader.view().table_size(table)? / u64::from(statistics.records.page_size.max(1))),
            ),
            ("entryCount", count(reader.count(table)?)),
            ("overflowPages", count(0_u64)),
        ]);
        tables.insert(table.name.clone(), figures);
    }
    let mut figures = Object::new();
    figures.insert("tables".to_owned(), Value::Object(tables));
    figures.extend(of_tree(&statistics.records));
    for (name, value) in [
        ("mapSize", count(statistics.map_size as u64)),
        ("lastPageNumber", count(statistics.last_page as u64)),
        ("lastTxnId", count(statistics.last_transaction as u64)),
        ("maxReaders", count(statistics.max_readers)),
        ("numReaders", count(statistics.readers)),
        ("audit", Value::Object(of_tree(&statistics.history))),
    ] {
        figures.insert(name.to_owned(), value);
    }
    Ok(Value::Object(figures))
}

fn of_tree(tree: &TreeStatistics) -> Object {
    [
        ("pageSize", count(tree.page_size)),
        ("treeDepth", count(tree.depth)),
        ("treeBranchPageCount", count(tree.branch_pages as u64)),
        ("treeLeafPageCount", count(tree.leaf_pages as u64)),
        ("entryCount", count(tree.entries as u64)),
        ("overflowPages", count(tree.overflow_pages as u64)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
