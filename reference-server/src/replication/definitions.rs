//! The definitions of tables that the others have been told, so that each is told once. What came from another node is
//! noted as told, or it would come back from there after it was dropped here.

use super::message::TableDefinition;
use super::names;
use crate::store::{StoreError, Table, View, WriteTxn};

/// A definition that the others have not been told.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) definition: TableDefinition,
    id: u32,
}

/// The definitions that are to be told. Those of the server's own database are the same everywhere.
pub(super) fn untold(view: View<'_>) -> Result<Vec<News>, StoreError> {
    let mut found = Vec::new();
    for table in view.catalog().tables() {
        if view.replication_state(&key(&table.name))? != Some(stamp(table).as_bytes()) {
            found.push(News { definition: TableDefinition::full(table), id: table.id });
        }
    }
    Ok(found)
}

/// Notes definitions as told.
pub(super) fn note_told(txn: &mut WriteTxn<'_>, news: &[News]) -> Result<(), StoreError> {
    for one in news {
        let stamp = stamp_of(one.id, &one.definition);
        txn.set_replication_state(&key(&one.definition.name), Some(stamp.as_bytes()))?;
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

fn stamp(table: &Table) -> String {
    stamp_of(table.id, &TableDefinition::full(table))
}

/// Another one for every definition, and for every life of a table.
fn stamp_of(id: u32, definition: &TableDefinition) -> String {
    let json = serde_json::to_string(definition).unwrap_or_default();
    names::digest(&format!("{id} {json}"))
}
