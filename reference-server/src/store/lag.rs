//! While the trees of a database lag behind what was acknowledged, its readers wait.

use super::error::StoreError;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

/// Whether the trees lag behind, and whether somebody waits for them.
#[derive(Default)]
pub(super) struct Lag {
    lags: AtomicBool,
    awaited: AtomicBool,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Level,
    /// The writer's thread: what it reads itself cannot wait for it.
    Behind(ThreadId),
    /// The commit failed, and why.
    Failed(StoreError),
}

impl Lag {
    /// From now on readers wait. The writer says so before it acknowledges what is not in the trees.
    pub(super) fn begin(&self) {
        *self.state.lock() = State::Behind(thread::current().id());
        self.lags.store(true, Ordering::SeqCst);
    }

    /// The trees hold everything again.
    pub(super) fn end(&self) {
        self.lags.store(false, Ordering::SeqCst);
        self.tell(State::Level);
    }

    /// The trees cannot hold everything for now: reading fails.
    pub(super) fn fail(&self, error: StoreError) {
        self.lags.store(true, Ordering::SeqCst);
        self.tell(State::Failed(error));
    }

    fn tell(&self, state: State) {
        *self.state.lock() = state;
        self.awaited.store(false, Ordering::SeqCst);
        self.ended.notify_all();
    }

    /// Whether the trees lag behind.
    pub(super) fn lags(&self) -> bool {
        self.lags.load(Ordering::SeqCst)
    }

    /// Whether a reader waits.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::SeqCst)
    }

    /// Waits until the trees hold everything that was acknowledged before.
    ///
    /// # Errors
    /// Why they cannot.
    pub(super) fn wait(&self) -> Result<(), StoreError> {
        if !self.lags() {
            return Ok(());
        }
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Behind(writer) if *writer != thread::current().id() => {
                    self.awaited.store(true, Ordering::SeqCst);
                    self.ended.wait(&mut state);
                }
                State::Failed(error) => return Err(error.clone()),
                _ => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_wait_for_the_end() {
        let lag = Lag::default();
        lag.wait().unwrap();
        lag.begin();
        // The writer itself does not.
        lag.wait().unwrap();
        assert!(lag.lags() && !lag.is_awaited());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                lag.wait().unwrap();
                lag.lags()
            });
            while !lag.is_awaited() {
                std::thread::yield_now();
            }
            lag.end();
            assert!(!reader.join().unwrap());
        });
        assert!(!lag.is_awaited());
    }

    #[test]
    fn readers_learn_why_there_is_no_end() {
        let lag = Lag::default();
        lag.begin();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| lag.wait());
            while !lag.is_awaited() {
                std::thread::yield_now();
            }
            lag.fail(StoreError::DiskFull);
            assert!(matches!(reader.join().unwrap(), Err(StoreError::DiskFull)));
        });
        assert!(matches!(lag.wait(), Err(StoreError::DiskFull)));
        lag.end();
        lag.wait().unwrap();
    }
}
