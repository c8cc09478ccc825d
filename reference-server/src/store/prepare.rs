//! What is worked out of a record before it is stored: its key, the ids of its names, its place in the history, the
//! changes of index entries.

use super::catalog::{AttributeId, Table};
use super::environment::Trees;
use super::error::StoreError;
use super::history::Ledger;
use super::index::{self, EXPIRY, Pending};
use super::keys;
use super::record::{PRIMARY_KEY, Place, RawValue, Record};
use crate::value::{Object, Value, compare};
use heed::{AnyTls, RoTxn};
use std::cmp::Ordering;

/// What a patch does to an attribute of the record it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    /// Nothing.
    Kept,
    /// It has a new value.
    Set,
    /// Something was added to its number.
    Added,
}

/// How a record is written.
#[derive(Clone, Copy)]
pub(super) enum Mode<'w> {
    /// Only when its key is free.
    New,
    /// As a whole.
    Whole,
    /// With attributes that are kept beside those written.
    Patch(&'w dyn Fn(&str) -> Patched),
}

/// Where a record about to be stored has its change in the history, and the one before.
pub(super) struct Places {
    pub(super) previous: Place,
    pub(super) new: Place,
    /// True when the record was deleted before, so that a tombstone knows the change before.
    pub(super) was_buried: bool,
}

impl Places {
    /// `last` is the last change of the record that is replaced.
    pub(super) fn of(
        ledger: &mut Ledger,
        txn: &RoTxn<'_, AnyTls>,
        trees: &Trees,
        table: &Table,
        key: &[u8],
        last: Option<Place>,
    ) -> Result<Places, StoreError> {
        let previous = last.unwrap_or(Place::NONE);
        let kept = if previous.entry == 0 { Place::NONE } else { previous };
        let mut places = Places { previous, new: kept, was_buried: false };
        if table.keeps_history() {
            if last.is_none() && !trees.tombstones.is_empty(txn)? {
                let tombstone = trees.tombstones.get(txn, key)?;
                places.was_buried = tombstone.is_some();
                places.previous = tombstone.and_then(Place::from_bytes).unwrap_or(Place::NONE);
            }
            places.new = ledger.collected(txn, trees, table.id)?.next_place();
        }
        Ok(places)
    }
}

/// Queues the differences between the index entries of a record and of the one it replaces.
pub(super) fn queue_index_changes(
    pending: &mut Pending,
    table: &Table,
    key: &[u8],
    old: Option<Record<'_>>,
    new: Record<'_>,
    attributes: &[AttributeId],
    record: &Object,
) {
    let key = pending.record(key);
    for (id, value) in attributes.iter().zip(record.values()) {
        if *id == PRIMARY_KEY || !table.is_indexed(*id) {
            continue;
        }
        let prefix = index::prefix(table.id, *id);
        if let Some(before) = old.and_then(|old| old.attribute(*id)) {
            if new.attribute(*id) == Some(before) {
                continue;
            }
            pending.remove(prefix, before, key);
        }
        if !fault!("index-not-written") {
            pending.add(prefix, value, key);
        }
    }
    let gone = |id: AttributeId| table.is_indexed(id) && !attributes.contains(&id);
    for (id, value) in old.iter().flat_map(Record::attributes).filter(|(id, _)| gone(*id)) {
        pending.remove(index::prefix(table.id, id), value, key);
    }
    let (before, after) = (old.and_then(|old| old.expires_at()), new.expires_at());
    if before != after {
        let prefix = index::prefix(table.id, EXPIRY);
        if let Some(instant) = before {
            let text = Value::Number(instant).to_json();
            pending.remove(prefix, RawValue::plain(text.as_bytes()), key);
        }
        if let Some(instant) = after {
            pending.add(prefix, &Value::Number(instant), key);
        }
    }
}

/// Finds the ids of a record's names, into `out`; false when the table's definition has to change first. The ids
/// of the record before are tried first, as the records of a request mostly have the same names.
pub(super) fn find_attributes(out: &mut Vec<AttributeId>, table: &Table, record: &Object) -> bool {
    out.truncate(record.len());
    let mut next = 0;
    for (at, name) in record.keys().enumerate() {
        let settled = |id: &AttributeId| table.is_settled(*id);
        let declared = |next| table.attribute_from(next, name).map(|attribute| attribute.id);
        match out.get(at).copied() {
            Some(likely) if table.attribute_name(likely) == name && settled(&likely) => {}
            _ => match declared(&mut next).or_else(|| table.attribute_id(name)).filter(settled) {
                Some(id) if at < out.len() => out[at] = id,
                Some(id) => out.push(id),
                None => {
                    out.truncate(at);
                    return false;
                }
            },
        }
    }
    true
}

/// True when a record has this primary key; asked where the stored key does not tell.
pub(super) fn has_key(record: &Record<'_>, key: &Value) -> bool {
    compare(&record.key(), key) == Ordering::Equal
}

/// The key of a record in the records tree, into `out`; true when it tells the primary key in full.
pub(super) fn stored_key(out: &mut Vec<u8>, table: &Table, key: &Value) -> Result<bool, StoreError> {
    out.clear();
    out.extend_from_slice(&table.id.to_be_bytes());
    let printable = |value: &Value| !matches!(value, Value::Number(number) if !number.is_finite());
    if !printable(key) || key.as_array().is_some_and(|items| !items.iter().all(printable)) {
        return Err(StoreError::UnusableKey);
    }
    keys::append_key(out, key).ok_or(StoreError::UnusableKey)
}
