//! The databases of an instance, in LMDB: one file per database, and the only place that knows of LMDB.
//!
//! Reading: [`Database::read`] gives a snapshot ([`ReadTxn`]); nobody waits for anybody. Writing: [`Database::write`]
//! hands a closure to the database's one writer thread, which runs all that wait in one transaction and commits them
//! together; a request is acknowledged when it is durable: with its commit, or, while many write and nobody reads, in
//! the `journal`, from which a crash loses nothing; then one commit follows for many batches (`window`).
//!
//! In a file there are six trees (`environment`): `meta` with the table definitions (`catalog`), `records` under
//! table id and encoded primary key (`keys`, `record`), `index` with a duplicate per record (`index`), and three of the
//! `history`.

mod backup;
mod catalog;
mod changes;
mod database;
mod environment;
mod error;
mod files;
mod gate;
mod history;
mod index;
mod journal;
pub mod keys;
mod lag;
mod prepare;
mod ranges;
mod read;
mod record;
mod remote;
mod resident;
mod room;
mod statistics;
mod tables;
#[cfg(test)]
mod tests;
mod window;
mod write;
mod writer;

pub use catalog::{
    Attribute, AttributeId, AttributeType, CREATED_TIME, Catalog, NewAttribute, Table, TableSpec,
    UPDATED_TIME,
};
pub use database::Database;
pub use environment::StoreOptions;
pub use error::StoreError;
pub use history::{History, HistoryChange, HistoryEntry, HistoryRecord, Origin};
pub use prepare::Patched;
pub use ranges::{KeyRange, ValueRange};
pub use read::{IndexHit, IndexScan, ReadTxn, Scan, View};
pub use record::{Kind, PRIMARY_KEY, RawValue, Record};
pub use remote::{
    Copied, CopiedPage, Effect, RemoteWrite, Source, WriteKind, increment_of, patched_over, written_over,
};
pub use resident::LowMemory;
pub use statistics::{Statistics, TreeStatistics};
pub use write::WriteTxn;

use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The database with users, roles and the like; there from the start.
pub const SYSTEM_DATABASE: &str = "system";

/// How long closing waits for snapshots that are still in use.
const CLOSING_PATIENCE: Duration = Duration::from_secs(5);
/// How long opening waits for a folder that somebody has, and how often it looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// All databases of an instance.
pub struct Store {
    folder: PathBuf,
    options: StoreOptions,
    databases: RwLock<BTreeMap<String, Arc<Database>>>,
    /// Files of dropped databases, which may still be open: their paths cannot be used again.
    retired: Mutex<HashSet<PathBuf>>,
    /// What is written to a new database is later than this, in epoch milliseconds.
    earliest: Mutex<f64>,
    _lock: File,
}

impl Store {
    /// Opens all databases in a folder, which is made when it is missing, and with it the system database.
    ///
    /// # Errors
    /// When another process has the folder, a newer version wrote the data, or the files cannot be opened.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Store, StoreError> {
        std::fs::create_dir_all(folder)?;
        let lock = lock_folder(folder)?;
        let mut databases = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let file = entry?.path();
            if files::is_database(&file) {
                let database = Database::open(&file, "", &options).map_err(|error| match error {
                    StoreError::Heed(error) => StoreError::Corrupt(format!("{}: {error}", file.display())),
                    other => other,
                })?;
                add_database(&mut databases, database, folder);
            }
        }
        let store = Store {
            folder: folder.to_owned(),
            options,
            databases: RwLock::new(databases),
            retired: Mutex::default(),
            earliest: Mutex::default(),
            _lock: lock,
        };
        if store.database(SYSTEM_DATABASE).is_none() {
            store.create_database(SYSTEM_DATABASE)?;
        }
        Ok(store)
    }

    /// A database by name.
    pub fn database(&self, name: &str) -> Option<Arc<Database>> {
        self.databases.read().get(name).cloned()
    }

    /// All databases by name, the system database too.
    pub fn databases(&self) -> Vec<Arc<Database>> {
        self.databases.read().values().cloned().collect()
    }

    /// Creates an empty database. Blocks for the time of a commit.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], or when the file cannot be made.
    pub fn create_database(&self, name: &str) -> Result<Arc<Database>, StoreError> {
        // Held throughout, so that creations and drops of one name take turns.
        let retired = self.retired.lock();
        if self.database(name).is_some() {
            return Err(StoreError::AlreadyExists(format!("database {name}")));
        }
        let mut number = 0;
        let database = loop {
            let file = files::path_of(&self.folder, name, number);
            number += 1;
            if retired.contains(&file) || file.exists() {
                continue;
            }
            match Database::open(&file, name, &self.options) {
                // A store that was open in this process before still has it.
                Err(StoreError::Heed(error)) if matches!(*error, heed::Error::EnvAlreadyOpened) => {}
                result => break result?,
            }
        };
        let database = Arc::new(database);
        let earliest = *self.earliest.lock();
        if earliest > environment::now() {
            database.write_blocking(move |txn: &mut WriteTxn<'_>| {
                txn.note_time(earliest);
                Ok::<_, StoreError>(())
            })?;
        }
        self.sync_folder()?;
        self.databases.write().insert(name.to_owned(), database.clone());
        Ok(database)
    }

    /// Has what is written to databases that are made from now on be later than a time, in epoch milliseconds; while
    /// this instance runs, by when the clock has come there.
    pub fn not_before(&self, time: f64) {
        let mut earliest = self.earliest.lock();
        *earliest = earliest.max(time);
    }

    /// Drops a database with everything in it; tells whether there was one. Waits for the writes under way; open
    /// snapshots go on.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn drop_database(&self, name: &str) -> Result<bool, StoreError> {
        let mut retired = self.retired.lock();
        let Some(database) = self.databases.write().remove(name) else { return Ok(false) };
        retired.insert(database.environment.path().to_owned());
        database.remove()?;
        self.sync_folder()?;
        Ok(true)
    }

    /// Makes created and removed files durable.
    fn sync_folder(&self) -> Result<(), StoreError> {
        if !self.options.no_sync && cfg!(unix) {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Store {
    /// Stops the writers and waits a while for the files to be closed, so that the folder can be opened again.
    fn drop(&mut self) {
        for (name, database) in std::mem::take(&mut *self.databases.write()) {
            database.stop_writer();
            let closing = database.environment.closing();
            drop(database);
            if !closing.wait_timeout(CLOSING_PATIENCE) {
                tracing::warn!(database = name, "still in use while the store closes");
            }
        }
    }
}

/// Adds an opened database. Of two files that hold a database of the same name (somebody copied one), the one that
/// bears its name counts.
fn add_database(databases: &mut BTreeMap<String, Arc<Database>>, database: Database, folder: &Path) {
    let name = database.name().to_owned();
    let proper = |database: &Database| database.file() == files::path_of(folder, &name, 0);
    match databases.get(&name) {
        Some(first) if proper(first) || !proper(&database) => {
            tracing::warn!(database = name, file = %database.file().display(), "ignored: another file has this database");
        }
        _ => {
            databases.insert(name, Arc::new(database));
        }
    }
}

/// Makes sure that no other process uses the folder: each would not see the other's tables.
///
/// Whoever has just let go of it may seem to have it still: a process that another thread is about to start holds
/// every open file until its program runs.
fn lock_folder(folder: &Path) -> Result<File, StoreError> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy(folder.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}
