//! Who asks: another node, or somebody who has the rights to make two nodes known to each other.

use crate::access::tokens::Bearer;
use crate::access::{AuthError, User};
use crate::config::Route;
use crate::replication::nodes::book::{Book, Facts};
use crate::replication::nodes::{NodeRecord, edit};
use crate::server::Server;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};
use std::net::IpAddr;
use std::sync::Arc;

/// The header in which a node says its name.
pub(super) const NAME: &str = "x-node-name";

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Its other end.
    pub(super) address: IpAddr,
    /// Whether it is a TLS connection.
    pub(super) is_secure: bool,
    /// The certificate that the other end has shown.
    pub(super) shown: Option<Arc<Shown>>,
}

/// A certificate that a node has shown.
#[derive(Debug)]
pub(super) struct Shown {
    /// The names it is for, the common name first.
    pub(super) names: Vec<String>,
    /// Its serial number, see [`plain_serial`].
    pub(super) serial: String,
    /// Whether a trusted authority has signed it, it is valid now, and no list says that it was revoked.
    pub(super) is_trusted: bool,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Who {
    /// The name the other node says it has, or that its certificate has.
    pub(super) name: Option<String>,
    /// The node, when it is one that is known and has proved it.
    pub(super) node: Option<NodeRecord>,
    /// The route that leads to it, when it has proved its name and only a route names it.
    pub(super) route: Option<Route>,
    /// Whether the credentials of a super user came along.
    pub(super) is_super_user: bool,
    /// The serial number of its certificate.
    pub(super) serial: Option<String>,
    /// When it was removed, in epoch milliseconds.
    removed: Option<f64>,
}

/// Why somebody is turned away.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// When the asking node was removed here.
    pub(super) removed: Option<f64>,
}

impl Refusal {
    fn new(status: StatusCode, text: impl Into<String>) -> Refusal {
        Refusal { status, text: text.into(), removed: None }
    }

    pub(super) fn invalid(text: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, text)
    }

    pub(super) fn forbidden(text: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, text)
    }

    pub(super) fn unknown(text: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, text)
    }

    pub(super) fn unavailable(text: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl From<crate::error::OperationError> for Refusal {
    fn from(error: crate::error::OperationError) -> Refusal {
        if let Some(cause) = &error.cause {
            tracing::error!("a message of a node could not be answered: {cause:#}");
        }
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.message)
    }
}

impl Who {
    /// The node, if it is one of those that are known.
    pub(super) fn known(&self) -> Result<&NodeRecord, Refusal> {
        self.node.as_ref().ok_or_else(|| Refusal {
            removed: self.removed,
            ..Refusal::forbidden(match &self.name {
                Some(name) if self.removed.is_some() => format!("node '{name}' was removed here"),
                Some(name) => format!("node '{name}' is not known here, or has not proved its name"),
                None => "nodes have to prove their names".to_owned(),
            })
        })
    }

    /// Fails unless the one who asks may make nodes known to each other: a super user, or a node that is known.
    pub(super) fn may_join(&self) -> Result<(), Refusal> {
        if self.is_super_user || self.route.is_some() { Ok(()) } else { self.known().map(|_| ()) }
    }
}

/// Finds out who asks.
pub(super) async fn judge(
    server: &Arc<Server>,
    origin: &Origin,
    headers: &HeaderMap,
) -> Result<Who, Refusal> {
    let is_super_user = match headers.get(AUTHORIZATION) {
        Some(header) => {
            require_super_user(server, header.as_bytes()).await?;
            true
        }
        None => false,
    };
    let said = headers.get(NAME).and_then(|name| name.to_str().ok()).filter(|name| !name.is_empty());
    let serial = origin.shown.as_ref().map(|shown| shown.serial.clone());
    if let Some(serial) = &serial
        && is_revoked(server, serial)
    {
        return Err(Refusal::forbidden("this certificate was revoked"));
    }
    let mut who =
        Who { name: said.map(str::to_owned), node: None, route: None, is_super_user, serial, removed: None };
    let shown = origin.shown.as_ref().filter(|shown| shown.is_trusted);
    if let Some(name) = shown.and_then(|shown| certified_name(server, &shown.names, said)) {
        who.name = Some(name.clone());
        who.node = server.replication.link.nodes.find(&name);
        who.route = route_of(server, &name);
    } else if let Some(name) = said {
        let node = server.replication.link.nodes.find(name);
        if is_super_user {
            who.node = node;
        } else if !origin.is_secure {
            who.route = plain_route(server, name, origin.address).await;
            who.node = match node {
                Some(node) if plain_node_fits(&node, origin.address).await => Some(node),
                _ => None,
            };
        }
    }
    if who.node.is_none()
        && let Some(name) = &who.name
    {
        who.removed = Book::read(&server.store)?.links.get(name).and_then(|link| link.removed);
        if fault!("removed-nodes-come-back") && who.removed.is_some() {
            let name = name.clone();
            edit(server, move |book| book.know(&name, &Facts::default(), None)).await?;
        }
        // What an operator has removed is not let in again because of a line of the configuration.
        who.route = who.route.filter(|_| who.removed.is_none());
    }
    Ok(who)
}

/// The name that a certificate proves: of those it has, the one that is known; the one said when several are.
fn certified_name(server: &Arc<Server>, names: &[String], said: Option<&str>) -> Option<String> {
    let link = &server.replication.link;
    let is_known = |name: &&String| link.nodes.find(name).is_some() || route_of(server, name).is_some();
    let first = names.first()?;
    // A certificate of one node may be for hosts, too, that others are called by.
    if is_known(&first) {
        return Some(first.clone());
    }
    let known: Vec<&String> = names.iter().filter(is_known).collect();
    let chosen = known.iter().find(|name| Some(name.as_str()) == said).or(known.first());
    Some((*chosen.unwrap_or(&first)).clone())
}

fn route_of(server: &Arc<Server>, name: &str) -> Option<Route> {
    server.config.replication.routes.iter().find(|route| route.name == name).cloned()
}

/// Whether a serial number is among those that are not accepted.
pub(super) fn is_revoked(server: &Arc<Server>, serial: &str) -> bool {
    let nodes = server.replication.link.nodes.current();
    let of_nodes = nodes.iter().flat_map(|node| &node.revoked_certificates);
    let of_routes = server.config.replication.routes.iter().flat_map(|route| &route.revoked_certificates);
    !fault!("revoked-accepted") && of_nodes.chain(of_routes).any(|revoked| plain_serial(revoked) == serial)
}

/// A serial number in small hexadecimal digits, without colons or zeros in front.
pub(super) fn plain_serial(text: &str) -> String {
    let text = text.trim().trim_start_matches("0x");
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits.trim_start_matches('0').to_ascii_lowercase()
}

/// Without TLS a node is where its URL says that it is.
async fn plain_node_fits(node: &NodeRecord, address: IpAddr) -> bool {
    let host = if node.url.is_some() { node.host() } else { Some(node.name.clone()) };
    // Who is to be reached by TLS has to prove its name by TLS.
    let insecure = node.url.is_none() || !node.is_secure();
    insecure && is_at(host.as_deref(), address).await
}

/// The route without TLS that leads to where a node asks from: the one of its name, or else any.
async fn plain_route(server: &Arc<Server>, name: &str, address: IpAddr) -> Option<Route> {
    let settings = &server.config.replication;
    let mut found = None;
    for route in &settings.routes {
        let url = settings.url_of_route(route);
        if url.starts_with("ws://") && is_at(Some(&route.name), address).await {
            if route.name == name {
                return Some(route.clone());
            }
            found = found.or(Some(route));
        }
    }
    found.cloned()
}

/// Whether a host has an address.
pub(super) async fn is_at(host: Option<&str>, address: IpAddr) -> bool {
    let Some(host) = host else { return false };
    if let Ok(literal) = host.parse::<IpAddr>() {
        return literal.to_canonical() == address;
    }
    match tokio::net::lookup_host((host, 0)).await {
        Ok(mut found) => found.any(|found| found.ip().to_canonical() == address),
        Err(_) => false,
    }
}

async fn require_super_user(server: &Arc<Server>, header: &[u8]) -> Result<(), Refusal> {
    let header = std::str::from_utf8(header).unwrap_or_default().trim();
    let unauthenticated = |error: AuthError| Refusal::new(StatusCode::UNAUTHORIZED, error.to_string());
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    let user: Arc<User> = match scheme {
        "Basic" => server.access.verify_basic(value.trim()).await.map_err(unauthenticated)?,
        "Bearer" => match server.access.verify_bearer(value.trim()).await.map_err(unauthenticated)? {
            Bearer::Operation(user) => user,
            Bearer::Refresh(_) => return Err(unauthenticated(AuthError::InvalidToken)),
        },
        _ => return Err(unauthenticated(AuthError::LoginFailed)),
    };
    if user.active && user.is_super_user() {
        return Ok(());
    }
    Err(Refusal::forbidden("only a super user may do this"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_compared_without_their_form() {
        for text in ["0A0B0C", "a0b0c", "0a:0b:0c", " 0x0A0B0C "] {
            assert_eq!(plain_serial(text), "a0b0c");
        }
    }

    #[tokio::test]
    async fn hosts_have_addresses() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(is_at(Some("127.0.0.1"), local).await && is_at(Some("localhost"), local).await);
        assert!(!is_at(Some("127.0.0.2"), local).await && !is_at(None, local).await);
    }
}
