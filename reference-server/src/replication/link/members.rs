//! What members of a cluster tell each other of all of them, and of what the two have agreed on.

use super::LinkError;
use super::dial::{Target, post};
use super::handshake::{message, read_terms, terms_for_other};
use super::identify::Refusal;
use crate::error::OperationError;
use crate::replication::nodes::book::Book;
use crate::replication::nodes::{Entry, Link, NodeRecord, edit, merge, tell};
use crate::server::Server;
use crate::value::{Object, Value};
use std::sync::Arc;

/// Answers what another node tells with what is known here.
pub(super) async fn answer(
    server: &Arc<Server>,
    node: &NodeRecord,
    message: &Object,
) -> Result<Value, Refusal> {
    let terms = read_terms(message.get("terms"));
    agree(server, &node.name, &terms).await?;
    Ok(exchange(server, node, &Value::Object(message.clone())).await?)
}

/// Tells a node what is known here, and takes up what it knows.
pub(super) async fn talk(server: &Arc<Server>, node: &NodeRecord) -> Result<(), LinkError> {
    let target = Target::of(server, node)?;
    let mut said = message("members", []);
    said.extend(told(server, node).await?);
    let answer = post(server, &target, &said).await?;
    agree(server, &node.name, &read_terms(answer.get("terms"))).await?;
    take_up(server, node, &answer).await?;
    Ok(())
}

/// Takes up what a node tells, and says what is known here.
pub(super) async fn exchange(
    server: &Arc<Server>,
    node: &NodeRecord,
    message: &Value,
) -> Result<Value, OperationError> {
    take_up(server, node, message).await?;
    Ok(Value::Object(told(server, node).await?))
}

/// What a node is told: the terms that were agreed on with it, and all members when it is one.
pub(super) async fn told(server: &Arc<Server>, node: &NodeRecord) -> Result<Object, OperationError> {
    let book = Book { now: now(), ..Book::read(&server.store)? };
    let mut said = Object::new();
    if let Some(link) = book.links.get(&node.name) {
        said.insert("terms".to_owned(), terms_for_other(link));
    }
    if node.is_member() {
        let mut entries = tell(&book);
        for entry in entries.iter_mut().filter(|entry| entry.facts.is_some()) {
            entry.authorities = authorities_of(server, &book, &entry.name).await?;
        }
        let entries: Vec<Value> = entries.iter().map(Entry::to_value).collect();
        said.insert("members".to_owned(), entries.into());
    }
    Ok(said)
}

/// What a node tells of others.
pub(super) fn entries(told: &Value) -> Vec<Entry> {
    let entries = told.get("members").and_then(Value::as_array).unwrap_or_default();
    entries.iter().filter_map(Entry::read).collect()
}

/// Takes up what a member tells of others.
pub(super) async fn take_up(
    server: &Arc<Server>,
    node: &NodeRecord,
    told: &Value,
) -> Result<(), OperationError> {
    let entries = entries(told);
    if entries.is_empty() || !node.is_member() {
        return Ok(());
    }
    let own = server.replication.link.identity.name();
    // Most of the time nothing is new, and then nothing needs to be written.
    let mut book = Book::read(&server.store)?;
    let before = book.clone();
    merge(&mut book, &own, &entries);
    if book != before {
        let untrusted = edit(server, {
            let (entries, name) = (entries.clone(), node.name.clone());
            // The node may have been removed since it was asked.
            move |book| match book.rows.contains_key(&name) {
                true => merge(book, &own, &entries),
                false => Vec::new(),
            }
        });
        super::leave::after(server, untrusted.await?).await?;
    }
    for entry in entries.iter().filter(|entry| !entry.authorities.is_empty()) {
        if server.replication.link.nodes.find(&entry.name).is_some() {
            trust(server, &entry.name, &entry.authorities, None).await?;
        }
    }
    Ok(())
}

/// Recognises a node by what authorities vouch for, and keeps the certificate that it has signed for this one.
pub(super) async fn trust(
    server: &Arc<Server>,
    name: &str,
    authorities: &[String],
    signed: Option<&str>,
) -> Result<(), OperationError> {
    let certificates = &server.certificates;
    let mut names = certificates.trust(&server.store, authorities).await?;
    if let Some(signed) = signed {
        let own = server.replication.link.identity.name();
        match certificates.keep_signed(&server.store, &own, signed).await {
            Ok(kept) => names.push(kept),
            Err(error) => {
                tracing::warn!("the certificate that node '{name}' has signed is not kept: {error}")
            }
        }
    }
    let book = Book::read(&server.store)?;
    let known = book.links.get(name).map(|link| link.certificates.as_slice()).unwrap_or_default();
    if names.iter().all(|name| known.contains(name)) {
        return Ok(());
    }
    let name = name.to_owned();
    edit(server, move |book| {
        let Some(link) = book.links.get_mut(&name) else { return };
        for one in &names {
            if !link.certificates.contains(one) {
                link.certificates.push(one.clone());
            }
        }
    })
    .await
}

/// The certificates of the authorities that vouch for a node, as PEM. Where there is no TLS nobody needs them.
async fn authorities_of(
    server: &Arc<Server>,
    book: &Book,
    name: &str,
) -> Result<Vec<String>, OperationError> {
    let link = &server.replication.link;
    if name == link.identity.name() {
        let has_tls = link.addresses().1.is_some();
        return Ok(if has_tls {
            link.tls.offer(server).await?.proof.authorities.clone()
        } else {
            Vec::new()
        });
    }
    let names = book.links.get(name).map(|link| link.certificates.as_slice()).unwrap_or_default();
    server.certificates.authorities_named(&server.store, names)
}

/// Takes up the terms of another node when they were agreed on later than those that are known here.
async fn agree(server: &Arc<Server>, name: &str, terms: &Link) -> Result<(), OperationError> {
    let is_newer = |book: &Book| {
        let known = book.links.get(name).filter(|link| link.removed.is_none());
        known.map_or(0.0, |link| link.agreed) < terms.agreed && book.rows.contains_key(name)
    };
    let before = Book::read(&server.store)?;
    if !is_newer(&before) {
        return Ok(());
    }
    if before
        .links
        .get(name)
        .is_some_and(|known| known.flow != terms.flow || known.subscriptions != terms.subscriptions)
    {
        tracing::warn!(node = name, "the node has changed what flows between it and this one");
    }
    let (name, terms) = (name.to_owned(), terms.clone());
    edit(server, move |book| {
        let known = book.links.get(&name).cloned().unwrap_or_default();
        if known.agreed >= terms.agreed || !book.rows.contains_key(&name) {
            return;
        }
        let link = Link {
            subscriptions: terms.subscriptions.clone(),
            flow: terms.flow,
            start_time: terms.start_time,
            legacy: terms.legacy,
            agreed: terms.agreed,
            ..known
        };
        book.agree(&name, link);
    })
    .await
}

fn now() -> f64 {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64() * 1000.0
}
