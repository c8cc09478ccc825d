//! The history of a table: one entry per request, with the records as they became and as they were.
//!
//! ```text
//! history     table u32, time, number u64                → entry
//! numbers     number u64                                 → table u32, time
//! tombstones  table u32, encoded primary key             → place of the record's last change
//! meta        `writer-`, table u32, encoded user name    → number of the user's last entry
//! meta        `history`                                  → next number u64, time of the last entry f64
//! ```
//!
//! Numbers are given to entries in the order of their commits, across all tables of a database, and never again. An
//! entry is
//!
//! ```text
//! format u8 | operation (u16 length, text) | user (u16 length or ffff for none, text) | origin (likewise) |
//! with an origin only: epoch there (likewise), number there u64, number of the one told before u64 |
//! previous entry of the user u64 | n u32 |
//! n × (place of the record's previous change u64 u32; flags and length u32, record after; length u32, record before;
//!      for a patch: m u32, m × attribute written u32, its highest bit set when the value was added to)
//! ```
//!
//! with lengths of 0 where there is no record after (a deletion) or before (a creation). So an entry costs two puts,
//! and yet is found by its time, by its number, by its user and by the primary key of each of its records: the last two
//! are chains that begin in `meta`, and in the record itself or its tombstone. The chain of a record is in the order of
//! the versions of its changes, newest first; a change from another node that is older than what is there is put into
//! the middle.
//!
//! A change has flags: it is a *patch* (some attributes were written, named behind the records) or whole; it is *bare*
//! (the record after holds only what was written, not what became of it, and there is no record before: so are changes
//! that came late); its record before is a *stub* (nothing but the primary key of what was deleted unseen). Entries of
//! format 2 have no flags and no epochs, and are read as whole changes.

mod chain;
mod migrate;
mod purge;
mod read;

pub(super) use chain::Link;
pub(super) use migrate::migrate;
pub use read::{History, HistoryChange, HistoryRecord};

use super::catalog::{AttributeId, Table};
use super::environment::{Trees, meta_keys};
use super::error::StoreError;
use super::keys;
use super::record::Place;
use super::write::WriteTxn;
use heed::{AnyTls, PutFlags, RoTxn};

const FORMAT: u8 = 3;
/// The format without flags and epochs.
const PLAIN_FORMAT: u8 = 2;
/// Some attributes were written and the others kept.
const PATCH: u32 = 1 << 31;
/// The record after is what was written, not what became of the record.
const BARE: u32 = 1 << 30;
/// The record before is nothing but a primary key.
const STUB: u32 = 1 << 29;
/// The attribute's number was added to.
const INCREMENT: u32 = 1 << 31;
/// The lengths beside the flags.
const LENGTH: u32 = STUB - 1;
const NO_TEXT: u16 = u16::MAX;

/// What a request says of its changes; the records come from the writes themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryEntry<'a> {
    /// The kind of change: `insert`, `update`, `upsert`, `delete`.
    pub operation: &'a str,
    /// Who made it.
    pub user: Option<&'a str>,
    /// Where it was made; `None` for this node.
    pub origin: Option<Origin<'a>>,
}

impl<'a> HistoryEntry<'a> {
    /// An entry for one kind of change by one user of this node.
    pub fn new(operation: &'a str, user: Option<&'a str>) -> HistoryEntry<'a> {
        HistoryEntry { operation, user, origin: None }
    }
}

/// Where an entry that came from another node was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The node's name.
    pub node: &'a str,
    /// Which of the node's histories: a history begun anew has another one.
    pub epoch: &'a str,
    /// The number of the entry there; 0 for what came with a copy, which is no part of that history.
    pub number: u64,
    /// The number of the entry before that was told.
    pub previous: u64,
}

/// An attribute as the list of a patch has it.
pub(super) fn patch_id(id: AttributeId, is_increment: bool) -> AttributeId {
    if is_increment { AttributeId(id.0 | INCREMENT) } else { id }
}

/// What is logged of a change of one record.
#[derive(Clone, Copy, Default)]
pub(super) struct Change<'a> {
    /// The record as it became, or for bare changes what was written.
    pub(super) after: Option<&'a [u8]>,
    /// The record as it was.
    pub(super) before: Option<&'a [u8]>,
    /// The attributes written, when the others were kept.
    pub(super) patch: Option<&'a [AttributeId]>,
    pub(super) bare: bool,
    pub(super) stub: bool,
}

/// The changes of one request to one table, until the request logs them.
pub(super) struct Collected {
    table: u32,
    /// The number of the entry to be.
    number: u64,
    count: u32,
    bytes: Vec<u8>,
}

impl Collected {
    /// Where the next change will lie.
    pub(super) fn next_place(&self) -> Place {
        Place { entry: self.number, offset: self.bytes.len() as u32 }
    }

    pub(super) fn push(&mut self, previous: Place, change: Change<'_>) {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let flags = flag(change.patch.is_some(), PATCH) | flag(change.bare, BARE) | flag(change.stub, STUB);
        self.bytes.extend_from_slice(&previous.to_bytes());
        for (record, flags) in [(change.after, flags), (change.before, 0)] {
            let record = record.unwrap_or_default();
            self.bytes.extend_from_slice(&(record.len() as u32 | flags).to_be_bytes());
            self.bytes.extend_from_slice(record);
        }
        if let Some(written) = change.patch {
            self.bytes.extend_from_slice(&(written.len() as u32).to_be_bytes());
            written.iter().for_each(|id| self.bytes.extend_from_slice(&id.0.to_be_bytes()));
        }
        self.count += 1;
    }
}

/// What a transaction knows of the histories of its database.
#[derive(Default)]
pub(super) struct Ledger {
    /// The number of the next entry; read when the first is made.
    next: Option<u64>,
    changed: bool,
    /// The last entries of users, by their keys in the `meta` tree.
    writers: Vec<(Vec<u8>, u64)>,
    /// The changes of the request so far.
    collected: Vec<Collected>,
    /// The number of the entry that the request logged last.
    logged: Option<u64>,
    /// A buffer to be used again.
    spare: Vec<u8>,
}

impl Ledger {
    /// Forgets what the request before left without logging it.
    pub(super) fn begin_request(&mut self) {
        self.logged = None;
        self.collected.clear();
    }

    /// The changes of the request to a table.
    pub(super) fn collected(
        &mut self,
        txn: &RoTxn<'_, AnyTls>,
        trees: &Trees,
        table: u32,
    ) -> Result<&mut Collected, StoreError> {
        let at = match self.collected.iter().position(|collected| collected.table == table) {
            Some(at) => at,
            None => {
                let number = self.number(txn, trees)?;
                let mut bytes = std::mem::take(&mut self.spare);
                bytes.clear();
                self.collected.push(Collected { table, number, count: 0, bytes });
                self.collected.len() - 1
            }
        };
        Ok(&mut self.collected[at])
    }

    /// True when a place is in the entry that this request is about to log of a table.
    pub(super) fn is_collecting(&self, table: u32, place: Place) -> bool {
        self.collected.iter().any(|collected| collected.table == table && collected.number == place.entry)
    }

    fn number(&mut self, txn: &RoTxn<'_, AnyTls>, trees: &Trees) -> Result<u64, StoreError> {
        let number = match self.next {
            Some(next) => next,
            None => last_state(txn, trees)?.0,
        };
        self.next = Some(number + 1);
        self.changed = true;
        Ok(number)
    }

    /// The number of a user's last entry, 0 for none; it becomes `number`.
    fn succeed_writer(
        &mut self,
        txn: &RoTxn<'_, AnyTls>,
        trees: &Trees,
        key: &[u8],
        number: u64,
    ) -> Result<u64, StoreError> {
        if let Some((_, last)) = self.writers.iter_mut().find(|(writer, _)| writer == key) {
            return Ok(std::mem::replace(last, number));
        }
        let last = trees.meta.get(txn, key)?.and_then(|bytes| bytes.first_chunk::<8>());
        self.writers.push((key.to_vec(), number));
        Ok(last.map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }
}

/// The number of the next entry and the time of the last.
pub(super) fn last_state(txn: &RoTxn<'_, AnyTls>, trees: &Trees) -> Result<(u64, f64), StoreError> {
    let stored = trees.meta.get(txn, meta_keys::HISTORY)?;
    let Some((next, rest)) = stored.and_then(|bytes| bytes.split_first_chunk::<8>()) else {
        return Ok((1, 0.0));
    };
    let time = rest.first_chunk::<8>().map_or(0.0, |bytes| f64::from_be_bytes(*bytes));
    Ok((u64::from_be_bytes(*next), time))
}

impl WriteTxn<'_> {
    /// Logs what this request has changed in a table since it began or last logged, as one entry with this request's
    /// time. Nothing happens when the table keeps no history or nothing was changed.
    pub fn log_history(&mut self, table: &Table, entry: HistoryEntry<'_>) -> Result<(), StoreError> {
        self.log_history_at(table, entry, self.timestamp())
    }

    /// As [`WriteTxn::log_history`], with the time at which it was made elsewhere.
    pub(super) fn log_history_at(
        &mut self,
        table: &Table,
        entry: HistoryEntry<'_>,
        time: f64,
    ) -> Result<(), StoreError> {
        let Some(at) = self.ledger.collected.iter().position(|collected| collected.table == table.id) else {
            return Ok(());
        };
        let collected = self.ledger.collected.swap_remove(at);
        if collected.count == 0 {
            return Ok(());
        }
        let trees = self.environment.trees;
        let mut before = 0;
        if let Some(user) = entry.user {
            let key = writer_key(table.id, user);
            before = self.ledger.succeed_writer(&self.txn, &trees, &key, collected.number)?;
        }
        let head = head(entry, before, collected.count);
        let key = key(table.id, time, collected.number);
        self.changes += 1;
        let put = trees.history.put_parts(&mut self.txn, &key, &[&head, &collected.bytes]);
        self.noted(put)?;
        let (number, place) = (collected.number.to_be_bytes(), number_value(table.id, time));
        let put = trees.numbers.put_with_flags(&mut self.txn, PutFlags::APPEND, &number, &place);
        self.noted(put)?;
        self.ledger.logged = Some(collected.number);
        self.ledger.spare = collected.bytes;
        Ok(())
    }

    /// The number of the entry that this request has logged last.
    pub fn logged(&self) -> Option<u64> {
        self.ledger.logged
    }

    /// Writes what the ledger knows; part of the commit.
    pub(super) fn write_ledger(&mut self) -> Result<(), StoreError> {
        let meta = self.environment.trees.meta;
        for (key, number) in std::mem::take(&mut self.ledger.writers) {
            let put = meta.put(&mut self.txn, &key, &number.to_be_bytes());
            self.noted(put)?;
        }
        if let Some(next) = self.ledger.next.filter(|_| self.ledger.changed) {
            let state = [next.to_be_bytes(), self.timestamp().to_be_bytes()].concat();
            let put = meta.put(&mut self.txn, meta_keys::HISTORY, &state);
            self.noted(put)?;
            self.ledger.changed = false;
        }
        Ok(())
    }
}

/// An entry up to its changes.
fn head(entry: HistoryEntry<'_>, previous: u64, count: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(64);
    head.push(FORMAT);
    append_text(&mut head, Some(entry.operation));
    append_text(&mut head, entry.user);
    append_text(&mut head, entry.origin.map(|origin| origin.node));
    if let Some(origin) = entry.origin {
        append_text(&mut head, Some(origin.epoch));
        head.extend_from_slice(&origin.number.to_be_bytes());
        head.extend_from_slice(&origin.previous.to_be_bytes());
    }
    head.extend_from_slice(&previous.to_be_bytes());
    head.extend_from_slice(&count.to_be_bytes());
    head
}

fn append_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text.map(within) {
        Some(text) => {
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        None => out.extend_from_slice(&NO_TEXT.to_be_bytes()),
    }
}

/// At most as much of a text as its length field can tell.
fn within(text: &str) -> &str {
    let mut end = text.len().min(usize::from(NO_TEXT) - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The length of an entry's key.
const KEY: usize = 21;

/// The key of an entry.
fn key(table: u32, time: f64, number: u64) -> [u8; KEY] {
    let mut key = [0; KEY];
    key[..4].copy_from_slice(&table.to_be_bytes());
    key[4..13].copy_from_slice(&keys::number_form(time));
    key[13..].copy_from_slice(&number.to_be_bytes());
    key
}

/// What the `numbers` tree holds: where the entry lies.
fn number_value(table: u32, time: f64) -> [u8; 12] {
    let mut value = [0; 12];
    value[..4].copy_from_slice(&table.to_be_bytes());
    value[4..].copy_from_slice(&time.to_be_bytes());
    value
}

/// The table, time and number in an entry's key.
fn split_key(key: &[u8]) -> Option<(u32, f64, u64)> {
    let (table, rest) = key.split_first_chunk::<4>()?;
    let (time, number) = rest.split_last_chunk::<8>()?;
    Some((u32::from_be_bytes(*table), keys::decode(time)?.as_number()?, u64::from_be_bytes(*number)))
}

/// What leads from an entry's number to its key, as the `numbers` tree holds it.
pub(super) fn number_pair(key: &[u8]) -> Option<([u8; 8], [u8; 12])> {
    let (table, time, number) = split_key(key)?;
    Some((number.to_be_bytes(), number_value(table, time)))
}

/// The key of a user's last entry in the `meta` tree. Long names share keys, so entries tell the user too.
fn writer_key(table: u32, user: &str) -> Vec<u8> {
    const LONGEST: usize = 400;
    let mut end = user.len().min(LONGEST);
    while !user.is_char_boundary(end) {
        end -= 1;
    }
    let mut key = meta_keys::writers(table);
    key.extend_from_slice(&user.as_bytes()[..end]);
    key
}
