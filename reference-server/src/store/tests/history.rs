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
