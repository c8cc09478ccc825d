//! insert, update, upsert: the three writes of whole records.

use super::confirmation::confirmed;
use super::write::{Write, WriteRequest, Written, write};
use crate::operations::names::name_of;
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Object, Value, object};

pub(super) async fn insert(call: Call) -> Outcome {
    let (total, written) = run(call, Write::Insert).await?;
    Ok(Reply::Value(object([
        ("message", Value::String(format!("inserted {} of {total} records", written.written.len()))),
        ("inserted_hashes", Value::Array(written.written)),
        ("skipped_hashes", Value::Array(written.skipped)),
    ])))
}

pub(super) async fn update(call: Call) -> Outcome {
    let (total, written) = run(call, Write::Update).await?;
    Ok(Reply::Value(object([
        ("message", Value::String(format!("updated {} of {total} records", written.written.len()))),
        ("update_hashes", Value::Array(written.written)),
        ("skipped_hashes", Value::Array(written.skipped)),
    ])))
}

pub(super) async fn upsert(call: Call) -> Outcome {
    let (total, written) = run(call, Write::Upsert).await?;
    Ok(Reply::Value(object([
        ("message", Value::String(format!("upserted {} of {total} records", written.written.len()))),
        ("upserted_hashes", Value::Array(written.written)),
    ])))
}

async fn run(mut call: Call, kind: Write) -> Result<(usize, Written), crate::error::OperationError> {
    let records: Vec<Object> = match call.body.get_mut("records").map(std::mem::take) {
        Some(Value::Array(records)) => records
            .into_iter()
            .filter_map(|record| match record {
                Value::Object(record) => Some(record),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let total = records.len();
    let request = WriteRequest {
        write: kind,
        database: call.database_name(),
        table: name_of(call.body.get("table")).unwrap_or_default(),
        records,
        expires_at: call.body.get("expiresAt").and_then(Value::as_number),
        username: call.username(),
        numbers: call.server.key_numbers.clone(),
    };
    let database = request.database.clone();
    let written = write(&call.server, request).await?;
    confirmed(&call, &database, written.number).await?;
    Ok((total, written))
}
