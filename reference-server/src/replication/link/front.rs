//! Where other nodes connect.

use super::identify::{Origin, Refusal, Shown};
use super::pipes::Pipe;
use super::{handshake, identify};
use crate::config::SecurePort;
use crate::server::Server;
use crate::value::{Object, Value, object, parse_json};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The largest message of another node.
const MESSAGE_LIMIT: usize = 4 << 20;
/// How long a node may take to send the head of a message, or the rest of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The protocol that connections are turned into.
pub(super) const PROTOCOL: &str = "nats";

type Answer = Response<Full<Bytes>>;

/// The sockets that are listened on.
#[derive(Default)]
pub(super) struct Front(Mutex<Addresses>);

#[derive(Clone, Copy, Default)]
struct Addresses {
    plain: Option<SocketAddr>,
    secure: Option<SocketAddr>,
}

impl Front {
    pub(super) fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let addresses = *self.0.lock();
        (addresses.plain, addresses.secure)
    }

    pub(super) fn forget(&self) {
        *self.0.lock() = Addresses::default();
    }

    /// Serves on a socket until everything ends.
    pub(super) fn listen(
        &self,
        server: &Arc<Server>,
        listener: StdListener,
        is_secure: bool,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        {
            let mut addresses = self.0.lock();
            *if is_secure { &mut addresses.secure } else { &mut addresses.plain } = Some(address);
        }
        server.replication.link.tasks.spawn(accept(Arc::downgrade(server), listener, is_secure));
        Ok(())
    }
}

/// Makes sure that another node can reach this one in its way: with TLS on the configured port, or on the usual one;
/// without TLS on the configured port, or on any where nothing is said of ports.
pub(super) fn ensure(server: &Arc<Server>, peer_is_secure: bool) -> io::Result<()> {
    let front = &server.replication.link.front;
    let settings = &server.config.replication;
    let (plain, secure) = front.addresses();
    if (if peer_is_secure { secure } else { plain }).is_some() {
        return Ok(());
    }
    let port = if peer_is_secure {
        let port = settings.listening_secure_port();
        port.ok_or_else(|| {
            io::Error::other("this node has no replication.securePort for connections with TLS")
        })?
    } else if matches!(settings.secure_port, SecurePort::Given(_)) && settings.port.is_none() {
        return Err(io::Error::other("this node has no replication.port for connections without TLS"));
    } else {
        settings.port.unwrap_or(0)
    };
    let listener = StdListener::bind((server.config.network.host.as_str(), port));
    let listener = listener
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on port {port}: {error}")))?;
    front.listen(server, listener, peer_is_secure)
}

async fn accept(server: Weak<Server>, listener: TcpListener, is_secure: bool) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let _ = stream.set_nodelay(true);
                let Some(strong) = server.upgrade() else { return };
                let task = greet(server.clone(), stream, address, is_secure);
                strong.replication.link.tasks.spawn(task);
            }
            Err(error) => {
                tracing::warn!("a connection of a node could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn greet(server: Weak<Server>, stream: TcpStream, address: SocketAddr, is_secure: bool) {
    let mut origin = Origin { address: address.ip().to_canonical(), shown: None, is_secure };
    if !is_secure {
        return serve(server, stream, origin).await;
    }
    match tokio::time::timeout(PATIENCE, secured(&server, stream)).await {
        Ok(Ok((stream, shown))) => {
            origin.shown = shown.map(Arc::new);
            serve(server, stream, origin).await;
        }
        Ok(Err(error)) => tracing::debug!("a node did not agree on TLS: {error}"),
        Err(_) => tracing::debug!("a node took too long to agree on TLS"),
    }
}

async fn secured(
    server: &Weak<Server>,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Option<Shown>)> {
    let server = server.upgrade().ok_or_else(|| io::Error::other("the node stops"))?;
    let tls = &server.replication.link.tls;
    let offer = tls.offer(&server).await.map_err(io::Error::other)?;
    let stream = TlsAcceptor::from(Arc::clone(&offer.accepting)).accept(stream).await?;
    let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec);
    let shown = match chain {
        Some(chain) => tls.judge(&server, &offer, chain).await,
        None => None,
    };
    Ok((stream, shown))
}

async fn serve<S>(server: Weak<Server>, stream: S, origin: Origin)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, origin) = (server.upgrade(), origin.clone());
        async move {
            let answer = match server {
                Some(server) => answer(&server, &origin, request).await,
                None => Err(Refusal::unavailable("the node stops")),
            };
            Ok::<_, Infallible>(answer.unwrap_or_else(|refusal| refused(&refusal)))
        }
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(PATIENCE).half_close(true);
    if let Err(error) = protocol.serve_connection(TokioIo::new(stream), service).with_upgrades().await {
        tracing::debug!("a connection of a node ended early: {error}");
    }
}

async fn answer(
    server: &Arc<Server>,
    origin: &Origin,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    if request.uri().path() != "/" {
        return Err(Refusal::unknown("there is nothing here"));
    }
    match *request.method() {
        Method::POST => message(server, origin, request).await,
        Method::GET if asks_for_pipe(&request) => pipe(server, origin, request).await,
        _ => Err(Refusal::unknown("nodes POST messages, or GET with Upgrade: nats")),
    }
}

async fn message(
    server: &Arc<Server>,
    origin: &Origin,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MESSAGE_LIMIT).collect();
    let body = tokio::time::timeout(PATIENCE, body).await;
    let bytes = match body {
        Ok(Ok(body)) => body.to_bytes(),
        _ => return Err(Refusal::invalid("the message could not be read")),
    };
    let Ok(Value::Object(message)) = parse_json(&bytes) else {
        return Err(Refusal::invalid("the message is no JSON object"));
    };
    let answer = handshake::answer(server, origin, &head.headers, &message).await?;
    Ok(json(StatusCode::OK, answer))
}

fn asks_for_pipe(request: &Request<Incoming>) -> bool {
    request
        .headers()
        .get(UPGRADE)
        .is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(PROTOCOL.as_bytes()))
}

/// Turns the connection into a pipe to the NATS server of this node.
async fn pipe(
    server: &Arc<Server>,
    origin: &Origin,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let who = identify::judge(server, origin, request.headers()).await?;
    let node = who.known()?.name.clone();
    let nats = server.replication.ensure_started().await;
    let nats = nats.map_err(|error| Refusal::unavailable(format!("{error:#}")))?;
    let upstream = TcpStream::connect(nats).await.map_err(|error| Refusal::unavailable(error.to_string()))?;
    let _ = upstream.set_nodelay(true);
    let link = &server.replication.link;
    let place = link.pipes.enter(Pipe { node: node.clone(), serial: who.serial.clone() });
    // Who was removed meanwhile has not been among those whose connections were ended.
    if link.nodes.find(&node).is_none() {
        return Err(Refusal::forbidden("this node is not known here"));
    }
    let upgraded = hyper::upgrade::on(&mut request);
    link.tasks.spawn(async move {
        match upgraded.await {
            Ok(stream) => place.run(TokioIo::new(stream), upstream).await,
            Err(error) => {
                tracing::debug!("a connection of node '{node}' was not turned into a pipe: {error}")
            }
        }
    });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
    Ok(answer)
}

fn refused(refusal: &Refusal) -> Answer {
    let mut members = Object::from_iter([("error".to_owned(), Value::from(refusal.text.as_str()))]);
    if let Some(time) = refusal.removed {
        members.insert("removed".to_owned(), Value::Number(time));
    }
    json(refusal.status, Value::Object(members))
}

fn json(status: StatusCode, body: Value) -> Answer {
    let body = if body.is_null() { object([]) } else { body };
    let mut answer = Response::new(Full::from(body.to_json()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
