//! Changes that other nodes made, put among those made here: of two changes of a record the later counts, wherever and
//! in whatever order they arrive.
//!
//! The version of a change is its time, and between equal times the name of the node that made it. What a record is
//! follows from the versions of its changes alone: the latest deletion makes it gone; otherwise it is the latest change
//! that wrote it whole, with the patches after that on top of each other. (A deletion that any later change outdoes
//! counts for nothing: patches made without knowing of it go on with the record that it took away.) A change that comes
//! late is looked up in the record's chain in the history, put into its place there, and when it shows through what is
//! later the record is made anew.
//!
//! What is known of a record ends where its history ends: the oldest state that the history still knows counts as
//! written whole, at its time.

mod clock;
mod copy;
mod increment;
mod origins;
mod place;
mod state;

use super::catalog::Table;
use super::error::StoreError;
use super::history::{Change, HistoryEntry, Origin, patch_id};
use super::prepare::{find_attributes, has_key, queue_index_changes, stored_key};
use super::record::{self, Place, Record, Times};
use super::write::{MOST_PENDING, Scratch, WriteTxn};
use crate::value::{Object, Value};
pub use copy::{Copied, CopiedPage};
pub(super) use increment::increment;
pub use increment::{increment_of, patched_over, written_over};
use place::{Head, Survey};
use serde::{Deserialize, Serialize};
use state::{State, with_key};
use std::cmp::Ordering;
use std::sync::Arc;

/// What a change of a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WriteKind {
    /// The record was written whole.
    #[default]
    Put,
    /// Some attributes were written.
    Patch,
    /// The record was deleted.
    Delete,
}

/// A change of one record that another node made.
#[derive(Clone, Copy, Debug)]
pub struct RemoteWrite<'a> {
    /// What it is.
    pub kind: WriteKind,
    /// The primary key.
    pub key: &'a Value,
    /// What was written: the whole record, or the attributes of a patch, the primary key among them. Without meaning
    /// for a deletion.
    pub record: &'a Object,
    /// Epoch milliseconds of the record's first write.
    pub created: f64,
    /// Epoch milliseconds from which on the record does not exist.
    pub expires_at: Option<f64>,
}

/// Whose changes they are, and of when.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of this node, which changes made here have for their origin.
    pub own: &'a str,
    /// Where the changes were made.
    pub origin: Origin<'a>,
    /// When, in epoch milliseconds; the time of their transaction.
    pub timestamp: f64,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is the latest of its record.
    Applied,
    /// Later ones let it show through: the record has changed, its version has not.
    Merged,
    /// Later ones hide it: the record and its version are as they were.
    Lost,
    /// It had been applied before: nothing at all was changed.
    Duplicate,
}

/// The order of changes of one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    time: f64,
    /// `None` where the history does not tell any more.
    origin: Option<&'a str>,
}

impl Version<'_> {
    /// Changes of one time by unknown nodes are taken for the same.
    fn order(&self, other: &Version<'_>) -> Ordering {
        self.time.total_cmp(&other.time).then_with(|| match (self.origin, other.origin) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => Ordering::Equal,
        })
    }
}

impl Source<'_> {
    fn version(&self) -> Version<'_> {
        Version { time: self.timestamp, origin: Some(self.origin.node) }
    }
}

impl WriteTxn<'_> {
    /// Puts a change that another node made among those of its record. When the table keeps a history, the changes of
    /// a transaction are to be logged behind them by [`WriteTxn::log_remote`].
    ///
    /// # Errors
    /// When the key cannot be used, or LMDB fails.
    pub fn apply_remote(
        &mut self,
        table: &Arc<Table>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
    ) -> Result<Effect, StoreError> {
        self.note_time(source.timestamp);
        let mut table = self.current(table)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.apply_with(&mut scratch, &mut table, source, write);
        self.scratch = scratch;
        if self.pending.size() > MOST_PENDING {
            self.write_pending()?;
        }
        result
    }

    /// Logs what [`WriteTxn::apply_remote`] has changed in a table, as one entry with the origin's name and time.
    pub fn log_remote(
        &mut self,
        table: &Table,
        source: &Source<'_>,
        operation: &str,
        user: Option<&str>,
    ) -> Result<(), StoreError> {
        let entry = HistoryEntry { operation, user, origin: Some(source.origin) };
        self.log_history_at(table, entry, source.timestamp)
    }

    fn apply_with(
        &mut self,
        scratch: &mut Scratch,
        table: &mut Arc<Table>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
    ) -> Result<Effect, StoreError> {
        let exact = stored_key(&mut scratch.key, table, write.key)?;
        let record = with_key(table, write);
        let settled = find_attributes(&mut scratch.attributes, table, &record);
        if write.kind != WriteKind::Delete && !settled {
            *table = self.intern_names(table, &record)?;
        }
        let stored =
            self.environment.trees.records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
        if stored.is_some_and(|stored| !exact && !has_key(&stored, write.key)) {
            return Err(StoreError::UnusableKey);
        }
        let head = self.head(table, &scratch.key, source)?;
        let order = head.as_ref().map_or(Ordering::Greater, |head| source.version().order(&head.version()));
        let order = if fault!("earlier-writes-stay") && head.is_some() { order.reverse() } else { order };
        if fault!("own-writes-stay") && stored.is_some() {
            return Ok(Effect::Lost);
        }
        let written = State::of_write(write, &record);
        match (order, write.kind) {
            (Ordering::Equal, _) => Ok(Effect::Duplicate),
            (Ordering::Greater, WriteKind::Patch) if head.as_ref().is_some_and(|head| head.is_buried) => {
                self.put_in_place(scratch, table, source, write, &written)
            }
            (Ordering::Greater, _) => self.put_on_top(scratch, table, source, write, written, head),
            (Ordering::Less, _) if table.keeps_history() => {
                self.put_in_place(scratch, table, source, write, &written)
            }
            (Ordering::Less, WriteKind::Patch) => self.fill_up(scratch, table, written),
            (Ordering::Less, _) => Ok(Effect::Lost),
        }
    }

    /// A change later than all there are, of a record that is there or was never deleted.
    fn put_on_top(
        &mut self,
        scratch: &mut Scratch,
        table: &Arc<Table>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
        written: State,
        head: Option<Head>,
    ) -> Result<Effect, StoreError> {
        let trees = self.environment.trees;
        let before = trees.records.get(&self.txn, &scratch.key)?.map(<[u8]>::to_vec);
        let previous = head.map_or(Place::NONE, |head| head.place);
        let place = match table.keeps_history() {
            true => self.ledger.collected(&self.txn, &trees, table.id)?.next_place(),
            false => Place { entry: 0, offset: self.origin_number(source.origin.node)? },
        };
        if write.kind == WriteKind::Delete {
            let stub = before.is_none();
            let shown = before.unwrap_or_else(|| stub_of(write.key));
            if table.keeps_history() {
                let change = Change { before: Some(&shown), stub, ..Change::default() };
                self.collect(table, previous, change)?;
                let put = trees.tombstones.put(&mut self.txn, &scratch.key, &place.to_bytes());
                self.noted(put)?;
            }
            self.take_out(table, &scratch.key)?;
            self.changes += 1;
            return Ok(Effect::Applied);
        }
        let live = before.as_deref().map(Record::new).transpose()?;
        let live = live.filter(|record| !record.is_expired(source.timestamp));
        let patch = (write.kind == WriteKind::Patch).then(|| patch_ids(table, &written.members));
        let state = match (write.kind, live) {
            (WriteKind::Patch, Some(old)) => {
                State::of_record(table, &old).patched(&written, source.timestamp)
            }
            (WriteKind::Patch, None) if before.is_some() => written.begun(source.timestamp),
            (WriteKind::Patch, None) => written.settled(),
            _ => written,
        };
        self.store_state(scratch, table, write.key, &state, source.timestamp, place)?;
        if table.keeps_history() {
            let (after, before) = (Some(&scratch.record[..]), live.map(|record| record.bytes()));
            let change = Change { after, before, patch: patch.as_deref(), ..Change::default() };
            self.collect(table, previous, change)?;
            self.unbury(&scratch.key)?;
        }
        Ok(Effect::Applied)
    }

    /// A change that is not simply the latest one of a record that is there: it is put where it belongs among the
    /// others, and the record is made of all of them.
    fn put_in_place(
        &mut self,
        scratch: &mut Scratch,
        table: &Arc<Table>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
        written: &State,
    ) -> Result<Effect, StoreError> {
        let trees = self.environment.trees;
        let Some(head) = self.head(table, &scratch.key, source)? else { return Ok(Effect::Lost) };
        let stored = trees.records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
        let survey = Survey::of(self.records_view(), table, head.place, stored.as_ref(), source, write)?;
        let Survey::New { successor, previous, state } = survey else { return Ok(Effect::Duplicate) };
        let is_latest = successor.is_none() && head.is_before(source);
        if successor.is_none() && !is_latest {
            // What the record became has outlived the history of how.
            return Ok(Effect::Lost);
        }
        let place = self.ledger.collected(&self.txn, &trees, table.id)?.next_place();
        self.log_bare(scratch, table, source, write, written, previous)?;
        if let Some(successor) = successor {
            self.relink(table, successor, place)?;
        }
        self.changes += 1;
        let Some(state) = state else { return Ok(Effect::Lost) };
        let (time, last) = if is_latest { (source.timestamp, place) } else { (head.time, head.place) };
        self.store_state(scratch, table, write.key, &state, time, last)?;
        if head.is_buried {
            self.unbury(&scratch.key)?;
        }
        Ok(if is_latest { Effect::Applied } else { Effect::Merged })
    }

    /// Puts a change behind those of the request, and before it in its record's chain what lies at `previous`.
    fn collect(&mut self, table: &Table, previous: Place, change: Change<'_>) -> Result<(), StoreError> {
        let trees = self.environment.trees;
        self.ledger.collected(&self.txn, &trees, table.id)?.push(previous, change);
        Ok(())
    }

    /// Forgets that the record under a whole key was deleted.
    fn unbury(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let deleted = self.environment.trees.tombstones.delete(&mut self.txn, key);
        self.noted(deleted)?;
        Ok(())
    }

    /// Collects a change as what it wrote.
    fn log_bare(
        &mut self,
        scratch: &mut Scratch,
        table: &Arc<Table>,
        source: &Source<'_>,
        write: &RemoteWrite<'_>,
        written: &State,
        previous: Place,
    ) -> Result<(), StoreError> {
        if write.kind == WriteKind::Delete {
            let stub = stub_of(write.key);
            let change = Change { before: Some(&stub), stub: true, ..Change::default() };
            return self.collect(table, previous, change);
        }
        let ids = ids_of(table, &written.members);
        let times = written.times(source.timestamp);
        record::encode(&mut scratch.record, times, Place::NONE, &ids, write.key, &written.members);
        let patch = (write.kind == WriteKind::Patch).then_some(&ids[..]);
        let change = Change { after: Some(&scratch.record), patch, bare: true, ..Change::default() };
        self.collect(table, previous, change)
    }

    /// An old patch of a record without a history: only what the record lacks is taken.
    fn fill_up(
        &mut self,
        scratch: &mut Scratch,
        table: &Arc<Table>,
        written: State,
    ) -> Result<Effect, StoreError> {
        let stored =
            self.environment.trees.records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
        let Some(stored) = stored else { return Ok(Effect::Lost) };
        let (time, place, key) = (stored.updated(), stored.last_change(), stored.key());
        let mut state = State::of_record(table, &stored);
        let mut changed = false;
        for (name, value) in written.members {
            let before = state.members.get(&name);
            if before.is_none() || increment_of(&value).is_some() {
                let value = written_over(before, value);
                state.members.insert(name, value);
                changed = true;
            }
        }
        if !changed {
            return Ok(Effect::Lost);
        }
        crate::value::order_members(&mut state.members);
        self.store_state(scratch, table, &key, &state, time, place)?;
        Ok(Effect::Merged)
    }

    /// Makes a record what `state` says, under the key in `scratch`.
    fn store_state(
        &mut self,
        scratch: &mut Scratch,
        table: &Arc<Table>,
        key: &Value,
        state: &State,
        time: f64,
        place: Place,
    ) -> Result<(), StoreError> {
        find_attributes(&mut scratch.attributes, table, &state.members);
        record::encode(
            &mut scratch.record,
            state.times(time),
            place,
            &scratch.attributes,
            key,
            &state.members,
        );
        let records = self.environment.trees.records;
        let old = records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
        let new = Record::new(&scratch.record)?;
        let (pending, attributes) = (&mut self.pending, &scratch.attributes);
        queue_index_changes(pending, table, &scratch.key[4..], old, new, attributes, &state.members);
        let replaced = old.map(|old| old.bytes().len());
        self.resize_table(table.id, replaced, Some(scratch.record.len()))?;
        let put = records.put(&mut self.txn, &scratch.key, &scratch.record);
        self.environment.changed();
        self.noted(put)
    }
}

/// The ids of names that all have one.
fn ids_of(table: &Table, members: &Object) -> Vec<super::catalog::AttributeId> {
    members.keys().filter_map(|name| table.attribute_id(name)).collect()
}

/// The ids of the attributes of a patch, increments marked.
fn patch_ids(table: &Table, members: &Object) -> Vec<super::catalog::AttributeId> {
    let ids = members.iter().filter_map(|(name, value)| Some((table.attribute_id(name)?, value)));
    ids.map(|(id, value)| patch_id(id, increment_of(value).is_some())).collect()
}

/// A record of nothing but a primary key.
fn stub_of(key: &Value) -> Vec<u8> {
    let times = Times { created: 0.0, updated: 0.0, expires_at: f64::INFINITY };
    let mut out = Vec::new();
    record::encode(&mut out, times, Place::NONE, &[], key, &Object::new());
    out
}
