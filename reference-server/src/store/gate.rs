//! Keeps transactions and changes of the memory map apart: LMDB may only move the map while no transaction is open.

use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Lets any number of visitors in, or one who needs the place empty.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    visitors: usize,
    closed: bool,
}

impl Gate {
    /// Waits while the gate is closed, then counts as inside until the visit is dropped.
    pub(super) fn enter(&self) -> Visit<'_> {
        let mut state = self.state.lock();
        while state.closed {
            self.changed.wait(&mut state);
        }
        state.visitors += 1;
        Visit { gate: self }
    }

    /// Closes the gate, waits until all visitors have left, and runs `work`. `None` when they stay longer than
    /// `patience`: one of them may be waiting for the caller.
    pub(super) fn alone<T>(&self, patience: Duration, work: impl FnOnce() -> T) -> Option<T> {
        let mut state = self.state.lock();
        while state.closed {
            self.changed.wait(&mut state);
        }
        state.closed = true;
        let deadline = Instant::now() + patience;
        let mut empty = true;
        while state.visitors > 0 && empty {
            empty = !self.changed.wait_until(&mut state, deadline).timed_out();
        }
        drop(state);
        let result = empty.then(work);
        self.state.lock().closed = false;
        self.changed.notify_all();
        result
    }
}

/// One visitor inside the gate. Unlike a lock's guard it may be sent to another thread.
pub(super) struct Visit<'g> {
    gate: &'g Gate,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.visitors -= 1;
        if state.visitors == 0 && state.closed {
            self.gate.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_keep_the_place() {
        let gate = Gate::default();
        let visit = gate.enter();
        assert_eq!(gate.alone(Duration::ZERO, || 1), None);
        let second = gate.enter();
        drop((visit, second));
        assert_eq!(gate.alone(Duration::ZERO, || 1), Some(1));
        drop(gate.enter());
    }
}
