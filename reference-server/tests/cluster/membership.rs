//! Nodes that come and go, and operations that all of them are told.

use crate::node::{Node, cluster, converge, eventually, nats_is_there};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_while_others_write_misses_nothing() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    nodes[0].create_table("t").await;
    nodes[0].upsert("t", (0..2_000).map(|id| json!({"id": id, "text": "x".repeat(200)})).collect()).await;
    converge(&[&nodes[0], &nodes[1]], "t", 2_000).await;
    let newcomer = Node::start("node-3", &[]).await;
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(2_000));
    let writing = async {
        while !stop.load(Ordering::Relaxed) {
            let id = written.fetch_add(1, Ordering::Relaxed);
            // Records that the copy may or may not have by then, and new ones.
            nodes[0].upsert("t", json!([{"id": id}, {"id": id % 2_000, "last": id}])).await;
        }
    };
    let joining = async {
        nodes[1].join(&newcomer).await;
        eventually("the copy has come", async || newcomer.count("t").await > 2_000).await;
        let seam = written.load(Ordering::Relaxed);
        eventually("more is written", async || written.load(Ordering::Relaxed) > seam + 50).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(writing, joining);
    let count = written.load(Ordering::Relaxed);
    converge(&[&nodes[0], &nodes[1], &newcomer], "t", count).await;
    // It takes part, and those who were there come to know it.
    newcomer.upsert("t", json!([{"id": "new"}])).await;
    nodes.push(newcomer);
    converge(&nodes.iter().collect::<Vec<_>>(), "t", count + 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_while_it_was_down_stays_out() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = cluster(2, &[]).await;
    nodes[0].create_table("t").await;
    nodes[0].upsert("t", json!([{"id": 1}])).await;
    converge(&[&nodes[0], &nodes[1]], "t", 1).await;
    nodes[1].stop();
    nodes[0].ask(json!({"operation": "remove_node", "hostname": "node-2"})).await;
    nodes[0].upsert("t", json!([{"id": 2}])).await;
    nodes[1].start_again();
    nodes[1].upsert("t", json!([{"id": 3}])).await;
    // It tries to connect and learns that it does not belong any more.
    eventually("it is told", async || {
        let status = nodes[1].ask(json!({"operation": "cluster_status"})).await;
        let sockets = status["connections"].as_array().into_iter().flatten();
        sockets
            .flat_map(|one| one["database_sockets"].as_array().cloned().unwrap_or_default())
            .all(|socket| socket["connected"] == false)
    })
    .await;
    let status = nodes[0].ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"], json!([]), "it is not readmitted");
    assert_eq!((nodes[0].count("t").await, nodes[1].count("t").await), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_drop_the_same_table_everywhere_do_so_once() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    nodes[0].create_table("t").await;
    nodes[0].upsert("t", json!([{"id": 1}])).await;
    converge(&[&nodes[0], &nodes[1]], "t", 1).await;
    let request = json!({"operation": "drop_table", "database": "data", "table": "t", "replicated": true});
    let (one, other) = tokio::join!(nodes[0].try_ask(request.clone()), nodes[1].try_ask(request));
    let done = [&one, &other].into_iter().filter(|answer| answer.is_ok()).count();
    assert!(done >= 1, "{one:?} {other:?}");
    for answer in [one, other].into_iter().flatten() {
        assert_eq!(answer["replicated"].as_array().map(Vec::len), Some(1), "{answer}");
    }
    eventually("it is gone", async || {
        let mut gone = true;
        for node in &nodes {
            let request = json!({"operation": "describe_table", "database": "data", "table": "t"});
            gone &= node.try_ask(request).await.is_err();
        }
        gone
    })
    .await;
    // It can be made again, and nothing of the old one comes back.
    nodes[1].create_table("t").await;
    nodes[1].upsert("t", json!([{"id": 2}])).await;
    converge(&[&nodes[0], &nodes[1]], "t", 1).await;
    assert_eq!(nodes[0].records("t").await[0]["id"], json!(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_roles_are_known_everywhere() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(2, &[]).await;
    let role = json!({"operation": "add_role", "role": "reader", "permission": {"super_user": false}});
    let role = nodes[0].ask(role).await;
    nodes[0].ask(json!({"operation": "add_user", "username": "kim", "password": "p", "role": "reader", "active": true})).await;
    let users = async |node: &Node| node.ask(json!({"operation": "list_users"})).await;
    eventually("the user has come", async || {
        users(&nodes[1])
            .await
            .as_array()
            .is_some_and(|users| users.iter().any(|user| user["username"] == "kim"))
    })
    .await;
    nodes[1].ask(json!({"operation": "drop_user", "username": "kim"})).await;
    nodes[1].ask(json!({"operation": "drop_role", "id": role["id"]})).await;
    eventually("the user is gone", async || {
        let roles: Value = nodes[0].ask(json!({"operation": "list_roles"})).await;
        let is_there =
            roles.as_array().is_some_and(|roles| roles.iter().any(|role| role["role"] == "reader"));
        !is_there && !users(&nodes[0]).await.to_string().contains("kim")
    })
    .await;
}
