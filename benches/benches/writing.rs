//! Writing to the store against plain heed with the same keys, values and index entries.
//!
//! Bulk inserts are measured without syncing on both sides, so that what is compared is work and not the disk; single
//! inserts are durable on both sides, as group commit is about nothing else.

use benches::plain_heed::{self, Order, PlainHeed, Stored};
use benches::records::{key, record};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use reference_server::store::{Database, HistoryEntry, Store, StoreError, StoreOptions, TableSpec};
use reference_server::value::{Object, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

/// Records of one request.
const BULK: usize = 1000;
/// How many requests there are before everything starts again with an empty file.
const REQUESTS: usize = 24;
const CLIENTS: usize = 16;

type Records = Arc<Vec<(Value, Object)>>;

fn records(count: usize) -> Records {
    let members = |number: u64| match Value::from(&record(1, number)) {
        Value::Object(members) => members,
        _ => Object::new(),
    };
    Arc::new((0..count as u64).map(|number| (Value::String(key(number)), members(number))).collect())
}

/// A store with an empty dynamic table.
struct Empty {
    database: Arc<Database>,
    _store: Store,
    folder: tempfile::TempDir,
}

impl Empty {
    fn new(no_sync: bool, history: bool) -> Result<Empty, Failure> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), StoreOptions { no_sync, ..StoreOptions::default() })?;
        let database = store.create_database("bench")?;
        database.write_blocking(move |txn| {
            txn.create_table(TableSpec { audit: history, ..TableSpec::dynamic("records", "id") })
        })?;
        Ok(Empty { database, _store: store, folder })
    }

    /// Writes some of the records as one request.
    fn insert(&self, records: &Records, range: std::ops::Range<usize>) -> Result<(), StoreError> {
        let records = records.clone();
        self.database.write_blocking(move |txn| {
            let found = txn.catalog().table("records").cloned();
            let table = found.ok_or_else(|| StoreError::NotFound("records".to_owned()))?;
            for (key, record) in &records[range.clone()] {
                txn.insert(&table, key, record, None)?;
            }
            txn.log_history(&table, HistoryEntry::new("insert", Some("admin")))
        })
    }
}

/// What the store makes of the records.
fn stored(records: &Records) -> Result<Vec<Stored>, Failure> {
    let empty = Empty::new(true, false)?;
    for at in 0..records.len() / BULK {
        empty.insert(records, at * BULK..(at + 1) * BULK)?;
    }
    let path = empty.folder.path().join("copy.mdb");
    empty.database.backup(&mut std::fs::File::create(&path)?)?;
    Ok(plain_heed::read(&path)?)
}

/// The time of so many requests, each with the next records; an empty file before the first and after the last.
fn timed<T>(
    requests: u64,
    make: impl Fn() -> Result<T, Failure>,
    request: impl Fn(&T, usize) -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let mut taken = Duration::ZERO;
    let mut target = make()?;
    for number in 0..requests as usize {
        if number > 0 && number % REQUESTS == 0 {
            target = make()?;
        }
        let started = Instant::now();
        request(&target, number % REQUESTS)?;
        taken += started.elapsed();
    }
    Ok(taken)
}

fn failed(error: Failure) -> Duration {
    // A benchmark has no other way to say so.
    eprintln!("the benchmark failed: {error}");
    std::process::exit(1);
}

fn bulk(criterion: &mut Criterion) {
    let records = records(BULK * REQUESTS);
    let stored = stored(&records).unwrap_or_else(|error| {
        failed(error);
        Vec::new()
    });
    let mut group = criterion.benchmark_group("bulk insert of 1000 records, not synced");
    group.throughput(Throughput::Elements(BULK as u64)).sampling_mode(SamplingMode::Flat);
    for (name, history) in [("store", false), ("store with history", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|requests| {
                let insert =
                    |empty: &Empty, at: usize| Ok(empty.insert(&records, at * BULK..(at + 1) * BULK)?);
                timed(requests, || Empty::new(true, history), insert).unwrap_or_else(failed)
            });
        });
    }
    for (name, order) in
        [("plain heed, record by record", Order::ByRecord), ("plain heed, sorted", Order::Sorted)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|requests| {
                let make = || {
                    let folder = tempfile::tempdir()?;
                    Ok((PlainHeed::create(&folder.path().join("plain.mdb"), false)?, folder))
                };
                let write = |(heed, _): &(PlainHeed, tempfile::TempDir), at: usize| {
                    Ok(heed.write(&stored[at * BULK..(at + 1) * BULK], order)?)
                };
                timed(requests, make, write).unwrap_or_else(failed)
            });
        });
    }
    group.finish();
}

fn single(criterion: &mut Criterion) {
    let records = records(BULK * REQUESTS);
    let stored = stored(&records).unwrap_or_else(|error| {
        failed(error);
        Vec::new()
    });
    let mut group = criterion.benchmark_group("durable insert of one record");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat);
    group.bench_function("store, 16 clients", |bencher| {
        bencher.iter_custom(|inserts| together(&records, inserts as usize).unwrap_or_else(failed));
    });
    group.bench_function("plain heed, one sync per record", |bencher| {
        bencher.iter_custom(|inserts| {
            let run = || -> Result<Duration, Failure> {
                let folder = tempfile::tempdir()?;
                let heed = PlainHeed::create(&folder.path().join("plain.mdb"), true)?;
                let started = Instant::now();
                for number in 0..inserts as usize {
                    heed.write(&stored[number % stored.len()..][..1], Order::ByRecord)?;
                }
                Ok(started.elapsed())
            };
            run().unwrap_or_else(failed)
        });
    });
    group.finish();
}

/// The time that so many inserts take, shared by the clients.
fn together(records: &Records, inserts: usize) -> Result<Duration, Failure> {
    let empty = Empty::new(false, true)?;
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        let client = || -> Result<(), StoreError> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= inserts {
                    return Ok(());
                }
                let at = number % records.len();
                empty.insert(records, at..at + 1)?;
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| StoreError::Closed)?)
    })?;
    Ok(started.elapsed())
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10);
    targets = bulk, single
}
criterion_main!(benches);
