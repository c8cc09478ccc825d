//! The names of other nodes as numbers, and what replication keeps beside the data.
//!
//! A record that came without a history (by a full copy, or into a table that keeps none) tells its origin by its place
//! in the history: entry 0, which there is not, and the number of the node's name.

use crate::store::catalog::Table;
use crate::store::environment::meta_keys;
use crate::store::error::StoreError;
use crate::store::read::{Pairs, View};
use crate::store::record::{Place, Record};
use crate::store::write::WriteTxn;
use std::sync::Arc;

impl<'t> View<'t> {
    /// The node that made the change at a place: `Some(None)` for this one, `None` when nobody knows any more.
    pub(in crate::store) fn origin_at(
        &self,
        table: &Table,
        place: Place,
    ) -> Result<Option<Option<&'t str>>, StoreError> {
        match place {
            Place::NONE => Ok(None),
            Place { entry: 0, offset } => Ok(self.origin_name(offset)?.map(Some)),
            Place { entry, .. } => {
                Ok(self.entry(table, entry)?.map(|entry| entry.origin.map(|origin| origin.node)))
            }
        }
    }

    /// The node that made the last change of a record: `Some(None)` for this one, `None` when nobody knows any more.
    ///
    /// # Errors
    /// When the history is damaged.
    pub fn origin_of(
        &self,
        table: &Table,
        record: &Record<'_>,
    ) -> Result<Option<Option<&'t str>>, StoreError> {
        self.origin_at(table, record.last_change())
    }

    fn origin_name(&self, number: u32) -> Result<Option<&'t str>, StoreError> {
        let name = self.trees.meta.get(self.txn, &meta_keys::origin(number))?;
        Ok(name.and_then(|bytes| std::str::from_utf8(bytes).ok()))
    }

    /// What replication keeps under a name.
    ///
    /// # Errors
    /// When LMDB fails.
    pub fn replication_state(&self, name: &str) -> Result<Option<&'t [u8]>, StoreError> {
        Ok(self.trees.meta.get(self.txn, &meta_keys::replication(name))?)
    }

    /// All that replication keeps under names with a beginning, with the rest of the names.
    ///
    /// # Errors
    /// When LMDB fails.
    pub fn replication_states(&self, beginning: &str) -> Result<Vec<(String, &'t [u8])>, StoreError> {
        let prefix = meta_keys::replication(beginning);
        let pairs = Pairs::under(self.txn, &self.trees.meta, &prefix)?;
        pairs
            .map(|pair| {
                pair.map(|(key, value)| (String::from_utf8_lossy(&key[prefix.len()..]).into_owned(), value))
            })
            .collect()
    }
}

impl WriteTxn<'_> {
    /// The number of a node's name, given to it now when it is new.
    pub(super) fn origin_number(&mut self, name: &str) -> Result<u32, StoreError> {
        if let Some((_, number)) = self.origins.iter().find(|(known, _)| **known == *name) {
            return Ok(*number);
        }
        let meta = self.environment.trees.meta;
        let mut highest = 0;
        let mut found = None;
        for pair in Pairs::under(&self.txn, &meta, meta_keys::ORIGINS)? {
            let (key, value) = pair?;
            let number = meta_keys::number(key);
            highest = highest.max(number);
            if value == name.as_bytes() {
                found = Some(number);
            }
        }
        let number = match found {
            Some(number) => number,
            None => {
                let put = meta.put(&mut self.txn, &meta_keys::origin(highest + 1), name.as_bytes());
                self.noted(put)?;
                highest + 1
            }
        };
        self.origins.push((Arc::from(name), number));
        Ok(number)
    }

    /// What replication keeps under a name, as this transaction has made it.
    ///
    /// # Errors
    /// When LMDB fails.
    pub fn replication_state(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.records_view().replication_state(name)?.map(<[u8]>::to_vec))
    }

    /// Keeps something for replication under a name of at most 400 bytes, in the same commit as everything else;
    /// `None` removes it.
    ///
    /// # Errors
    /// When LMDB fails.
    pub fn set_replication_state(&mut self, name: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let (meta, key) = (self.environment.trees.meta, meta_keys::replication(name));
        self.changes += 1;
        let done = match value {
            Some(value) => meta.put(&mut self.txn, &key, value),
            None => meta.delete(&mut self.txn, &key).map(|_| ()),
        };
        self.noted(done)
    }
}
