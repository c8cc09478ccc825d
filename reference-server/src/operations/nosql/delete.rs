//! delete: records by their primary keys.

use super::checks::check_key;
use super::confirmation::confirmed;
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{no_table, or_gone};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{HistoryEntry, Table, WriteTxn};
use crate::value::{Value, object};
use std::sync::Arc;

pub(super) async fn delete(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let keys = call.body.get("ids").and_then(Value::as_array).unwrap_or_default().to_vec();
    for key in &keys {
        // Any text may be asked for, also what could never have been written.
        if !matches!(key, Value::String(_)) {
            check_key(key)?;
        }
    }
    let total = keys.len();
    let mut deleted = keys.clone();
    if fault!("delete-list-reversed") {
        deleted.reverse();
    }
    let username = call.username();
    let (database_name, name) = (database.name().to_owned(), table.name.clone());
    let number = database
        .write(move |txn| -> Result<Option<u64>, OperationError> {
            let Some(table) = txn.catalog().table(&name).cloned() else {
                return Err(no_table(ErrorKind::NotFound, &database_name, &name));
            };
            delete_in(txn, &table, &keys, &username)?;
            Ok(txn.logged())
        })
        .await
        .map_err(|error| or_gone(error, ErrorKind::NotFound, database.name(), &table.name))?;
    call.server.written(database.name())?;
    confirmed(&call, database.name(), number).await?;
    let noun = if total == 1 && !fault!("delete-says-records") { "record" } else { "records" };
    Ok(Reply::Value(object([
        ("message", Value::String(format!("{total} of {total} {noun} successfully deleted"))),
        ("deleted_hashes", Value::Array(deleted)),
        ("skipped_hashes", Value::Array(Vec::new())),
    ])))
}

/// Removes records as part of a transaction.
///
/// # Errors
/// Those of the store.
pub fn delete_in(
    txn: &mut WriteTxn<'_>,
    table: &Arc<Table>,
    keys: &[Value],
    username: &str,
) -> Result<(), OperationError> {
    let first = if fault!("delete-last-key-only") { keys.len().saturating_sub(1) } else { 0 };
    for key in keys.iter().skip(first).filter(|_| !fault!("delete-does-nothing")) {
        txn.delete(table, key)?;
    }
    txn.log_history(table, HistoryEntry::new("delete", Some(username)))?;
    Ok(())
}
