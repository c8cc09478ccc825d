//! Counting what requests do. Each thread counts in a place of its own kind, so that counting costs a few additions;
//! whoever reads adds the places up.

use super::histogram::{Distribution, Histogram};
use spec::Operation;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How many places there are; threads share them in turn.
const PLACES: usize = 4;
/// Statuses from 100 on.
const STATUSES: usize = 500;

/// What one request did.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The status of its answer.
    pub status: u16,
    /// How long it took.
    pub taken: Duration,
    /// The bytes of its body.
    pub received: u64,
    /// The bytes of the answer's body.
    pub sent: u64,
}

/// The counts of an instance.
#[derive(Debug)]
pub struct Meters {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    operations: Vec<OnceLock<Box<Counts>>>,
    statuses: Vec<AtomicU64>,
}

#[derive(Debug, Default)]
struct Counts {
    succeeded: AtomicU64,
    received: AtomicU64,
    taken: Histogram,
    sent: Histogram,
}

/// What was counted of an operation.
#[derive(Debug)]
pub struct Reading {
    /// The operation.
    pub operation: &'static Operation,
    /// How many of its requests succeeded.
    pub succeeded: u64,
    /// The bytes of their bodies.
    pub received: u64,
    /// How long they took, in microseconds.
    pub taken: Distribution,
    /// The bytes of the answers.
    pub sent: Distribution,
}

impl Reading {
    /// Whether the operation reads or writes records.
    pub fn is_of_records(&self) -> bool {
        matches!(self.operation.category.as_str(), "nosql" | "sql" | "bulk")
    }
}

impl Default for Meters {
    fn default() -> Self {
        let operations = spec::registry().names().len();
        let place = || Place {
            operations: (0..operations).map(|_| OnceLock::new()).collect(),
            statuses: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
        };
        Meters { places: (0..PLACES).map(|_| place()).collect() }
    }
}

impl Meters {
    /// Counts a request of the operation with this number in the registry.
    pub fn count(&self, operation: usize, sample: Sample) {
        let Some(place) = self.places.get(own_place()) else { return };
        if let Some(status) = place.statuses.get(usize::from(sample.status).wrapping_sub(100)) {
            status.fetch_add(1, Ordering::Relaxed);
        }
        let Some(counts) = place.operations.get(operation) else { return };
        let counts = counts.get_or_init(Box::default);
        if sample.status < 400 {
            counts.succeeded.fetch_add(1, Ordering::Relaxed);
        }
        counts.received.fetch_add(sample.received, Ordering::Relaxed);
        counts.taken.add(u64::try_from(sample.taken.as_micros()).unwrap_or(u64::MAX));
        counts.sent.add(sample.sent);
    }

    /// Takes what was counted of every operation that was asked for, and begins anew.
    pub fn take(&self) -> Vec<Reading> {
        let names = spec::registry().names().enumerate();
        names.filter_map(|(number, (name, _))| self.take_one(number, name)).collect()
    }

    fn take_one(&self, number: usize, name: &str) -> Option<Reading> {
        let counted = || self.places.iter().filter_map(|place| place.operations.get(number)?.get());
        // Only what was asked for is looked up.
        counted().next()?;
        let mut reading = Reading {
            operation: spec::registry().operation(name)?,
            succeeded: 0,
            received: 0,
            taken: Distribution::default(),
            sent: Distribution::default(),
        };
        for counts in counted() {
            reading.succeeded += counts.succeeded.swap(0, Ordering::Relaxed);
            reading.received += counts.received.swap(0, Ordering::Relaxed);
            counts.taken.move_to(&mut reading.taken);
            counts.sent.move_to(&mut reading.sent);
        }
        Some(reading).filter(|reading| reading.taken.count() > 0)
    }

    /// Takes how often each status was answered, and begins anew.
    pub fn take_statuses(&self) -> Vec<(u16, u64)> {
        let count = |at: usize| -> u64 {
            self.places.iter().map(|place| place.statuses[at].swap(0, Ordering::Relaxed)).sum()
        };
        (0..STATUSES).map(|at| (at as u16 + 100, count(at))).filter(|(_, count)| *count > 0).collect()
    }
}

/// The place of the current thread.
fn own_place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static PLACE: Cell<usize> = const { Cell::new(usize::MAX) });
    PLACE.with(|place| {
        if place.get() == usize::MAX {
            place.set(NEXT.fetch_add(1, Ordering::Relaxed) % PLACES);
        }
        place.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_count_is_added_up_and_taken_once() {
        let meters = Meters::default();
        let operation = spec::registry().index_of("insert").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let meters = &meters;
                scope.spawn(move || {
                    for _ in 0..100 {
                        let status = if thread == 0 { 400 } else { 200 };
                        let taken = Duration::from_micros(50);
                        meters.count(operation, Sample { status, taken, received: 10, sent: 20 });
                    }
                });
            }
        });
        let readings = meters.take();
        let [reading] = &readings[..] else { panic!("{readings:?}") };
        assert_eq!(reading.operation.name, "insert");
        assert_eq!((reading.succeeded, reading.received, reading.taken.count()), (500, 6000, 600));
        assert_eq!(meters.take_statuses(), [(200, 500), (400, 100)]);
        assert!(meters.take().is_empty() && meters.take_statuses().is_empty());
    }
}
