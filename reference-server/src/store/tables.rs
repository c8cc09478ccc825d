//! Changing tables: creation, drop, attributes.

use super::catalog::{AttributeId, NewAttribute, Table, TableSpec};
use super::changes::Tree;
use super::environment::meta_keys;
use super::error::StoreError;
use super::index;
use super::ranges::{KeyRange, next_prefix};
use super::read::Pairs;
use super::record::{PRIMARY_KEY, Record};
use super::write::{MOST_PENDING, WriteTxn};
use std::sync::Arc;

impl WriteTxn<'_> {
    /// Creates a table.
    pub fn create_table(&mut self, spec: TableSpec) -> Result<Arc<Table>, StoreError> {
        if self.catalog.table(&spec.name).is_some() {
            return Err(StoreError::AlreadyExists(format!("table {}", spec.name)));
        }
        let meta = self.environment.trees.meta;
        let next = meta.get(&self.txn, meta_keys::NEXT_TABLE)?;
        let id =
            next.and_then(|bytes| bytes.first_chunk::<4>()).map_or(1, |bytes| u32::from_be_bytes(*bytes));
        let put = meta.put(&mut self.txn, meta_keys::NEXT_TABLE, &(id + 1).to_be_bytes());
        self.noted(put)?;
        let table = Arc::new(Table::new(id, spec));
        self.set_table(table.clone());
        Ok(table)
    }

    /// Drops a table; tells whether there was one. Its keys go later, in the background.
    pub fn drop_table(&mut self, name: &str) -> Result<bool, StoreError> {
        let Some(table) = self.catalog.table(name).cloned() else { return Ok(false) };
        let meta = self.environment.trees.meta;
        let put = meta.put(&mut self.txn, &meta_keys::dropped(table.id), &[]);
        self.noted(put)?;
        self.unset_table(&table);
        self.dropped_tables.push(table.id);
        Ok(true)
    }

    /// Declares attributes; names that are declared already stay as they are. An indexed attribute whose values are
    /// already in records is indexed now.
    pub fn add_attributes(
        &mut self,
        table: &Arc<Table>,
        attributes: Vec<NewAttribute>,
    ) -> Result<Arc<Table>, StoreError> {
        let mut changed = Table::clone(&*self.current(table)?);
        let mut declared = false;
        let mut to_index = Vec::new();
        for attribute in attributes {
            let met_before = changed.attribute_id(&attribute.name).is_some();
            if let Some(id) = changed.declare(attribute) {
                declared = true;
                if met_before && changed.is_indexed(id) {
                    to_index.push(id);
                }
            }
        }
        let changed = Arc::new(changed);
        if declared {
            self.set_table(changed.clone());
        }
        if !to_index.is_empty() {
            self.index_stored_values(&changed, &to_index)?;
        }
        Ok(changed)
    }

    /// Takes an attribute away, with its index, and with its values in all records when `remove_values`. The primary
    /// key stays whatever is asked.
    pub fn drop_attribute(
        &mut self,
        table: &Arc<Table>,
        name: &str,
        remove_values: bool,
    ) -> Result<Arc<Table>, StoreError> {
        let table = self.current(table)?;
        let Some(id) = table.attribute_id(name).filter(|id| *id != PRIMARY_KEY) else { return Ok(table) };
        self.write_pending()?;
        if table.is_indexed(id) {
            let prefix = index::prefix(table.id, id);
            let end = next_prefix(&prefix);
            let deleted = self.environment.trees.index.delete_range(&mut self.txn, &prefix, &end);
            self.noted(deleted)?;
        }
        let mut changed = Table::clone(&table);
        changed.forget(id);
        let changed = Arc::new(changed);
        self.set_table(changed.clone());
        if remove_values {
            self.remove_values(&changed, id)?;
        }
        Ok(changed)
    }

    /// Changes whether a history is kept and when records vanish.
    pub fn set_table_options(
        &mut self,
        table: &Arc<Table>,
        audit: bool,
        expiration: Option<f64>,
    ) -> Result<Arc<Table>, StoreError> {
        let mut changed = Table::clone(&*self.current(table)?);
        changed.audit = audit;
        changed.expiration = expiration;
        let changed = Arc::new(changed);
        self.set_table(changed.clone());
        Ok(changed)
    }

    /// Keeps a history of a table for other nodes from now on, or no longer.
    pub fn set_logged(&mut self, table: &Arc<Table>, logged: bool) -> Result<Arc<Table>, StoreError> {
        let table = self.current(table)?;
        if table.logged == logged {
            return Ok(table);
        }
        let mut changed = Table::clone(&table);
        changed.logged = logged;
        let changed = Arc::new(changed);
        self.set_table(changed.clone());
        Ok(changed)
    }

    fn index_stored_values(&mut self, table: &Table, attributes: &[AttributeId]) -> Result<(), StoreError> {
        let (mut from, end) = KeyRange::all().under(&table.id.to_be_bytes());
        loop {
            // A piece at a time: entries cannot be written while the records are walked.
            let mut last = None;
            let pairs = Pairs::new(&self.txn, &self.environment.trees.records, &from, &end, false)?;
            for pair in pairs {
                let (stored, bytes) = pair?;
                let record = Record::new(bytes)?;
                let key = self.pending.record(&stored[4..]);
                for id in attributes {
                    if let Some(value) = record.attribute(*id) {
                        self.pending.add_stored(index::prefix(table.id, *id), value, key);
                    }
                }
                if self.pending.size() > MOST_PENDING {
                    last = Some(stored.to_vec());
                    break;
                }
            }
            self.write_pending()?;
            match last {
                Some(last) => from = [&last[..], &[0]].concat(),
                None => return Ok(()),
            }
        }
    }

    /// Writes every record that has a value of an attribute again, without it. Times and history stay as they are.
    fn remove_values(&mut self, table: &Table, attribute: AttributeId) -> Result<(), StoreError> {
        let records = self.environment.trees.records;
        let (mut from, end) = KeyRange::all().under(&table.id.to_be_bytes());
        loop {
            // A piece at a time: the records cannot be changed while they are walked.
            let mut rewritten: Vec<(Vec<u8>, Vec<u8>, usize)> = Vec::new();
            let mut last = None;
            for pair in Pairs::new(&self.txn, &records, &from, &end, false)?.take(1000) {
                let (stored, bytes) = pair?;
                let record = Record::new(bytes)?;
                if record.attribute(attribute).is_some() {
                    rewritten.push((stored.to_vec(), record.without(attribute), bytes.len()));
                }
                last = Some(stored.to_vec());
            }
            for (stored, bytes, before) in rewritten {
                self.resize_table(table.id, Some(before), Some(bytes.len()))?;
                let put = records.put(&mut self.txn, &stored, &bytes);
                self.noted(put)?;
            }
            match last {
                Some(last) => from = [&last[..], &[0]].concat(),
                None => return Ok(()),
            }
        }
    }

    /// Removes up to `limit` keys of a dropped table; true when none are left.
    pub(super) fn purge_table(&mut self, id: u32, limit: usize) -> Result<bool, StoreError> {
        self.changes += 1;
        let trees = self.environment.trees;
        let mut left = limit;
        for (tree, has_duplicates) in [(trees.records, false), (trees.index, true)] {
            left -= self.delete_some(&tree, has_duplicates, &id.to_be_bytes(), left)?;
            if left == 0 {
                return Ok(false);
            }
        }
        if self.purge_history(id, left)? > 0 {
            return Ok(false);
        }
        for key in [meta_keys::size(id), meta_keys::dropped(id)] {
            let deleted = trees.meta.delete(&mut self.txn, &key);
            self.noted(deleted)?;
        }
        Ok(true)
    }

    /// Removes up to `limit` expired records of all tables; returns how many there were.
    pub fn sweep_expired(&mut self, limit: usize) -> Result<usize, StoreError> {
        let mut swept = 0;
        for table in self.catalog.clone().tables() {
            let view = self.view()?;
            let keys: Vec<Vec<u8>> = view
                .expired(table)?
                .take(limit - swept)
                .map(|key| key.map(|key| [&table.id.to_be_bytes(), key].concat()))
                .collect::<Result<_, _>>()?;
            for key in &keys {
                self.remove(table, key, None, false)?;
            }
            swept += keys.len();
            if swept >= limit {
                break;
            }
        }
        Ok(swept)
    }

    /// Deletes up to `limit` pairs whose keys begin with `prefix`; returns how many.
    pub(super) fn delete_some(
        &mut self,
        tree: &Tree,
        has_duplicates: bool,
        prefix: &[u8],
        limit: usize,
    ) -> Result<usize, StoreError> {
        let doomed: Vec<(Vec<u8>, Vec<u8>)> = Pairs::under(&self.txn, tree, prefix)?
            .take(limit)
            .map(|pair| {
                pair.map(|(key, value)| {
                    (key.to_vec(), if has_duplicates { value.to_vec() } else { Vec::new() })
                })
            })
            .collect::<Result<_, _>>()?;
        for (key, value) in &doomed {
            let deleted = match has_duplicates {
                true => tree.delete_one_duplicate(&mut self.txn, key, value),
                false => tree.delete(&mut self.txn, key),
            };
            self.noted(deleted)?;
        }
        Ok(doomed.len())
    }
}
