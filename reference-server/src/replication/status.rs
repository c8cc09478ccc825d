//! How the links are, for cluster_status.

use super::LinkStatus;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// When the last transaction was sent, and the time of the one that is being sent.
type Sending = (Option<f64>, Option<f64>);

/// The states of all links.
#[derive(Default)]
pub(super) struct Status {
    links: Mutex<BTreeMap<(String, String), LinkStatus>>,
    /// By database.
    sending: Mutex<BTreeMap<String, Sending>>,
    /// By node, since when it is down.
    down: Mutex<BTreeMap<String, Instant>>,
}

impl Status {
    /// All links, in the order of nodes and databases.
    pub(super) fn links(&self) -> Vec<LinkStatus> {
        let sending = self.sending.lock();
        let with_sending = |link: &LinkStatus| {
            let (last_send, now) = sending.get(&link.database).copied().unwrap_or_default();
            LinkStatus { last_send, sending: now, ..link.clone() }
        };
        self.links.lock().values().map(with_sending).collect()
    }

    /// A transaction of this time is on its way into the stream.
    pub(super) fn sending(&self, database: &str, time: f64) {
        let mut sending = self.sending.lock();
        match sending.get_mut(database) {
            Some((_, now)) => *now = Some(time),
            None => drop(sending.insert(database.to_owned(), (None, Some(time)))),
        }
    }

    /// A transaction is in the stream.
    pub(super) fn sent(&self, database: &str, at: f64) {
        if let Some((last, _)) = self.sending.lock().get_mut(database) {
            *last = Some(at);
        }
    }

    /// Nothing is on its way.
    pub(super) fn idle(&self, database: &str) {
        if let Some((_, now)) = self.sending.lock().get_mut(database) {
            *now = None;
        }
    }

    /// A node answered after this many milliseconds.
    pub(super) fn reached(&self, node: &str, latency: f64) {
        self.down.lock().remove(node);
        for link in self.links.lock().iter_mut().filter(|((of, _), _)| of == node).map(|(_, link)| link) {
            link.latency = Some(latency);
        }
    }

    /// A node has these databases in common with this one.
    pub(super) fn shares(&self, node: &str, databases: &BTreeSet<String>) {
        let mut links = self.links.lock();
        links.retain(|(of, database), _| of != node || databases.contains(database));
        for database in databases {
            links.entry((node.to_owned(), database.clone())).or_insert_with(|| LinkStatus {
                node: node.to_owned(),
                database: database.clone(),
                nodes: vec![node.to_owned()],
                ..LinkStatus::default()
            });
        }
    }

    /// A node cannot be reached.
    pub(super) fn unreachable(&self, node: &str) {
        self.down.lock().entry(node.to_owned()).or_insert_with(Instant::now);
        for link in self.links.lock().iter_mut().filter(|((of, _), _)| of == node).map(|(_, link)| link) {
            link.connected = false;
            link.nodes = vec![node.to_owned()];
        }
    }

    /// Since when a node is down.
    pub(super) fn down_since(&self, node: &str) -> Option<Instant> {
        self.down.lock().get(node).copied()
    }

    /// A node is not known any more.
    pub(super) fn forget(&self, node: &str) {
        self.down.lock().remove(node);
        self.links.lock().retain(|(of, _), _| of != node);
    }

    /// Changes a link that is there.
    pub(super) fn update(&self, node: &str, database: &str, change: impl FnOnce(&mut LinkStatus)) {
        if let Some(link) = self.links.lock().get_mut(&(node.to_owned(), database.to_owned())) {
            change(link);
        }
    }

    /// The changes of `origin` arrive through another node.
    pub(super) fn relays(&self, node: &str, database: &str, origin: &str) {
        self.update(node, database, |link| {
            if !link.nodes.iter().any(|name| name == origin) {
                link.nodes.push(origin.to_owned());
            }
        });
    }

    /// The changes of `origin` come from there again.
    pub(super) fn relays_no_more(&self, origin: &str) {
        for link in self.links.lock().values_mut().filter(|link| link.node != origin) {
            link.nodes.retain(|name| name != origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_and_go_with_the_databases_in_common() {
        let status = Status::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        status.shares("b", &names(&["data", "system"]));
        status.update("b", "data", |link| link.connected = true);
        status.reached("b", 1.5);
        status.sending("data", 7.0);
        status.sent("data", 8.0);
        let link = status.links().remove(0);
        assert!(link.connected && link.latency == Some(1.5));
        assert_eq!((link.last_send, link.sending), (Some(8.0), Some(7.0)));
        status.relays("b", "data", "c");
        assert_eq!(status.links()[0].nodes, ["b", "c"]);
        status.relays_no_more("c");
        assert_eq!(status.links()[0].nodes, ["b"]);
        status.unreachable("b");
        assert!(status.down_since("b").is_some() && !status.links()[0].connected);
        status.reached("b", 1.0);
        assert!(status.down_since("b").is_none());
        status.shares("b", &names(&["system"]));
        assert_eq!(status.links().len(), 1);
        status.forget("b");
        assert!(status.links().is_empty());
    }
}
