//! read_audit_log: the history of a table by time, by user or by primary key.

use super::entries::{Shown, is_hidden, reading};
use super::read_transaction_log::{limit, number};
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{StoreError, Table, View};
use crate::value::{Object, Value, number_text, order_members};
use std::ops::Bound;

/// What the request looks for.
enum Search {
    Times { from: Bound<f64>, to: Bound<f64>, limit: usize },
    Users(Vec<String>),
    Records(Vec<Value>),
}

pub(super) async fn read_audit_log(call: Call) -> Outcome {
    let search = search_of(&call.body)?;
    if !call.server.config.audit_log {
        return Err(OperationError::invalid(
            "To use this operation audit log must be enabled in harperdb-config.yaml",
        ));
    }
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let name = database.name().to_owned();
    let found = reading(database, move |view| {
        let shown = Shown::of(&name, &table);
        if is_hidden(&table) {
            return Ok(search.of_nothing());
        }
        match search {
            Search::Times { from, to, limit } => {
                let entries = view.history(&table, from, to, fault!("audit-newest-first"))?.take(limit);
                let entries: Result<Vec<Value>, StoreError> =
                    entries.map(|entry| shown.entry(&entry?)).collect();
                Ok(Value::Array(entries?))
            }
            Search::Users(users) => by_user(view, &table, &shown, users),
            Search::Records(keys) => by_record(view, &table, &shown, keys),
        }
    });
    Ok(Reply::Value(found.await?))
}

impl Search {
    /// What a table without a history answers.
    fn of_nothing(self) -> Value {
        match self {
            Search::Times { .. } => Value::Array(Vec::new()),
            Search::Users(_) => Value::Object(Object::new()),
            Search::Records(keys) => {
                let none = keys.iter().map(|key| (member_name(key), Value::Array(Vec::new())));
                let mut found: Object = none.collect();
                order_members(&mut found);
                Value::Object(found)
            }
        }
    }
}

fn search_of(body: &Object) -> Result<Search, OperationError> {
    let kind = body.get("search_type").and_then(Value::as_str);
    let values = match body.get("search_values") {
        None | Some(Value::Null) if matches!(kind, None | Some("timestamp")) => &[],
        None | Some(Value::Null) => return Err(OperationError::invalid("'search_values' is required")),
        Some(Value::Array(values)) => values.as_slice(),
        Some(_) if kind.is_none() => &[],
        Some(_) => return Err(OperationError::invalid("'search_values' must be an array")),
    };
    match kind {
        Some("username") => Ok(Search::Users(values.iter().map(member_name).collect())),
        Some("hash_value") if values.iter().any(Value::is_null) && !fault!("audit-null-key-taken") => {
            Err(OperationError::fault("An id is required"))
        }
        Some("hash_value") => Ok(Search::Records(values.to_vec())),
        // Without a type the values mean nothing.
        kind => {
            let time = |at: usize| values.get(at).filter(|value| kind.is_some() && !value.is_null());
            let bound = |at: usize| match time(at) {
                None => Ok(None),
                value => number(value).map(Some).ok_or_else(|| {
                    OperationError::invalid("'search_values' must hold numbers of milliseconds")
                }),
            };
            let from = bound(0)?.map_or(Bound::Unbounded, Bound::Included);
            let to = bound(1)?.map_or(
                Bound::Unbounded,
                if fault!("audit-bounds-swapped") { Bound::Included } else { Bound::Excluded },
            );
            Ok(Search::Times { from, to, limit: limit(body.get("limit")) })
        }
    }
}

fn by_user(
    view: View<'_>,
    table: &Table,
    shown: &Shown<'_>,
    users: Vec<String>,
) -> Result<Value, StoreError> {
    let mut found = Object::new();
    for user in users {
        let entries = view.history_of_user(table, &user)?;
        if !entries.is_empty() || fault!("audit-unknown-user-listed") {
            let entries = entries.iter().map(|entry| shown.entry(entry)).collect::<Result<_, _>>()?;
            found.insert(user, Value::Array(entries));
        }
    }
    order_members(&mut found);
    Ok(Value::Object(found))
}

fn by_record(
    view: View<'_>,
    table: &Table,
    shown: &Shown<'_>,
    keys: Vec<Value>,
) -> Result<Value, StoreError> {
    let mut found = Object::new();
    for key in keys {
        let entries = view.history_of_record(table, &key)?;
        let entries = entries.into_iter().map(|(entry, change)| shown.change(&entry, change));
        found.insert(member_name(&key), Value::Array(entries.collect()));
    }
    order_members(&mut found);
    Ok(Value::Object(found))
}

/// A value as the name of a member.
fn member_name(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(*number),
        Value::Array(items) => items.iter().map(member_name).collect::<Vec<_>>().join(","),
        other => other.to_json(),
    }
}
