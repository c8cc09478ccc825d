//! What stands before a node: every connection of another node passes here and can be cut or frozen, by who made it.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    let mut cut = link.clone();
    tokio::select! {
        () = copy(from_here, to_there, link.clone()) => {}
        () = copy(from_there, to_here, link.clone()) => {}
        _ = cut.wait_for(|link| *link == Link::Cut) => {}
    }
    Some(())
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut link: watch::Receiver<Link>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if link.wait_for(|link| *link != Link::Frozen).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
