//! Keeps transactions and changes of the memory map apart: LMDB may only move the map while no transaction is open.

use parking_lot::{Condvar, Mutex};

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

    /// Closes the gate, waits until all visitors have left, and runs `work`.
    pub(super) fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut state = self.state.lock();
        while state.closed {
            self.changed.wait(&mut state);
        }
        state.closed = true;
        while state.visitors > 0 {
            self.changed.wait(&mut state);
        }
        drop(state);
        let result = work();
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
