//! What may happen to servers, streams and links, and must lose and double nothing.

use crate::node::{
    Node, cluster, converge, eventually, flowing, link, nats_is_there, resident, share_table, signal,
};
use crate::proxy::Link;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn records(range: std::ops::Range<usize>) -> Value {
    range.map(|number| json!({"id": number, "text": format!("record {number}")})).collect()
}

pub async fn write_each(node: &Node, table: &str, range: std::ops::Range<usize>) {
    for number in range {
        node.upsert(table, records(number..number + 1)).await;
    }
}

/// Copies a folder with everything in it.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_here_is_read_there() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    share_table(&nodes, "t").await;
    nodes[0].upsert("t", records(0..3)).await;
    converge(&[&nodes[0], &nodes[1]], "t", 3).await;
    nodes[1].ask(json!({"operation": "delete", "database": "data", "table": "t", "ids": [1]})).await;
    nodes[1].ask(json!({"operation": "update", "database": "data", "table": "t", "records": [{"id": 2, "more": [1, null, {"a": true}]}]})).await;
    converge(&[&nodes[0], &nodes[1]], "t", 2).await;
    eventually("the link tells its times", async || {
        let socket = nodes[0].socket("node-2", "data").await.unwrap_or_default();
        socket["connected"] == true
            && socket["latency"].is_number()
            && socket["nodes"] == json!(["node-2"])
            && ["lastCommitConfirmed", "lastReceivedRemoteTime", "lastReceivedLocalTime", "lastSendTime"]
                .iter()
                .all(|time| socket[time].is_string())
    })
    .await;
    nodes.iter_mut().for_each(Node::stop);
}

/// What is committed and not yet sent is sent after the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_before_it_told_others_tells_them_later() {
    const ROUNDS: usize = 50;
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    let before = nodes[1].entries("t").await;
    for round in 0..ROUNDS {
        // A stopped nats-server takes nothing: what is committed now is not told. In the other rounds the end comes at
        // whatever moment, mostly while nats-server is being started.
        if round % 2 == 0 {
            eventually("nats-server runs", async || nodes[0].nats_pid().is_some()).await;
            signal("STOP", nodes[0].nats_pid().unwrap());
        }
        nodes[0].upsert("t", records(round * 5..round * 5 + 5)).await;
        nodes[0].kill();
        nodes[0].start_again();
    }
    converge(&[&nodes[0], &nodes[1]], "t", marks + ROUNDS * 5).await;
    assert_eq!(nodes[1].entries("t").await, before + ROUNDS, "every request is applied once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_nats_server_loses_and_doubles_nothing() {
    const COUNT: usize = 5_000;
    const AT_ONCE: usize = 8;
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    let before = nodes[1].entries("t").await;
    let written = AtomicUsize::new(0);
    let writer = futures_util::stream::iter(0..COUNT).for_each_concurrent(AT_ONCE, async |number| {
        nodes[0].upsert("t", records(number..number + 1)).await;
        written.fetch_add(1, Ordering::Relaxed);
    });
    let killer = async {
        for kill in 1..=3 {
            eventually("some are written", async || written.load(Ordering::Relaxed) >= kill * COUNT / 4)
                .await;
            for node in &nodes {
                let pid = node.nats_pid().unwrap();
                signal("KILL", pid);
                eventually("another one runs", async || node.nats_pid().is_some_and(|next| next != pid))
                    .await;
            }
        }
    };
    tokio::join!(killer, writer);
    converge(&[&nodes[0], &nodes[1]], "t", marks + COUNT).await;
    assert_eq!(nodes[1].entries("t").await, before + COUNT, "every request is applied once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_lost_is_filled_again() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    share_table(&nodes, "t").await;
    write_each(&nodes[0], "t", 0..20).await;
    converge(&[&nodes[0], &nodes[1]], "t", 20).await;
    // Lost as a whole.
    nodes[1].stop();
    write_each(&nodes[0], "t", 20..30).await;
    nodes[0].stop();
    std::fs::remove_dir_all(nodes[0].folder().join("clustering/store")).unwrap();
    nodes.iter_mut().for_each(Node::start_again);
    write_each(&nodes[0], "t", 30..40).await;
    converge(&[&nodes[0], &nodes[1]], "t", 40).await;
    assert_eq!(nodes[1].entries("t").await, 40, "nothing is applied twice");
    // As it was some time ago.
    let (store, kept) = (nodes[0].folder().join("clustering/store"), nodes[0].folder().join("kept"));
    nodes[0].stop();
    copy_folder(&store, &kept);
    nodes[0].start_again();
    write_each(&nodes[0], "t", 40..50).await;
    converge(&[&nodes[0], &nodes[1]], "t", 50).await;
    nodes[0].stop();
    std::fs::remove_dir_all(&store).unwrap();
    copy_folder(&kept, &store);
    nodes[0].start_again();
    write_each(&nodes[0], "t", 50..60).await;
    converge(&[&nodes[0], &nodes[1]], "t", 60).await;
    assert_eq!(nodes[1].entries("t").await, 60, "nothing is applied twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_words_of_a_dead_node_reach_those_who_did_not_hear_them() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(3, &[]).await;
    share_table(&nodes, "t").await;
    nodes[0].upsert("t", records(0..5)).await;
    converge(&[&nodes[0], &nodes[1], &nodes[2]], "t", 5).await;
    let before = nodes[2].entries("t").await;
    link(&nodes[0], &nodes[2], Link::Cut);
    write_each(&nodes[0], "t", 5..25).await;
    converge(&[&nodes[0], &nodes[1]], "t", 25).await;
    nodes[0].kill();
    converge(&[&nodes[1], &nodes[2]], "t", 25).await;
    assert_eq!(nodes[2].entries("t").await, before + 20, "nothing is applied twice");
    let socket = nodes[2].socket("node-2", "data").await.unwrap();
    assert_eq!(socket["nodes"], json!(["node-2", "node-1"]));
    assert_eq!(nodes[2].socket("node-1", "data").await.unwrap()["connected"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_purged_is_copied() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    share_table(&nodes, "t").await;
    nodes[0].upsert("t", records(0..5)).await;
    converge(&[&nodes[0], &nodes[1]], "t", 5).await;
    nodes[1].stop();
    write_each(&nodes[0], "t", 5..15).await;
    nodes[0].ask(json!({"operation": "purge_stream", "database": "data", "table": "t"})).await;
    nodes[1].start_again();
    converge(&[&nodes[0], &nodes[1]], "t", 15).await;
    write_each(&nodes[0], "t", 15..20).await;
    converge(&[&nodes[0], &nodes[1]], "t", 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_transactions_travel_in_parts_and_memory_stays_bounded() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    share_table(&nodes, "t").await;
    let text = "x".repeat(20 << 20);
    nodes[0].upsert("t", json!([{"id": "large", "text": text}])).await;
    let many: Value = (0..3_000).map(|id| json!({"id": id, "text": "y".repeat(3_500)})).collect();
    nodes[0].upsert("t", many).await;
    converge(&[&nodes[0], &nodes[1]], "t", 3_001).await;
    // A reader that takes nothing for a while.
    nodes[1].link_to(&nodes[0], Link::Frozen);
    let text = "z".repeat(1 << 20);
    for id in 0..60 {
        nodes[0].upsert("t", json!([{"id": id, "text": text}])).await;
    }
    nodes[1].link_to(&nodes[0], Link::Open);
    converge(&[&nodes[0], &nodes[1]], "t", 3_001).await;
    for node in &nodes {
        let bytes = resident(node.pid());
        assert!(bytes < 700 << 20, "{} holds {} MB", node.name, bytes >> 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_wait_for_the_confirmations_they_ask_for() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[("OPERATIONSAPI_NETWORK_TIMEOUT", "4000")]).await;
    share_table(&nodes, "t").await;
    let request = |id: usize, count: usize| {
        json!({"operation": "insert", "database": "data", "table": "t", "replicatedConfirmation": count,
            "records": [{"id": id}]})
    };
    nodes[0].ask(request(1, 1)).await;
    assert_eq!(nodes[1].count("t").await, 1, "it is there at once");
    // What can never come is not waited for.
    nodes[0].ask(request(2, 2)).await;
    nodes[1].link_to(&nodes[0], Link::Frozen);
    let refused = nodes[0].try_ask(request(3, 1)).await.unwrap_err();
    assert_eq!(refused.0, 504, "{refused:?}");
    assert_eq!(nodes[0].count("t").await, 3, "the data stay");
    nodes[1].link_to(&nodes[0], Link::Open);
    converge(&[&nodes[0], &nodes[1]], "t", 3).await;
}

/// The server may end, or the node be removed, while a write waits for a node that is down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_do_not_hold_up_the_end() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    share_table(&nodes, "t").await;
    nodes[1].stop();
    let node = &nodes[0];
    let request = |id: usize| {
        json!({"operation": "insert", "database": "data", "table": "t", "replicatedConfirmation": 1,
            "records": [{"id": id}]})
    };
    let ending = async {
        eventually("it is written", async || node.count("t").await == 1).await;
        signal("TERM", node.pid());
    };
    let (answer, ()) = tokio::join!(node.try_ask(request(1)), ending);
    let (status, body) = answer.unwrap_err();
    assert_eq!(status, 504, "{body}");
    nodes[0].restart();
    let node = &nodes[0];
    let removing = async {
        eventually("it is written", async || node.count("t").await == 2).await;
        node.ask(json!({"operation": "remove_node", "hostname": "node-2"})).await;
    };
    tokio::join!(node.ask(request(2)), removing);
}
