//! A node, and what is agreed on with it.

use crate::config::{Flow, host_of, node_url};
use crate::operations::bulk::iso_date;
use crate::operations::names::name_of;
use crate::value::{Object, Value, iso_text};
use std::fmt;

/// Another node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRecord {
    /// Its name, unique in the cluster, and the one it goes by itself.
    pub name: String,
    /// Where it is reached: `wss://host:port` or `ws://host:port`.
    pub url: Option<String>,
    /// The tables that flow; `None` for all of all databases.
    pub subscriptions: Option<Vec<Subscription>>,
    /// Which ways changes flow.
    pub replicates: Flow,
    /// Changes from this instant on, in epoch milliseconds, instead of a copy.
    pub start_time: Option<f64>,
    /// Serial numbers of certificates that it is not known by any more.
    pub revoked_certificates: Vec<String>,
    /// Its shard.
    pub shard: Option<u32>,
    /// `isLeader`: a full copy is taken from it.
    pub is_leader: bool,
    /// The credentials kept for it: the value of an `Authorization` header.
    pub authorization: Option<Secret>,
    /// Whether it was added in the form before 4.4.
    pub legacy: bool,
}

impl NodeRecord {
    /// Whether it is a member of the cluster, rather than somebody with whom some tables are exchanged: members know
    /// of each other.
    pub fn is_member(&self) -> bool {
        self.subscriptions.is_none()
    }

    /// The host of its URL.
    pub fn host(&self) -> Option<String> {
        node_url(self.url.as_deref()?).map(|url| host_of(&url))
    }

    /// Whether it is reached with TLS.
    pub fn is_secure(&self) -> bool {
        self.url.as_deref().and_then(node_url).is_none_or(|url| url.scheme() == "wss")
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The flow of one table, seen from this node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscription {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// Its changes are applied here.
    pub subscribe: bool,
    /// Our changes are applied there.
    pub publish: bool,
    /// Changes from this instant on, in epoch milliseconds.
    pub start_time: Option<f64>,
}

impl Subscription {
    /// Reads one of a request or of a record.
    pub fn read(value: &Value) -> Option<Subscription> {
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        let database = value.get("database").or_else(|| value.get("schema"));
        Some(Subscription {
            database: name_of(database)
                .unwrap_or_else(|| if fault!("no-database-is-none") { "" } else { "data" }.to_owned()),
            table: name_of(value.get("table"))?,
            subscribe: flag("subscribe"),
            publish: flag("publish"),
            start_time: read_time(value.get("start_time")),
        })
    }

    /// The same as the other node sees it.
    pub fn mirrored(&self) -> Subscription {
        Subscription { subscribe: self.publish, publish: self.subscribe, ..self.clone() }
    }

    /// As answers show it; `database` is how the member for the database is called.
    pub fn shown(&self, database: &str) -> Value {
        let mut members = Object::from_iter([
            (database.to_owned(), Value::from(self.database.as_str())),
            ("table".to_owned(), Value::from(self.table.as_str())),
            ("publish".to_owned(), Value::Bool(self.publish)),
            ("subscribe".to_owned(), Value::Bool(self.subscribe)),
        ]);
        if let Some(text) = self.start_time.and_then(iso_text) {
            members.insert("start_time".to_owned(), Value::String(text));
        }
        Value::Object(members)
    }
}

/// Puts new subscriptions among those there are: each replaces the one of its table.
pub fn merge_subscriptions(there: &mut Vec<Subscription>, new: Vec<Subscription>) {
    for one in new {
        let same = |other: &&mut Subscription| (&other.database, &other.table) == (&one.database, &one.table);
        match there.iter_mut().find(same) {
            Some(place) => *place = one,
            None => there.push(one),
        }
    }
}

/// What is agreed on with another node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// Where it is reached from here, when that is not where it says itself that it is.
    pub url: Option<String>,
    /// The tables that flow; `None` for all of all databases.
    pub subscriptions: Option<Vec<Subscription>>,
    /// Which ways changes flow.
    pub flow: Flow,
    /// Changes from this instant on, in epoch milliseconds, instead of a copy.
    pub start_time: Option<f64>,
    /// A full copy is taken from it.
    pub is_leader: bool,
    /// The credentials kept for it.
    pub authorization: Option<Secret>,
    /// Whether it was added in the form before 4.4.
    pub legacy: bool,
    /// The number that tells it from others of the same name.
    pub instance: Option<String>,
    /// The certificates learned from it: names of records of `hdb_certificate`.
    pub certificates: Vec<String>,
    /// When this was agreed on, in epoch milliseconds.
    pub agreed: f64,
    /// When the node was removed.
    pub removed: Option<f64>,
}

impl Link {
    /// Reads a record.
    pub(in crate::replication) fn read(record: &Object) -> Link {
        let field = |name: &str| record.get(name).filter(|value| !value.is_null());
        let flag = |name: &str| field(name).and_then(Value::as_bool).unwrap_or(false);
        let text = |name: &str| field(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| field(name).and_then(Value::as_number);
        Link {
            url: text("url"),
            subscriptions: field("subscriptions").and_then(read_subscriptions),
            flow: Flow::read(field("replicates")),
            start_time: number("start_time"),
            is_leader: flag("is_leader"),
            authorization: text("authorization").map(Secret),
            legacy: flag("legacy"),
            instance: text("instance"),
            certificates: crate::certificates::records::texts(record, "certificates"),
            agreed: number("agreed").unwrap_or(0.0),
            removed: number("removed"),
        }
    }

    /// The record of a node.
    pub(in crate::replication) fn record(&self, name: &str) -> Object {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let number = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
        let names = self.certificates.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>();
        let members = [
            ("id", Value::from(name)),
            ("url", text(&self.url)),
            ("subscriptions", shown_subscriptions(self.subscriptions.as_deref())),
            ("replicates", self.flow.to_value()),
            ("start_time", number(self.start_time)),
            ("is_leader", Value::Bool(self.is_leader)),
            (
                "authorization",
                self.authorization.as_ref().map_or(Value::Null, |secret| secret.0.as_str().into()),
            ),
            ("legacy", Value::Bool(self.legacy)),
            ("instance", text(&self.instance)),
            ("certificates", names.into()),
            ("agreed", Value::Number(self.agreed)),
            ("removed", number(self.removed)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Subscriptions as a list; `None` for anything else.
pub(super) fn read_subscriptions(value: &Value) -> Option<Vec<Subscription>> {
    Some(value.as_array()?.iter().filter_map(Subscription::read).collect())
}

/// Subscriptions as answers show them.
pub(super) fn shown_subscriptions(subscriptions: Option<&[Subscription]>) -> Value {
    let shown = |all: &[Subscription]| all.iter().map(|one| one.shown("database")).collect::<Vec<_>>();
    subscriptions.map_or(Value::Null, |all| shown(all).into())
}

/// A time as epoch milliseconds or ISO text.
pub(super) fn read_time(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => Some(*number),
        Value::Date(instant) => Some(*instant),
        Value::String(text) => iso_date(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(table: &str, subscribe: bool) -> Subscription {
        Subscription {
            database: "data".to_owned(),
            table: table.to_owned(),
            subscribe,
            publish: true,
            start_time: Some(1e12),
        }
    }

    #[test]
    fn subscriptions_are_shown_as_they_are_read() {
        let one = subscription("dog", false);
        assert_eq!(Subscription::read(&one.shown("database")), Some(one.clone()));
        assert_eq!(Subscription::read(&one.shown("schema")), Some(one.clone()));
        assert_eq!(one.mirrored().mirrored(), one);
        assert!(one.mirrored().subscribe && !one.mirrored().publish);
    }

    #[test]
    fn new_subscriptions_replace_those_of_the_same_table() {
        let mut there = vec![subscription("dog", false), subscription("cat", false)];
        merge_subscriptions(&mut there, vec![subscription("cat", true), subscription("cow", false)]);
        assert_eq!(
            there,
            [subscription("dog", false), subscription("cat", true), subscription("cow", false)]
        );
    }

    #[test]
    fn links_are_stored_and_their_secrets_not_printed() {
        let link = Link {
            subscriptions: Some(vec![subscription("dog", true)]),
            flow: Flow { sends: false, receives: true },
            authorization: Some(Secret("Basic hush".to_owned())),
            certificates: vec!["a".to_owned()],
            agreed: 5.0,
            removed: Some(7.0),
            ..Link::default()
        };
        assert_eq!(Link::read(&link.record("n")), link);
        assert!(!format!("{link:?}").contains("hush"));
    }
}
