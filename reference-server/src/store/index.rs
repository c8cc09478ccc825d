//! Entries of secondary indexes: which ones a value has, and the queue in which a transaction's changes to them wait.
//!
//! Entries are written in the order of the tree, many at a time: that keeps a bulk load's working set small.

use super::catalog::AttributeId;
use super::keys;
use super::record::{Kind, RawValue, stored_instant};
use crate::value::{Value, iso_text};

/// Under this attribute lie the times at which records expire.
pub(super) const EXPIRY: AttributeId = AttributeId(u32::MAX);

/// The length of what all entries of one index begin with.
pub(super) const PREFIX: usize = 8;

/// What all entries of one index begin with.
pub(super) fn prefix(table: u32, attribute: AttributeId) -> [u8; PREFIX] {
    let mut out = [0; PREFIX];
    out[..4].copy_from_slice(&table.to_be_bytes());
    out[4..].copy_from_slice(&attribute.0.to_be_bytes());
    out
}

/// Appends the encoded form of each indexed value in `value` and calls `entry` after each: the scalar itself, or the
/// scalars in an array. `value` is about to be stored; the forms are those of what will be read back.
pub(super) fn forms_of(value: &Value, out: &mut Vec<u8>, mut entry: impl FnMut(&mut Vec<u8>)) {
    let Value::Array(items) = value else {
        if append_form(out, value, true) {
            entry(out);
        }
        return;
    };
    let kind = array_kind(items);
    for item in items {
        let own_kind =
            matches!((item, kind), (Value::Date(_), Kind::Dates) | (Value::BigInt(_), Kind::BigInts));
        if append_form(out, item, own_kind) {
            entry(out);
        }
    }
}

/// As [`forms_of`], of a stored value.
pub(super) fn forms_of_stored(value: RawValue<'_>, out: &mut Vec<u8>, entry: impl FnMut(&mut Vec<u8>)) {
    forms_of(&value.decode(), out, entry);
}

fn array_kind(items: &[Value]) -> Kind {
    match items.iter().find(|item| !item.is_null()) {
        Some(Value::Date(_) | Value::BigInt(_)) => Kind::of(&Value::Array(items.to_vec())),
        _ => Kind::Json,
    }
}

/// `own_kind` is false for a date or a big integer that is stored as plain text or as a plain number.
fn append_form(out: &mut Vec<u8>, value: &Value, own_kind: bool) -> bool {
    let start = out.len();
    match value {
        Value::Number(number) if !number.is_finite() => keys::append_number(out, f64::NAN),
        Value::Date(instant) => match stored_instant(*instant) {
            Some(instant) if own_kind => keys::append_number(out, instant),
            Some(instant) => keys::append_string(out, &iso_text(instant).unwrap_or_default()),
            None => keys::append_number(out, f64::NAN),
        },
        other => {
            if !keys::append_scalar(out, other) {
                return false;
            }
        }
    }
    keys::shorten(out, start);
    true
}

/// Changes of index entries that wait to be written.
#[derive(Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Copy)]
struct Change {
    /// The first bytes of the entry, which mostly tell its place in the order.
    first: u128,
    entry: (u32, u32),
    key: (u32, u32),
    add: bool,
}

impl Pending {
    /// A queue with room for what a batch of small requests brings.
    pub(super) fn roomy() -> Pending {
        Pending { bytes: Vec::with_capacity(16 << 10), changes: Vec::with_capacity(256) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The bytes waiting.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.changes.clear();
    }

    /// Begins the changes of one record; returns where its encoded primary key lies, for the calls that follow.
    pub(super) fn record(&mut self, key: &[u8]) -> RecordKey {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(key);
        RecordKey((start, self.bytes.len() as u32))
    }

    /// The entries of a value to be stored.
    pub(super) fn add(&mut self, prefix: [u8; PREFIX], value: &Value, key: RecordKey) {
        self.push_all(prefix, key, true, |out, entry| forms_of(value, out, entry));
    }

    /// Takes the entries of a stored value away.
    pub(super) fn remove(&mut self, prefix: [u8; PREFIX], value: RawValue<'_>, key: RecordKey) {
        self.push_all(prefix, key, false, |out, entry| forms_of_stored(value, out, entry));
    }

    /// The entries of a stored value (when an index is built later than its records).
    pub(super) fn add_stored(&mut self, prefix: [u8; PREFIX], value: RawValue<'_>, key: RecordKey) {
        self.push_all(prefix, key, true, |out, entry| forms_of_stored(value, out, entry));
    }

    fn push_all(
        &mut self,
        prefix: [u8; PREFIX],
        key: RecordKey,
        add: bool,
        forms: impl FnOnce(&mut Vec<u8>, &mut dyn FnMut(&mut Vec<u8>)),
    ) {
        let changes = &mut self.changes;
        let mut start = self.bytes.len();
        self.bytes.extend_from_slice(&prefix);
        forms(&mut self.bytes, &mut |bytes| {
            let entry = (start as u32, bytes.len() as u32);
            changes.push(Change { first: first_bytes(&bytes[start..]), entry, key: key.0, add });
            start = bytes.len();
            bytes.extend_from_slice(&prefix);
        });
        self.bytes.truncate(start);
    }

    /// Calls `write` with each change (entry, encoded primary key, added or removed) in the order of the tree. Of
    /// several changes of one entry only the last is made.
    pub(super) fn drain<E>(
        &mut self,
        mut write: impl FnMut(&[u8], &[u8], bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = &self.bytes;
        let slice = |(start, end): (u32, u32)| &bytes[start as usize..end as usize];
        let parts = |change: &Change| (slice(change.entry), slice(change.key));
        self.changes.sort_by(|a, b| a.first.cmp(&b.first).then_with(|| parts(a).cmp(&parts(b))));
        for (at, change) in self.changes.iter().enumerate() {
            let next = self.changes.get(at + 1);
            if next.is_none_or(|next| next.first != change.first || parts(next) != parts(change)) {
                let (entry, key) = parts(change);
                write(entry, key, change.add)?;
            }
        }
        self.clear();
        Ok(())
    }
}

/// The first bytes of an entry as a number with the same order; entries that agree so far are in no order yet.
fn first_bytes(entry: &[u8]) -> u128 {
    let mut first = [0; 16];
    let length = entry.len().min(first.len());
    first[..length].copy_from_slice(&entry[..length]);
    u128::from_be_bytes(first)
}

/// Where a record's encoded primary key lies among the pending bytes.
#[derive(Clone, Copy)]
pub(super) struct RecordKey((u32, u32));

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(pending: &mut Pending) -> Vec<(Vec<u8>, Vec<u8>, bool)> {
        let mut out = Vec::new();
        let done: Result<(), ()> = pending.drain(|entry, key, add| {
            out.push((entry[PREFIX..].to_vec(), key.to_vec(), add));
            Ok(())
        });
        done.unwrap();
        out
    }

    #[test]
    fn the_last_change_of_an_entry_counts() {
        let mut pending = Pending::default();
        let index = prefix(1, AttributeId(2));
        let key = pending.record(b"k");
        pending.add(index, &Value::Bool(true), key);
        pending.add(index, &Value::Bool(false), key);
        let raw = crate::store::record::RawValue::plain(b"true");
        pending.remove(index, raw, key);
        let first = pending.record(b"a");
        pending.add(index, &Value::Bool(true), first);
        assert_eq!(
            drained(&mut pending),
            [(vec![3], b"k".to_vec(), true), (vec![4], b"a".to_vec(), true), (vec![4], b"k".to_vec(), false)]
        );
        assert!(pending.is_empty());
    }

    #[test]
    fn arrays_have_an_entry_per_scalar() {
        let mut count = 0;
        let nested = Value::Array(vec![Value::Null]);
        let items = vec![Value::from("a"), Value::Number(1.0), nested, Value::Bytes(vec![1])];
        forms_of(&Value::Array(items), &mut Vec::new(), |_| count += 1);
        assert_eq!(count, 2);
    }
}
