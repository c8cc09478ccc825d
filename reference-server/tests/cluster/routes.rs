//! Nodes that find each other by routes.

use crate::node::{Node, converge, eventually, flowing, nats_is_there, rows};
use serde_json::{Value, json};

/// Waits until all nodes read from each other.
pub async fn all_meet(nodes: &[Node]) {
    for here in nodes {
        for there in nodes.iter().filter(|there| there.name != here.name) {
            eventually("they meet", async || here.is_connected(there, "system").await).await;
        }
    }
}

async fn names(node: &Node) -> Vec<String> {
    let rows = rows(node).await;
    let names = rows.as_array().into_iter().flatten().filter_map(|row| row["name"].as_str());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_count_from_the_next_start_on() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = Vec::new();
    for name in ["node-1", "node-2", "node-3"] {
        nodes.push(Node::start(name, &[("LOGGING_LEVEL", "debug")]).await);
    }
    nodes[0].set_routes(json!([nodes[1].route()])).await;
    nodes[1].set_routes(json!([nodes[0].route(), nodes[2].replication_url()])).await;
    nodes[2].set_routes(json!([nodes[1].replication_url(), "ws://127.0.0.1:1"])).await;
    let gone = json!({"operation": "cluster_delete_routes", "routes": ["ws://127.0.0.1:1"]});
    assert_eq!(nodes[2].ask(gone).await["deleted"], json!(["ws://127.0.0.1:1"]));
    for node in &nodes {
        assert_eq!(rows(node).await, json!([]), "nothing has happened yet");
    }
    nodes.iter_mut().for_each(Node::restart);
    // The first and the last know each other through the one between.
    all_meet(&nodes).await;
    let count = flowing(&nodes.iter().collect::<Vec<_>>(), "t").await;
    // Who is known stays so without a route.
    let routes = nodes[1].ask(json!({"operation": "cluster_get_routes"})).await;
    nodes[1].ask(json!({"operation": "cluster_delete_routes", "routes": routes})).await;
    nodes[1].restart();
    nodes[0].upsert("t", json!([{"id": "later"}])).await;
    converge(&nodes.iter().collect::<Vec<_>>(), "t", count + 1).await;
    // Who was removed is not let in by a route.
    nodes[1].ask(json!({"operation": "remove_node", "hostname": "node-3"})).await;
    for (node, left) in nodes.iter().zip([vec!["node-1", "node-2"], vec!["node-1", "node-2"], vec![]]) {
        eventually("all know of it", async || names(node).await == left).await;
    }
    let before = nodes[2].logged("node 'node-3' was removed here");
    nodes[2].restart();
    eventually("it has tried", async || nodes[2].logged("node 'node-3' was removed here") > before).await;
    assert_eq!(names(&nodes[1]).await, ["node-1", "node-2"]);
    let status: Value = nodes[2].ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"], json!([]));
}
