//! Entries in the log for credentials that were accepted or refused, where `logging.auditAuthEvents` asks for them.

use super::credentials::Standing;
use super::{Certified, Peer};
use crate::access::BasicHeader;
use crate::config::Logging;
use crate::value::{Object, Value};
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;

/// Logs the outcome of judging the credentials in a request's `Authorization` header. Requests without one are nobody's
/// attempt to prove anything.
pub(super) fn log(logging: &Logging, peer: &Peer, head: &Parts, standing: &Standing) {
    let header =
        head.headers.get(AUTHORIZATION).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
    let header = std::str::from_utf8(header).ok().and_then(|header| header.split_once(' '));
    let is_known = |strategy: &str| matches!(strategy, "Basic" | "Bearer");
    let (strategy, value) = match (peer, header) {
        (Peer::Network { certified: Certified::User(_) | Certified::Revoked, .. }, _) => ("mTLS", ""),
        (_, Some((strategy, value))) if is_known(strategy) => (strategy, value),
        _ => return,
    };
    let accepted = match standing {
        Standing::Known(caller) | Standing::Refresher { caller, .. } => caller.user.as_ref(),
        Standing::Refused(_) => None,
    };
    if !(if accepted.is_some() { logging.log_successful } else { logging.log_failed }) {
        return;
    }
    let username = match accepted {
        Some(user) => Some(user.username.clone()),
        // Only the name: what else the header holds is or resembles a secret.
        None if strategy == "Basic" => tried_name(value),
        None => None,
    };
    let address = match peer {
        Peer::Network { address, .. } => address.to_canonical().to_string(),
        Peer::Socket => "domain socket".to_owned(),
    };
    let status = if accepted.is_some() { "success" } else { "failure" };
    let mut event = Object::new();
    let mut put = |name: &str, value: &str| drop(event.insert(name.to_owned(), Value::from(value)));
    if let Some(username) = &username {
        put("username", username);
    }
    put("status", status);
    put("type", "authentication");
    put("originating_ip", &address);
    put("request_method", head.method.as_str());
    put("path", head.uri.path());
    put("auth_strategy", strategy);
    let text = Value::Object(event).to_json();
    match accepted {
        Some(_) => tracing::info!(notify = true, tags = "auth-event", "{text}"),
        None => tracing::error!(tags = "auth-event", "{text}"),
    }
}

/// The name that somebody tried.
fn tried_name(value: &str) -> Option<String> {
    match crate::access::read_basic(value.trim()) {
        BasicHeader::Try(credentials) => credentials.into_iter().next().map(|tried| tried.username),
        BasicHeader::Empty | BasicHeader::Unreadable => None,
    }
}
