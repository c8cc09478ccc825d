use super::*;
use std::ops::Bound;

#[test]
fn records_are_read_back_as_json() {
    let test = TestStore::new();
    let database = test.data();
    let dogs = create_table(&database, TableSpec::dynamic("dogs", "id"));
    let harper = r#"{"id":1,"name":"Harper","tags":["a",2],"nested":{"z":1,"a":null}}"#;
    put_all(&database, "dogs", &[harper, r#"{"id":"1","name":null}"#]);
    let read = database.read().unwrap();
    let dogs = read.catalog().table(&dogs.name).unwrap();
    let found = read.get(dogs, &Value::Number(1.0)).unwrap().unwrap();
    assert_eq!(text_of(dogs, &found), harper);
    assert_eq!(found.created(), found.updated());
    assert!(found.created() > 1.6e12);
    let name = dogs.attribute_id("name").unwrap();
    assert_eq!(found.attribute(name).unwrap().json(), br#""Harper""#);
    assert_eq!(read.get(dogs, &Value::from("1")).unwrap().unwrap().key(), Value::from("1"));
    assert!(read.get(dogs, &Value::Number(2.0)).unwrap().is_none());
    assert!(read.get(dogs, &json("{}")).unwrap().is_none());
    assert_eq!(read.count(dogs).unwrap(), 2);
    assert!(read.view().table_size(dogs).unwrap() > 100);
    let names: Vec<_> = dogs.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["id", CREATED_TIME, UPDATED_TIME, "name", "tags", "nested"]);
}

#[test]
fn replacing_and_deleting_keep_times_and_count() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    put_all(&database, "t", &[r#"{"id":1,"a":1}"#]);
    let first = database.read().unwrap().get(&table, &Value::Number(1.0)).unwrap().unwrap().created();
    put_all(&database, "t", &[r#"{"id":1,"a":2}"#, r#"{"id":2}"#]);
    {
        let read = database.read().unwrap();
        let replaced = read.get(&table, &Value::Number(1.0)).unwrap().unwrap();
        assert_eq!(replaced.created(), first);
        assert!(replaced.updated() > first);
        assert_eq!(read.count(&table).unwrap(), 2);
    }
    let gone = table.clone();
    let deleted = write(&database, move |txn| {
        Ok([
            txn.delete(&gone, &Value::Number(1.0))?,
            txn.delete(&gone, &Value::Number(1.0))?,
            txn.delete(&gone, &Value::Object(Object::default()))?,
        ])
    });
    assert_eq!(deleted, [true, false, false]);
    let read = database.read().unwrap();
    assert_eq!(read.count(&table).unwrap(), 1);
    let table = read.catalog().table("t").unwrap();
    let a = table.attribute_id("a").unwrap();
    assert_eq!(read.index(table, a, KeyRange::all(), false).unwrap().count(), 0);
}

#[test]
fn scans_follow_the_order_of_keys() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    create_table(&database, TableSpec::dynamic("other", "id"));
    let mut keys = vec![r#""b""#, "10", r#"["b",2]"#, r#""ba""#, "2", "-1", r#""""#];
    let records: Vec<_> = keys.iter().map(|key| format!(r#"{{"id":{key}}}"#)).collect();
    let records: Vec<_> = records.iter().map(String::as_str).collect();
    put_all(&database, "t", &records);
    put_all(&database, "other", &[r#"{"id":5}"#]);
    keys.sort_by(|a, b| crate::value::compare(&json(a), &json(b)));
    let read = database.read().unwrap();
    assert_eq!(keys_of(read.scan(&table, KeyRange::all(), false).unwrap()), keys);
    keys.reverse();
    assert_eq!(keys_of(read.scan(&table, KeyRange::all(), true).unwrap()), keys);
    let (two, b) = (Value::Number(2.0), Value::from("b"));
    let scan = |low, high, reverse| keys_of(read.scan(&table, KeyRange::new(low, high), reverse).unwrap());
    assert_eq!(scan(Bound::Excluded(&two), Bound::Excluded(&b), false), ["10", r#""""#]);
    assert_eq!(scan(Bound::Included(&two), Bound::Included(&b), true), [r#""b""#, r#""""#, "10", "2"]);
    assert_eq!(scan(Bound::Excluded(&b), Bound::Unbounded, false), [r#"["b",2]"#, r#""ba""#]);
    assert_eq!(scan(Bound::Included(&b), Bound::Included(&two), false), [""; 0]);
    let object = json("{}");
    assert_eq!(scan(Bound::Included(&object), Bound::Unbounded, false), [""; 0]);
    let starting = read.scan(&table, KeyRange::starting_with("b"), false).unwrap();
    assert_eq!(keys_of(starting), [r#""b""#, r#""ba""#]);
}

#[test]
fn indexes_hold_scalars_and_elements() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    put_all(
        &database,
        "t",
        &[
            r#"{"id":1,"v":"x"}"#,
            r#"{"id":2,"v":["x","y","x",{"a":1}]}"#,
            r#"{"id":3,"v":null}"#,
            r#"{"id":4,"v":{"x":1}}"#,
            r#"{"id":5}"#,
            r#"{"id":6,"v":false}"#,
            r#"{"id":7,"v":7}"#,
        ],
    );
    let read = database.read().unwrap();
    let table = read.catalog().table(&table.name).unwrap();
    let v = table.attribute_id("v").unwrap();
    let hits = |range, reverse| hits_of(read.index(table, v, range, reverse).unwrap());
    assert_eq!(hits(KeyRange::all(), false), ["3", "6", "7", "1", "2", "2"]);
    assert_eq!(hits(KeyRange::all(), true), ["2", "2", "1", "7", "6", "3"]);
    assert_eq!(hits(KeyRange::equal(&Value::from("x")), false), ["1", "2"]);
    assert_eq!(hits(KeyRange::equal(&Value::from("x")), true), ["2", "1"]);
    assert_eq!(read.index_count(table, v, &Value::from("x")).unwrap(), 2);
    let hit =
        read.index(table, v, KeyRange::equal(&Value::Number(7.0)), false).unwrap().next().unwrap().unwrap();
    assert!(hit.exact);
    assert_eq!(hit.value(), Some(Value::Number(7.0)));
    assert_eq!(read.get_encoded(table, hit.key).unwrap().unwrap().key(), Value::Number(7.0));
}

#[test]
fn long_keys_and_values_work_in_full() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let long = |tail: &str| "k".repeat(1500) + tail;
    for tail in ["a", "b", "c"] {
        put_all(&database, "t", &[&format!(r#"{{"id":"{0}","v":"{0}"}}"#, long(tail))]);
    }
    put_all(&database, "t", &[r#"{"id":"k","v":"k"}"#]);
    let read = database.read().unwrap();
    let table = read.catalog().table(&table.name).unwrap();
    let (a, b) = (Value::from(long("a")), Value::from(long("b")));
    assert_eq!(read.get(table, &b).unwrap().unwrap().key(), b);
    assert!(read.get(table, &Value::from(long("d"))).unwrap().is_none());
    let above_a = KeyRange::new(Bound::Excluded(&a), Bound::Unbounded);
    assert_eq!(read.scan(table, above_a, false).unwrap().count(), 2);
    let up_to_b = KeyRange::new(Bound::Unbounded, Bound::Included(&b));
    assert_eq!(read.scan(table, up_to_b, false).unwrap().count(), 3);
    assert_eq!(read.scan(table, KeyRange::starting_with(&long("")), false).unwrap().count(), 3);
    let v = table.attribute_id("v").unwrap();
    let hits: Vec<_> =
        read.index(table, v, KeyRange::equal(&b), false).unwrap().map(Result::unwrap).collect();
    assert_eq!(hits.len(), 1);
    assert!(!hits[0].exact && hits[0].value().is_none());
    let found = read.get_encoded(table, hits[0].key).unwrap().unwrap();
    assert!(KeyRange::equal(&b).contains(&found.attribute(v).unwrap().decode()));
    drop(read);
    let all = table_named(&database, "t");
    assert!(write(&database, move |txn| txn.delete(&all, &Value::from(long("b")))));
    assert_eq!(database.read().unwrap().count(&table_named(&database, "t")).unwrap(), 3);
}

fn table_named(database: &Database, name: &str) -> Arc<Table> {
    database.catalog().table(name).unwrap().clone()
}

#[test]
fn insert_keeps_what_is_there() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let work = table.clone();
    let inserted = write(&database, move |txn| {
        let key = Value::Number(1.0);
        Ok([
            txn.insert(&work, &key, &record(r#"{"id":1,"a":1}"#), None)?,
            txn.insert(&work, &key, &record(r#"{"id":1,"a":2}"#), None)?,
        ])
    });
    assert_eq!(inserted, [true, false]);
    let read = database.read().unwrap();
    let found = read.get(&table, &Value::Number(1.0)).unwrap().unwrap();
    assert_eq!(text_of(read.catalog().table("t").unwrap(), &found), r#"{"id":1,"a":1}"#);
}

#[test]
fn expired_records_do_not_exist() {
    let test = TestStore::new();
    let database = test.data();
    let table =
        create_table(&database, TableSpec { expiration: Some(60.0), ..TableSpec::dynamic("t", "id") });
    let work = table.clone();
    write(&database, move |txn| {
        let now = txn.timestamp();
        for (key, expires_at) in [(1.0, now - 1.0), (2.0, now + 1e6), (3.0, f64::INFINITY)] {
            let key = Value::Number(key);
            txn.put(&work, &key, &record(r#"{"v":"x"}"#), Some(expires_at))?;
        }
        assert!(txn.get(&work, &Value::Number(1.0))?.is_none());
        Ok(())
    });
    let id = {
        let read = database.read().unwrap();
        assert!(read.get(&table, &Value::Number(1.0)).unwrap().is_none());
        assert_eq!(keys_of(read.scan(&table, KeyRange::all(), false).unwrap()), ["2", "3"]);
        assert_eq!(read.count(&table).unwrap(), 2);
        let table = read.catalog().table("t").unwrap();
        table.attribute_id("v").unwrap()
    };
    // Inserting over it is an insert; the new record does not expire.
    let work = table.clone();
    assert!(write(&database, move |txn| {
        let mut fresh = record(r#"{"id":1,"v":"y"}"#);
        let inserted = txn.insert(&work, &Value::Number(1.0), &fresh, None)?;
        fresh["id"] = Value::Number(4.0);
        txn.put(&work, &Value::Number(4.0), &fresh, Some(1000.0))?;
        assert!(!txn.delete(&work, &Value::Number(4.0))?);
        txn.put(&work, &Value::Number(4.0), &fresh, Some(1000.0))?;
        Ok(inserted)
    }));
    assert_eq!(database.read().unwrap().count(&table).unwrap(), 3);
    assert_eq!(write(&database, |txn| txn.sweep_expired(10)), 1);
    assert_eq!(write(&database, |txn| txn.sweep_expired(10)), 0);
    let read = database.read().unwrap();
    assert_eq!(read.count(&table).unwrap(), 3);
    let x = read.index(&table, id, KeyRange::all(), false).unwrap();
    assert_eq!(hits_of(x), ["2", "3", "1"]);
}

#[test]
fn dates_and_big_integers_are_indexed_as_numbers() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let work = table.clone();
    write(&database, move |txn| {
        let mut row = Object::new();
        row.insert("d".into(), Value::Date(1000.7));
        row.insert("b".into(), Value::BigInt("12".into()));
        row.insert("l".into(), Value::Array(vec![Value::Date(5.0), Value::Null]));
        row.insert("m".into(), Value::Array(vec![Value::Date(5.0), Value::from("x")]));
        txn.put(&work, &Value::Number(1.0), &row, None)
    });
    let count = |name: &str, value: Value| {
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        read.index_count(table, table.attribute_id(name).unwrap(), &value).unwrap()
    };
    assert_eq!(count("d", Value::Date(1000.0)), 1);
    assert_eq!(count("d", Value::Number(1000.0)), 1);
    assert_eq!(count("b", Value::Number(12.0)), 1);
    assert_eq!(count("l", Value::Date(5.0)), 1);
    assert_eq!(count("m", Value::from("1970-01-01T00:00:00.005Z")), 1);
    let work = table.clone();
    write(&database, move |txn| txn.delete(&work, &Value::Number(1.0)));
    for name in ["d", "b", "l", "m"] {
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        let id = table.attribute_id(name).unwrap();
        assert_eq!(read.index(table, id, KeyRange::all(), false).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    for key in
        [json("{}"), json("[[1]]"), Value::Number(f64::NAN), Value::Array(vec![Value::Number(f64::INFINITY)])]
    {
        let work = table.clone();
        let result = database.write_blocking(move |txn| txn.put(&work, &key, &Object::new(), None));
        assert!(matches!(result, Err(StoreError::UnusableKey)));
    }
    assert_eq!(database.read().unwrap().count(&table).unwrap(), 0);
}
