//! The history of a table: one entry per request, with the records as they became and as they were.
//!
//! An entry's key is the table's id, the time and a number; its value is
//!
//! ```text
//! format u8 | operation (u16 length, text) | user (u16 length or ffff for none, text) | n u32 |
//! n × (length u32, record after; length u32, record before)
//! ```
//!
//! with lengths of 0 where there is no record after (a deletion) or before (a creation).

use super::catalog::Table;
use super::error::StoreError;
use super::keys;
use super::ranges::next_prefix;
use super::read::{Pairs, View};
use super::record::Record;
use super::write::WriteTxn;
use crate::value::Value;
use std::ops::Bound;
use std::sync::Arc;

const FORMAT: u8 = 1;
const NO_USER: u16 = u16::MAX;

/// What a request says of its changes; the records come from the writes themselves.
#[derive(Clone, Debug, Default)]
pub struct HistoryEntry {
    /// The kind of change: `insert`, `update`, `upsert`, `delete`.
    pub operation: String,
    /// Who made it.
    pub user: Option<String>,
}

impl HistoryEntry {
    /// An entry for one kind of change by one user.
    pub fn new(operation: impl Into<String>, user: Option<&str>) -> HistoryEntry {
        HistoryEntry { operation: operation.into(), user: user.map(str::to_owned) }
    }
}

/// The changes of one request to one table, until the request logs them.
#[derive(Default)]
pub(super) struct Collected {
    table: u32,
    count: u32,
    bytes: Vec<u8>,
}

impl Collected {
    pub(super) fn of(all: &mut Vec<Collected>, table: u32) -> &mut Collected {
        let at = match all.iter().position(|collected| collected.table == table) {
            Some(at) => at,
            None => {
                all.push(Collected { table, ..Collected::default() });
                all.len() - 1
            }
        };
        &mut all[at]
    }

    pub(super) fn push(&mut self, after: Option<&[u8]>, before: Option<&[u8]>) {
        for record in [after, before] {
            let record = record.unwrap_or_default();
            self.bytes.extend_from_slice(&(record.len() as u32).to_be_bytes());
            self.bytes.extend_from_slice(record);
        }
        self.count += 1;
    }
}

impl WriteTxn<'_> {
    /// Logs what this request has changed in a table since it began or last logged, as one entry with this request's
    /// time. Nothing happens when the table keeps no history or nothing was changed.
    pub fn log_history(&mut self, table: &Table, entry: HistoryEntry) -> Result<(), StoreError> {
        let Some(at) = self.collected.iter().position(|collected| collected.table == table.id) else {
            return Ok(());
        };
        let collected = self.collected.swap_remove(at);
        let mut value = Vec::with_capacity(collected.bytes.len() + 64);
        value.push(FORMAT);
        let operation = within(&entry.operation);
        value.extend_from_slice(&(operation.len() as u16).to_be_bytes());
        value.extend_from_slice(operation.as_bytes());
        match entry.user.as_deref().map(within) {
            Some(user) => {
                value.extend_from_slice(&(user.len() as u16).to_be_bytes());
                value.extend_from_slice(user.as_bytes());
            }
            None => value.extend_from_slice(&NO_USER.to_be_bytes()),
        }
        value.extend_from_slice(&collected.count.to_be_bytes());
        value.extend_from_slice(&collected.bytes);
        let tree = self.environment.trees.history;
        let mut key = table.id.to_be_bytes().to_vec();
        keys::append_number(&mut key, self.timestamp());
        key.extend_from_slice(&[0; 4]);
        let number_at = key.len() - 4;
        // Times are unique while the server runs, but a clock may have been set back between two runs.
        for number in 0..u32::MAX {
            key[number_at..].copy_from_slice(&number.to_be_bytes());
            if tree.get(&self.txn, &key)?.is_none() {
                break;
            }
        }
        self.changes += 1;
        let put = tree.put(&mut self.txn, &key, &value);
        self.noted(put)
    }

    /// Removes the entries of a table strictly before a time, up to `limit` of them; returns how many.
    pub fn delete_history_before(
        &mut self,
        table: &Table,
        timestamp: f64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let tree = self.environment.trees.history;
        let start = table.id.to_be_bytes().to_vec();
        let mut end = start.clone();
        keys::append_number(&mut end, timestamp);
        let keys: Vec<Vec<u8>> = Pairs::new(&self.txn, &tree, &start, &end, false)?
            .take(limit)
            .map(|pair| pair.map(|(key, _)| key.to_vec()))
            .collect::<Result<_, _>>()?;
        for key in &keys {
            let deleted = tree.delete(&mut self.txn, key);
            self.noted(deleted)?;
            self.changes += 1;
        }
        Ok(keys.len())
    }
}

/// At most as much of a text as its length field can tell.
fn within(text: &str) -> &str {
    let mut end = text.len().min(usize::from(NO_USER) - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl<'t> View<'t> {
    /// The history entries of a table between two times in epoch milliseconds, oldest first or in reverse.
    pub fn history(
        &self,
        table: &Arc<Table>,
        from: Bound<f64>,
        to: Bound<f64>,
        reverse: bool,
    ) -> Result<History<'t>, StoreError> {
        // Behind the time comes the entry's number: everything of one time lies between these two.
        let form = |time: f64| {
            let mut first = table.id.to_be_bytes().to_vec();
            keys::append_number(&mut first, time);
            let beyond = [&first[..], &[0xff; 5]].concat();
            (first, beyond)
        };
        let start = match from {
            Bound::Unbounded => table.id.to_be_bytes().to_vec(),
            Bound::Included(time) => form(time).0,
            Bound::Excluded(time) => form(time).1,
        };
        let end = match to {
            Bound::Unbounded => next_prefix(&table.id.to_be_bytes()),
            Bound::Included(time) => form(time).1,
            Bound::Excluded(time) => form(time).0,
        };
        Ok(History { pairs: Pairs::new(self.txn, &self.trees.history, &start, &end, reverse)? })
    }
}

/// The entries of a table's history.
pub struct History<'t> {
    pairs: Pairs<'t>,
}

impl<'t> Iterator for History<'t> {
    type Item = Result<HistoryRecord<'t>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.pairs.next()?.and_then(|(key, value)| {
            HistoryRecord::new(key, value)
                .ok_or_else(|| StoreError::Corrupt("a history entry cannot be read".to_owned()))
        }))
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryRecord<'t> {
    /// When, in epoch milliseconds; equal to the time of update of the records written.
    pub timestamp: f64,
    /// The kind of change.
    pub operation: &'t str,
    /// Who made it.
    pub user: Option<&'t str>,
    count: u32,
    changes: &'t [u8],
}

impl<'t> HistoryRecord<'t> {
    fn new(key: &'t [u8], value: &'t [u8]) -> Option<HistoryRecord<'t>> {
        let timestamp = keys::decode(key.get(4..key.len().checked_sub(4)?)?)?.as_number()?;
        let rest = value.strip_prefix(&[FORMAT])?;
        let (length, rest) = split_u16(rest)?;
        let (operation, rest) = rest.split_at_checked(usize::from(length))?;
        let (length, rest) = split_u16(rest)?;
        let (user, rest) = match length {
            NO_USER => (None, rest),
            length => {
                let (user, rest) = rest.split_at_checked(usize::from(length))?;
                (Some(std::str::from_utf8(user).ok()?), rest)
            }
        };
        let (count, changes) = split_u32(rest)?;
        let operation = std::str::from_utf8(operation).ok()?;
        Some(HistoryRecord { timestamp, operation, user, count, changes })
    }

    /// How many records were changed.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// True when no record was changed, which is never logged.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The changes in the order they were made.
    pub fn changes(&self) -> impl Iterator<Item = Result<HistoryChange<'t>, StoreError>> + use<'t> {
        let mut rest = self.changes;
        (0..self.count).map(move |_| {
            let after = take_record(&mut rest)?;
            let before = take_record(&mut rest)?;
            Ok(HistoryChange { after, before })
        })
    }
}

/// What one change made of one record.
#[derive(Clone, Copy, Debug)]
pub struct HistoryChange<'t> {
    /// The record as it became; `None` when it was deleted.
    pub after: Option<Record<'t>>,
    /// The record as it was; `None` when it is new.
    pub before: Option<Record<'t>>,
}

impl HistoryChange<'_> {
    /// The primary key of the record.
    pub fn key(&self) -> Value {
        self.after.or(self.before).map_or(Value::Null, |record| record.key())
    }
}

fn take_record<'t>(rest: &mut &'t [u8]) -> Result<Option<Record<'t>>, StoreError> {
    let corrupt = || StoreError::Corrupt("a history entry is too short".to_owned());
    let (length, after) = split_u32(rest).ok_or_else(corrupt)?;
    let (record, after) = after.split_at_checked(length as usize).ok_or_else(corrupt)?;
    *rest = after;
    if record.is_empty() { Ok(None) } else { Record::new(record).map(Some) }
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    bytes.split_first_chunk::<2>().map(|(number, rest)| (u16::from_be_bytes(*number), rest))
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk::<4>().map(|(number, rest)| (u32::from_be_bytes(*number), rest))
}
