//! How fast bulk writes are, beside LMDB alone storing the same bytes. Run it optimised:
//! `cargo test --release -p reference-server --lib speed -- --ignored --nocapture`

use super::*;
use crate::store::environment::{Environment, now};
use std::collections::HashMap;
use std::time::{Duration, Instant};

const RECORDS: usize = 50_000;
const PER_WRITE: usize = 1000;

type Pairs<'t> = Vec<(&'t [u8], &'t [u8])>;

fn rows(random_keys: bool) -> Vec<Object> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let row = |number: usize| {
        let key = match random_keys {
            true => format!("\"{:016x}-{:016x}\"", random(), random()),
            false => number.to_string(),
        };
        let (r, time) = (random(), now());
        record(&format!(
            r#"{{"id":{key},"name":"dog {}","breed":"breed {}","age":{},"weight":{}.5,"adorable":{},
               "owner":"owner {:x}","city":"city {}","tags":["tag {}","tag {}"],"note":"some longer text that says nothing {r:x}",
               "__createdtime__":{time},"__updatedtime__":{time}}}"#,
            r % 5000,
            r % 50,
            r % 20,
            r % 90,
            r % 2 == 0,
            r,
            r % 300,
            r % 7,
            r % 11
        ))
    };
    (0..RECORDS).map(row).collect()
}

fn rate(what: &str, elapsed: Duration) -> f64 {
    let rate = RECORDS as f64 / elapsed.as_secs_f64();
    println!("{what:<44} {rate:>9.0} records/s");
    rate
}

fn measure(random_keys: bool, no_sync: bool) {
    println!(
        "keys {}, {}",
        if random_keys { "random" } else { "ascending" },
        if no_sync { "not synced" } else { "synced" }
    );
    let rows = rows(random_keys);
    let options = StoreOptions { no_sync, ..StoreOptions::default() };
    let test = TestStore::with(options.clone());
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("dogs", "id"));
    let put = |database: &Database, table: &Arc<Table>| {
        let start = Instant::now();
        for rows in rows.chunks(PER_WRITE) {
            let (rows, table) = (rows.to_vec(), table.clone());
            write(database, move |txn| {
                for row in &rows {
                    txn.put(&table, &row["id"], row, None)?;
                }
                Ok(())
            });
        }
        start.elapsed()
    };
    let stored = rate("store", put(&database, &table));

    // The same pairs, in the order of the records, into a plain environment.
    let reading = database.environment.read().unwrap();
    let trees = database.environment.trees;
    let mut entries: HashMap<&[u8], Pairs<'_>> = HashMap::new();
    for pair in trees.index.iter(&reading.txn).unwrap() {
        let (entry, key) = pair.unwrap();
        entries.entry(key).or_default().push((entry, key));
    }
    let mut pairs = Vec::new();
    for row in &rows {
        let mut key = table.id.to_be_bytes().to_vec();
        keys::append_key(&mut key, &row["id"]).unwrap();
        let value = trees.records.get(&reading.txn, &key).unwrap().unwrap();
        let entries = entries[&key[4..]].clone();
        pairs.push((key, value, entries));
    }
    println!("{} index entries per record, {} bytes", pairs[0].2.len(), pairs[0].1.len());
    let folder = tempfile::tempdir().unwrap();
    let plain = Environment::open(&folder.path().join("plain.mdb"), "plain", &options).unwrap();
    let start = Instant::now();
    for pairs in pairs.chunks(PER_WRITE) {
        let mut txn = plain.write().unwrap();
        for (key, value, entries) in pairs {
            plain.trees.records.put(&mut txn, key, value).unwrap();
            for (entry, key) in entries {
                plain.trees.index.put(&mut txn, entry, key).unwrap();
            }
        }
        txn.commit().unwrap();
    }
    let bare = rate("LMDB alone", start.elapsed());
    println!("{:<44} {:>8.0} %", "store / LMDB alone", 100.0 * stored / bare);
    drop(reading);
    rate("store, the same again (nothing indexed anew)", put(&database, &table));
    let read = database.read().unwrap();
    let start = Instant::now();
    let mut bytes = 0;
    for row in &rows {
        let record = read.get(&table, &row["id"]).unwrap().unwrap();
        bytes += record.attributes().map(|(_, value)| value.json().len()).sum::<usize>();
    }
    rate("store, get", start.elapsed());
    assert!(bytes > 0);
}

#[test]
#[ignore = "a measurement"]
fn speed_of_bulk_writes() {
    for random_keys in [false, true] {
        for no_sync in [true, false] {
            measure(random_keys, no_sync);
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn speed_of_small_requests() {
    let mut test = TestStore::with(StoreOptions::default());
    let start = Instant::now();
    test.reopen();
    println!("opening an empty store: {:?}", start.elapsed());
    let start = Instant::now();
    let database = test.data();
    println!("creating a database: {:?}", start.elapsed());
    let table = create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for clients in [1, 8, 64] {
        let start = Instant::now();
        let per_client = 256 / clients;
        runtime.block_on(async {
            let mut waiting = Vec::new();
            for client in 0..clients {
                let (database, table) = (database.clone(), table.clone());
                waiting.push(tokio::spawn(async move {
                    for number in 0..per_client {
                        let table = table.clone();
                        let key = Value::from(format!("{clients}-{client}-{number}"));
                        let put = database.write(move |txn| {
                            txn.put(&table, &key, &record(r#"{"a":1,"b":"text"}"#), None)?;
                            txn.log_history(&table, HistoryEntry::new("insert", None))
                        });
                        let done: Result<(), StoreError> = put.await;
                        done.unwrap();
                    }
                }));
            }
            for handle in waiting {
                handle.await.unwrap();
            }
        });
        println!("{clients} clients: {:.0} durable writes/s", 256.0 / start.elapsed().as_secs_f64());
    }
    let key = Value::from("1-0-0");
    let start = Instant::now();
    const READS: u32 = 200_000;
    for _ in 0..READS {
        let read = database.read().unwrap();
        assert!(read.get(&table, &key).unwrap().is_some());
    }
    println!("a snapshot and a get: {:?}", start.elapsed() / READS);
    let start = Instant::now();
    for _ in 0..READS {
        drop(database.read().unwrap());
    }
    println!("a snapshot: {:?}", start.elapsed() / READS);
}
