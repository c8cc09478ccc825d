//! The metrics that a server counts besides the built-in ones: those that have rows are listed.

use super::{Stage, Trial};
use crate::laws::{Law, Refusal, Tried, must, unsupported};
use serde_json::json;
use std::time::{Duration, Instant};

pub(super) const LAWS: &[(Law, Trial)] = &[(
    must(
        "metrics-with-rows-are-listed",
        "list_metrics of custom ones lists those that have rows, and no built-in ones",
        "list_metrics",
        &["STAT-LIST-METRICS-002"],
    ),
    |stage| Box::pin(listed(stage)),
)];

/// How long a server that counts for the first time may take to have rows.
const PATIENCE: Duration = Duration::from_secs(15);

const BUILTIN: [&str; 6] = [
    "table-size",
    "database-size",
    "storage-volume",
    "main-thread-utilization",
    "resource-usage",
    "utilization",
];

/// Metrics that products are known to have.
const KNOWN: [&str; 8] =
    ["duration", "success", "bytes-sent", "response_200", "db-read", "db-write", "cpu-usage", "memory"];

async fn listed(stage: &Stage<'_>) -> Tried {
    let started = Instant::now();
    let with_rows = loop {
        let with_rows = known_with_rows(stage).await?;
        if !with_rows.is_empty() {
            break with_rows;
        }
        if started.elapsed() > PATIENCE {
            return Err(unsupported("no metric that is not built in has rows yet"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let exchange =
        stage.target.operate(&json!({"operation": "list_metrics", "metric_types": ["custom"]})).await;
    let names = exchange.answer.as_ref().and_then(|answer| answer.body.as_array().cloned());
    let Some(names) = names else {
        return Ok(Some((format!("no list: {}", stage.told(&exchange)), Some(exchange))));
    };
    let fault = |sentence: String| Ok(Some((sentence, Some(exchange.clone()))));
    if let Some(missing) = with_rows.iter().find(|name| !names.contains(&json!(name))) {
        return fault(format!("'{missing}' has rows, but is not listed"));
    }
    if let Some(wrong) = BUILTIN.iter().find(|name| names.contains(&json!(name))) {
        return fault(format!("'{wrong}' is listed, but built in"));
    }
    Ok(None)
}

async fn known_with_rows(stage: &Stage<'_>) -> Result<Vec<&'static str>, Refusal> {
    let mut found = Vec::new();
    for name in KNOWN {
        if has_rows(stage, name).await? {
            found.push(name);
        }
    }
    Ok(found)
}

async fn has_rows(stage: &Stage<'_>, metric: &str) -> Result<bool, Refusal> {
    let request = json!({"operation": "get_analytics", "metric": metric, "get_attributes": ["metric"]});
    Ok(stage.ask(request).await?.as_array().is_some_and(|rows| !rows.is_empty()))
}
