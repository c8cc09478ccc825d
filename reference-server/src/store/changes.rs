//! Write transactions that can keep a list of their changes, so that these are written down and made again.

use super::environment::Trees;
use super::error::StoreError;
use heed::types::Bytes;
use heed::{PutFlags, RwTxn};
use std::io::Write as _;
use std::ops::{Bound, Deref};

/// A list that would be longer is not kept.
pub(super) const LONGEST_LIST: usize = 256 << 10;

/// What LMDB calls a database.
pub(super) type RawTree = heed::Database<'static, Bytes, Bytes>;

/// A tree from bytes to bytes. It is read as any of LMDB's, but changed only through a [`Writing`].
#[derive(Clone, Copy)]
pub(super) struct Tree {
    raw: RawTree,
    /// What tells its changes from those of others.
    number: u8,
}

impl Tree {
    /// `number` belongs to the format of what is on disk.
    pub(super) fn new(raw: RawTree, number: u8) -> Tree {
        Tree { raw, number }
    }

    /// Stores a value under a key; in a tree with duplicates, besides those that are there.
    pub(super) fn put(&self, txn: &mut Writing<'_>, key: &[u8], value: &[u8]) -> heed::Result<()> {
        self.put_with_flags(txn, PutFlags::empty(), key, value)
    }

    /// As [`Tree::put`], with LMDB's conditions and hints.
    pub(super) fn put_with_flags(
        &self,
        txn: &mut Writing<'_>,
        flags: PutFlags,
        key: &[u8],
        value: &[u8],
    ) -> heed::Result<()> {
        self.raw.put_with_flags(&mut txn.txn, flags, key, value)?;
        txn.note(self.number, Kind::Put, key, &[value]);
        Ok(())
    }

    /// As [`Tree::put`], of a value that is in several pieces.
    pub(super) fn put_parts(&self, txn: &mut Writing<'_>, key: &[u8], parts: &[&[u8]]) -> heed::Result<()> {
        let length = parts.iter().map(|part| part.len()).sum();
        self.raw.put_reserved(&mut txn.txn, key, length, |space| {
            parts.iter().try_for_each(|part| space.write_all(part))
        })?;
        txn.note(self.number, Kind::Put, key, parts);
        Ok(())
    }

    /// Deletes a key with all its values; tells whether it was there.
    pub(super) fn delete(&self, txn: &mut Writing<'_>, key: &[u8]) -> heed::Result<bool> {
        txn.note(self.number, Kind::Delete, key, &[]);
        self.raw.delete(&mut txn.txn, key)
    }

    /// Deletes one of a key's values; tells whether it was there.
    pub(super) fn delete_one_duplicate(
        &self,
        txn: &mut Writing<'_>,
        key: &[u8],
        value: &[u8],
    ) -> heed::Result<bool> {
        txn.note(self.number, Kind::DeleteDuplicate, key, &[value]);
        self.raw.delete_one_duplicate(&mut txn.txn, key, value)
    }

    /// Deletes the keys from one on, up to and without another; returns how many values they had. No list is kept of
    /// that.
    pub(super) fn delete_range(
        &self,
        txn: &mut Writing<'_>,
        start: &[u8],
        end: &[u8],
    ) -> heed::Result<usize> {
        txn.changes = None;
        self.raw.delete_range(&mut txn.txn, &(Bound::Included(start), Bound::Excluded(end)))
    }
}

impl Deref for Tree {
    type Target = RawTree;

    fn deref(&self) -> &RawTree {
        &self.raw
    }
}

/// A write transaction. It is read as any of LMDB's.
pub(super) struct Writing<'e> {
    txn: RwTxn<'e>,
    /// What was changed; `None` when that is not wanted, or was too much.
    changes: Option<Vec<u8>>,
}

impl<'e> Writing<'e> {
    /// One that keeps no list.
    pub(super) fn new(txn: RwTxn<'e>) -> Writing<'e> {
        Writing { txn, changes: None }
    }

    /// One that lists its changes behind what `list` holds.
    pub(super) fn listed(txn: RwTxn<'e>, list: Vec<u8>) -> Writing<'e> {
        Writing { txn, changes: Some(list) }
    }

    /// The transaction, and the list when it was kept.
    pub(super) fn into_parts(self) -> (RwTxn<'e>, Option<Vec<u8>>) {
        (self.txn, self.changes)
    }

    /// The transaction as LMDB has it, to begin a part of it.
    pub(super) fn whole(&mut self) -> &mut RwTxn<'e> {
        &mut self.txn
    }

    pub(super) fn commit(self) -> heed::Result<()> {
        self.txn.commit()
    }

    fn note(&mut self, tree: u8, kind: Kind, key: &[u8], value: &[&[u8]]) {
        let Some(list) = &mut self.changes else { return };
        let length: usize = value.iter().map(|part| part.len()).sum();
        if list.len() + key.len() + length > LONGEST_LIST {
            self.changes = None;
            return;
        }
        list.push(tree << KIND_BITS | kind as u8);
        list.extend((key.len() as u32).to_le_bytes());
        list.extend((length as u32).to_le_bytes());
        list.extend(key);
        value.iter().for_each(|part| list.extend(*part));
    }
}

impl<'e> Deref for Writing<'e> {
    type Target = RwTxn<'e>;

    fn deref(&self) -> &RwTxn<'e> {
        &self.txn
    }
}

/// How a list of changes tells what was done: the first byte of a change has the number of the tree and one of these.
/// The lengths of key and value follow, then both.
#[derive(Clone, Copy)]
enum Kind {
    Put = 0,
    Delete = 1,
    DeleteDuplicate = 2,
}

const KIND_BITS: u32 = 2;

/// Makes the changes of a list again, in a database that is as it was when they were made first.
///
/// # Errors
/// [`StoreError::Corrupt`] for what is no list; otherwise when LMDB fails.
pub(super) fn make_again(list: &[u8], txn: &mut Writing<'_>, trees: &Trees) -> Result<(), StoreError> {
    let mut rest = list;
    while let Some((change, following)) = next_change(rest) {
        rest = following;
        let tree = trees.numbered(change.tree).ok_or_else(unreadable)?;
        match change.kind {
            0 => tree.put(txn, change.key, change.value)?,
            1 => drop(tree.delete(txn, change.key)?),
            2 => drop(tree.delete_one_duplicate(txn, change.key, change.value)?),
            _ => return Err(unreadable()),
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(unreadable()) }
}

fn unreadable() -> StoreError {
    StoreError::Corrupt("a journal holds what is no change".to_owned())
}

struct Listed<'l> {
    tree: u8,
    kind: u8,
    key: &'l [u8],
    value: &'l [u8],
}

fn next_change(list: &[u8]) -> Option<(Listed<'_>, &[u8])> {
    let (&first, rest) = list.split_first()?;
    let (key_length, rest) = rest.split_first_chunk()?;
    let (value_length, rest) = rest.split_first_chunk()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_length) as usize)?;
    let kind = first & ((1 << KIND_BITS) - 1);
    Some((Listed { tree: first >> KIND_BITS, kind, key, value }, rest))
}
