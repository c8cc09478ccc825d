//! History entries as other nodes are told them.

use super::message::{Transaction, Write, WriteKind};
use crate::store::{HistoryChange, HistoryRecord, StoreError, Table, View, patched_over, written_over};
use crate::value::{Object, order_members};
use std::collections::HashMap;

/// What an entry says, without the definition of its table. Of a record that it changed several times the sum is told.
pub(super) fn transaction(view: View<'_>, entry: &HistoryRecord<'_>) -> Result<Transaction, StoreError> {
    let gone = || StoreError::NotFound("the table of a history entry".to_owned());
    let table = view.catalog().by_id(entry.table).ok_or_else(gone)?;
    let mut told = Transaction {
        lseq: entry.number,
        timestamp: entry.timestamp,
        operation: entry.operation.to_owned(),
        user: entry.user.map(str::to_owned),
        writes: Vec::with_capacity(entry.len()),
        ..Transaction::default()
    };
    if let Some(origin) = entry.origin {
        told.origin = origin.node.to_owned();
        told.epoch = origin.epoch.to_owned();
        told.lseq = origin.number;
        told.previous = origin.previous;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for change in entry.changes() {
        let write = write_of(table, entry, &change?);
        // Nearly all entries name a record once.
        let known = if entry.len() > 1 { places.get(&write.key.to_json()).copied() } else { None };
        match known.and_then(|at| told.writes.get_mut(at)) {
            Some(first) => follow(first, write),
            None => {
                if entry.len() > 1 {
                    places.insert(write.key.to_json(), told.writes.len());
                }
                told.writes.push(write);
            }
        }
    }
    Ok(told)
}

fn write_of(table: &Table, entry: &HistoryRecord<'_>, change: &HistoryChange<'_>) -> Write {
    let kind = match change.after {
        None => WriteKind::Delete,
        Some(_) if change.is_patch() => WriteKind::Patch,
        Some(_) => WriteKind::Put,
    };
    let written = change.written().map(|(id, value)| (table.attribute_name(id).to_owned(), value));
    Write {
        table: table.name.clone(),
        kind,
        key: change.key(),
        record: written.collect(),
        created: change.after.map_or(0.0, |record| record.created()),
        updated: entry.timestamp,
        expires_at: change.after.and_then(|record| record.expires_at()),
    }
}

/// Makes one write of two of the same record, the second after the first.
fn follow(first: &mut Write, second: Write) {
    if second.kind != WriteKind::Patch || first.kind == WriteKind::Delete {
        *first = second;
        return;
    }
    let over = if first.kind == WriteKind::Patch { patched_over } else { written_over };
    let mut record: Object = second.record;
    for (name, before) in std::mem::take(&mut first.record) {
        match record.get_mut(&name) {
            Some(value) => *value = over(Some(&before), std::mem::take(value)),
            None => drop(record.insert(name, before)),
        }
    }
    order_members(&mut record);
    first.record = record;
    first.expires_at = second.expires_at;
}
