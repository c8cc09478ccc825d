//! What the store fails with, and how that looks to an operation.

use crate::error::OperationError;
use std::io;
use std::sync::Arc;

/// A failure of the store. Cheap to clone: one failed commit answers every request of its batch.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A database or table of this name exists.
    #[error("{0} already exists")]
    AlreadyExists(String),
    /// A database or table does not exist (any more).
    #[error("{0} does not exist")]
    NotFound(String),
    /// The value cannot be a primary key, or its long form collides with another key.
    #[error("this value cannot be used as a primary key")]
    UnusableKey,
    /// The disk is full; nothing of the request was written.
    #[error("the disk is full: nothing was written")]
    DiskFull,
    /// The data was written by a newer version of this program.
    #[error("{database}: the data has format {found}, this program reads formats up to {known}")]
    NewerFormat {
        /// Which database file.
        database: String,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// The data on disk is not what this program writes.
    #[error("damaged data: {0}")]
    Corrupt(String),
    /// The database is being dropped or the store is closing.
    #[error("the database is closed")]
    Closed,
    /// Another process has the folder open, or a snapshot is in the way for too long.
    #[error("{0} is in use")]
    Busy(String),
    /// The code of a write panicked; nothing of it was kept.
    #[error("a write failed unexpectedly: {0}")]
    Panicked(String),
    /// Another node wrote the record with a time to come: the write is to be done again with a later one. Never seen
    /// outside the store.
    #[error("the record has a time to come")]
    Behind,
    /// LMDB failed.
    #[error("storage engine: {0}")]
    Heed(Arc<heed::Error>),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(Arc<io::Error>),
}

impl StoreError {
    /// True when the memory map is too small, which the writer cures by growing it.
    pub(super) fn is_map_full(&self) -> bool {
        matches!(self, StoreError::Heed(error) if matches!(**error, heed::Error::Mdb(heed::MdbError::MapFull)))
    }

    /// True for the error LMDB makes of a write that was cut short.
    pub(super) fn is_failed_write(&self) -> bool {
        const EIO: i32 = 5;
        matches!(self, StoreError::Io(error) if error.raw_os_error() == Some(EIO))
    }
}

impl From<heed::Error> for StoreError {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Io(error) => error.into(),
            other => StoreError::Heed(Arc::new(other)),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::DiskFull
            }
            _ => StoreError::Io(Arc::new(error)),
        }
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        OperationError::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = heed::Error::Io(io::Error::from_raw_os_error(28));
        assert!(matches!(StoreError::from(full), StoreError::DiskFull));
        let map = StoreError::from(heed::Error::Mdb(heed::MdbError::MapFull));
        assert!(map.is_map_full());
    }
}
