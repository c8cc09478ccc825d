//! Loading and exporting many records at once, as the work of jobs.
//!
//! A load reads its source twice: first to make sure that every row can be written ([`check`]), then to write it in
//! batches ([`load`]); neither keeps more than a few batches in memory.

mod blocking;
mod check;
pub mod csv;
mod export;
mod fetch;
mod json;
mod load;
mod s3;
mod scratch;
mod trim;

pub use blocking::{Stopped, blocking};
pub use export::{Format, Rows, keep, target, write_file};
pub use fetch::fetch;
pub use load::{Load, Source};
pub use s3::Location;
pub use trim::delete_before;

use crate::error::OperationError;
use crate::value::Object;

/// What takes the records of a source, one after the other.
pub trait Sink {
    /// Takes the names of columns, before any record; sources without a header do not call it.
    ///
    /// # Errors
    /// When the names cannot be those of attributes.
    fn columns(&mut self, names: &[String]) -> Result<(), OperationError>;

    /// Takes a record whose text has about `size` bytes.
    ///
    /// # Errors
    /// When it cannot be written, or nobody wants any more.
    fn record(&mut self, record: Object, size: usize) -> Result<(), OperationError>;
}

/// Makes sure that clients of HTTPS have something to encrypt with.
pub(crate) fn tls_ready() {
    // Fails when there is one already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
