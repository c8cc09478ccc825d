//! One connection: its protocol, its idle time, its end.

use super::request;
use super::wakes::Wakes;
use super::{Peer, Site};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// What the listeners want of their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Go on.
    Serving,
    /// Give each client that is at work one more answer, so that none finds its connection closed under a request.
    Turning,
    /// Finish what is in flight, then close.
    Draining,
    /// Close.
    Stopped,
}

/// Serves a connection to its end.
pub(super) async fn serve<S>(stream: S, site: Arc<Site>, peer: Peer, mut phase: watch::Receiver<Phase>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let service = service_fn(|request: Request<Incoming>| {
        let (site, activity, peer) = (site.clone(), activity.clone(), peer.clone());
        async move {
            let _guard = activity.begin();
            Ok::<Response<_>, Infallible>(request::answer(&site, &peer, request, &activity.closing).await)
        }
    });
    let wakes = Wakes::new();
    let limits = &site.server.config.network;
    let mut idle = pin!(tokio::time::sleep(limits.keep_alive_timeout));
    let now = *phase.borrow_and_update();
    let mut draining = matches!(now, Phase::Draining | Phase::Stopped);
    let mut turned = (now == Phase::Turning).then(Instant::now);
    let stream = Lingering::new(stream, activity.clone());
    let mut connection = pin!(site.protocol.serve_connection(TokioIo::new(stream), service));
    if now != Phase::Serving {
        activity.closing.store(true, Ordering::Relaxed);
    }
    if draining {
        connection.as_mut().graceful_shutdown();
    }
    if turned.is_some() {
        activity.hurry.store(true, Ordering::Relaxed);
        idle.as_mut().reset(Instant::now() + GRACE);
    }
    loop {
        tokio::select! {
            biased;
            ended = poll_fn(|context| wakes.poll(context, connection.as_mut())) => {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended early: {error}");
                }
                return;
            }
            changed = phase.changed() => {
                let now = *phase.borrow_and_update();
                if changed.is_err() || now == Phase::Stopped {
                    return;
                }
                activity.closing.store(true, Ordering::Relaxed);
                if now == Phase::Turning {
                    turned = Some(Instant::now());
                    activity.hurry.store(true, Ordering::Relaxed);
                    idle.as_mut().reset(Instant::now() + GRACE);
                } else {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
            () = idle.as_mut() => {
                let Some(since) = activity.idle_since() else {
                    let pause = if turned.is_some() { GRACE } else { limits.keep_alive_timeout };
                    idle.as_mut().reset(Instant::now() + pause);
                    continue;
                };
                if let Some(turned) = turned.filter(|_| !draining) {
                    let deadline = since.max(turned) + GRACE;
                    if Instant::now() < deadline {
                        idle.as_mut().reset(deadline);
                    } else {
                        draining = true;
                        connection.as_mut().graceful_shutdown();
                        idle.as_mut().reset(Instant::now() + limits.headers_timeout);
                    }
                    continue;
                }
                // A client that has begun to send a request may take until the headers' timeout.
                let limit = if draining { limits.headers_timeout } else { limits.keep_alive_timeout };
                let deadline = since + limit;
                if Instant::now() < deadline {
                    idle.as_mut().reset(deadline);
                } else if draining {
                    return;
                } else {
                    draining = true;
                    activity.closing.store(true, Ordering::Relaxed);
                    connection.as_mut().graceful_shutdown();
                    idle.as_mut().reset(since + limits.headers_timeout.max(limits.keep_alive_timeout));
                }
            }
        }
    }
}

/// Whether a connection is at work, or since when it is not.
struct Activity {
    opened: Instant,
    in_flight: AtomicU32,
    /// When the last request ended, in milliseconds after `opened`.
    ended: AtomicU64,
    /// True when the next answer is the last.
    closing: AtomicBool,
    /// True when somebody waits for the connection to end.
    hurry: AtomicBool,
}

impl Activity {
    fn new() -> Activity {
        Activity {
            opened: Instant::now(),
            in_flight: AtomicU32::new(0),
            ended: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            hurry: AtomicBool::new(false),
        }
    }

    fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    fn idle_since(&self) -> Option<Instant> {
        let idle = self.in_flight.load(Ordering::Relaxed) == 0;
        idle.then(|| self.opened + Duration::from_millis(self.ended.load(Ordering::Relaxed)))
    }
}

struct InFlight<'a>(&'a Activity);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let after = self.0.opened.elapsed().as_millis();
        self.0.ended.store(u64::try_from(after).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a client that does nothing is waited for while an instance makes way for the next.
const GRACE: Duration = Duration::from_millis(250);
/// How long and how much a closing connection still reads.
const LINGER: Duration = Duration::from_secs(2);
const HURRIED_LINGER: Duration = Duration::from_millis(100);
const LINGER_LIMIT: usize = 16 * 1024 * 1024;

/// A stream that, when closed while the other side is still sending, reads on for a while: closing with unread data
/// resets the connection, and the other side would lose the answer that says why.
struct Lingering<S> {
    stream: S,
    /// Until when, and how much has been read.
    closing: Option<(Pin<Box<Sleep>>, usize)>,
    /// Our side is closed.
    written: bool,
    activity: Arc<Activity>,
}

impl<S> Lingering<S> {
    fn new(stream: S, activity: Arc<Activity>) -> Self {
        Lingering { stream, closing: None, written: false, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.written {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.written = true;
        }
        let linger = if this.activity.hurry.load(Ordering::Relaxed) { HURRIED_LINGER } else { LINGER };
        let (deadline, read) = this.closing.get_or_insert_with(|| (Box::pin(tokio::time::sleep(linger)), 0));
        let mut scratch = [0; 8 * 1024];
        while *read < LINGER_LIMIT && deadline.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *read += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
