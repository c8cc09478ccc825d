//! Who knows whom: laws need nodes that are joined, or that do not know each other, and leave them as they were found.

use super::group::{Group, PAUSE, names_of};
use crate::laws::{Fault, Refusal, Tried, blocked, unsupported};
use crate::target::Exchange;
use serde_json::{Value, json};
use std::time::Instant;

/// How nodes have to stand to each other for a law to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// As they do.
    Any,
    /// All know all, and everything flows.
    Joined,
    /// None knows another.
    Apart,
}

/// How nodes were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// True when any of them knew another.
    joined: bool,
    /// Why they may not be parted for a while.
    tied: Option<String>,
}

impl Group<'_> {
    /// How the nodes are found.
    pub(super) async fn look_around(&self) -> Found {
        let mut found = Found::default();
        for node in 0..self.nodes.len() {
            let connections = self.connections(node).await;
            let names = names_of(&connections);
            found.joined |= names.iter().any(|name| self.names.contains(name));
            if let Some(name) = names.iter().find(|name| !self.names.contains(name)) {
                found.tied = Some(format!("node '{name}', which the run does not name, is in the cluster"));
            }
            if let Some(one) = connections.iter().find(|one| has_terms(one)) {
                found.tied =
                    Some(format!("what flows between '{}' and {} is limited", self.names[node], one["name"]));
            }
        }
        found
    }

    /// Brings the nodes to where a law needs them.
    pub(super) async fn bring(&self, stand: Stand) -> Result<(), Refusal> {
        match stand {
            Stand::Any => Ok(()),
            Stand::Joined => match self.join_all().await? {
                None => Ok(()),
                Some((sentence, _)) => Err(blocked(format!("the nodes could not be joined: {sentence}"))),
            },
            Stand::Apart => {
                self.may_be_parted()?;
                self.part_all().await
            }
        }
    }

    /// Fails unless the nodes can be parted, and joined again as they were found.
    pub(super) fn may_be_parted(&self) -> Result<(), Refusal> {
        if let Some(why) = &self.found.tied {
            return Err(unsupported(format!("the nodes are not to be parted: {why}")));
        }
        (1..self.nodes.len()).try_for_each(|node| self.url(node).map(drop))
    }

    /// Where other nodes reach a node.
    fn url(&self, node: usize) -> Result<&str, Refusal> {
        let (name, target) = (&self.names[node], &self.nodes[node].target);
        let why = || {
            let place = target.address();
            let reason =
                format!("where other nodes reach '{name}' is not known: --node {place},wss://HOST:PORT");
            unsupported(reason)
        };
        self.nodes[node].url.as_deref().ok_or_else(why)
    }

    /// A request about a node, with its name, its place and the credentials for it, and what is said besides.
    pub(super) fn about(&self, operation: &str, node: usize, besides: Value) -> Result<Value, Refusal> {
        let admin = &self.nodes[node].target.admin;
        let mut request = json!({"operation": operation, "hostname": self.names[node], "url": self.url(node)?,
            "verify_tls": false, "authorization": {"username": admin.username, "password": admin.password}});
        if let (Value::Object(members), Value::Object(besides)) = (&mut request, besides) {
            members.extend(besides);
        }
        Ok(request)
    }

    /// Adds a node to the first; a fault when the answer is not the documented one.
    pub(super) async fn add(&self, node: usize, besides: Value) -> Tried {
        let exchange = self.send(0, self.about("add_node", node, besides)?).await;
        Ok(answers(exchange, &format!("Successfully added '{}' to cluster", self.names[node])))
    }

    /// Adds a node to the first, without which a law cannot be tried.
    pub(super) async fn added(&self, node: usize, besides: Value) -> Result<(), Refusal> {
        self.accepted(0, self.about("add_node", node, besides)?).await.map(drop)
    }

    /// Adds every other node to the first, unless they know each other, and waits until all know all.
    pub(super) async fn join_all(&self) -> Tried {
        if self.found.tied.is_none() {
            for one in self.connections(0).await.iter().filter(|one| has_terms(one)) {
                self.send(0, json!({"operation": "remove_node", "hostname": one["name"]})).await;
            }
        }
        let known = self.known_to(0).await;
        for node in (1..self.nodes.len()).filter(|node| !known.contains(&self.names[*node])) {
            if let Some(fault) = self.add(node, json!({})).await? {
                return Ok(Some(fault));
            }
        }
        let started = Instant::now();
        for node in 0..self.nodes.len() {
            let others = self.names.iter().enumerate().filter(|(other, _)| *other != node);
            let others: Vec<&String> = others.map(|(_, name)| name).collect();
            loop {
                let listed = self.known_to(node).await;
                if others.iter().all(|name| listed.contains(name)) && !listed.contains(&self.names[node]) {
                    break;
                }
                if started.elapsed() > self.patience() || self.run.stop.stopped() {
                    let sentence =
                        format!("node '{}' lists {listed:?} instead of {others:?}", self.names[node]);
                    let status = self.send(node, json!({"operation": "cluster_status"})).await;
                    return Ok(Some((sentence, Some(status))));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(None)
    }

    /// Has every node forget the others.
    async fn part_all(&self) -> Result<(), Refusal> {
        let started = Instant::now();
        loop {
            let mut apart = true;
            for node in 0..self.nodes.len() {
                for name in self.known_to(node).await.iter().filter(|name| self.names.contains(name)) {
                    apart = false;
                    self.send(node, json!({"operation": "remove_node", "hostname": name})).await;
                }
            }
            if apart {
                return Ok(());
            }
            if started.elapsed() > self.patience() || self.run.stop.stopped() {
                return Err(blocked("the nodes could not be parted by remove_node"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Joins or parts the nodes again as they were found.
    pub(super) async fn restore(&self) {
        let stand = if self.found.joined { Stand::Joined } else { Stand::Apart };
        if let Err((_, reason)) = self.bring(stand).await {
            self.run.observe(super::STORY, format!("the nodes are not left as they were found: {reason}"));
        }
    }

    /// Waits until a node lists another, or does not any more; a fault when that does not come about.
    pub(super) async fn until_listed(&self, node: usize, other: usize, listed: bool) -> Fault {
        let name = &self.names[other];
        let passes = |status: &Value| {
            let connections = status["connections"].as_array().map(Vec::as_slice).unwrap_or_default();
            names_of(connections).contains(name) == listed
        };
        let word = if listed { "must be listed" } else { "must not be listed any more" };
        let status = json!({"operation": "cluster_status"});
        self.until(node, status, &format!("node '{name}' {word}"), passes).await
    }
}

/// True when not everything flows over a connection.
fn has_terms(connection: &Value) -> bool {
    connection["subscriptions"].is_array()
        || !matches!(&connection["replicates"], Value::Null | Value::Bool(true))
            && connection["replicates"] != json!({"sends": true, "receives": true})
}

/// A fault unless an exchange was answered 200 with this message.
pub(super) fn answers(exchange: Exchange, message: &str) -> Fault {
    match &exchange.answer {
        Some(answer) if answer.status == 200 && answer.body["message"] == *message => None,
        _ => Some((format!("the answer must have the message \"{message}\""), Some(exchange))),
    }
}
