//! Reading histories: by time, by number, by user, by primary key.

use super::{FORMAT, NO_TEXT, key, split_key, writer_key};
use crate::store::catalog::Table;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::ranges::next_prefix;
use crate::store::read::{Pairs, View};
use crate::store::record::{Place, Record};
use crate::value::{Value, compare};
use std::cmp::Ordering;
use std::ops::Bound;

impl<'t> View<'t> {
    /// The history entries of a table between two times in epoch milliseconds, oldest first or in reverse.
    pub fn history(
        &self,
        table: &Table,
        from: Bound<f64>,
        to: Bound<f64>,
        reverse: bool,
    ) -> Result<History<'t>, StoreError> {
        // Behind the time comes the entry's number: everything of one time lies between these two.
        let first = |time: f64| key(table.id, time, 0).to_vec();
        let beyond = |time: f64| [&key(table.id, time, u64::MAX)[..], &[0]].concat();
        let start = match from {
            Bound::Unbounded => table.id.to_be_bytes().to_vec(),
            Bound::Included(time) => first(time),
            Bound::Excluded(time) => beyond(time),
        };
        let end = match to {
            Bound::Unbounded => next_prefix(&table.id.to_be_bytes()),
            Bound::Included(time) => beyond(time),
            Bound::Excluded(time) => first(time),
        };
        Ok(History { pairs: Pairs::new(self.txn, &self.trees.history, &start, &end, reverse)? })
    }

    /// The entries of all tables whose numbers exceed `number`, in the order of their commits. Entries of tables that
    /// were dropped meanwhile are left out.
    pub fn history_after(
        &self,
        number: u64,
    ) -> Result<impl Iterator<Item = Result<HistoryRecord<'t>, StoreError>> + use<'t>, StoreError> {
        let view = *self;
        let start = number.saturating_add(1).to_be_bytes();
        let numbers = Pairs::new(self.txn, &self.trees.numbers, &start, &[0xff; 9], false)?;
        Ok(numbers.filter_map(move |pair| {
            pair.and_then(|(number, place)| view.entry_at(number, place)).transpose()
        }))
    }

    /// The entries of a table that a user made, oldest first.
    pub fn history_of_user(&self, table: &Table, user: &str) -> Result<Vec<HistoryRecord<'t>>, StoreError> {
        let mut found = Vec::new();
        let last = self.trees.meta.get(self.txn, &writer_key(table.id, user))?;
        let mut next =
            last.and_then(|bytes| bytes.first_chunk::<8>()).map_or(0, |bytes| u64::from_be_bytes(*bytes));
        while let Some(entry) = self.entry(table, next)? {
            if entry.user == Some(user) {
                found.push(entry);
            }
            next = entry.previous.min(next - 1);
        }
        found.reverse();
        Ok(in_order_of_time(found, |entry| entry))
    }

    /// The changes of one record, deleted or not, oldest first, each with its entry.
    pub fn history_of_record(
        &self,
        table: &Table,
        key: &Value,
    ) -> Result<Vec<(HistoryRecord<'t>, HistoryChange<'t>)>, StoreError> {
        let mut found = Vec::new();
        let Some(mut next) = self.last_change(table, key)? else { return Ok(found) };
        while let Some(entry) = self.entry(table, next.entry)? {
            let change = entry.change_at(next.offset)?;
            // Keys too long to be stored whole may share a chain.
            if compare(&change.key(), key) == Ordering::Equal {
                found.push((entry, change));
            }
            if change.previous >= next {
                break;
            }
            next = change.previous;
        }
        found.reverse();
        Ok(in_order_of_time(found, |(entry, _)| entry))
    }

    /// Where the last change of a record lies.
    fn last_change(&self, table: &Table, key: &Value) -> Result<Option<Place>, StoreError> {
        let mut stored = table.id.to_be_bytes().to_vec();
        if keys::append_key(&mut stored, key).is_none() {
            return Ok(None);
        }
        match self.trees.records.get(self.txn, &stored)? {
            Some(bytes) => Ok(Some(Record::new(bytes)?.last_change())),
            None => Ok(self.trees.tombstones.get(self.txn, &stored)?.and_then(Place::from_bytes)),
        }
    }

    /// The entry of a number, if there still is one and it is of this table.
    fn entry(&self, table: &Table, number: u64) -> Result<Option<HistoryRecord<'t>>, StoreError> {
        let number = number.to_be_bytes();
        let Some(place) = self.trees.numbers.get(self.txn, &number)? else { return Ok(None) };
        Ok(self.entry_at(&number, place)?.filter(|entry| entry.table == table.id))
    }

    fn entry_at(&self, number: &[u8], place: &[u8]) -> Result<Option<HistoryRecord<'t>>, StoreError> {
        let corrupt = || StoreError::Corrupt("a history entry's place cannot be read".to_owned());
        let number = number.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(corrupt)?;
        let (table, time) = place.split_first_chunk::<4>().ok_or_else(corrupt)?;
        let time = time.first_chunk::<8>().map(|bytes| f64::from_be_bytes(*bytes)).ok_or_else(corrupt)?;
        let key = key(u32::from_be_bytes(*table), time, number);
        match self.trees.history.get(self.txn, &key)? {
            Some(value) => HistoryRecord::new(&key, value).map(Some),
            None => Ok(None),
        }
    }
}

/// Entries that came from other nodes may be older than their numbers tell.
fn in_order_of_time<'t, T>(mut found: Vec<T>, entry: impl Fn(&T) -> &HistoryRecord<'t>) -> Vec<T> {
    found.sort_by(|a, b| entry(a).timestamp.total_cmp(&entry(b).timestamp));
    found
}

/// The entries of a table's history.
pub struct History<'t> {
    pairs: Pairs<'t>,
}

impl<'t> Iterator for History<'t> {
    type Item = Result<HistoryRecord<'t>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.pairs.next()?.and_then(|(key, value)| HistoryRecord::new(key, value)))
    }
}

/// One entry of a history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryRecord<'t> {
    /// When, in epoch milliseconds; equal to the time of update of the records written.
    pub timestamp: f64,
    /// The place among all entries of the database, in the order of their commits: each entry's number is higher than
    /// that of every one before. Numbers may be left out.
    pub number: u64,
    /// The id of the table.
    pub table: u32,
    /// The kind of change.
    pub operation: &'t str,
    /// Who made it.
    pub user: Option<&'t str>,
    /// The node it was made on; `None` for this one.
    pub origin: Option<&'t str>,
    /// The number of the user's entry before.
    previous: u64,
    count: u32,
    changes: &'t [u8],
}

impl<'t> HistoryRecord<'t> {
    pub(super) fn new(key: &[u8], value: &'t [u8]) -> Result<HistoryRecord<'t>, StoreError> {
        let entry = || {
            let (table, timestamp, number) = split_key(key)?;
            let rest = value.strip_prefix(&[FORMAT])?;
            let (operation, rest) = split_text(rest)?;
            let (user, rest) = split_text(rest)?;
            let (origin, rest) = split_text(rest)?;
            let (previous, rest) = rest.split_first_chunk::<8>()?;
            let (count, changes) = split_u32(rest)?;
            let (operation, previous) = (operation.unwrap_or_default(), u64::from_be_bytes(*previous));
            Some(HistoryRecord {
                timestamp,
                number,
                table,
                operation,
                user,
                origin,
                previous,
                count,
                changes,
            })
        };
        entry().ok_or_else(|| StoreError::Corrupt("a history entry cannot be read".to_owned()))
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
        (0..self.count).map(move |_| HistoryChange::take(&mut rest))
    }

    fn change_at(&self, offset: u32) -> Result<HistoryChange<'t>, StoreError> {
        let mut rest = self.changes.get(offset as usize..).unwrap_or_default();
        HistoryChange::take(&mut rest)
    }
}

/// What one change made of one record.
#[derive(Clone, Copy, Debug)]
pub struct HistoryChange<'t> {
    /// The record as it became; `None` when it was deleted.
    pub after: Option<Record<'t>>,
    /// The record as it was; `None` when it is new.
    pub before: Option<Record<'t>>,
    previous: Place,
}

impl<'t> HistoryChange<'t> {
    /// The primary key of the record.
    pub fn key(&self) -> Value {
        self.after.or(self.before).map_or(Value::Null, |record| record.key())
    }

    fn take(rest: &mut &'t [u8]) -> Result<HistoryChange<'t>, StoreError> {
        let corrupt = || StoreError::Corrupt("a history entry is too short".to_owned());
        let (previous, after) = rest.split_at_checked(Place::LENGTH).ok_or_else(corrupt)?;
        *rest = after;
        let previous = Place::from_bytes(previous).ok_or_else(corrupt)?;
        let after = take_record(rest)?;
        let before = take_record(rest)?;
        Ok(HistoryChange { after, before, previous })
    }
}

pub(super) fn take_record<'t>(rest: &mut &'t [u8]) -> Result<Option<Record<'t>>, StoreError> {
    let corrupt = || StoreError::Corrupt("a history entry is too short".to_owned());
    let (length, after) = split_u32(rest).ok_or_else(corrupt)?;
    let (record, after) = after.split_at_checked(length as usize).ok_or_else(corrupt)?;
    *rest = after;
    if record.is_empty() { Ok(None) } else { Record::new(record).map(Some) }
}

/// A text, or none, as [`super::append_text`] writes it.
pub(super) fn split_text(bytes: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    match u16::from_be_bytes(*length) {
        NO_TEXT => Some((None, rest)),
        length => {
            let (text, rest) = rest.split_at_checked(usize::from(length))?;
            Some((Some(std::str::from_utf8(text).ok()?), rest))
        }
    }
}

pub(super) fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk::<4>().map(|(number, rest)| (u32::from_be_bytes(*number), rest))
}
