//! The messages by which nodes get to know each other, as they are answered.

use super::identify::{Origin, Refusal, Who, is_at, judge};
use super::members;
use crate::certificates::records::texts;
use crate::config::{Flow, SecurePort, host_of, node_url};
use crate::error::OperationError;
use crate::replication::nodes::book::{Book, Facts, Place};
use crate::replication::nodes::{Link, Subscription, edit, is_name, merge};
use crate::server::Server;
use crate::value::{Object, Value};
use hyper::header::HeaderMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A message of a kind.
pub(super) fn message<const N: usize>(kind: &str, members: [(&str, Value); N]) -> Object {
    let kind = std::iter::once(("type", Value::from(kind)));
    kind.chain(members).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Answers a message of another node.
pub(super) async fn answer(
    server: &Arc<Server>,
    origin: &Origin,
    headers: &HeaderMap,
    message: &Object,
) -> Result<Value, Refusal> {
    let who = judge(server, origin, headers).await?;
    match message.get("type").and_then(Value::as_str).unwrap_or_default() {
        "hello" => {
            who.may_join()?;
            let usable = server.replication.check().await;
            usable.map_err(|error| Refusal::unavailable(format!("{error:#}")))?;
            Ok(Value::Object(introduction(server)?))
        }
        "join" => {
            who.may_join()?;
            join(server, origin, &who, message).await
        }
        "credentials" => credentials(server, &who.known()?.name).await,
        "members" => members::answer(server, who.known()?, message).await,
        "leave" => {
            let name = who.known()?.name.clone();
            super::leave::left(server, &name).await?;
            Ok(Value::Null)
        }
        "removed" => {
            let name = who.known()?.name.clone();
            super::leave::removed_by(server, &name).await?;
            Ok(Value::Null)
        }
        _ => Err(Refusal::invalid("there is no such message")),
    }
}

/// What a node says of itself.
///
/// # Errors
/// When what is known of it cannot be read.
pub(super) fn introduction(server: &Arc<Server>) -> Result<Object, OperationError> {
    let identity = &server.replication.link.identity;
    let place = own_place(server);
    let book = Book::read(&server.store)?;
    let url = book.place(&identity.name(), &place);
    let members = [
        ("name", Value::String(identity.name())),
        ("unnamed", Value::Bool(identity.is_unnamed())),
        ("instance", Value::from(identity.instance.as_str())),
        ("url", url.map_or(Value::Null, Value::String)),
        ("derived", Value::Bool(place.is_guess)),
        ("found", Value::Bool(book.rows.contains_key(&identity.name()))),
        ("shard", server.config.replication.shard.map_or(Value::Null, |shard| Value::Number(shard.into()))),
    ];
    Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// How others reach this node as far as it knows itself.
pub(super) fn own_place(server: &Arc<Server>) -> Place {
    let settings = &server.config.replication;
    let place = |url: String, is_guess| Place { url: Some(url), is_guess };
    if let Some(url) = &settings.url {
        return place(url.clone(), false);
    }
    let (plain, secure) = server.replication.link.addresses();
    let (scheme, address) = match (plain, secure) {
        (_, Some(address)) if matches!(settings.secure_port, SecurePort::Given(_)) => ("wss", address),
        (Some(address), _) => ("ws", address),
        (None, Some(address)) => ("wss", address),
        _ => return Place { url: None, is_guess: true },
    };
    let bound = address.ip();
    if bound.is_unspecified() {
        let name = server.replication.link.identity.name();
        let host = if name.contains(':') && !name.starts_with('[') { format!("[{name}]") } else { name };
        return place(format!("{scheme}://{host}:{}", address.port()), true);
    }
    place(format!("{scheme}://{address}"), false)
}

/// What another node says of itself.
pub(super) struct Announced {
    /// What all members are to know.
    pub(super) facts: Facts,
    /// Where it seems to be instead: its URL is one that nobody has configured, with a host that is not the one which
    /// the connection leads to.
    pub(super) elsewhere: Option<String>,
    /// Whether its URL is known to others already, who may reach it there.
    pub(super) is_found: bool,
}

impl Announced {
    /// What a node has said that is connected with an address.
    pub(super) async fn read(introduced: &Value, address: Option<IpAddr>) -> Announced {
        let is_true = |name: &str| introduced.get(name) == Some(&Value::Bool(true));
        let mut facts = introduced.as_object().map(Facts::of).unwrap_or_default();
        facts.revoked_certificates.clear();
        let parsed = facts.url.as_deref().and_then(node_url);
        facts.url = facts.url.filter(|_| parsed.is_some());
        let elsewhere = match (parsed, address) {
            (Some(url), Some(address))
                if is_true("derived") && !is_at(Some(&host_of(&url)), address).await =>
            {
                let place = SocketAddr::new(address, url.port_or_known_default().unwrap_or_default());
                Some(format!("{}://{place}", url.scheme()))
            }
            _ => None,
        };
        Announced { facts, elsewhere, is_found: is_true("found") }
    }

    /// What is to be kept of it by a node that reaches it at a place, and whether that is the affair of this node alone.
    pub(super) fn reached_at(self, place: Option<String>) -> (Facts, Option<String>) {
        match self.elsewhere {
            Some(_) if self.is_found => (self.facts, place),
            Some(_) => (Facts { url: place, ..self.facts }, None),
            None => (self.facts, None),
        }
    }
}

/// Makes a node known here that wants to be, on the terms it names.
async fn join(server: &Arc<Server>, origin: &Origin, who: &Who, message: &Object) -> Result<Value, Refusal> {
    let link = &server.replication.link;
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let introduced = message.get("node").cloned().unwrap_or_default();
    let name = introduced.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !is_name(&name) {
        return Err(Refusal::invalid(format!("'{name}' is no name of a node")));
    }
    if !who.is_super_user && who.name.as_ref() != Some(&name) {
        return Err(Refusal::forbidden("nodes may only make themselves known"));
    }
    let instance = introduced.get("instance").and_then(Value::as_str).map(str::to_owned);
    if instance.as_deref() == Some(link.identity.instance.as_str()) {
        return Err(Refusal::invalid("A node cannot be added to itself"));
    }
    let called = text("call_you").filter(|name| is_name(name));
    let called = called.filter(|_| link.identity.is_unnamed() && link.nodes.current().is_empty());
    let own = called.clone().unwrap_or_else(|| link.identity.name());
    if name == own {
        return Err(Refusal::invalid(format!("both nodes are called '{name}': set replication.hostname")));
    }
    let announced = Announced::read(&introduced, Some(origin.address)).await;
    let seen = announced.elsewhere.clone();
    let (facts, mut pinned) = announced.reached_at(seen);
    if let Some(known) = link.nodes.find(&name)
        && is_at(known.host().as_deref(), origin.address).await
    {
        pinned = None;
    }
    let terms = read_terms(message.get("terms"));
    let (place, shard) = (own_place(server), server.config.replication.shard);
    let seen_at = text("you_are_at").filter(|url| node_url(url).is_some());
    let told = Value::Object(message.clone());
    let entries = if terms.subscriptions.is_none() { members::entries(&told) } else { Vec::new() };
    // What is malformed changes nothing.
    let signed = match text("request") {
        Some(request) => server.certificates.sign(&server.store, &request, &name)?,
        None => None,
    };
    let written = edit(server, {
        let (called, name) = (called.clone(), name.clone());
        move |book| {
            let earlier = book.links.get(&name).cloned().unwrap_or_default();
            let row = book.rows.get(&name).map(Facts::of);
            if row.as_ref().is_some_and(|row| row.url != facts.url)
                && earlier.instance.is_some()
                && earlier.instance != instance
            {
                return Err(format!("another node is called '{name}': remove it first"));
            }
            // What others know of the node is older than what it says now.
            let untrusted = merge(book, &own, &entries);
            let row = book.rows.get(&name).map(Facts::of);
            let facts =
                Facts { revoked_certificates: row.unwrap_or_default().revoked_certificates, ..facts.clone() };
            let link = Link {
                // That of one that was removed only tells which it was.
                url: pinned.clone().or(earlier.url.filter(|_| earlier.removed.is_none())),
                authorization: earlier.authorization,
                certificates: earlier.certificates,
                instance: instance.clone(),
                agreed: book.now.max(earlier.agreed + 1.0),
                ..terms.clone()
            };
            if !fault!("added-on-one-side") {
                book.know(&name, &facts, Some(link));
            }
            if called.is_some() {
                book.adopted_name.clone_from(&called);
            }
            book.announce(&own, &place, shard, seen_at.as_deref());
            Ok(untrusted)
        }
    });
    let untrusted = written.await?.map_err(Refusal::forbidden)?;
    super::leave::after(server, untrusted).await?;
    if let Some(called) = &called {
        link.identity.adopt(called);
        link.reload(&server.store)?;
    }
    tracing::info!("node '{name}' has made itself known");
    let mut answer = introduction(server)?;
    if message.contains_key("authorities") {
        let offer = link.tls.offer(server).await?;
        members::trust(server, &name, &texts(message, "authorities"), None).await?;
        let authorities = offer.proof.authorities.iter().map(|pem| Value::from(pem.as_str()));
        answer.insert("authorities".to_owned(), authorities.collect::<Vec<_>>().into());
        answer.insert("signed".to_owned(), signed.map_or(Value::Null, Value::String));
    }
    if let Some(node) = link.nodes.find(&name) {
        let told = members::exchange(server, &node, &told).await?;
        answer.extend(told.as_object().cloned().unwrap_or_default());
    }
    Ok(Value::Object(answer))
}

/// What two nodes agree on, for a message: as the other one sees it.
pub(super) fn terms_for_other(link: &Link) -> Value {
    let mirrored = link.subscriptions.as_ref().map(|all| all.iter().map(Subscription::mirrored).collect());
    let mirrored = Link {
        subscriptions: mirrored,
        flow: link.flow.mirrored(),
        start_time: link.start_time,
        legacy: link.legacy,
        agreed: link.agreed,
        ..Link::default()
    };
    Value::Object(mirrored.record(""))
}

/// The terms of a message. Nothing else of what may be agreed on is taken from others.
pub(super) fn read_terms(value: Option<&Value>) -> Link {
    let Some(Value::Object(members)) = value else { return Link::default() };
    let Link { subscriptions, flow, start_time, legacy, agreed, .. } = Link::read(members);
    let flow = Flow { ..flow };
    Link { subscriptions, flow, start_time, legacy, agreed, ..Link::default() }
}

async fn credentials(server: &Arc<Server>, node: &str) -> Result<Value, Refusal> {
    let nats = server.replication.admit(node).await;
    let nats = nats.map_err(|error| Refusal::unavailable(format!("{error:#}")))?;
    let members = [("user", nats.user), ("password", nats.password)];
    let members = members.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text)));
    Ok(Value::Object(members.collect()))
}
