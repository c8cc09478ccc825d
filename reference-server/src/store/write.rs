//! Writing records inside the database's one write transaction.

use super::catalog::{AttributeId, Catalog, Table};
use super::changes::Writing;
use super::environment::{Environment, meta_keys, now};
use super::error::StoreError;
use super::history::{Change, Ledger, patch_id};
use super::index::{self, EXPIRY, Pending};
use super::prepare::{Mode, Patched, Places, find_attributes, has_key, queue_index_changes, stored_key};
use super::read::{TableSize, View};
use super::record::{self, Place, RawValue, Record, Times};
use crate::value::{Object, Value};
use heed::{MdbError, PutFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Pending index entries are written when they take more than this.
pub(super) const MOST_PENDING: usize = 32 << 20;

/// One request's part of a write transaction. Its changes are seen by its own reads at once, by everybody else when
/// the request is acknowledged.
pub struct WriteTxn<'e> {
    pub(super) txn: Writing<'e>,
    pub(super) environment: &'e Environment,
    pub(super) catalog: Arc<Catalog>,
    pub(super) changed_tables: BTreeSet<u32>,
    pub(super) dropped_tables: Vec<u32>,
    sizes: BTreeMap<u32, TableSize>,
    unwritten_sizes: BTreeSet<u32>,
    pub(super) pending: Pending,
    pub(super) ledger: Ledger,
    /// The table of the last write, which is most likely the table of the next.
    current: Option<Arc<Table>>,
    pub(super) scratch: Scratch,
    /// How many changes were made; tells whether a failed request left something.
    pub(super) changes: u64,
    /// Set when LMDB refused a change: the transaction can only be given up.
    pub(super) failure: Option<StoreError>,
    timestamp: f64,
    /// The latest time of a change that other nodes made, while it may be ahead of the clock here.
    pub(super) farthest: f64,
    /// The time that those of later requests must exceed, as changes of other nodes bear it.
    pub(super) seen: f64,
    /// The numbers of other nodes' names, as far as they were asked for.
    pub(super) origins: Vec<(Arc<str>, u32)>,
    /// Set when a request met a record with this later time.
    pub(super) behind: Option<f64>,
}

/// Buffers used again for every record.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) key: Vec<u8>,
    pub(super) record: Vec<u8>,
    pub(super) attributes: Vec<AttributeId>,
    pub(super) written: Vec<AttributeId>,
}

impl<'e> WriteTxn<'e> {
    pub(super) fn begin(environment: &'e Environment) -> Result<WriteTxn<'e>, StoreError> {
        Ok(WriteTxn::over(environment, environment.write()?))
    }

    /// What is done in this transaction, which may be part of another.
    pub(super) fn over(environment: &'e Environment, txn: Writing<'e>) -> WriteTxn<'e> {
        WriteTxn {
            txn,
            environment,
            catalog: environment.catalog(),
            changed_tables: BTreeSet::new(),
            dropped_tables: Vec::new(),
            sizes: BTreeMap::new(),
            unwritten_sizes: BTreeSet::new(),
            pending: Pending::roomy(),
            ledger: Ledger::default(),
            current: None,
            scratch: Scratch::default(),
            changes: 0,
            failure: None,
            timestamp: 0.0,
            farthest: environment.farthest(),
            seen: 0.0,
            origins: Vec::new(),
            behind: None,
        }
    }

    /// Begins the part of one request. `last` is the time of the one before, which this one's must exceed, and `after`
    /// that of a record it writes, which does not hold those to come. Returns the time that they must exceed.
    pub(super) fn begin_request(&mut self, last: f64, after: f64) -> f64 {
        // Half a microsecond is the least step that doubles near the present time can tell apart.
        const STEP: f64 = 0.000_5;
        self.ledger.begin_request();
        self.timestamp = now().max(last + STEP);
        let last = self.timestamp;
        if after >= self.timestamp {
            self.timestamp = after + STEP;
            self.farthest = self.farthest.max(self.timestamp);
        }
        last
    }

    /// The time of this request in epoch milliseconds: later than that of every request before it. Records written
    /// get it as their time, and so do history entries.
    pub fn timestamp(&self) -> f64 {
        self.timestamp
    }

    /// The tables as this transaction has made them so far.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Everything that can be read, this transaction's own changes included.
    pub fn view(&mut self) -> Result<View<'_>, StoreError> {
        self.write_pending()?;
        self.write_sizes()?;
        Ok(self.records_view())
    }

    /// A view whose records are up to date, but whose indexes and sizes may not be.
    pub fn records_view(&self) -> View<'_> {
        View { txn: &self.txn, trees: self.environment.trees, catalog: &self.catalog, now: self.timestamp }
    }

    /// The record of a primary key.
    pub fn get(&self, table: &Table, key: &Value) -> Result<Option<Record<'_>>, StoreError> {
        self.records_view().get(table, key)
    }

    /// Stores a record under a primary key, whether or not there is one already. In a dynamic table names not met
    /// before become attributes. The record's time of creation stays that of the record it replaces.
    pub fn put(
        &mut self,
        table: &Arc<Table>,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
    ) -> Result<(), StoreError> {
        self.store(table, key, record, expires_at, Mode::Whole).map(|_| ())
    }

    /// As [`WriteTxn::put`], of a record in which only the attributes that `written` tells were written, and the others
    /// kept: another node that knows a newer value of one of the others keeps that. Of the numbers among them that were
    /// added to other nodes are told how much.
    pub fn patch(
        &mut self,
        table: &Arc<Table>,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
        written: &dyn Fn(&str) -> Patched,
    ) -> Result<(), StoreError> {
        self.store(table, key, record, expires_at, Mode::Patch(written)).map(|_| ())
    }

    /// Stores a record only when its primary key is free; tells whether it was.
    pub fn insert(
        &mut self,
        table: &Arc<Table>,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
    ) -> Result<bool, StoreError> {
        self.store(table, key, record, expires_at, Mode::New)
    }

    fn store(
        &mut self,
        table: &Arc<Table>,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
        mode: Mode<'_>,
    ) -> Result<bool, StoreError> {
        let mut table = self.current(table)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.store_with(&mut scratch, &mut table, key, record, expires_at, mode);
        self.scratch = scratch;
        result
    }

    fn store_with(
        &mut self,
        scratch: &mut Scratch,
        table: &mut Arc<Table>,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
        mode: Mode<'_>,
    ) -> Result<bool, StoreError> {
        let exact = stored_key(&mut scratch.key, table, key)?;
        self.not_behind(table, &scratch.key)?;
        let records = self.environment.trees.records;
        let settled = find_attributes(&mut scratch.attributes, table, record);
        if let Mode::New = mode {
            if settled && self.store_new(scratch, table, key, record, expires_at)? {
                return Ok(true);
            }
            let old = records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
            if old.is_some_and(|old| !old.is_expired(self.timestamp) && (exact || has_key(&old, key))) {
                return Ok(false);
            }
        }
        if !settled {
            *table = self.intern_names(table, record)?;
            find_attributes(&mut scratch.attributes, table, record);
        }
        let old = records.get(&self.txn, &scratch.key)?.map(Record::new).transpose()?;
        if old.is_some_and(|old| !exact && !has_key(&old, key)) {
            return Err(StoreError::UnusableKey);
        }
        let live = old.filter(|old| !old.is_expired(self.timestamp));
        let times = Times {
            created: live.map_or(self.timestamp, |old| old.created()),
            updated: self.timestamp,
            expires_at: expires_at.filter(|instant| instant.is_finite()).unwrap_or(f64::INFINITY),
        };
        let (trees, last) = (&self.environment.trees, old.map(|old| old.last_change()));
        let places = Places::of(&mut self.ledger, &self.txn, trees, table, &scratch.key, last)?;
        let place = places.new;
        record::encode(&mut scratch.record, times, place, &scratch.attributes, key, record);
        let new = Record::new(&scratch.record)?;
        queue_index_changes(
            &mut self.pending,
            table,
            &scratch.key[4..],
            old,
            new,
            &scratch.attributes,
            record,
        );
        if table.keeps_history() {
            let (after, before) = (Some(&scratch.record[..]), live.map(|old| old.bytes()));
            let mut change = Change { after, before, ..Change::default() };
            if let (Mode::Patch(written), Some(_)) = (mode, live) {
                let each =
                    scratch.attributes.iter().zip(record.keys()).map(|(id, name)| (*id, written(name)));
                let ids = each.filter(|(_, written)| *written != Patched::Kept);
                scratch.written.clear();
                scratch.written.extend(ids.map(|(id, written)| patch_id(id, written == Patched::Added)));
                change.patch = Some(&scratch.written);
            }
            self.ledger.collected(&self.txn, trees, table.id)?.push(places.previous, change);
        }
        let replaced = old.map(|old| old.bytes().len());
        self.resize_table(table.id, replaced, Some(scratch.record.len()))?;
        let put = records.put(&mut self.txn, &scratch.key, &scratch.record);
        self.noted(put)?;
        self.stored(places, &scratch.key)?;
        Ok(true)
    }

    /// Stores a record under a key that is free, without looking first; tells whether it was, else nothing is changed.
    fn store_new(
        &mut self,
        scratch: &mut Scratch,
        table: &Table,
        key: &Value,
        record: &Object,
        expires_at: Option<f64>,
    ) -> Result<bool, StoreError> {
        let trees = &self.environment.trees;
        let places = Places::of(&mut self.ledger, &self.txn, trees, table, &scratch.key, None)?;
        let times = Times {
            created: self.timestamp,
            updated: self.timestamp,
            expires_at: expires_at.filter(|instant| instant.is_finite()).unwrap_or(f64::INFINITY),
        };
        record::encode(&mut scratch.record, times, places.new, &scratch.attributes, key, record);
        let flags = PutFlags::NO_OVERWRITE;
        match trees.records.put_with_flags(&mut self.txn, flags, &scratch.key, &scratch.record) {
            Err(heed::Error::Mdb(MdbError::KeyExist)) => return Ok(false),
            put => self.noted(put)?,
        }
        let new = Record::new(&scratch.record)?;
        let (pending, attributes) = (&mut self.pending, &scratch.attributes);
        queue_index_changes(pending, table, &scratch.key[4..], None, new, attributes, record);
        if table.keeps_history() {
            let change = Change { after: Some(&scratch.record), ..Change::default() };
            self.ledger.collected(&self.txn, trees, table.id)?.push(places.previous, change);
        }
        self.resize_table(table.id, None, Some(scratch.record.len()))?;
        self.stored(places, &scratch.key)?;
        Ok(true)
    }

    /// What follows on every stored record.
    fn stored(&mut self, places: Places, key: &[u8]) -> Result<(), StoreError> {
        if places.was_buried {
            let deleted = self.environment.trees.tombstones.delete(&mut self.txn, key);
            self.noted(deleted)?;
        }
        if self.pending.size() > MOST_PENDING {
            self.write_pending()?;
        }
        self.environment.changed();
        Ok(())
    }

    /// Removes a record; tells whether there was one.
    pub fn delete(&mut self, table: &Arc<Table>, key: &Value) -> Result<bool, StoreError> {
        let table = self.current(table)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = match stored_key(&mut scratch.key, &table, key) {
            Ok(exact) => self
                .not_behind(&table, &scratch.key)
                .and_then(|()| self.remove(&table, &scratch.key, (!exact).then_some(key), true)),
            Err(StoreError::UnusableKey) => Ok(false),
            Err(error) => Err(error),
        };
        self.scratch = scratch;
        result
    }

    /// Removes the record stored under a whole key (with the table's id), expired or not. `expected` is its primary
    /// key where the stored one is shortened. True when it was live.
    pub(super) fn remove(
        &mut self,
        table: &Table,
        stored: &[u8],
        expected: Option<&Value>,
        collect: bool,
    ) -> Result<bool, StoreError> {
        let records = self.environment.trees.records;
        let Some(bytes) = records.get(&self.txn, stored)? else { return Ok(false) };
        let old = Record::new(bytes)?;
        if expected.is_some_and(|key| !has_key(&old, key)) {
            return Ok(false);
        }
        let live = !old.is_expired(self.timestamp);
        // What is left of the record in the history is found by its tombstone.
        let mut place = old.last_change();
        if live && collect && table.keeps_history() {
            let collected = self.ledger.collected(&self.txn, &self.environment.trees, table.id)?;
            let previous = std::mem::replace(&mut place, collected.next_place());
            collected.push(previous, Change { before: Some(old.bytes()), ..Change::default() });
        }
        self.take_out(table, stored)?;
        if place.entry != Place::NONE.entry {
            let put = self.environment.trees.tombstones.put(&mut self.txn, stored, &place.to_bytes());
            self.noted(put)?;
        }
        Ok(live)
    }

    /// Takes the record stored under a whole key out, with its index entries.
    pub(super) fn take_out(&mut self, table: &Table, stored: &[u8]) -> Result<(), StoreError> {
        let records = self.environment.trees.records;
        let Some(bytes) = records.get(&self.txn, stored)? else { return Ok(()) };
        let (old, size) = (Record::new(bytes)?, bytes.len());
        let key = self.pending.record(&stored[4..]);
        for (id, value) in old.attributes().filter(|(id, _)| table.is_indexed(*id)) {
            self.pending.remove(index::prefix(table.id, id), value, key);
        }
        if let Some(instant) = old.expires_at() {
            let text = Value::Number(instant).to_json();
            self.pending.remove(index::prefix(table.id, EXPIRY), RawValue::plain(text.as_bytes()), key);
        }
        self.resize_table(table.id, Some(size), None)?;
        let deleted = records.delete(&mut self.txn, stored);
        self.noted(deleted).map(|_| ())
    }

    /// The state of a table in this transaction, which may be ahead of the caller's.
    pub(super) fn current(&mut self, table: &Table) -> Result<Arc<Table>, StoreError> {
        match &self.current {
            Some(current) if current.id == table.id => Ok(current.clone()),
            _ => {
                let found = self.catalog.by_id(table.id).cloned();
                self.current.clone_from(&found);
                found.ok_or_else(|| StoreError::NotFound(format!("table {}", table.name)))
            }
        }
    }

    /// Puts a changed definition into the catalog; it is written at the commit.
    pub(super) fn set_table(&mut self, table: Arc<Table>) {
        self.changes += 1;
        self.changed_tables.insert(table.id);
        Arc::make_mut(&mut self.catalog).set(table);
        self.current = None;
    }

    /// Takes a table out of the catalog.
    pub(super) fn unset_table(&mut self, table: &Table) {
        self.changes += 1;
        self.changed_tables.insert(table.id);
        Arc::make_mut(&mut self.catalog).remove(&table.name);
        self.current = None;
        self.sizes.remove(&table.id);
        self.unwritten_sizes.remove(&table.id);
    }

    /// Gives ids to the names of a record; in a dynamic table they become indexed attributes too.
    pub(super) fn intern_names(
        &mut self,
        table: &Arc<Table>,
        record: &Object,
    ) -> Result<Arc<Table>, StoreError> {
        let mut changed = Table::clone(table);
        for name in record.keys() {
            if changed.schema_defined {
                changed.intern(name);
            } else {
                // Without effect for attributes.
                changed.declare(super::catalog::Attribute::new(name.as_str()).indexed());
            }
        }
        let changed = Arc::new(changed);
        self.set_table(changed.clone());
        Ok(changed)
    }

    /// Counts a record in or out.
    pub(super) fn resize_table(
        &mut self,
        table: u32,
        old: Option<usize>,
        new: Option<usize>,
    ) -> Result<(), StoreError> {
        let size = match self.sizes.entry(table) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(TableSize::load(&self.txn, &self.environment.trees, table)?)
            }
        };
        let (gone, come) = (old.is_some() as u64, new.is_some() as u64);
        let gone = if fault!("count-not-reduced") { 0 } else { gone };
        size.records = (size.records + come).saturating_sub(gone);
        size.bytes = (size.bytes + new.unwrap_or(0) as u64).saturating_sub(old.unwrap_or(0) as u64);
        self.unwritten_sizes.insert(table);
        self.changes += 1;
        Ok(())
    }

    /// Keeps a failure of LMDB in mind, as the transaction cannot go on after one.
    pub(super) fn noted<T>(&mut self, result: heed::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            self.failure.get_or_insert_with(|| error.clone());
            error
        })
    }

    /// Writes the waiting index entries.
    pub(super) fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let tree = self.environment.trees.index;
        let txn = &mut self.txn;
        let environment = self.environment;
        let written = self.pending.drain(|entry, key, add| {
            environment.changed();
            match add {
                true => tree.put(txn, entry, key),
                false => tree.delete_one_duplicate(txn, entry, key).map(|_| ()),
            }
        });
        self.noted(written)
    }

    fn write_sizes(&mut self) -> Result<(), StoreError> {
        for table in std::mem::take(&mut self.unwritten_sizes) {
            let Some(size) = self.sizes.get(&table).copied() else { continue };
            let put =
                self.environment.trees.meta.put(&mut self.txn, &meta_keys::size(table), &size.to_bytes());
            self.noted(put)?;
        }
        Ok(())
    }

    /// Commits; returns the tables that were dropped, whose keys are still to be removed.
    pub(super) fn commit(mut self) -> Result<Vec<u32>, StoreError> {
        let catalog_changed = self.complete()?;
        self.environment.commit(self.txn, catalog_changed.then_some(self.catalog))?;
        self.environment.set_farthest(self.farthest);
        Ok(self.dropped_tables)
    }

    /// The transaction as part of another; `None` when it changes tables, which is not for parts.
    pub(super) fn into_part(mut self) -> Result<Option<Writing<'e>>, StoreError> {
        let catalog_changed = self.complete()?;
        Ok((!catalog_changed).then_some(self.txn))
    }

    /// Writes what has waited for the end; tells whether tables were changed.
    fn complete(&mut self) -> Result<bool, StoreError> {
        self.write_pending()?;
        self.write_sizes()?;
        self.write_ledger()?;
        self.write_farthest()?;
        let meta = self.environment.trees.meta;
        for id in std::mem::take(&mut self.changed_tables) {
            let key = meta_keys::table(id);
            let changed = match self.catalog.by_id(id) {
                Some(table) => meta.put(&mut self.txn, &key, &table.to_json()?),
                None => meta.delete(&mut self.txn, &key).map(|_| ()),
            };
            self.noted(changed)?;
        }
        Ok(!Arc::ptr_eq(&self.catalog, &self.environment.catalog()))
    }
}
