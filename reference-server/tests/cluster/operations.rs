//! The operations of clustering as real nodes take them: what flows between two of them, which way and since when, and
//! that neither reads more than that.

use crate::node::{Node, cluster, converge, eventually, flowing, nats_is_there};
use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, pull},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn tables(flows: &[(&str, bool, bool)]) -> Value {
    let one = |(table, publish, subscribe): &(&str, bool, bool)| json!({"database": "data", "table": table, "publish": publish, "subscribe": subscribe});
    flows.iter().map(one).collect()
}

/// Two nodes with these tables, a record of its own in each, that do not know each other.
async fn strangers(tables: &[&str], settings: &[(&str, &str)]) -> [Node; 2] {
    let nodes = [Node::start("node-1", settings).await, Node::start("node-2", settings).await];
    for node in &nodes {
        for table in tables {
            node.create_table(table).await;
            node.upsert(table, json!([{"id": format!("of {}", node.name)}])).await;
        }
    }
    nodes
}

/// What nodes stand for under subjects.
fn digest(name: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_flow_the_way_that_was_agreed_on() {
    if !nats_is_there() {
        return;
    }
    let [one, other] = strangers(&["out", "in", "both", "none", "late"], &[]).await;
    let terms =
        tables(&[("out", true, false), ("in", false, true), ("both", true, true), ("none", false, false)]);
    one.add(&other, json!({"subscriptions": terms})).await;
    // What was there before is copied, where it flows.
    converge(&[&one, &other], "both", 2).await;
    eventually("copies have come", async || other.count("out").await == 2 && one.count("in").await == 2)
        .await;
    for node in [&one, &other] {
        for table in ["out", "in", "both", "none", "late"] {
            node.upsert(table, json!([{"id": format!("later of {}", node.name)}])).await;
        }
    }
    converge(&[&one, &other], "both", 4).await;
    eventually("changes have come", async || other.count("out").await == 4 && one.count("in").await == 4)
        .await;
    // Another table from now on, and one no more; the others stay as they are.
    let terms = tables(&[("late", true, false), ("out", false, false)]);
    one.ask(json!({"operation": "update_node", "hostname": "node-2", "subscriptions": terms})).await;
    eventually("the copy has come", async || other.count("late").await == 4).await;
    one.upsert("out", json!([{"id": "last"}])).await;
    one.upsert("both", json!([{"id": "last"}])).await;
    converge(&[&one, &other], "both", 5).await;
    let counts = async |node: &Node| {
        let mut counts = Vec::new();
        for table in ["out", "in", "none", "late"] {
            counts.push(node.count(table).await);
        }
        counts
    };
    assert_eq!(counts(&one).await, [3, 4, 2, 2]);
    assert_eq!(counts(&other).await, [4, 2, 2, 4]);
    let status = other.ask(json!({"operation": "cluster_status"})).await;
    let shown = tables(&[
        ("out", false, false),
        ("in", true, false),
        ("both", true, true),
        ("none", false, false),
        ("late", false, true),
    ]);
    assert_eq!(status["connections"][0]["subscriptions"], shown, "the mirror image");
    assert_eq!(status["connections"][0]["replicateByDefault"], json!(false));
    // Who is sent single tables runs nothing else here.
    let drop = json!({"operation": "drop_table", "database": "data", "table": "none", "replicated": true});
    let answer = one.ask(drop).await;
    let reason = "node 'node-1' may not run 'drop_table' here, as only some tables, or none, are sent to it";
    let failed = json!([{"status": "failed", "reason": reason, "node": "node-2"}]);
    assert_eq!(answer["replicated"], failed);
    assert_eq!(other.count("none").await, 2);
}

/// A node that asks for more than was agreed on gets it from nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_more_than_is_published() {
    if !nats_is_there() {
        return;
    }
    let [one, other] = strangers(&["open", "secret"], &[]).await;
    one.add(&other, json!({"subscriptions": tables(&[("open", true, false), ("secret", false, true)])}))
        .await;
    eventually("what is open has come", async || other.count("open").await == 2).await;
    // What node-2 would do if it did not keep to the terms: log in as it may, and look further.
    let question = reqwest::Client::new().post(one.front()).header("x-node-name", "node-2");
    let credentials: Value =
        question.json(&json!({"type": "credentials"})).send().await.unwrap().json().await.unwrap();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let refused: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = refused.clone();
    let options = async_nats::ConnectOptions::with_user_and_password(text("user"), text("password"))
        .custom_inbox_prefix(format!("_INBOX.{}", digest("node-2")))
        .event_callback(move |event| {
            heard.lock().unwrap().push(event.to_string());
            std::future::ready(())
        });
    let client = options.connect(one.nats_address()).await.unwrap();
    let (data, here, there) = (digest("data"), digest("node-1"), digest("node-2"));
    let all = format!("HDB_{here}_{data}");
    let own = format!("{all}_{there}");
    let context = jetstream::new(client.clone());
    let reading = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
    let made = context.create_consumer_on_stream(reading, &own).await;
    // Its stream holds the open table, and no word of the other.
    let mut messages = made.unwrap().batch().max_messages(2).messages().await.unwrap();
    for _ in 0..2 {
        let message = messages.next().await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        assert!(text.contains("open") && !text.contains("secret"), "{text}");
    }
    let ask = |word: &str, asker: &str| format!("hdb.{word}.{here}.{asker}");
    let forbidden = [
        format!("$JS.API.CONSUMER.CREATE.{all}"),
        format!("$JS.API.STREAM.INFO.{all}"),
        format!("$JS.API.STREAM.PURGE.{own}"),
        ask("op", &digest("node-3")),
        ask("copy", &digest("node-3")),
    ];
    for subject in &forbidden {
        client.publish_with_reply(subject.clone(), client.new_inbox(), "{}".into()).await.unwrap();
    }
    client.subscribe("_INBOX.>").await.unwrap();
    client.subscribe("h.>").await.unwrap();
    client.flush().await.unwrap();
    eventually("all of it is refused", async || refused.lock().unwrap().len() >= forbidden.len() + 2).await;
    // An operation of another would be run with all rights.
    let body = b"\x00\x82\xa9operation\xa3sql\xa3sql\xb9SELECT * FROM data.secret";
    let answer = client.request(ask("op", &there), body.as_slice().into()).await.unwrap();
    let answer = String::from_utf8_lossy(&answer.payload).into_owned();
    assert!(answer.contains("may not run 'sql' here"), "{answer}");
    let body = b"\x81\xa8database\xa6system";
    // The answer leads to a place where the reason is told.
    let place = client.request(ask("copy", &there), body.as_slice().into()).await.unwrap();
    let place = String::from_utf8_lossy(&place.payload).into_owned();
    let answer = client.request(place, "".into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains("may not read it"), "{answer:?}");
    // Who is known no more is cut off.
    one.ask(json!({"operation": "remove_node", "hostname": "node-2"})).await;
    eventually("it is cut off", async || {
        refused.lock().unwrap().iter().any(|event| event.contains("disconnected"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_flow_one_way_where_only_that_is_asked_for() {
    if !nats_is_there() {
        return;
    }
    let [one, other] = strangers(&["t"], &[]).await;
    one.add(&other, json!({"replicates": {"sends": true, "receives": false}})).await;
    eventually("it is sent", async || other.count("t").await == 2).await;
    assert_eq!(one.count("t").await, 1);
    // The other way round.
    let turned = json!({"sends": false, "receives": true});
    one.ask(json!({"operation": "update_node", "hostname": "node-2", "replicates": turned})).await;
    eventually("it is received", async || one.count("t").await == 2).await;
    one.upsert("t", json!([{"id": "kept"}])).await;
    other.upsert("t", json!([{"id": "told"}])).await;
    eventually("the other's changes come", async || one.count("t").await == 4).await;
    assert_eq!(other.count("t").await, 3);
    let status = other.ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"][0]["replicates"], json!({"sends": true, "receives": false}));
    // Not at all, and then both ways.
    one.ask(json!({"operation": "update_node", "hostname": "node-2", "replicates": false})).await;
    let status = one.ask(json!({"operation": "cluster_status"})).await;
    assert_eq!(status["connections"][0]["replicates"], json!({"sends": false, "receives": false}));
    one.ask(json!({"operation": "update_node", "hostname": "node-2", "replicates": true})).await;
    converge(&[&one, &other], "t", 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_time_takes_the_place_of_the_copy() {
    if !nats_is_there() {
        return;
    }
    let [one, other] = strangers(&["t"], &[]).await;
    let seam = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    eventually("the clock goes on", async || chrono::Utc::now().to_rfc3339() > seam).await;
    for node in [&one, &other] {
        node.upsert("t", json!([{"id": format!("since by {}", node.name)}])).await;
    }
    one.add(&other, json!({"start_time": seam})).await;
    let both = async |count: usize| {
        eventually("what was written since has come", async || {
            one.count("t").await == count && other.count("t").await == count
        })
        .await;
    };
    both(3).await;
    for node in [&one, &other] {
        node.upsert("t", json!([{"id": format!("now by {}", node.name)}])).await;
    }
    both(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_of_old_exchanges_what_is_yet_to_come() {
    if !nats_is_there() {
        return;
    }
    let [one, other] = [Node::start_old("node-1").await, Node::start("node-2", &[]).await];
    for node in [&one, &other] {
        node.create_table("t").await;
        node.create_table("u").await;
        for table in ["t", "u"] {
            node.upsert(table, json!([{"id": format!("of {}", node.name)}])).await;
        }
    }
    // The nodes find each other as they do by routes.
    let flow = |table: &str| json!({"schema": "data", "table": table, "publish": true, "subscribe": true});
    let old = |operation: &str, table: &str| json!({"operation": operation, "node_name": "node-2", "subscriptions": [flow(table)]});
    assert_eq!(
        one.add(&other, old("add_node", "t")).await,
        json!({"message": "Successfully added 'node-2' to manifest"})
    );
    for node in [&one, &other] {
        node.upsert("t", json!([{"id": format!("later of {}", node.name)}])).await;
    }
    eventually("what is new has come", async || one.count("t").await == 3 && other.count("t").await == 3)
        .await;
    let updated = one.ask(old("update_node", "u")).await;
    assert_eq!(updated, json!({"message": "Successfully updated 'node-2'"}));
    for node in [&one, &other] {
        node.upsert("u", json!([{"id": format!("later of {}", node.name)}])).await;
    }
    eventually("another table has come", async || one.count("u").await == 3 && other.count("u").await == 3)
        .await;
    let status = one.ask(json!({"operation": "cluster_status"})).await;
    let connection = &status["connections"][0];
    assert_eq!(status["node_name"], "node-1");
    assert_eq!(
        (&connection["node_name"], &connection["status"]),
        (&json!("node-2"), &json!("open")),
        "{status}"
    );
    assert_eq!(connection["subscriptions"].as_array().map(Vec::len), Some(2), "{connection}");
    assert!(connection["ports"]["clustering"].is_u64(), "{connection}");
    assert!(connection["ports"]["operations_api"].is_u64(), "{connection}");
    for member in ["hdb_version", "node_version", "platform"] {
        assert!(connection["system_info"][member].is_string(), "{connection}");
    }
    let network = one.ask(json!({"operation": "cluster_network"})).await;
    let names: Vec<&Value> = network["nodes"].as_array().unwrap().iter().map(|node| &node["name"]).collect();
    assert_eq!(names, [&json!("node-1"), &json!("node-2")], "{network}");
    // All that there was is replaced.
    let only = json!({"operation": "configure_cluster",
        "connections": [{"node_name": "node-2", "subscriptions": [flow("u")]}]});
    assert_eq!(one.ask(only).await, json!({"message": "Cluster successfully configured."}));
    let status = other.ask(json!({"operation": "cluster_status"})).await;
    let subscriptions = status["connections"][0]["subscriptions"].as_array().cloned().unwrap_or_default();
    assert_eq!(subscriptions.iter().map(|one| one["table"].clone()).collect::<Vec<_>>(), ["u"]);
    let gone = one.ask(json!({"operation": "remove_node", "node_name": "node-2"})).await;
    assert_eq!(gone, json!({"message": "Successfully removed 'node-2' from manifest"}));
    for node in [&one, &other] {
        eventually("nobody is left", async || {
            node.ask(json!({"operation": "cluster_status"})).await["connections"] == json!([])
        })
        .await;
    }
}

/// Who comes back meets members that have not heard of it, and does not take that for another removal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_is_a_member_again_when_it_is_added() {
    if !nats_is_there() {
        return;
    }
    let nodes = cluster(3, &[]).await;
    let all: Vec<&Node> = nodes.iter().collect();
    let count = flowing(&all, "t").await;
    nodes[0].ask(json!({"operation": "remove_node", "hostname": "node-3"})).await;
    eventually("it is told", async || {
        nodes[2].ask(json!({"operation": "cluster_status"})).await["connections"] == json!([])
    })
    .await;
    nodes[0].upsert("t", json!([{"id": "missed"}])).await;
    nodes[2].upsert("t", json!([{"id": "alone"}])).await;
    nodes[0].join(&nodes[2]).await;
    converge(&all, "t", count + 2).await;
}
