//! The definitions of tables that the others have been told, so that each is told once. What came from another node is
//! noted as told, or it would come back from there after it was dropped here.

use super::audience::Excerpt;
use super::message::TableDefinition;
use super::names;
use crate::store::{StoreError, Table, View, WriteTxn};
use std::sync::Arc;

/// A definition that the others have not been told.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) definition: TableDefinition,
    key: String,
    stamp: String,
}

/// The definitions that are to be told, to all or to the reader of an excerpt. Those of the server's own database are
/// the same everywhere.
pub(super) fn untold(view: View<'_>, excerpt: Option<&Excerpt>) -> Result<Vec<News>, StoreError> {
    let mut found = Vec::new();
    let is_told = |table: &&Arc<Table>| excerpt.is_none_or(|excerpt| excerpt.tables.contains(&table.name));
    for table in view.catalog().tables().filter(is_told) {
        let (key, stamp) = match excerpt {
            None => (key(&table.name), stamp(table)),
            Some(excerpt) => (key_of(excerpt, &table.name), excerpt.life(&stamp(table))),
        };
        if view.replication_state(&key)? != Some(stamp.as_bytes()) {
            found.push(News { definition: TableDefinition::full(table), key, stamp });
        }
    }
    Ok(found)
}

/// Notes definitions as told.
pub(super) fn note_told(txn: &mut WriteTxn<'_>, news: &[News]) -> Result<(), StoreError> {
    for one in news {
        txn.set_replication_state(&one.key, Some(one.stamp.as_bytes()))?;
    }
    Ok(())
}

/// To be called when a change from another node has made a table or added to it: notes the definition as told, unless
/// the one before had news of this node in it.
///
/// # Errors
/// When LMDB fails.
pub fn note_foreign(txn: &mut WriteTxn<'_>, before: Option<&Table>, after: &Table) -> Result<(), StoreError> {
    if let Some(before) = before {
        let told = txn.view()?.replication_state(&key(&before.name))? == Some(stamp(before).as_bytes());
        if !told {
            return Ok(());
        }
    }
    txn.set_replication_state(&key(&after.name), Some(stamp(after).as_bytes()))
}

fn key(table: &str) -> String {
    format!("told-{}", names::digest(table))
}

fn key_of(excerpt: &Excerpt, table: &str) -> String {
    format!("{}-{}", key(table), names::digest(&excerpt.reader))
}

/// Another one for every definition, and for every life of a table.
fn stamp(table: &Table) -> String {
    let json = serde_json::to_string(&TableDefinition::full(table)).unwrap_or_default();
    names::digest(&format!("{} {json}", table.id))
}
