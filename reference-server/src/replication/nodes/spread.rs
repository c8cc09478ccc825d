//! How all members of a cluster come to know the same: each tells the others what it knows, with the time of the last
//! change of every row and removal, and the latest change is believed.

use super::book::{Book, Facts, stamp_of};
use crate::certificates::records::{text, texts};
use crate::value::{Object, Value};

/// For how long others are told of a removal.
const MOURNING: f64 = 90.0 * 24.0 * 3_600_000.0;

/// What one node tells another of a third.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name of the third.
    pub name: String,
    /// What is known of it; nothing when it was removed.
    pub facts: Option<Facts>,
    /// When that was changed, in epoch milliseconds.
    pub stamp: f64,
    /// The certificates of the authorities that vouch for it, as PEM.
    pub authorities: Vec<String>,
}

impl Entry {
    /// Reads one of a message.
    pub fn read(value: &Value) -> Option<Entry> {
        let members = value.as_object()?;
        let removed = members.get("removed").and_then(Value::as_bool).unwrap_or(false);
        Some(Entry {
            name: text(members, "name").filter(|name| is_name(name))?.to_owned(),
            facts: (!removed).then(|| Facts::of(members)),
            stamp: members.get("stamp").and_then(Value::as_number).filter(|stamp| stamp.is_finite())?,
            authorities: texts(members, "authorities"),
        })
    }

    /// The entry for a message.
    pub fn to_value(&self) -> Value {
        let mut members = Object::new();
        match &self.facts {
            Some(facts) => facts.put(&mut members),
            None => drop(members.insert("removed".to_owned(), Value::Bool(true))),
        }
        members.insert("name".to_owned(), Value::from(self.name.as_str()));
        members.insert("stamp".to_owned(), Value::Number(self.stamp));
        let authorities = self.authorities.iter().map(|pem| Value::from(pem.as_str())).collect::<Vec<_>>();
        members.insert("authorities".to_owned(), authorities.into());
        Value::Object(members)
    }
}

/// Whether a text can be the name of a node.
pub(in crate::replication) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 250
        && text != "."
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// What this node tells other members.
pub fn tell(book: &Book) -> Vec<Entry> {
    let is_member = |name: &str| book.links.get(name).is_none_or(|link| link.subscriptions.is_none());
    let rows = book.rows.iter().filter(|(name, _)| is_member(name)).map(|(name, row)| Entry {
        name: name.clone(),
        facts: Some(Facts::of(row)),
        stamp: stamp_of(row),
        authorities: Vec::new(),
    });
    let removed = book.links.iter().filter(|(name, _)| is_member(name)).filter_map(|(name, link)| {
        let stamp = link.removed.filter(|stamp| book.now - stamp < MOURNING)?;
        Some(Entry { name: name.clone(), facts: None, stamp, authorities: Vec::new() })
    });
    rows.chain(removed).collect()
}

/// Takes up what another node told, where it is newer. Returns the certificates of nodes that were removed, which are
/// not to be trusted any more.
pub fn merge(book: &mut Book, own_name: &str, entries: &[Entry]) -> Vec<String> {
    let mut untrusted = Vec::new();
    for entry in entries {
        let known = book.rows.get(&entry.name).map(stamp_of);
        let link = book.links.get(&entry.name);
        match &entry.facts {
            Some(facts) => {
                let removed = link.and_then(|link| link.removed);
                if known.is_none_or(|stamp| stamp < entry.stamp)
                    && removed.is_none_or(|stamp| stamp < entry.stamp)
                {
                    book.put(&entry.name, facts, entry.stamp);
                    if entry.name != own_name {
                        let link = book.links.get(&entry.name).cloned().unwrap_or_default();
                        book.agree(&entry.name, link);
                    }
                }
            }
            // That this node itself was removed it is told by whoever does not want it any more.
            None if entry.name == own_name => {}
            // What two nodes exchange apart from the cluster is their own affair.
            None if link.is_some_and(|link| link.subscriptions.is_some()) => {}
            None => {
                if known.is_some_and(|stamp| stamp < entry.stamp) {
                    untrusted.extend(book.remove(&entry.name, entry.stamp));
                }
            }
        }
    }
    untrusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::nodes::Link;

    fn book(nodes: &[(&str, f64)]) -> Book {
        let mut book = Book { now: 1000.0, ..Book::default() };
        for (name, stamp) in nodes {
            book.put(name, &facts(name), *stamp);
        }
        book
    }

    fn facts(name: &str) -> Facts {
        Facts {
            url: Some(format!("ws://{name}:1")),
            shard: Some(2),
            revoked_certificates: vec!["1a".to_owned()],
        }
    }

    #[test]
    fn entries_travel_unchanged() {
        let live = Entry {
            name: "a".to_owned(),
            facts: Some(facts("a")),
            stamp: 5.5,
            authorities: vec!["p".to_owned()],
        };
        let gone = Entry { facts: None, authorities: Vec::new(), ..live.clone() };
        for entry in [live, gone] {
            assert_eq!(Entry::read(&entry.to_value()), Some(entry));
        }
        assert_eq!(Entry::read(&Value::from("a")), None);
        assert_eq!(
            Entry::read(&Value::Object(Object::from_iter([("name".to_owned(), Value::from("a"))]))),
            None
        );
    }

    /// In whatever order and however often three nodes talk to each other, they end up with the same.
    #[test]
    fn all_come_to_know_the_same() {
        let mut books =
            [book(&[("a", 1.0), ("b", 2.0)]), book(&[("b", 2.0), ("c", 9.0)]), book(&[("a", 3.0)])];
        books[1].remove("a", 4.0);
        for (from, to) in [(0, 1), (1, 2), (2, 0), (1, 0), (0, 2), (2, 1)] {
            let told = tell(&books[from]);
            merge(&mut books[to], "none", &told);
        }
        let names = |book: &Book| book.rows.keys().cloned().collect::<Vec<_>>();
        for book in &books {
            assert_eq!(names(book), ["b", "c"]);
        }
        // Who comes back later than it went is there again.
        let again =
            Entry { name: "a".to_owned(), facts: Some(facts("a")), stamp: 5.0, authorities: Vec::new() };
        let older = Entry { stamp: 3.5, ..again.clone() };
        merge(&mut books[0], "none", &[older]);
        assert_eq!(names(&books[0]), ["b", "c"]);
        merge(&mut books[0], "none", &[again]);
        assert_eq!(names(&books[0]), ["a", "b", "c"]);
    }

    #[test]
    fn what_two_nodes_exchange_apart_is_told_nobody() {
        let mut book = book(&[("a", 1.0), ("b", 1.0)]);
        let pair = Link { subscriptions: Some(Vec::new()), ..Link::default() };
        book.know("b", &facts("b"), Some(pair));
        assert_eq!(tell(&book).into_iter().map(|entry| entry.name).collect::<Vec<_>>(), ["a"]);
        let gone = Entry { name: "b".to_owned(), facts: None, stamp: 5000.0, authorities: Vec::new() };
        merge(&mut book, "none", &[gone]);
        assert!(book.rows.contains_key("b"));
        book.remove("b", 6000.0);
        assert_eq!(tell(&book).len(), 1);
    }
}
