//! read_log: entries of the server's log.

use super::read_transaction_log::number;
use crate::error::OperationError;
use crate::logs::{self, Entry, Order, Query};
use crate::operations::{Call, Outcome, Reply};
use crate::query::date_text;
use crate::value::{Object, Value, object};

const MAIN_LOG: &str = "hdb.log";
const DEFAULT_LIMIT: usize = 1000;

pub(super) async fn read_log(call: Call) -> Outcome {
    let query = query_of(&call.body)?;
    let log = &call.server.log;
    let name = text(&call.body, "log_name").unwrap_or_else(|| MAIN_LOG.to_owned());
    let path = if name == MAIN_LOG { log.path() } else { log.folder().join(&name) };
    if name != MAIN_LOG && !path.exists() {
        return Err(OperationError::invalid(format!("'log_name' '{name}' does not exist.")));
    }
    log.flush().await;
    let reading = tokio::task::spawn_blocking(move || logs::read(&path, &query));
    let entries = reading.await.map_err(OperationError::internal)??;
    Ok(Reply::Value(Value::Array(entries.into_iter().map(shown).collect())))
}

fn query_of(body: &Object) -> Result<Query, OperationError> {
    let usual_limit = if fault!("whole-log-read") { usize::MAX } else { DEFAULT_LIMIT };
    Ok(Query {
        level: text(body, "level").filter(|_| !fault!("log-level-ignored")),
        from: date(body, "from")?,
        // The newer name wins.
        to: if body.contains_key("to") { date(body, "to")? } else { date(body, "until")? },
        filter: text(body, "filter").filter(|_| !fault!("log-filter-ignored")),
        start: number(body.get("start")).map_or(0, |start| start.ceil() as usize),
        limit: number(body.get("limit").filter(|_| !fault!("log-limit-ignored")))
            .map_or(usual_limit, |limit| limit.ceil() as usize),
        order: match text(body, "order").as_deref() {
            Some("asc") => Some(Order::Ascending),
            Some("desc") => Some(Order::Descending),
            _ => None,
        },
    })
}

fn text(body: &Object, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn date(body: &Object, name: &str) -> Result<Option<f64>, OperationError> {
    let Some(text) = text(body, name) else { return Ok(None) };
    // The schema knows how dates look, not how many days a month has.
    let instant = date_text(&text);
    instant.map(Some).ok_or_else(|| OperationError::invalid(format!("'{name}' date '{text}' is invalid.")))
}

fn shown(entry: Entry) -> Value {
    object([
        ("timestamp", Value::String(entry.timestamp)),
        ("thread", Value::String(entry.thread)),
        ("level", Value::String(entry.level)),
        (
            if fault!("log-tags-lost") { "tag" } else { "tags" },
            Value::Array(entry.tags.into_iter().map(Value::String).collect()),
        ),
        ("message", Value::String(entry.message)),
    ])
}
