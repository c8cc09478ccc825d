use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_failed_request_leaves_nothing_and_spoils_nothing() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut waiting = Vec::new();
        for number in 0..100 {
            let (database, table) = (database.clone(), table.clone());
            waiting.push(tokio::spawn(async move {
                let result: Result<(), StoreError> = database
                    .write(move |txn| {
                        let mut row = Object::new();
                        row.insert(format!("a{}", number % 7), Value::Bool(true));
                        txn.put(&table, &Value::Number(f64::from(number)), &row, None)?;
                        match number % 3 {
                            0 => Ok(()),
                            1 => Err(StoreError::NotFound("made up".to_owned())),
                            _ => panic!("made up"),
                        }
                    })
                    .await;
                (number, result)
            }));
        }
        for handle in waiting {
            let (number, result) = handle.await.unwrap();
            match number % 3 {
                0 => assert!(result.is_ok()),
                1 => assert!(matches!(result, Err(StoreError::NotFound(_)))),
                _ => assert!(matches!(result, Err(StoreError::Panicked(_)))),
            }
        }
    });
    let read = database.read().unwrap();
    let keys = keys_of(read.scan(&table, KeyRange::all(), false).unwrap());
    assert_eq!(keys, (0..100).step_by(3).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(read.count(&table).unwrap(), 34);
    // The failed requests' attributes came back with others that succeeded: all ids must have names.
    let table = read.catalog().table("t").unwrap();
    for record in read.scan(table, KeyRange::all(), false).unwrap() {
        assert!(record.unwrap().attributes().all(|(id, _)| !table.attribute_name(id).is_empty()));
    }
}

#[test]
fn the_map_grows_while_readers_come_and_go() {
    let options = StoreOptions { map_size: 256 << 10, no_sync: true, ..StoreOptions::default() };
    let mut test = TestStore::with(options);
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let runs = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for batch in 0..20 {
                let (work, runs) = (table.clone(), runs.clone());
                write(&database, move |txn| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    for number in 0..100 {
                        let mut row = Object::new();
                        row.insert("text".into(), Value::from("x".repeat(2000)));
                        txn.put(&work, &Value::Number(f64::from(batch * 100 + number)), &row, None)?;
                    }
                    Ok(())
                });
            }
        });
        while !writing.is_finished() {
            let read = database.read().unwrap();
            let seen = read.scan(&table, KeyRange::all(), false).unwrap().map(Result::unwrap).count();
            assert_eq!(seen % 100, 0);
            assert_eq!(seen as u64, read.count(&table).unwrap());
        }
    });
    assert!(runs.load(Ordering::Relaxed) > 20, "the map was large enough from the start");
    assert!(database.size() > 4_000_000);
    drop(database);
    test.reopen();
    let database = test.data();
    assert_eq!(database.read().unwrap().count(&table).unwrap(), 2000);
}

#[test]
fn readers_always_know_the_attributes_they_meet() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..300 {
                let work = table.clone();
                write(&database, move |txn| {
                    let mut row = Object::new();
                    row.insert(format!("a{number}"), Value::Bool(true));
                    txn.put(&work, &Value::Number(f64::from(number)), &row, None)
                });
            }
        });
        while !writing.is_finished() {
            let read = database.read().unwrap();
            let table = read.catalog().table("t").unwrap();
            for record in read.scan(table, KeyRange::all(), true).unwrap().take(3) {
                for (id, _) in record.unwrap().attributes() {
                    let name = table.attribute_name(id);
                    assert!(!name.is_empty(), "an id without a name");
                    let index = read.index(table, id, KeyRange::all(), false).unwrap();
                    assert!(
                        id == PRIMARY_KEY || index.count() == 1,
                        "{name} is not indexed in this snapshot"
                    );
                }
            }
        }
    });
}

#[test]
fn a_requests_own_reads_see_its_changes() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    write(&database, move |txn| {
        txn.put(&table, &Value::Number(1.0), &record(r#"{"a":1}"#), None)?;
        assert!(txn.get(&table, &Value::Number(1.0))?.is_some());
        let view = txn.view()?;
        let table = view.catalog().table("t").unwrap();
        let a = table.attribute_id("a").unwrap();
        assert_eq!(view.index_count(table, a, &Value::Number(1.0))?, 1);
        assert_eq!(view.count(table)?, 1);
        Ok(())
    });
}

#[test]
fn times_of_requests_increase() {
    let test = TestStore::new();
    let database = test.data();
    let mut last = 0.0;
    for _ in 0..200 {
        let time = write(&database, |txn| Ok(txn.timestamp()));
        assert!(time > last);
        last = time;
    }
}

#[test]
fn idle_writers_sweep_what_has_expired() {
    let mut test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let work = table.clone();
    write(&database, move |txn| txn.put(&work, &Value::Number(1.0), &Object::new(), Some(1.0)));
    drop(database);
    test.reopen();
    // With something to sweep the writer starts by itself.
    let database = test.data();
    let start = std::time::Instant::now();
    loop {
        let read = database.read().unwrap();
        if read.view().size_of(&table).unwrap().records == 0 {
            break;
        }
        drop(read);
        assert!(start.elapsed().as_secs() < 60);
        std::thread::yield_now();
    }
}

#[test]
fn transactions_may_move_between_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_send::<ReadTxn<'_>>();
    is_shared::<Database>();
    is_shared::<Store>();
    // The last user of a database may be a request: the writer then drops its own database.
    let test = TestStore::new();
    let database = test.data();
    let own = database.clone();
    test.store().drop_database("data").unwrap();
    drop(database);
    let closed: Result<(), StoreError> = own.clone().write_blocking(move |_| {
        let _ = own.name();
        Ok(())
    });
    assert!(matches!(closed, Err(StoreError::Closed)));
}
