//! Which nodes have applied what was committed here, and waiting for that.

use std::collections::HashMap;
use tokio::sync::watch;

/// The number of the last transaction of this node that each of the others has applied, by database and node.
#[derive(Default)]
pub(super) struct Confirmations {
    applied: watch::Sender<HashMap<(String, String), u64>>,
}

impl Confirmations {
    /// A node has applied the transactions of a database up to a number; true when that is news.
    pub(super) fn confirmed(&self, database: &str, node: &str, lseq: u64) -> bool {
        let key = (database.to_owned(), node.to_owned());
        self.applied.send_if_modified(|applied| {
            let last = applied.entry(key).or_insert(0);
            let is_news = lseq > *last;
            *last = lseq.max(*last);
            is_news
        })
    }

    /// A database begins anew: numbers of its earlier life mean nothing.
    pub(super) fn begin_anew(&self, database: &str) {
        self.applied.send_modify(|applied| applied.retain(|(of, _), _| of != database));
    }

    /// A node is not known any more.
    pub(super) fn forget(&self, node: &str) {
        self.applied.send_modify(|applied| applied.retain(|(_, by), _| by != node));
    }

    /// Waits until so many nodes have applied the transaction with a number.
    pub(super) async fn wait(&self, database: &str, lseq: u64, nodes: usize) {
        let mut applied = self.applied.subscribe();
        let enough = |applied: &HashMap<(String, String), u64>| {
            let have = applied.iter().filter(|((of, _), last)| of == database && **last >= lseq);
            have.count() >= nodes
        };
        let _ = applied.wait_for(enough).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn distinct_nodes_count_and_only_what_they_have() {
        let confirmations = Confirmations::default();
        let is_done = |lseq, nodes| confirmations.wait("d", lseq, nodes).now_or_never().is_some();
        assert!(is_done(5, 0) && !is_done(5, 1));
        assert!(confirmations.confirmed("d", "b", 4));
        assert!(!confirmations.confirmed("d", "b", 4), "no news");
        assert!(!is_done(5, 1));
        confirmations.confirmed("other", "b", 9);
        assert!(!is_done(5, 1));
        confirmations.confirmed("d", "b", 6);
        confirmations.confirmed("d", "b", 3);
        assert!(is_done(5, 1) && is_done(6, 1) && !is_done(5, 2));
        confirmations.confirmed("d", "c", 5);
        assert!(is_done(5, 2));
        confirmations.forget("b");
        assert!(!is_done(5, 2) && is_done(5, 1));
        confirmations.begin_anew("d");
        assert!(!is_done(5, 1));
    }
}
