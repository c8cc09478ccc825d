//! Changing what is known of a node and agreed on with it.

use super::join::NodeRequest;
use super::members;
use crate::config::node_url;
use crate::error::OperationError;
use crate::replication::nodes::book::Facts;
use crate::replication::nodes::{Link, NodeRecord, edit, merge_subscriptions};
use crate::server::Server;
use std::sync::Arc;
use std::time::Duration;

/// How long the other node is waited for; what it does not hear now it is told later.
const TELLING: Duration = Duration::from_secs(3);

/// Merges what a request says into what is known of a node, and tells the node.
///
/// # Errors
/// When the request's URL is none, or the change cannot be stored.
pub async fn update(
    server: &Arc<Server>,
    node: &NodeRecord,
    request: &NodeRequest,
) -> Result<(), OperationError> {
    if request.url.as_deref().is_some_and(|url| node_url(url).is_none()) {
        return Err(OperationError::invalid("'url' must be a ws:// or wss:// URL"));
    }
    let (name, request) = (node.name.clone(), request.clone());
    edit(server, move |book| {
        let mut facts = book.rows.get(&name).map(Facts::of).unwrap_or_default();
        let mut link = book.links.get(&name).cloned().unwrap_or_default();
        if let Some(serials) = &request.revoked_certificates {
            facts.revoked_certificates.clone_from(serials);
        }
        facts.shard = request.shard.or(facts.shard);
        link.url = request.url.clone().or(link.url);
        if let Some(new) = &request.subscriptions {
            if fault!("subscriptions-replaced") {
                link.subscriptions = None;
            }
            merge_subscriptions(link.subscriptions.get_or_insert_default(), new.clone());
        }
        link.flow = request.replicates.unwrap_or(link.flow);
        link.start_time = request.start_time.or(link.start_time);
        link.is_leader = request.is_leader.unwrap_or(link.is_leader);
        if request.retain_authorization {
            link.authorization = request.authorization.clone().or(link.authorization);
        }
        let before = book.links.get(&name).cloned().unwrap_or_default();
        let terms = |link: &Link| (link.subscriptions.clone(), link.flow, link.start_time);
        if terms(&before) != terms(&link) {
            link.agreed = book.now.max(before.agreed + 1.0);
        }
        book.know(&name, &facts, Some(link));
    })
    .await?;
    super::upkeep::sweep(server);
    if let Some(node) = server.replication.link.nodes.find(&node.name) {
        match tokio::time::timeout(TELLING, members::talk(server, &node)).await {
            Ok(Err(error)) => tracing::debug!("node '{}' was not told of its change: {error}", node.name),
            Err(_) => tracing::debug!("node '{}' did not answer in time", node.name),
            Ok(Ok(())) => {}
        }
    }
    Ok(())
}
