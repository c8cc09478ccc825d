//! Several databases that are told each other's histories, without anything between them.

use super::*;
use crate::replication::message::Write;
use crate::store::{HistoryEntry, KeyRange, Patched, Store, StoreOptions, WriteKind};
use crate::value::{Object, Value, order_members};
use proptest::prelude::*;

const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

struct Node {
    name: &'static str,
    database: Arc<Database>,
    _store: Store,
    _folder: tempfile::TempDir,
}

impl Node {
    fn new(name: &'static str) -> Node {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { no_sync: true, ..StoreOptions::default() };
        let store = Store::open(folder.path(), options).unwrap();
        let database = store.create_database("data").unwrap();
        Node { name, database, _store: store, _folder: folder }
    }

    fn all() -> Vec<Node> {
        NODES.map(Node::new).into()
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTxn<'_>) -> Result<T, OperationError> + Send + 'static,
    ) -> T {
        self.database.write_blocking(work).map_err(|error| error.message).unwrap()
    }

    /// What a client does here: `None` deletes, else the attributes are written as upsert does.
    fn act(&self, key: u8, written: Option<Vec<(char, u8)>>) {
        self.write(move |txn| {
            let table = match txn.catalog().table("t").cloned() {
                Some(table) => table,
                None => txn.create_table(TableSpec { audit: true, ..TableSpec::dynamic("t", "id") })?,
            };
            let key = Value::Number(key.into());
            let Some(written) = &written else {
                txn.delete(&table, &key)?;
                return Ok(txn.log_history(&table, HistoryEntry::new("delete", Some("kim")))?);
            };
            let mut record = Object::from_iter([("id".to_owned(), key.clone())]);
            record.extend(
                written.iter().map(|(name, value)| (name.to_string(), Value::Number((*value).into()))),
            );
            let before =
                txn.get(&table, &key)?.map(|found| crate::access::system_tables::members(&found, &table));
            match before {
                None => txn.put(&table, &key, &record, None)?,
                Some(before) => {
                    let sent = record.clone();
                    for (name, value) in before {
                        record.entry(name).or_insert(value);
                    }
                    order_members(&mut record);
                    txn.patch(&table, &key, &record, None, &|name| {
                        if sent.contains_key(name) { Patched::Set } else { Patched::Kept }
                    })?;
                }
            }
            Ok(txn.log_history(&table, HistoryEntry::new("upsert", Some("kim")))?)
        });
    }

    /// What it tells others, as its outbox does.
    fn told(&self) -> Vec<Transaction> {
        let reader = self.database.read().unwrap();
        let view = reader.view();
        let mut previous = 0;
        let mut told = Vec::new();
        for entry in view.history_after(0).unwrap() {
            let entry = entry.unwrap();
            if entry.origin.is_some() {
                continue;
            }
            let table = view.catalog().by_id(entry.table).unwrap();
            told.push(Transaction {
                origin: self.name.to_owned(),
                epoch: format!("life of {}", self.name),
                previous,
                tables: vec![TableDefinition::brief(table)],
                ..Transaction::of(view, &entry).unwrap()
            });
            previous = entry.number;
        }
        told
    }

    fn hear(&self, message: &Transaction, stream_seq: u64) -> Applied {
        let (own, message) = (self.name, message.clone());
        let from = Peer { name: message.origin.clone() };
        let cursor = Cursor { epoch: "e".to_owned(), stream_seq, origin_lseq: message.lseq };
        self.write(move |txn| apply(txn, own, &from, &message, &cursor, &mut Dropped::default()))
    }

    /// Hears up to `count` transactions of another that it has not heard.
    fn catch_up(&self, other: &Node, count: usize) {
        let last = progress::applied(&self.database, other.name).unwrap().map_or(0, |mark| mark.lseq);
        for message in other.told().iter().filter(|message| message.lseq > last).take(count) {
            assert_eq!(self.hear(message, message.lseq), Applied::Done);
        }
    }

    /// All records with their versions and the nodes that wrote them.
    fn records(&self) -> Vec<String> {
        let reader = self.database.read().unwrap();
        let Some(table) = reader.catalog().table("t").cloned() else { return Vec::new() };
        let records = reader.scan(&table, KeyRange::all(), false).unwrap().map(|record| {
            let record = record.unwrap();
            let members = Value::Object(crate::access::system_tables::members(&record, &table));
            let origin = reader.view().origin_of(&table, &record).unwrap().unwrap().unwrap_or(self.name);
            format!("{} {} {} {origin}", members.to_json(), record.updated(), record.created())
        });
        records.collect()
    }

    fn entries(&self) -> usize {
        self.database.read().unwrap().view().history_after(0).unwrap().count()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Act(usize, u8, Option<Vec<(char, u8)>>),
    Hear(usize, usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let written = prop::collection::btree_map(prop::char::range('p', 's'), 0..9_u8, 1..3);
    let written = prop::option::weighted(0.8, written.prop_map(|members| members.into_iter().collect()));
    prop_oneof![
        3 => (0..3_usize, 0..3_u8, written).prop_map(|(node, key, written)| Step::Act(node, key, written)),
        2 => (0..3_usize, 1..3_usize, 1..4_usize).prop_map(|(to, ahead, count)| Step::Hear(to, (to + ahead) % 3, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn nodes_that_have_heard_all_hold_the_same(steps in prop::collection::vec(step(), 1..40)) {
        let nodes = Node::all();
        for step in steps {
            match step {
                Step::Act(node, key, written) => nodes[node].act(key, written),
                Step::Hear(to, from, count) => nodes[to].catch_up(&nodes[from], count),
            }
        }
        for to in &nodes {
            for from in nodes.iter().filter(|from| from.name != to.name) {
                to.catch_up(from, usize::MAX);
            }
        }
        let records = nodes[0].records();
        prop_assert_eq!(&nodes[1].records(), &records);
        prop_assert_eq!(&nodes[2].records(), &records);
        let entries = nodes[0].entries();
        for to in &nodes {
            prop_assert_eq!(to.entries(), entries);
            for message in nodes.iter().flat_map(Node::told) {
                let applied = to.hear(&message, 1);
                let is_own = message.origin == to.name;
                prop_assert!(is_own || applied == Applied::Known);
            }
            prop_assert_eq!(to.entries(), entries);
            prop_assert_eq!(&to.records(), &records);
        }
    }
}

#[test]
fn what_is_missing_is_noticed_and_nothing_is_applied() {
    let nodes = Node::all();
    (0..3).for_each(|key| nodes[0].act(key, Some(vec![('p', key)])));
    let told = nodes[0].told();
    assert_eq!(nodes[1].hear(&told[1], 2), Applied::Gap(0));
    assert_eq!(nodes[1].hear(&told[0], 1), Applied::Done);
    assert_eq!(nodes[1].hear(&told[2], 3), Applied::Gap(told[0].lseq));
    assert_eq!(nodes[1].records().len(), 1);
    assert_eq!(progress::cursor(&nodes[1].database, "node-a").unwrap().unwrap().stream_seq, 1);
    let another_life = Transaction { epoch: "another".to_owned(), ..told[1].clone() };
    assert_eq!(nodes[1].hear(&another_life, 2), Applied::Gap(0));
    // How far its origin has come, without writes.
    let mark = Transaction { writes: Vec::new(), previous: told[2].lseq, ..told[2].clone() };
    assert_eq!(nodes[1].hear(&mark, 4), Applied::Gap(told[0].lseq));
    assert_eq!(nodes[1].hear(&told[1], 2), Applied::Done);
    assert_eq!(nodes[1].hear(&told[2], 3), Applied::Done);
    assert_eq!(nodes[1].hear(&mark, 4), Applied::Known);
    assert_eq!(progress::cursor(&nodes[1].database, "node-a").unwrap().unwrap().stream_seq, 4);
    assert_eq!(nodes[1].entries(), 3);
}

/// What was relayed by another node is what the origin told.
#[test]
fn entries_of_others_are_told_as_they_were() {
    let nodes = Node::all();
    nodes[0].act(1, Some(vec![('p', 1), ('q', 1)]));
    nodes[1].catch_up(&nodes[0], 9);
    nodes[0].act(1, Some(vec![('p', 2)]));
    nodes[0].act(1, Some(vec![('q', 1)]));
    nodes[1].act(1, Some(vec![('p', 3)]));
    nodes[0].act(2, None);
    nodes[1].catch_up(&nodes[0], 9);
    let reader = nodes[1].database.read().unwrap();
    let view = reader.view();
    let foreign = view.history_after(0).unwrap().map(Result::unwrap).filter(|entry| entry.origin.is_some());
    let relayed: Vec<Transaction> = foreign.map(|entry| Transaction::of(view, &entry).unwrap()).collect();
    let told: Vec<Transaction> =
        nodes[0].told().into_iter().map(|message| Transaction { tables: Vec::new(), ..message }).collect();
    assert_eq!(relayed, told);
    let patch = relayed.iter().find(|message| message.writes[0].kind == WriteKind::Patch).unwrap();
    assert_eq!(Value::Object(patch.writes[0].record.clone()).to_json(), r#"{"id":1,"p":2}"#);
}

#[test]
fn a_record_written_twice_in_one_request_is_told_once() {
    let node = Node::new("node-a");
    node.act(1, Some(vec![('p', 1), ('q', 1)]));
    node.write(|txn| {
        let table = txn.catalog().table("t").unwrap().clone();
        let key = Value::Number(1.0);
        for (name, value) in [("p", 2.0), ("r", 3.0)] {
            let mut record =
                Object::from_iter([("id".to_owned(), key.clone()), (name.to_owned(), value.into())]);
            let before =
                txn.get(&table, &key)?.map(|found| crate::access::system_tables::members(&found, &table));
            for (name, value) in before.into_iter().flatten() {
                record.entry(name).or_insert(value);
            }
            txn.patch(&table, &key, &record, None, &|written| {
                if written == name || written == "id" { Patched::Set } else { Patched::Kept }
            })?;
        }
        Ok(txn.log_history(&table, HistoryEntry::new("upsert", None))?)
    });
    let told = node.told();
    let [Write { kind: WriteKind::Patch, record, .. }] = &told[1].writes[..] else { panic!("{told:?}") };
    assert_eq!(Value::Object(record.clone()).to_json(), r#"{"id":1,"r":3,"p":2}"#);
}

#[test]
fn messages_without_sense_are_refused() {
    let good = Transaction { origin: "a".to_owned(), timestamp: 1.0, ..Transaction::default() };
    assert!(check(&good).is_ok());
    let write = Write { table: "t".to_owned(), created: f64::NAN, ..Write::default() };
    for bad in [
        Transaction { timestamp: f64::NAN, ..good.clone() },
        Transaction { timestamp: f64::INFINITY, ..good.clone() },
        Transaction { timestamp: -1.0, ..good.clone() },
        Transaction { origin: String::new(), ..good.clone() },
        Transaction { writes: vec![write], ..good.clone() },
        Transaction { writes: vec![Write::default()], ..good.clone() },
    ] {
        assert!(check(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn missing_tables_and_attributes_are_made() {
    let nodes = Node::all();
    nodes[0].act(1, Some(vec![('p', 1)]));
    nodes[0].write(|txn| {
        let spec = TableSpec {
            name: "typed".to_owned(),
            primary_key: "k".to_owned(),
            schema_defined: true,
            audit: true,
            attributes: vec![crate::store::Attribute::new("a").with_kind("Int").indexed()],
            ..TableSpec::default()
        };
        Ok(txn.create_table(spec)?)
    });
    let reader = nodes[0].database.read().unwrap();
    let tables = reader.catalog().tables().map(|table| TableDefinition::full(table)).collect();
    let message =
        Transaction { origin: "node-a".to_owned(), epoch: "e".to_owned(), tables, ..Transaction::default() };
    assert_eq!(nodes[1].hear(&message, 1), Applied::Done);
    nodes[1].catch_up(&nodes[0], 9);
    let catalog = nodes[1].database.catalog();
    let names = |table: &str| {
        let table = catalog.table(table).unwrap();
        table.attributes.iter().map(|attribute| attribute.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("t"), ["id", "__createdtime__", "__updatedtime__", "p"]);
    assert_eq!(names("typed"), ["k", "a"]);
    assert!(catalog.table("t").unwrap().is_indexed(catalog.table("t").unwrap().attribute_id("p").unwrap()));
}
