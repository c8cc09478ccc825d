//! Batches that are acknowledged before they are committed.

use super::*;
use crate::store::changes::{Tree, Writing, make_again};
use crate::store::environment::Environment;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::atomic::Ordering;
use std::sync::{Barrier, mpsc};

/// The number of the record that gives a table its attributes, which no batch that shares a commit can.
const FIRST: u32 = 6;

fn numbered(number: u32) -> Object {
    record(&format!(r#"{{"id":{number},"a":{},"b":"{}"}}"#, number % 5, "x".repeat(number as usize % 7)))
}

fn has(database: &Database, table: &Table, number: u32) -> bool {
    let read = database.read().unwrap();
    read.get(table, &Value::Number(f64::from(number))).unwrap().is_some()
}

/// A write that is under way until it is let go.
struct Held {
    thread: std::thread::JoinHandle<()>,
    release: mpsc::Sender<()>,
}

impl Held {
    fn begin(database: &Arc<Database>) -> Held {
        let (release, released) = mpsc::channel();
        let (begin, began) = mpsc::channel();
        let database = database.clone();
        let thread = std::thread::spawn(move || {
            let held = database.write_blocking(move |_| -> Result<(), StoreError> {
                begin.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            });
            held.unwrap();
        });
        began.recv().unwrap();
        Held { thread, release }
    }

    fn end(self) {
        self.release.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

fn put(database: &Arc<Database>, table: &Arc<Table>, number: u32) {
    let table = table.clone();
    write(database, move |txn| {
        let row = numbered(number);
        txn.put(&table, &row["id"], &row, None)?;
        txn.log_history(&table, entry())
    });
}

fn entry() -> HistoryEntry<'static> {
    HistoryEntry { operation: "upsert", user: Some("u"), ..HistoryEntry::default() }
}

/// Writes two records together, and returns with another write under way; `None` when the two were committed before
/// that began.
fn acknowledged_only(database: &Arc<Database>, table: &Arc<Table>, first: u32) -> Option<Held> {
    let held = Held::begin(database);
    std::thread::scope(|scope| {
        let both = [first, first + 1].map(|number| scope.spawn(move || put(database, table, number)));
        // Both wait behind the one under way by the time it ends, or share no batch.
        std::thread::yield_now();
        held.end();
        both.into_iter().for_each(|one| one.join().unwrap());
    });
    let held = Held::begin(database);
    if database.environment.lag.lags() {
        return Some(held);
    }
    held.end();
    None
}

fn until_acknowledged_only(database: &Arc<Database>, table: &Arc<Table>) -> (u32, Held) {
    let tried = (0..1000)
        .map(|turn| turn * 2)
        .find_map(|first| acknowledged_only(database, table, first).map(|held| (first, held)));
    tried.expect("some two writes share a batch")
}

fn with_table(options: StoreOptions) -> (TestStore, Arc<Database>, Arc<Table>) {
    let test = TestStore::with(options);
    let database = test.data();
    let spec = TableSpec { audit: true, ..TableSpec::dynamic("t", "id") };
    let table = create_table(&database, spec);
    put(&database, &table, FIRST);
    let table = database.catalog().table("t").unwrap().clone();
    (test, database, table)
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let (test, database, table) = with_table(StoreOptions::default());
    let (first, held) = until_acknowledged_only(&database, &table);
    // What is on disk while nothing of it is committed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["data.mdb", "data.mdb-journal"] {
        std::fs::copy(test.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    held.end();
    let store = Store::open(copy.path(), StoreOptions::default()).unwrap();
    let crashed = store.database("data").unwrap();
    assert!(!copy.path().join("data.mdb-journal").exists(), "it is done with");
    let written: BTreeSet<u32> = (0..=first + 1).chain([FIRST]).collect();
    assert!(written.iter().all(|number| has(&crashed, &table, *number)));
    let read = crashed.read().unwrap();
    assert_eq!(read.count(&table).unwrap(), written.len() as u64);
    let entries = read.view().history(&table, Bound::Unbounded, Bound::Unbounded, false).unwrap();
    assert_eq!(entries.count() as u32, first + 3);
}

#[test]
fn readers_see_what_was_acknowledged() {
    let (_test, database, table) = with_table(StoreOptions::default());
    let (first, held) = until_acknowledged_only(&database, &table);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| has(&database, &table, first) && has(&database, &table, first + 1));
        let copied = scope.spawn(|| {
            let mut file = tempfile::tempfile().unwrap();
            database.backup(&mut file).unwrap();
        });
        while !database.environment.lag.is_awaited() {
            assert!(!reader.is_finished() && !copied.is_finished(), "somebody did not wait");
            std::thread::yield_now();
        }
        held.end();
        assert!(reader.join().unwrap());
        copied.join().unwrap();
    });
}

#[test]
fn what_cannot_be_committed_is_kept() {
    let (test, database, table) = with_table(StoreOptions::default());
    let (first, held) = until_acknowledged_only(&database, &table);
    let is_full = &database.environment.is_full;
    is_full.store(true, Ordering::SeqCst);
    held.end();
    let refused = |number: u32| {
        let table = table.clone();
        database.write_blocking(move |txn| txn.put(&table, &numbered(number)["id"], &numbered(number), None))
    };
    assert!(matches!(database.read().err(), Some(StoreError::DiskFull)));
    assert!(matches!(refused(first + 2), Err(StoreError::DiskFull)));
    // A start finds it in the journal.
    let copy = tempfile::tempdir().unwrap();
    for name in ["data.mdb", "data.mdb-journal"] {
        std::fs::copy(test.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = Store::open(copy.path(), StoreOptions::default()).unwrap();
    let started = store.database("data").unwrap();
    assert!(has(&started, &table, first) && has(&started, &table, first + 1));
    // And so does the writer, as soon as there is room.
    is_full.store(false, Ordering::SeqCst);
    put(&database, &table, first + 3);
    for (number, expected) in [(first, true), (first + 1, true), (first + 2, false), (first + 3, true)] {
        assert_eq!(has(&database, &table, number), expected, "{number}");
    }
}

#[test]
fn many_writers_and_readers_agree() {
    const WRITERS: u32 = 6;
    // It has to grow meanwhile.
    let options = StoreOptions { map_size: 256 << 10, ..StoreOptions::default() };
    let (mut test, database, table) = with_table(options);
    let start = Barrier::new(WRITERS as usize);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (database, table, start) = (&database, &table, &start);
            scope.spawn(move || {
                start.wait();
                for turn in 0..60 {
                    let number = 100 + turn * WRITERS + writer;
                    put(database, table, number);
                    if turn % 20 == writer {
                        assert!(has(database, table, number), "{number}");
                    }
                    // Failures spoil nothing of the others.
                    let (failing, row) = (table.clone(), numbered(90));
                    let failed: Result<(), StoreError> = database.write_blocking(move |txn| {
                        txn.put(&failing, &row["id"], &row, None)?;
                        Err(StoreError::Closed)
                    });
                    assert!(failed.is_err());
                }
            });
        }
    });
    let numbers: Vec<u32> = (100..100 + 60 * WRITERS).collect();
    assert!(numbers.iter().all(|number| has(&database, &table, *number)));
    drop(database);
    test.reopen();
    assert!(!test.folder.path().join("data.mdb-journal").exists(), "it is done with");
    let database = test.data();
    assert!(numbers.iter().all(|number| has(&database, &table, *number)) && !has(&database, &table, 90));
}

fn all_pairs(environment: &Environment) -> Vec<(Vec<u8>, Vec<u8>)> {
    let reading = environment.read().unwrap();
    let pairs_of = |tree: Tree| -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = tree.iter(&reading.txn).unwrap().map(Result::unwrap);
        pairs.map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    };
    (0..6).flat_map(|number| pairs_of(environment.trees.numbered(number).unwrap())).collect()
}

fn change(txn: &mut WriteTxn<'_>, table: &Arc<Table>, number: u32, kind: u8) -> Result<(), StoreError> {
    let row = numbered(number);
    match kind {
        0 => drop(txn.insert(table, &row["id"], &row, None)?),
        1 => txn.put(table, &row["id"], &numbered(number + 1), Some(now() + 60_000.0))?,
        _ => drop(txn.delete(table, &row["id"])?),
    }
    txn.log_history(table, entry())
}

fn now() -> f64 {
    crate::store::environment::now()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A list of changes, made again where they were made first, gives the same trees to the last byte.
    #[test]
    fn lists_of_changes_lead_to_the_same_trees(
        changes in prop::collection::vec((0..40u32, 0..3u8), 1..60),
    ) {
        let test = TestStore::new();
        let database = test.data();
        let spec = TableSpec { audit: true, ..TableSpec::dynamic("t", "id") };
        let table = create_table(&database, spec);
        put(&database, &table, FIRST);
        let table = database.catalog().table("t").unwrap().clone();
        let path = test.folder.path().join("copy");
        database.backup(&mut std::fs::File::create(&path).unwrap()).unwrap();
        let copy = Environment::open(&path, "data", &test.options).unwrap();
        let environment = &database.environment;
        let mut time = now();
        for part in changes.chunks(7) {
            let mut whole = environment.write().unwrap();
            let nested = environment.nested(&mut whole).unwrap();
            let mut txn = WriteTxn::over(environment, Writing::listed(nested, Vec::new()));
            for (number, kind) in part {
                time = txn.begin_request(time, 0.0);
                change(&mut txn, &table, *number, *kind).unwrap();
            }
            let (nested, list) = txn.into_part().unwrap().unwrap().into_parts();
            nested.commit().unwrap();
            environment.commit(whole, None).unwrap();
            let mut again = copy.write().unwrap();
            make_again(&list.unwrap(), &mut again, &copy.trees).unwrap();
            again.commit().unwrap();
            prop_assert!(all_pairs(environment) == all_pairs(&copy));
        }
    }
}
