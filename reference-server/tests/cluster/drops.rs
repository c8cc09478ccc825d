//! Tables and databases that are dropped while others write to them.

use crate::node::{Node, cluster, converge, eventually, flowing, nats_is_there};
use crate::proxy::Link;
use serde_json::json;
use std::time::Duration;

async fn has_table(node: &Node, table: &str) -> bool {
    node.try_ask(json!({"operation": "describe_table", "database": "data", "table": table})).await.is_ok()
}

/// What was written before a table was dropped does not bring it back, however late it arrives; what is written later
/// does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_write_does_not_bring_a_dropped_table_back() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let pair = [&nodes[0], &nodes[1]];
    let other = flowing(&pair, "other").await;
    flowing(&pair, "t").await;
    nodes[1].link_to(&nodes[0], Link::Frozen);
    nodes[0].upsert("t", json!([{"id": "under way"}])).await;
    nodes[1].ask(json!({"operation": "drop_table", "database": "data", "table": "t"})).await;
    nodes[1].link_to(&nodes[0], Link::Open);
    nodes[0].upsert("other", json!([{"id": "behind it"}])).await;
    converge(&pair, "other", other + 1).await;
    let describe = json!({"operation": "describe_table", "database": "data", "table": "t"});
    assert_eq!(nodes[1].try_ask(describe).await.unwrap_err().0, 404);
    nodes[0].upsert("t", json!([{"id": "later"}])).await;
    eventually("what is later has come", async || nodes[1].count("t").await == 1).await;
    assert_eq!(nodes[1].records("t").await[0]["id"], "later");
}

/// A node writes after a table was dropped on another and before the drop has come to it: that is later, and stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_a_drop_meets_on_its_way_is_the_same_everywhere() {
    const DELAY: Duration = Duration::from_millis(1_500);
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(3, &[]).await;
    let all: Vec<&Node> = nodes.iter().collect();
    flowing(&all, "t").await;
    let count = flowing(&all, "u").await;
    nodes[0].upsert("t", json!([{"id": "old", "was": "there"}, {"id": "older"}])).await;
    eventually("it has come", async || {
        nodes[1].records("t").await.len() == nodes[0].records("t").await.len()
    })
    .await;
    nodes[0].link_to(&nodes[1], Link::Delayed(DELAY));
    let drop = |table: &str| json!({"operation": "drop_table", "database": "data", "table": table, "replicated": true});
    let writing = async {
        eventually("it is gone here", async || !has_table(&nodes[0], "t").await).await;
        nodes[1].upsert("t", json!([{"id": "new"}])).await;
        let update = json!({"operation": "update", "database": "data", "table": "t",
            "records": [{"id": "old", "is": "changed"}]});
        nodes[1].ask(update).await;
    };
    let (answer, ()) = tokio::join!(nodes[0].ask(drop("t")), writing);
    assert!(
        answer["replicated"].as_array().unwrap().iter().all(|one| one["message"].is_string()),
        "{answer}"
    );
    nodes[0].link_to(&nodes[1], Link::Open);
    converge(&all, "t", 2).await;
    let found = nodes[2].records("t").await;
    assert_eq!(found[0]["id"], "new");
    assert_eq!((&found[1]["was"], &found[1]["is"]), (&json!("there"), &json!("changed")));
    // It goes on from there, and nothing later is lost on the way.
    nodes[2].upsert("t", json!([{"id": "next"}])).await;
    converge(&all, "t", 3).await;
    // What nobody writes to is gone everywhere.
    converge(&all, "u", count).await;
    nodes[0].ask(drop("u")).await;
    for node in &nodes {
        assert!(!has_table(node, "u").await, "{}", node.name);
    }
}

/// What is made after a drop is later, also where the clock is behind that of the node that was asked to drop. As the
/// other test of clocks it needs the feature `faults`.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_wrong_do_not_make_a_new_table_older_than_a_drop() {
    if !nats_is_there() {
        return;
    }
    let nodes = [
        Node::start("node-1", &[("HDB_TEST_CLOCK_OFFSET_MS", "20000")]).await,
        Node::start("node-2", &[]).await,
    ];
    nodes[0].join(&nodes[1]).await;
    let pair = [&nodes[0], &nodes[1]];
    flowing(&pair, "t").await;
    let attributes = json!([{"name": "id"}, {"name": "declared"}]);
    let described = async |node: &Node| {
        let request = json!({"operation": "describe_table", "database": "data", "table": "t"});
        node.try_ask(request).await.is_ok_and(|table| table["attributes"].to_string().contains("declared"))
    };
    for drop in [
        json!({"operation": "drop_table", "database": "data", "table": "t", "replicated": true}),
        json!({"operation": "drop_database", "database": "data", "replicated": true}),
    ] {
        let answer = nodes[0].ask(drop).await;
        assert!(answer["replicated"][0]["message"].is_string(), "{answer}");
        let made = json!({"operation": "create_table", "database": "data", "table": "t", "primary_key": "id",
            "attributes": attributes});
        nodes[1].ask(made).await;
        nodes[1].upsert("t", json!([{"id": 1}, {"id": 2}])).await;
        converge(&pair, "t", 2).await;
        eventually("it is the same table", async || described(&nodes[0]).await).await;
    }
}

/// A database that was dropped and is made anew has nothing of what another node still has of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_write_does_not_bring_a_dropped_database_back() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let pair = [&nodes[0], &nodes[1]];
    flowing(&pair, "t").await;
    nodes[1].link_to(&nodes[0], Link::Frozen);
    nodes[0].upsert("t", json!([{"id": "under way"}])).await;
    nodes[1].ask(json!({"operation": "drop_database", "database": "data"})).await;
    nodes[1].link_to(&nodes[0], Link::Open);
    nodes[0].ask(json!({"operation": "create_database", "database": "other"})).await;
    let has = async |database: &str| {
        nodes[1].try_ask(json!({"operation": "describe_database", "database": database})).await.is_ok()
    };
    eventually("what is behind it has come", async || has("other").await).await;
    assert!(!has("data").await);
    nodes[1].ask(json!({"operation": "create_database", "database": "data"})).await;
    nodes[1].create_table("t").await;
    nodes[1].upsert("t", json!([{"id": "new"}])).await;
    eventually("it flows again", async || nodes[1].is_connected(&nodes[0], "data").await).await;
    nodes[0].upsert("t", json!([{"id": "later"}])).await;
    eventually("what is later has come", async || {
        nodes[1].records("t").await.iter().any(|one| one["id"] == "later")
    })
    .await;
    let ids: Vec<_> = nodes[1].records("t").await.into_iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, ["later", "new"]);
}
