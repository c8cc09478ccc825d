//! What of this node's data another node may read. Nodes with which single tables are exchanged, or to which nothing is
//! sent, read streams of their own that hold no more than that; all others share one.

use super::names;
use super::nodes::NodeRecord;
use std::collections::{BTreeMap, BTreeSet};

/// What another node may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everything that is replicated at all.
    Member,
    /// These tables, by database; no other database at all.
    Limited(BTreeMap<String, BTreeSet<String>>),
}

/// The tables of one database that a node may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The name of the node.
    pub(super) reader: String,
    /// The tables.
    pub(super) tables: BTreeSet<String>,
}

/// Operations that tell nothing of the data, which is why everybody may run them.
const HARMLESS: [&str; 2] = ["cluster_status", "cluster_get_routes"];

impl Audience {
    /// What was agreed on with a node.
    pub(super) fn of(node: &NodeRecord) -> Audience {
        match &node.subscriptions {
            None if node.replicates.sends => Audience::Member,
            subscriptions => {
                let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                let published = subscriptions.iter().flatten().filter(|one| one.publish);
                for one in published.filter(|_| node.replicates.sends) {
                    tables.entry(one.database.clone()).or_default().insert(one.table.clone());
                }
                Audience::Limited(tables)
            }
        }
    }

    /// Whether a table may be read.
    pub(super) fn reads(&self, database: &str, table: &str) -> bool {
        match self {
            Audience::Member => true,
            Audience::Limited(all) => all.get(database).is_some_and(|tables| tables.contains(table)),
        }
    }

    /// Whether anything of a database may be read.
    pub(super) fn reads_of(&self, database: &str) -> bool {
        match self {
            Audience::Member => true,
            Audience::Limited(all) => all.contains_key(database),
        }
    }

    /// Whether an operation may be run here. Who may read some tables only cannot be let run what reads others.
    pub(super) fn runs(&self, operation: &str) -> bool {
        *self == Audience::Member || HARMLESS.contains(&operation)
    }

    /// The excerpts that a node of this audience reads, by database.
    pub(super) fn excerpts(&self, reader: &str) -> Vec<(String, Excerpt)> {
        let Audience::Limited(all) = self else { return Vec::new() };
        let excerpt =
            |tables: &BTreeSet<String>| Excerpt { reader: reader.to_owned(), tables: tables.clone() };
        all.iter().map(|(database, tables)| (database.clone(), excerpt(tables))).collect()
    }
}

impl Excerpt {
    /// Which life an excerpt belongs to: another one whenever there are other tables in it, so that nobody takes what
    /// comes then for the sequel of what came before.
    pub(super) fn life(&self, life: &str) -> String {
        let tables: Vec<String> = self.tables.iter().map(|table| names::digest(table)).collect();
        names::digest(&format!("{life} {} {}", self.reader, tables.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flow;
    use crate::replication::nodes::Subscription;

    fn node(tables: Option<&[(&str, bool)]>, sends: bool) -> Audience {
        let one = |(table, publish): &(&str, bool)| Subscription {
            database: "d".to_owned(),
            table: (*table).to_owned(),
            subscribe: true,
            publish: *publish,
            start_time: None,
        };
        let subscriptions = tables.map(|tables| tables.iter().map(one).collect());
        let replicates = Flow { sends, receives: true };
        Audience::of(&NodeRecord { subscriptions, replicates, ..NodeRecord::default() })
    }

    #[test]
    fn only_what_is_published_may_be_read() {
        let all = node(None, true);
        assert!(all.reads("d", "t") && all.reads_of("other") && all.runs("search_by_value"));
        let some = node(Some(&[("t", true), ("u", false)]), true);
        assert!(some.reads("d", "t") && some.reads_of("d"));
        assert!(!some.reads("d", "u") && !some.reads("other", "t") && !some.reads_of("other"));
        assert!(some.runs("cluster_status") && !some.runs("search_by_value"));
        assert_eq!(some.excerpts("b").len(), 1);
        for nothing in [node(None, false), node(Some(&[]), true), node(Some(&[("t", true)]), false)] {
            assert!(!nothing.reads("d", "t") && !nothing.reads_of("d") && !nothing.runs("sql"));
            assert!(nothing.excerpts("b").is_empty());
        }
    }

    #[test]
    fn other_tables_are_another_life() {
        let excerpt = |reader: &str, tables: &[&str]| Excerpt {
            reader: reader.to_owned(),
            tables: tables.iter().map(|table| (*table).to_owned()).collect(),
        };
        let life = excerpt("b", &["t"]).life("l");
        assert_eq!(excerpt("b", &["t"]).life("l"), life);
        for other in [
            excerpt("b", &["t", "u"]).life("l"),
            excerpt("c", &["t"]).life("l"),
            excerpt("b", &["t"]).life("m"),
        ] {
            assert_ne!(other, life);
        }
    }
}
