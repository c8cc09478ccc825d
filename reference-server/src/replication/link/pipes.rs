//! The connections between NATS servers and clients that run through this node, so that they can be ended.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::sync::oneshot;

/// The live connections.
#[derive(Default)]
pub(super) struct Pipes(Mutex<State>);

#[derive(Default)]
struct State {
    live: HashMap<u64, Live>,
    next: u64,
}

/// A connection that is live.
struct Live {
    pipe: Pipe,
    since: Instant,
    /// Dropped to end it.
    _end: oneshot::Sender<()>,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    /// The node at the other end.
    pub(super) node: String,
    /// The serial number of the certificate that it has shown.
    pub(super) serial: Option<String>,
}

/// A place among the live connections, free again when it is dropped.
pub(super) struct Place {
    pipes: Arc<Pipes>,
    number: u64,
    ended: oneshot::Receiver<()>,
}

impl Pipes {
    pub(super) fn enter(self: &Arc<Pipes>, pipe: Pipe) -> Place {
        let (end, ended) = oneshot::channel();
        let mut state = self.0.lock();
        state.next += 1;
        let number = state.next;
        state.live.insert(number, Live { pipe, since: Instant::now(), _end: end });
        Place { pipes: Arc::clone(self), number, ended }
    }

    /// Ends those that `unwanted` picks.
    pub(super) fn close(&self, unwanted: impl Fn(&Pipe) -> bool) {
        self.0.lock().live.retain(|_, live| !unwanted(&live.pipe));
    }

    /// For how long a node has been connected.
    pub(super) fn uptime(&self, node: &str) -> Option<Duration> {
        let state = self.0.lock();
        let of_node = state.live.values().filter(|live| live.pipe.node == node);
        of_node.map(|live| live.since.elapsed()).max()
    }
}

impl Place {
    /// Passes on what comes from either side until one ends, or the connection is not wanted any more.
    pub(super) async fn run<A, B>(mut self, mut one: A, mut other: B)
    where
        A: AsyncRead + AsyncWrite + Unpin,
        B: AsyncRead + AsyncWrite + Unpin,
    {
        tokio::select! {
            biased;
            _ = &mut self.ended => {}
            _ = copy_bidirectional(&mut one, &mut other) => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pipes.0.lock().live.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn connections_end_when_they_are_not_wanted() {
        let pipes: Arc<Pipes> = Arc::default();
        let mut ends = Vec::new();
        for node in ["a", "b"] {
            let (near, one) = duplex(64);
            let (other, far) = duplex(64);
            let place = pipes.enter(Pipe { node: node.to_owned(), serial: None });
            tokio::spawn(place.run(one, other));
            ends.push((near, far));
        }
        let [(near_a, far_a), (_near_b, far_b)] = ends.as_mut_slice() else { panic!() };
        near_a.write_all(b"hello").await.unwrap();
        let mut text = [0; 5];
        far_a.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"hello");
        pipes.close(|pipe| pipe.node == "b");
        assert_eq!(far_b.read(&mut text).await.unwrap(), 0);
        near_a.write_all(b"again").await.unwrap();
        far_a.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"again");
    }
}
