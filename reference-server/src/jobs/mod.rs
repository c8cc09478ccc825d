//! Jobs: operations that are answered when they have begun and go on by themselves.
//!
//! A job is a record of `system.hdb_job` from before it is answered until for ever: [`start`] writes it, runs
//! the work outside the request, under a limit, and writes what came of it. Nothing of the request itself is kept, as
//! that may hold credentials. What a stopped server leaves unfinished is ended by the next start ([`end_interrupted`]).

mod record;
mod run;

pub use record::{Ended, JOBS, begin, end, find, note_result, started_between};
pub use run::{Done, Start, start};

use crate::access::SYSTEM;
use crate::error::OperationError;
use crate::store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Semaphore, watch};

/// How many jobs run at a time; the others wait for their turn, in the order they came.
const AT_A_TIME: usize = 4;
/// How many jobs may wait; more are refused, so that nobody fills the memory with requests.
const MOST_WAITING: usize = 10_000;

/// The message of a job that was under way when the server stopped.
const INTERRUPTED: &str = "The server stopped before this job had ended; what it had written until then is kept, the rest was not done";

/// The jobs of a running instance.
pub struct Jobs {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// How many jobs have begun since the server started.
    begun: AtomicU64,
    /// True when the server stops.
    stopping: watch::Sender<bool>,
}

impl Default for Jobs {
    fn default() -> Self {
        Jobs {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            begun: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Jobs {
    /// Ends all jobs at once, as interrupted: those under way, those that wait, and those still to come.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// The number of the next job, by which the log tells jobs apart.
    fn next_number(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Ends the jobs that were under way when the server stopped, as failed. To be called before any job can begin.
///
/// # Errors
/// When the table of jobs cannot be read or written.
pub async fn end_interrupted(store: &Store) -> Result<(), OperationError> {
    let Some(system) = store.database(SYSTEM) else { return Ok(()) };
    let unfinished = {
        let reader = system.read()?;
        record::unfinished(reader.view())?
    };
    for id in unfinished {
        tracing::warn!(job = id, "ended: the server had stopped before it was done");
        record::end(store, &id, Ended::Failed(INTERRUPTED.into())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
