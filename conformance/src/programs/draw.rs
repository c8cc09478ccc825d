//! What programs are made of, and how they are drawn.
//!
//! Only what the documents fix is drawn: no key twice in one request, no conditions on null, false or absent values
//! where it matters which condition drives a search, no arrays.

use super::csv::{Load, loads};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

/// The attributes that every table of a program has besides its key.
pub(super) const ATTRIBUTES: [&str; 3] = ["a", "b", "c"];

/// The longest program.
const LONGEST: usize = 24;

/// One operation of a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// Records with keys of their own.
    Write { how: Write, records: Vec<Map<String, Value>> },
    /// Records as CSV text.
    Load(Load),
    /// A good record and one without a key: refused as a whole.
    BadUpdate(Map<String, Value>),
    /// Keys, each once.
    Delete(Vec<Value>),
    /// Keys, in any number.
    ById(Vec<Value>),
    /// An attribute's value, or the start of it.
    ByValue { attribute: &'static str, value: Value },
    /// Every record, in pages, sorted by key.
    Page { descending: bool, offset: usize, limit: usize },
    /// Records that satisfy conditions.
    ByConditions { any: bool, conditions: Vec<Condition> },
    /// Records with an attribute of some value, found by SQL.
    Select { attribute: &'static str, value: Value },
    /// How many records there are, as the table's definition says and as SQL counts.
    Count { sql: bool },
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Insert,
    Update,
    Upsert,
}

/// One condition of a search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) attribute: &'static str,
    pub(super) comparator: &'static str,
    pub(super) value: Value,
}

/// A drawn program that can be made simpler.
pub(super) type Tree = Box<dyn ValueTree<Value = Vec<Op>>>;

/// The program of a seed and a number.
pub(super) fn program(seed: u64, number: usize) -> Vec<Op> {
    tree(seed, number).map(|tree| tree.current()).unwrap_or_default()
}

/// The same with the ways to make it simpler.
pub(super) fn tree(seed: u64, number: usize) -> Option<Tree> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(number as u64).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    prop::collection::vec(op(), 6..=LONGEST)
        .boxed()
        .new_tree(&mut runner)
        .ok()
        .map(|tree| Box::new(tree) as Tree)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (write(), records(1..=4)).prop_map(|(how, records)| Op::Write { how, records }),
        1 => loads(write()).prop_map(Op::Load),
        1 => records(1..=1).prop_map(|records| Op::BadUpdate(records.into_iter().next().unwrap_or_default())),
        2 => keys().prop_map(Op::Delete),
        3 => prop::collection::vec(key(), 0..5).prop_map(Op::ById),
        2 => (attribute(), scalar()).prop_map(|(attribute, value)| Op::ByValue { attribute, value }),
        1 => (attribute(), start()).prop_map(|(attribute, start)| Op::ByValue { attribute, value: json!(format!("{start}*")) }),
        2 => (any::<bool>(), 0..6_usize, 1..6_usize)
            .prop_map(|(descending, offset, limit)| Op::Page { descending, offset, limit }),
        4 => (any::<bool>(), prop::collection::vec(condition(), 1..=3))
            .prop_map(|(any, conditions)| Op::ByConditions { any: any && conditions.len() > 1, conditions }),
        1 => (attribute(), scalar()).prop_map(|(attribute, value)| Op::Select { attribute, value }),
        1 => any::<bool>().prop_map(|sql| Op::Count { sql }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![3 => Just(Write::Insert), 2 => Just(Write::Update), 2 => Just(Write::Upsert)]
}

fn attribute() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ATTRIBUTES.to_vec())
}

/// Few keys, so that programs meet their own records again; numbers and strings of the same looks among them.
fn key() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(1),
        json!("1"),
        json!(2),
        json!("2"),
        json!(-3),
        json!(2.5),
        json!("a"),
        json!("a/b"),
        json!("ü"),
        json!("Z"),
    ])
}

/// Keys, each once.
fn keys() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(key(), 1..4).prop_map(|keys| {
        let mut once: Vec<Value> = Vec::new();
        for key in keys {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        once
    })
}

fn records(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Map<String, Value>>> {
    let record = prop::collection::btree_map(attribute(), value(), 0..=3);
    prop::collection::vec((key(), record), count).prop_map(|drawn| {
        let mut records: Vec<Map<String, Value>> = Vec::new();
        for (key, attributes) in drawn {
            if !records.iter().any(|record| record.get("id") == Some(&key)) {
                let mut record = Map::from_iter([("id".to_owned(), key)]);
                record.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
                records.push(record);
            }
        }
        records
    })
}

/// A value to store.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => scalar(),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => scalar().prop_map(|inner| json!({"in": inner})),
    ]
}

/// A value to look for.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3..6_i64).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1e21, -2.25]).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "ab", "abc", "Abc", "b", "1", "ß", "z*y"]).prop_map(Value::from),
    ]
}

fn start() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "ab", "A", "1", "ß", "zz"])
}

fn condition() -> impl Strategy<Value = Condition> {
    let ordered = prop::sample::select(vec!["equals", "greater_than", "greater_than_equal"]);
    prop_oneof![
        4 => (attribute(), ordered, scalar())
            .prop_map(|(attribute, comparator, value)| Condition { attribute, comparator, value }),
        1 => (attribute(), scalar(), scalar())
            .prop_map(|(attribute, low, high)| Condition { attribute, comparator: "between", value: json!([low, high]) }),
        1 => (attribute(), start())
            .prop_map(|(attribute, start)| Condition { attribute, comparator: "starts_with", value: json!(start) }),
    ]
}
