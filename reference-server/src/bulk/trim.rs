//! Deleting the records made before a moment.

use super::blocking::{Stopped, blocking};
use crate::error::{ErrorKind, OperationError};
use crate::jobs::Done;
use crate::operations::names::or_gone;
use crate::store::{
    Attribute, AttributeId, CREATED_TIME, Database, HistoryEntry, KeyRange, Origin, Table, View, WriteTxn,
};
use crate::value::Value;
use std::ops::Bound;
use std::sync::Arc;

/// How many records are deleted in one transaction, which is one entry of the history.
const AT_ONCE: usize = 20_000;

/// Deletes the records of a table that were made strictly before an instant, in epoch milliseconds.
///
/// # Errors
/// When the table does not tell when its records were made.
pub async fn delete_before(
    database: Arc<Database>,
    table: Arc<Table>,
    before: f64,
    username: String,
    node: &str,
) -> Result<Done, OperationError> {
    if created_attribute(&table).is_none() {
        return Err(OperationError::invalid(format!(
            "Table must have a '{CREATED_TIME}' attribute or @createdTime timestamp defined to perform this operation"
        )));
    }
    let mut deleted = 0;
    loop {
        let (reading, of) = (database.clone(), table.clone());
        let keys = blocking(move |stopped| {
            let reader = reading.read()?;
            keys_before(reader.view(), &of, before, &stopped)
        });
        let keys = keys.await?;
        let last = keys.len() < AT_ONCE;
        if !keys.is_empty() {
            deleted += delete(&database, &table, keys, before, &username, node).await?;
        }
        if last {
            break;
        }
    }
    Ok(Done::with_message(match deleted {
        0 => "No records found to delete".to_owned(),
        1 if !fault!("trim-counts-records") => "1 of 1 record successfully deleted".to_owned(),
        many => format!("{many} of {many} records successfully deleted"),
    }))
}

/// The attribute with the time a record was made.
fn created_attribute(table: &Table) -> Option<&Attribute> {
    let assigned = table.attributes.iter().find(|attribute| attribute.assigned_created_time);
    assigned.or_else(|| table.attribute(CREATED_TIME))
}

fn keys_before(
    view: View<'_>,
    table: &Table,
    before: f64,
    stopped: &Stopped,
) -> Result<Vec<Value>, OperationError> {
    let Some(attribute) = created_attribute(table).map(|attribute| attribute.id) else {
        return Ok(Vec::new());
    };
    let mut keys = Vec::new();
    if table.is_indexed(attribute) {
        let range = KeyRange::new(Bound::Unbounded, Bound::Excluded(&Value::Number(before)));
        for hit in view.index(table, attribute, range, false)? {
            let hit = hit?;
            // A record without the time lies in the index too, before all others.
            if let Some(record) = view.get_encoded(table, hit.key)?
                && is_before(record.attribute(attribute).map(|time| time.decode()), before)
            {
                keys.push(record.key());
            }
            if keys.len() >= AT_ONCE {
                break;
            }
        }
        return Ok(keys);
    }
    for (position, record) in view.scan(table, KeyRange::all(), false)?.enumerate() {
        let record = record?;
        if is_before(record.attribute(attribute).map(|time| time.decode()), before) {
            keys.push(record.key());
        }
        if keys.len() >= AT_ONCE {
            break;
        }
        if position % 4096 == 0 {
            stopped.check()?;
        }
    }
    Ok(keys)
}

fn is_before(time: Option<Value>, before: f64) -> bool {
    match time {
        Some(Value::Number(instant) | Value::Date(instant)) => instant < before,
        Some(Value::String(text)) => crate::query::date_text(&text).is_some_and(|instant| instant < before),
        _ => false,
    }
}

/// Deletes records that are still there and still that old, as one entry of the history.
async fn delete(
    database: &Database,
    table: &Table,
    keys: Vec<Value>,
    before: f64,
    username: &str,
    node: &str,
) -> Result<usize, OperationError> {
    let name = table.name.clone();
    let (username, node) = (username.to_owned(), node.to_owned());
    let missing = format!("Table '{}.{}' does not exist", database.name(), table.name);
    let deleted = database.write(move |txn: &mut WriteTxn<'_>| -> Result<usize, OperationError> {
        let table = txn.catalog().table(&name).cloned();
        let table = table.ok_or_else(|| OperationError::not_found(missing.clone()))?;
        let attribute: Option<AttributeId> = created_attribute(&table).map(|attribute| attribute.id);
        let mut deleted = 0;
        for key in &keys {
            let time = match (attribute, txn.get(&table, key)?) {
                (Some(attribute), Some(record)) => record.attribute(attribute).map(|time| time.decode()),
                _ => None,
            };
            if is_before(time, before) && txn.delete(&table, key)? {
                deleted += 1;
            }
        }
        // What is no part of a history that others are told stays here (BULK-DELETE-RECORDS-BEFORE-010).
        let origin = Origin { node: &node, epoch: "", number: 0, previous: 0 };
        let origin = Some(origin).filter(|_| !fault!("trims-everywhere"));
        txn.log_history(&table, HistoryEntry { origin, ..HistoryEntry::new("delete", Some(&username)) })?;
        Ok(deleted)
    });
    deleted.await.map_err(|error| or_gone(error, ErrorKind::NotFound, database.name(), &table.name))
}
