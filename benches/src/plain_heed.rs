//! The same keys, values and index entries that a server stored, written with heed and nothing else: what LMDB alone
//! costs.

use anyhow::{Context, bail, ensure};
use heed::types::Bytes;
use heed::{Database, DatabaseFlags, Env, EnvFlags, EnvOpenOptions, WithoutTls};
use std::collections::HashMap;
use std::path::Path;

type Tree = Database<'static, Bytes, Bytes>;

/// A key and a value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// What one record is in the trees.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its entry in the tree of records.
    pub record: Pair,
    /// Its entries in the tree of indexes.
    pub index: Vec<Pair>,
}

/// In which order a request's index entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Record by record.
    ByRecord,
    /// In the order of the tree, sorted within the time measured.
    Sorted,
}

/// Reads the records of a database's only table, with their index entries, from a copy made by `get_backup`. They
/// come in the order of their keys.
///
/// # Errors
/// When the file is no such copy.
pub fn read(copy: &Path) -> anyhow::Result<Vec<Stored>> {
    let env = open_env(copy, 1 << 34, EnvFlags::READ_ONLY)?;
    let txn = env.read_txn()?;
    let trees = env.open_databases_and_commit(txn, |opener, txn| {
        let tree = |name: &str| {
            let mut options = opener.database_options().types::<Bytes, Bytes>();
            options.name(name).open(txn)
        };
        let trees = (tree("records")?, tree("index")?);
        Ok::<_, heed::Error>(heed::CommitOrAbort::<_, ()>::Commit(trees))
    })?;
    let (Some(records), Some(index)) = trees.commit().context("the trees were not opened")? else {
        bail!("the copy lacks a tree");
    };
    let txn = env.read_txn()?;
    let mut stored: Vec<Stored> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for pair in records.iter(&txn)? {
        let (key, value) = pair?;
        // In the index stands the key without the table's number, which is four bytes.
        places.insert(key.get(4..).context("a short key")?.to_vec(), stored.len());
        stored.push(Stored { record: (key.to_vec(), value.to_vec()), index: Vec::new() });
    }
    for pair in index.iter(&txn)? {
        let (entry, key) = pair?;
        let place = places.get(key).context("an index entry without its record")?;
        stored[*place].index.push((entry.to_vec(), key.to_vec()));
    }
    ensure!(!stored.is_empty(), "the copy has no records");
    Ok(stored)
}

/// An LMDB file with the two trees.
pub struct PlainHeed {
    env: Env<WithoutTls>,
    records: Tree,
    index: Tree,
}

impl PlainHeed {
    /// A new file; `durable` decides whether commits are synced.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(file: &Path, durable: bool) -> anyhow::Result<PlainHeed> {
        let flags = if durable { EnvFlags::empty() } else { EnvFlags::NO_SYNC };
        let env = open_env(file, 4 << 30, flags)?;
        let txn = env.write_txn()?;
        let trees = env.create_databases_and_commit(txn, |opener, txn| {
            let mut tree = |name: &str, flags: DatabaseFlags| {
                let mut options = opener.database_options().types::<Bytes, Bytes>();
                options.name(name).flags(flags).create(txn)
            };
            let trees = (tree("records", DatabaseFlags::empty())?, tree("index", DatabaseFlags::DUP_SORT)?);
            Ok::<_, heed::Error>(heed::CommitOrAbort::<_, ()>::Commit(trees))
        })?;
        let (records, index) = trees.commit().context("the trees were not made")?;
        Ok(PlainHeed { env, records, index })
    }

    /// Writes some records in one transaction: what a request does.
    ///
    /// # Errors
    /// When LMDB refuses.
    pub fn write(&self, records: &[Stored], order: Order) -> anyhow::Result<()> {
        let mut txn = self.env.write_txn()?;
        match order {
            Order::ByRecord => {
                for Stored { record: (key, value), index } in records {
                    self.records.put(&mut txn, key, value)?;
                    for (entry, key) in index {
                        self.index.put(&mut txn, entry, key)?;
                    }
                }
            }
            Order::Sorted => {
                let mut entries: Vec<&Pair> = records.iter().flat_map(|stored| &stored.index).collect();
                entries.sort_unstable();
                for Stored { record: (key, value), .. } in records {
                    self.records.put(&mut txn, key, value)?;
                }
                for (entry, key) in entries {
                    self.index.put(&mut txn, entry, key)?;
                }
            }
        }
        Ok(txn.commit()?)
    }
}

fn open_env(file: &Path, map_size: usize, flags: EnvFlags) -> anyhow::Result<Env<WithoutTls>> {
    let mut opening = EnvOpenOptions::new().read_txn_without_tls();
    opening.map_size(map_size).max_dbs(8);
    // SAFETY: the file is in a folder of this process and nobody else writes to it. READ_ONLY and NO_SYNC ask less of
    // LMDB, not more of the caller.
    #[allow(unsafe_code)]
    let env = unsafe {
        opening.flags(flags | EnvFlags::NO_SUB_DIR);
        opening.open(file)
    };
    env.with_context(|| format!("cannot open {}", file.display()))
}
