//! delete_transaction_logs_before and delete_audit_logs_before: both remove old history of one table, as a job.

use super::read_transaction_log::number;
use crate::error::{ErrorKind, OperationError};
use crate::jobs::{self, Done};
use crate::operations::names::{name_of, no_database, no_table, or_gone};
use crate::operations::{Call, Outcome};
use crate::server::Server;
use crate::store::{StoreError, WriteTxn};
use std::sync::Arc;

/// How many entries are removed in one transaction, so that others get their turns.
const AT_ONCE: usize = 500;

pub(super) async fn delete_logs_before(call: Call) -> Outcome {
    let table = name_of(call.body.get("table")).unwrap_or_default();
    let before = number(call.body.get("timestamp")).unwrap_or(f64::NEG_INFINITY);
    let work = delete(call.server.clone(), call.database_name(), table, before);
    jobs::start(&call, work).await
}

async fn delete(
    server: Arc<Server>,
    database: String,
    table: String,
    before: f64,
) -> Result<Done, OperationError> {
    let missing = || no_table(ErrorKind::NotFound, &database, &table);
    let store =
        server.store.database(&database).ok_or_else(|| no_database(ErrorKind::NotFound, &database))?;
    let definition = store.catalog().table(&table).cloned().ok_or_else(missing)?;
    loop {
        let definition = definition.clone();
        let step = move |txn: &mut WriteTxn<'_>| -> Result<usize, OperationError> {
            // Dropped meanwhile, perhaps made again: not the table that was meant.
            if txn.catalog().table(&definition.name).is_none_or(|now| now.id != definition.id) {
                return Err(StoreError::NotFound(definition.name.clone()).into());
            }
            let before = if fault!("history-not-purged") { f64::NEG_INFINITY } else { before };
            Ok(txn.delete_history_before(&definition, before, AT_ONCE)?)
        };
        let deleted = store.write(step).await;
        if deleted.map_err(|error| or_gone(error, ErrorKind::NotFound, &database, &table))? == 0 {
            return Ok(Done::default());
        }
    }
}
