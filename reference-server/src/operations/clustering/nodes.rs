//! add_node, update_node, remove_node, set_node_replication.

use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};
use crate::replication::identity::node_name;
use crate::replication::link::{self, Contact, NodeRequest};

/// Whether a request is answered in the words before 4.4.
fn is_older(request: &NodeRequest) -> bool {
    request.legacy && !fault!("old-form-as-new")
}

/// Makes this node and another known to each other (CLUSTER-ADD-NODE-001).
pub(super) async fn add_node(call: Call) -> Outcome {
    let request = NodeRequest::read(&call.body);
    let _turn = call.server.replication.link.turn.lock().await;
    let whither = if is_older(&request) { "manifest" } else { "cluster" };
    let contact = Contact::make(&call.server, request).await?;
    contact.join(&call.server, None).await?;
    let name = contact.shown_name(&call.server);
    let done = if fault!("added-message") { "Added" } else { "Successfully added" };
    Ok(Reply::Message(format!("{done} '{name}' to {whither}")))
}

/// Changes what is known of a node and agreed on with it; an unknown one is added (CLUSTER-UPDATE-NODE-002, 004).
pub(super) async fn update_node(call: Call) -> Outcome {
    let request = NodeRequest::read(&call.body);
    let _turn = call.server.replication.link.turn.lock().await;
    let name = match fault!("updated-names-itself") {
        true => node_name(&call.server),
        false => request.shown_name(),
    };
    if fault!("updates-need-subscriptions") && request.subscriptions.is_none() {
        return Err(OperationError::invalid("'subscriptions' is required"));
    }
    let done = match request.legacy {
        false if fault!("updated-message") => "Updated",
        true if fault!("replication-set-message") => "Set",
        _ => "Successfully updated",
    };
    update(&call, request).await?;
    Ok(Reply::Message(format!("{done} '{name}'")))
}

/// As update_node, in the form before 4.4 (REPL-SET-NODE-REPLICATION-001).
pub(super) async fn set_node_replication(call: Call) -> Outcome {
    update_node(call).await
}

async fn update(call: &Call, request: NodeRequest) -> Result<(), OperationError> {
    let server = &call.server;
    match request.meant(&server.replication.link.nodes.current()) {
        Some(node) => link::update(server, &node, &request).await,
        None if fault!("unknown-nodes-not-added") => Err(unknown(&request.shown_name())),
        None => Contact::make(server, request).await?.join(server, None).await,
    }
}

fn unknown(name: &str) -> OperationError {
    OperationError::not_found(format!("Node '{name}' does not exist"))
}

/// Removes a node, whether or not it can be reached (CLUSTER-REMOVE-NODE-002, 003).
pub(super) async fn remove_node(call: Call) -> Outcome {
    let request = NodeRequest::read(&call.body);
    let link = &call.server.replication.link;
    let _turn = link.turn.lock().await;
    let name = request.shown_name();
    let found = request.meant(&link.nodes.current());
    let found = found.filter(|_| call.body.contains_key("hostname") || !fault!("removed-by-hostname-only"));
    let node = found.ok_or_else(|| unknown(&name))?;
    if !fault!("node-not-removed") {
        link::remove(&call.server, &node).await?;
    }
    let whence = if is_older(&request) { "manifest" } else { "cluster" };
    let done = if fault!("removed-message") { "Removed" } else { "Successfully removed" };
    Ok(Reply::Message(format!("{done} '{name}' from {whence}")))
}
