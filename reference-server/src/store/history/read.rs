//! Reading histories: by time, by number, by user, by primary key.

use super::{
    BARE, FORMAT, LENGTH, NO_TEXT, Origin, PATCH, PLAIN_FORMAT, STUB, key, patch_id, split_key, writer_key,
};
use crate::store::catalog::{AttributeId, Table};
use crate::store::environment::meta_keys;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::ranges::next_prefix;
use crate::store::read::{Pairs, View};
use crate::store::record::{Place, RawValue, Record};
use crate::store::remote::increment;
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
        let Some(last) = self.last_change(table, key)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for link in self.chain(table, last) {
            let link = link?;
            // Keys too long to be stored whole may share a chain.
            if compare(&link.change.key(), key) == Ordering::Equal {
                found.push((link.entry, link.change));
            }
        }
        found.reverse();
        Ok(found)
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

    /// The highest number of an entry of this node that was removed; 0 for none.
    pub fn history_purged(&self) -> Result<u64, StoreError> {
        let stored = self.trees.meta.get(self.txn, meta_keys::PURGED)?;
        Ok(stored.and_then(|bytes| bytes.first_chunk::<8>()).map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }

    /// The number of the last entry; 0 for none.
    pub fn last_history_number(&self) -> Result<u64, StoreError> {
        Ok(super::last_state(self.txn, &self.trees)?.0 - 1)
    }

    /// The entry of a number, if there still is one and it is of this table.
    pub(in crate::store) fn entry(
        &self,
        table: &Table,
        number: u64,
    ) -> Result<Option<HistoryRecord<'t>>, StoreError> {
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
    /// Where it was made; `None` for this node.
    pub origin: Option<Origin<'t>>,
    /// The number of the user's entry before.
    previous: u64,
    count: u32,
    changes: &'t [u8],
}

impl<'t> HistoryRecord<'t> {
    pub(super) fn new(key: &[u8], value: &'t [u8]) -> Result<HistoryRecord<'t>, StoreError> {
        let entry = || {
            let (table, timestamp, number) = split_key(key)?;
            let (format, rest) = value.split_first()?;
            let (operation, rest) = split_text(rest)?;
            let (user, rest) = split_text(rest)?;
            let (node, rest) = split_text(rest)?;
            let (origin, rest) = match (*format, node) {
                (FORMAT | PLAIN_FORMAT, None) => (None, rest),
                (FORMAT, Some(node)) => {
                    let (epoch, rest) = split_text(rest)?;
                    let (number, rest) = rest.split_first_chunk::<8>()?;
                    let (before, rest) = rest.split_first_chunk::<8>()?;
                    let (number, previous) = (u64::from_be_bytes(*number), u64::from_be_bytes(*before));
                    let epoch = epoch.unwrap_or_default();
                    (Some(Origin { node, epoch, number, previous }), rest)
                }
                _ => return None,
            };
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

    /// The bytes behind the head, where the changes are.
    pub(super) fn changes_length(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn change_at(&self, offset: u32) -> Result<HistoryChange<'t>, StoreError> {
        let mut rest = self.changes.get(offset as usize..).unwrap_or_default();
        HistoryChange::take(&mut rest)
    }
}

/// What one change made of one record.
#[derive(Clone, Copy, Debug)]
pub struct HistoryChange<'t> {
    /// The record as it became, or what was written of it when that came late; `None` when it was deleted.
    pub after: Option<Record<'t>>,
    /// The record as it was; `None` when it is new, or the change came late.
    pub before: Option<Record<'t>>,
    /// What was deleted without having been seen: a record of the primary key alone.
    stub: Option<Record<'t>>,
    flags: u32,
    written: &'t [[u8; 4]],
    pub(super) previous: Place,
}

impl<'t> HistoryChange<'t> {
    /// The primary key of the record.
    pub fn key(&self) -> Value {
        self.after.or(self.before).or(self.stub).map_or(Value::Null, |record| record.key())
    }

    /// True when it wrote some attributes and kept the others.
    pub fn is_patch(&self) -> bool {
        self.flags & PATCH != 0
    }

    /// True when [`HistoryChange::after`] holds nothing but what was written.
    pub fn is_bare(&self) -> bool {
        self.flags & BARE != 0
    }

    /// True of a deletion that does not tell what it took away.
    pub(in crate::store) fn is_stub(&self) -> bool {
        self.flags & STUB != 0
    }

    /// What was written: the whole record, or the attributes of a patch. Nothing of a deletion.
    pub fn written(&self) -> impl Iterator<Item = (AttributeId, Value)> + use<'t> {
        let change = *self;
        let all = change.after.into_iter().flat_map(|record| record.attributes());
        let whole = !change.is_patch() || change.is_bare();
        all.filter_map(move |(id, value)| {
            if whole || change.written.contains(&id.0.to_be_bytes()) {
                return Some((id, value.decode()));
            }
            let is_increment = change.written.contains(&patch_id(id, true).0.to_be_bytes());
            is_increment.then(|| {
                let number = |value: Option<RawValue<'_>>| value.and_then(|value| value.decode().as_number());
                let before = number(change.before.and_then(|before| before.attribute(id))).unwrap_or(0.0);
                (id, increment(number(Some(value)).unwrap_or(0.0) - before))
            })
        })
    }

    fn take(rest: &mut &'t [u8]) -> Result<HistoryChange<'t>, StoreError> {
        let corrupt = || StoreError::Corrupt("a history entry is too short".to_owned());
        let (previous, after) = rest.split_at_checked(Place::LENGTH).ok_or_else(corrupt)?;
        *rest = after;
        let previous = Place::from_bytes(previous).ok_or_else(corrupt)?;
        let flags = split_u32(rest).ok_or_else(corrupt)?.0 & !LENGTH;
        let after = take_record(rest)?;
        let before = take_record(rest)?;
        let written = if flags & PATCH == 0 { &[] } else { take_ids(rest).ok_or_else(corrupt)? };
        let (before, stub) = if flags & STUB == 0 { (before, None) } else { (None, before) };
        Ok(HistoryChange { after, before, stub, flags, written, previous })
    }
}

fn take_ids<'t>(rest: &mut &'t [u8]) -> Option<&'t [[u8; 4]]> {
    let (count, after) = split_u32(rest)?;
    let (ids, after) = after.split_at_checked((count as usize).checked_mul(4)?)?;
    *rest = after;
    Some(ids.as_chunks::<4>().0)
}

pub(super) fn take_record<'t>(rest: &mut &'t [u8]) -> Result<Option<Record<'t>>, StoreError> {
    let corrupt = || StoreError::Corrupt("a history entry is too short".to_owned());
    let (length, after) = split_u32(rest).ok_or_else(corrupt)?;
    let (record, after) = after.split_at_checked((length & LENGTH) as usize).ok_or_else(corrupt)?;
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
