//! One database: its readers, and the way to its writer.

use super::catalog::Catalog;
use super::environment::{Environment, StoreOptions, tree_size};
use super::error::StoreError;
use super::files;
use super::journal;
use super::read::ReadTxn;
use super::resident::LowMemory;
use super::write::WriteTxn;
use super::writer::{self, Job, Request, Writer};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// A database.
pub struct Database {
    name: String,
    file: PathBuf,
    options: StoreOptions,
    pub(super) environment: Arc<Environment>,
    writer: Mutex<WriterState>,
}

enum WriterState {
    /// Nobody has written yet.
    Unstarted,
    Running(Sender<Box<dyn Job>>, JoinHandle<()>),
    Closed,
}

impl Database {
    /// Opens the database in `file`; `name` is given to it when the file is new.
    pub(super) fn open(file: &Path, name: &str, options: &StoreOptions) -> Result<Database, StoreError> {
        let environment = Arc::new(Environment::open(file, name, options)?);
        let database = Database {
            name: environment.stored_name()?,
            file: file.to_owned(),
            options: options.clone(),
            environment,
            writer: Mutex::new(WriterState::Unstarted),
        };
        if writer::has_unfinished_work(&database.environment, options)? {
            database.start_writer(&mut database.writer.lock())?;
        }
        Ok(database)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Its tables now. Within a read transaction use the transaction's own catalog.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.environment.catalog()
    }

    /// A snapshot to read from.
    pub fn read(&self) -> Result<ReadTxn<'_>, StoreError> {
        ReadTxn::begin(&self.environment)
    }

    /// As [`Database::read`], for those who are woken by [`Database::commits`] and need not see everything that was
    /// acknowledged by now: they hold nobody up.
    pub fn read_committed(&self) -> Result<ReadTxn<'_>, StoreError> {
        Ok(ReadTxn::over(&self.environment, self.environment.read_committed()?))
    }

    /// Changes with every commit; closed when the database is.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.environment.commits()
    }

    /// Makes writing keep the resident memory of this process low, for as long as the answer is kept. It is slower:
    /// pages that were let go have to come back.
    pub fn with_low_memory(&self) -> LowMemory {
        self.environment.thrift.wish()
    }

    /// Bytes on disk.
    pub fn size(&self) -> u64 {
        self.environment.size_on_disk()
    }

    /// Bytes that the histories of all tables take.
    pub fn history_size(&self) -> u64 {
        let size = self
            .environment
            .read()
            .and_then(|reading| tree_size(&reading.txn, &self.environment.trees.history));
        size.unwrap_or(0)
    }

    /// Runs `work` in the database's write transaction, together with whatever else waits, and returns when the
    /// commit is durable. Work that fails leaves nothing. `work` may run more than once: when another request of the
    /// same commit fails, or when the database has to grow; only the last run counts. The work is done even when
    /// nobody waits for it any more.
    ///
    /// # Errors
    /// What `work` returns, or what the store makes of a failed commit.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTxn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        // A requester that went away does not wait for its result.
        let reply = move |result, work| drop(sender.send((result, work)));
        self.submit(Box::new(Request::new(work, reply)))?;
        receiver.await.map_or_else(|_| Err(StoreError::Closed.into()), |(result, _work)| result)
    }

    /// As [`Database::write`], for threads outside the async runtime.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTxn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = channel();
        let reply = move |result, work| drop(sender.send((result, work)));
        self.submit(Box::new(Request::new(work, reply)))?;
        receiver.recv().map_or_else(|_| Err(StoreError::Closed.into()), |(result, _work)| result)
    }

    fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut writer = self.writer.lock();
        if let WriterState::Unstarted = *writer {
            self.start_writer(&mut writer)?;
        }
        match &*writer {
            WriterState::Running(requests, _) => requests.send(job).map_err(|_| StoreError::Closed),
            _ => Err(StoreError::Closed),
        }
    }

    fn start_writer(&self, state: &mut WriterState) -> Result<(), StoreError> {
        let (sender, receiver) = channel();
        let writer = Writer::new(self.environment.clone(), receiver, &self.options);
        // What the writer has to say goes where the thread that needs it says things.
        let events = tracing::dispatcher::get_default(Clone::clone);
        let work = move || match crate::logs::is_unheard() {
            true => tracing::dispatcher::with_default(&events, || writer.work()),
            false => writer.work(),
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(work)?;
        *state = WriterState::Running(sender, thread);
        Ok(())
    }

    /// Lets the writer finish what it has and stops it. Reading goes on.
    pub(super) fn stop_writer(&self) {
        let state = std::mem::replace(&mut *self.writer.lock(), WriterState::Closed);
        if let WriterState::Running(requests, thread) = state {
            drop(requests);
            // The last user may be a request that the writer itself has just finished.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!(database = self.name, "the writer ended unexpectedly");
            }
        }
    }

    /// Stops the writer and removes the files. Transactions that are open go on.
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        self.stop_writer();
        std::fs::remove_file(&self.file)?;
        journal::remove(&self.file)?;
        match std::fs::remove_file(files::lock_path_of(&self.file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.stop_writer();
    }
}
