//! What a record is, apart from its version, and how patches change it.

use super::increment::{settled, written_over};
use super::{RemoteWrite, WriteKind};
use crate::store::catalog::{AttributeId, Table};
use crate::store::record::{Record, Times};
use crate::value::{Object, Value, order_members};
use std::borrow::Cow;

/// The state of a record, or what a change wrote of it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) members: Object,
    created: f64,
    expires_at: f64,
}

impl State {
    /// What a change writes; `record` is its record with the primary key.
    pub(super) fn of_write(write: &RemoteWrite<'_>, record: &Object) -> State {
        let expires_at = write.expires_at.filter(|instant| instant.is_finite()).unwrap_or(f64::INFINITY);
        let mut members = if write.kind == WriteKind::Delete { Object::new() } else { record.clone() };
        if fault!("created-times-lost") {
            members.shift_remove(crate::store::CREATED_TIME);
        }
        State { members, created: write.created, expires_at }
    }

    /// Nothing, which is what a deletion writes.
    pub(super) fn gone() -> State {
        State { members: Object::new(), created: 0.0, expires_at: f64::INFINITY }
    }

    /// A stored record.
    pub(super) fn of_record(table: &Table, record: &Record<'_>) -> State {
        let attributes = record.attributes().map(|(id, value)| (id, value.decode()));
        State::of_attributes(table, record, attributes)
    }

    /// Some attributes of a record.
    pub(super) fn of_attributes(
        table: &Table,
        record: &Record<'_>,
        attributes: impl Iterator<Item = (AttributeId, Value)>,
    ) -> State {
        let members = attributes.map(|(id, value)| (table.attribute_name(id).to_owned(), value)).collect();
        let expires_at = record.expires_at().unwrap_or(f64::INFINITY);
        State { members, created: record.created(), expires_at }
    }

    /// This state with a patch made at a time on top: what was written first, then what is kept, as where it was made.
    pub(super) fn patched(self, patch: &State, time: f64) -> State {
        if self.expires_at <= time {
            return patch.clone().begun(time);
        }
        let mut members = patch.members.clone();
        for (name, value) in self.members {
            match members.get_mut(&name) {
                Some(written) => *written = written_over(Some(&value), std::mem::take(written)),
                None => drop(members.insert(name, value)),
            }
        }
        let mut members = settled(members);
        order_members(&mut members);
        State { members, created: self.created, expires_at: patch.expires_at }
    }

    /// What a patch made at a time makes of a record that had expired by then: a new one.
    pub(super) fn begun(self, time: f64) -> State {
        State { created: time, ..self.settled() }
    }

    /// What a patch makes of nothing.
    pub(super) fn settled(self) -> State {
        State { members: settled(self.members), ..self }
    }

    /// Epoch milliseconds of the first write.
    pub(super) fn created(&self) -> f64 {
        self.created
    }

    /// Epoch milliseconds from which on the record does not exist.
    pub(super) fn expires_at(&self) -> Option<f64> {
        Some(self.expires_at).filter(|instant| instant.is_finite())
    }

    /// The times of the record with this state and version.
    pub(super) fn times(&self, updated: f64) -> Times {
        Times { created: self.created, updated, expires_at: self.expires_at }
    }
}

/// The record of a change, with its primary key.
pub(super) fn with_key<'w>(table: &Table, write: &RemoteWrite<'w>) -> Cow<'w, Object> {
    if write.kind == WriteKind::Delete || write.record.contains_key(&table.primary_key) {
        return Cow::Borrowed(write.record);
    }
    let mut record = write.record.clone();
    let key: Value = write.key.clone();
    record.shift_insert(0, table.primary_key.clone(), key);
    order_members(&mut record);
    Cow::Owned(record)
}
