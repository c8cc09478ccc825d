//! Changes that find their place without a look at all of their record's.

use super::*;

/// A change: when, until when, and whether it writes the whole record.
type Lasting = (f64, Option<f64>, bool);

/// What becomes of a record that the given changes, of one attribute each, come to in an order.
fn lasting(changes: &[Lasting], order: &[usize]) -> BTreeMap<String, String> {
    let test = with_table();
    let database = test.data();
    for at in order.iter().copied() {
        let (time, until, is_whole) = changes[at];
        let origin = Origin { node: NODES[at % 3], epoch: "e", number: 1, previous: 0 };
        write(&database, move |txn| {
            let table = txn.catalog().table("t").unwrap().clone();
            let source = Source { own: "a", origin, timestamp: START + time };
            let (key, record) = (Value::Number(1.0), record(&format!(r#"{{"id":1,"at{at}":{at}}}"#)));
            let change = RemoteWrite {
                kind: if is_whole { WriteKind::Put } else { WriteKind::Patch },
                key: &key,
                record: &record,
                created: START + time,
                expires_at: until.map(|until| START + until),
            };
            txn.apply_remote(&table, &source, &change)?;
            txn.log_remote(&table, &source, "update", None)
        });
    }
    let read = database.read().unwrap();
    let table = read.catalog().table("t").unwrap();
    let record = read.get(table, &Value::Number(1.0)).unwrap().unwrap();
    let members = record.attributes();
    let mut members: BTreeMap<String, String> = members
        .map(|(id, value)| {
            (table.attribute_name(id).to_owned(), String::from_utf8_lossy(value.json()).into_owned())
        })
        .collect();
    members.insert("created".to_owned(), (record.created() - START).to_string());
    members
}

#[test]
fn what_expires_takes_along_what_was_before_in_every_order() {
    let last = (4.0, None, false);
    for changes in [
        [(0.0, Some(2.0), true), (1.0, None, false), (2.0, Some(3.0), false), last, (5.0, None, false)],
        [(0.0, None, true), (1.0, Some(1.5), false), (2.0, None, false), (3.0, None, false), last],
        [(0.0, None, true), (1.0, None, false), (2.0, Some(2.5), false), (3.0, None, false), last],
        [(0.0, None, true), (1.0, Some(3.5), false), (2.0, None, false), (3.0, Some(9.0), false), last],
    ] {
        let expected = lasting(&changes, &[0, 1, 2, 3, 4]);
        for order in [
            [0, 1, 2, 4, 3],
            [0, 1, 3, 4, 2],
            [0, 2, 3, 4, 1],
            [0, 3, 4, 1, 2],
            [0, 4, 1, 3, 2],
            [0, 4, 3, 2, 1],
            [1, 2, 4, 0, 3],
            [4, 3, 2, 1, 0],
        ] {
            assert_eq!(lasting(&changes, &order), expected, "{changes:?} in the order {order:?}");
        }
    }
}

/// What is older than a state without a history stays hidden, also when something that is older still lies in the chain.
#[test]
fn what_a_copied_state_hides_stays_hidden() {
    use WriteKind::{Patch, Put};
    let copied = made_of(1, 5, Put, &[('p', 1)]);
    let latest = made_of(1, 6, Patch, &[('q', 2)]);
    let older = made_of(0, 1, Patch, &[('r', 3)]);
    for late in [made_of(2, 3, Patch, &[('s', 4)]), made_of(2, 3, Put, &[('s', 4)])] {
        let (original, taker) = (with_table(), with_table());
        deliver(&original.data(), 0, std::slice::from_ref(&copied));
        copy(&original.data(), &taker.data(), [NODES[0], NODES[2]]);
        let all = [copied.clone(), latest.clone(), older.clone(), late];
        for made in &all[1..] {
            deliver(&taker.data(), 2, std::slice::from_ref(made));
        }
        assert_eq!(found(&taker.data(), 1), expected(&all));
    }
}
