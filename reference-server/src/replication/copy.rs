//! Taking a whole database from another node.
//!
//! A copy is made of a table after the other, a page at a time, each page of a snapshot of its own: so no writer waits
//! for a reader. What the database had come to is told first; what is committed while pages are made comes in the pages,
//! or in the stream afterwards, or in both, where the version tells that it is known.

use super::apply::{Cursor, Peer, define, open};
use super::audience::Excerpt;
use super::dropped::Dropped;
use super::message::{TableDefinition, Write};
use super::state::{self, Mark};
use super::transfer::{Page, Pages};
use super::{identity, nodes, progress};
use crate::error::OperationError;
use crate::server::Server;
use crate::store::{Copied, CopiedPage, Database, StoreError, WriteTxn};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many bytes of records a page holds, the last record apart.
const PAGE: usize = 384 * 1024;

/// The first page: what the database had come to before the others were made.
#[derive(Debug, Serialize, Deserialize)]
struct Beginning {
    /// How far its own history had come.
    own: Mark,
    /// What had been applied of other nodes.
    applied: BTreeMap<String, Mark>,
    tables: Vec<TableDefinition>,
}

/// Changes of one table; those of one record together, earliest first, each with its origin.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Part {
    writes: Vec<(Option<String>, Write)>,
}

/// Makes the pages of a copy: what the database, or an excerpt of it, holds, and how far it has come with every node,
/// this one included. Blocks; ends when nobody takes the pages any more.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn send(
    server: &Arc<Server>,
    database: &str,
    excerpt: Option<&Excerpt>,
    is_replicated: &dyn Fn(&str) -> bool,
    pages: &mpsc::Sender<Page>,
) -> anyhow::Result<()> {
    let found = server.store.database(database).context("there is no such database")?;
    let own = identity::node_name(server);
    let beginning = begin(&found, excerpt, is_replicated)?;
    let tables: Vec<String> = beginning.tables.iter().map(|table| table.name.clone()).collect();
    if pages.blocking_send(Ok(state::encode(&beginning))).is_err() {
        return Ok(());
    }
    for (table, of_deletions) in tables.iter().flat_map(|table| [(table, false), (table, true)]) {
        let mut from: Option<Vec<u8>> = None;
        loop {
            let page = read(&found, table, &own, of_deletions, from.as_deref())?;
            if !page.changes.is_empty() {
                let writes = page.changes.into_iter().map(|copied| told(table, copied)).collect();
                if pages.blocking_send(Ok(state::encode(&Part { writes }))).is_err() {
                    return Ok(());
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

fn begin(
    database: &Database,
    excerpt: Option<&Excerpt>,
    is_replicated: &dyn Fn(&str) -> bool,
) -> anyhow::Result<Beginning> {
    let reader = database.read()?;
    let view = reader.view();
    let life = progress::life_of(view)?.context("the database is not told to others yet")?;
    let tables = view.catalog().tables().filter(|table| is_replicated(&table.name));
    let (life, applied) = match excerpt {
        None => (life, progress::all_applied_in(view)?),
        // What others told this node may not be in it.
        Some(excerpt) => (excerpt.life(&life), BTreeMap::new()),
    };
    Ok(Beginning {
        own: Mark { life, lseq: view.last_history_number()? },
        applied,
        tables: tables.map(|table| TableDefinition::full(table)).collect(),
    })
}

/// The next page of a table, which may have been dropped meanwhile.
fn read(
    database: &Database,
    table: &str,
    own: &str,
    of_deletions: bool,
    from: Option<&[u8]>,
) -> Result<CopiedPage, StoreError> {
    let reader = database.read()?;
    let view = reader.view();
    let Some(table) = view.catalog().table(table) else { return Ok(CopiedPage::default()) };
    view.copied(table, own, of_deletions, from, PAGE)
}

fn told(table: &str, copied: Copied) -> (Option<String>, Write) {
    let write = Write {
        table: table.to_owned(),
        kind: copied.kind,
        key: copied.key,
        record: copied.record,
        created: copied.created,
        updated: copied.time,
        expires_at: copied.expires_at,
    };
    (copied.origin, write)
}

fn taken(origin: Option<String>, write: Write) -> (String, Copied) {
    let Write { table, kind, key, record, created, updated, expires_at } = write;
    (table, Copied { kind, key, record, created, time: updated, expires_at, origin })
}

/// Puts the pages of a copy into a database, made if it is missing; newer records stay. With the last page `cursor`
/// becomes the place in the stream of the node they come from. Of a table only what is of a time, in epoch milliseconds,
/// from which on `is_due` says so is taken.
///
/// # Errors
/// When the pages end early or cannot be stored; what was stored stays.
pub async fn take(
    server: &Arc<Server>,
    database: &str,
    from: &Peer,
    cursor: Cursor,
    is_due: impl Fn(&str, f64) -> bool + Send + Sync,
    mut pages: Pages,
) -> anyhow::Result<()> {
    let first = pages.next().await?.context("a copy without a beginning")?;
    let beginning: Beginning = state::decode(&first)?;
    let target = open(server, database).map_err(OperationError::into_cause)?;
    let own = identity::node_name(server);
    // What was dropped since the two nodes know each other is not brought back.
    let since = nodes::agreed(server, &from.name).map_err(OperationError::into_cause)?;
    let tables = beginning.tables.iter().filter(|table| is_due(&table.name, f64::INFINITY)).cloned();
    let tables: Arc<Vec<TableDefinition>> = Arc::new(tables.collect());
    let definitions = tables.clone();
    let dropped = Dropped::of(&server.store, database, since)?;
    let before = dropped.clone();
    let defined = target.write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
        Ok(define(txn, &tables, since, &mut before.clone())?)
    });
    defined.await.map_err(OperationError::into_cause)?;
    while let Some(page) = pages.next().await? {
        let part: Part = state::decode(&page)?;
        let changes = part.writes.into_iter().map(|(origin, write)| taken(origin, write));
        let changes =
            changes.filter(|(table, copied)| is_due(table, copied.time) && !fault!("copies-without-records"));
        let changes: Vec<(String, Copied)> = changes.collect();
        let own = own.clone();
        let (definitions, dropped) = (definitions.clone(), dropped.clone());
        let stored = target.write(move |txn| store(txn, &own, &definitions, &mut dropped.clone(), &changes));
        stored.await.map_err(OperationError::into_cause)?;
    }
    // Whoever takes some tables only cannot rely on having what others told the one copied from.
    let is_whole = nodes::list(server)
        .iter()
        .find(|node| node.name == from.name)
        .is_none_or(|node| node.subscriptions.is_none());
    let from = from.clone();
    let node = own.clone();
    let ended = target.write(move |txn| end(txn, &node, &from, &beginning, is_whole, &cursor));
    ended.await.map_err(OperationError::into_cause)?;
    server.written(database).map_err(OperationError::into_cause)
}

fn store(
    txn: &mut WriteTxn<'_>,
    own: &str,
    definitions: &[TableDefinition],
    dropped: &mut Dropped,
    changes: &[(String, Copied)],
) -> Result<(), OperationError> {
    for (name, copied) in changes {
        if dropped.has(txn.records_view(), name, copied.time)? {
            continue;
        }
        if txn.catalog().table(name).is_none()
            && let Some(definition) = definitions.iter().find(|definition| definition.name == *name)
        {
            define(txn, std::slice::from_ref(definition), None, dropped)?;
        }
        let Some(table) = txn.catalog().table(name).cloned() else { continue };
        match txn.take_copied(&table, own, copied) {
            Err(StoreError::UnusableKey) => {
                tracing::warn!(table = name, "a copied record with an unusable key")
            }
            taken => taken?,
        }
    }
    Ok(())
}

/// Takes note that everything has come that the beginning tells.
fn end(
    txn: &mut WriteTxn<'_>,
    own: &str,
    from: &Peer,
    beginning: &Beginning,
    is_whole: bool,
    cursor: &Cursor,
) -> Result<(), OperationError> {
    let others = beginning.applied.iter().filter(|(name, _)| is_whole && *name != own);
    let marks = others.map(|(name, mark)| (name.as_str(), mark));
    for (origin, mark) in marks.chain([(from.name.as_str(), &beginning.own)]) {
        let known = progress::applied_in(txn.records_view(), origin)?;
        // A life that is not the one known here may be over; only the node itself can tell.
        let is_other = known.as_ref().is_some_and(|known| known.life != mark.life) && origin != from.name;
        if is_other || known.is_some_and(|known| known.life == mark.life && known.lseq >= mark.lseq) {
            continue;
        }
        progress::set_applied(txn, origin, mark)?;
    }
    if cursor.stream_seq > 0 {
        progress::set_cursor(txn, &from.name, cursor)?;
    }
    Ok(())
}
