//! Applying what another node has committed.

use super::definitions;
use super::dropped::Dropped;
use super::message::{TableDefinition, Transaction, WriteKind};
use super::progress;
use super::state::Mark;
use super::{identity, outgoing};
use crate::error::OperationError;
use crate::server::Server;
use crate::store::{
    Database, HistoryRecord, Origin, RemoteWrite, SYSTEM_DATABASE, Source, StoreError, Table, TableSpec,
    View, WriteTxn,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// How far ahead of the clock here the time of another node may be until a warning is due, in milliseconds.
const FARTHEST_AHEAD: f64 = 60_000.0;

/// The node that a message was read from, which is not always the one it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
}

/// How far the stream of a peer has been read; kept in the transaction that applies the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which life of the peer's stream `stream_seq` belongs to.
    pub epoch: String,
    /// The number of the last message in the peer's stream; 0 when the message came another way (then nothing is kept of
    /// the stream).
    pub stream_seq: u64,
    /// The number of the last transaction in the history of its origin.
    pub origin_lseq: u64,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was applied, or everything in it lost against newer writes.
    Done,
    /// It had been applied before; the cursor was kept.
    Known,
    /// Transactions before it are missing: nothing was changed, a copy is needed. Holds the number of the last
    /// transaction of that origin that has been applied.
    Gap(u64),
}

/// Applies a transaction of another node, in one transaction with its history entry and the cursor. Everything is handed
/// to the database's writer when the future is first polled, so that many can be under way, in order.
///
/// # Errors
/// When the store fails, or the message cannot be meant; nothing is changed then.
pub async fn transaction(
    server: &Arc<Server>,
    database: &str,
    from: &Peer,
    message: Transaction,
    cursor: Cursor,
) -> Result<Applied, OperationError> {
    check(&message)?;
    let dropped = Dropped::of(&server.store, database, None)?;
    if server.store.database(database).is_none() && dropped.has_database(message.timestamp) {
        return Err(OperationError::internal(anyhow::anyhow!("the database was dropped")));
    }
    let target = open(server, database)?;
    let own = identity::node_name(server);
    let from = from.clone();
    let changes_system = database == SYSTEM_DATABASE && !message.writes.is_empty();
    let applied = target.write(move |txn| {
        let mut dropped = dropped.clone();
        apply(txn, &own, &from, &message, &cursor, &mut dropped)
    });
    let applied = applied.await?;
    if changes_system && applied == Applied::Done {
        server.written(database)?;
    }
    Ok(applied)
}

/// A database, made when it is missing.
pub(super) fn open(server: &Arc<Server>, database: &str) -> Result<Arc<Database>, OperationError> {
    if let Some(found) = server.store.database(database) {
        return Ok(found);
    }
    match server.store.create_database(database) {
        Err(StoreError::AlreadyExists(_)) => {
            server.store.database(database).ok_or_else(|| StoreError::Closed.into())
        }
        made => Ok(made?),
    }
}

/// Refuses what would make nonsense of versions.
fn check(message: &Transaction) -> Result<(), OperationError> {
    let is_time = |time: f64| time.is_finite() && time >= 0.0;
    let times = message.writes.iter().flat_map(|write| [Some(write.created), write.expires_at]);
    let nonsense = !is_time(message.timestamp)
        || message.origin.is_empty()
        || times.flatten().any(|time| time.is_nan())
        || message.writes.iter().any(|write| write.table.is_empty());
    if nonsense {
        return Err(OperationError::invalid("a message of another node makes no sense"));
    }
    Ok(())
}

/// Applies a message as part of a transaction.
pub(super) fn apply(
    txn: &mut WriteTxn<'_>,
    own: &str,
    from: &Peer,
    message: &Transaction,
    cursor: &Cursor,
    dropped: &mut Dropped,
) -> Result<Applied, OperationError> {
    let is_ours = message.origin == own
        && progress::life_of(txn.records_view())?.is_some_and(|life| life == message.epoch);
    let mark =
        progress::applied_in(txn.records_view(), &message.origin)?.filter(|mark| mark.life == message.epoch);
    let last = mark.as_ref().map_or(0, |mark| mark.lseq);
    if message.previous > last && !is_ours {
        return Ok(Applied::Gap(last));
    }
    let is_known = is_ours || (mark.is_some() && message.lseq <= last);
    if !is_ours && (!is_known || message.writes.is_empty()) {
        define(txn, &message.tables, Some(message.timestamp), dropped)?;
    }
    if !is_known {
        write_all(txn, own, message, dropped)?;
        let mark = Mark { life: message.epoch.clone(), lseq: message.lseq };
        progress::set_applied(txn, &message.origin, &mark)?;
    }
    if cursor.stream_seq > 0 {
        progress::set_cursor(txn, &from.name, cursor)?;
    }
    Ok(if is_known { Applied::Known } else { Applied::Done })
}

/// Makes the tables and attributes that are missing, but no table that was dropped here after `time`.
pub(super) fn define(
    txn: &mut WriteTxn<'_>,
    tables: &[TableDefinition],
    time: Option<f64>,
    dropped: &mut Dropped,
) -> Result<(), StoreError> {
    for definition in tables {
        let before = txn.catalog().table(&definition.name).cloned();
        if let (None, Some(time)) = (&before, time)
            && dropped.has(txn.records_view(), &definition.name, time)?
        {
            continue;
        }
        let after = match &before {
            Some(table) => {
                let is_new = |name: &str| table.attribute(name).is_none();
                let new = definition
                    .attributes
                    .iter()
                    .filter(|attribute| is_new(&attribute.name) && attribute.name != definition.primary_key);
                let new: Vec<_> = new.cloned().collect();
                if new.is_empty() {
                    continue;
                }
                txn.add_attributes(table, new)?
            }
            None if fault!("tables-not-made-elsewhere") => continue,
            None => txn.create_table(spec_of(definition))?,
        };
        definitions::note_foreign(txn, before.as_deref(), &after)?;
    }
    Ok(())
}

/// What makes a table that is defined like another.
pub(super) fn spec_of(definition: &TableDefinition) -> TableSpec {
    let spec = TableSpec {
        name: definition.name.clone(),
        primary_key: definition.primary_key.clone(),
        schema_defined: definition.schema_defined,
        audit: definition.audit,
        expiration: definition.expiration,
        attributes: definition.attributes.clone(),
    };
    if !spec.attributes.is_empty() || spec.schema_defined {
        return spec;
    }
    // Its attributes come with its records.
    TableSpec { attributes: TableSpec::dynamic("", "").attributes, ..spec }
}

/// Puts the writes of a message among those here, and logs them, a table at a time.
fn write_all(
    txn: &mut WriteTxn<'_>,
    own: &str,
    message: &Transaction,
    dropped: &mut Dropped,
) -> Result<(), StoreError> {
    let origin = Origin {
        node: &message.origin,
        epoch: &message.epoch,
        number: message.lseq,
        previous: message.previous,
    };
    let source = Source { own, origin, timestamp: message.timestamp };
    if message.timestamp > txn.timestamp() + FARTHEST_AHEAD {
        warn_of_clock(&message.origin);
    }
    let mut names: Vec<&str> = Vec::new();
    for write in &message.writes {
        if !names.contains(&write.table.as_str()) {
            names.push(&write.table);
        }
    }
    for name in names {
        if dropped.has(txn.records_view(), name, message.timestamp)? {
            continue;
        }
        let Some(table) = txn.catalog().table(name).cloned() else {
            tracing::warn!(
                table = name,
                origin = message.origin,
                "writes to an unknown table were passed over"
            );
            continue;
        };
        if !fits(&table, &message.tables) {
            tracing::warn!(table = name, origin = message.origin, "the table has another primary key there");
            continue;
        }
        let of_table = message.writes.iter().filter(|write| write.table == name);
        for write in of_table.take(if fault!("only-first-record-arrives") { 1 } else { usize::MAX }) {
            if write.kind == WriteKind::Delete && fault!("deletions-stay-here") {
                continue;
            }
            if write.kind == WriteKind::Patch && fault!("updates-stay-here") {
                continue;
            }
            let remote = RemoteWrite {
                kind: write.kind,
                key: &write.key,
                record: &write.record,
                created: write.created,
                expires_at: write.expires_at,
            };
            match txn.apply_remote(&table, &source, &remote) {
                Err(StoreError::UnusableKey) => {
                    tracing::warn!(table = name, origin = message.origin, "a write with an unusable key");
                }
                applied => drop(applied?),
            }
        }
        txn.log_remote(&table, &source, &message.operation, message.user.as_deref())?;
        if let Some(after) = txn.catalog().table(name).cloned()
            && !Arc::ptr_eq(&after, &table)
        {
            definitions::note_foreign(txn, Some(&table), &after)?;
        }
    }
    Ok(())
}

/// Whether a table is the one that is meant.
fn fits(table: &Table, tables: &[TableDefinition]) -> bool {
    let meant = tables.iter().find(|definition| definition.name == table.name);
    meant.is_none_or(|definition| definition.primary_key == table.primary_key)
}

/// Warns once of a clock that is far ahead.
fn warn_of_clock(origin: &str) {
    static WARNED: std::sync::Once = std::sync::Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            origin,
            "the clock of another node is more than 60 s ahead: its writes win for so long"
        );
    });
}

/// Keeps a history of the system's own tables from now on, invisible to requests, as other nodes are told of it.
///
/// # Errors
/// When LMDB fails.
pub async fn log_system_tables(
    server: &Arc<Server>,
    is_replicated: impl Fn(&str) -> bool + Send + 'static,
) -> Result<(), OperationError> {
    let Some(system) = server.store.database(SYSTEM_DATABASE) else { return Ok(()) };
    let is_logged = |table: &Table| table.logged == is_replicated(&table.name);
    if system.catalog().tables().all(|table| is_logged(table)) {
        return Ok(());
    }
    system
        .write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
            let tables: Vec<Arc<Table>> = txn.catalog().tables().cloned().collect();
            for table in tables {
                txn.set_logged(&table, is_replicated(&table.name))?;
            }
            Ok(())
        })
        .await
}

impl Transaction {
    /// A history entry as others are told it: one of this node (by the outbox, which fills in origin, epoch and
    /// `previous`), or one of another (to make up for it while it is down), with the number and predecessor it has
    /// there. The number 0 is that of a record of a copy, which is no part of anybody's history.
    ///
    /// # Errors
    /// When the entry cannot be read.
    pub fn of(view: View<'_>, entry: &HistoryRecord<'_>) -> Result<Transaction, StoreError> {
        outgoing::transaction(view, entry)
    }
}
