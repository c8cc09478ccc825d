//! How nodes part.

use super::dial::{Target, post};
use super::handshake::message;
use crate::error::OperationError;
use crate::replication::nodes::book::Book;
use crate::replication::nodes::{NodeRecord, edit};
use crate::server::Server;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// How long a node is waited for that is told of the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// Removes a node here and tells it and all members.
///
/// # Errors
/// When that cannot be stored. That the node cannot be reached is no error.
pub async fn remove(server: &Arc<Server>, node: &NodeRecord) -> Result<(), OperationError> {
    // It has to be found before it is forgotten.
    let target = Target::of(server, node).ok();
    let (name, own) = (node.name.clone(), server.replication.link.identity.name());
    let untrusted = edit(server, move |book| {
        let certificates = book.remove(&name, book.now);
        book.tidy(&own);
        certificates
    });
    after(server, untrusted.await?).await?;
    if let Some(target) = target {
        let farewell = message("removed", []);
        let told = tokio::time::timeout(FAREWELL, post(server, &target, &farewell)).await;
        if fault!("down-nodes-not-removed") && !matches!(told, Ok(Ok(_))) {
            return Err(OperationError::fault(format!("node '{}' does not answer", node.name)));
        }
    }
    Ok(())
}

/// Leaves the cluster: all other nodes are told that this one is gone, and are not known here any more.
///
/// # Errors
/// When that cannot be stored.
pub async fn leave(server: &Arc<Server>) -> Result<(), OperationError> {
    let nodes = server.replication.link.nodes.current();
    let farewells = nodes.iter().filter_map(|node| {
        let target = Target::of(server, node).ok()?;
        Some(async move {
            let farewell = message("leave", []);
            let _ = tokio::time::timeout(FAREWELL, post(server, &target, &farewell)).await;
        })
    });
    join_all(farewells).await;
    forget(server, |_| true).await
}

/// Another node has left.
pub(super) async fn left(server: &Arc<Server>, name: &str) -> Result<(), OperationError> {
    let (name, own) = (name.to_owned(), server.replication.link.identity.name());
    tracing::info!("node '{name}' has left");
    let untrusted = edit(server, move |book| {
        let certificates = book.remove(&name, book.now);
        book.tidy(&own);
        certificates
    });
    after(server, untrusted.await?).await
}

/// Another node has removed this one. A member speaks for the whole cluster.
pub(super) async fn removed_by(server: &Arc<Server>, name: &str) -> Result<(), OperationError> {
    tracing::warn!("node '{name}' has removed this node");
    let by_member = server.replication.link.nodes.find(name).is_some_and(|node| node.is_member());
    let name = name.to_owned();
    forget(server, move |node| node.name == name || (by_member && node.is_member())).await
}

/// Forgets nodes, without telling others of it.
pub(super) async fn forget(
    server: &Arc<Server>,
    unwanted: impl Fn(&NodeRecord) -> bool,
) -> Result<(), OperationError> {
    let link = &server.replication.link;
    let names: Vec<String> =
        link.nodes.current().iter().filter(|node| unwanted(node)).map(|node| node.name.clone()).collect();
    let own = link.identity.name();
    let untrusted = edit(server, move |book| {
        let certificates: Vec<String> = names.iter().flat_map(|name| book.forget(name)).collect();
        book.tidy(&own);
        certificates
    });
    after(server, untrusted.await?).await
}

/// Ends what was allowed to nodes that are known no more.
pub(super) async fn after(server: &Arc<Server>, untrusted: Vec<String>) -> Result<(), OperationError> {
    super::upkeep::sweep(server);
    if untrusted.is_empty() {
        return Ok(());
    }
    // Others may be vouched for by the same authority.
    let book = Book::read(&server.store)?;
    let is_used = |name: &String| book.links.values().any(|link| link.certificates.contains(name));
    let unused = untrusted.into_iter().filter(|name| !is_used(name)).collect();
    server.certificates.distrust(&server.store, unused).await
}
