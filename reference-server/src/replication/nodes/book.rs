//! The two tables of nodes, read as a whole and changed in one transaction.

use super::record::{Link, NodeRecord, read_subscriptions, shown_subscriptions};
use super::{LINKS, NODES};
use crate::access::system_tables::{all, find, system_database};
use crate::config::node_url;
use crate::error::OperationError;
use crate::store::{CREATED_TIME, Store, StoreError, UPDATED_TIME, View, WriteTxn};
use crate::value::{Object, Value};
use std::collections::BTreeMap;

/// The key of the record that holds what this node knows of itself. It is no name of a node.
const SELF: &str = ".";

/// What is known of all nodes, this one included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// The rows of `hdb_nodes`, by name.
    pub rows: BTreeMap<String, Object>,
    /// What is agreed on with each node, and which ones were removed.
    pub links: BTreeMap<String, Link>,
    /// The number of this node.
    pub(in crate::replication) instance: Option<String>,
    /// The name this node was given by another.
    pub(in crate::replication) adopted_name: Option<String>,
    /// Where this node took itself to be, without being told, when it last said so.
    pub(in crate::replication) guess: Option<String>,
    /// The time of the change, in epoch milliseconds.
    pub now: f64,
}

/// What a row says that all members are to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Where the node is.
    pub url: Option<String>,
    /// Its shard.
    pub shard: Option<u32>,
    /// Serial numbers of certificates that it is not known by any more.
    pub revoked_certificates: Vec<String>,
}

impl Facts {
    /// What a row says.
    pub fn of(row: &Object) -> Facts {
        let shard = row.get("shard").and_then(Value::as_number);
        Facts {
            url: row.get("url").and_then(Value::as_str).map(str::to_owned),
            shard: shard.filter(|shard| (0.0..65_536.0).contains(shard)).map(|shard| shard as u32),
            revoked_certificates: crate::certificates::records::texts(row, "revoked_certificates"),
        }
    }

    pub(super) fn put(&self, row: &mut Object) {
        let mut set = |name: &str, value: Option<Value>| match value {
            Some(value) => drop(row.insert(name.to_owned(), value)),
            None => drop(row.shift_remove(name)),
        };
        set("url", self.url.as_deref().map(Value::from));
        set("shard", self.shard.map(|shard| Value::Number(shard.into())));
        let serials = self.revoked_certificates.iter().map(|serial| Value::from(serial.as_str()));
        let serials: Vec<Value> = serials.collect();
        set("revoked_certificates", (!serials.is_empty()).then(|| serials.into()));
    }
}

/// Where a node takes itself to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The URL.
    pub url: Option<String>,
    /// Whether that was only guessed from its name.
    pub is_guess: bool,
}

/// Where a node is that was found at a place, when it takes itself to be elsewhere than it did then; `None` for the
/// place where it was found.
fn moved(found: &str, before: Option<&str>, now: &str) -> Option<String> {
    let before = before.filter(|before| *before != now)?;
    if found == before {
        return Some(now.to_owned());
    }
    let (mut place, before, now) = (node_url(found)?, node_url(before)?, node_url(now)?);
    let is_other_way = place.scheme() != now.scheme();
    // Where the ports differed, something between the nodes leads from one to the other.
    if is_other_way || place.port_or_known_default() == before.port_or_known_default() {
        place.set_port(now.port_or_known_default()).ok()?;
    }
    place.set_scheme(now.scheme()).ok()?;
    Some(place.as_str().trim_end_matches('/').to_owned())
}

/// When a row was made.
pub fn created_of(row: &Object) -> Option<f64> {
    row.get(CREATED_TIME).and_then(Value::as_number)
}

/// When a row was changed last.
pub fn stamp_of(row: &Object) -> f64 {
    row.get(UPDATED_TIME).and_then(Value::as_number).unwrap_or(0.0)
}

impl Book {
    /// What the tables say.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(store: &Store) -> Result<Book, OperationError> {
        let system = system_database(store)?;
        let reader = system.read()?;
        Ok(Book::of(reader.view())?)
    }

    fn of(view: View<'_>) -> Result<Book, StoreError> {
        let keyed = |record: Object, key: &str| {
            let name = record.get(key).and_then(Value::as_str).map(str::to_owned);
            name.map(|name| (name, record))
        };
        let rows = all(view, NODES)?.into_iter().filter_map(|row| keyed(row, "name")).collect();
        let mut book = Book { rows, ..Book::default() };
        for (name, record) in all(view, LINKS)?.into_iter().filter_map(|record| keyed(record, "id")) {
            if name == SELF {
                let text = |field: &str| record.get(field).and_then(Value::as_str).map(str::to_owned);
                (book.instance, book.adopted_name) = (text("instance"), text("name"));
                book.guess = text("guess");
            } else {
                book.links.insert(name, Link::read(&record));
            }
        }
        Ok(book)
    }

    /// The nodes that are known, without the one called `own_name`.
    pub fn peers(&self, own_name: &str) -> Vec<NodeRecord> {
        let others = self.rows.iter().filter(|(name, _)| name.as_str() != own_name);
        others.filter_map(|(name, row)| self.peer(name, row)).collect()
    }

    fn peer(&self, name: &str, row: &Object) -> Option<NodeRecord> {
        let told = || Link {
            subscriptions: row.get("subscriptions").and_then(read_subscriptions),
            ..Link::default()
        };
        let link = self.links.get(name).filter(|link| link.removed.is_none());
        // With whom a few tables are exchanged is a matter of those two.
        if link.is_none() && told().subscriptions.is_some_and(|all| !all.is_empty()) {
            return None;
        }
        let link = link.cloned().unwrap_or_default();
        let Facts { url, shard, revoked_certificates } = Facts::of(row);
        Some(NodeRecord {
            name: name.to_owned(),
            url: link.url.or(url),
            subscriptions: link.subscriptions,
            replicates: link.flow,
            start_time: link.start_time,
            revoked_certificates,
            shard,
            is_leader: link.is_leader,
            authorization: link.authorization,
            legacy: link.legacy,
        })
    }

    /// Stores what is known of a node, and of what is agreed on with it when it is not this one. The row is newer
    /// than all before, and than its removal.
    pub fn know(&mut self, name: &str, facts: &Facts, link: Option<Link>) {
        let removed = self.links.get(name).and_then(|link| link.removed);
        let earlier = self.rows.get(name).map(stamp_of).into_iter().chain(removed);
        let stamp = earlier.map(|stamp| stamp + 1.0).fold(self.now, f64::max);
        self.put(name, facts, stamp);
        if let Some(link) = link {
            self.agree(name, Link { removed: None, ..link });
        }
    }

    /// Stores what is agreed on with a node. Its row shows it, too, and to nobody else.
    pub fn agree(&mut self, name: &str, link: Link) {
        if let Some(row) = self.rows.get_mut(name) {
            let shown = shown_subscriptions(link.subscriptions.as_deref());
            row.insert("subscriptions".to_owned(), shown);
            row.insert("replicates".to_owned(), link.flow.to_value());
        }
        self.links.insert(name.to_owned(), link);
    }

    /// Where this node is to be looked for, which takes itself to be at a place: what others have found counts more than
    /// a guess, of which the port only is sure.
    pub fn place(&self, own_name: &str, place: &Place) -> Option<String> {
        let found = self.rows.get(own_name).and_then(|row| Facts::of(row).url);
        match (&place.url, found) {
            (Some(guess), Some(found)) if place.is_guess => {
                Some(moved(&found, self.guess.as_deref(), guess).unwrap_or(found))
            }
            (url, _) => url.clone(),
        }
    }

    /// Stores where this node is when that is news. A guess is believed only as long as nobody knows better, such as the
    /// first node that comes and has seen it at a place.
    pub fn announce(&mut self, own_name: &str, place: &Place, shard: Option<u32>, seen_at: Option<&str>) {
        let known = self.rows.get(own_name).map(Facts::of);
        let revoked_certificates =
            known.as_ref().map(|known| known.revoked_certificates.clone()).unwrap_or_default();
        let seen_at = seen_at.filter(|_| place.is_guess && known.is_none()).map(str::to_owned);
        let url = seen_at.or_else(|| self.place(own_name, place));
        let facts = Facts { url, shard, revoked_certificates };
        if known.as_ref() != Some(&facts) {
            self.know(own_name, &facts, None);
        }
        self.guess = place.url.clone().filter(|_| place.is_guess);
    }

    /// Stores the row of a node as of a time, and forgets that it was ever removed.
    pub(super) fn put(&mut self, name: &str, facts: &Facts, stamp: f64) {
        let row = self.rows.entry(name.to_owned()).or_default();
        row.insert("name".to_owned(), Value::from(name));
        facts.put(row);
        row.entry(CREATED_TIME.to_owned()).or_insert(Value::Number(stamp));
        row.insert(UPDATED_TIME.to_owned(), Value::Number(stamp));
        if let Some(link) = self.links.get_mut(name) {
            link.removed = None;
        }
    }

    /// Removes a node and keeps in mind when. Returns the certificates learned from it, which nobody is to be
    /// recognised by any more.
    pub fn remove(&mut self, name: &str, at: f64) -> Vec<String> {
        let row = self.rows.remove(name);
        let link = self.links.remove(name).unwrap_or_default();
        let tombstone = Link {
            removed: Some(at),
            // Routes may name it by its place only.
            url: link.url.or_else(|| Facts::of(&row?).url),
            instance: link.instance,
            // Tells that only this node has to do with it.
            subscriptions: link.subscriptions.map(|_| Vec::new()),
            ..Link::default()
        };
        self.links.insert(name.to_owned(), tombstone);
        link.certificates
    }

    /// Removes a node that this node knows no more, without saying so to others.
    pub fn forget(&mut self, name: &str) -> Vec<String> {
        self.rows.remove(name);
        self.links.remove(name).unwrap_or_default().certificates
    }

    /// Removes the own row when it is the last one.
    pub fn tidy(&mut self, own_name: &str) {
        if self.rows.len() == 1 {
            self.rows.remove(own_name);
        }
    }

    /// The number of this node, made when there is none.
    pub(in crate::replication) fn instance_or_new(&mut self) -> String {
        self.instance.get_or_insert_with(|| uuid::Uuid::new_v4().to_string()).clone()
    }

    fn own_record(&self) -> Object {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let members = [
            ("id", Value::from(SELF)),
            ("instance", text(&self.instance)),
            ("name", text(&self.adopted_name)),
            ("guess", text(&self.guess)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Changes the tables in one transaction.
pub(in crate::replication) async fn edit<T: Send + 'static>(
    store: &Store,
    change: impl Fn(&mut Book) -> T + Send + Sync + 'static,
) -> Result<T, OperationError> {
    let work = move |txn: &mut WriteTxn<'_>| -> Result<T, OperationError> {
        let before = Book { now: txn.timestamp(), ..Book::of(txn.view()?)? };
        let mut after = before.clone();
        let result = change(&mut after);
        write(txn, &before, &after)?;
        Ok(result)
    };
    system_database(store)?.write(work).await
}

fn write(txn: &mut WriteTxn<'_>, before: &Book, after: &Book) -> Result<(), StoreError> {
    let nodes = find(txn.catalog().table(NODES), NODES)?;
    let links = find(txn.catalog().table(LINKS), LINKS)?;
    for (name, row) in &after.rows {
        if before.rows.get(name) != Some(row) {
            txn.put(&nodes, &Value::from(name.as_str()), row, None)?;
        }
    }
    for name in before.rows.keys().filter(|name| !after.rows.contains_key(*name)) {
        txn.delete(&nodes, &Value::from(name.as_str()))?;
    }
    for (name, link) in &after.links {
        if before.links.get(name) != Some(link) {
            txn.put(&links, &Value::from(name.as_str()), &link.record(name), None)?;
        }
    }
    for name in before.links.keys().filter(|name| !after.links.contains_key(*name)) {
        txn.delete(&links, &Value::from(name.as_str()))?;
    }
    if before.own_record() != after.own_record() {
        txn.put(&links, &Value::from(SELF), &after.own_record(), None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_does_not_replace_what_was_found() {
        let guess = |port: u16| Place { url: Some(format!("ws://node-1:{port}")), is_guess: true };
        let url = |book: &Book| book.rows.get("node-1").and_then(|row| Facts::of(row).url).unwrap();
        let mut book = Book { now: 1000.0, ..Book::default() };
        book.announce("node-1", &guess(80), None, None);
        assert_eq!(url(&book), "ws://node-1:80", "nobody knows better");
        book.announce("node-1", &guess(81), None, None);
        assert_eq!(url(&book), "ws://node-1:81");
        let found = |url: &str| Facts { url: Some(url.to_owned()), ..Facts::default() };
        book.know("node-1", &found("ws://10.0.0.1:81"), None);
        book.announce("node-1", &guess(81), Some(3), None);
        assert_eq!(url(&book), "ws://10.0.0.1:81");
        assert_eq!(Facts::of(&book.rows["node-1"]).shard, Some(3));
        book.announce("node-1", &guess(82), Some(3), None);
        assert_eq!(url(&book), "ws://10.0.0.1:82", "the port is no guess");
        book.know("node-1", &found("ws://10.0.0.9:1082"), None);
        book.announce("node-1", &guess(83), None, None);
        assert_eq!(url(&book), "ws://10.0.0.9:1082", "unless something leads there from another");
        let given = Place { url: Some("wss://here:9".to_owned()), is_guess: false };
        book.announce("node-1", &given, None, None);
        assert_eq!((url(&book), book.guess.clone()), ("wss://here:9".to_owned(), None));
    }

    #[test]
    fn the_first_that_comes_tells_a_node_where_it_is() {
        let mut book = Book { now: 1000.0, ..Book::default() };
        let guess = Place { url: Some("ws://node-1:80".to_owned()), is_guess: true };
        for (seen, stays) in
            [("ws://10.0.0.1:80", "ws://10.0.0.1:80"), ("ws://10.0.0.2:80", "ws://10.0.0.1:80")]
        {
            book.announce("node-1", &guess, None, Some(seen));
            assert_eq!(book.place("node-1", &guess).as_deref(), Some(stays));
        }
    }

    #[test]
    fn a_change_of_the_way_changes_the_port() {
        let moved = |found, now| moved(found, Some("ws://n:80"), now);
        assert_eq!(moved("ws://10.0.0.1:99", "wss://n:90").as_deref(), Some("wss://10.0.0.1:90"));
        assert_eq!(moved("ws://n:80", "wss://n:90").as_deref(), Some("wss://n:90"));
        assert_eq!(moved("ws://10.0.0.1:80", "ws://n:80"), None);
    }
}
