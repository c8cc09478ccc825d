//! Changes of several nodes, in every order, against a plain account of what must come of them.

mod late;

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

const START: f64 = 1_700_000_000_000.0;
const NODES: [&str; 3] = ["a", "b", "c"];

/// A change of one record; attributes are numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    time: u8,
    node: usize,
    key: u8,
    /// `None` deletes.
    written: Option<Vec<(char, u8)>>,
    is_patch: bool,
}

impl Made {
    fn kind(&self) -> WriteKind {
        match (&self.written, self.is_patch) {
            (None, _) => WriteKind::Delete,
            (_, true) => WriteKind::Patch,
            (_, false) => WriteKind::Put,
        }
    }

    fn timestamp(&self) -> f64 {
        START + f64::from(self.time)
    }

    fn created(&self) -> f64 {
        self.timestamp() - 0.5
    }

    fn record(&self) -> Object {
        let mut record = Object::from_iter([("id".to_owned(), Value::Number(self.key.into()))]);
        for (name, value) in self.written.iter().flatten() {
            record.insert(name.to_string(), Value::Number((*value).into()));
        }
        record
    }
}

/// What a record must be: its members in order, version, creation; `None` when it is gone.
type Expected = Option<(Vec<(String, u8)>, f64, f64)>;

/// Worked out from all changes of a record at once.
fn expected(changes: &[Made]) -> Expected {
    let mut changes: Vec<&Made> = changes.iter().collect();
    changes.sort_by_key(|made| (made.time, made.node));
    let latest = changes.last()?;
    latest.written.as_ref()?;
    let from = changes.iter().rposition(|made| made.kind() == WriteKind::Put).unwrap_or(0);
    let shows: Vec<&&Made> = changes[from..].iter().filter(|made| made.written.is_some()).collect();
    let mut members: Vec<(String, u8)> = Vec::new();
    for made in &shows {
        let mut next = vec![("id".to_owned(), made.key)];
        next.extend(made.written.iter().flatten().map(|(name, value)| (name.to_string(), *value)));
        let kept = members.into_iter().filter(|(name, _)| !next.iter().any(|(known, _)| known == name));
        let kept: Vec<_> = kept.collect();
        next.extend(kept);
        members = next;
    }
    Some((members, latest.timestamp(), shows.first()?.created()))
}

/// The transactions that the changes belong to: those of one node and one time.
fn transactions(changes: &[Made]) -> Vec<Vec<Made>> {
    let mut found: BTreeMap<(u8, usize), Vec<Made>> = BTreeMap::new();
    for made in changes {
        found.entry((made.time, made.node)).or_default().push(made.clone());
    }
    found.into_values().collect()
}

fn deliver(database: &Database, own: usize, transaction: &[Made]) -> Vec<Effect> {
    let transaction = transaction.to_vec();
    write(database, move |txn| {
        let table = txn.catalog().table("t").unwrap().clone();
        let first = &transaction[0];
        let number = u64::from(first.time) + 1;
        let origin = Origin { node: NODES[first.node], epoch: "e", number, previous: number - 1 };
        let source = Source { own: NODES[own], origin, timestamp: first.timestamp() };
        let mut effects = Vec::new();
        for made in &transaction {
            let (key, record) = (Value::Number(made.key.into()), made.record());
            let change = RemoteWrite {
                kind: made.kind(),
                key: &key,
                record: &record,
                created: made.created(),
                expires_at: None,
            };
            effects.push(txn.apply_remote(&table, &source, &change)?);
        }
        txn.log_remote(&table, &source, "upsert", Some("kim"))?;
        Ok(effects)
    })
}

fn found(database: &Database, key: u8) -> Expected {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let record = read.get(table, &Value::Number(key.into())).unwrap()?;
    let members = record
        .attributes()
        .map(|(id, value)| (table.attribute_name(id).to_owned(), value.decode().as_number().unwrap() as u8));
    Some((members.collect(), record.updated(), record.created()))
}

/// The entries of the index of every attribute, and those that the records ask for.
fn check_indexes(database: &Database) {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let mut count = 0;
    let mut wanted: BTreeSet<(String, String, String)> = BTreeSet::new();
    for record in read.scan(table, KeyRange::all(), false).unwrap() {
        let record = record.unwrap();
        count += 1;
        for (id, value) in record.attributes().filter(|(id, _)| table.is_indexed(*id)) {
            let name = table.attribute_name(id).to_owned();
            wanted.insert((name, value.decode().to_json(), record.key().to_json()));
        }
    }
    assert_eq!(read.count(table).unwrap(), count);
    let mut there = BTreeSet::new();
    for attribute in &table.attributes {
        for hit in read.index(table, attribute.id, KeyRange::all(), false).unwrap() {
            let hit = hit.unwrap();
            let (value, key) = (hit.value().unwrap().to_json(), hit.primary_key().unwrap().to_json());
            there.insert((attribute.name.clone(), value, key));
        }
    }
    assert_eq!(there, wanted);
}

fn entries(database: &Database) -> Vec<(f64, String)> {
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let all = read.view().history(table, Bound::Unbounded, Bound::Unbounded, false).unwrap();
    all.map(|entry| {
        let entry = entry.unwrap();
        (entry.timestamp, entry.origin.unwrap().node.to_owned())
    })
    .collect()
}

fn of_key(changes: &[Made], key: u8) -> Vec<Made> {
    changes.iter().filter(|made| made.key == key).cloned().collect()
}

fn check_records(database: &Database, changes: &[Made]) -> Result<(), TestCaseError> {
    for key in 0..3 {
        prop_assert_eq!(found(database, key), expected(&of_key(changes, key)), "record {}", key);
    }
    check_indexes(database);
    Ok(())
}

fn check(database: &Database, changes: &[Made]) -> Result<(), TestCaseError> {
    check_records(database, changes)?;
    for key in 0..3 {
        let own = of_key(changes, key);
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        let chain = read.view().history_of_record(table, &Value::Number(key.into())).unwrap();
        let times: Vec<f64> = chain.iter().map(|(entry, _)| entry.timestamp).collect();
        let mut wanted: Vec<f64> = own.iter().map(Made::timestamp).collect();
        wanted.sort_by(f64::total_cmp);
        prop_assert_eq!(times, wanted);
    }
    Ok(())
}

fn with_table() -> TestStore {
    let test = TestStore::new();
    create_table(&test.data(), TableSpec { audit: true, ..TableSpec::dynamic("t", "id") });
    test
}

fn made() -> impl Strategy<Value = Made> {
    let written = prop::collection::btree_map(prop::char::range('p', 's'), 0..9_u8, 0..4)
        .prop_flat_map(|members| Just(members.into_iter().collect::<Vec<_>>()).prop_shuffle());
    let kind = prop_oneof![2 => Just((false, true)), 3 => Just((true, true)), 2 => Just((false, false))];
    (0..9_u8, 0..3_usize, 0..3_u8, kind, written).prop_map(
        |(time, node, key, (is_patch, writes), written)| Made {
            time,
            node,
            key,
            written: writes.then_some(written),
            is_patch,
        },
    )
}

fn changes() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec(made(), 1..14).prop_map(|mut changes| {
        changes.sort();
        changes.dedup_by_key(|made| (made.time, made.node, made.key));
        changes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_order_of_arrival_ends_the_same(
        (changes, orders) in changes().prop_flat_map(|changes| {
            let transactions = transactions(&changes);
            let order = Just(transactions).prop_shuffle();
            (Just(changes), [order.clone(), order.clone(), order])
        }),
        again in any::<prop::sample::Index>(),
    ) {
        for (own, order) in orders.iter().enumerate() {
            let mut test = with_table();
            let middle = again.index(order.len());
            for (at, transaction) in order.iter().enumerate() {
                deliver(&test.data(), own, transaction);
                if at == middle {
                    test.reopen();
                    // What has come may come again at any time.
                    deliver(&test.data(), own, &order[at / 2]);
                }
                let so_far: Vec<Made> = order[..=at].concat();
                check(&test.data(), &so_far)?;
            }
            let logged = entries(&test.data());
            prop_assert_eq!(logged.len(), order.len());
            test.reopen();
            for transaction in order.iter().rev() {
                let effects = deliver(&test.data(), own, transaction);
                prop_assert!(effects.iter().all(|effect| *effect == Effect::Duplicate), "{:?}", effects);
            }
            prop_assert_eq!(entries(&test.data()), logged);
            check(&test.data(), &changes)?;
        }
    }
}

/// Copies a table page by page, as it is now.
fn copy(from: &Database, to: &Database, own: [&'static str; 2]) {
    for deletions in [false, true] {
        let mut at: Option<Vec<u8>> = None;
        loop {
            let read = from.read().unwrap();
            let (view, table) = (read.view(), read.catalog().table("t").unwrap());
            let CopiedPage { changes, next } =
                view.copied(table, own[0], deletions, at.as_deref(), 1).unwrap();
            write(to, move |txn| {
                let table = txn.catalog().table("t").unwrap().clone();
                changes.iter().try_for_each(|copied| txn.take_copied(&table, own[1], copied))
            });
            match next {
                Some(next) => at = Some(next),
                None => break,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn copies_go_on_like_the_original(
        (changes, first, after) in changes().prop_flat_map(|changes| {
            let order = Just(transactions(&changes)).prop_shuffle();
            (Just(changes), order.clone(), order)
        }),
        known in any::<prop::sample::Index>(),
        own in any::<prop::sample::Index>(),
    ) {
        let (original, taker) = (with_table(), with_table());
        for transaction in &first[..known.index(first.len() + 1)] {
            deliver(&original.data(), 0, transaction);
        }
        // What it had of its own stays.
        for transaction in &after[..own.index(after.len() + 1)] {
            deliver(&taker.data(), 2, transaction);
        }
        copy(&original.data(), &taker.data(), [NODES[0], NODES[2]]);
        for transaction in first.iter().chain(&after) {
            if !first[..known.index(first.len() + 1)].contains(transaction) {
                deliver(&taker.data(), 2, transaction);
            }
        }
        check_records(&taker.data(), &changes)?;
        for transaction in &after {
            deliver(&taker.data(), 2, transaction);
        }
        check_records(&taker.data(), &changes)?;
    }
}

fn made_of(node: usize, time: u8, kind: WriteKind, written: &[(char, u8)]) -> Made {
    let is_patch = kind == WriteKind::Patch;
    let written = (kind != WriteKind::Delete).then(|| written.to_vec());
    Made { time, node, key: 1, written, is_patch }
}

/// A state without a history counts as written whole, whatever comes late between it and its patches, even where a
/// deletion among them tells nothing of it and another node's write is of the same time.
#[test]
fn late_changes_find_the_copied_state_that_patches_build_upon() {
    use WriteKind::{Delete, Patch, Put};
    let copied = made_of(1, 2, Put, &[('q', 4), ('p', 0)]);
    let late = [
        made_of(0, 4, Delete, &[]),
        made_of(0, 2, Put, &[('r', 9)]),
        made_of(2, 5, Patch, &[('r', 4)]),
        copied.clone(),
    ];
    let latest = made_of(1, 6, Patch, &[('s', 4)]);
    let all: Vec<Made> = late.iter().chain([&latest]).cloned().collect();
    for turn in 0..late.len() {
        let (original, taker) = (with_table(), with_table());
        deliver(&original.data(), 0, std::slice::from_ref(&copied));
        copy(&original.data(), &taker.data(), [NODES[0], NODES[2]]);
        deliver(&taker.data(), 2, std::slice::from_ref(&latest));
        for at in 0..late.len() {
            deliver(&taker.data(), 2, std::slice::from_ref(&late[(at + turn) % late.len()]));
        }
        assert_eq!(found(&taker.data(), 1), expected(&all), "from {turn}");
    }
}

/// The cases of the rule, one by one.
#[test]
fn what_is_older_loses_or_shows_through() {
    use WriteKind::{Delete, Patch, Put};
    let put = |time, value| made_of(0, time, Put, &[('p', value), ('q', value)]);
    let patch = |time, value| made_of(1, time, Patch, &[('p', value)]);
    let delete = |time| made_of(2, time, Delete, &[]);
    let cases: [(&str, Vec<Made>, Effect, &str); 9] = [
        ("newer", vec![put(1, 1), put(2, 2)], Effect::Applied, r#"{"id":1,"p":2,"q":2}"#),
        ("older, whole", vec![put(2, 2), put(1, 1)], Effect::Lost, r#"{"id":1,"p":2,"q":2}"#),
        ("the greater name", vec![put(1, 1), patch(1, 9)], Effect::Applied, r#"{"id":1,"p":9,"q":1}"#),
        ("the lesser name", vec![patch(1, 9), put(1, 1)], Effect::Merged, r#"{"id":1,"p":9,"q":1}"#),
        ("a duplicate", vec![put(1, 1), put(1, 1)], Effect::Duplicate, r#"{"id":1,"p":1,"q":1}"#),
        (
            "an older deletion",
            vec![put(1, 1), patch(3, 9), delete(2)],
            Effect::Lost,
            r#"{"id":1,"p":9,"q":1}"#,
        ),
        ("an older write of what is gone", vec![delete(2), put(1, 1)], Effect::Lost, "gone"),
        ("an older patch of what is gone", vec![put(1, 1), delete(3), patch(2, 9)], Effect::Lost, "gone"),
        (
            "an older write under patches",
            vec![patch(2, 9), put(1, 1)],
            Effect::Merged,
            r#"{"id":1,"p":9,"q":1}"#,
        ),
    ];
    for (name, changes, effect, record) in cases {
        let mut test = with_table();
        let mut last = Vec::new();
        for made in &changes {
            last = deliver(&test.data(), 0, std::slice::from_ref(made));
        }
        assert_eq!(last, [effect], "{name}");
        for _ in 0..2 {
            let database = test.data();
            let read = database.read().unwrap();
            let table = read.catalog().table("t").unwrap();
            let found = read.get(table, &Value::Number(1.0)).unwrap();
            assert_eq!(found.map_or("gone".to_owned(), |found| text_of(table, &found)), record, "{name}");
            drop(read);
            drop(database);
            test.reopen();
        }
    }
}

fn put_local(database: &Database, value: f64) -> f64 {
    write(database, move |txn| {
        let table = txn.catalog().table("t").unwrap().clone();
        let record = Object::from_iter([("id".to_owned(), 1.0.into()), ("p".to_owned(), value.into())]);
        txn.put(&table, &Value::Number(1.0), &record, None)?;
        txn.log_history(&table, HistoryEntry::new("upsert", None))?;
        Ok(txn.timestamp())
    })
}

fn put_remote(database: &Database, timestamp: f64, kind: WriteKind) {
    write(database, move |txn| {
        let table = txn.catalog().table("t").unwrap().clone();
        let origin = Origin { node: "z", epoch: "e", number: 1, previous: 0 };
        let source = Source { own: "a", origin, timestamp };
        let key = Value::Number(1.0);
        let record = Object::from_iter([("id".to_owned(), key.clone())]);
        let change = RemoteWrite { kind, key: &key, record: &record, created: timestamp, expires_at: None };
        txn.apply_remote(&table, &source, &change)?;
        txn.log_remote(&table, &source, "insert", None)
    });
}

#[test]
fn times_pass_those_received_unless_they_are_far_ahead() {
    let now = crate::store::environment::now;
    let mut test = with_table();
    let near = now() + 30_000.0;
    put_remote(&test.data(), near, WriteKind::Put);
    assert!(put_local(&test.data(), 1.0) > near);
    for far in [now() + 3_600_000.0, now() + 7_200_000.0] {
        let kind = if far > now() + 4_000_000.0 { WriteKind::Delete } else { WriteKind::Put };
        put_remote(&test.data(), far, kind);
        test.reopen();
        // Who writes the record is not held to lose; others are not dragged along.
        assert!(put_local(&test.data(), 2.0) > far);
        assert!(put_local(&test.data(), 3.0) > far);
        assert!(write(&test.data(), |txn| Ok(txn.timestamp())) < now() + 61_000.0);
        let database = test.data();
        let read = database.read().unwrap();
        let table = read.catalog().table("t").unwrap();
        let record = read.get(table, &Value::Number(1.0)).unwrap().unwrap();
        assert_eq!(text_of(table, &record), r#"{"id":1,"p":3}"#);
    }
}

#[test]
fn one_request_may_write_a_record_of_the_future_twice() {
    let test = with_table();
    let far = crate::store::environment::now() + 3_600_000.0;
    put_remote(&test.data(), far, WriteKind::Put);
    let database = test.data();
    write(&database, |txn| {
        let table = txn.catalog().table("t").unwrap().clone();
        for value in ["1", "2"] {
            txn.put(&table, &Value::Number(1.0), &record(&format!(r#"{{"id":1,"p":{value}}}"#)), None)?;
        }
        txn.delete(&table, &Value::Number(1.0))?;
        txn.put(&table, &Value::Number(1.0), &record(r#"{"id":1,"p":3}"#), None)?;
        txn.log_history(&table, HistoryEntry::new("upsert", None))
    });
    assert_eq!(found(&database, 1).unwrap().0[1], ("p".to_owned(), 3));
}

#[test]
fn tables_without_a_history_take_what_is_newer_and_what_they_lack() {
    let test = TestStore::new();
    let database = test.data();
    create_table(&database, TableSpec::dynamic("t", "id"));
    let steps = [
        (made_of(1, 5, WriteKind::Put, &[('p', 5)]), Effect::Applied),
        (made_of(1, 5, WriteKind::Put, &[('p', 5)]), Effect::Duplicate),
        (made_of(0, 5, WriteKind::Put, &[('p', 6)]), Effect::Lost),
        (made_of(0, 4, WriteKind::Patch, &[('p', 4), ('q', 4)]), Effect::Merged),
        (made_of(0, 3, WriteKind::Put, &[('r', 3)]), Effect::Lost),
        (made_of(0, 3, WriteKind::Delete, &[]), Effect::Lost),
        (made_of(0, 6, WriteKind::Patch, &[('s', 6)]), Effect::Applied),
    ];
    for (made, effect) in steps {
        assert_eq!(deliver(&database, 0, std::slice::from_ref(&made)), [effect], "{made:?}");
    }
    let members: Vec<String> = found(&database, 1).unwrap().0.into_iter().map(|(name, _)| name).collect();
    assert_eq!(members, ["id", "s", "p", "q"]);
    assert_eq!(deliver(&database, 0, &[made_of(2, 7, WriteKind::Delete, &[])]), [Effect::Applied]);
    assert_eq!(found(&database, 1), None);
    check_indexes(&database);
}

#[test]
fn what_is_added_by_several_nodes_adds_up_in_every_order() {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (order, put_at) in ORDERS.into_iter().flat_map(|order| (0..4).map(move |put_at| (order, put_at))) {
        let (test, taker) = (with_table(), with_table());
        let apply = |database: &Database, node: usize, kind: WriteKind, time: f64, text: String| {
            write(database, move |txn| {
                let table = txn.catalog().table("t").unwrap().clone();
                let origin = Origin { node: NODES[node], epoch: "e", number: 1, previous: 0 };
                let source = Source { own: "a", origin, timestamp: START + time };
                let (key, record) = (Value::Number(1.0), record(&text));
                let change =
                    RemoteWrite { kind, key: &key, record: &record, created: START, expires_at: None };
                txn.apply_remote(&table, &source, &change)?;
                txn.log_remote(&table, &source, "update", None)
            });
        };
        let put = |database: &Database| {
            apply(database, 0, WriteKind::Put, 0.0, r#"{"id":1,"n":5}"#.to_owned());
        };
        let patch = |database: &Database, node: usize| {
            let by = 10_u32.pow(node as u32);
            let text = format!(r#"{{"id":1,"n":{{"__op__":"add","value":{by}}},"by{node}":true}}"#);
            apply(database, node, WriteKind::Patch, 1.0 + node as f64, text);
        };
        for (at, node) in order.into_iter().enumerate() {
            if at == put_at {
                put(&test.data());
            }
            patch(&test.data(), node);
        }
        if put_at == 3 {
            put(&test.data());
        }
        patch(&taker.data(), order[0]);
        copy(&test.data(), &taker.data(), ["a", "c"]);
        (0..3).for_each(|node| patch(&taker.data(), node));
        for test in [&test, &taker] {
            let database = test.data();
            let read = database.read().unwrap();
            let table = read.catalog().table("t").unwrap();
            let found = read.get(table, &Value::Number(1.0)).unwrap().unwrap();
            let text = text_of(table, &found);
            assert_eq!(text, r#"{"id":1,"n":116,"by2":true,"by1":true,"by0":true}"#, "{order:?} {put_at}");
        }
    }
}
