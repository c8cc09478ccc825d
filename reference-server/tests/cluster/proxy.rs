//! What stands before a node: every connection of another node passes here and can be cut, frozen,
//! delayed or broken, by who made it.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Everything passes.
    #[default]
    Open,
    /// Connections end, and new ones do, too.
    Cut,
    /// Connections stay, and nothing passes.
    Frozen,
    /// Everything passes, so much later, in both directions.
    Delayed(Duration),
    /// Each connection ends when so many bytes have passed, in both directions together.
    DropAfter(u64),
}

/// Where others reach a node.
pub struct Proxy {
    /// Its own address.
    pub address: SocketAddr,
    target: watch::Sender<Option<SocketAddr>>,
    links: Arc<Mutex<HashMap<String, watch::Sender<Link>>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (target, targets) = watch::channel(None);
        let links: Arc<Mutex<HashMap<String, watch::Sender<Link>>>> = Arc::default();
        let known = links.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let target = *targets.borrow();
                if let Some(target) = target {
                    let known = known.clone();
                    tokio::spawn(pass(stream, target, known));
                }
            }
        });
        Proxy { address, target, links, task }
    }

    /// Where connections lead to.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(Some(target));
    }

    /// Changes the link from a node to the one behind the proxy.
    pub fn set(&self, from: &str, link: Link) {
        channel(&self.links, from).send_replace(link);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn channel(links: &Mutex<HashMap<String, watch::Sender<Link>>>, from: &str) -> watch::Sender<Link> {
    links.lock().entry(from.to_owned()).or_insert_with(|| watch::Sender::new(Link::Open)).clone()
}

/// The nodes say their names in the first request of a connection.
const NAME: &str = "x-node-name:";

async fn pass(
    mut stream: TcpStream,
    target: SocketAddr,
    links: Arc<Mutex<HashMap<String, watch::Sender<Link>>>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let said = text.lines().find_map(|line| Some(line.to_lowercase().strip_prefix(NAME)?.trim().to_owned()));
    let link = channel(&links, &said.unwrap_or_default()).subscribe();
    let mut there = TcpStream::connect(target).await.ok()?;
    if *link.borrow() == Link::Cut {
        return None;
    }
    there.write_all(&head).await.ok()?;
    let (from_here, to_here) = stream.into_split();
    let (from_there, to_there) = there.into_split();
    let passed = AtomicU64::new(0);
    let mut cut = link.clone();
    tokio::select! {
        () = copy(from_here, to_there, link.clone(), &passed) => {}
        () = copy(from_there, to_here, link.clone(), &passed) => {}
        _ = cut.wait_for(|link| *link == Link::Cut) => {}
    }
    Some(())
}

/// How many reads may be on their way through a link that delays.
const ON_THE_WAY: usize = 64;

/// Passes on what comes from one side, until a side ends or the link breaks.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut link: watch::Receiver<Link>,
    passed: &AtomicU64,
) {
    let (queue, mut queued) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let delays = link.clone();
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let delay = if let Link::Delayed(delay) = *delays.borrow() { delay } else { Duration::ZERO };
            if queue.send((Instant::now() + delay, buffer[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = queued.recv().await {
            tokio::time::sleep_until(due).await;
            let Ok(now) = link.wait_for(|link| *link != Link::Frozen).await.map(|link| *link) else { return };
            let before = passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let left = match now {
                Link::DropAfter(most) => most.saturating_sub(before) as usize,
                _ => usize::MAX,
            };
            if to.write_all(&bytes[..left.min(bytes.len())]).await.is_err() || left <= bytes.len() {
                return;
            }
        }
    };
    // What was read before the side ended still arrives; nothing is read for a side that is gone.
    let mut writing = pin!(writing);
    tokio::select! {
        () = &mut writing => {}
        () = reading => writing.await,
    }
}
