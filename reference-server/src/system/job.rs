//! The job that a restart ends.

use crate::error::OperationError;
use crate::jobs::{self, Ended};
use crate::operations::Call;
use crate::store::Store;
use uuid::Uuid;

/// Writes the record of a job under way and returns its id.
///
/// # Errors
/// When it cannot be written.
pub async fn begin(call: &Call) -> Result<String, OperationError> {
    let id = Uuid::new_v4().to_string();
    let created = chrono::Utc::now().timestamp_millis() as f64;
    jobs::begin(&call.server.store, &id, call, created).await?;
    Ok(id)
}

/// Ends jobs: well, or with what went wrong. What fails here is logged; nobody waits for it.
pub async fn end(store: &Store, ids: Vec<String>, fault: Option<String>) {
    for id in ids {
        let ended = match &fault {
            None => Ended::Complete { message: format!("Successfully completed job: {id}"), result: None },
            Some(fault) => Ended::Failed(fault.as_str().into()),
        };
        if let Err(error) = jobs::end(store, &id, ended).await {
            tracing::error!("the end of job {id} could not be noted: {error}");
        }
    }
}
