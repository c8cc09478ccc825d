//! What is done to the history or the age of records on one node stays there, and what is told of all nodes.

use super::group::{Group, PAUSE};
use crate::laws::{Refusal, Tried, blocked};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Instant;

/// The table whose records and history are deleted on the first node.
const AGED: &str = "aged";

/// Records that are deleted for their age on the first node stay on the last.
pub(super) async fn records_before(group: &Group<'_>) -> Tried {
    let key = shared_record(group).await?;
    // The clocks of the nodes may differ a little.
    let date = (Utc::now() + TimeDelta::minutes(5)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let request = json!({"operation": "delete_records_before", "database": group.database, "table": AGED, "date": date});
    job(group, 0, request).await?;
    let search = search(group, &key);
    let is_gone = |rows: &Value| rows.as_array().is_some_and(Vec::is_empty);
    if group.until(0, search.clone(), "", is_gone).await.is_some() {
        return Err(blocked("delete_records_before deletes nothing"));
    }
    if let Some(fault) = later(group).await? {
        return Ok(Some(fault));
    }
    let found = group.send(group.last(), search).await;
    let is_there = found.answer.as_ref().is_some_and(|answer| answer.body[0]["id"] == *key);
    let sentence = "what is deleted by its age on one node must stay on the others".to_owned();
    Ok((!is_there).then_some((sentence, Some(found))))
}

/// History that is deleted on the first node stays on the last.
pub(super) async fn audit_before(group: &Group<'_>) -> Tried {
    // The first may come with a copy of the table, which has no history.
    shared_record(group).await?;
    shared_record(group).await?;
    let read = json!({"operation": "read_audit_log", "database": group.database, "table": AGED});
    let has_some = |entries: &Value| entries.as_array().is_some_and(|all| !all.is_empty());
    for node in [0, group.last()] {
        if group.until(node, read.clone(), "", has_some).await.is_some() {
            return Err(blocked(format!("node '{}' has no history of the record", group.names[node])));
        }
    }
    let request = json!({"operation": "delete_audit_logs_before", "database": group.database, "table": AGED,
        "timestamp": (Utc::now() + TimeDelta::minutes(5)).timestamp_millis()});
    job(group, 0, request).await?;
    if group.until(0, read.clone(), "", |entries| !has_some(entries)).await.is_some() {
        return Err(blocked("delete_audit_logs_before deletes nothing"));
    }
    if let Some(fault) = later(group).await? {
        return Ok(Some(fault));
    }
    let found = group.send(group.last(), read).await;
    let is_there = found.answer.as_ref().is_some_and(|answer| has_some(&answer.body));
    let sentence = "history that is deleted on one node must stay on the others".to_owned();
    Ok((!is_there).then_some((sentence, Some(found))))
}

fn search(group: &Group<'_>, key: &str) -> Value {
    json!({"operation": "search_by_id", "database": group.database, "table": AGED, "ids": [key],
        "get_attributes": ["id"]})
}

/// A record of [`AGED`] that is on the first node and on the last; its key.
async fn shared_record(group: &Group<'_>) -> Result<String, Refusal> {
    let describe = json!({"operation": "describe_table", "database": group.database, "table": AGED});
    if group.accepted(0, describe).await.is_err() {
        group.make_table(0, &group.database, AGED).await?;
    }
    let key = group.key();
    let insert =
        json!({"operation": "insert", "database": group.database, "table": AGED, "records": [{"id": key}]});
    group.accepted(0, insert).await?;
    let is_there = |rows: &Value| rows[0]["id"] == *key;
    match group.until(group.last(), search(group, &key), "", is_there).await {
        None => Ok(key),
        Some(_) => Err(blocked("a record does not reach the other node")),
    }
}

/// What is written later arrives, so that what was done before would have.
async fn later(group: &Group<'_>) -> Tried {
    let key = group.key();
    group.write(0, "insert", json!([{"id": key, "n": 1}])).await?;
    let is_there = |rows: &Value| rows[0]["n"] == 1;
    Ok(group.everywhere(&[&key], "a later record must arrive", is_there).await)
}

/// Starts a job and waits for its end.
async fn job(group: &Group<'_>, node: usize, request: Value) -> Result<(), Refusal> {
    let started = group.accepted(node, request).await?;
    // Where the answer names no job, it is done.
    let Some(id) = started["job_id"].as_str() else { return Ok(()) };
    let began = Instant::now();
    loop {
        let told = group.accepted(node, json!({"operation": "get_job", "id": id})).await?;
        match told[0]["status"].as_str() {
            Some("COMPLETE") => return Ok(()),
            Some("ERROR") => return Err(blocked(format!("a job failed: {}", told[0]["message"]))),
            _ if began.elapsed() > group.patience() || group.run.stop.stopped() => {
                return Err(blocked("a job does not end"));
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// A request for the logs of all nodes.
pub(super) fn all_logs() -> Value {
    json!({"operation": "read_log", "limit": 20, "replicated": true})
}

/// Every line of the logs of all nodes bears the name of one of them.
pub(super) async fn logs(group: &Group<'_>) -> Tried {
    let exchange = group.send(0, all_logs()).await;
    let answered = exchange.answer.as_ref().filter(|answer| answer.status == 200);
    let Some(lines) = answered.and_then(|answer| answer.body.as_array()) else {
        return Err(blocked("the logs of all nodes cannot be read"));
    };
    if lines.is_empty() {
        return Err(blocked("the logs are empty"));
    }
    let unnamed = lines.iter().any(|line| !line["node"].is_string());
    let sentence = "every entry of the logs of all nodes must name its node".to_owned();
    Ok(unnamed.then_some((sentence, Some(exchange))))
}
