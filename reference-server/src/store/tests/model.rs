//! The store against a plain map, and its indexes against its records.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

#[derive(Clone, Debug)]
enum Step {
    Put(Value, Vec<(u8, Value)>),
    Delete(Value),
    DropAttribute(u8),
    Commit,
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3..3i32).prop_map(|number| Value::Number(f64::from(number))),
        any::<f64>().prop_map(Value::Number),
        "[ab\0\"\\\\é]{0,3}".prop_map(Value::String),
        "[ab]{470,490}".prop_map(Value::String),
        (0..4u32).prop_map(|days| Value::Date(f64::from(days) * 86_400_000.5)),
        (0..4u128).prop_map(|n| Value::BigInt((n * 10_000_000_000_000_000_000).to_string())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        2 => prop::collection::vec(scalar(), 0..4).prop_map(Value::Array),
        1 => scalar().prop_map(|inner| crate::value::object([("x", inner)])),
        1 => prop::collection::vec(any::<u8>(), 0..3).prop_map(Value::Bytes),
    ]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (0..12u32).prop_map(|number| Value::Number(f64::from(number))),
        1 => "[ab]{0,2}".prop_map(Value::String),
        1 => (0..3u32).prop_map(|number| Value::from(format!("{}{number}", "k".repeat(700)))),
        1 => (0..3u32).prop_map(|number| Value::Array(vec![Value::from("a"), Value::Number(f64::from(number))])),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (key(), prop::collection::vec((0..5u8, value()), 0..5)).prop_map(|(key, row)| Step::Put(key, row)),
        3 => key().prop_map(Step::Delete),
        1 => (0..5u8).prop_map(Step::DropAttribute),
        3 => Just(Step::Commit),
    ]
}

/// What a value reads back as.
fn stored(value: &Value) -> String {
    value.to_json()
}

type Model = BTreeMap<Vec<u8>, (Value, BTreeMap<String, String>)>;
/// The entries of an index: encoded value and encoded key.
type Entries = BTreeSet<(Vec<u8>, Vec<u8>)>;

fn check(database: &Database, model: &Model) {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    assert_eq!(read.count(table).unwrap(), model.len() as u64);
    let mut expected: BTreeMap<AttributeId, Entries> = BTreeMap::new();
    let scanned: Vec<_> = read.scan(table, KeyRange::all(), false).unwrap().map(Result::unwrap).collect();
    let mut keys: Vec<&Value> = model.values().map(|(key, _)| key).collect();
    keys.sort_by(|a, b| crate::value::compare(a, b));
    let short = |key: &Value| key.to_json().len() < 400;
    let scanned_keys: Vec<_> = scanned.iter().map(Record::key).filter(short).collect();
    assert_eq!(
        scanned_keys.iter().collect::<Vec<_>>(),
        keys.into_iter().filter(|key| short(key)).collect::<Vec<_>>()
    );
    assert_eq!(scanned.len(), model.len());
    for (form, (key, row)) in model {
        let record = read.get(table, key).unwrap().unwrap();
        assert_eq!(&record.key(), key);
        let attributes: BTreeMap<String, String> = record
            .attributes()
            .filter(|(id, _)| *id != PRIMARY_KEY)
            .map(|(id, value)| {
                (table.attribute_name(id).to_owned(), String::from_utf8(value.json().to_vec()).unwrap())
            })
            .collect();
        assert_eq!(&attributes, row);
        for (id, value) in record.attributes().filter(|(id, _)| table.is_indexed(*id)) {
            index::forms_of_stored(value, &mut Vec::new(), |out| {
                expected.entry(id).or_default().insert((std::mem::take(out), form.clone()));
            });
        }
    }
    for id in (0..30).map(AttributeId) {
        let entries: Vec<(Vec<u8>, Vec<u8>)> = read
            .index(table, id, KeyRange::all(), false)
            .unwrap()
            .map(|hit| hit.map(|hit| (hit.encoded_value().to_vec(), hit.key.to_vec())).unwrap())
            .collect();
        let expected: Vec<_> = expected.remove(&id).unwrap_or_default().into_iter().collect();
        assert_eq!(entries, expected, "index of {}", table.attribute_name(id));
        let mut reversed: Vec<_> = read
            .index(table, id, KeyRange::all(), true)
            .unwrap()
            .map(|hit| hit.map(|hit| (hit.encoded_value().to_vec(), hit.key.to_vec())).unwrap())
            .collect();
        reversed.reverse();
        assert_eq!(reversed, entries);
    }
}

fn bound() -> impl Strategy<Value = Bound<Value>> {
    let value =
        || prop_oneof![4 => scalar(), 1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::Array)];
    prop_oneof![Just(Bound::Unbounded), value().prop_map(Bound::Included), value().prop_map(Bound::Excluded),]
}

fn range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        3 => (bound(), bound()).prop_map(|(low, high)| KeyRange::new(low.as_ref(), high.as_ref())),
        2 => scalar().prop_map(|value| KeyRange::equal(&value)),
        1 => "[ab\0]{0,2}|[ab]{478,482}".prop_map(|text| KeyRange::starting_with(&text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn ranges_find_what_they_contain(
        values in prop::collection::vec(value(), 1..30),
        ranges in prop::collection::vec(range(), 1..20),
    ) {
        let test = TestStore::new();
        let database = test.data();
        let table = create_table(&database, TableSpec::dynamic("t", "id"));
        let work = table.clone();
        write(&database, move |txn| {
            for (key, value) in values.iter().enumerate() {
                let row = [("v".to_owned(), value.clone())].into_iter().collect();
                txn.put(&work, &Value::Number(key as f64), &row, None)?;
                if let Some(text) = value.as_str() {
                    txn.put(&work, &Value::from(text), &Object::new(), None)?;
                }
            }
            Ok(())
        });
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        let v = table.attribute_id("v").unwrap();
        let all: Vec<_> = read.scan(table, KeyRange::all(), false).unwrap().map(Result::unwrap).collect();
        for range in ranges {
            let key = |record: &Record<'_>| record.key().to_json();
            let contains = |record: &Record<'_>| {
                record.attribute(v).is_some_and(|value| range.contains(&value.decode()))
            };
            let expected: BTreeSet<String> = all.iter().filter(|record| contains(record)).map(key).collect();
            let mut found = BTreeSet::new();
            for hit in read.index(table, v, range.clone(), false).unwrap() {
                let hit = hit.unwrap();
                let record = read.get_encoded(table, hit.key).unwrap().unwrap();
                // An entry may be outside only where it says that it is to be checked.
                prop_assert!(contains(&record) || !hit.exact, "{:?} {:?}", range, record.key());
                if contains(&record) {
                    found.insert(key(&record));
                }
            }
            prop_assert_eq!(&found, &expected, "{:?}", range);
            let expected: Vec<_> = all.iter().filter(|record| range.contains_key(&record.key())).map(key).collect();
            prop_assert_eq!(keys_of(read.scan(table, range.clone(), false).unwrap()), expected, "{:?}", range);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn records_and_indexes_agree_with_a_map(steps in prop::collection::vec(step(), 1..60)) {
        let test = TestStore::new();
        let database = test.data();
        let table = create_table(&database, TableSpec::dynamic("t", "id"));
        let mut model = Model::new();
        for batch in steps.split(|step| matches!(step, Step::Commit)) {
            let (work, batch_steps) = (table.clone(), batch.to_vec());
            write(&database, move |txn| {
                for step in &batch_steps {
                    match step {
                        Step::Put(key, row) => {
                            let row = row.iter().map(|(name, value)| (format!("a{name}"), value.clone())).collect();
                            txn.put(&work, key, &row, None)?;
                        }
                        Step::Delete(key) => {
                            txn.delete(&work, key)?;
                        }
                        Step::DropAttribute(name) => {
                            txn.drop_attribute(&work, &format!("a{name}"), true)?;
                        }
                        Step::Commit => {}
                    }
                }
                Ok(())
            });
            for step in batch {
                let form = |key: &Value| {
                    let mut form = Vec::new();
                    keys::append_key(&mut form, key);
                    form
                };
                match step {
                    Step::Put(key, row) => {
                        let row = row.iter().map(|(name, value)| (format!("a{name}"), stored(value))).collect();
                        model.insert(form(key), (key.clone(), row));
                    }
                    Step::Delete(key) => {
                        model.remove(&form(key));
                    }
                    Step::DropAttribute(name) => {
                        model.values_mut().for_each(|(_, row)| drop(row.remove(&format!("a{name}"))));
                    }
                    Step::Commit => {}
                }
            }
            check(&database, &model);
        }
    }
}
