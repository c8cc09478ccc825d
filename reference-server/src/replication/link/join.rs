//! Getting to know another node.

use super::dial::{Target, post};
use super::handshake::{Announced, introduction, message, own_place, terms_for_other};
use super::{LinkError, front, members};
use crate::certificates::records::texts;
use crate::config::{Flow, Route, host_of, node_url};
use crate::error::OperationError;
use crate::operations::bulk::iso_date;
use crate::replication::nodes::book::Facts;
use crate::replication::nodes::{
    Link, NodeRecord, Secret, Subscription, edit, is_name, merge, merge_subscriptions,
};
use crate::server::Server;
use crate::value::{Object, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// A node as an operation or a route describes it.
#[derive(Clone, Debug, Default)]
pub struct NodeRequest {
    /// Its name, if one is given.
    pub hostname: Option<String>,
    /// Where it is, if that is given.
    pub url: Option<String>,
    /// Whether its certificate is looked at.
    pub verify_tls: bool,
    /// The credentials for the first contact.
    pub authorization: Option<Secret>,
    /// Whether these are kept.
    pub retain_authorization: bool,
    /// `revoked_certificates`.
    pub revoked_certificates: Option<Vec<String>>,
    /// `shard`.
    pub shard: Option<u32>,
    /// `subscriptions`.
    pub subscriptions: Option<Vec<Subscription>>,
    /// `start_time`, in epoch milliseconds.
    pub start_time: Option<f64>,
    /// `replicates`.
    pub replicates: Option<Flow>,
    /// `isLeader`.
    pub is_leader: Option<bool>,
    /// Whether the request is in the form before 4.4.
    pub legacy: bool,
}

impl NodeRequest {
    /// What a request says; it has passed validation.
    pub fn read(body: &Object) -> NodeRequest {
        let field = |name: &str| body.get(name).filter(|value| !value.is_null());
        let text = |name: &str| field(name).and_then(Value::as_str).map(str::to_owned);
        let node_name = text("node_name");
        let legacy_start = node_name.is_some().then(epoch_milliseconds);
        let shard = field("shard").and_then(Value::as_number).map(|shard| shard as u32);
        NodeRequest {
            legacy: node_name.is_some(),
            hostname: node_name.or_else(|| text("hostname")).or_else(|| text("name")),
            url: text("url"),
            verify_tls: field("verify_tls").and_then(Value::as_bool).unwrap_or(true),
            authorization: field("authorization").and_then(header_of),
            retain_authorization: field("retain_authorization").and_then(Value::as_bool).unwrap_or(false),
            revoked_certificates: field("revoked_certificates")
                .map(|_| crate::certificates::records::texts(body, "revoked_certificates")),
            shard,
            subscriptions: field("subscriptions").and_then(Value::as_array).map(|all| {
                let read = all.iter().filter_map(Subscription::read);
                // Before 4.4 only what was yet to come was exchanged.
                read.map(|one| Subscription { start_time: one.start_time.or(legacy_start), ..one }).collect()
            }),
            start_time: text("start_time").and_then(|text| iso_date(&text)),
            replicates: field("replicates").map(|value| Flow::read(Some(value))),
            is_leader: field("isLeader").and_then(Value::as_bool),
        }
    }

    pub(super) fn of_route(server: &Arc<Server>, route: &Route) -> NodeRequest {
        let url = server.config.replication.url_of_route(route);
        // The name of a node only where it was given beside the place.
        let is_name = node_url(&url).is_some_and(|url| host_of(&url) != route.name);
        NodeRequest {
            hostname: is_name.then(|| route.name.clone()),
            url: Some(url),
            verify_tls: true,
            start_time: route.start_time.as_deref().and_then(iso_date),
            shard: route.shard,
            replicates: Some(route.replicates),
            ..NodeRequest::default()
        }
    }

    /// How answers call the node: the name given, or else the host of the URL.
    pub fn shown_name(&self) -> String {
        let host = || node_url(self.url.as_deref()?).map(|url| host_of(&url));
        self.hostname.clone().or_else(host).unwrap_or_else(|| self.url.clone().unwrap_or_default())
    }

    /// The node that is meant among those that are known, where it may be called by its host as well, which is what
    /// answers call one that was added by its URL. When there are several at that host, none is meant.
    pub fn meant(&self, nodes: &[NodeRecord]) -> Option<NodeRecord> {
        self.find(nodes).or_else(|| {
            let mut there = nodes.iter().filter(|node| node.host() == self.hostname && node.url.is_some());
            there.next().filter(|_| there.next().is_none()).cloned()
        })
    }

    /// The node that is known by the name of the request, or else by where it is.
    pub fn find(&self, nodes: &[NodeRecord]) -> Option<NodeRecord> {
        if let Some(name) = &self.hostname {
            return nodes.iter().find(|node| node.name == *name).cloned();
        }
        let url = self.url.as_deref().and_then(node_url)?;
        let is_there = |node: &&NodeRecord| node.url.as_deref().and_then(node_url).as_ref() == Some(&url);
        let host = host_of(&url);
        nodes.iter().find(is_there).or_else(|| nodes.iter().find(|node| node.name == host)).cloned()
    }
}

fn epoch_milliseconds() -> f64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_millis() as f64
}

/// The value of an `Authorization` header: as given, or for a name and a password.
fn header_of(value: &Value) -> Option<Secret> {
    match value {
        Value::String(header) => Some(header.clone()).filter(|header| !header.is_empty()).map(Secret),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
            let pair = format!("{}:{}", text("username"), text("password"));
            Some(Secret(format!("Basic {}", STANDARD.encode(pair))))
        }
        _ => None,
    }
}

/// Another node that has answered, and would take this one.
pub struct Contact {
    request: NodeRequest,
    target: Target,
    /// What it says of itself.
    introduced: Value,
    /// What it is called from now on.
    name: String,
    /// Whether that is news to it.
    is_called: bool,
}

/// Adds a node to the cluster.
///
/// # Errors
/// When it is this node, cannot be reached or refuses; nothing is changed then.
pub async fn add(server: &Arc<Server>, request: NodeRequest) -> Result<(), OperationError> {
    Contact::make(server, request).await?.join(server, None).await
}

/// `A node cannot be added to itself`.
fn is_self() -> OperationError {
    OperationError::invalid("A node cannot be added to itself")
}

impl Contact {
    /// Asks a node who it is, with the credentials for it. Nothing is changed on either side.
    ///
    /// # Errors
    /// When it is this node, cannot be reached or refuses.
    pub async fn make(server: &Arc<Server>, request: NodeRequest) -> Result<Contact, OperationError> {
        let link = &server.replication.link;
        let own = link.identity.name();
        let known = request.find(&link.nodes.current());
        if known.is_none() && request.url.is_none() && request.hostname.as_ref() == Some(&own) {
            return Err(is_self());
        }
        let settings = &server.config.replication;
        let route = || settings.routes.iter().find(|route| Some(&route.name) == request.hostname.as_ref());
        let url = request.url.clone().or_else(|| known.as_ref()?.url.clone());
        let url = url.or_else(|| route().map(|route| settings.url_of_route(route)));
        let url = url.unwrap_or_else(|| settings.url_of(&request.shown_name(), None));
        let parsed = node_url(&url);
        let url = parsed.ok_or_else(|| OperationError::invalid("'url' must be a ws:// or wss:// URL"))?;
        if own_place(server).url.as_deref().and_then(node_url).as_ref() == Some(&url) {
            return Err(is_self());
        }
        let failed = |reason: String| failed(&request, &reason);
        server.replication.check().await.map_err(|error| failed(format!("{error:#}")))?;
        front::ensure(server, url.scheme() == "wss").map_err(|error| failed(error.to_string()))?;
        let kept = known.as_ref().and_then(|known| known.authorization.clone());
        let target = Target {
            name: request.shown_name(),
            url,
            verify: request.verify_tls,
            authorization: request.authorization.clone().or(kept),
        };
        let introduced = post(server, &target, &message("hello", [])).await;
        let introduced = introduced.map_err(|error| failed(error.text))?;
        let text = |name: &str| introduced.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(said), Some(instance)) = (text("name"), text("instance")) else {
            return Err(failed(format!("{} is no node", target.url)));
        };
        if instance == link.identity.instance {
            return Err(is_self());
        }
        let is_unnamed = introduced.get("unnamed") == Some(&Value::Bool(true));
        let name = match (&request.hostname, is_unnamed) {
            (Some(name), true) => name.clone(),
            (Some(name), false) if *name != said => {
                return Err(failed(format!("the node at {} is called '{said}'", target.url)));
            }
            (None, true) => free_name(server, &target, &own),
            (_, false) => said.clone(),
        };
        if name == own || !is_name(&name) {
            return Err(failed(format!(
                "'{name}' cannot be the name of a second node: set replication.hostname"
            )));
        }
        Ok(Contact { is_called: name != said, request, target, introduced, name })
    }

    /// What the node is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the answer calls the node once it has joined: as the request does, as long as no other could be meant.
    pub fn shown_name(&self, server: &Arc<Server>) -> String {
        let shown = self.request.shown_name();
        let request = NodeRequest { hostname: Some(shown.clone()), ..NodeRequest::default() };
        let meant = request.meant(&server.replication.link.nodes.current());
        if meant.is_some_and(|node| node.name == self.name) { shown } else { self.name.clone() }
    }

    /// Makes the two nodes known to each other. `terms` are what is agreed on instead of what the request says.
    ///
    /// # Errors
    /// When the node cannot be reached any more or refuses; nothing is changed here then.
    pub async fn join(&self, server: &Arc<Server>, terms: Option<Link>) -> Result<(), OperationError> {
        let mut link = terms.unwrap_or_else(|| self.terms());
        if fault!("configuring-adds")
            && let Some(known) = server.replication.link.nodes.find(&self.name)
        {
            merge_subscriptions(
                link.subscriptions.get_or_insert_default(),
                known.subscriptions.unwrap_or_default(),
            );
        }
        let own = server.replication.link.identity.name();
        let given = self.target.url.as_str().trim_end_matches('/').to_owned();
        let announced = Announced::read(&self.introduced, address_of(&self.target.url).await).await;
        let (announced, _) = announced.reached_at(Some(given.clone()));
        let answer = match self.ask(server, &link, announced.url.as_deref()).await {
            Ok(answer) => answer,
            Err(error) => {
                // The answer may have been lost after the node had taken this one up.
                if server.replication.link.nodes.find(&self.name).is_none() {
                    let _ = post(server, &self.target, &message("leave", [])).await;
                }
                return Err(failed(&self.request, &error.text));
            }
        };
        let facts = Facts {
            shard: self.request.shard.or(announced.shard),
            url: announced.url.or_else(|| Some(given.clone())),
            revoked_certificates: self.request.revoked_certificates.clone().unwrap_or_default(),
        };
        let (place, shard) = (own_place(server), server.config.replication.shard);
        let entries = if link.subscriptions.is_none() { members::entries(&answer) } else { Vec::new() };
        let instance = self.introduced.get("instance").and_then(Value::as_str).map(str::to_owned);
        let name = self.name.clone();
        let written = edit(server, move |book| {
            // What it knows of itself is older than what was seen of it now; of this node it may know more.
            let untrusted = merge(book, &own, &entries);
            let earlier = book.links.get(&name).cloned().unwrap_or_default();
            let link = Link {
                // Where it says that it is may not be where it is reached from here.
                url: (facts.url.as_ref() != Some(&given)).then(|| given.clone()),
                certificates: earlier.certificates,
                instance: instance.clone(),
                agreed: book.now.max(earlier.agreed + 1.0),
                ..link.clone()
            };
            book.know(&name, &facts, Some(link));
            book.announce(&own, &place, shard, None);
            untrusted
        });
        match written.await {
            Ok(untrusted) => super::leave::after(server, untrusted).await?,
            Err(error) => {
                // It must not keep what is not known here.
                let _ = post(server, &self.target, &message("leave", [])).await;
                return Err(error);
            }
        }
        if let Some(node) = server.replication.link.nodes.find(&self.name) {
            let authorities =
                answer.as_object().map(|answer| texts(answer, "authorities")).unwrap_or_default();
            let signed = answer.get("signed").and_then(Value::as_str);
            members::trust(server, &node.name, &authorities, signed).await?;
            members::take_up(server, &node, &answer).await?;
        }
        Ok(())
    }

    async fn ask(&self, server: &Arc<Server>, link: &Link, place: Option<&str>) -> Result<Value, LinkError> {
        let node = Value::Object(introduction(server)?);
        let mut said = message("join", [("node", node), ("terms", terms_for_other(link))]);
        said.insert("you_are_at".to_owned(), place.map_or(Value::Null, Value::from));
        if self.is_called {
            said.insert("call_you".to_owned(), Value::from(self.name.as_str()));
        }
        let tls = &server.replication.link.tls;
        if self.target.url.scheme() == "wss" || server.replication.link.addresses().1.is_some() {
            let offer = tls.offer(server).await?;
            // Members know it by the one that it has; another would not be recognised by them.
            if offer.proof.is_self_made && server.replication.link.nodes.current().is_empty() {
                let request =
                    server.certificates.request(&server.store, &server.replication.link.identity.name())?;
                said.insert("request".to_owned(), Value::String(request));
            }
            let authorities = offer.proof.authorities.iter().map(|pem| Value::from(pem.as_str()));
            said.insert("authorities".to_owned(), authorities.collect::<Vec<_>>().into());
        }
        let record = NodeRecord { subscriptions: link.subscriptions.clone(), ..NodeRecord::default() };
        if let Some(entries) = members::told(server, &record).await?.shift_remove("members") {
            said.insert("members".to_owned(), entries);
        }
        post(server, &self.target, &said).await
    }

    /// What the request agrees on.
    fn terms(&self) -> Link {
        let request = &self.request;
        Link {
            subscriptions: request.subscriptions.clone().filter(|_| !fault!("subscriptions-ignored")),
            flow: request.replicates.unwrap_or_default(),
            start_time: request.start_time,
            is_leader: request.is_leader.unwrap_or(false),
            authorization: request.authorization.clone().filter(|_| request.retain_authorization),
            legacy: request.legacy,
            ..Link::default()
        }
    }
}

async fn address_of(url: &Url) -> Option<IpAddr> {
    let mut found = tokio::net::lookup_host((host_of(url), 0)).await.ok()?;
    found.next().map(|address| address.ip().to_canonical())
}

/// A name for a node that has none: its host, with the port where another one is called that already.
fn free_name(server: &Arc<Server>, target: &Target, own: &str) -> String {
    let host = host_of(&target.url);
    let link = &server.replication.link;
    let is_taken = host == own || link.nodes.find(&host).is_some();
    match target.url.port_or_known_default() {
        Some(port) if is_taken => format!("{host}:{port}"),
        _ => host,
    }
}

fn failed(request: &NodeRequest, reason: &str) -> OperationError {
    OperationError::fault(format!("Could not add '{}': {reason}", request.shown_name()))
}
