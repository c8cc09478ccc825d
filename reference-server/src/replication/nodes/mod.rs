//! The other nodes: the rows of `system.hdb_nodes`, with what is agreed on with each of them.
//!
//! A row says who and where a node is, and travels to all members. What flows between this node and another, and the
//! credentials kept for it, are in a table of their own that nobody can read (`book`).

pub(super) mod book;
mod record;
mod spread;

pub use crate::config::Flow;
pub use record::{Link, NodeRecord, Secret, Subscription, merge_subscriptions};
pub(super) use spread::{Entry, is_name, merge, tell};

use crate::error::OperationError;
use crate::server::Server;
use crate::store::Store;
use arc_swap::ArcSwap;
use book::Book;
use std::sync::Arc;
use tokio::sync::watch;

/// The table of nodes.
pub const NODES: &str = "hdb_nodes";
/// The table of what is agreed on with each of them, which never leaves this node.
pub const LINKS: &str = "hdb_link";

/// The other nodes as of now.
pub struct Nodes {
    known: ArcSwap<Vec<NodeRecord>>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

impl Nodes {
    pub(super) fn open(store: &Store, own_name: &str) -> Result<Nodes, OperationError> {
        let known = Book::read(store)?.peers(own_name);
        Ok(Nodes { known: ArcSwap::from_pointee(known), changes: watch::channel(0).0 })
    }

    /// All of them, by name.
    pub fn current(&self) -> Arc<Vec<NodeRecord>> {
        self.known.load_full()
    }

    /// A node by name.
    pub fn find(&self, name: &str) -> Option<NodeRecord> {
        self.known.load().iter().find(|node| node.name == name).cloned()
    }

    /// Takes up what the tables say now, and wakes those who watch when it is something else.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn reload(&self, store: &Store, own_name: &str) -> Result<(), OperationError> {
        // Sent while the lock of the channel is held, so that the newest state stays.
        let mut failed = None;
        self.changes.send_if_modified(|count| match Book::read(store) {
            Ok(book) => {
                let known = book.peers(own_name);
                let differs = **self.known.load() != known;
                if differs {
                    self.known.store(Arc::new(known));
                    *count += 1;
                }
                differs
            }
            Err(error) => {
                failed = Some(error);
                false
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// The other nodes that are known, without this one.
pub fn list(server: &Arc<Server>) -> Vec<NodeRecord> {
    server.replication.link.nodes.current().to_vec()
}

/// When what flows between this node and another was agreed on last, in epoch milliseconds.
///
/// # Errors
/// When it cannot be read.
pub(super) fn agreed(server: &Arc<Server>, name: &str) -> Result<Option<f64>, OperationError> {
    Ok(Book::read(&server.store)?.links.get(name).map(|link| link.agreed))
}

/// Wakes whenever what is known of the other nodes changes.
pub fn watch(server: &Arc<Server>) -> watch::Receiver<u64> {
    server.replication.link.nodes.watch()
}

/// Changes the tables in one transaction and takes up the result.
pub(super) async fn edit<T: Send + 'static>(
    server: &Arc<Server>,
    change: impl Fn(&mut Book) -> T + Send + Sync + 'static,
) -> Result<T, OperationError> {
    let result = book::edit(&server.store, change).await?;
    server.replication.link.reload(&server.store)?;
    Ok(result)
}
