//! export_local, export_to_s3.
//!
//! Whatever is wrong with such a request is found by its job, statements of SQL excepted.

use crate::access::{self, Caller};
use crate::bulk::{Format, Location, Rows, blocking, keep, target, write_file};
use crate::error::OperationError;
use crate::jobs::{Done, Start};
use crate::operations::nosql::RowsOf;
use crate::operations::{Call, Outcome, ReplyForm, pipeline};
use crate::server::Server;
use crate::sql;
use crate::value::{Object, Value, number_text, object};
use std::path::Path;
use std::sync::Arc;

/// True for a request to export the result of a statement, whose rights are a matter of the statement first.
pub fn is_by_statement(body: &Object) -> bool {
    let search = body.get("search_operation").and_then(|search| search.get("operation"));
    body.contains_key("search_operation") && search.and_then(Value::as_str) == Some("sql")
}

pub(super) async fn export_local(call: Call) -> Outcome {
    check_statement(&call)?;
    let start = Start::of(&call).await?;
    let Call { server, caller, body, .. } = call;
    Ok(start.run(async move {
        let format = format_of(&body)?;
        let path = match body.get("path") {
            None | Some(Value::Null) => return Err(OperationError::invalid("path is missing.")),
            Some(Value::String(path)) if path.is_empty() => {
                return Err(OperationError::invalid("Invalid path: "));
            }
            Some(Value::String(path)) => path.clone(),
            Some(other) => return Err(OperationError::invalid(format!("Invalid path: {}", other.to_json()))),
        };
        let filename = filename(&body);
        let (folder, path) = blocking(move |_| target(&path, &filename, format)).await?;
        let rows = rows(&server, caller, &body).await?;
        let file = blocking(move |stopped| {
            let file = write_file(&folder, &rows, format, &stopped)?;
            keep(file, Path::new(&path))?;
            Ok(path)
        });
        let path = file.await?;
        let kind = format.extension();
        let kind = if fault!("export-kind-in-small") { kind.to_owned() } else { kind.to_ascii_uppercase() };
        Ok(Done::with_result(object([
            ("message", Value::String(format!("Successfully exported {kind} locally."))),
            ("path", Value::String(path)),
        ])))
    }))
}

pub(super) async fn export_to_s3(call: Call) -> Outcome {
    check_statement(&call)?;
    let start = Start::of(&call).await?;
    let Call { server, caller, body, .. } = call;
    Ok(start.run(async move {
        let mut location = location(&body)?;
        let format = format_of(&body)?;
        location.key = format!("{}.{}", location.key, format.extension());
        let rows = rows(&server, caller, &body).await?;
        let folder = server.config.root_path.join("tmp");
        let file = blocking(move |stopped| {
            std::fs::create_dir_all(&folder)?;
            write_file(&folder, &rows, format, &stopped)
        });
        let file = file.await?;
        Ok(Done::with_result(location.put(&server.config.bulk, file.path()).await?))
    }))
}

/// The file's name without its extension: what is asked for, or the time.
fn filename(body: &Object) -> String {
    match body.get("filename").filter(|_| !fault!("export-time-for-name")) {
        None | Some(Value::Null) => chrono::Utc::now().timestamp_millis().to_string(),
        Some(Value::String(name)) => name.clone(),
        Some(Value::Number(number)) => number_text(*number),
        Some(other) => other.to_json(),
    }
}

/// The format asked for; and whether the search is one that can be exported, which is judged with it.
fn format_of(body: &Object) -> Result<Format, OperationError> {
    let named = match body.get("format") {
        None | Some(Value::Null) => return Err(OperationError::invalid("format missing")),
        Some(format) if fault!("export-format-free") => format.as_str().map(|_| Format::Json),
        Some(format) => format.as_str().and_then(Format::named),
    };
    let Some(format) = named else {
        let text = "format invalid. must be one of the following values: json, csv";
        return Err(OperationError::invalid(text));
    };
    let search = match body.get("search_operation") {
        None | Some(Value::Null) => return Err(OperationError::invalid("search_operation missing")),
        Some(search) => search.get("operation").unwrap_or(&Value::Null),
    };
    match search {
        Value::Null => Err(OperationError::invalid("search_operation.operation missing")),
        Value::String(name) if SEARCHES.contains(&name.as_str()) || fault!("export-searches-by-id") => {
            Ok(format)
        }
        _ => Err(OperationError::invalid(format!(
            "searchOperation.operation must be one of the following values: {}",
            SEARCHES.join(", ")
        ))),
    }
}

const SEARCHES: [&str; 4] = ["search_by_value", "search_by_hash", "sql", "search_by_conditions"];

/// Where in which store the file goes.
fn location(body: &Object) -> Result<Location, OperationError> {
    let missing = |what: &str| OperationError::invalid(format!("{what} is missing."));
    let Some(s3) = body.get("s3").and_then(Value::as_object).filter(|s3| !s3.is_empty()) else {
        return Err(missing("S3 object"));
    };
    for member in ["aws_access_key_id", "aws_secret_access_key", "bucket", "key", "region"] {
        match s3.get(member) {
            None | Some(Value::Null) => return Err(missing(member)),
            Some(Value::String(text)) if text.is_empty() => return Err(missing(member)),
            Some(Value::String(_)) => {}
            Some(_) => return Err(OperationError::invalid(format!("{member} must be a string."))),
        }
    }
    Ok(Location::of(s3))
}

/// What the search of an export finds, with the rights of the caller.
async fn rows(server: &Arc<Server>, caller: Caller, body: &Object) -> Result<Rows, OperationError> {
    if is_by_statement(body) {
        return sql::select(server, &caller, statement_of(body)?).await.map(Rows::Here);
    }
    let Some(Value::Object(search)) = body.get("search_operation") else {
        return Err(OperationError::invalid("search_operation missing"));
    };
    let search = pipeline::call_of(server, caller, search.clone(), ReplyForm::Tree)?;
    access::authorise(&search)?;
    Ok(Rows::Search(RowsOf::request(&search)?))
}

/// The statement of a request that exports the result of one.
fn statement_of(body: &Object) -> Result<&str, OperationError> {
    let statement = body.get("search_operation").and_then(|search| search.get("sql"));
    statement
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| OperationError::invalid("The 'sql' parameter is missing from the request body"))
}

/// Fails when the request would export the result of a statement that does not do, or when the caller may not: what
/// the statement itself needs is told first.
fn check_statement(call: &Call) -> Result<(), OperationError> {
    if !is_by_statement(&call.body) || fault!("export-statement-unchecked") {
        return Ok(());
    }
    sql::check_search(&call.server, &call.caller, statement_of(&call.body)?)?;
    if call.caller.known()?.is_super_user() {
        return Ok(());
    }
    Err(access::refusal::super_user_only(&call.operation.name))
}
