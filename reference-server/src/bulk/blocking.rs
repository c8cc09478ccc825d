//! Work that blocks a thread and ends when nobody waits for it any more.

use crate::error::{ErrorKind, OperationError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells work on a thread of its own that it is to end.
#[derive(Clone, Debug, Default)]
pub struct Stopped(Arc<AtomicBool>);

impl Stopped {
    /// Fails when nobody waits any more; to be asked now and then.
    ///
    /// # Errors
    /// When the work is to end.
    pub fn check(&self) -> Result<(), OperationError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(OperationError::new(ErrorKind::Fault, "The job was stopped"));
        }
        Ok(())
    }
}

/// Says so when the one who waits is gone.
struct Waiting(Stopped);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs work that blocks on a thread for that; a server that stops need not wait for it.
///
/// # Errors
/// Those of the work; when it panics, that.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce(Stopped) -> Result<T, OperationError> + Send + 'static,
) -> Result<T, OperationError> {
    let stopped = Stopped::default();
    let _waiting = Waiting(stopped.clone());
    tokio::task::spawn_blocking(move || work(stopped)).await.map_err(OperationError::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_learns_that_nobody_waits() {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(blocking(move |stopped| {
            begun.send(()).unwrap();
            while stopped.check().is_ok() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
            Ok(())
        }));
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
        task.abort();
        has_ended.await.unwrap();
    }
}
