//! configure_cluster.

use crate::operations::{Call, Outcome, Reply};
use crate::replication::link::{self, Contact, NodeRequest};
use crate::value::{Object, Value};
use std::collections::BTreeSet;

/// Replaces all nodes by those given (CLUSTER-CONFIGURE-CLUSTER-002).
pub(super) async fn configure_cluster(call: Call) -> Outcome {
    let server = &call.server;
    let nodes = &server.replication.link.nodes;
    let _turn = server.replication.link.turn.lock().await;
    let given = call.body.get("connections").and_then(Value::as_array).unwrap_or_default();
    // Whom nobody can reach is found out before anything is changed.
    let mut contacts = Vec::new();
    let is_passed_over =
        |connection: &&Object| fault!("old-connections-passed-over") && connection.contains_key("node_name");
    for connection in given.iter().filter_map(Value::as_object).filter(|one| !is_passed_over(one)) {
        contacts.push(Contact::make(server, NodeRequest::read(connection)).await?);
    }
    if contacts.is_empty() {
        link::leave(server).await?;
    }
    let kept: BTreeSet<&str> = contacts.iter().map(Contact::name).collect();
    for node in nodes.current().iter().filter(|node| !kept.contains(node.name.as_str())) {
        link::remove(server, node).await?;
    }
    for contact in &contacts {
        contact.join(server, None).await?;
    }
    let end = if fault!("configured-message") { "" } else { "." };
    Ok(Reply::Message(format!("Cluster successfully configured{end}")))
}
