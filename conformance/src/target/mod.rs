//! The endpoint under test: where it is, how to log in, and every exchange with it.

mod between;
mod binary;
mod client;
mod wire;

pub use between::{Between, Means};
pub use binary::{Form, decode, encode};
pub(crate) use client::cause;
pub use wire::WireAnswers;

use crate::services;
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long one exchange may take before the target counts as not answering.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a connection may take to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host and port.
    Tcp {
        /// True for `https`.
        tls: bool,
        /// The host's name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix domain socket.
    Unix(PathBuf),
}

/// A username and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// The secret.
    pub password: String,
}

impl Credentials {
    /// What is tried where none are given: `admin` and `password`.
    pub fn usual() -> Self {
        Credentials { username: "admin".to_owned(), password: "password".to_owned() }
    }

    /// Credentials from `user:password`; the password may hold colons.
    pub fn parse(text: &str) -> Option<Self> {
        let (username, password) = text.split_once(':')?;
        Some(Credentials { username: username.to_owned(), password: password.to_owned() })
    }

    /// The value of a Basic `Authorization` header.
    pub fn basic(&self) -> String {
        format!("Basic {}", self.encoded())
    }

    /// The base64 of `user:password`.
    pub fn encoded(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.username, self.password))
    }
}

/// Why a target cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The address is not understood.
    #[error("'{0}' is no endpoint: give http://host:port, https://host:port or unix:/path/to/socket")]
    Address(String),
    /// The HTTP client could not be built.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
}

/// Why one exchange brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Fault {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection ended or broke before a whole answer was there.
    #[error("no complete answer: {0}")]
    Broken(String),
    /// Nothing came in time.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// What came is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    Malformed(String),
}

/// A request as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "body_text", default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<u8>,
    /// The whole request as bytes, when it is sent as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
}

impl Request {
    /// The request that runs an operation.
    pub fn operation(body: &Value, authorization: Option<String>) -> Self {
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(authorization.map(|value| ("Authorization".to_owned(), value)));
        Request {
            method: "POST".into(),
            path: "/".into(),
            headers,
            body: body.to_string().into_bytes(),
            wire: None,
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body as JSON, when it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An answer, decoded as far as its media type allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// JSON as its value, other text as a string, other bytes as `{"base64_bytes": length}`.
    pub body: Value,
    /// How the binary media types laid the body out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The body as text, when it is text.
    #[serde(default, skip)]
    pub text: Option<String>,
}

impl Answer {
    /// Decodes the body by its media type.
    pub fn new(status: u16, headers: Vec<(String, String)>, bytes: &[u8]) -> Self {
        let kind = find_header(&headers, "content-type").unwrap_or_default().to_ascii_lowercase();
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        let (mut body, mut form) = (None, None);
        // Some products refuse credentials with a JSON body that they do not announce.
        let unannounced = kind.is_empty() && bytes.starts_with(b"{");
        if (kind.contains("json") && !bytes.is_empty()) || unannounced {
            body = serde_json::from_slice(bytes).ok();
        } else if let Some((value, laid_out)) = decode(&kind, bytes) {
            (body, form) = (Some(value), Some(laid_out));
        }
        let body = body.unwrap_or_else(|| match &text {
            Some(text) => Value::String(text.clone()),
            None => serde_json::json!({"base64_bytes": bytes.len()}),
        });
        Answer { status, headers, body, form, text }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The media type, in lower case; empty when there is none.
    pub fn content_type(&self) -> String {
        self.header("content-type").unwrap_or_default().to_ascii_lowercase()
    }

    /// The text of an error body.
    pub fn error(&self) -> Option<&str> {
        self.body.get("error").and_then(Value::as_str)
    }

    /// True when the target says that it does not offer an operation: status 501, or the operation's name is
    /// unknown to it.
    pub fn declines(&self, operation: &str) -> bool {
        self.status == 501
            || (self.status == 400 && self.error() == Some(&format!("Operation '{operation}' not found")))
    }
}

/// An answer with its body as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: bytes::Bytes,
}

/// A request with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How long it took.
    pub millis: f64,
}

/// The endpoint under test.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it is.
    pub place: Place,
    /// The super user that the suite acts as.
    pub admin: Credentials,
    client: reqwest::Client,
    client2: reqwest::Client,
    between: Option<Arc<dyn Between>>,
}

/// How to reach the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    /// Accept any certificate.
    pub insecure: bool,
}

impl Target {
    /// Makes ready to talk to an endpoint; nothing is sent yet.
    ///
    /// # Errors
    /// [`TargetError`] when the address is not understood.
    pub fn new(address: &str, admin: Credentials, reach: Reach) -> Result<Self, TargetError> {
        let place = parse_place(address).ok_or_else(|| TargetError::Address(address.to_owned()))?;
        let client = client::build(&place, reach, false)?;
        let client2 = client::build(&place, reach, true)?;
        Ok(Target { place, admin, client, client2, between: None })
    }

    /// The address, as a user would write it.
    pub fn address(&self) -> String {
        match &self.place {
            Place::Tcp { tls, host, port } => {
                format!("{}://{host}:{port}", if *tls { "https" } else { "http" })
            }
            Place::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// True when it is on this machine.
    pub fn is_here(&self) -> bool {
        match &self.place {
            Place::Unix(_) => true,
            Place::Tcp { host, .. } => services::is_loopback(host),
        }
    }

    /// The same endpoint with somebody between it and the suite.
    pub fn with_between(self, between: Arc<dyn Between>) -> Self {
        Target { between: Some(between), ..self }
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&self, request: Request) -> Exchange {
        self.send_by(Means::Pooled, request).await
    }

    /// Sends a request over HTTP/2, known beforehand to be spoken.
    pub async fn send_http2(&self, request: Request) -> Exchange {
        self.send_by(Means::Http2, request).await
    }

    /// Sends a request with exactly the headers given, none added but `Host` and the body's length.
    pub async fn send_plain(&self, request: Request) -> Exchange {
        self.send_by(Means::Plain, request).await
    }

    /// Sends a request by one of the means there are.
    pub async fn send_by(&self, means: Means, request: Request) -> Exchange {
        match &self.between {
            Some(between) => between.exchange(self, means, request).await,
            None => self.send_directly(means, request).await,
        }
    }

    /// Sends a request past whoever is between.
    pub async fn send_directly(&self, means: Means, request: Request) -> Exchange {
        match means {
            Means::Pooled => client::send(self, &self.client, request).await,
            Means::Http2 => client::send(self, &self.client2, request).await,
            Means::Plain => wire::send_plain(self, request).await,
        }
    }

    /// Sends a request on a pooled connection, past whoever is between, and leaves the answer's body as it is.
    ///
    /// # Errors
    /// [`Fault`] when there is no answer.
    pub async fn send_raw(&self, request: &Request) -> Result<Raw, Fault> {
        client::raw(self, &self.client, request).await
    }

    /// Sends bytes as they are and collects the answers that come back.
    pub async fn send_wire(&self, bytes: &[u8], expect: usize) -> WireAnswers {
        wire::send_wire(self, bytes, expect).await
    }

    /// Runs an operation as the super user.
    pub async fn operate(&self, body: &Value) -> Exchange {
        self.send(Request::operation(body, Some(self.admin.basic()))).await
    }
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Reads `http://host:port`, `https://host:port`, `host:port` or `unix:/path`.
fn parse_place(address: &str) -> Option<Place> {
    if let Some(path) = address.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return (!path.is_empty()).then(|| Place::Unix(PathBuf::from(path)));
    }
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let url = reqwest::Url::parse(&address).ok()?;
    let tls = match url.scheme() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let default = if tls { 443 } else { 80 };
    Some(Place::Tcp { tls, host: url.host_str()?.to_owned(), port: url.port().unwrap_or(default) })
}

/// Bodies in reports: text as text, anything else as base64.
mod body_text {
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    const PREFIX: &str = "base64:";

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.serialize(serializer),
            Err(_) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
                format!("{PREFIX}{encoded}").serialize(serializer)
            }
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_prefix(PREFIX) {
            Some(encoded) => {
                base64::engine::general_purpose::STANDARD.decode(encoded).map_err(serde::de::Error::custom)
            }
            None => Ok(text.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let tcp = |tls, host: &str, port| Some(Place::Tcp { tls, host: host.into(), port });
        assert_eq!(parse_place("http://127.0.0.1:9925"), tcp(false, "127.0.0.1", 9925));
        assert_eq!(parse_place("https://db.example/"), tcp(true, "db.example", 443));
        assert_eq!(parse_place("localhost:9925"), tcp(false, "localhost", 9925));
        assert_eq!(parse_place("unix:/run/ops"), Some(Place::Unix("/run/ops".into())));
        assert_eq!(parse_place("ftp://x"), None);
        assert_eq!(parse_place("unix:"), None);
    }

    #[test]
    fn an_operation_that_is_not_offered() {
        let json = vec![("content-type".to_owned(), "application/json".to_owned())];
        let unknown = Answer::new(400, json.clone(), br#"{"error":"Operation 'sql' not found"}"#);
        assert!(unknown.declines("sql") && !unknown.declines("insert"));
        assert!(Answer::new(501, json.clone(), br#"{"error":"not offered"}"#).declines("sql"));
        assert!(!Answer::new(500, json, b"{}").declines("sql"));
    }
}
