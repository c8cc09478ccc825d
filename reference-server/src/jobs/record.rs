//! The records of jobs, as they are stored and as they are shown.

use crate::access::SYSTEM;
use crate::access::system_tables::{self, get, system_database};
use crate::error::OperationError;
use crate::operations::Call;
use crate::store::{KeyRange, Store, StoreError, View, WriteTxn};
use crate::value::{Object, Value, iso_text};
use std::ops::Bound;

/// The table of jobs.
pub const JOBS: &str = "hdb_job";

const ID: &str = "id";
const TYPE: &str = "type";
const STATUS: &str = "status";
const USER: &str = "user";
const MESSAGE: &str = "message";
const RESULT: &str = "result";
const CREATED: &str = "created_datetime";
const STARTED: &str = "start_datetime";
const ENDED: &str = "end_datetime";

const IN_PROGRESS: &str = "IN_PROGRESS";
const COMPLETE: &str = "COMPLETE";
const ERROR: &str = "ERROR";

/// How a job has ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Well: with a message, and perhaps an object as its result.
    Complete {
        /// What to tell.
        message: String,
        /// What the operation gave back.
        result: Option<Value>,
    },
    /// Badly: why, as text or as the body of a refusal.
    Failed(Value),
}

/// Writes the record of a job that begins now; returns when it is durable.
///
/// # Errors
/// When it cannot be written.
pub async fn begin(store: &Store, id: &str, call: &Call, created: f64) -> Result<(), OperationError> {
    let mut record = Object::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put(ID, Value::from(id));
    // As it was sent, which may be an alias.
    put(
        TYPE,
        call.body
            .get("operation")
            .filter(|_| !fault!("job-type-canonical"))
            .cloned()
            .unwrap_or_else(|| Value::from(call.operation.name.as_str())),
    );
    put(STARTED, Value::Null);
    put(CREATED, Value::Number(created));
    put(STATUS, Value::from(IN_PROGRESS));
    if !fault!("job-user-lost") {
        put(USER, Value::from(call.username()));
    }
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
        let mut record = record.clone();
        let started = txn.timestamp().floor().max(created);
        record.insert(STARTED.to_owned(), Value::Number(started));
        system_tables::put(txn, JOBS, record).map(drop)
    });
    Ok(written.await?)
}

/// Writes how a job has ended; returns when that is durable. A job that is gone meanwhile stays so.
///
/// # Errors
/// When it cannot be written.
pub async fn end(store: &Store, id: &str, ended: Ended) -> Result<(), OperationError> {
    let key = Value::from(id);
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
        let Some(mut record) = get(txn.view()?, JOBS, &key)? else { return Ok(()) };
        let (status, message, result) = match ended.clone() {
            Ended::Complete { message, result } => (COMPLETE, Value::String(message), result),
            Ended::Failed(message) => {
                (if fault!("job-stays-in-progress") { COMPLETE } else { ERROR }, message, None)
            }
        };
        record.extend(result.map(|result| (RESULT.to_owned(), result)));
        record.insert(STATUS.to_owned(), Value::from(status));
        record.insert(MESSAGE.to_owned(), message);
        let started = record.get(STARTED).and_then(Value::as_number).unwrap_or(0.0);
        record.insert(ENDED.to_owned(), Value::Number(txn.timestamp().floor().max(started)));
        system_tables::put(txn, JOBS, record).map(drop)
    });
    Ok(written.await?)
}

/// Writes what a job has come to before it ends; returns when that is durable.
///
/// # Errors
/// When it cannot be written.
pub async fn note_result(store: &Store, id: &str, result: Value) -> Result<(), OperationError> {
    let key = Value::from(id);
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
        let Some(mut record) = get(txn.view()?, JOBS, &key)? else { return Ok(()) };
        record.insert(RESULT.to_owned(), result.clone());
        system_tables::put(txn, JOBS, record).map(drop)
    });
    Ok(written.await?)
}

/// The ids of the jobs that have not ended.
pub(super) fn unfinished(view: View<'_>) -> Result<Vec<String>, OperationError> {
    let mut ids = Vec::new();
    // `CREATED` is written by nobody here, but the data may come from elsewhere.
    for status in [IN_PROGRESS, "CREATED"] {
        let status = Value::from(status);
        for record in with_value(view, STATUS, KeyRange::equal(&status))? {
            ids.extend(record.get(ID).and_then(Value::as_str).map(str::to_owned));
        }
    }
    Ok(ids)
}

/// The job of an id, as get_job shows it.
///
/// # Errors
/// When the table cannot be read.
pub fn find(store: &Store, id: &Value) -> Result<Option<Value>, OperationError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    let record = get(reader.view(), JOBS, id)?;
    let shown = [ID, RESULT, STATUS, MESSAGE, ENDED, TYPE, STARTED, CREATED, USER];
    Ok(record.map(|record| Value::Object(only(&record, &shown))))
}

/// The jobs that started after one instant and before another, as search_jobs_by_start_date shows them, in the order
/// of their starts.
///
/// # Errors
/// When the table cannot be read.
pub fn started_between(store: &Store, from: f64, to: f64) -> Result<Vec<Value>, OperationError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    let (from, to) = (Value::Number(from), Value::Number(to));
    let range = KeyRange::new(Bound::Excluded(&from), Bound::Excluded(&to));
    let shown = [ID, CREATED, ENDED, MESSAGE, STARTED, STATUS, TYPE, USER];
    let records = with_value(reader.view(), STARTED, range)?;
    let shown = records.iter().map(|record| {
        let mut members = only(record, &shown);
        for name in [STARTED, ENDED] {
            let instant = record.get(name).and_then(Value::as_number);
            if let Some(text) = instant.and_then(iso_text)
                && !fault!("job-converted-times-lost")
            {
                members.insert(format!("{name}_converted"), Value::String(text));
            }
        }
        Value::Object(members)
    });
    Ok(shown.collect())
}

/// The jobs whose attribute lies in a range, in the order of its values.
fn with_value(view: View<'_>, attribute: &str, range: KeyRange) -> Result<Vec<Object>, StoreError> {
    let gone = || StoreError::NotFound(format!("table {SYSTEM}.{JOBS}"));
    let table = view.catalog().table(JOBS).cloned().ok_or_else(gone)?;
    // Nobody has written a job yet: then the attribute is not known either.
    let Some(attribute) = table.attribute_id(attribute) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for hit in view.index(&table, attribute, range, false)? {
        if let Some(record) = view.get_encoded(&table, hit?.key)? {
            found.push(system_tables::members(&record, &table));
        }
    }
    Ok(found)
}

/// Some members of a record, those that have a value.
fn only(record: &Object, names: &[&str]) -> Object {
    let mut shown = Object::new();
    for name in names {
        if let Some(value) = record.get(*name).filter(|value| !value.is_null()) {
            shown.insert((*name).to_owned(), value.clone());
        }
    }
    shown
}
