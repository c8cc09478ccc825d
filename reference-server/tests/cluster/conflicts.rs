//! Writes on both sides of a cut, and what must have become of them when it is healed.

use crate::node::{Node, cluster, converge, eventually, flowing, link, nats_is_there};
use crate::proxy::Link;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A sequence of numbers that looks random and is the same every time.
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed; `CLUSTER_SEED` gives another one.
    pub fn new(seed: u64) -> Chance {
        let given = std::env::var("CLUSTER_SEED").ok().and_then(|text| text.parse().ok());
        let seed: u64 = given.unwrap_or(seed);
        eprintln!("CLUSTER_SEED={seed}");
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

async fn delete(node: &Node, table: &str, id: usize) {
    node.ask(json!({"operation": "delete", "database": "data", "table": table, "ids": [id]})).await;
}

/// The records of a table whose ids are numbers, without what a search shows of attributes that a record lacks.
async fn by_id(node: &Node, table: &str) -> BTreeMap<u64, Value> {
    let mut records = node.records(table).await;
    for members in records.iter_mut().filter_map(Value::as_object_mut) {
        members.retain(|_, value| !value.is_null());
    }
    let numbered = records.into_iter().filter_map(|record| Some((record["id"].as_u64()?, record)));
    numbered.collect()
}

/// What must become of a record that two sides wrote, each mostly several times. The later of the two first writes
/// counts as the whole record (where it was there before, both write on it), with everything that was written after that.
fn winner(a: &Value, b: &Value) -> Value {
    let time = |record: &Value, name: &str| record[name].as_f64().unwrap();
    let updated = |record: &Value| time(record, "__updatedtime__");
    let (newer, older) = if updated(a) > updated(b) { (a, b) } else { (b, a) };
    let created = |record: &Value| time(record, "__createdtime__");
    let whole = if created(a) > created(b) { a } else { b };
    let mut record = newer.clone();
    if updated(older) >= created(whole) {
        for (name, value) in older.as_object().unwrap() {
            record.as_object_mut().unwrap().entry(name.clone()).or_insert(value.clone());
        }
    }
    record["__createdtime__"] = whole["__createdtime__"].clone();
    record
}

async fn write_side(node: &Node, side: &str, chance: &mut Chance, first_new: usize) {
    const ROUNDS: usize = 50;
    const AT_ONCE: usize = 10;
    for round in 0..ROUNDS {
        let records: Vec<Value> = (0..AT_ONCE)
            .map(|at| {
                // A fifth are written by both sides: half of these were there before.
                let id = match (round * AT_ONCE + at) % 10 {
                    0 => chance.below(50),
                    1 => 100 + chance.below(50),
                    _ => first_new + round * AT_ONCE + at,
                };
                json!({"id": id, "by": side, side: chance.below(1000)})
            })
            .collect();
        node.upsert("t", Value::Array(records)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_of_a_cut_go_on_and_the_later_write_wins() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(3, &[]).await;
    let all: Vec<&Node> = nodes.iter().collect();
    let marks = flowing(&all, "t").await;
    let before: Value = (0..50).map(|id| json!({"id": id, "by": "nobody", "kept": id})).collect();
    nodes[0].upsert("t", before).await;
    converge(&all, "t", marks + 50).await;
    let mut entries = Vec::new();
    for node in &all {
        entries.push(node.entries("t").await);
    }
    link(&nodes[0], &nodes[1], Link::Cut);
    link(&nodes[0], &nodes[2], Link::Cut);
    let (mut one, mut other) = (Chance::new(1), Chance::new(2));
    tokio::join!(write_side(&nodes[0], "a", &mut one, 1_000), write_side(&nodes[1], "b", &mut other, 2_000),);
    let (a, b) = (by_id(&nodes[0], "t").await, by_id(&nodes[1], "t").await);
    let mut expected = a.clone();
    for (id, record) in &b {
        let merged = match a.get(id) {
            Some(own) => winner(own, record),
            None => record.clone(),
        };
        expected.insert(*id, merged);
    }
    link(&nodes[0], &nodes[1], Link::Open);
    link(&nodes[0], &nodes[2], Link::Open);
    converge(&all, "t", marks + expected.len()).await;
    eventually("all requests have come", async || {
        let mut have = true;
        for (node, before) in all.iter().zip(&entries) {
            have &= node.entries("t").await >= before + 100;
        }
        have
    })
    .await;
    converge(&all, "t", marks + expected.len()).await;
    let found = by_id(&nodes[2], "t").await;
    for (id, record) in &expected {
        assert_eq!(&found[id], record, "here {:?}, there {:?}", a.get(id), b.get(id));
    }
    for (node, before) in all.iter().zip(&entries) {
        assert_eq!(node.entries("t").await, before + 100, "every request is in every history once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_it_applies_applies_nothing_twice() {
    const COUNT: usize = 400;
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    let before = [nodes[0].entries("t").await, nodes[1].entries("t").await];
    let mut chance = Chance::new(4);
    for round in 0..4 {
        for id in round * COUNT / 4..(round + 1) * COUNT / 4 {
            nodes[0].upsert("t", json!([{"id": id}, {"id": id % 7, "last": id}])).await;
            if chance.below(COUNT / 8) == 0 {
                nodes[1].kill();
                nodes[1].start_again();
            }
        }
        nodes[1].kill();
        nodes[1].start_again();
    }
    converge(&[&nodes[0], &nodes[1]], "t", marks + COUNT).await;
    assert_eq!(nodes[0].entries("t").await - before[0], COUNT);
    assert_eq!(nodes[1].entries("t").await - before[1], COUNT, "nothing is applied twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_too_long_takes_a_copy_and_keeps_what_it_wrote() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    nodes[0].create_table("t").await;
    let records: Value = (0..40).map(|id| json!({"id": id, "v": "first"})).collect();
    nodes[0].upsert("t", records).await;
    converge(&[&nodes[0], &nodes[1]], "t", 40).await;
    link(&nodes[0], &nodes[1], Link::Cut);
    nodes[1].upsert("t", json!([{"id": 1, "v": "earlier there"}, {"id": 2, "w": "only there"}])).await;
    for id in 0..30 {
        nodes[0].upsert("t", json!([{"id": 100 + id}, {"id": 1, "v": "later here"}])).await;
    }
    delete(&nodes[0], "t", 3).await;
    nodes[1].upsert("t", json!([{"id": 500, "v": "new there"}, {"id": 4, "v": "later there"}])).await;
    // The history of what the other one missed is gone, and so is the stream.
    let job = nodes[0]
        .ask(json!({"operation": "delete_transaction_logs_before", "database": "data", "table": "t", "timestamp": 9e12}))
        .await;
    eventually("the history is gone", async || nodes[0].entries("t").await == 0).await;
    assert!(job["job_id"].is_string());
    nodes[0].stop();
    std::fs::remove_dir_all(nodes[0].folder().join("clustering/store")).unwrap();
    nodes[0].start_again();
    link(&nodes[0], &nodes[1], Link::Open);
    eventually("a copy has come", async || nodes[1].count("t").await >= 70).await;
    eventually("what was written there has come here", async || nodes[0].count("t").await >= 70).await;
    eventually("both are the same", async || {
        // The deletion went with the history: who has not heard of it keeps the record.
        let (mut here, mut there) = (by_id(&nodes[0], "t").await, by_id(&nodes[1], "t").await);
        here.remove(&3);
        there.remove(&3);
        here == there
    })
    .await;
    let found = by_id(&nodes[1], "t").await;
    assert_eq!(found[&1]["v"], "later here");
    assert_eq!((&found[&2]["v"], &found[&2]["w"]), (&json!("first"), &json!("only there")));
    assert_eq!(found[&4]["v"], "later there");
    assert_eq!(found[&500]["v"], "new there");
}

/// Here nothing is purged by hand: what is kept for two seconds has gone by itself, on both sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_longer_than_the_retention_takes_a_copy() {
    const COPY: &str = "a copy is taken";
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[("LOGGING_AUDITRETENTION", "2s"), ("LOGGING_LEVEL", "info")]).await;
    let all = [&nodes[0], &nodes[1]];
    let marks = flowing(&all, "t").await;
    nodes[0].upsert("t", (0..40).map(|id| json!({"id": id, "v": "first"})).collect()).await;
    converge(&all, "t", marks + 40).await;
    let copies = all.map(|node| node.logged(COPY));
    link(&nodes[0], &nodes[1], Link::Cut);
    nodes[1].upsert("t", json!([{"id": 1, "v": "earlier there"}, {"id": 2, "w": "only there"}])).await;
    for id in 0..30 {
        nodes[0].upsert("t", json!([{"id": 100 + id}, {"id": 1, "v": "later here"}])).await;
    }
    nodes[1].upsert("t", json!([{"id": 500, "v": "new there"}, {"id": 4, "v": "later there"}])).await;
    eventually("nobody remembers", async || nodes[0].entries("t").await + nodes[1].entries("t").await == 0)
        .await;
    link(&nodes[0], &nodes[1], Link::Open);
    converge(&all, "t", marks + 71).await;
    let found = by_id(&nodes[0], "t").await;
    assert_eq!(found[&1]["v"], "later here");
    assert_eq!((&found[&2]["v"], &found[&2]["w"]), (&json!("first"), &json!("only there")));
    assert_eq!((&found[&4]["v"], &found[&500]["v"]), (&json!("later there"), &json!("new there")));
    for (node, before) in all.iter().zip(copies) {
        assert!(node.logged(COPY) > before, "{} needed no copy", node.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_stays_deleted() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    nodes[0].create_table("t").await;
    nodes[0].upsert("t", (0..4).map(|id| json!({"id": id, "v": 0})).collect()).await;
    converge(&[&nodes[0], &nodes[1]], "t", 4).await;
    link(&nodes[0], &nodes[1], Link::Cut);
    // Earlier writes of what is deleted later, in both directions; and deletions that later writes outdo.
    nodes[0].upsert("t", json!([{"id": 0, "v": 1}, {"id": 9, "v": 1}])).await;
    nodes[1].upsert("t", json!([{"id": 1, "v": 1}])).await;
    delete(&nodes[0], "t", 2).await;
    delete(&nodes[1], "t", 3).await;
    delete(&nodes[1], "t", 0).await;
    delete(&nodes[0], "t", 1).await;
    nodes[1].upsert("t", json!([{"id": 2, "w": 2}])).await;
    nodes[0].upsert("t", json!([{"id": 3, "w": 2}])).await;
    link(&nodes[0], &nodes[1], Link::Open);
    for _ in 0..2 {
        converge(&[&nodes[0], &nodes[1]], "t", 3).await;
        let found = by_id(&nodes[0], "t").await;
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [2, 3, 9]);
        assert_eq!((&found[&2]["v"], &found[&2]["w"]), (&json!(0), &json!(2)), "the record lives on");
        assert_eq!((&found[&3]["v"], &found[&3]["w"]), (&json!(0), &json!(2)));
        nodes.iter_mut().for_each(Node::stop);
        nodes.iter_mut().for_each(Node::start_again);
    }
}

/// Needs a program whose clock can be wrong on purpose: `cargo test -p reference-server --features faults --test cluster
/// clocks`.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_wrong_do_not_keep_nodes_apart() {
    const OFFSET: &str = "HDB_TEST_CLOCK_OFFSET_MS";
    if !nats_is_there() {
        return;
    }
    for (one, other) in [("30000", "-30000"), ("0", "-3600000"), ("0", "3600000")] {
        let nodes =
            [Node::start("node-1", &[(OFFSET, one)]).await, Node::start("node-2", &[(OFFSET, other)]).await];
        nodes[0].join(&nodes[1]).await;
        nodes[0].create_table("t").await;
        nodes[0].upsert("t", json!([{"id": 1, "v": "node-1"}])).await;
        converge(&[&nodes[0], &nodes[1]], "t", 1).await;
        // Whoever has read a record can write it, whatever its clock says.
        for (round, node) in [&nodes[1], &nodes[0], &nodes[1]].into_iter().enumerate() {
            let value = format!("{} in round {round}", node.name);
            node.upsert("t", json!([{"id": 1, "v": value}])).await;
            eventually("the write has come", async || {
                let (here, there) = (by_id(&nodes[0], "t").await, by_id(&nodes[1], "t").await);
                here == there && here[&1]["v"] == value.as_str()
            })
            .await;
        }
        // A clock that is far ahead takes no other along.
        nodes[0].upsert("t", json!([{"id": 2}])).await;
        let own = by_id(&nodes[0], "t").await[&2]["__updatedtime__"].as_f64().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!(own < now.as_secs_f64() * 1000.0 + 95_000.0, "{own} is too far ahead");
    }
}
