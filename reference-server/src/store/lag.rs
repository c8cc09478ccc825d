//! While the trees of a database lag behind what was acknowledged, its readers wait.

use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the trees lag behind, and whether somebody waits for them.
#[derive(Default)]
pub(super) struct Lag {
    lags: AtomicBool,
    awaited: AtomicBool,
    /// The thread of the writer while the trees lag behind: what it reads itself cannot wait for it.
    writer: Mutex<Option<std::thread::ThreadId>>,
    ended: Condvar,
}

impl Lag {
    /// From now on readers wait. The writer says so before it acknowledges what is not in the trees.
    pub(super) fn begin(&self) {
        *self.writer.lock() = Some(std::thread::current().id());
        self.lags.store(true, Ordering::SeqCst);
    }

    /// The trees hold everything again.
    pub(super) fn end(&self) {
        let mut writer = self.writer.lock();
        *writer = None;
        self.lags.store(false, Ordering::SeqCst);
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
    pub(super) fn wait(&self) {
        if !self.lags() {
            return;
        }
        let mut writer = self.writer.lock();
        while writer.is_some_and(|writer| writer != std::thread::current().id()) {
            self.awaited.store(true, Ordering::SeqCst);
            self.ended.wait(&mut writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_wait_for_the_end() {
        let lag = Lag::default();
        lag.wait();
        lag.begin();
        // The writer itself does not.
        lag.wait();
        assert!(lag.lags() && !lag.is_awaited());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                lag.wait();
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
}
