//! `replication.*`: how this node belongs to a cluster; and `clustering.*`, what was its place before.

use super::Verification;
use super::settings::Reader;
use crate::value::{Object, Value, number_text, object};
use reqwest::Url;
use std::time::Duration;

/// The port that nodes reach each other on unless told otherwise.
pub const SECURE_PORT: u16 = 9933;

/// `replication.*`.
#[derive(Clone, Debug)]
pub struct Replication {
    /// `hostname`: the name of this node.
    pub hostname: Option<String>,
    /// `url`: how others reach this node.
    pub url: Option<String>,
    /// `port`: for connections without TLS, whose other end is known by its address; 0 takes a free one.
    pub port: Option<u16>,
    /// `securePort`: for connections with TLS.
    pub secure_port: SecurePort,
    /// `routes`: the nodes that are connected to at the start.
    pub routes: Vec<Route>,
    /// `databases`: what is replicated.
    pub databases: Databases,
    /// `enableRootCAs`: trust the public authorities that this machine trusts.
    pub enable_root_cas: bool,
    /// `mtls.certificateVerification`: whether lists of revoked certificates are looked at.
    pub verification: Option<Verification>,
    /// `failOver`: take the changes of a dead node from others.
    pub fail_over: bool,
    /// `shard`: the shard of this node.
    pub shard: Option<u32>,
    /// `replicateTo`: how many other nodes hold a record; `None` for all.
    pub replicate_to: Option<u32>,
    /// `blobTimeout`: how long the fetching of a blob may take.
    pub blob_timeout: Duration,
    /// `analytics.replicate`: share aggregated analytics.
    pub analytics: bool,
    /// `REPLICATION_NATS_URL`: the NATS server to use instead of one of our own.
    pub nats_url: Option<String>,
}

/// `replication.securePort`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurePort {
    /// The usual one, where no plain one is set.
    #[default]
    Usual,
    /// None.
    Off,
    /// This one; 0 takes a free one.
    Given(u16),
}

/// Which ways changes flow between this node and another, seen from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// We send to it.
    pub sends: bool,
    /// We take from it.
    pub receives: bool,
}

impl Default for Flow {
    fn default() -> Flow {
        Flow { sends: true, receives: true }
    }
}

impl Flow {
    /// What `replicates` says: a boolean for both ways, or `{sends, receives}`.
    pub fn read(value: Option<&Value>) -> Flow {
        let both = |flag: bool| Flow { sends: flag, receives: flag };
        match value {
            Some(Value::Bool(flag)) => both(*flag),
            Some(section @ Value::Object(_)) => {
                let way = |name: &str| section.get(name).and_then(Value::as_bool).unwrap_or(true);
                Flow { sends: way("sends"), receives: way("receives") }
            }
            _ => Flow::default(),
        }
    }

    /// The same as the other node sees it.
    pub fn mirrored(self) -> Flow {
        Flow { sends: self.receives, receives: self.sends }
    }

    /// `true`, or `{sends, receives}`.
    pub fn to_value(self) -> Value {
        if self == Flow::default() {
            return Value::Bool(true);
        }
        object([("sends", self.sends.into()), ("receives", self.receives.into())])
    }
}

/// A member of `replication.routes`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The name of the node, as far as the route tells it.
    pub name: String,
    /// Where it is, when the route is a URL.
    pub url: Option<String>,
    /// The port, when the route is a host.
    pub port: Option<u16>,
    /// `startTime`: changes from then on instead of a copy.
    pub start_time: Option<String>,
    /// `revokedCertificates`: serial numbers that are not accepted.
    pub revoked_certificates: Vec<String>,
    /// `shard`.
    pub shard: Option<u32>,
    /// `replicates`.
    pub replicates: Flow,
}

impl Route {
    /// Reads a host, a URL or an object; `None` when it says no place.
    pub fn read(value: &Value) -> Option<Route> {
        let Value::Object(members) = value else {
            return Route::place(value.as_str()?);
        };
        let host = ["hostname", "host", "url"].iter().find_map(|name| members.get(*name)?.as_str());
        let mut route = Route::place(host?)?;
        if let Some(url) = members.get("url").and_then(Value::as_str) {
            route.url = Route::place(url)?.url;
        }
        let whole = |name: &str| number(members.get(name)).filter(|number| number.fract() == 0.0);
        if let Some(port) = whole("port") {
            route.port = (0.0..=65_535.0).contains(&port).then_some(port as u16);
        }
        route.start_time = ["startTime", "start_time"]
            .iter()
            .find_map(|name| members.get(*name)?.as_str())
            .map(str::to_owned);
        let revoked =
            ["revokedCertificates", "revoked_certificates"].iter().find_map(|name| members.get(*name));
        route.revoked_certificates = texts(revoked);
        route.shard =
            whole("shard").filter(|shard| (0.0..65_536.0).contains(shard)).map(|shard| shard as u32);
        route.replicates = Flow::read(members.get("replicates"));
        Some(route)
    }

    fn place(text: &str) -> Option<Route> {
        if text.contains("://") {
            let url = node_url(text)?;
            return Some(Route { name: host_of(&url), url: Some(text.to_owned()), ..Route::default() });
        }
        // A host, perhaps with a port.
        let url = node_url(&format!("ws://{text}"))?;
        Some(Route { name: host_of(&url), port: url.port(), ..Route::default() })
    }
}

/// The URL of a node: `wss://…` or `ws://…`, or the same with the names of HTTP. URLs are shown, so that one with
/// credentials is none.
pub fn node_url(text: &str) -> Option<Url> {
    let text = match text.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => text.to_owned(),
    };
    let is_usable = |url: &Url| {
        let is_bare = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "ws" | "wss") && url.has_host() && is_bare
    };
    Url::parse(&text).ok().filter(is_usable)
}

/// The host of a URL, IPv6 addresses without brackets.
pub fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

/// `replication.databases`: which databases are replicated, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Databases(Option<Vec<DatabaseRule>>);

/// What is said of one database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatabaseRule {
    /// Its name.
    pub name: String,
    /// `sharded`: only with nodes of the same shard.
    pub sharded: bool,
    /// `replicateTo`: how many other nodes hold a record.
    pub replicate_to: Option<u32>,
}

impl Databases {
    fn read(value: Option<&Value>) -> Databases {
        let rule = |value: &Value| match value {
            Value::String(name) => Some(DatabaseRule { name: name.clone(), ..DatabaseRule::default() }),
            Value::Object(members) => Some(DatabaseRule {
                name: members.get("name")?.as_str()?.to_owned(),
                sharded: members.get("sharded").and_then(Value::as_bool).unwrap_or(false),
                replicate_to: number(members.get("replicateTo")).map(|count| count as u32),
            }),
            _ => None,
        };
        let rules: Vec<DatabaseRule> = match value {
            None | Some(Value::Null) => return Databases(None),
            Some(Value::Array(items)) => items.iter().filter_map(rule).collect(),
            Some(one) => rule(one).into_iter().collect(),
        };
        if rules.iter().any(|rule| rule.name == "*") { Databases(None) } else { Databases(Some(rules)) }
    }

    /// Whether a database is replicated.
    pub fn includes(&self, name: &str) -> bool {
        self.0.is_none() || self.rule(name).is_some()
    }

    /// What is said of a database by name.
    pub fn rule(&self, name: &str) -> Option<&DatabaseRule> {
        self.0.as_ref()?.iter().find(|rule| rule.name == name)
    }
}

impl Default for Replication {
    fn default() -> Replication {
        Replication {
            hostname: None,
            url: None,
            port: None,
            secure_port: SecurePort::Usual,
            routes: Vec::new(),
            databases: Databases::default(),
            enable_root_cas: true,
            verification: None,
            fail_over: true,
            shard: None,
            replicate_to: None,
            blob_timeout: Duration::from_mins(2),
            analytics: false,
            nats_url: None,
        }
    }
}

impl Replication {
    /// Whether the configuration makes this node part of a cluster.
    pub fn is_configured(&self) -> bool {
        self.hostname.is_some()
            || self.url.is_some()
            || self.port.is_some()
            || !self.routes.is_empty()
            || matches!(self.secure_port, SecurePort::Given(_))
    }

    /// Whether nodes are told apart by their addresses rather than by certificates.
    pub fn is_insecure(&self) -> bool {
        self.port.is_some() && !matches!(self.secure_port, SecurePort::Given(_))
    }

    /// The port of TLS that is listened on once there is replication.
    pub fn listening_secure_port(&self) -> Option<u16> {
        match self.secure_port {
            SecurePort::Given(port) => Some(port),
            SecurePort::Usual if self.port.is_none() => Some(SECURE_PORT),
            SecurePort::Usual | SecurePort::Off => None,
        }
    }

    /// Where a node is that only its host, and perhaps a port, are known of.
    pub fn url_of(&self, host: &str, port: Option<u16>) -> String {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        // A free port was taken here; the other node will not have the same.
        let usual = |port: Option<u16>| port.filter(|port| *port != 0).unwrap_or(SECURE_PORT);
        if self.is_insecure() {
            return format!("ws://{host}:{}", port.unwrap_or_else(|| usual(self.port)));
        }
        format!("wss://{host}:{}", port.unwrap_or_else(|| usual(self.listening_secure_port())))
    }

    /// Where a route leads.
    pub fn url_of_route(&self, route: &Route) -> String {
        route.url.clone().unwrap_or_else(|| self.url_of(&route.name, route.port))
    }

    /// What a tree says.
    pub(super) fn settle(&mut self, read: &Reader<'_>) {
        let text = |path: &str| match read.at(path) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number_text(*number)),
            _ => None,
        };
        self.hostname = text("replication.hostname");
        self.url = text("replication.url").filter(|url| {
            let usable = node_url(url).is_some();
            if !usable {
                tracing::warn!("replication.url is no ws:// or wss:// URL; it is left out");
            }
            usable
        });
        self.port = None;
        read.port("replication.port", &mut self.port);
        self.secure_port = match read.at("replication.securePort") {
            None => SecurePort::Usual,
            Some(Value::Null | Value::Bool(false)) => SecurePort::Off,
            Some(_) => {
                let mut port = None;
                read.port("replication.securePort", &mut port);
                port.map_or(SecurePort::Usual, SecurePort::Given)
            }
        };
        let routes = read.at("replication.routes").and_then(Value::as_array).unwrap_or_default();
        self.routes = routes
            .iter()
            .filter_map(|value| {
                let route = Route::read(value);
                if route.is_none() {
                    tracing::warn!("a member of replication.routes says no place; it is left out");
                }
                route
            })
            .collect();
        self.databases = Databases::read(read.at("replication.databases"));
        read.flag("replication.enableRootCAs", &mut self.enable_root_cas);
        read.flag("replication.failOver", &mut self.fail_over);
        self.verification = read.verification("replication.mtls.certificateVerification");
        let whole =
            |path: &str| number(read.at(path)).filter(|number| *number >= 0.0 && number.fract() == 0.0);
        self.shard = whole("replication.shard").filter(|shard| *shard < 65_536.0).map(|shard| shard as u32);
        self.replicate_to = whole("replication.replicateTo").map(|count| count as u32);
        read.limit("replication.blobTimeout", &mut self.blob_timeout);
        read.flag("analytics.replicate", &mut self.analytics);
    }

    /// What a configuration made in the program has beyond the usual, for a new file.
    pub(super) fn unusual(&self) -> Vec<(&'static str, Value)> {
        let mut values = Vec::new();
        let texts = [("replication.hostname", &self.hostname), ("replication.url", &self.url)];
        values
            .extend(texts.into_iter().filter_map(|(path, text)| Some((path, Value::from(text.as_deref()?)))));
        values.extend(self.port.map(|port| ("replication.port", Value::Number(port.into()))));
        match self.secure_port {
            SecurePort::Usual => {}
            SecurePort::Off => values.push(("replication.securePort", Value::Null)),
            SecurePort::Given(port) => values.push(("replication.securePort", Value::Number(port.into()))),
        }
        if !self.routes.is_empty() {
            values.push((
                "replication.routes",
                self.routes.iter().map(Route::to_value).collect::<Vec<_>>().into(),
            ));
        }
        values
    }
}

impl Route {
    fn to_value(&self) -> Value {
        let mut members = Object::from_iter([("hostname".to_owned(), Value::from(self.name.as_str()))]);
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        if let Some(url) = &self.url {
            set("url", Value::from(url.as_str()));
        }
        if let Some(port) = self.port {
            set("port", Value::Number(port.into()));
        }
        if !self.revoked_certificates.is_empty() {
            let serials = self.revoked_certificates.iter().map(|serial| Value::from(serial.as_str()));
            set("revokedCertificates", serials.collect::<Vec<_>>().into());
        }
        if self.replicates != Flow::default() {
            set("replicates", self.replicates.to_value());
        }
        Value::Object(members)
    }
}

/// `clustering.*`: the settings before 4.4, read so that their operations answer in their old form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clustering {
    /// `enabled`.
    pub enabled: bool,
    /// `nodeName`: the name of this node.
    pub node_name: Option<String>,
}

impl Clustering {
    pub(super) fn settle(&mut self, read: &Reader<'_>) {
        if let Some(Value::Bool(enabled)) = read.at("clustering.enabled") {
            self.enabled = *enabled;
        }
        if let Some(Value::String(name)) = read.at("clustering.nodeName") {
            self.node_name = Some(name.clone());
        }
    }
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => Some(*number),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn route(json: &str) -> Option<Route> {
        Route::read(&parse_json(json.as_bytes()).unwrap())
    }

    #[test]
    fn routes_have_many_forms() {
        let plain = Route { name: "a".to_owned(), ..Route::default() };
        assert_eq!(route(r#""a""#), Some(plain.clone()));
        assert_eq!(route(r#"{"host":"a"}"#), Some(plain.clone()));
        assert_eq!(route(r#""a:99""#), Some(Route { port: Some(99), ..plain.clone() }));
        assert_eq!(route(r#"{"hostname":"a","port":99}"#), Some(Route { port: Some(99), ..plain.clone() }));
        let url = Some("wss://a:9925".to_owned());
        assert_eq!(route(r#""wss://a:9925""#), Some(Route { url: url.clone(), ..plain.clone() }));
        assert_eq!(route(r#"{"url":"wss://a:9925"}"#), Some(Route { url, ..plain.clone() }));
        let one_way = route(r#"{"hostname":"a","replicates":{"sends":false},"revokedCertificates":["1A"]}"#);
        let expected = Route {
            replicates: Flow { sends: false, receives: true },
            revoked_certificates: vec!["1A".to_owned()],
            ..plain
        };
        assert_eq!(one_way, Some(expected.clone()));
        assert_eq!(Route::read(&expected.to_value()), Some(expected));
        for nothing in ["7", "{}", r#"{"port":1}"#, r#""""#, r#""ftp://a""#, r#""ws://me:secret@a""#] {
            assert_eq!(route(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn databases_are_all_or_some() {
        let read = |json: &str| Databases::read(Some(&parse_json(json.as_bytes()).unwrap()));
        assert!(Databases::default().includes("any") && read(r#""*""#).includes("any"));
        assert!(read(r#"["a","*"]"#).includes("any"));
        let some = read(r#"["a",{"name":"b","sharded":true,"replicateTo":2}]"#);
        assert!(some.includes("a") && some.includes("b") && !some.includes("c"));
        let rule = some.rule("b").unwrap();
        assert!(rule.sharded && rule.replicate_to == Some(2));
        assert!(!read("[]").includes("a"));
    }

    #[test]
    fn where_a_node_is_follows_the_own_mode() {
        let mut settings = Replication::default();
        assert_eq!(settings.url_of("b", None), "wss://b:9933");
        assert!(!settings.is_configured());
        settings.secure_port = SecurePort::Given(9000);
        assert_eq!(settings.url_of("b", None), "wss://b:9000");
        assert!(settings.is_configured());
        settings = Replication { port: Some(9001), ..Replication::default() };
        assert_eq!(settings.url_of("::1", None), "ws://[::1]:9001");
        assert_eq!(settings.url_of("b", Some(1)), "ws://b:1");
        assert_eq!(settings.listening_secure_port(), None);
    }
}
