//! What is done all the time: ending what is not allowed any more, telling members what is new, connecting along
//! routes.

use super::identify::is_revoked;
use super::join::{self, NodeRequest};
use super::{LinkError, handshake, leave, members};
use crate::replication::nodes::book::{Book, created_of};
use crate::replication::nodes::{Link, edit, watch};
use crate::server::Server;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often members talk to each other when nothing has changed.
const PERIOD: Duration = Duration::from_secs(3);

/// How long one talk may take, so that those with others come soon.
const TALKING: Duration = Duration::from_secs(4);

/// Begins.
pub(super) fn begin(server: &Arc<Server>) {
    server.replication.link.tasks.spawn(run(Arc::downgrade(server)));
}

async fn run(server: Weak<Server>) {
    let Some(strong) = server.upgrade() else { return };
    let mut changes = watch(&strong);
    if let Err(error) = announce_self(&strong).await {
        tracing::error!("where this node is could not be stored: {error}");
    }
    drop(strong);
    let mut period = tokio::time::interval(PERIOD);
    period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = changes.changed() => {}
            _ = period.tick() => {}
        }
        let Some(server) = server.upgrade() else { return };
        changes.borrow_and_update();
        sweep(&server);
        bury(&server).await;
        follow_routes(&server).await;
        talk(&server).await;
    }
}

fn names(server: &Arc<Server>) -> BTreeSet<String> {
    server.replication.link.nodes.current().iter().map(|node| node.name.clone()).collect()
}

/// Stores where this node is when it is elsewhere than before, so that the others learn of it.
async fn announce_self(server: &Arc<Server>) -> Result<(), crate::error::OperationError> {
    let own = server.replication.link.identity.name();
    let (place, shard) = (handshake::own_place(server), server.config.replication.shard);
    if !Book::read(&server.store)?.rows.contains_key(&own) {
        return Ok(());
    }
    edit(server, move |book| book.announce(&own, &place, shard, None)).await
}

/// Ends the connections of nodes that are known no more, and those whose certificate was revoked.
pub(super) fn sweep(server: &Arc<Server>) {
    let link = &server.replication.link;
    let known = names(server);
    link.pipes.close(|pipe| {
        !known.contains(&pipe.node) || pipe.serial.as_ref().is_some_and(|serial| is_revoked(server, serial))
    });
}

/// Rows that somebody deleted by hand are removals like any other: of them only the link is left. Those inserted by hand
/// get one.
async fn bury(server: &Arc<Server>) {
    let own = server.replication.link.identity.name();
    let change = move |book: &mut Book| {
        let is_gone =
            |(name, link): &(&String, &Link)| link.removed.is_none() && !book.rows.contains_key(*name);
        let gone: Vec<String> = book.links.iter().filter(is_gone).map(|(name, _)| name.clone()).collect();
        let untrusted: Vec<String> = gone.iter().flat_map(|name| book.remove(name, book.now)).collect();
        for name in book.rows.keys().filter(|name| **name != own) {
            book.links.entry(name.clone()).or_default();
        }
        untrusted
    };
    // Most of the time there is nothing to write.
    let Ok(before) = Book::read(&server.store) else { return };
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return;
    }
    let buried = match edit(server, change).await {
        Ok(untrusted) => leave::after(server, untrusted).await,
        Err(error) => Err(error),
    };
    if let Err(error) = buried {
        tracing::error!("the removal of a node could not be stored: {error}");
    }
}

/// Connects to the nodes of `replication.routes` that are not known yet.
async fn follow_routes(server: &Arc<Server>) {
    let routes = &server.config.replication.routes;
    if routes.is_empty() {
        return;
    }
    let Ok(book) = Book::read(&server.store) else { return };
    for route in routes {
        let own = server.replication.link.identity.name();
        let url = server.config.replication.url_of_route(route);
        let here = book.place(&own, &handshake::own_place(server));
        let is_there = |name: &String, known: Option<&String>| *name == route.name || known == Some(&url);
        let nodes = server.replication.link.nodes.current();
        let is_known = nodes.iter().any(|node| is_there(&node.name, node.url.as_ref()));
        let is_removed =
            book.links.iter().any(|(name, link)| link.removed.is_some() && is_there(name, link.url.as_ref()));
        if route.name == own && route.url.is_none() || here.as_ref() == Some(&url) || is_known || is_removed {
            continue;
        }
        let request = NodeRequest::of_route(server, route);
        if let Err(error) = join::add(server, request).await {
            tracing::debug!("no way along the route to {}: {error}", route.name);
        }
    }
}

/// Whether something happened since this node came into the cluster, and agreed with another what flows.
fn is_since(server: &Arc<Server>, name: &str, time: f64) -> bool {
    let Ok(book) = Book::read(&server.store) else { return false };
    let came = book.rows.get(&server.replication.link.identity.name()).and_then(created_of);
    let agreed = book.links.get(name).map(|link| link.agreed);
    came.into_iter().chain(agreed).all(|moment| moment < time)
}

/// Tells all other nodes what is known here.
async fn talk(server: &Arc<Server>) {
    let nodes = server.replication.link.nodes.current();
    let talks = nodes.iter().map(|node| async move {
        let talked = tokio::time::timeout(TALKING, members::talk(server, node)).await;
        match talked.unwrap_or_else(|_| Err(LinkError::new("it did not answer in time"))) {
            // Who has just come back may meet somebody who has not heard of that.
            Err(error) if error.removed.is_some_and(|at| is_since(server, &node.name, at)) => {
                tracing::warn!("node '{}' has removed this node", node.name);
                let forgotten = leave::forget(server, |other| other.name == node.name).await;
                if let Err(error) = forgotten {
                    tracing::error!("that could not be stored: {error}");
                }
            }
            Err(error) => tracing::debug!("node '{}' was not told what is new: {error}", node.name),
            Ok(()) => {}
        }
    });
    join_all(talks).await;
}
