//! One LMDB environment and the few trees in it: the only place that opens, sizes and syncs one.

use super::catalog::{Catalog, Table};
use super::changes::{RawTree, Tree, Writing};
use super::error::StoreError;
use super::gate::{Gate, Visit};
use super::history;
use super::journal::{self, Base};
use super::lag::Lag;
use super::resident::Thrift;
use arc_swap::ArcSwap;
use heed::types::Bytes;
use heed::{
    AnyTls, CommitOrAbort, CompactionOption, DatabaseFlags, Env, EnvFlags, EnvOpenOptions, MdbError, RoTxn,
    RwTxn, WithoutTls,
};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// The format of what is on disk; older ones are migrated at opening, newer ones refused.
pub(super) const FORMAT: u32 = 3;

/// How long growing waits for snapshots to end. Backups are long, too.
const GROWTH_PATIENCE: Duration = Duration::from_secs(120);

/// How databases are opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The size of a new database's memory map in bytes: address space, not disk. It grows by itself.
    pub map_size: usize,
    /// Acknowledge writes before they are durable.
    pub write_async: bool,
    /// Never sync; for tests only.
    pub no_sync: bool,
    /// How many read transactions one database can have at the same time.
    pub max_readers: u32,
    /// How long history entries are kept; `None` for ever.
    pub history_retention: Option<Duration>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let map_size = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 64 << 20 };
        StoreOptions {
            map_size,
            write_async: false,
            no_sync: false,
            max_readers: 1024,
            history_retention: None,
        }
    }
}

/// The trees of an environment.
#[derive(Clone, Copy)]
pub(super) struct Trees {
    /// Format, name, table definitions, sizes of tables, dropped tables.
    pub(super) meta: Tree,
    /// Table id and encoded primary key → record.
    pub(super) records: Tree,
    /// Table id, attribute id and encoded value → encoded primary keys.
    pub(super) index: Tree,
    /// Table id, time and number → what was written.
    pub(super) history: Tree,
    /// Number → where in the history.
    pub(super) numbers: Tree,
    /// Table id and encoded primary key of records that are gone → where in the history.
    pub(super) tombstones: Tree,
}

impl Trees {
    fn new([meta, records, index, history, numbers, tombstones]: [RawTree; 6]) -> Trees {
        Trees {
            meta: Tree::new(meta, 0),
            records: Tree::new(records, 1),
            index: Tree::new(index, 2),
            history: Tree::new(history, 3),
            numbers: Tree::new(numbers, 4),
            tombstones: Tree::new(tombstones, 5),
        }
    }

    /// The tree of a number.
    pub(super) fn numbered(&self, number: u8) -> Option<Tree> {
        let all = [self.meta, self.records, self.index, self.history, self.numbers, self.tombstones];
        all.get(usize::from(number)).copied()
    }
}

/// Keys in the `meta` tree.
pub(super) mod meta_keys {
    pub(crate) const FORMAT: &[u8] = b"format";
    pub(crate) const NAME: &[u8] = b"name";
    pub(crate) const NEXT_TABLE: &[u8] = b"next-table";
    /// The number of the next history entry and the time of the last.
    pub(crate) const HISTORY: &[u8] = b"history";

    /// The highest number of a history entry of this node that was removed.
    pub(crate) const PURGED: &[u8] = b"purged";
    /// The latest time of a change that other nodes made.
    pub(crate) const FARTHEST: &[u8] = b"farthest";
    /// What the keys of the names of other nodes begin with, by the numbers given to them here.
    pub(crate) const ORIGINS: &[u8] = b"origin-";

    /// The name of another node.
    pub(crate) fn origin(number: u32) -> Vec<u8> {
        numbered(ORIGINS, number)
    }

    /// What is kept for replication under a name.
    pub(crate) fn replication(name: &str) -> Vec<u8> {
        [b"replication-", name.as_bytes()].concat()
    }

    /// A table's definition.
    pub(crate) fn table(id: u32) -> Vec<u8> {
        numbered(b"table-", id)
    }

    /// A table's number of records and their size.
    pub(crate) fn size(id: u32) -> Vec<u8> {
        numbered(b"size-", id)
    }

    /// A dropped table whose keys are still to be removed.
    pub(crate) fn dropped(id: u32) -> Vec<u8> {
        numbered(b"dropped-", id)
    }

    /// What the keys of the last history entries of users begin with.
    pub(crate) fn writers(table: u32) -> Vec<u8> {
        numbered(b"writer-", table)
    }

    fn numbered(name: &[u8], id: u32) -> Vec<u8> {
        [name, &id.to_be_bytes()].concat()
    }

    /// The number at the end of a key of one of the kinds above.
    pub(crate) fn number(key: &[u8]) -> u32 {
        key.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

/// An open environment with what its readers and its writer share.
pub(super) struct Environment {
    env: Env<WithoutTls>,
    pub(super) trees: Trees,
    gate: Gate,
    catalog: ArcSwap<Catalog>,
    /// The transaction about to publish a changed catalog, 0 for none.
    announced: AtomicUsize,
    publishing: Mutex<()>,
    pub(super) thrift: Thrift,
    /// The bits of the latest time of a change that other nodes made.
    farthest: AtomicU64,
    /// Counts the commits.
    commits: watch::Sender<u64>,
    /// Whether the trees lag behind what was acknowledged.
    pub(super) lag: Lag,
    /// Has commits fail.
    #[cfg(test)]
    pub(super) is_full: std::sync::atomic::AtomicBool,
}

impl Environment {
    /// Opens or creates the environment in `file`. `name` is stored in new ones.
    pub(super) fn open(file: &Path, name: &str, options: &StoreOptions) -> Result<Environment, StoreError> {
        let on_disk = std::fs::metadata(file).map_or(0, |metadata| metadata.len() as usize);
        let mut flags = EnvFlags::NO_SUB_DIR;
        if options.write_async || options.no_sync {
            flags |= EnvFlags::NO_SYNC;
        }
        let mut opening = EnvOpenOptions::new().read_txn_without_tls();
        opening.map_size(whole_pages(options.map_size.max(on_disk.saturating_mul(2))));
        opening.max_readers(options.max_readers).max_dbs(8);
        // SAFETY: the store holds its folder's lock, so no other process changes the file, and nothing in this one
        // touches it but through LMDB. LMDB's lock file is in use; NO_SYNC only weakens durability, as asked for.
        #[allow(unsafe_code)]
        let env = unsafe {
            opening.flags(flags);
            opening.open(file)?
        };
        let last_commit = env.info().last_txn_id as u64;
        let txn = env.write_txn()?;
        let trees = env
            .create_databases_and_commit(txn, |opener, txn| -> Result<_, StoreError> {
                let mut tree = |name: &str, flags: DatabaseFlags| {
                    let mut options = opener.database_options().types::<Bytes, Bytes>();
                    options.name(name).flags(flags).create(txn)
                };
                let meta = tree("meta", DatabaseFlags::empty())?;
                let records = tree("records", DatabaseFlags::empty())?;
                let index = tree("index", DatabaseFlags::DUP_SORT)?;
                let history = tree("history", DatabaseFlags::empty())?;
                let numbers = tree("numbers", DatabaseFlags::empty())?;
                let tombstones = tree("tombstones", DatabaseFlags::empty())?;
                check_format(txn, &meta, name)?;
                Ok(CommitOrAbort::<_, ()>::Commit((meta, records, index, history, numbers, tombstones)))
            })?
            .commit()
            .map(|(meta, records, index, history, numbers, tombstones)| {
                Trees::new([meta, records, index, history, numbers, tombstones])
            })
            .ok_or(StoreError::Closed)?;
        let environment = Environment {
            env,
            trees,
            gate: Gate::default(),
            catalog: ArcSwap::default(),
            announced: AtomicUsize::new(0),
            publishing: Mutex::new(()),
            thrift: Thrift::default(),
            farthest: AtomicU64::new(0),
            commits: watch::channel(0).0,
            lag: Lag::default(),
            #[cfg(test)]
            is_full: false.into(),
        };
        let base =
            Base { commit: last_commit, history: environment.history_state(&*environment.env.read_txn()?)? };
        let unfinished = journal::unfinished(file, base)?;
        if !unfinished.is_empty() {
            tracing::info!(file = %file.display(), batches = unfinished.len(), "writes taken over from the journal");
            environment.make_again(&unfinished)?;
            // They were durable, and stay so where new ones need not be.
            environment.sync()?;
        }
        journal::remove(file)?;
        environment.migrate()?;
        environment.set_farthest(environment.stored_farthest()?);
        let catalog = environment.load_catalog()?;
        environment.catalog.store(Arc::new(catalog));
        Ok(environment)
    }

    /// Brings older data into the present format, all or nothing.
    fn migrate(&self) -> Result<(), StoreError> {
        loop {
            let mut txn = self.write()?;
            if format_of(&txn, &self.trees.meta)? == Some(FORMAT) {
                return Ok(());
            }
            let histories = match format_of(&txn, &self.trees.meta)? {
                Some(1) => history::migrate(&mut txn, &self.trees),
                // Later formats of histories are read as they are.
                _ => Ok(()),
            };
            let migrated = histories
                .and_then(|()| Ok(self.trees.meta.put(&mut txn, meta_keys::FORMAT, &FORMAT.to_be_bytes())?))
                .and_then(|()| Ok(txn.commit()?));
            match migrated {
                Err(error) if error.is_map_full() => self.grow()?,
                result => return result,
            }
        }
    }

    fn load_catalog(&self) -> Result<Catalog, StoreError> {
        let txn = self.env.read_txn()?;
        let mut catalog = Catalog::default();
        for entry in self.trees.meta.prefix_iter(&txn, b"table-")? {
            catalog.set(Arc::new(Table::from_json(entry?.1)?));
        }
        Ok(catalog)
    }

    /// The name stored when the file was created.
    pub(super) fn stored_name(&self) -> Result<String, StoreError> {
        let txn = self.env.read_txn()?;
        let name = self.trees.meta.get(&txn, meta_keys::NAME)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    fn stored_farthest(&self) -> Result<f64, StoreError> {
        let txn = self.env.read_txn()?;
        let stored = self.trees.meta.get(&txn, meta_keys::FARTHEST)?;
        Ok(stored.and_then(|bytes| bytes.first_chunk::<8>()).map_or(0.0, |bytes| f64::from_be_bytes(*bytes)))
    }

    /// The latest time, in epoch milliseconds, of a change that other nodes made and that was ahead of the clock here;
    /// 0 for none.
    pub(super) fn farthest(&self) -> f64 {
        f64::from_bits(self.farthest.load(Ordering::Relaxed))
    }

    pub(super) fn set_farthest(&self, time: f64) {
        self.farthest.store(time.to_bits(), Ordering::Relaxed);
    }

    /// The newest catalog.
    pub(super) fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// Begins a read transaction with the catalog that belongs to it. It shows everything that was acknowledged.
    pub(super) fn read(&self) -> Result<Reading<'_>, StoreError> {
        self.lag.wait()?;
        self.read_committed()
    }

    /// As [`Environment::read`], without what is acknowledged and waits for its commit: does not wait for that.
    pub(super) fn read_committed(&self) -> Result<Reading<'_>, StoreError> {
        let visit = self.gate.enter();
        loop {
            let txn = self.env.read_txn()?;
            let announced = self.announced.load(Ordering::Acquire);
            if announced != 0 && txn.id() >= announced {
                // The snapshot is newer than the published catalog: its commit is about to publish.
                drop(self.publishing.lock());
            }
            let catalog = self.catalog.load_full();
            if catalog.since <= txn.id() {
                return Ok(Reading { txn, catalog, _visit: visit });
            }
            // A commit came between the snapshot and its catalog.
        }
    }

    /// Begins the write transaction; only the writer thread does.
    pub(super) fn write(&self) -> Result<Writing<'_>, StoreError> {
        Ok(Writing::new(self.env.write_txn()?))
    }

    /// Begins a part of the write transaction, which can be given up for itself.
    pub(super) fn nested<'t>(&'t self, txn: &'t mut Writing<'_>) -> Result<RwTxn<'t>, StoreError> {
        Ok(self.env.nested_write_txn(txn.whole())?)
    }

    /// What the write transaction follows on.
    pub(super) fn base_of(&self, txn: &RwTxn<'_>) -> Result<Base, StoreError> {
        Ok(Base { commit: (txn.id() as u64).saturating_sub(1), history: self.history_state(txn)? })
    }

    fn history_state(&self, txn: &RoTxn<'_, AnyTls>) -> Result<[u8; 16], StoreError> {
        let stored = self.trees.meta.get(txn, meta_keys::HISTORY)?;
        Ok(stored.and_then(|bytes| bytes.first_chunk()).copied().unwrap_or_default())
    }

    /// Commits and, when the transaction changed it, publishes the catalog. Wakes those who wait for commits.
    pub(super) fn commit(&self, txn: Writing<'_>, changed: Option<Arc<Catalog>>) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::DiskFull);
        }
        self.commit_only(txn, changed)?;
        self.commits.send_modify(|count| *count += 1);
        Ok(())
    }

    /// What changes with every commit.
    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    fn commit_only(&self, txn: Writing<'_>, changed: Option<Arc<Catalog>>) -> Result<(), StoreError> {
        let Some(mut catalog) = changed else { return Ok(txn.commit()?) };
        let id = txn.id();
        Arc::make_mut(&mut catalog).since = id;
        let _publishing = self.publishing.lock();
        self.announced.store(id, Ordering::Release);
        let result = txn.commit();
        if result.is_ok() {
            self.catalog.store(catalog);
        }
        self.announced.store(0, Ordering::Release);
        Ok(result?)
    }

    /// Doubles the memory map. Waits for the running read transactions; the caller must have none.
    pub(super) fn grow(&self) -> Result<(), StoreError> {
        let size = whole_pages(self.env.info().map_size.saturating_mul(2));
        // SAFETY: inside `alone` no reader has a transaction, and the only writer is calling.
        #[allow(unsafe_code)]
        let resized = self.gate.alone(GROWTH_PATIENCE, || unsafe { self.env.resize(size) });
        resized
            .ok_or_else(|| StoreError::Busy("the database has to grow, but a snapshot of it".to_owned()))??;
        tracing::debug!(file = %self.env.path().display(), size, "memory map grown");
        Ok(())
    }

    /// The writer tells of each record and each index entry it has changed.
    #[inline]
    pub(super) fn changed(&self) {
        self.thrift.changed(self.env.path());
    }

    /// Finds out whether a failed commit is due to a full disk: to LMDB a write that was cut short is like any failed
    /// one. Only the writer may ask, without a transaction.
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        if !error.is_failed_write() {
            return error;
        }
        // Nothing refers to what lies behind the end of the file.
        let probe = || {
            let mut file = File::options().append(true).open(self.env.path())?;
            file.write_all(&[0; 64 << 10])
        };
        match probe().map_err(StoreError::from) {
            Err(StoreError::DiskFull) => StoreError::DiskFull,
            _ => error,
        }
    }

    /// Makes everything written so far durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        Ok(self.env.force_sync()?)
    }

    /// What LMDB tells of the environment.
    pub(super) fn info(&self) -> heed::EnvInfo {
        self.env.info()
    }

    /// The size of the file.
    pub(super) fn size_on_disk(&self) -> u64 {
        self.env.real_disk_size().unwrap_or(0)
    }

    /// Copies the environment as it is now into `to`, without the free pages.
    pub(super) fn copy(&self, to: &mut File) -> Result<(), StoreError> {
        self.lag.wait()?;
        let _visit = self.gate.enter();
        match self.env.copy_to_file(to, CompactionOption::Enabled) {
            // LMDB cannot leave free pages out when some were lost track of; it can copy them.
            Err(heed::Error::Mdb(MdbError::Incompatible)) => {
                to.set_len(0)?;
                to.rewind()?;
                Ok(self.env.copy_to_file(to, CompactionOption::Disabled)?)
            }
            result => Ok(result?),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        self.env.path()
    }

    /// What tells when the environment is closed, which happens when the last user is gone.
    pub(super) fn closing(&self) -> heed::EnvClosingEvent {
        self.env.clone().prepare_for_closing()
    }
}

/// A read transaction with its catalog. The transaction ends before the visit does.
pub(super) struct Reading<'e> {
    pub(super) txn: RoTxn<'e, WithoutTls>,
    pub(super) catalog: Arc<Catalog>,
    _visit: Visit<'e>,
}

fn check_format(
    txn: &mut RwTxn<'_>,
    meta: &heed::Database<'_, Bytes, Bytes>,
    name: &str,
) -> Result<(), StoreError> {
    match meta.get(txn, meta_keys::FORMAT)? {
        None => {
            meta.put(txn, meta_keys::FORMAT, &FORMAT.to_be_bytes())?;
            meta.put(txn, meta_keys::NAME, name.as_bytes())?;
            Ok(())
        }
        Some(_) => match format_of(txn, meta)? {
            Some(format) if format <= FORMAT => Ok(()),
            Some(found) => Err(StoreError::NewerFormat { database: name.to_owned(), found, known: FORMAT }),
            None => Err(StoreError::Corrupt(format!("{name} has no readable format number"))),
        },
    }
}

fn format_of(txn: &RwTxn<'_>, meta: &heed::Database<'_, Bytes, Bytes>) -> Result<Option<u32>, StoreError> {
    let stored = meta.get(txn, meta_keys::FORMAT)?;
    Ok(stored.and_then(|bytes| bytes.first_chunk::<4>()).map(|bytes| u32::from_be_bytes(*bytes)))
}

/// How many bytes of the file a tree takes.
pub(super) fn tree_size(txn: &RoTxn<'_, AnyTls>, tree: &Tree) -> Result<u64, StoreError> {
    let stat = tree.stat(txn)?;
    let pages = stat.branch_pages + stat.leaf_pages + stat.overflow_pages;
    Ok(pages as u64 * u64::from(stat.page_size))
}

/// Rounds up to a size that is a multiple of every usual page size.
fn whole_pages(size: usize) -> usize {
    const PAGES: usize = 64 << 10;
    size.max(PAGES).checked_next_multiple_of(PAGES).unwrap_or(usize::MAX / PAGES * PAGES)
}

/// Epoch milliseconds with their fraction.
pub(super) fn now() -> f64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    elapsed.as_micros() as f64 / 1000.0 + clock_offset()
}

/// How many milliseconds the clock is to be wrong, for tests.
#[cfg(feature = "faults")]
fn clock_offset() -> f64 {
    static OFFSET: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| {
        let text = std::env::var("HDB_TEST_CLOCK_OFFSET_MS").unwrap_or_default();
        text.parse().ok().filter(|offset: &f64| offset.is_finite()).unwrap_or(0.0)
    });
    *OFFSET
}

#[cfg(not(feature = "faults"))]
const fn clock_offset() -> f64 {
    0.0
}
