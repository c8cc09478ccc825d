//! Reading: a snapshot of a database, its records in key order, its indexes in value order.

use super::catalog::{AttributeId, Catalog, Table};
use super::changes::Tree;
use super::environment::{Environment, Reading, Trees, meta_keys, now, tree_size};
use super::error::StoreError;
use super::index::{self, EXPIRY};
use super::keys;
use super::ranges::{KeyRange, ValueRange, next_prefix};
use super::record::Record;
use crate::value::{Value, compare};
use heed::types::Bytes;
use heed::{AnyTls, RoRange, RoRevRange, RoTxn};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

/// The length of a table's id, with which the stored keys of its records begin.
const TABLE_PREFIX: usize = 4;

/// A snapshot of a database. May be sent between threads.
///
/// Keep it short, and have one per database at a time: a write that makes the database grow waits until all snapshots
/// have ended and lets no new ones begin meanwhile. So never wait for a write, or begin a second snapshot of the same
/// database, while holding one.
pub struct ReadTxn<'e> {
    reading: Reading<'e>,
    trees: Trees,
    now: f64,
}

impl<'e> ReadTxn<'e> {
    pub(super) fn begin(environment: &'e Environment) -> Result<ReadTxn<'e>, StoreError> {
        Ok(ReadTxn::over(environment, environment.read()?))
    }

    pub(super) fn over(environment: &Environment, reading: Reading<'e>) -> ReadTxn<'e> {
        ReadTxn { reading, trees: environment.trees, now: now() }
    }

    /// What can be read, in the form that write transactions share.
    pub fn view(&self) -> View<'_> {
        View { txn: &self.reading.txn, trees: self.trees, catalog: &self.reading.catalog, now: self.now }
    }

    /// The tables as of the snapshot.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.reading.catalog
    }

    /// See [`View::get`].
    pub fn get(&self, table: &Table, key: &Value) -> Result<Option<Record<'_>>, StoreError> {
        self.view().get(table, key)
    }

    /// See [`View::get_encoded`].
    pub fn get_encoded(&self, table: &Table, key: &[u8]) -> Result<Option<Record<'_>>, StoreError> {
        self.view().get_encoded(table, key)
    }

    /// See [`View::scan`].
    pub fn scan(&self, table: &Table, range: KeyRange, reverse: bool) -> Result<Scan<'_>, StoreError> {
        self.view().scan(table, range, reverse)
    }

    /// See [`View::index`].
    pub fn index(
        &self,
        table: &Table,
        attribute: AttributeId,
        range: ValueRange,
        reverse: bool,
    ) -> Result<IndexScan<'_>, StoreError> {
        self.view().index(table, attribute, range, reverse)
    }

    /// See [`View::index_count`].
    pub fn index_count(
        &self,
        table: &Table,
        attribute: AttributeId,
        value: &Value,
    ) -> Result<u64, StoreError> {
        self.view().index_count(table, attribute, value)
    }

    /// See [`View::count`].
    pub fn count(&self, table: &Table) -> Result<u64, StoreError> {
        self.view().count(table)
    }

    /// See [`View::last_updated`].
    pub fn last_updated(&self, table: &Table) -> Result<Option<f64>, StoreError> {
        self.view().last_updated(table)
    }
}

/// What a transaction can read. Expired records do not exist in it.
#[derive(Clone, Copy)]
pub struct View<'t> {
    pub(super) txn: &'t RoTxn<'t, AnyTls>,
    pub(super) trees: Trees,
    pub(super) catalog: &'t Arc<Catalog>,
    pub(super) now: f64,
}

impl<'t> View<'t> {
    /// The tables.
    pub fn catalog(&self) -> &'t Arc<Catalog> {
        self.catalog
    }

    /// The moment that decides what has expired, in epoch milliseconds.
    pub fn now(&self) -> f64 {
        self.now
    }

    /// The record of a primary key.
    pub fn get(&self, table: &Table, key: &Value) -> Result<Option<Record<'t>>, StoreError> {
        let mut stored = Vec::with_capacity(64);
        stored.extend_from_slice(&table.id.to_be_bytes());
        let Some(exact) = keys::append_key(&mut stored, key) else { return Ok(None) };
        let record = self.get_stored(&stored)?;
        Ok(record.filter(|record| exact || compare(&record.key(), key) == Ordering::Equal))
    }

    /// The record of an encoded primary key, as index hits give it.
    pub fn get_encoded(&self, table: &Table, key: &[u8]) -> Result<Option<Record<'t>>, StoreError> {
        let mut stored = Vec::with_capacity(4 + key.len());
        stored.extend_from_slice(&table.id.to_be_bytes());
        stored.extend_from_slice(key);
        self.get_stored(&stored)
    }

    fn get_stored(&self, stored: &[u8]) -> Result<Option<Record<'t>>, StoreError> {
        let Some(bytes) = self.trees.records.get(self.txn, stored)? else { return Ok(None) };
        let record = Record::new(bytes)?;
        Ok((!record.is_expired(self.now)).then_some(record))
    }

    /// The records whose primary keys lie in a range, in key order or in reverse.
    pub fn scan(&self, table: &Table, range: KeyRange, reverse: bool) -> Result<Scan<'t>, StoreError> {
        let (start, end) = range.under(&table.id.to_be_bytes());
        let pairs = Pairs::new(self.txn, &self.trees.records, &start, &end, reverse)?;
        let check = (!range.is_exact_for_keys()).then_some(range);
        Ok(Scan { pairs, now: self.now, check, reverse, ahead: None, run: VecDeque::new() })
    }

    /// The index entries of an attribute whose values lie in a range, in the order of values then keys, or in
    /// reverse. An attribute without an index has none; the primary key has none either, scan instead.
    pub fn index(
        &self,
        table: &Table,
        attribute: AttributeId,
        range: ValueRange,
        reverse: bool,
    ) -> Result<IndexScan<'t>, StoreError> {
        let (start, end) = range.under(&index::prefix(table.id, attribute));
        let pairs = Pairs::new(self.txn, &self.trees.index, &start, &end, reverse)?;
        Ok(IndexScan { pairs, exact: range.is_exact() })
    }

    /// How many index entries of an attribute have one value. Costs a step per entry.
    pub fn index_count(
        &self,
        table: &Table,
        attribute: AttributeId,
        value: &Value,
    ) -> Result<u64, StoreError> {
        self.index_count_up_to(table, attribute, value, u64::MAX)
    }

    /// As [`View::index_count`], but stops counting at `limit`.
    pub fn index_count_up_to(
        &self,
        table: &Table,
        attribute: AttributeId,
        value: &Value,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        for hit in self.index(table, attribute, KeyRange::equal(value), false)? {
            hit?;
            count += 1;
            if count >= limit {
                break;
            }
        }
        Ok(count)
    }

    /// The number of live records.
    pub fn count(&self, table: &Table) -> Result<u64, StoreError> {
        let stored = self.size_of(table)?.records;
        Ok(stored.saturating_sub(self.expired(table)?.count() as u64))
    }

    /// The bytes a table's records take, without their indexes.
    pub fn table_size(&self, table: &Table) -> Result<u64, StoreError> {
        Ok(self.size_of(table)?.bytes)
    }

    /// The bytes that the histories of all tables take.
    pub fn history_size(&self) -> Result<u64, StoreError> {
        tree_size(self.txn, &self.trees.history)
    }

    /// The highest `__updatedtime__`; `None` without records or without an index of it.
    pub fn last_updated(&self, table: &Table) -> Result<Option<f64>, StoreError> {
        let Some(id) = table.attribute_id(super::catalog::UPDATED_TIME).filter(|id| table.is_indexed(*id))
        else {
            return Ok(None);
        };
        for hit in self.index(table, id, KeyRange::all(), true)? {
            let hit = hit?;
            if self.get_encoded(table, hit.key)?.is_some() {
                return Ok(hit.value().and_then(|value| value.as_number()));
            }
        }
        Ok(None)
    }

    pub(super) fn size_of(&self, table: &Table) -> Result<TableSize, StoreError> {
        TableSize::load(self.txn, &self.trees, table.id)
    }

    /// The encoded keys of the records that have expired and are not swept away yet.
    pub(super) fn expired(
        &self,
        table: &Table,
    ) -> Result<impl Iterator<Item = Result<&'t [u8], StoreError>> + use<'t>, StoreError> {
        let range = KeyRange::new(Bound::Unbounded, Bound::Included(&Value::Number(self.now)));
        Ok(self.index(table, EXPIRY, range, false)?.map(|hit| hit.map(|hit| hit.key)))
    }

    /// True when some record of the table expires at some time.
    pub(super) fn any_expiring(&self, table: &Table) -> Result<bool, StoreError> {
        Ok(self.index(table, EXPIRY, KeyRange::all(), false)?.next().transpose()?.is_some())
    }
}

/// How much a table holds, expired records included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TableSize {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl TableSize {
    pub(super) fn load(txn: &RoTxn<'_, AnyTls>, trees: &Trees, table: u32) -> Result<TableSize, StoreError> {
        let stored = trees.meta.get(txn, &meta_keys::size(table))?;
        let Some((records, rest)) = stored.and_then(|bytes| bytes.split_first_chunk::<8>()) else {
            return Ok(TableSize::default());
        };
        let bytes = rest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Ok(TableSize { records: u64::from_be_bytes(*records), bytes })
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.records.to_be_bytes());
        out[8..].copy_from_slice(&self.bytes.to_be_bytes());
        out
    }
}

/// A key of a tree and what is stored under it.
type Pair<'t> = (&'t [u8], &'t [u8]);

/// The pairs of a tree between two keys, either way.
pub(super) enum Pairs<'t> {
    Forward(RoRange<'t, Bytes, Bytes>),
    Reverse(RoRevRange<'t, Bytes, Bytes>),
}

impl<'t> Pairs<'t> {
    pub(super) fn new(
        txn: &'t RoTxn<'t, AnyTls>,
        tree: &Tree,
        start: &[u8],
        end: &[u8],
        reverse: bool,
    ) -> Result<Pairs<'t>, StoreError> {
        let range = (Bound::Included(start), Bound::Excluded(end));
        Ok(match reverse {
            false => Pairs::Forward(tree.range(txn, &range)?),
            true => Pairs::Reverse(tree.rev_range(txn, &range)?),
        })
    }

    /// All pairs whose keys begin with `prefix`.
    pub(super) fn under(
        txn: &'t RoTxn<'t, AnyTls>,
        tree: &Tree,
        prefix: &[u8],
    ) -> Result<Pairs<'t>, StoreError> {
        Pairs::new(txn, tree, prefix, &next_prefix(prefix), false)
    }
}

impl<'t> Iterator for Pairs<'t> {
    type Item = Result<Pair<'t>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self {
            Pairs::Forward(range) => range.next(),
            Pairs::Reverse(range) => range.next(),
        };
        next.map(|pair| pair.map_err(StoreError::from))
    }
}

/// The records of a scan.
pub struct Scan<'t> {
    pairs: Pairs<'t>,
    now: f64,
    check: Option<KeyRange>,
    reverse: bool,
    /// A pair already taken from `pairs`.
    ahead: Option<Pair<'t>>,
    /// Records whose keys agree up to where the tree cuts them, put in order.
    run: VecDeque<Record<'t>>,
}

impl<'t> Scan<'t> {
    fn pair(&mut self) -> Result<Option<Pair<'t>>, StoreError> {
        match self.ahead.take() {
            Some(pair) => Ok(Some(pair)),
            None => self.pairs.next().transpose(),
        }
    }

    fn record(&mut self) -> Result<Option<Record<'t>>, StoreError> {
        if let Some(record) = self.run.pop_front() {
            return Ok(Some(record));
        }
        let Some((key, bytes)) = self.pair()? else { return Ok(None) };
        let record = Record::new(bytes)?;
        match keys::cut_of(&key[TABLE_PREFIX..]) {
            None => Ok(Some(record)),
            Some(cut) => self.rest_of_run(cut, record),
        }
    }

    /// Takes all records whose keys have the same beginning as the first's, and gives the first in order.
    fn rest_of_run(&mut self, cut: &[u8], first: Record<'t>) -> Result<Option<Record<'t>>, StoreError> {
        let mut run = vec![(first.key(), first)];
        while let Some((key, bytes)) = self.pair()? {
            if keys::cut_of(&key[TABLE_PREFIX..]) != Some(cut) {
                self.ahead = Some((key, bytes));
                break;
            }
            let record = Record::new(bytes)?;
            run.push((record.key(), record));
        }
        run.sort_by(|(a, _), (b, _)| compare(a, b));
        if self.reverse {
            run.reverse();
        }
        self.run = run.into_iter().map(|(_, record)| record).collect();
        Ok(self.run.pop_front())
    }
}

impl<'t> Iterator for Scan<'t> {
    type Item = Result<Record<'t>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.record().transpose()? {
                Ok(record) if record.is_expired(self.now) => {}
                Ok(record) if self.check.as_ref().is_some_and(|range| !range.contains_key(&record.key())) => {
                }
                result => return Some(result),
            }
        }
    }
}

/// One entry of an index.
#[derive(Clone, Copy, Debug)]
pub struct IndexHit<'t> {
    /// The encoded primary key, for [`View::get_encoded`]. Its record may have expired.
    pub key: &'t [u8],
    /// True when the value surely lies in the range asked for; else it is to be checked with the record's value and
    /// [`KeyRange::contains`], as it or a bound is too long for an index.
    pub exact: bool,
    value: &'t [u8],
}

impl<'t> IndexHit<'t> {
    /// What the entry shares with all others whose values agree up to where an index cuts them; these lie together,
    /// in no order. `None` for values that are in the index whole.
    pub fn cut(&self) -> Option<&'t [u8]> {
        keys::cut_of(self.value)
    }

    /// True when `value` has this entry.
    pub fn is_of(&self, value: &Value) -> bool {
        let mut form = Vec::new();
        keys::append_scalar(&mut form, value) && {
            keys::shorten(&mut form, 0);
            form == self.value
        }
    }

    /// The indexed value, when it is short enough to be in the index. Dates and big integers come as numbers.
    pub fn value(&self) -> Option<Value> {
        keys::decode(self.value)
    }

    /// The primary key, when it is short enough to be in the index.
    pub fn primary_key(&self) -> Option<Value> {
        keys::decode(self.key)
    }

    /// The encoded value; equal for equal values.
    pub fn encoded_value(&self) -> &[u8] {
        self.value
    }
}

/// The entries of an index scan.
pub struct IndexScan<'t> {
    pairs: Pairs<'t>,
    exact: bool,
}

impl<'t> Iterator for IndexScan<'t> {
    type Item = Result<IndexHit<'t>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let hit = self.pairs.next()?.map(|(key, primary)| {
            let value = key.get(index::PREFIX..).unwrap_or_default();
            IndexHit { key: primary, exact: self.exact && keys::is_exact(value), value }
        });
        Some(hit)
    }
}
