//! Nodes that do not know where others find them: the hosts that they guess from their names lead nowhere.

use crate::node::{Node, converge, eventually, flowing, nats_is_there};
use crate::routes::all_meet;
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["node-1.invalid", "node-2.invalid", "node-3.invalid"];

/// Where a node takes another to be.
async fn url_of(here: &Node, there: &Node) -> Value {
    let status = here.ask(json!({"operation": "cluster_status"})).await;
    let connections = status["connections"].as_array().cloned().unwrap_or_default();
    connections.into_iter().find(|one| one["name"] == there.name.as_str()).unwrap_or_default()["url"].clone()
}

/// The terms that the row of a node shows.
async fn shown_flow(here: &Node, there: &Node) -> Value {
    let row = json!({"operation": "search_by_id", "database": "system", "table": "hdb_nodes",
        "ids": [there.name], "get_attributes": ["replicates"]});
    here.ask(row).await[0]["replicates"].clone()
}

/// Three nodes where the first adds the second, and that the third: changes flow between all, also when each of them was
/// started again, and where they are is what they were added by.
async fn meet_and_meet_again(mut nodes: [Node; 3], with_name: bool) {
    for (adding, added) in [(0, 1), (1, 2)] {
        let mut request = nodes[added].invitation("password");
        if !with_name {
            request.as_object_mut().unwrap().shift_remove("hostname");
        }
        nodes[adding].ask(request).await;
    }
    all_meet(&nodes).await;
    let mut count = flowing(&[&nodes[0], &nodes[1], &nodes[2]], "t").await;
    for again in 0..nodes.len() {
        nodes[again].restart();
        all_meet(&nodes).await;
        nodes[again].upsert("t", json!([{"id": format!("again {again}")}])).await;
        count += 1;
        converge(&[&nodes[0], &nodes[1], &nodes[2]], "t", count).await;
    }
    for here in &nodes {
        for there in nodes.iter().filter(|there| there.name != here.name) {
            assert_eq!(url_of(here, there).await, json!(there.replication_url()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guess_does_not_replace_the_place_where_a_node_was_found() {
    if !nats_is_there() {
        return;
    }
    let [one, two, three] = NAMES;
    let nodes =
        [Node::start_unplaced(one).await, Node::start_unplaced(two).await, Node::start_unplaced(three).await];
    meet_and_meet_again(nodes, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_with_tls() {
    if !nats_is_there() {
        return;
    }
    let mut nodes = Vec::new();
    for name in NAMES {
        let mut node = Node::secure(name, &[("OPERATIONSAPI_NETWORK_HOST", "0.0.0.0")]).await;
        node.start_again();
        nodes.push(node);
    }
    let Ok(nodes) = nodes.try_into() else { panic!("three nodes") };
    meet_and_meet_again(nodes, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_added_by_its_place_is_found_by_what_the_answer_calls_it() {
    if !nats_is_there() {
        return;
    }
    let nodes = [Node::start_unplaced(NAMES[0]).await, Node::start_unplaced(NAMES[1]).await];
    let add = json!({"operation": "add_node", "url": nodes[1].replication_url(),
        "authorization": {"username": "admin", "password": "password"}});
    let answer = nodes[0].ask(add).await;
    assert_eq!(answer, json!({"message": "Successfully added '127.0.0.1' to cluster"}));
    all_meet(&nodes).await;
    let answer = nodes[0].ask(json!({"operation": "update_node", "hostname": "127.0.0.1", "shard": 3})).await;
    assert_eq!(answer, json!({"message": "Successfully updated '127.0.0.1'"}));
    let status = nodes[0].ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"][0]["name"], NAMES[1]);
    assert_eq!(status["connections"][0]["shard"], 3);
    let flow = json!({"sends": true, "receives": false});
    let change = json!({"operation": "update_node", "hostname": NAMES[1], "replicates": flow});
    assert_eq!(shown_flow(&nodes[0], &nodes[1]).await, json!(true));
    nodes[0].ask(change).await;
    assert_eq!(shown_flow(&nodes[0], &nodes[1]).await, flow);
    // Where there are two of the same host, it tells neither.
    let third = Node::start_unplaced(NAMES[2]).await;
    let mut add = third.invitation("password");
    add.as_object_mut().unwrap().shift_remove("hostname");
    let answer = nodes[0].ask(add).await;
    assert_eq!(answer, json!({"message": format!("Successfully added '{}' to cluster", NAMES[2])}));
    let remove = |name: &str| json!({"operation": "remove_node", "hostname": name});
    assert_eq!(nodes[0].try_ask(remove("127.0.0.1")).await.unwrap_err().0, 404);
    nodes[0].ask(remove(NAMES[2])).await;
    let answer = nodes[0].ask(remove("127.0.0.1")).await;
    assert_eq!(answer, json!({"message": "Successfully removed '127.0.0.1' from cluster"}));
    let status = nodes[0].ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"], json!([]));
}

/// What a server says that is set up for a cluster and has no others yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_alone_in_a_cluster_answers_as_a_part_of_one() {
    for node in [Node::start_unplaced(NAMES[0]).await, Node::start_old("node-1").await] {
        let table = json!({"operation": "create_table", "database": "data", "table": "t", "primary_key": "id",
            "residence": ["*"]});
        node.ask(table).await;
        let drop = json!({"operation": "drop_table", "database": "data", "table": "t", "replicated": true});
        let answer = node.ask(drop).await;
        assert_eq!(answer["message"], "successfully deleted table 'data.t'");
        assert_eq!(answer["replicated"], json!([]));
        let describe = json!({"operation": "describe_table", "database": "system", "table": "hdb_nodes"});
        let described = node.ask(describe).await;
        let attributes = described["attributes"].as_array().cloned().unwrap_or_default();
        for name in ["name", "subscriptions", "system_info", "url", "routes", "revoked_certificates", "shard"]
        {
            assert!(attributes.iter().any(|one| one["attribute"] == name), "{name} in {described}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_services_are_restarted_where_clustering_is_as_of_old() {
    if !nats_is_there() {
        return;
    }
    let (old, new) = (Node::start_old("node-1").await, Node::start_unplaced(NAMES[0]).await);
    let restart = |service: &str| json!({"operation": "restart_service", "service": service});
    for service in ["clustering", "clustering_config"] {
        let refused = new.try_ask(restart(service)).await.unwrap_err();
        assert_eq!(refused, (400, json!({"error": "Invalid service"})));
        let answer = old.ask(restart(service)).await;
        assert_eq!(answer["message"], format!("Restarting {service}"));
        let job = json!({"operation": "get_job", "id": answer["job_id"]});
        eventually("it is done", async || {
            old.try_ask(job.clone()).await.is_ok_and(|job| job[0]["status"] == "COMPLETE")
        })
        .await;
    }
    assert_eq!(old.try_ask(restart("hub")).await.unwrap_err().0, 400);
}
