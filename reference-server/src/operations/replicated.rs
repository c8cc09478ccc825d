//! `replicated: true`: what an operation does here, the other nodes do as well.
//!
//! The local outcome decides: when it fails nothing is sent, and nothing that was done here is undone when another node
//! fails. The copies that are sent do not bear the flag, so that they go no further.

use super::names::name_of;
use super::{Call, Reply};
use crate::config;
use crate::replication::{CallError, DONE_AT, dropped, nodes};
use crate::server::Server;
use crate::sql::value::Js;
use crate::value::{Object, Value, object};
use futures_util::future::join_all;
use spec::Replicated;
use std::sync::Arc;

const FLAG: &str = "replicated";

/// An operation that goes to the other nodes once it has been done here.
pub(super) struct Forward {
    server: Arc<Server>,
    kind: Replicated,
    operation: Object,
    nodes: Vec<String>,
    /// The database that is dropped, or the table in it.
    drops: Option<(String, Option<String>)>,
}

/// True when a request asks for the other nodes: the flag may be anything, and counts as JavaScript has it.
fn is_wanted(body: &Object) -> bool {
    let is_set = body.get(FLAG).is_some_and(|flag| Js::from(flag).truth());
    (is_set && !fault!("flag-ignored")) || fault!("flag-always-set")
}

/// The other nodes that a request asks for.
pub(super) fn wanted_nodes(call: &Call) -> Vec<String> {
    if is_wanted(&call.body) { other_nodes(&call.server) } else { Vec::new() }
}

/// The names of the other nodes.
pub(super) fn other_nodes(server: &Arc<Server>) -> Vec<String> {
    nodes::list(server).into_iter().map(|node| node.name).collect()
}

impl Forward {
    /// What is to be sent; `None` where nobody asked for it, or this server is set up for no cluster.
    pub(super) fn of(call: &Call) -> Option<Forward> {
        // What goes from node to node is a job of its own.
        let is_wrong = fault!("history-deleted-everywhere")
            && call.operation.name == "delete_audit_logs_before"
            && !call.body.contains_key("is_copy");
        let wrong = is_wrong.then_some(Replicated::Answers);
        let kind = call.operation.replicated.filter(|kind| *kind != Replicated::Rolling).or(wrong)?;
        let server = &call.server;
        let is_asked = is_wrong || is_wanted(&call.body);
        if !is_asked || !server.replication.link.is_enabled(&server.config) {
            return None;
        }
        let nodes = other_nodes(server);
        let operation = copy(&call.operation.name, &call.body);
        let drops = match call.operation.name.as_str() {
            "drop_database" => Some((call.database_name(), None)),
            "drop_table" => Some((call.database_name(), name_of(call.body.get("table")))),
            _ => None,
        };
        Some(Forward { server: call.server.clone(), kind, operation, nodes, drops })
    }

    /// Has the other nodes do it, all at once, and adds what they say to what this node says.
    pub(super) async fn tell(mut self, reply: Reply) -> Reply {
        self.tell_time();
        let calls = self.nodes.iter().map(|node| self.server.replication.call(node, self.operation.clone()));
        let answers: Vec<_> = self.nodes.iter().zip(join_all(calls).await).collect();
        match (self.kind, reply) {
            (Replicated::Lines, Reply::Value(Value::Array(lines))) => {
                let here = crate::replication::identity::node_name(&self.server);
                let theirs = answers.into_iter().flat_map(|(node, answer)| lines_of(node, answer));
                Reply::Value(Value::Array(signed(lines, &here).into_iter().chain(theirs).collect()))
            }
            (_, reply) => with_answers(reply, answers),
        }
    }

    /// Has a drop count everywhere from when it was done here.
    fn tell_time(&mut self) {
        let Some((database, table)) = &self.drops else { return };
        match dropped::time_of(&self.server.store, database, table.as_deref()) {
            Ok(Some(time)) => drop(self.operation.insert(DONE_AT.to_owned(), Value::Number(time))),
            Ok(None) => {}
            Err(error) => tracing::warn!("the time of a drop cannot be told: {error}"),
        }
    }
}

/// The operation as it is sent to the other nodes.
fn copy(name: &str, body: &Object) -> Object {
    let mut copy = Object::from_iter([("operation".to_owned(), Value::from(name))]);
    if fault!("history-deleted-everywhere") {
        copy.insert("is_copy".to_owned(), Value::Bool(true));
    }
    for (field, value) in body {
        match (name, field.as_str()) {
            (_, FLAG | "operation") => {}
            ("set_configuration", field) if config::is_of_node(field) => {}
            // The nodes are restarted one after the other when all have it.
            ("deploy_component", "restart") if value.as_str() == Some("rolling") => {}
            (_, field) => drop(copy.insert(field.to_owned(), value.clone())),
        }
    }
    copy
}

fn with_answers(reply: Reply, answers: Vec<(&String, Result<Value, CallError>)>) -> Reply {
    let mut members = match reply {
        Reply::Message(_) if fault!("answers-of-others-only") => object([]),
        Reply::Message(message) => object([("message", Value::from(message))]),
        Reply::Value(value) => value,
        other => return other,
    };
    let told = answers.into_iter().map(|(node, answer)| answer_of(node, answer)).collect();
    if let Value::Object(members) = &mut members {
        members.insert(FLAG.to_owned(), Value::Array(told));
    }
    Reply::Value(members)
}

/// What a node answered, with its name; or why it did not.
pub(super) fn answer_of(node: &str, answer: Result<Value, CallError>) -> Value {
    let mut answer = match answer {
        Ok(Value::Object(answer)) => answer,
        Ok(other) => Object::from_iter([("message".to_owned(), other)]),
        Err(error) => Object::from_iter([
            ("status".to_owned(), Value::from("failed")),
            ("reason".to_owned(), Value::from(error.to_string())),
        ]),
    };
    answer.insert("node".to_owned(), Value::from(node));
    Value::Object(answer)
}

/// The lines of another node's log, or one that tells why there are none.
fn lines_of(node: &str, answer: Result<Value, CallError>) -> Vec<Value> {
    let reason = match answer {
        Ok(Value::Array(lines)) => return signed(lines, node),
        Ok(other) => other.to_json(),
        Err(error) => error.to_string(),
    };
    let line = object([
        ("level", Value::from("error")),
        ("message", Value::from(format!("Error retrieving logs: {reason}"))),
    ]);
    signed(vec![line], node)
}

fn signed(mut lines: Vec<Value>, node: &str) -> Vec<Value> {
    for line in &mut lines {
        if let Value::Object(line) = line
            && !fault!("log-lines-without-node")
        {
            line.insert("node".to_owned(), Value::from(node));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn json(text: &str) -> Object {
        parse_json(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn the_flag_counts_as_in_javascript() {
        for wanted in ["true", "1", "\"false\"", "[]", "{}"] {
            assert!(is_wanted(&json(&format!(r#"{{"replicated":{wanted}}}"#))), "{wanted}");
        }
        for unwanted in ["false", "0", "\"\"", "null"] {
            assert!(!is_wanted(&json(&format!(r#"{{"replicated":{unwanted}}}"#))), "{unwanted}");
        }
        assert!(!is_wanted(&json("{}")));
    }

    #[test]
    fn copies_go_no_further_and_tell_nothing_of_this_node() {
        let sent = json(r#"{"operation":"drop_schema","database":"d","replicated":true}"#);
        assert_eq!(copy("drop_database", &sent), json(r#"{"operation":"drop_database","database":"d"}"#));
        let sent = json(
            r#"{"operation":"set_configuration","logging_level":"debug","http_port":1,"rootPath":"/x",
            "tls_privateKey":"k","replication_hostname":"n","replication_databases":["a"],"replicated":true}"#,
        );
        let expected = json(
            r#"{"operation":"set_configuration","logging_level":"debug","replication_databases":["a"]}"#,
        );
        assert_eq!(copy("set_configuration", &sent), expected);
        let sent = json(r#"{"operation":"deploy_component","project":"p","restart":"rolling"}"#);
        let expected = json(r#"{"operation":"deploy_component","project":"p"}"#);
        assert_eq!(copy("deploy_component", &sent), expected);
    }

    #[test]
    fn every_node_is_told_of() {
        let (good, bad) = ("b".to_owned(), "c".to_owned());
        let answers = || {
            let answer = Value::Object(json(r#"{"message":"done"}"#));
            vec![(&good, Ok(answer)), (&bad, Err(CallError::TimedOut("c".to_owned())))]
        };
        let Reply::Value(told) = with_answers(Reply::Message("done".to_owned()), answers()) else {
            panic!("no value")
        };
        let expected = r#"{"message":"done","replicated":[{"message":"done","node":"b"},
            {"status":"failed","reason":"node 'c' did not answer in time","node":"c"}]}"#;
        assert_eq!(told, Value::Object(json(expected)));
        let [line] = &lines_of("c", Err(CallError::Unreachable("c".to_owned())))[..] else {
            panic!("no line")
        };
        let expected =
            r#"{"level":"error","message":"Error retrieving logs: node 'c' cannot be reached","node":"c"}"#;
        assert_eq!(*line, Value::Object(json(expected)));
    }
}
