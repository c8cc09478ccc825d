//! Histories of the first format, which had no numbers, no origins and no chains.

use super::read::{split_text, split_u32, take_record};
use super::{HistoryEntry, head, key, number_value, writer_key};
use crate::store::changes::Writing;
use crate::store::environment::{Trees, meta_keys};
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::record::{Place, Record};
use crate::value::Value;
use std::collections::HashMap;

const OLD_FORMAT: u8 = 1;
/// An old key ends with a number that told entries of one time apart.
const OLD_NUMBER: usize = 4;

/// Turns a database's histories into their present form, entry by entry in the order of time.
pub(in crate::store) fn migrate(txn: &mut Writing<'_>, trees: &Trees) -> Result<(), StoreError> {
    let mut times = Vec::new();
    for pair in trees.history.iter(txn)? {
        let old = pair?.0.to_vec();
        let time = old
            .get(4..old.len().saturating_sub(OLD_NUMBER))
            .and_then(keys::decode)
            .and_then(|time| time.as_number());
        times.push((time.ok_or_else(corrupt)?, old));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut chains = Chains::default();
    let last = times.last().map_or(0.0, |(time, _)| *time);
    for (number, (time, old)) in (1_u64..).zip(&times) {
        let value = trees.history.get(txn, old)?.ok_or_else(corrupt)?;
        let table = old.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(corrupt)?;
        let new = chains.rewritten(table, number, value)?;
        trees.history.delete(txn, old)?;
        trees.history.put(txn, &key(table, *time, number), &new)?;
        trees.numbers.put(txn, &number.to_be_bytes(), &number_value(table, *time))?;
    }
    for (stored, place) in chains.records {
        let Some(record) = trees.records.get(txn, &stored)? else {
            trees.tombstones.put(txn, &stored, &place.to_bytes())?;
            continue;
        };
        let changed = Record::new(record)?.with_last_change(place);
        trees.records.put(txn, &stored, &changed)?;
    }
    for (writer, number) in chains.writers {
        trees.meta.put(txn, &writer, &number.to_be_bytes())?;
    }
    let state = [(times.len() as u64 + 1).to_be_bytes(), last.to_be_bytes()].concat();
    trees.meta.put(txn, meta_keys::HISTORY, &state)?;
    Ok(())
}

/// The last change of each record and the last entry of each user so far.
#[derive(Default)]
struct Chains {
    records: HashMap<Vec<u8>, Place>,
    writers: HashMap<Vec<u8>, u64>,
}

impl Chains {
    fn rewritten(&mut self, table: u32, number: u64, old: &[u8]) -> Result<Vec<u8>, StoreError> {
        let rest = old.strip_prefix(&[OLD_FORMAT]).ok_or_else(corrupt)?;
        let (operation, rest) = split_text(rest).ok_or_else(corrupt)?;
        let (user, rest) = split_text(rest).ok_or_else(corrupt)?;
        let (count, mut rest) = split_u32(rest).ok_or_else(corrupt)?;
        let previous = user.and_then(|user| self.writers.insert(writer_key(table, user), number));
        let entry = HistoryEntry::new(operation.unwrap_or_default(), user);
        let mut changes = Vec::with_capacity(rest.len());
        for _ in 0..count {
            let from = rest;
            let after = take_record(&mut rest)?;
            let before = take_record(&mut rest)?;
            let mut stored = table.to_be_bytes().to_vec();
            let primary_key = after.or(before).map_or(Value::Null, |record| record.key());
            let place = Place { entry: number, offset: changes.len() as u32 };
            let previous = match keys::append_key(&mut stored, &primary_key) {
                Some(_) => self.records.insert(stored, place),
                None => None,
            };
            changes.extend_from_slice(&previous.unwrap_or(Place::NONE).to_bytes());
            changes.extend_from_slice(&from[..from.len() - rest.len()]);
        }
        let mut new = head(entry, previous.unwrap_or(0), count);
        new.extend_from_slice(&changes);
        Ok(new)
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("a history entry of the first format cannot be read".to_owned())
}
