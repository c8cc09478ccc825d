//! Copies of a database.

use super::catalog::Table;
use super::changes::{Tree, Writing};
use super::database::Database;
use super::environment::{Environment, StoreOptions, Trees, meta_keys};
use super::error::StoreError;
use super::history;
use super::read::Pairs;
use heed::{AnyTls, PutFlags, RoTxn};
use std::fs::File;
use std::io;
use std::sync::Arc;

impl Database {
    /// Writes a consistent copy of the database as it is now, an LMDB file, into `to`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn backup(&self, to: &mut File) -> Result<(), StoreError> {
        self.environment.copy(to)
    }

    /// Writes a consistent copy of some tables, with or without their histories, into `to`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a table that does not exist; otherwise when the file cannot be written.
    pub fn backup_tables(
        &self,
        tables: &[String],
        with_history: bool,
        to: &mut File,
    ) -> Result<(), StoreError> {
        let reading = self.environment.read()?;
        let tables: Vec<&Arc<Table>> = tables
            .iter()
            .map(|name| {
                reading.catalog.table(name).ok_or_else(|| StoreError::NotFound(format!("table {name}")))
            })
            .collect::<Result<_, _>>()?;
        let folder = self.environment.path().parent().unwrap_or(std::path::Path::new("."));
        let folder = tempfile::Builder::new().prefix(".backup-").tempdir_in(folder)?;
        let options = StoreOptions { no_sync: true, ..StoreOptions::default() };
        let copy = Environment::open(&folder.path().join("part"), self.name(), &options)?;
        while let Err(error) =
            copy_tables(&reading.txn, &self.environment.trees, &copy, &tables, with_history)
        {
            if !error.is_map_full() {
                return Err(error);
            }
            copy.grow()?;
        }
        copy.sync()?;
        io::copy(&mut File::open(copy.path())?, to)?;
        Ok(())
    }
}

fn copy_tables(
    from: &RoTxn<'_, AnyTls>,
    trees: &Trees,
    copy: &Environment,
    tables: &[&Arc<Table>],
    with_history: bool,
) -> Result<(), StoreError> {
    let mut txn = copy.write()?;
    // Ascending ids, so that every key goes to the end of its tree.
    let mut tables = tables.to_vec();
    tables.sort_by_key(|table| table.id);
    tables.dedup_by_key(|table| table.id);
    for table in &tables {
        let prefix = table.id.to_be_bytes();
        copy_pairs(from, &trees.records, &mut txn, &copy.trees.records, &prefix, PutFlags::APPEND)?;
        copy_pairs(from, &trees.index, &mut txn, &copy.trees.index, &prefix, PutFlags::APPEND_DUP)?;
        if with_history {
            copy_history(from, trees, &mut txn, &copy.trees, table.id)?;
        }
        copy.trees.meta.put(&mut txn, &meta_keys::table(table.id), &table.to_json()?)?;
        if let Some(size) = trees.meta.get(from, &meta_keys::size(table.id))? {
            copy.trees.meta.put(&mut txn, &meta_keys::size(table.id), size)?;
        }
    }
    // Numbers are never given again, so that places in the history that was left out lead nowhere.
    for key in [meta_keys::NEXT_TABLE, meta_keys::HISTORY] {
        if let Some(next) = trees.meta.get(from, key)? {
            copy.trees.meta.put(&mut txn, key, next)?;
        }
    }
    Ok(txn.commit()?)
}

fn copy_history(
    from: &RoTxn<'_, AnyTls>,
    source: &Trees,
    txn: &mut Writing<'_>,
    target: &Trees,
    table: u32,
) -> Result<(), StoreError> {
    let prefix = table.to_be_bytes();
    for pair in Pairs::under(from, &source.history, &prefix)? {
        let (key, value) = pair?;
        target.history.put_with_flags(txn, PutFlags::APPEND, key, value)?;
        if let Some((number, place)) = history::number_pair(key) {
            target.numbers.put(txn, &number, &place)?;
        }
    }
    copy_pairs(from, &source.tombstones, txn, &target.tombstones, &prefix, PutFlags::APPEND)?;
    copy_pairs(from, &source.meta, txn, &target.meta, &meta_keys::writers(table), PutFlags::empty())
}

fn copy_pairs(
    from: &RoTxn<'_, AnyTls>,
    source: &Tree,
    txn: &mut Writing<'_>,
    target: &Tree,
    prefix: &[u8],
    flags: PutFlags,
) -> Result<(), StoreError> {
    for pair in Pairs::under(from, source, prefix)? {
        let (key, value) = pair?;
        target.put_with_flags(txn, flags, key, value)?;
    }
    Ok(())
}
