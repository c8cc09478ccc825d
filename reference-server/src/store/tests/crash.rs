//! What is left after the process was killed, or when the disk is full. Both need a process of their own: the
//! ignored tests below are its programs.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const FOLDER: &str = "STORE_TEST_FOLDER";

fn program(name: &str) -> String {
    let executable = std::env::current_exe().unwrap();
    format!("'{}' --exact store::tests::crash::{name} --ignored --nocapture", executable.display())
}

fn open_folder() -> (Store, Arc<Database>) {
    let folder = std::env::var_os(FOLDER).expect("run by another test");
    let store = Store::open(Path::new(&folder), StoreOptions::default()).unwrap();
    let database = match store.database("data") {
        Some(database) => database,
        None => store.create_database("data").unwrap(),
    };
    (store, database)
}

#[test]
#[ignore = "a program of another test"]
fn write_until_killed() {
    let (_store, database) = open_folder();
    create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let database = &database;
            scope.spawn(move || {
                for number in 0.. {
                    put_all(database, "t", &[&format!(r#"{{"id":"{thread}-{number}","a":{number}}}"#)]);
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {thread}-{number}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

#[test]
#[cfg(unix)]
fn acknowledged_writes_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {}", program("write_until_killed"))])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = Vec::new();
    for line in lines {
        if let Some((_, key)) = line.split_once("acknowledged ") {
            acknowledged.push(key.to_owned());
        }
        if acknowledged.len() == 40 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= 40);
    let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
    let database = store.database("data").unwrap();
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    for key in &acknowledged {
        assert!(read.get(table, &Value::from(key.as_str())).unwrap().is_some(), "{key} is lost");
    }
    let a = table.attribute_id("a").unwrap();
    let indexed = read.index(table, a, KeyRange::all(), false).unwrap().count();
    assert_eq!(indexed as u64, read.count(table).unwrap());
}

#[test]
#[ignore = "a program of another test"]
fn write_until_the_disk_is_full() {
    let (_store, database) = open_folder();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let text = "x".repeat(10_000);
    for number in 0..1000 {
        let (work, text) = (table.clone(), text.clone());
        let result = database.write_blocking(move |txn| {
            for part in 0..10 {
                let mut row = Object::new();
                row.insert("text".into(), Value::from(text.as_str()));
                row.insert("number".into(), Value::Number(f64::from(number)));
                txn.put(&work, &Value::Number(f64::from(number * 10 + part)), &row, None)?;
            }
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(StoreError::DiskFull) => {
                let read = database.read().unwrap();
                assert_eq!(read.count(&table).unwrap(), number as u64 * 10);
                println!("full after {number}");
                return;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_reported_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on the size of files stands for a full disk.
    let script = format!("trap '' XFSZ; ulimit -f 3000; exec {}", program("write_until_the_disk_is_full"));
    let output = Command::new("sh").args(["-c", &script]).env(FOLDER, folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let full = text.lines().find_map(|line| line.split_once("full after ")).map(|(_, number)| number.trim());
    let batches: u64 = full.unwrap_or_else(|| panic!("{output:?}")).parse().unwrap();
    assert!(output.status.success() && batches > 0);
    let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
    let database = store.database("data").unwrap();
    let table = database.catalog().table("t").unwrap().clone();
    {
        let read = database.read().unwrap();
        assert_eq!(read.count(&table).unwrap(), batches * 10);
        assert_eq!(read.scan(&table, KeyRange::all(), false).unwrap().count() as u64, batches * 10);
    }
    // With room again, writing goes on.
    put_all(&database, "t", &[r#"{"id":"later"}"#]);
    assert!(database.read().unwrap().get(&table, &Value::from("later")).unwrap().is_some());
}
