//! Bodies: reading those of requests within limits, and the few forms those of answers have.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;

/// The largest request body: 1 GiB.
pub(super) const LIMIT: u64 = 1 << 30;

/// The most that is read of a body nobody wants, so that the connection can go on.
const DISCARD_LIMIT: u64 = 256 * 1024;

/// Why a request body was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    TooLarge,
    /// Malformed framing, or the client went away.
    Broken,
}

/// Reads a whole body. When it comes in one piece that piece is returned as it is.
pub(super) async fn collect(mut body: Incoming) -> Result<Bytes, Fault> {
    let expected = body.size_hint().exact();
    let mut gathered: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Fault::Broken)?.into_data() else { continue };
        match &mut gathered {
            None if expected == Some(data.len() as u64) => return Ok(data),
            None => {
                let room = expected.unwrap_or(0).clamp(16 * 1024, 4 * 1024 * 1024) as usize;
                let mut buffer = BytesMut::with_capacity(room.max(data.len()));
                buffer.extend_from_slice(&data);
                gathered = Some(buffer);
            }
            Some(buffer) => {
                if (buffer.len() + data.len()) as u64 > LIMIT {
                    return Err(Fault::TooLarge);
                }
                buffer.extend_from_slice(&data);
            }
        }
    }
    Ok(gathered.map_or_else(Bytes::new, BytesMut::freeze))
}

/// What took too long.
pub(super) struct Slow;

/// Waits for `arrival` within a limit. What is there already comes with the second poll, so that no timer is set
/// before the third.
pub(super) async fn patiently<T>(limit: Duration, arrival: impl Future<Output = T>) -> Result<T, Slow> {
    let mut arrival = pin!(arrival);
    let mut polled = false;
    let at_once = poll_fn(|context| match arrival.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if polled => Poll::Ready(None),
        Poll::Pending => {
            polled = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match at_once.await {
        Some(output) => Ok(output),
        None => tokio::time::timeout(limit, arrival).await.map_err(|_| Slow),
    }
}

/// Reads a small body and throws it away; false when the connection cannot be used any further.
pub(super) async fn discard(mut body: Incoming, expects_continue: bool) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if expects_continue || body.size_hint().lower() > DISCARD_LIMIT {
        return false;
    }
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > DISCARD_LIMIT {
            return false;
        }
    }
    true
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing, or nothing any more.
    Empty,
    /// Everything, with its length announced.
    Whole(Bytes),
    /// Everything, without a length: what the API streams.
    Streamed(Bytes),
    /// Pieces as they are made.
    Pieces(mpsc::Receiver<io::Result<Bytes>>),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Whole(bytes.into())
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        match this {
            Body::Empty => Poll::Ready(None),
            Body::Whole(bytes) | Body::Streamed(bytes) => {
                let bytes = std::mem::take(bytes);
                *this = Body::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Body::Pieces(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty => SizeHint::with_exact(0),
            Body::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Streamed(_) | Body::Pieces(_) => SizeHint::default(),
        }
    }
}
