//! The way to other nodes: messages to them, and the port on loopback behind which a peer's NATS server seems to be.

use super::front::PROTOCOL;
use super::identify::NAME;
use super::pipes::Pipe;
use super::tls::serial_of;
use super::{LinkError, NatsAddress};
use crate::certificates::Certificate;
use crate::config::{host_of, node_url};
use crate::replication::nodes::{NodeRecord, Secret};
use crate::server::Server;
use crate::value::{Object, Value, parse_json};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use reqwest::Url;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// How long a connection may take to be there.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long an answer may take, the making of a certificate included.
const ANSWERING: Duration = Duration::from_secs(20);
/// The longest answer.
const ANSWER_LIMIT: usize = 4 << 20;

/// A node about to be talked to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Where it is.
    pub(super) url: Url,
    /// The name its certificate is to prove.
    pub(super) name: String,
    /// Whether its certificate is looked at.
    pub(super) verify: bool,
    /// The credentials shown to it.
    pub(super) authorization: Option<Secret>,
}

impl Target {
    /// A node that is known.
    pub(super) fn of(server: &Arc<Server>, node: &NodeRecord) -> Result<Target, LinkError> {
        let url = node.url.clone().unwrap_or_else(|| server.config.replication.url_of(&node.name, None));
        let url = node_url(&url).ok_or_else(|| LinkError::new(format!("'{url}' is no URL of a node")))?;
        Ok(Target { url, name: node.name.clone(), verify: true, authorization: node.authorization.clone() })
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

struct Connection {
    stream: Box<dyn Stream>,
    /// The serial number of the certificate that the other end has shown.
    serial: Option<String>,
}

async fn connect(server: &Arc<Server>, target: &Target) -> Result<Connection, LinkError> {
    let (host, port) = (host_of(&target.url), target.url.port_or_known_default().unwrap_or_default());
    let stream = tokio::time::timeout(CONNECTING, TcpStream::connect((host.as_str(), port)))
        .await
        .map_err(|_| LinkError::new(format!("{} does not answer", target.url)))?
        .map_err(|error| LinkError::new(format!("{} cannot be reached: {error}", target.url)))?;
    let _ = stream.set_nodelay(true);
    if target.url.scheme() != "wss" {
        return Ok(Connection { stream: Box::new(stream), serial: None });
    }
    let refused = |error: String| LinkError::new(format!("{} refused TLS: {error}", target.url));
    let tls = &server.replication.link.tls;
    let offer = tls.offer(server).await?;
    let config =
        offer.connecting(server, &target.name, target.verify).map_err(|error| refused(error.to_string()))?;
    let name = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| refused(error.to_string()))?;
    let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
    if target.verify && !tls.stands(server, &offer, &chain).await {
        return Err(refused("its certificate was revoked, or cannot be looked up".to_owned()));
    }
    let serial = Certificate::of(chain).map(|certificate| serial_of(&certificate));
    Ok(Connection { stream: Box::new(stream), serial })
}

/// Sends a message and returns the answer.
///
/// # Errors
/// When the node cannot be reached, or refuses.
pub(super) async fn post(
    server: &Arc<Server>,
    target: &Target,
    message: &Object,
) -> Result<Value, LinkError> {
    let sent = async {
        let connection = connect(server, target).await?;
        let body = Full::new(Bytes::from(Value::Object(message.clone()).to_json()));
        let request = request(server, target, Method::POST, body)?;
        let (status, body) = read(send(connection.stream, request).await?).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(refusal(target, status, &body)) }
    };
    in_time(target, sent).await
}

/// Opens a pipe to the NATS server of a node. With it comes the serial number of the node's certificate.
async fn open(server: &Arc<Server>, target: &Target) -> Result<(Upgraded, Option<String>), LinkError> {
    let opened = async {
        let connection = connect(server, target).await?;
        let mut request = request(server, target, Method::GET, Full::default())?;
        for (name, value) in [(CONNECTION, "upgrade"), (UPGRADE, PROTOCOL)] {
            request.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
        }
        let response = send(connection.stream, request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (status, body) = read(response).await?;
            return Err(refusal(target, status, &body));
        }
        let upgraded =
            hyper::upgrade::on(response).await.map_err(|error| LinkError::new(error.to_string()))?;
        Ok((upgraded, connection.serial))
    };
    in_time(target, opened).await
}

async fn in_time<T>(
    target: &Target,
    work: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    let timed = tokio::time::timeout(ANSWERING, work).await;
    timed.unwrap_or_else(|_| Err(LinkError::new(format!("{} did not answer in time", target.url))))
}

fn request(
    server: &Arc<Server>,
    target: &Target,
    method: Method,
    body: Full<Bytes>,
) -> Result<Request<Full<Bytes>>, LinkError> {
    let mut request = Request::builder()
        .method(method)
        .uri("/")
        .header(HOST, target.url.host_str().unwrap_or_default())
        .header(CONTENT_TYPE, "application/json")
        .header(NAME, server.replication.link.identity.name());
    if let Some(Secret(authorization)) = &target.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    request.body(body).map_err(|error| LinkError::new(error.to_string()))
}

async fn send(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, LinkError> {
    let broken = |error: hyper::Error| LinkError::new(format!("the connection broke: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the stream, or when the pipe takes it over.
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await.map_err(broken)
}

async fn read(response: Response<Incoming>) -> Result<(StatusCode, Value), LinkError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
    let bytes = body.map_err(|error| LinkError::new(format!("the answer broke off: {error}")))?.to_bytes();
    let no_node = || LinkError::new(format!("what answered with status {} is no node", status.as_u16()));
    parse_json(&bytes)
        .ok()
        .filter(|body| body.as_object().is_some())
        .map(|body| (status, body))
        .ok_or_else(no_node)
}

fn refusal(target: &Target, status: StatusCode, body: &Value) -> LinkError {
    let text = body.get("error").and_then(Value::as_str).unwrap_or("it gave no reason");
    LinkError {
        text: format!("{} refused with {}: {text}", target.url, status.as_u16()),
        removed: body.get("removed").and_then(Value::as_number),
    }
}

/// The ports behind which the NATS servers of peers seem to be.
#[derive(Default)]
pub(super) struct Diallers(Mutex<HashMap<String, SocketAddr>>);

/// The NATS server of a peer, as it can be reached from here while the peer is known.
pub(super) async fn nats_of(server: &Arc<Server>, peer: &NodeRecord) -> Result<NatsAddress, LinkError> {
    let target = Target::of(server, peer)?;
    let question = super::handshake::message("credentials", []);
    let answer = post(server, &target, &question).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(user), Some(password)) = (text("user"), text("password")) else {
        return Err(LinkError::new(format!("{} does not tell how to log in", target.url)));
    };
    let address = dialler(server, &peer.name).await.map_err(|error| LinkError::new(error.to_string()))?;
    Ok(NatsAddress { address, user, password })
}

/// The port for a peer, opened when it is not there yet.
async fn dialler(server: &Arc<Server>, name: &str) -> io::Result<SocketAddr> {
    let link = &server.replication.link;
    if let Some(address) = link.diallers.0.lock().get(name) {
        return Ok(*address);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    {
        let mut open = link.diallers.0.lock();
        // Somebody else may have been quicker.
        if let Some(other) = open.get(name) {
            return Ok(*other);
        }
        open.insert(name.to_owned(), address);
    }
    link.tasks.spawn(accept(Arc::downgrade(server), listener, name.to_owned()));
    Ok(address)
}

/// Serves the port of a peer as long as the peer is known.
async fn accept(server: Weak<Server>, listener: TcpListener, name: String) {
    let mut changes = match server.upgrade() {
        Some(server) => crate::replication::nodes::watch(&server),
        None => return,
    };
    loop {
        let accepted = tokio::select! {
            biased;
            _ = changes.changed() => None,
            accepted = listener.accept() => accepted.ok(),
        };
        let Some(server) = server.upgrade() else { return };
        let link = &server.replication.link;
        if link.nodes.find(&name).is_none() {
            link.diallers.0.lock().remove(&name);
            return;
        }
        if let Some((local, _)) = accepted {
            let _ = local.set_nodelay(true);
            link.tasks.spawn(lead(Arc::downgrade(&server), local, name.clone()));
        }
    }
}

/// Leads one connection of the own NATS client to the peer's server.
async fn lead(server: Weak<Server>, local: TcpStream, name: String) {
    let opened = async {
        let server = server.upgrade()?;
        let link = &server.replication.link;
        let target = Target::of(&server, &link.nodes.find(&name)?).ok()?;
        let (upgraded, serial) = match open(&server, &target).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!("no pipe to node '{name}': {error}");
                return None;
            }
        };
        let place = link.pipes.enter(Pipe { node: name.clone(), serial });
        // Who was removed meanwhile has not been among those whose connections were ended.
        link.nodes.find(&name).map(|_| (upgraded, place))
    };
    if let Some((upgraded, place)) = opened.await {
        place.run(local, TokioIo::new(upgraded)).await;
    }
}
