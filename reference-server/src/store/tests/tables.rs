use super::*;

#[test]
fn tables_are_created_dropped_and_created_again() {
    let mut test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    let again = database.write_blocking(|txn| txn.create_table(TableSpec::dynamic("t", "id")));
    assert!(matches!(again, Err(StoreError::AlreadyExists(_))));
    put_all(&database, "t", &[r#"{"id":1,"a":1}"#]);
    let (first, second) = write(&database, |txn| {
        let first = txn.drop_table("t")?;
        Ok((first, txn.drop_table("t")?))
    });
    assert_eq!((first, second), (true, false));
    let new = create_table(&database, TableSpec { schema_defined: true, ..TableSpec::dynamic("t", "key") });
    assert_ne!(new.id, table.id);
    assert_eq!(database.read().unwrap().count(&new).unwrap(), 0);
    let stale = database.write_blocking({
        let table = table.clone();
        move |txn| txn.put(&table, &Value::Number(1.0), &Object::new(), None)
    });
    assert!(matches!(stale, Err(StoreError::NotFound(_))));
    drop(database);
    test.reopen();
    let database = test.data();
    let kept = database.catalog().table("t").unwrap().clone();
    assert_eq!((kept.id, kept.primary_key.as_str(), kept.schema_defined), (new.id, "key", true));
}

#[test]
fn a_dropped_tables_keys_are_removed_even_after_a_restart() {
    let mut test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    let work = table.clone();
    write(&database, move |txn| {
        for number in 0..12_000 {
            let mut row = record(r#"{"a":"same"}"#);
            row.insert("b".into(), Value::Number(f64::from(number)));
            txn.put(&work, &Value::Number(f64::from(number)), &row, None)?;
        }
        txn.log_history(&work, HistoryEntry::new("insert", None))
    });
    write(&database, |txn| txn.drop_table("t"));
    drop(database);
    test.reopen();
    let database = test.data();
    // The writer works while it has nothing else to do; each of these finds it a little further.
    let left = || {
        let reading = database.environment.read().unwrap();
        let trees = database.environment.trees;
        [trees.records, trees.index, trees.history].map(|tree| tree.len(&reading.txn).unwrap())
    };
    let start = std::time::Instant::now();
    while left() != [0, 0, 0] {
        assert!(start.elapsed().as_secs() < 60, "{:?}", left());
        std::thread::yield_now();
    }
    assert!(database.catalog().is_empty());
}

#[test]
fn undeclared_names_are_kept_but_not_indexed_in_declared_tables() {
    let test = TestStore::new();
    let database = test.data();
    let spec = TableSpec {
        name: "t".into(),
        primary_key: "id".into(),
        schema_defined: true,
        attributes: vec![Attribute::new("a").indexed(), Attribute::new("id").with_kind("ID")],
        ..TableSpec::default()
    };
    create_table(&database, spec);
    put_all(&database, "t", &[r#"{"id":"1","b":1,"a":2}"#, r#"{"a":3,"id":"2"}"#]);
    let added = {
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        let names: Vec<_> = table.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        assert_eq!(names, ["id", "a"]);
        assert_eq!(table.attribute("id").unwrap().kind.as_deref(), Some("ID"));
        let found = read.get(table, &Value::from("1")).unwrap().unwrap();
        assert_eq!(text_of(table, &found), r#"{"id":"1","b":1,"a":2}"#);
        assert!(table.attribute("b").is_none());
        let b = table.attribute_id("b").unwrap();
        assert_eq!(read.index(table, b, KeyRange::all(), false).unwrap().count(), 0);
        table.clone()
    };
    // Declaring it later finds what is stored.
    let table = write(&database, move |txn| txn.add_attributes(&added, vec![Attribute::new("b").indexed()]));
    let read = database.read().unwrap();
    let b = table.attribute_id("b").unwrap();
    assert_eq!(hits_of(read.index(&table, b, KeyRange::all(), false).unwrap()), [r#""1""#]);
}

#[test]
fn dropping_an_attribute_takes_its_values() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    put_all(&database, "t", &[r#"{"id":1,"a":1,"b":{"type":"Buffer"}}"#, r#"{"id":2,"b":[1]}"#]);
    let work = table.clone();
    write(&database, move |txn| {
        txn.drop_attribute(&work, "a", true)?;
        txn.drop_attribute(&work, "id", true)?;
        txn.drop_attribute(&work, "unknown", true)
    });
    {
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        assert!(table.attribute("a").is_none() && table.attribute("id").is_some());
        let found = read.get(table, &Value::Number(1.0)).unwrap().unwrap();
        assert_eq!(text_of(table, &found), r#"{"id":1,"b":{"type":"Buffer"}}"#);
        assert!(found.created() > 0.0);
        assert_eq!(read.count(table).unwrap(), 2);
    }
    put_all(&database, "t", &[r#"{"id":2,"a":5}"#]);
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let a = table.attribute("a").unwrap();
    assert!(a.indexed);
    assert_eq!(hits_of(read.index(table, a.id, KeyRange::all(), false).unwrap()), ["2"]);
}

#[test]
fn dropping_only_the_declaration_leaves_the_values() {
    let test = TestStore::new();
    let database = test.data();
    let spec = TableSpec {
        schema_defined: true,
        attributes: vec![Attribute::new("a").indexed()],
        ..TableSpec::dynamic("t", "id")
    };
    let table = create_table(&database, spec);
    put_all(&database, "t", &[r#"{"id":1,"a":1}"#]);
    let work = table.clone();
    let table = write(&database, move |txn| txn.drop_attribute(&work, "a", false));
    let read = database.read().unwrap();
    let a = table.attribute_id("a").unwrap();
    assert_eq!(read.index(&table, a, KeyRange::all(), false).unwrap().count(), 0);
    let found = read.get(&table, &Value::Number(1.0)).unwrap().unwrap();
    assert_eq!(text_of(&table, &found), r#"{"id":1,"a":1}"#);
}

#[test]
fn the_last_update_is_the_highest_indexed_time() {
    let test = TestStore::new();
    let database = test.data();
    let table = create_table(&database, TableSpec::dynamic("t", "id"));
    assert_eq!(database.read().unwrap().last_updated(&table).unwrap(), None);
    put_all(&database, "t", &[r#"{"id":1,"__updatedtime__":5}"#, r#"{"id":2,"__updatedtime__":3.5}"#]);
    assert_eq!(database.read().unwrap().last_updated(&table).unwrap(), Some(5.0));
}
