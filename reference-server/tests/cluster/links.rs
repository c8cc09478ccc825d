//! Links that are cut in one direction, frozen, slow, or break again and again.

use crate::engine::write_each;
use crate::node::{DETECTION, Node, cluster, converge, eventually, flowing, link, nats_is_there, within};
use crate::proxy::Link;
use serde_json::{Value, json};
use std::time::Duration;

async fn is_connected(here: &Node, there: &Node) -> Option<bool> {
    here.socket(&there.name, "data").await?["connected"].as_bool()
}

async fn notices(here: &Node, there: &Node) {
    within(DETECTION, "the link is down", async || is_connected(here, there).await == Some(false)).await;
}

async fn recovers(here: &Node, there: &Node) {
    eventually("the link is up", async || is_connected(here, there).await == Some(true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_in_one_direction_holds_up_that_direction_only() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    nodes[1].link_to(&nodes[0], Link::Cut);
    notices(&nodes[1], &nodes[0]).await;
    write_each(&nodes[0], "t", 0..20).await;
    write_each(&nodes[1], "t", 100..120).await;
    eventually("the other direction flows", async || nodes[0].count("t").await == marks + 40).await;
    assert_eq!(nodes[1].count("t").await, marks + 20);
    nodes[1].link_to(&nodes[0], Link::Open);
    converge(&[&nodes[0], &nodes[1]], "t", marks + 40).await;
    recovers(&nodes[1], &nodes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_link_is_noticed_and_catches_up() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    link(&nodes[0], &nodes[1], Link::Frozen);
    // Writes are answered before it is noticed, and after.
    tokio::join!(
        write_each(&nodes[0], "t", 0..15),
        write_each(&nodes[1], "t", 30..45),
        notices(&nodes[0], &nodes[1]),
        notices(&nodes[1], &nodes[0]),
    );
    write_each(&nodes[0], "t", 15..30).await;
    write_each(&nodes[1], "t", 45..60).await;
    assert_eq!((nodes[0].count("t").await, nodes[1].count("t").await), (marks + 30, marks + 30));
    link(&nodes[0], &nodes[1], Link::Open);
    converge(&[&nodes[0], &nodes[1]], "t", marks + 60).await;
    recovers(&nodes[0], &nodes[1]).await;
    recovers(&nodes[1], &nodes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_link_is_no_broken_one() {
    const DELAY: Duration = Duration::from_millis(400);
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[("LOGGING_LEVEL", "warn")]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    let lost = || nodes.iter().map(|node| node.logged("there is no connection")).sum::<usize>();
    let before = lost();
    link(&nodes[0], &nodes[1], Link::Delayed(DELAY));
    for round in 0..10 {
        write_each(&nodes[0], "t", round * 10..round * 10 + 5).await;
        write_each(&nodes[1], "t", round * 10 + 5..round * 10 + 10).await;
    }
    converge(&[&nodes[0], &nodes[1]], "t", marks + 100).await;
    eventually("the latency tells it", async || {
        let socket = nodes[0].socket("node-2", "data").await.unwrap_or_default();
        socket["connected"] == true && socket["latency"].as_f64() >= Some(2.0 * DELAY.as_millis() as f64)
    })
    .await;
    assert_eq!(lost(), before, "the connections have stayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_break_again_and_again_bring_everything_in_the_end() {
    const BYTES: u64 = 200 << 10;
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[("LOGGING_LEVEL", "warn")]).await;
    let marks = flowing(&[&nodes[0], &nodes[1]], "t").await;
    let before = nodes[1].entries("t").await;
    link(&nodes[0], &nodes[1], Link::DropAfter(BYTES));
    let lost = nodes[1].logged("there is no connection");
    for id in 0..60 {
        nodes[0].upsert("t", json!([{"id": id, "text": "x".repeat(10 << 10)}])).await;
    }
    converge(&[&nodes[0], &nodes[1]], "t", marks + 60).await;
    assert!(nodes[1].logged("there is no connection") > lost, "it has broken");
    assert_eq!(nodes[1].entries("t").await, before + 60, "every request is applied once");
    let text: Value = nodes[1].records("t").await[0]["text"].clone();
    assert!(text.is_null() || text.as_str().is_some_and(|text| text.len() == 10 << 10));
}
