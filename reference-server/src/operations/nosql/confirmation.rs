//! `replicatedConfirmation`: the answer waits until other nodes have what was written.

use crate::error::{ErrorKind, OperationError};
use crate::operations::Call;
use crate::value::Value;
use std::time::Duration;

/// How much of the time a request may take is left for its answer.
const SPARE: Duration = Duration::from_secs(1);

/// Waits for as many other nodes as the request says to have applied the transaction with a number in the database's
/// history; `None` when nothing was written. Nobody waits for more nodes than there are.
///
/// # Errors
/// When they have not in the time a request may take, or until the server ends. What was written stays, here and
/// wherever it has come to.
pub(super) async fn confirmed(
    call: &Call,
    database: &str,
    number: Option<u64>,
) -> Result<(), OperationError> {
    let nodes = call.body.get("replicatedConfirmation").and_then(Value::as_number).unwrap_or(0.0);
    let Some(number) = number.filter(|_| nodes >= 1.0 && !fault!("confirmation-not-waited-for")) else {
        return Ok(());
    };
    let limit = call.server.config.network.timeout;
    let limit = limit.saturating_sub(SPARE).max(limit / 2);
    let is_alone = call.server.replication.link.nodes.current().is_empty();
    if is_alone && fault!("confirmation-needs-nodes") {
        return Err(OperationError::fault("there are no other nodes"));
    }
    if call.server.replication.confirmed(database, number, nodes as usize, limit).await {
        return Ok(());
    }
    let text = format!("The write is done, but {nodes} other nodes have not confirmed it in time");
    Err(OperationError::new(ErrorKind::Unconfirmed, text))
}
