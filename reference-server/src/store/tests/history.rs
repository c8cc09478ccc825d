use super::*;
use std::ops::Bound;

fn entries(database: &Database, from: Bound<f64>, to: Bound<f64>, reverse: bool) -> Vec<String> {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let history = read.view().history(table, from, to, reverse).unwrap();
    history
        .map(|entry| {
            let entry = entry.unwrap();
            let changes: Vec<String> = entry
                .changes()
                .map(|change| {
                    let change = change.unwrap();
                    let show = |record: Option<Record<'_>>| {
                        record.map_or("-".to_owned(), |record| text_of(table, &record))
                    };
                    format!("{}: {} <- {}", change.key().to_json(), show(change.after), show(change.before))
                })
                .collect();
            assert_eq!(entry.len(), changes.len());
            format!("{} by {:?}: {}", entry.operation, entry.user, changes.join("; "))
        })
        .collect()
}

#[test]
fn requests_become_entries_with_before_and_after() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    let plain = create_table(&database, TableSpec::dynamic("plain", "id"));
    let one = Value::Number(1.0);
    let (work, key) = (table.clone(), one.clone());
    let inserted = write(&database, move |txn| {
        txn.put(&work, &key, &record(r#"{"id":1,"a":1}"#), None)?;
        txn.put(&work, &Value::Number(2.0), &record(r#"{"id":2}"#), None)?;
        txn.put(&plain, &key, &record(r#"{"id":1}"#), None)?;
        txn.log_history(&plain, HistoryEntry::new("insert", None))?;
        txn.log_history(&work, HistoryEntry::new("insert", Some("admin")))?;
        Ok(txn.timestamp())
    });
    let (work, key) = (table.clone(), one.clone());
    let updated = write(&database, move |txn| {
        txn.put(&work, &key, &record(r#"{"id":1,"a":2}"#), None)?;
        txn.log_history(&work, HistoryEntry::new("update", None))?;
        Ok(txn.timestamp())
    });
    let work = table.clone();
    write(&database, move |txn| {
        txn.delete(&work, &one)?;
        txn.delete(&work, &Value::from("unknown"))?;
        txn.log_history(&work, HistoryEntry::new("delete", Some("me")))
    });
    let all = entries(&database, Bound::Unbounded, Bound::Unbounded, false);
    assert_eq!(
        all,
        [
            r#"insert by Some("admin"): 1: {"id":1,"a":1} <- -; 2: {"id":2} <- -"#,
            r#"update by None: 1: {"id":1,"a":2} <- {"id":1,"a":1}"#,
            r#"delete by Some("me"): 1: - <- {"id":1,"a":2}"#,
        ]
    );
    assert_eq!(entries(&database, Bound::Unbounded, Bound::Unbounded, true)[0], all[2]);
    assert_eq!(entries(&database, Bound::Included(updated), Bound::Unbounded, false), all[1..]);
    assert_eq!(entries(&database, Bound::Included(inserted), Bound::Excluded(updated), false), all[..1]);
    assert_eq!(entries(&database, Bound::Excluded(inserted), Bound::Included(updated), false), all[1..2]);
    assert_eq!(entries(&database, Bound::Included(updated), Bound::Included(inserted), false), [""; 0]);
    assert!(database.history_size() > 0);
    let work = table.clone();
    assert_eq!(write(&database, move |txn| txn.delete_history_before(&work, updated, 100)), 1);
    assert_eq!(entries(&database, Bound::Unbounded, Bound::Unbounded, false), all[1..]);
}

#[test]
fn names_in_old_entries_outlive_their_attributes() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    let work = table.clone();
    write(&database, move |txn| {
        txn.put(&work, &Value::Number(1.0), &record(r#"{"id":1,"old":1}"#), None)?;
        txn.log_history(&work, HistoryEntry::new("insert", None))?;
        txn.drop_attribute(&work, "old", true)
    });
    let all = entries(&database, Bound::Unbounded, Bound::Unbounded, false);
    assert_eq!(all, [r#"insert by None: 1: {"id":1,"old":1} <- -"#]);
}

/// A table with a history and one request per line: `user: put KEY VALUE` or `user: delete KEY`.
fn play(database: &Database, table: &str, requests: &[&str]) {
    for request in requests {
        let (user, work) = request.split_once(": ").unwrap();
        let words: Vec<String> = work.split(' ').map(str::to_owned).collect();
        let (user, name) = (user.to_owned(), table.to_owned());
        write(database, move |txn| {
            let table = txn.catalog().table(&name).unwrap().clone();
            let key = json(&words[1]);
            if words[0] == "put" {
                let text = format!(r#"{{"id":{},"v":{}}}"#, words[1], words[2]);
                txn.put(&table, &key, &record(&text), None)?;
            } else {
                txn.delete(&table, &key)?;
            }
            txn.log_history(&table, HistoryEntry::new(&words[0], Some(&user)))
        });
    }
}

fn audited(database: &Database, name: &str) -> Arc<Table> {
    create_table(database, TableSpec { audit: true, ..TableSpec::dynamic(name, "id") })
}

fn of_record(database: &Database, key: &str) -> Vec<String> {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let found = read.view().history_of_record(table, &json(key)).unwrap();
    let show = |record: Option<Record<'_>>| {
        let value = record.and_then(|record| record.attribute(table.attribute_id("v")?));
        value.map_or("-".to_owned(), |value| value.decode().to_json())
    };
    found
        .iter()
        .map(|(entry, change)| format!("{} {}>{}", entry.operation, show(change.before), show(change.after)))
        .collect()
}

fn of_user(database: &Database, user: &str) -> Vec<String> {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let found = read.view().history_of_user(table, user).unwrap();
    found
        .iter()
        .map(|entry| {
            let keys: Vec<_> = entry.changes().map(|change| change.unwrap().key().to_json()).collect();
            format!("{} {}", entry.operation, keys.join(","))
        })
        .collect()
}

fn numbers(database: &Database, after: u64) -> Vec<u64> {
    let read = database.read().unwrap();
    read.view().history_after(after).unwrap().map(|entry| entry.unwrap().number).collect()
}

const STORY: [&str; 7] = [
    "ann: put 1 1",
    "bob: put 2 1",
    "ann: put 1 2",
    "bob: delete 1",
    "ann: put \"1\" 9",
    "ann: put 1 3",
    "bob: delete 2",
];

#[test]
fn histories_of_records_and_of_users() {
    let test = TestStore::new();
    let database = test.data();
    audited(&database, "t");
    audited(&database, "other");
    play(&database, "other", &["ann: put 1 77"]);
    play(&database, "t", &STORY);
    assert_eq!(of_record(&database, "1"), ["put ->1", "put 1>2", "delete 2>-", "put ->3"]);
    assert_eq!(of_record(&database, "\"1\""), ["put ->9"]);
    assert_eq!(of_record(&database, "2"), ["put ->1", "delete 1>-"]);
    assert_eq!(of_record(&database, "3"), [""; 0]);
    assert_eq!(of_record(&database, "{}"), [""; 0]);
    assert_eq!(of_user(&database, "ann"), ["put 1", "put 1", "put \"1\"", "put 1"]);
    assert_eq!(of_user(&database, "bob"), ["put 2", "delete 1", "delete 2"]);
    assert_eq!(of_user(&database, "an"), [""; 0]);
    assert_eq!(numbers(&database, 0), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(numbers(&database, 6), [7, 8]);
}

#[test]
fn several_changes_of_one_record_in_one_request() {
    let test = TestStore::new();
    let database = test.data();
    let table = audited(&database, "t");
    write(&database, move |txn| {
        for value in ["1", "2"] {
            for key in [1.0, 2.0] {
                let text = format!(r#"{{"id":{key},"v":{value}}}"#);
                txn.put(&table, &Value::Number(key), &record(&text), None)?;
            }
        }
        txn.delete(&table, &Value::Number(2.0))?;
        txn.log_history(&table, HistoryEntry::new("x", None))
    });
    assert_eq!(of_record(&database, "1"), ["x ->1", "x 1>2"]);
    assert_eq!(of_record(&database, "2"), ["x ->1", "x 1>2", "x 2>-"]);
}

#[test]
fn long_keys_and_names_keep_their_histories_apart() {
    let test = TestStore::new();
    let database = test.data();
    audited(&database, "t");
    let long = |tail: &str| format!("{}{tail}", "x".repeat(600));
    let (a, b) = (format!("\"{}\"", long("a")), format!("\"{}\"", long("b")));
    let requests = [
        format!("{}: put {a} 1", long("ann")),
        format!("{}: put {b} 2", long("bob")),
        format!("{}: delete {a}", long("ann")),
    ];
    play(&database, "t", &requests.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(of_record(&database, &a), ["put ->1", "delete 1>-"]);
    assert_eq!(of_record(&database, &b), ["put ->2"]);
    assert_eq!(of_user(&database, &long("bob")), [format!("put {b}")]);
    assert_eq!(of_user(&database, &long("ann")).len(), 2);
}

#[test]
fn what_is_purged_is_found_no_more() {
    let test = TestStore::new();
    let database = test.data();
    let table = audited(&database, "t");
    play(&database, "t", &STORY);
    let times: Vec<f64> = {
        let read = database.read().unwrap();
        let all = read.view().history(&table, Bound::Unbounded, Bound::Unbounded, false).unwrap();
        all.map(|entry| entry.unwrap().timestamp).collect()
    };
    let purge = |before: f64, limit: usize| {
        let table = table.clone();
        write(&database, move |txn| txn.delete_history_before(&table, before, limit))
    };
    assert_eq!(purge(-1.0, 100), 0);
    assert_eq!(purge(times[3], 2), 2);
    assert_eq!(purge(times[3], 2), 1);
    assert_eq!(purge(times[3], 2), 0);
    assert_eq!(of_record(&database, "1"), ["delete 2>-", "put ->3"]);
    assert_eq!(of_record(&database, "2"), ["delete 1>-"]);
    assert_eq!(of_user(&database, "ann"), ["put \"1\"", "put 1"]);
    assert_eq!(numbers(&database, 0), [4, 5, 6, 7]);
    assert_eq!(purge(f64::INFINITY, 100), 4);
    assert_eq!(of_record(&database, "2"), [""; 0]);
    assert_eq!(of_user(&database, "ann"), [""; 0]);
    let read = database.read().unwrap();
    for tree in [database.environment.trees.tombstones, database.environment.trees.numbers] {
        assert_eq!(tree.len(read.view().txn).unwrap(), 0);
    }
    drop(read);
    play(&database, "t", &["ann: put 1 4"]);
    assert_eq!(numbers(&database, 0), [8]);
    assert_eq!(of_record(&database, "1"), ["put 3>4"]);
}

#[test]
fn numbers_and_times_go_on_after_a_restart() {
    let mut test = TestStore::new();
    let database = test.data();
    audited(&database, "t");
    play(&database, "t", &STORY[..2]);
    drop(database);
    test.reopen();
    let database = test.data();
    play(&database, "t", &STORY[2..3]);
    assert_eq!(numbers(&database, 0), [1, 2, 3]);
    assert_eq!(of_user(&database, "ann"), ["put 1", "put 1"]);
    assert_eq!(of_record(&database, "1"), ["put ->1", "put 1>2"]);
    // The clock was ahead when the last entry was written.
    let ahead = now_and(30_000.0);
    set_last_time(&database, ahead);
    drop(database);
    test.reopen();
    let database = test.data();
    assert!(write(&database, |txn| Ok(txn.timestamp())) > ahead);
    // It was wrong altogether.
    set_last_time(&database, now_and(1e12));
    drop(database);
    test.reopen();
    assert!(write(&test.data(), |txn| Ok(txn.timestamp())) < now_and(30_000.0));
}

fn now_and(milliseconds: f64) -> f64 {
    super::super::environment::now() + milliseconds
}

fn set_last_time(database: &Database, time: f64) {
    write(database, move |txn| {
        let state = [100_u64.to_be_bytes(), time.to_be_bytes()].concat();
        let meta = txn.environment.trees.meta;
        meta.put(&mut txn.txn, environment::meta_keys::HISTORY, &state)?;
        txn.changes += 1;
        Ok(())
    });
}

#[test]
fn dropped_tables_leave_nothing_in_the_history() {
    let test = TestStore::new();
    let database = test.data();
    audited(&database, "t");
    audited(&database, "other");
    play(&database, "t", &STORY);
    play(&database, "other", &["ann: put 1 1", "ann: delete 1"]);
    write(&database, |txn| {
        let id = txn.catalog().table("t").unwrap().id;
        txn.drop_table("t")?;
        while !txn.purge_table(id, 3)? {}
        Ok(())
    });
    assert_eq!(numbers(&database, 0), [8, 9]);
    let read = database.read().unwrap();
    assert_eq!(database.environment.trees.tombstones.len(read.view().txn).unwrap(), 1);
}

#[test]
fn old_entries_go_by_themselves() {
    let options = StoreOptions { no_sync: true, ..StoreOptions::default() };
    let mut test = TestStore::with(options);
    let database = test.data();
    audited(&database, "t");
    play(&database, "t", &STORY);
    drop(database);
    test.options.history_retention = Some(std::time::Duration::from_hours(1));
    test.reopen();
    let database = test.data();
    // Opening set the writer to work; requests come after what it does at once.
    write(&database, |_| Ok(()));
    assert_eq!(numbers(&database, 0).len(), 7);
    drop(database);
    test.options.history_retention = Some(std::time::Duration::ZERO);
    test.reopen();
    let database = test.data();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !numbers(&database, 0).is_empty() {
        assert!(std::time::Instant::now() < deadline, "old entries stay");
        std::thread::yield_now();
    }
    assert_eq!(of_record(&database, "1"), [""; 0]);
}

#[test]
fn histories_of_the_first_format_are_migrated() {
    let mut test = TestStore::new();
    let database = test.data();
    let table = audited(&database, "t");
    play(&database, "t", &["ann: put 1 1", "bob: put 2 1", "ann: put 1 2", "bob: delete 2"]);
    let before: Vec<_> =
        [of_record(&database, "1"), of_record(&database, "2"), of_user(&database, "bob")].into();
    to_first_format(&database, &table);
    drop(database);
    test.reopen();
    let database = test.data();
    let after: Vec<_> =
        [of_record(&database, "1"), of_record(&database, "2"), of_user(&database, "bob")].into();
    assert_eq!(after, before);
    assert_eq!(numbers(&database, 0), [1, 2, 3, 4]);
    play(&database, "t", &["ann: put 2 5"]);
    assert_eq!(of_record(&database, "2"), ["put ->1", "delete 1>-", "put ->5"]);
    assert_eq!(numbers(&database, 4), [5]);
}

/// Takes everything out that the second format brought.
fn to_first_format(database: &Database, table: &Table) {
    let environment = &database.environment;
    let trees = environment.trees;
    let mut txn = environment.write().unwrap();
    let old_record = |bytes: &[u8]| [&[1], &bytes[1..25], &bytes[37..]].concat();
    let pairs = |txn: &changes::Writing<'_>, tree: changes::Tree| -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = tree.iter(txn).unwrap();
        pairs.map(|pair| pair.unwrap()).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    };
    for (key, value) in pairs(&txn, trees.records) {
        trees.records.put(&mut txn, &key, &old_record(&value)).unwrap();
    }
    let entries: Vec<_> = {
        let read = database.read().unwrap();
        let all = read.view().history(table, Bound::Unbounded, Bound::Unbounded, false).unwrap();
        let old = |entry: HistoryRecord<'_>| {
            let mut value = vec![1];
            for text in [entry.operation, entry.user.unwrap()] {
                value.extend_from_slice(&(text.len() as u16).to_be_bytes());
                value.extend_from_slice(text.as_bytes());
            }
            value.extend_from_slice(&(entry.len() as u32).to_be_bytes());
            for change in entry.changes() {
                let change = change.unwrap();
                for record in [change.after, change.before] {
                    let record = record.map(|record| old_record(record.bytes())).unwrap_or_default();
                    value.extend_from_slice(&(record.len() as u32).to_be_bytes());
                    value.extend_from_slice(&record);
                }
            }
            let mut key = table.id.to_be_bytes().to_vec();
            keys::append_number(&mut key, entry.timestamp);
            key.extend_from_slice(&[0; 4]);
            (key, value)
        };
        all.map(|entry| old(entry.unwrap())).collect()
    };
    for tree in [trees.history, trees.numbers, trees.tombstones] {
        tree.clear(txn.whole()).unwrap();
    }
    for (key, value) in entries {
        trees.history.put(&mut txn, &key, &value).unwrap();
    }
    for (key, _) in pairs(&txn, trees.meta) {
        if key.starts_with(b"writer-") || key == environment::meta_keys::HISTORY {
            trees.meta.delete(&mut txn, &key).unwrap();
        }
    }
    trees.meta.put(&mut txn, environment::meta_keys::FORMAT, &1_u32.to_be_bytes()).unwrap();
    txn.commit().unwrap();
}
