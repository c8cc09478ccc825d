//! cluster_network: who is connected to whom.

use super::{Call, Outcome, Reply};
use crate::operations::clustering::routes;
use crate::operations::replicated::other_nodes;
use crate::replication::identity::node_name;
use crate::server::Server;
use crate::value::{Object, Value, object};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the other nodes are waited for unless the request says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is left out of the answer.
#[derive(Clone, Copy)]
struct Omitted {
    connected_nodes: bool,
    routes: bool,
}

/// Tells of this node and of every other that answers in time (REPL-CLUSTER-NETWORK-001).
pub(super) async fn cluster_network(call: Call) -> Outcome {
    let left_out = |name: &str| {
        call.body.get(name).and_then(Value::as_bool) == Some(!fault!("network-switches-ignored"))
    };
    let omitted = Omitted { connected_nodes: left_out("connected_nodes"), routes: left_out("routes") };
    let timeout = call.body.get("timeout").and_then(Value::as_number);
    let patience =
        timeout.map_or(PATIENCE, |timeout| Duration::try_from_secs_f64(timeout / 1000.0).unwrap_or(PATIENCE));
    let server = &call.server;
    let mut nodes = vec![this_node(server, omitted).await?];
    let others = if fault!("network-of-one") { Vec::new() } else { other_nodes(server) };
    let asked = others.iter().map(|node| tokio::time::timeout(patience, other_node(server, node, omitted)));
    nodes.extend(join_all(asked).await.into_iter().filter_map(|answer| answer.ok().flatten()));
    Ok(Reply::Value(object([("nodes", Value::Array(nodes))])))
}

async fn this_node(server: &Arc<Server>, omitted: Omitted) -> Result<Value, crate::error::OperationError> {
    let started = Instant::now();
    let links = server.replication.links();
    let connected: BTreeSet<String> =
        links.into_iter().filter(|link| link.connected).map(|link| link.node).collect();
    let routes = if omitted.routes { Vec::new() } else { routes::stored(server.clone()).await? };
    let connected = connected.into_iter().map(Value::from).collect();
    Ok(entry(&node_name(server), started, omitted, connected, routes))
}

/// What another node says of itself; `None` when it does not answer.
async fn other_node(server: &Arc<Server>, node: &str, omitted: Omitted) -> Option<Value> {
    let ask = |operation: &'static str| {
        let operation = Object::from_iter([("operation".to_owned(), Value::from(operation))]);
        async move { server.replication.call(node, operation).await.ok() }
    };
    let started = Instant::now();
    let status = ask("cluster_status").await?;
    let answered = Instant::now();
    let routes = match omitted.routes {
        true => Vec::new(),
        false => routes::of_answer(ask("cluster_get_routes").await?),
    };
    let connections = status.get("connections").and_then(Value::as_array).unwrap_or_default();
    let connected = connections.iter().filter(|connection| is_connected(connection));
    let connected = connected.filter_map(|connection| connection.get("name").cloned()).collect();
    // What the second question took is not part of the answer's time.
    let started = started + answered.elapsed();
    Some(entry(node, started, omitted, connected, routes))
}

/// True when some database of a connection, as cluster_status tells it, is connected.
fn is_connected(connection: &Value) -> bool {
    let sockets = connection.get("database_sockets").and_then(Value::as_array).unwrap_or_default();
    sockets.iter().any(|socket| socket.get("connected").and_then(Value::as_bool) == Some(true))
}

fn entry(name: &str, started: Instant, omitted: Omitted, connected: Vec<Value>, routes: Vec<Value>) -> Value {
    let time = started.elapsed().as_millis() as f64;
    let mut entry = Object::from_iter([
        ("name".to_owned(), Value::from(name)),
        (
            if fault!("network-without-times") { "time" } else { "response_time" }.to_owned(),
            Value::Number(time),
        ),
    ]);
    if !omitted.connected_nodes {
        entry.insert("connected_nodes".to_owned(), Value::Array(connected));
    }
    if !omitted.routes {
        entry.insert("routes".to_owned(), Value::Array(routes));
    }
    Value::Object(entry)
}
