//! cluster_status.

use crate::operations::{Call, Outcome, Reply};
use crate::replication::identity::node_name;
use crate::replication::nodes::{NodeRecord, Subscription};
use crate::replication::state::About;
use crate::replication::{LinkStatus, nodes};
use crate::value::{Object, Value, object};
use chrono::DateTime;
use std::time::Duration;

/// Shows this node and its connections (CLUSTER-CLUSTER-STATUS-001).
pub(super) async fn cluster_status(call: Call) -> Outcome {
    let server = &call.server;
    let config = &server.config;
    let known = nodes::list(server);
    let links = server.replication.links();
    let is_legacy = config.is_legacy_cluster();
    let connections = known.iter().map(|node| {
        let of_node: Vec<&LinkStatus> = links.iter().filter(|link| link.node == node.name).collect();
        match is_legacy {
            true => {
                let uptime = server.replication.link.uptime(&node.name);
                legacy_connection(node, &of_node, uptime, server.replication.about(&node.name))
            }
            false => connection(node, &of_node),
        }
    });
    let connections: Vec<Value> = connections.filter(|_| !fault!("status-lists-nobody")).collect();
    let is_enabled = is_legacy || server.replication.link.is_enabled(config);
    let mut members = Object::new();
    if !(is_legacy || fault!("status-without-type")) {
        members.insert("type".to_owned(), Value::from("cluster-status"));
    }
    members.insert("node_name".to_owned(), Value::String(node_name(server)));
    members.insert("is_enabled".to_owned(), Value::Bool(is_enabled));
    members.insert("connections".to_owned(), connections.into());
    Ok(Reply::Value(Value::Object(members)))
}

fn connection(node: &NodeRecord, links: &[&LinkStatus]) -> Value {
    let subscriptions = match &node.subscriptions {
        None => Value::Null,
        Some(all) => all.iter().map(|one| one.shown("database")).collect::<Vec<_>>().into(),
    };
    let mut members = Object::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("name", Value::from(node.name.as_str()));
    set("url", node.url.as_deref().map_or(Value::Null, Value::from));
    set("replicateByDefault", Value::Bool(node.is_member()));
    set("replicates", node.replicates.to_value());
    set("subscriptions", subscriptions);
    if fault!("kept-credentials-shown")
        && let Some(kept) = &node.authorization
    {
        set("authorization", Value::from(kept.0.as_str()));
    }
    if let Some(shard) = node.shard {
        set("shard", Value::Number(shard.into()));
    }
    let sockets = links.iter().filter(|_| !fault!("status-without-sockets")).map(|link| socket(link));
    set("database_sockets", sockets.collect::<Vec<_>>().into());
    Value::Object(members)
}

fn socket(link: &LinkStatus) -> Value {
    let names = link.nodes.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>();
    let mut members = Object::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("database", Value::from(link.database.as_str()));
    set("connected", Value::Bool(link.connected || fault!("down-nodes-connected")));
    if let Some(latency) = link.latency {
        set("latency", Value::Number(latency));
    }
    set("thread_id", Value::Number(1.0));
    set("nodes", names.into());
    let times = [
        ("lastCommitConfirmed", link.last_commit_confirmed),
        ("lastReceivedRemoteTime", link.last_received_remote),
        ("lastReceivedLocalTime", link.last_received_local),
        ("lastSendTime", link.last_send),
        ("sendingMessage", link.sending),
    ];
    for (name, time) in times {
        if let Some(text) = time.and_then(gmt) {
            set(name, Value::String(text));
        }
    }
    Value::Object(members)
}

/// `Wed, 12 Feb 2025 19:09:34 GMT`.
fn gmt(time: f64) -> Option<String> {
    let moment = DateTime::from_timestamp_millis(time as i64)?;
    let form = if fault!("status-times-otherwise") { "%FT%TZ" } else { "%a, %d %b %Y %H:%M:%S GMT" };
    Some(moment.format(form).to_string())
}

/// A connection in the form before 4.4.
fn legacy_connection(
    node: &NodeRecord,
    links: &[&LinkStatus],
    uptime: Option<Duration>,
    about: Option<About>,
) -> Value {
    let is_open = uptime.is_some();
    let port =
        node.url.as_deref().and_then(crate::config::node_url).and_then(|url| url.port_or_known_default());
    let latency = links.iter().filter_map(|link| link.latency).fold(0.0, f64::max).round();
    let shown = |all: &Vec<Subscription>| all.iter().map(|one| one.shown("schema")).collect::<Vec<_>>();
    let subscriptions = node.subscriptions.as_ref().map(shown).unwrap_or_default();
    let mut members = Object::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("node_name", Value::from(node.name.as_str()));
    set("status", Value::from(if is_open { "open" } else { "closed" }));
    let operations_port = about.as_ref().and_then(|about| about.operations_port);
    let ports = [("clustering", port), ("operations_api", operations_port)];
    let ports =
        ports.into_iter().filter_map(|(name, port)| Some((name.to_owned(), Value::Number(port?.into()))));
    set("ports", Value::Object(ports.collect()));
    set("latency_ms", Value::Number(latency));
    if let Some(uptime) = uptime {
        set("uptime", Value::String(uptime_text(uptime)));
    }
    set("subscriptions", subscriptions.into());
    if let Some(about) = about {
        let info = [
            ("hdb_version", Value::String(about.version)),
            // There is no JavaScript here.
            ("node_version", Value::from("")),
            ("platform", Value::String(about.platform)),
        ];
        set("system_info", object(info));
    }
    Value::Object(members)
}

/// `30d 1h 18m 8s`, without the units in front that are zero.
fn uptime_text(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    let units =
        [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    units.iter().skip(first).map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_gmt() {
        assert_eq!(gmt(1_739_387_374_999.0).as_deref(), Some("Wed, 12 Feb 2025 19:09:34 GMT"));
    }

    #[test]
    fn uptimes_begin_with_what_is_not_zero() {
        for (seconds, text) in
            [(0, "0s"), (8, "8s"), (679, "11m 19s"), (3600, "1h 0m 0s"), (2_596_688, "30d 1h 18m 8s")]
        {
            assert_eq!(uptime_text(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_has_not_happened_is_left_out() {
        let link = LinkStatus { database: "data".to_owned(), latency: Some(0.5), ..LinkStatus::default() };
        assert_eq!(
            socket(&link).to_json(),
            r#"{"database":"data","connected":false,"latency":0.5,"thread_id":1,"nodes":[]}"#
        );
        let link = LinkStatus { last_send: Some(0.0), connected: true, ..link };
        assert!(socket(&link).to_json().contains(r#""lastSendTime":"Thu, 01 Jan 1970 00:00:00 GMT""#));
    }

    #[test]
    fn credentials_are_not_shown() {
        let node = NodeRecord {
            name: "b".to_owned(),
            authorization: Some(nodes::Secret("Basic hush".to_owned())),
            shard: Some(3),
            ..NodeRecord::default()
        };
        let shown = connection(&node, &[]).to_json();
        assert_eq!(
            shown,
            r#"{"name":"b","url":null,"replicateByDefault":true,"replicates":true,"subscriptions":null,"shard":3,"database_sockets":[]}"#
        );
    }
}
