//! Looking at jobs.

use super::{Call, Handler, Outcome, Reply};
use crate::error::OperationError;
use crate::jobs;
use crate::operations::bulk::iso_date;
use crate::value::Value;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("get_job", |call| Box::pin(get_job(call))),
    ("search_jobs_by_start_date", |call| Box::pin(search_jobs_by_start_date(call))),
];

async fn get_job(call: Call) -> Outcome {
    let id = call.body.get("id").unwrap_or(&Value::Null);
    match id {
        Value::Null => return Err(OperationError::fault("Invalid job ID specified.")),
        Value::String(text) if text.is_empty() && !fault!("job-blank-id-is-nothing") => {
            return Err(OperationError::fault("Invalid job ID specified."));
        }
        Value::Array(parts) if parts.is_empty() => {
            return Err(OperationError::fault("Invalid job ID specified."));
        }
        Value::Array(_) | Value::Object(_) | Value::Bytes(_) => {
            let text = "there was an error searching for jobs.  Please check the log for details.";
            return Err(OperationError::fault(text));
        }
        _ => {}
    }
    let job = jobs::find(&call.server.store, id)?;
    Ok(Reply::Value(Value::Array(job.into_iter().collect())))
}

async fn search_jobs_by_start_date(call: Call) -> Outcome {
    let from = date(&call, "from_date").ok_or_else(|| no_date("from", "."))?;
    let to = date(&call, "to_date").ok_or_else(|| no_date("to", ""))?;
    Ok(Reply::Value(Value::Array(jobs::started_between(&call.server.store, from, to)?)))
}

/// A date of the request in epoch milliseconds.
fn date(call: &Call, field: &str) -> Option<f64> {
    iso_date(call.body.get(field)?.as_str()?)
}

fn no_date(which: &str, end: &str) -> OperationError {
    OperationError::fault(format!(
        "There was an error searching jobs by date: Error: Invalid '{which}' date, must be in ISO-8601 format (YYYY-MM-DD){end}"
    ))
}
