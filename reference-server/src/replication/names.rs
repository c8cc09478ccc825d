//! Names of streams and subjects. Names of nodes, databases and tables hold what subjects may not, so that digests
//! stand for them.

use ring::digest::{SHA256, digest as sha};
use std::fmt::Write;

/// The messages of one table are the fourth token of subjects; these stand for messages of no single table.
pub(super) const SCHEMA: &str = "_schema";
/// A message that says only how far its origin has come.
pub(super) const MARK: &str = "_mark";

/// 32 hexadecimal digits that stand for a name.
pub fn digest(name: &str) -> String {
    let hash = sha(&SHA256, name.as_bytes());
    hash.as_ref().iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Which stream: what a node tells of a database, everybody who may read all of it or one node that may not.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamName<'a> {
    /// The node that tells.
    pub(super) node: &'a str,
    /// The database.
    pub(super) database: &'a str,
    /// The one node that it is for.
    pub(super) reader: Option<&'a str>,
}

impl StreamName<'_> {
    /// The name of the stream.
    pub(super) fn stream(self) -> String {
        let (node, database) = (digest(self.node), digest(self.database));
        match self.reader {
            None => format!("HDB_{node}_{database}"),
            Some(reader) => format!("HDB_{node}_{database}_{}", digest(reader)),
        }
    }

    fn head(self) -> String {
        let (node, database) = (digest(self.node), digest(self.database));
        match self.reader {
            None => format!("h.{database}.{node}"),
            Some(reader) => format!("r.{}.{database}.{node}", digest(reader)),
        }
    }

    /// All its subjects.
    pub(super) fn subjects(self) -> String {
        format!("{}.>", self.head())
    }

    /// The subject of messages about one table.
    pub(super) fn table_subject(self, table: &str) -> String {
        self.kind_subject(&digest(table))
    }

    /// The subject of messages of a kind: [`SCHEMA`] or [`MARK`].
    pub(super) fn kind_subject(self, kind: &str) -> String {
        format!("{}.{kind}", self.head())
    }
}

/// What a node may be asked for by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// How it is and how far it has come.
    Ping,
    /// To take note that its transactions have been applied.
    Acknowledge,
    /// To run an operation.
    Operate,
    /// A copy of a database.
    Copy,
    /// What it has of the transactions of another.
    Relay,
}

impl Request {
    const ALL: [Request; 5] =
        [Request::Ping, Request::Acknowledge, Request::Operate, Request::Copy, Request::Relay];

    fn word(self) -> &'static str {
        match self {
            Request::Ping => "ping",
            Request::Acknowledge => "ack",
            Request::Operate => "op",
            Request::Copy => "copy",
            Request::Relay => "relay",
        }
    }

    /// Where `node` is asked by `asker`, who may ask nowhere else.
    pub(super) fn subject(self, node: &str, asker: &str) -> String {
        format!("hdb.{}.{}.{}", self.word(), digest(node), digest(asker))
    }

    /// Where a node is asked by anybody.
    pub(super) fn subjects(self, node: &str) -> String {
        format!("hdb.{}.{}.*", self.word(), digest(node))
    }
}

/// The digest of the name of the node that asks under a subject.
pub(super) fn asker(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or_default()
}

/// What the subjects begin with under which a node gets its answers, and nobody else.
pub(super) fn inbox(node: &str) -> String {
    format!("_INBOX.{}", digest(node))
}

/// What the subjects begin with under which pages are offered to a node, and to nobody else.
pub(super) fn offers(reader: &str) -> String {
    format!("hdb.pages.{}", digest(reader))
}

/// Everything that `asker` may send to `node`. The server is that node's alone.
pub(super) fn requests(node: &str, asker: &str) -> Vec<String> {
    let requests = Request::ALL.into_iter().map(|request| request.subject(node, asker));
    requests.chain([format!("{}.>", offers(asker))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_is_heard_and_tells_who_asks() {
        for request in Request::ALL {
            let subject = request.subject("a", "b");
            assert_eq!(subject.replace(&digest("b"), "*"), request.subjects("a"));
            assert_eq!(asker(&subject), digest("b"));
            assert!(requests("a", "b").contains(&subject));
        }
    }

    #[test]
    fn names_that_no_subject_may_hold_are_hidden() {
        let name = |node, database, reader| StreamName { node, database, reader };
        let subject = name("a.b c", "d>", None).table_subject("*");
        assert_eq!(subject.split('.').count(), 4);
        assert!(subject.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{subject}");
        assert_ne!(name("a", "b", None).stream(), name("b", "a", None).stream());
        assert_ne!(name("a", "b", None).stream(), name("a", "b", Some("c")).stream());
        assert_eq!(digest("data").len(), 32);
    }

    #[test]
    fn streams_for_one_node_share_no_subject_with_those_for_all() {
        let own = StreamName { node: "a", database: "b", reader: Some("c") };
        let all = StreamName { reader: None, ..own };
        let head = |name: StreamName<'_>| name.subjects().trim_end_matches('>').to_owned();
        assert!(!head(own).starts_with(&head(all)) && !head(all).starts_with(&head(own)));
    }
}
