use super::*;
use std::io::Seek;

#[test]
fn databases_survive_a_restart() {
    let mut test = TestStore::new();
    for name in ["data", "Data", "a/b", "~"] {
        let database = test.store().create_database(name).unwrap();
        create_table(&database, TableSpec::dynamic(name, "id"));
    }
    assert!(matches!(test.store().create_database("data"), Err(StoreError::AlreadyExists(_))));
    test.reopen();
    let names: Vec<_> = test.store().databases().iter().map(|database| database.name().to_owned()).collect();
    assert_eq!(names, ["Data", "a/b", "data", "system", "~"]);
    for name in ["data", "Data", "a/b", "~"] {
        assert!(test.store().database(name).unwrap().catalog().table(name).is_some());
    }
}

#[test]
fn a_dropped_database_can_be_created_at_once() {
    let mut test = TestStore::new();
    let old = test.data();
    create_table(&old, TableSpec::dynamic("t", "id"));
    put_all(&old, "t", &[r#"{"id":1}"#]);
    let read = old.read().unwrap();
    assert!(test.store().drop_database("data").unwrap());
    assert!(!test.store().drop_database("data").unwrap());
    for _ in 0..3 {
        let new = test.store().create_database("data").unwrap();
        assert!(new.catalog().is_empty());
        create_table(&new, TableSpec::dynamic("t", "id"));
        assert!(test.store().drop_database("data").unwrap());
    }
    test.store().create_database("data").unwrap();
    // The old snapshot goes on; writing does not.
    let table = read.catalog().table("t").unwrap().clone();
    assert!(read.get(&table, &Value::Number(1.0)).unwrap().is_some());
    assert!(matches!(old.write_blocking(|_| Ok(())), Err(StoreError::Closed)));
    drop(read);
    drop(old);
    test.reopen();
    assert!(test.data().catalog().is_empty());
    let files = std::fs::read_dir(test.folder.path()).unwrap();
    let files = files.filter(|file| super::super::files::is_database(&file.as_ref().unwrap().path()));
    assert_eq!(files.count(), 2);
}

#[test]
fn a_folder_has_one_user() {
    let test = TestStore::new();
    // Locks are per open file, so a second store in this process stands for another process.
    let second = Store::open(test.folder.path(), test.options.clone());
    assert!(matches!(second, Err(StoreError::Busy(_))));
}

/// Until its program runs, a process that is being started has the lock as well.
#[cfg(unix)]
#[test]
fn a_folder_can_be_opened_again_while_processes_are_started() {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    let mut test = TestStore::new();
    let stopped = std::sync::atomic::AtomicBool::new(false);
    let start_many = || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            Command::new("true").process_group(0).status().unwrap();
        }
    };
    std::thread::scope(|scope| {
        let starters = [scope.spawn(start_many), scope.spawn(start_many)];
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..500).for_each(|_| test.reopen());
        }));
        stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        starters.into_iter().for_each(|starter| starter.join().unwrap());
        opened.unwrap();
    });
}

#[test]
fn newer_formats_are_refused() {
    let mut test = TestStore::new();
    {
        let database = test.data();
        let environment = &database.environment;
        let mut txn = environment.write().unwrap();
        environment.trees.meta.put(&mut txn, environment::meta_keys::FORMAT, &9_u32.to_be_bytes()).unwrap();
        txn.commit().unwrap();
    }
    test.store = None;
    let error = Store::open(test.folder.path(), test.options.clone()).err().unwrap();
    assert!(matches!(error, StoreError::NewerFormat { found: 9, .. }));
    assert!(error.to_string().contains("format 9"), "{error}");
}

/// Opens a backup as a database of a new store.
fn opened(backup: &mut File) -> TestStore {
    let mut test = TestStore::new();
    test.store = None;
    backup.rewind().unwrap();
    std::io::copy(backup, &mut File::create(test.folder.path().join("restored.mdb")).unwrap()).unwrap();
    test.reopen();
    test
}

#[test]
fn backups_can_be_opened() {
    let test = TestStore::new();
    let database = test.data();
    create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("a", "id") });
    create_table(&database, TableSpec::dynamic("b", "id"));
    let work = database.catalog().table("a").unwrap().clone();
    write(&database, move |txn| {
        for number in 0..500 {
            let row = record(r#"{"x":["same",1],"y":null}"#);
            txn.put(&work, &Value::Number(f64::from(number)), &row, None)?;
        }
        txn.log_history(&work, HistoryEntry::new("insert", None))
    });
    put_all(&database, "b", &[r#"{"id":1,"z":1}"#]);

    let mut whole = tempfile::tempfile().unwrap();
    database.backup(&mut whole).unwrap();
    let restored = opened(&mut whole);
    let copy = restored.data();
    let check = |copy: &Database, history: usize| {
        let read = copy.read().unwrap();
        let a = read.catalog().table("a").unwrap();
        assert_eq!(read.count(a).unwrap(), 500);
        let x = a.attribute_id("x").unwrap();
        assert_eq!(read.index_count(a, x, &Value::from("same")).unwrap(), 500);
        let all = std::ops::Bound::Unbounded;
        assert_eq!(read.view().history(a, all, all, false).unwrap().count(), history);
    };
    check(&copy, 1);
    assert!(copy.catalog().table("b").is_some());

    for (with_history, entries) in [(true, 1), (false, 0)] {
        let mut part = tempfile::tempfile().unwrap();
        database.backup_tables(&["a".to_owned()], with_history, &mut part).unwrap();
        let restored = opened(&mut part);
        let copy = restored.data();
        check(&copy, entries);
        assert!(copy.catalog().table("b").is_none());
        put_all(&copy, "a", &[r#"{"id":"new"}"#]);
    }
    let unknown = database.backup_tables(&["zz".to_owned()], true, &mut tempfile::tempfile().unwrap());
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
}

#[test]
fn writes_can_be_acknowledged_early() {
    let mut test = TestStore::with(StoreOptions { write_async: true, ..StoreOptions::default() });
    let database = test.data();
    create_table(&database, TableSpec::dynamic("t", "id"));
    put_all(&database, "t", &[r#"{"id":1}"#]);
    drop(database);
    test.reopen();
    assert!(test.data().catalog().table("t").is_some());
}

#[test]
fn heed_walks_duplicates_backwards_from_an_absent_end() {
    // The store leans on this: reverse ranges end before a key that is not there, and begin with its last duplicate.
    let test = TestStore::new();
    let environment = &test.data().environment.clone();
    let tree = environment.trees.index;
    let mut txn = environment.write().unwrap();
    for (key, value) in [(b"a", b"1"), (b"b", b"1"), (b"b", b"2"), (b"c", b"1")] {
        tree.put(&mut txn, key, value).unwrap();
    }
    let walk = |start: &'static [u8], end: &'static [u8]| -> Vec<String> {
        let range = (std::ops::Bound::Included(start), std::ops::Bound::Excluded(end));
        let pairs = tree.rev_range(&txn, &range).unwrap().map(Result::unwrap);
        pairs.map(|(key, value)| String::from_utf8([key, value].concat()).unwrap()).collect()
    };
    assert_eq!(walk(b"a", b"b\0"), ["b2", "b1", "a1"]);
    assert_eq!(walk(b"b", b"z"), ["c1", "b2", "b1"]);
}
