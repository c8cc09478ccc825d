//! Reading the rows of the metrics, and what they are.

mod query;

use super::{Call, Handler, Outcome, Reply};
use crate::analytics::BUILTIN;
use crate::error::OperationError;
use crate::value::{Object, Value, object};
use query::Rows;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("list_metrics", |call| Box::pin(list_metrics(call))),
    ("describe_metric", |call| Box::pin(describe_metric(call))),
    ("get_analytics", |call| Box::pin(get_analytics(call))),
];

/// The names of the builtin metrics, of the others that have rows, or of both (STAT-LIST-METRICS-001 to 003).
async fn list_metrics(call: Call) -> Outcome {
    let wanted = |kind: &str| match call.body.get("metric_types") {
        None => kind == "builtin",
        Some(kinds) => {
            kinds.as_array().is_some_and(|kinds| kinds.iter().any(|wanted| wanted.as_str() == Some(kind)))
        }
    };
    let (builtin, custom) = (wanted("builtin"), wanted("custom"));
    let mut names: Vec<String> = Vec::new();
    if builtin {
        names.extend(BUILTIN.map(str::to_owned));
    }
    if custom && !fault!("custom-metrics-not-listed") {
        let known = off_thread(move || Rows::open(&call.server)?.metrics()).await?;
        names.extend(known.into_iter().filter(|name| !BUILTIN.contains(&name.as_str())));
    }
    Ok(Reply::Value(Value::Array(names.into_iter().map(Value::from).collect())))
}

/// The members of a metric's newest row with their types (STAT-DESCRIBE-METRIC-001).
async fn describe_metric(call: Call) -> Outcome {
    let Some(metric) = call.body.get("metric").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(Reply::Value(Value::Object(Object::new())));
    };
    let newest = off_thread(move || Rows::open(&call.server)?.newest(&metric)).await?;
    let Some(row) = newest else { return Ok(Reply::Value(Value::Object(Object::new()))) };
    let described =
        |name: &str, kind: &str| object([("name", Value::from(name)), ("type", Value::from(kind))]);
    let node = described("node", "string");
    let members = row.iter().map(|(name, value)| described(name, kind_of(value)));
    let attributes = std::iter::once(node).chain(members).collect();
    Ok(Reply::Value(object([("attributes", Value::Array(attributes))])))
}

/// A value's type as JavaScript names it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        _ => "object",
    }
}

/// The rows of a metric within a window, oldest first (STAT-GET-ANALYTICS-001 to 007).
async fn get_analytics(call: Call) -> Outcome {
    let rows = off_thread(move || Rows::open(&call.server)?.select(&call.body)).await?;
    Ok(Reply::Value(Value::Array(rows.into_iter().map(Value::Object).collect())))
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OperationError> + Send + 'static,
) -> Result<T, OperationError> {
    tokio::task::spawn_blocking(work).await.map_err(OperationError::internal)?
}

#[cfg(test)]
mod tests;
