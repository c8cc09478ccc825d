//! Removing old entries, a bounded piece at a time.

use super::read::HistoryRecord;
use super::{key, split_key};
use crate::store::catalog::Table;
use crate::store::environment::meta_keys;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::ranges::next_prefix;
use crate::store::read::Pairs;
use crate::store::record::Place;
use crate::store::write::WriteTxn;

/// How many bytes of entries one piece removes at most, the first entry apart.
const LARGEST_PIECE: usize = 8 << 20;

impl WriteTxn<'_> {
    /// Removes the entries of a table strictly before a time, up to `limit` of them and a bounded number of bytes;
    /// returns how many. None are left when it returns 0.
    pub fn delete_history_before(
        &mut self,
        table: &Table,
        timestamp: f64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let (start, end) = (table.id.to_be_bytes(), key(table.id, timestamp, 0));
        self.delete_history(&start, &end, limit)
    }

    /// Removes entries with keys between `start` and `end`, and with them what leads to them.
    pub(in crate::store) fn delete_history(
        &mut self,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<usize, StoreError> {
        let trees = self.environment.trees;
        let buried = !trees.tombstones.is_empty(&self.txn)?;
        let mut doomed: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        let (mut bytes, mut highest) = (0, 0);
        for pair in Pairs::new(&self.txn, &trees.history, start, end, false)?.take(limit) {
            let (key, value) = pair?;
            bytes += value.len();
            if bytes > LARGEST_PIECE && !doomed.is_empty() {
                break;
            }
            let entry = HistoryRecord::new(key, value)?;
            if entry.origin.is_none() {
                highest = entry.number.max(highest);
            }
            let tombstones = if buried { self.tombstones_of(&entry)? } else { Vec::new() };
            doomed.push((key.to_vec(), tombstones));
        }
        if highest > self.records_view().history_purged()? {
            let put = trees.meta.put(&mut self.txn, meta_keys::PURGED, &highest.to_be_bytes());
            self.noted(put)?;
        }
        for (key, tombstones) in &doomed {
            for tombstone in tombstones {
                let deleted = trees.tombstones.delete(&mut self.txn, tombstone);
                self.noted(deleted)?;
            }
            if let Some((_, _, number)) = split_key(key) {
                let deleted = trees.numbers.delete(&mut self.txn, &number.to_be_bytes());
                self.noted(deleted)?;
            }
            let deleted = trees.history.delete(&mut self.txn, key);
            self.noted(deleted)?;
            self.changes += 1;
        }
        Ok(doomed.len())
    }

    /// The tombstones of records whose last change is in this entry.
    fn tombstones_of(&self, entry: &HistoryRecord<'_>) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut found = Vec::new();
        for change in entry.changes() {
            let mut stored = entry.table.to_be_bytes().to_vec();
            if keys::append_key(&mut stored, &change?.key()).is_none() {
                continue;
            }
            let tombstone = self.environment.trees.tombstones.get(&self.txn, &stored)?;
            if tombstone.and_then(Place::from_bytes).is_some_and(|place| place.entry == entry.number) {
                found.push(stored);
            }
        }
        Ok(found)
    }

    /// Removes a step's worth of entries before a time from the histories of all tables; returns how many.
    pub(in crate::store) fn delete_old_history(
        &mut self,
        before: f64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let tables: Vec<_> = self.catalog.tables().cloned().collect();
        for table in tables {
            let deleted = self.delete_history_before(&table, before, limit)?;
            if deleted > 0 {
                return Ok(deleted);
            }
        }
        Ok(0)
    }

    /// Removes up to `limit` keys of a dropped table's history; returns how many.
    pub(in crate::store) fn purge_history(&mut self, table: u32, limit: usize) -> Result<usize, StoreError> {
        let trees = self.environment.trees;
        let start = table.to_be_bytes();
        let mut done = self.delete_history(&start, &next_prefix(&start), limit)?;
        done += self.delete_some(&trees.tombstones, false, &start, limit.saturating_sub(done))?;
        done +=
            self.delete_some(&trees.meta, false, &meta_keys::writers(table), limit.saturating_sub(done))?;
        Ok(done)
    }
}
