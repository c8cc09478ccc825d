//! The messages by which nodes get to know each other, as they are answered.

use super::identify::{Origin, Refusal, Who, is_at, judge};
use super::members;
use crate::certificates::records::texts;
use crate::config::{Flow, SecurePort, host_of, node_url};
use crate::replication::nodes::book::Facts;
use crate::replication::nodes::{Link, Subscription, edit, is_name};
use crate::server::Server;
use crate::value::{Object, Value};
use hyper::header::HeaderMap;
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
            Ok(Value::Object(introduction(server)))
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
pub(super) fn introduction(server: &Arc<Server>) -> Object {
    let identity = &server.replication.link.identity;
    let (url, derived) = own_url(server);
    let members = [
        ("name", Value::String(identity.name())),
        ("unnamed", Value::Bool(identity.is_unnamed())),
        ("instance", Value::from(identity.instance.as_str())),
        ("url", url.map_or(Value::Null, Value::String)),
        ("derived", Value::Bool(derived)),
        ("shard", server.config.replication.shard.map_or(Value::Null, |shard| Value::Number(shard.into()))),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How others reach this node, and whether that was only guessed from its name.
pub(super) fn own_url(server: &Arc<Server>) -> (Option<String>, bool) {
    let settings = &server.config.replication;
    if let Some(url) = &settings.url {
        return (Some(url.clone()), false);
    }
    let (plain, secure) = server.replication.link.addresses();
    let (scheme, address) = match (plain, secure) {
        (_, Some(address)) if matches!(settings.secure_port, SecurePort::Given(_)) => ("wss", address),
        (Some(address), _) => ("ws", address),
        (None, Some(address)) => ("wss", address),
        _ => return (None, true),
    };
    let bound = address.ip();
    if bound.is_unspecified() {
        let name = server.replication.link.identity.name();
        let host = if name.contains(':') && !name.starts_with('[') { format!("[{name}]") } else { name };
        return (Some(format!("{scheme}://{host}:{}", address.port())), true);
    }
    (Some(format!("{scheme}://{address}")), false)
}

/// What this node is to be known by to others.
pub(super) fn own_facts(server: &Arc<Server>) -> Facts {
    Facts { url: own_url(server).0, shard: server.config.replication.shard, revoked_certificates: Vec::new() }
}

/// What another node says of itself, as it is to be kept here. A host that was only guessed has to be the one that the
/// connection leads to.
pub(super) async fn facts_of(introduced: &Value, address: Option<std::net::IpAddr>) -> Facts {
    let mut facts = introduced.as_object().map(Facts::of).unwrap_or_default();
    facts.revoked_certificates.clear();
    let parsed = facts.url.as_deref().and_then(node_url);
    if let (Some(url), Some(address), Some(Value::Bool(true))) = (&parsed, address, introduced.get("derived"))
        && !is_at(Some(&host_of(url)), address).await
    {
        let place = std::net::SocketAddr::new(address, url.port_or_known_default().unwrap_or_default());
        facts.url = Some(format!("{}://{place}", url.scheme()));
    } else if parsed.is_none() {
        facts.url = None;
    }
    facts
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
    let facts = facts_of(&introduced, Some(origin.address)).await;
    let terms = read_terms(message.get("terms"));
    let own_facts = own_facts(server);
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
            let facts =
                Facts { revoked_certificates: row.unwrap_or_default().revoked_certificates, ..facts.clone() };
            let link = Link {
                url: earlier.url,
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
            if !book.rows.contains_key(&own) {
                book.know(&own, &own_facts, None);
            }
            Ok(())
        }
    });
    written.await?.map_err(Refusal::forbidden)?;
    if let Some(called) = &called {
        link.identity.adopt(called);
        link.reload(&server.store)?;
    }
    tracing::info!("node '{name}' has made itself known");
    let mut answer = introduction(server);
    if message.contains_key("authorities") {
        let offer = link.tls.offer(server).await?;
        members::trust(server, &name, &texts(message, "authorities"), None).await?;
        let authorities = offer.proof.authorities.iter().map(|pem| Value::from(pem.as_str()));
        answer.insert("authorities".to_owned(), authorities.collect::<Vec<_>>().into());
        answer.insert("signed".to_owned(), signed.map_or(Value::Null, Value::String));
    }
    if let Some(node) = link.nodes.find(&name) {
        let told = members::exchange(server, &node, &Value::Object(message.clone())).await?;
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
