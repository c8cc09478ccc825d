//! The time a statement may take.

use super::errors;
use crate::error::OperationError;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How many steps pass between two looks at the clock.
const STEPS: u32 = 128;

/// When a statement has to end.
#[derive(Clone, Debug)]
pub struct Deadline {
    end: Option<Instant>,
    limit: Duration,
    steps: Cell<u32>,
}

impl Deadline {
    /// From now.
    pub fn after(limit: Duration) -> Deadline {
        Deadline { end: Instant::now().checked_add(limit), limit, steps: Cell::new(0) }
    }

    /// Counts a step; every so many it is made sure that there is time left.
    ///
    /// # Errors
    /// When there is none.
    pub fn step(&self) -> Result<(), OperationError> {
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(STEPS) { self.check() } else { Ok(()) }
    }

    /// Makes sure that there is time left.
    ///
    /// # Errors
    /// When there is none.
    pub fn check(&self) -> Result<(), OperationError> {
        match self.end {
            Some(end) if Instant::now() >= end => Err(errors::timed_out(self.limit)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_out() {
        let deadline = Deadline::after(Duration::ZERO);
        assert!((0..STEPS).any(|_| deadline.step().is_err()));
        let deadline = Deadline::after(Duration::from_secs(1000));
        assert!((0..STEPS).all(|_| deadline.step().is_ok()));
    }
}
