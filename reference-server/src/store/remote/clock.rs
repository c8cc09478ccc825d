//! Times that other nodes bring, and how those given here keep ahead of them.

use crate::store::catalog::Table;
use crate::store::environment::{meta_keys, now};
use crate::store::error::StoreError;
use crate::store::record::{Place, Record};
use crate::store::write::WriteTxn;
use crate::store::writer::FARTHEST_AHEAD;

impl WriteTxn<'_> {
    /// Takes note of the time of another node's change: times given here from now on exceed it, unless it is so far
    /// ahead that the other clock must be wrong.
    pub fn note_time(&mut self, time: f64) {
        self.seen = self.seen.max(time.min(now() + FARTHEST_AHEAD));
        if time >= self.timestamp() {
            self.farthest = self.farthest.max(time);
        }
    }

    /// Makes sure that the time of this request exceeds that of a record about to be written. It does unless another
    /// node's clock is far ahead: then the request is run again with a time of its own.
    pub(in crate::store) fn not_behind(&mut self, table: &Table, key: &[u8]) -> Result<(), StoreError> {
        if self.timestamp() > self.farthest {
            return Ok(());
        }
        let trees = &self.environment.trees;
        let time = match trees.records.get(&self.txn, key)? {
            Some(bytes) => Some((Record::new(bytes)?.updated(), Record::new(bytes)?.last_change())),
            None => match trees.tombstones.get(&self.txn, key)?.and_then(Place::from_bytes) {
                Some(place) => {
                    let link = self.records_view().link(table, place)?;
                    link.map(|link| (link.entry.timestamp, place))
                }
                None => None,
            },
        };
        match time {
            // Its own change of a moment ago is no hindrance.
            Some((time, place))
                if time > self.timestamp()
                    || (time == self.timestamp() && !self.ledger.is_collecting(table.id, place)) =>
            {
                self.behind = Some(self.behind.unwrap_or(0.0).max(time));
                Err(StoreError::Behind)
            }
            _ => Ok(()),
        }
    }

    /// Stores the latest time that other nodes brought; part of the commit.
    pub(in crate::store) fn write_farthest(&mut self) -> Result<(), StoreError> {
        if self.farthest <= self.environment.farthest() {
            return Ok(());
        }
        let bytes = self.farthest.to_be_bytes();
        let put = self.environment.trees.meta.put(&mut self.txn, meta_keys::FARTHEST, &bytes);
        self.noted(put)
    }
}
