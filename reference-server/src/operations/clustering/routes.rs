//! The routes of the configuration file: where other nodes can be reached. They count from the next start on.
//!
//! Before 4.4 there were two lists, of the hub server and of the leaf server; a request that names one of them means it.

use crate::config::{Backup, ConfigError, Document, at};
use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};
use crate::server::Server;
use crate::value::{Object, Value, object};
use std::sync::Arc;

const ROUTES: &[&str] = &["replication", "routes"];
const HUB: &[&str] = &["clustering", "hubServer", "cluster", "network", "routes"];
const LEAF: &[&str] = &["clustering", "leafServer", "network", "routes"];

/// Adds routes; those that are there already stay as they are (CLUSTER-CLUSTER-SET-ROUTES-001 to 004).
pub(super) async fn cluster_set_routes(call: Call) -> Outcome {
    let list = match call.body.get("server").and_then(Value::as_str) {
        Some("hub") => HUB,
        Some("leaf") => LEAF,
        _ => ROUTES,
    };
    change(call, "cluster routes successfully set", "set", move |document, sent| {
        let mut routes = routes_in(document.tree(), list);
        if fault!("routes-replaced") {
            routes.clear();
        }
        let (set, skipped) = sent.into_iter().partition(|route| {
            let is_new = fault!("routes-set-twice") || !routes.iter().any(|known| is_same(known, route));
            if is_new {
                routes.push(route.clone());
            }
            is_new
        });
        document.set(list, Value::Array(routes));
        (set, skipped)
    })
    .await
}

/// Removes routes from whatever list they are in (CLUSTER-CLUSTER-DELETE-ROUTES-001 to 003).
pub(super) async fn cluster_delete_routes(call: Call) -> Outcome {
    change(call, "cluster routes successfully deleted", "deleted", |document, sent| {
        let mut deleted = Vec::new();
        let mut skipped = Vec::new();
        for route in sent {
            let mut found = false;
            for list in [ROUTES, HUB, LEAF] {
                let mut routes = routes_in(document.tree(), list);
                let before = routes.len();
                routes.retain(|known| !is_same(known, &route) && !fault!("all-routes-deleted"));
                if routes.len() < before {
                    found = true;
                    if fault!("routes-not-deleted") {
                        continue;
                    }
                    document.set(list, Value::Array(routes));
                }
            }
            if found { &mut deleted } else { &mut skipped }.push(route);
        }
        if fault!("deleted-routes-told-as-skipped") { (skipped, deleted) } else { (deleted, skipped) }
    })
    .await
}

/// Tells the routes of the file, whether or not they count yet (CLUSTER-CLUSTER-GET-ROUTES-001).
pub(super) async fn cluster_get_routes(call: Call) -> Outcome {
    let tree = read(call.server.clone()).await?;
    if !(call.server.config.is_legacy_cluster() || fault!("routes-in-lists-of-old")) {
        return Ok(Reply::Value(Value::Array(routes_in(&tree, ROUTES))));
    }
    let list = |list| Value::Array(routes_in(&tree, list));
    Ok(Reply::Value(object([("hub", list(HUB)), ("leaf", list(LEAF))])))
}

/// The routes of the configuration file; those of the hub server in the form before 4.4.
pub(crate) async fn stored(server: Arc<Server>) -> Result<Vec<Value>, OperationError> {
    let list = if server.config.is_legacy_cluster() { HUB } else { ROUTES };
    Ok(routes_in(&read(server).await?, list))
}

/// The same from another node's answer to cluster_get_routes.
pub(crate) fn of_answer(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(routes) => routes,
        Value::Object(mut lists) => lists.shift_remove("hub").map(of_answer).unwrap_or_default(),
        _ => Vec::new(),
    }
}

async fn read(server: Arc<Server>) -> Result<Object, OperationError> {
    let reading = tokio::task::spawn_blocking(move || server.config_file.read());
    Ok(reading.await.map_err(OperationError::internal)??.tree().clone())
}

/// Changes the file by the routes of a request, and tells which of them did what.
async fn change(
    call: Call,
    message: &'static str,
    done: &'static str,
    work: impl FnOnce(&mut Document, Vec<Value>) -> (Vec<Value>, Vec<Value>) + Send + 'static,
) -> Outcome {
    let sent = call.body.get("routes").and_then(Value::as_array).unwrap_or_default();
    let sent: Vec<Value> = sent.iter().cloned().map(with_numeric_port).collect();
    let changing = tokio::task::spawn_blocking(move || {
        let file = &call.server.config_file;
        file.change(Backup::Keep, |document| Ok::<_, ConfigError>(work(document, sent)))
    });
    let (changed, skipped) = changing.await.map_err(OperationError::internal)??;
    Ok(Reply::Value(object([
        ("message", Value::from(message)),
        (done, Value::Array(changed)),
        ("skipped", Value::Array(skipped)),
    ])))
}

fn routes_in(tree: &Object, list: &[&str]) -> Vec<Value> {
    at(tree, list).and_then(Value::as_array).unwrap_or_default().to_vec()
}

/// A port may be sent as text.
fn with_numeric_port(mut route: Value) -> Value {
    if let Value::Object(members) = &mut route
        && !fault!("route-ports-stay-texts")
        && let Some(port) = members.get_mut("port")
        && let Some(number) = port.as_str().and_then(|text| text.trim().parse::<f64>().ok())
    {
        *port = Value::Number(number);
    }
    route
}

/// True when two routes lead to the same place: equal texts, or equal hosts and ports.
fn is_same(one: &Value, other: &Value) -> bool {
    fn place(route: &Value) -> Option<(&Value, Option<&Value>)> {
        let host = route.get("hostname").or_else(|| route.get("host"))?;
        Some((host, route.get("port").filter(|port| !port.is_null())))
    }
    one == other || place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
}

#[cfg(test)]
mod tests {
    use crate::operations::testing::Instance;
    use serde_json::{Value as Json, json};

    async fn ask(instance: &Instance, request: Json) -> Json {
        serde_json::from_str(&instance.admin(&request.to_string()).await).unwrap()
    }

    #[tokio::test]
    async fn routes_are_added_once_and_removed() {
        let instance = Instance::new().await;
        let get = json!({"operation": "cluster_get_routes"});
        assert_eq!(ask(&instance, get.clone()).await, json!([]));
        let first = json!(["wss://b:9933", {"hostname": "c", "port": "99", "shard": 2}, {"host": "d"}]);
        let set = ask(&instance, json!({"operation": "cluster_set_routes", "routes": first})).await;
        let stored = json!(["wss://b:9933", {"hostname": "c", "port": 99, "shard": 2}, {"host": "d"}]);
        assert_eq!(set, json!({"message": "cluster routes successfully set", "set": stored, "skipped": []}));
        assert_eq!(ask(&instance, get.clone()).await, stored);
        let again = json!([{"host": "c", "port": 99}, {"hostname": "c", "port": 98}, "wss://b:9933", "b"]);
        let set = ask(&instance, json!({"operation": "cluster_set_routes", "routes": again})).await;
        assert_eq!(set["set"], json!([{"hostname": "c", "port": 98}, "b"]));
        assert_eq!(set["skipped"], json!([{"host": "c", "port": 99}, "wss://b:9933"]));
        let gone = json!(["b", {"host": "d"}, "nobody"]);
        let deleted = ask(&instance, json!({"operation": "cluster_delete_routes", "routes": gone})).await;
        let expected = json!({"message": "cluster routes successfully deleted", "deleted": ["b", {"host": "d"}],
            "skipped": ["nobody"]});
        assert_eq!(deleted, expected);
        let left =
            json!(["wss://b:9933", {"hostname": "c", "port": 99, "shard": 2}, {"hostname": "c", "port": 98}]);
        assert_eq!(ask(&instance, get).await, left);
        let file = std::fs::read_to_string(instance.server.config_file.path()).unwrap();
        assert!(file.contains("wss://b:9933"), "{file}");
    }

    #[tokio::test]
    async fn the_two_lists_of_old_are_kept_apart() {
        let instance = Instance::new().await;
        for (server, port) in [("hub", 9932), ("leaf", 9931)] {
            let request = json!({"operation": "cluster_set_routes", "server": server,
                "routes": [{"host": "b", "port": port}]});
            assert_eq!(ask(&instance, request).await["set"], json!([{"host": "b", "port": port}]));
        }
        let gone = json!([{"host": "b", "port": 9931}]);
        let deleted = ask(&instance, json!({"operation": "cluster_delete_routes", "routes": gone})).await;
        assert_eq!(deleted["deleted"], gone);
        let tree = instance.server.config_file.read().unwrap();
        let lists = [super::HUB, super::LEAF].map(|list| super::routes_in(tree.tree(), list).len());
        assert_eq!(lists, [1, 0]);
    }

    #[tokio::test]
    async fn what_is_no_route_is_refused() {
        let instance = Instance::new().await;
        let types = "'routes' does not match any of the allowed types";
        for (routes, message) in [
            (json!("b"), "'routes' must be one of [array]"),
            (json!({"host": "b"}), "'routes' must be one of [array]"),
            (json!(null), "'routes' is required"),
            (json!([5]), types),
            (json!([""]), types),
            (json!([{"port": 1}]), types),
            (json!([{"hostname": ""}]), types),
            (json!([{"hostname": 5}]), types),
            (json!([{"host": "b", "port": -1}]), types),
            (json!([{"host": "b", "port": {}}]), types),
        ] {
            for operation in ["cluster_set_routes", "cluster_delete_routes"] {
                let answer = ask(&instance, json!({"operation": operation, "routes": routes})).await;
                assert_eq!(answer, json!({"error": message}), "{operation} {routes}");
            }
        }
    }
}
