//! delete_records_before, which older clients know as delete_files_before.

use crate::bulk::delete_before;
use crate::error::{ErrorKind, OperationError};
use crate::jobs::Start;
use crate::operations::{Call, Outcome};
use crate::query::date_text;
use crate::replication::identity::node_name;
use crate::value::Value;

pub(super) async fn delete_records_before(call: Call) -> Outcome {
    let table = call.body.get("table").and_then(Value::as_str).unwrap_or_default();
    if table.contains(['`', '/']) {
        return Err(OperationError::invalid("'table' names cannot include backticks or forward slashes"));
    }
    let date = call.body.get("date").and_then(Value::as_str).unwrap_or_default();
    let Some(before) = iso_date(date) else {
        return Err(OperationError::invalid("'date' must be in ISO 8601 date format"));
    };
    let start = Start::of(&call).await?;
    Ok(start.run(async move {
        let (database, table) = call.table(ErrorKind::NotFound)?;
        let node = node_name(&call.server);
        delete_before(database, table, before, call.username(), &node).await
    }))
}

/// The instant of an ISO 8601 date or time, in epoch milliseconds: of any precision, in UTC when it names no zone.
/// The contract's pattern lets pass what no calendar has.
pub(crate) fn iso_date(text: &str) -> Option<f64> {
    let text = text.replace(',', ".");
    // An offset of hours only gets its minutes.
    let bytes = text.as_bytes();
    let hours_only = bytes.len() > 16 && matches!(bytes.get(bytes.len() - 3), Some(b'+' | b'-'));
    date_text(&if hours_only { format!("{text}:00") } else { text })
}
