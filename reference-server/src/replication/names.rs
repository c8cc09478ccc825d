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

/// The stream with what a node tells of a database.
pub fn stream(node: &str, database: &str) -> String {
    format!("HDB_{}_{}", digest(node), digest(database))
}

/// All subjects of that stream.
pub(super) fn subjects(node: &str, database: &str) -> String {
    format!("h.{}.{}.>", digest(database), digest(node))
}

/// The subject of messages about one table.
pub(super) fn table_subject(node: &str, database: &str, table: &str) -> String {
    kind_subject(node, database, &digest(table))
}

/// The subject of messages of a kind: [`SCHEMA`] or [`MARK`].
pub(super) fn kind_subject(node: &str, database: &str, kind: &str) -> String {
    format!("h.{}.{}.{kind}", digest(database), digest(node))
}

/// Where a node is asked how it is and how far it has come.
pub(super) fn ping(node: &str) -> String {
    format!("hdb.ping.{}", digest(node))
}

/// Where a node is told that its transactions have been applied.
pub(super) fn acknowledgement(node: &str) -> String {
    format!("hdb.ack.{}", digest(node))
}

/// Where a node is asked to run an operation.
pub(super) fn operation(node: &str) -> String {
    format!("hdb.op.{}", digest(node))
}

/// Where a node is asked for a copy of a database.
pub(super) fn copy(node: &str) -> String {
    format!("hdb.copy.{}", digest(node))
}

/// Where a node is asked for what it has of the transactions of another.
pub(super) fn relay(node: &str) -> String {
    format!("hdb.relay.{}", digest(node))
}

/// Everything that other nodes may ask of this one. The server is this node's alone.
pub(super) const REQUESTS: [&str; 5] = ["hdb.ping.*", "hdb.ack.*", "hdb.op.*", "hdb.copy.*", "hdb.relay.*"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_is_among_the_requests() {
        for subject in [ping("a"), acknowledgement("a"), operation("a"), copy("a"), relay("a")] {
            let (kind, _) = subject.rsplit_once('.').unwrap();
            assert!(REQUESTS.contains(&format!("{kind}.*").as_str()), "{subject}");
        }
    }

    #[test]
    fn names_that_no_subject_may_hold_are_hidden() {
        let subject = table_subject("a.b c", "d>", "*");
        assert_eq!(subject.split('.').count(), 4);
        assert!(subject.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{subject}");
        assert_ne!(stream("a", "b"), stream("b", "a"));
        assert_eq!(digest("data").len(), 32);
    }
}
