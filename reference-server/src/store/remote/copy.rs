//! Whole tables for another node: every record as the changes it is made of, and what was deleted.
//!
//! Mostly a record is one change, of its version. One that was patched is told as it was written whole last and what is
//! left of the patches since, as a change that comes late to the taker has to find its place among them.

use super::place::{Known, Making};
use super::{RemoteWrite, Source, WriteKind, increment_of};
use crate::store::catalog::Table;
use crate::store::error::StoreError;
use crate::store::history::Origin;
use crate::store::keys;
use crate::store::prepare::{find_attributes, stored_key};
use crate::store::ranges::next_prefix;
use crate::store::read::{Pairs, View};
use crate::store::record::{Place, Record};
use crate::store::write::{MOST_PENDING, WriteTxn};
use crate::value::{Object, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// A change as a copy tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// What it is.
    pub kind: WriteKind,
    /// The primary key.
    pub key: Value,
    /// What was written; of a patch what shows of it.
    pub record: Object,
    /// Epoch milliseconds of the record's first write.
    pub created: f64,
    /// Epoch milliseconds of the change.
    pub time: f64,
    /// Epoch milliseconds from which on the record does not exist.
    pub expires_at: Option<f64>,
    /// The node that made it; `None` where nobody knows any more.
    pub origin: Option<String>,
}

/// Some changes, and where the next page begins.
#[derive(Debug, Default)]
pub struct CopiedPage {
    /// The changes; those of one record together, earliest first.
    pub changes: Vec<Copied>,
    /// What to ask for the next page with; `None` when there are no more.
    pub next: Option<Vec<u8>>,
}

impl View<'_> {
    /// The records of a table from `from` on, as much as about `bytes` bytes; or the deletions that the history still
    /// has, with what they took away, as a patch that was made without knowing of one goes on with that. `own` is the
    /// name of this node.
    ///
    /// # Errors
    /// When the data is damaged.
    pub fn copied(
        &self,
        table: &Table,
        own: &str,
        of_deletions: bool,
        from: Option<&[u8]>,
        bytes: usize,
    ) -> Result<CopiedPage, StoreError> {
        let start = table.id.to_be_bytes();
        let from = from.filter(|from| from.starts_with(&start)).unwrap_or(&start);
        let tree = if of_deletions { &self.trees.tombstones } else { &self.trees.records };
        let mut page = CopiedPage::default();
        let mut size = 0;
        for pair in Pairs::new(self.txn, tree, from, &next_prefix(&start), false)? {
            let (key, value) = pair?;
            if size > bytes {
                page.next = Some(key.to_vec());
                break;
            }
            if of_deletions {
                self.tell_deletion(table, own, value, &mut page.changes)?;
                size += key.len() + 64;
            } else {
                let record = Record::new(value)?;
                if !record.is_expired(self.now) {
                    self.tell(table, own, &record, &mut page.changes)?;
                }
                size += value.len();
            }
        }
        Ok(page)
    }

    /// Tells what a tombstone leads to.
    fn tell_deletion(
        &self,
        table: &Table,
        own: &str,
        tombstone: &[u8],
        out: &mut Vec<Copied>,
    ) -> Result<(), StoreError> {
        if let Some(place) = Place::from_bytes(tombstone)
            && let Some(link) = self.link(table, place)?
            && link.change.after.is_none()
        {
            self.tell_making(table, own, &link.change.key(), place, out)?;
        }
        Ok(())
    }

    /// Tells a record as the changes it is made of.
    fn tell(
        &self,
        table: &Table,
        own: &str,
        record: &Record<'_>,
        out: &mut Vec<Copied>,
    ) -> Result<(), StoreError> {
        let key = record.key();
        let place = record.last_change();
        let patched = self.link(table, place)?.is_some_and(|link| link.change.is_patch());
        if !patched {
            let origin = self.origin_at(table, place)?.map(|origin| origin.unwrap_or(own).to_owned());
            out.push(whole(table, &key, record, origin));
            return Ok(());
        }
        self.tell_making(table, own, &key, place, out)
    }

    /// Tells what shows of the changes of a record from a place on.
    fn tell_making(
        &self,
        table: &Table,
        own: &str,
        key: &Value,
        place: Place,
        out: &mut Vec<Copied>,
    ) -> Result<(), StoreError> {
        let making = Making::of(*self, table, place, key, own)?;
        let start = out.len();
        let mut hidden: HashSet<String> = HashSet::new();
        let last = making.changes.iter().rposition(|known| known.kind != WriteKind::Delete).unwrap_or(0);
        for (at, known) in making.changes.into_iter().enumerate() {
            // The first and the last tell more than what they wrote: the version, and when the record was made.
            let is_needed = at == 0 || (at == last && making.base.is_none());
            out.extend(what_shows(table, key, known, is_needed, &mut hidden));
        }
        if let Some(base) = making.base {
            out.push(Copied {
                kind: WriteKind::Put,
                key: key.clone(),
                created: base.state.created(),
                time: base.time,
                expires_at: base.state.expires_at(),
                record: base.state.members,
                origin: base.origin,
            });
        }
        if let Some(told) = out.get_mut(start..) {
            told.reverse();
        }
        Ok(())
    }
}

fn whole(table: &Table, key: &Value, record: &Record<'_>, origin: Option<String>) -> Copied {
    let members =
        record.attributes().map(|(id, value)| (table.attribute_name(id).to_owned(), value.decode()));
    Copied {
        kind: WriteKind::Put,
        key: key.clone(),
        record: members.collect(),
        created: record.created(),
        time: record.updated(),
        expires_at: record.expires_at(),
        origin,
    }
}

/// What later patches leave of a change; they have written what is `hidden`.
fn what_shows(
    table: &Table,
    key: &Value,
    known: Known,
    is_needed: bool,
    hidden: &mut HashSet<String>,
) -> Option<Copied> {
    let (created, expires_at) = (known.state.created(), known.state.expires_at());
    let mut record = known.state.members;
    if known.kind == WriteKind::Patch {
        record.retain(|name, _| *name == table.primary_key || !hidden.contains(name));
        // What an increment adds to still shows.
        let hiding = record.iter().filter(|(_, value)| increment_of(value).is_none());
        hidden.extend(hiding.map(|(name, _)| name.clone()));
    }
    if !is_needed && known.kind != WriteKind::Put && record.len() <= 1 {
        return None;
    }
    let (kind, time, origin) = (known.kind, known.time, Some(known.origin));
    Some(Copied { kind, key: key.clone(), record, created, time, expires_at, origin })
}

impl WriteTxn<'_> {
    /// Takes a change of a copy; newer ones stay. `own` is the name of this node.
    ///
    /// # Errors
    /// When the key cannot be used, or LMDB fails.
    pub fn take_copied(&mut self, table: &Arc<Table>, own: &str, copied: &Copied) -> Result<(), StoreError> {
        let write = RemoteWrite {
            kind: copied.kind,
            key: &copied.key,
            record: &copied.record,
            created: copied.created,
            expires_at: copied.expires_at,
        };
        if copied.kind == WriteKind::Put && self.is_unheard_of(table, &copied.key)? {
            return self.put_unlogged(table, copied, &write);
        }
        let node = copied.origin.as_deref().unwrap_or_default();
        let origin = Origin { node, epoch: "", number: 0, previous: 0 };
        let source = Source { own, origin, timestamp: copied.time };
        self.apply_remote(table, &source, &write)?;
        let operation = match copied.kind {
            WriteKind::Put => "insert",
            WriteKind::Patch => "update",
            WriteKind::Delete => "delete",
        };
        self.log_remote(table, &source, operation, None)
    }

    /// Whether there neither is nor was a record.
    fn is_unheard_of(&self, table: &Table, key: &Value) -> Result<bool, StoreError> {
        let mut stored = table.id.to_be_bytes().to_vec();
        if keys::append_key(&mut stored, key).is_none() {
            return Err(StoreError::UnusableKey);
        }
        let trees = &self.environment.trees;
        Ok(trees.records.get(&self.txn, &stored)?.is_none()
            && trees.tombstones.get(&self.txn, &stored)?.is_none())
    }

    /// Stores a record that nothing is known of, without a history.
    fn put_unlogged(
        &mut self,
        table: &Arc<Table>,
        copied: &Copied,
        write: &RemoteWrite<'_>,
    ) -> Result<(), StoreError> {
        self.note_time(copied.time);
        let mut table = self.current(table)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let record = super::with_key(&table, write);
        if !find_attributes(&mut scratch.attributes, &table, &record) {
            table = self.intern_names(&table, &record)?;
        }
        stored_key(&mut scratch.key, &table, &copied.key)?;
        let place = match &copied.origin {
            Some(origin) => Place { entry: 0, offset: self.origin_number(origin)? },
            None => Place::NONE,
        };
        let state = super::State::of_write(write, &record);
        self.store_state(&mut scratch, &table, &copied.key, &state, copied.time, place)?;
        self.scratch = scratch;
        if self.pending.size() > MOST_PENDING {
            self.write_pending()?;
        }
        Ok(())
    }
}
