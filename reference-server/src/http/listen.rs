//! The listeners: plain TCP, TLS, the unix domain socket.

use super::connection::{self, Phase};
use super::cors::Cors;
use super::listeners::Listeners;
use super::tls::SecurePort;
use super::{Certified, Peer, Site};
use crate::server::Server;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

/// How long requests in flight may take to finish once the server stops.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take, the making of a certificate for it included.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How much of a connection's input is held at once; requests' heads are bounded more tightly.
const BUFFER: usize = 64 * 1024;
/// How much of a body an HTTP/2 client may send ahead.
const WINDOW: u32 = 1024 * 1024;
/// How many requests an HTTP/2 connection may have in flight.
const STREAMS: u32 = 256;

/// An instance that listens. Dropping it closes the listeners and everything they accepted; [`Running::shutdown`]
/// lets requests in flight finish first.
#[derive(Debug)]
pub struct Running {
    /// Where plain HTTP is spoken.
    pub plain: Option<SocketAddr>,
    /// Where HTTPS is spoken.
    pub secure: Option<SocketAddr>,
    /// The unix domain socket.
    pub socket: Option<PathBuf>,
    listeners: Listeners,
    phase: watch::Sender<Phase>,
}

impl Running {
    /// Stops accepting, lets requests in flight finish for a few seconds, then closes what is left.
    pub async fn shutdown(mut self) {
        self.listeners = Listeners::default();
        self.end(Phase::Draining, DRAIN).await;
    }

    /// The sockets, for those who prepare what is to take them over.
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Stops accepting, though the sockets stay open: who connects waits for whoever has them next. Clients that
    /// are at work get one more answer on each connection, and requests in flight may finish within `patience`.
    /// Returns the sockets.
    pub async fn hand_over(mut self, patience: Duration) -> Listeners {
        self.end(Phase::Turning, patience).await;
        // The file of the domain socket stays, too.
        self.socket = None;
        std::mem::take(&mut self.listeners)
    }

    async fn end(&self, phase: Phase, patience: Duration) {
        self.phase.send_replace(phase);
        if tokio::time::timeout(patience, self.phase.closed()).await.is_err() {
            tracing::warn!("connections were still busy after {patience:?} and are closed");
            self.phase.send_replace(Phase::Stopped);
            self.phase.closed().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
        if let Some(socket) = &self.socket {
            let _ = fs::remove_file(socket);
        }
    }
}

/// Opens the listeners that the server's configuration asks for.
///
/// # Errors
/// When an address is taken.
pub async fn start(server: Arc<Server>) -> io::Result<Running> {
    let listeners = Listeners::open(&server.config, &Listeners::default())?;
    start_on(server, listeners)
}

/// Serves on sockets that are open already.
///
/// # Errors
/// When a socket cannot be used.
pub fn start_on(server: Arc<Server>, listeners: Listeners) -> io::Result<Running> {
    let network = &server.config.network;
    let tls = network.secure_port.map(|_| Arc::new(SecurePort::new(&server)));
    let seconds = network.keep_alive_timeout.as_secs();
    let site = Arc::new(Site {
        cors: Cors::new(&server.config),
        keep_alive: HeaderValue::from_str(&format!("timeout={seconds}")).map_err(io::Error::other)?,
        protocol: protocol(network.http2),
        server,
    });
    let (phase, watcher) = watch::channel(Phase::Serving);
    if let Some((_, listener)) = &listeners.plain {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        tokio::spawn(accept_tcp(listener, None, site.clone(), watcher.clone()));
    }
    if let (Some((_, listener)), Some(tls)) = (&listeners.secure, tls) {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        tokio::spawn(accept_tcp(listener, Some(tls), site.clone(), watcher.clone()));
    }
    if let Some((_, listener)) = &listeners.socket {
        let listener = UnixListener::from_std(listener.try_clone()?)?;
        tokio::spawn(accept_unix(listener, site, watcher));
    }
    tracing::info!(notify = true, thread = "main/0", "Server successfully started");
    Ok(Running {
        plain: listeners.plain_address(),
        secure: listeners.secure_address(),
        socket: listeners.socket_path().map(Path::to_owned),
        listeners,
        phase,
    })
}

fn protocol(http2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A client may close its side once it has sent its request and still wait for the answer.
    builder.http1().max_buf_size(BUFFER).half_close(true);
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(16 * 1024)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW);
    if http2 { builder } else { builder.http1_only() }
}

async fn accept_tcp(
    listener: TcpListener,
    tls: Option<Arc<SecurePort>>,
    site: Arc<Site>,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            pause_after_failed_accept().await;
            continue;
        };
        // Answers are written whole; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let (site, phase, address) = (site.clone(), phase.clone(), address.ip());
        match tls.clone() {
            None => {
                let peer = Peer::Network { address, secure: false, certified: Certified::Nothing };
                tokio::spawn(connection::serve(stream, site, peer, phase));
            }
            Some(tls) => drop(tokio::spawn(async move {
                match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok((stream, offer))) => {
                        let certified = tls.certified(&offer, &stream).await;
                        let peer = Peer::Network { address, secure: true, certified };
                        connection::serve(stream, site, peer, phase).await;
                    }
                    Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            })),
        }
    }
}

async fn accept_unix(listener: UnixListener, site: Arc<Site>, mut phase: watch::Receiver<Phase>) {
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(connection::serve(stream, site.clone(), Peer::Socket, phase.clone()));
            }
            Err(_) => pause_after_failed_accept().await,
        }
    }
}

/// Accepting fails when the process has no file descriptors left, and at once again if nothing is waited for.
async fn pause_after_failed_accept() {
    tracing::warn!("a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
