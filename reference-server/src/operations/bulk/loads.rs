//! csv_data_load, csv_file_load, csv_url_load, import_from_s3.

use crate::access::Right;
use crate::bulk::{Load, Location, Source, fetch};
use crate::error::{ErrorKind, OperationError};
use crate::jobs::Start;
use crate::operations::nosql::Write;
use crate::operations::{Call, Outcome};
use crate::value::Value;
use std::path::{Path, PathBuf};

pub(super) async fn csv_data_load(mut call: Call) -> Outcome {
    call.table(ErrorKind::Invalid)?;
    let text = match call.body.get_mut("data").map(std::mem::take) {
        Some(Value::String(text)) => text,
        _ => return Err(OperationError::invalid("Data  must be a 'String' value")),
    };
    begin(call, Source::Text(text.into())).await
}

pub(super) async fn csv_file_load(call: Call) -> Outcome {
    call.table(ErrorKind::Invalid)?;
    let Some(path) = call.body.get("file_path").and_then(Value::as_str) else {
        return Err(OperationError::invalid("File path  must be a 'String' value"));
    };
    let file = PathBuf::from(path);
    // Only the metadata are looked at here: what else there is to a file, the job finds out.
    match tokio::fs::File::open(&file).await.map(drop) {
        Err(error)
            if error.kind() == std::io::ErrorKind::PermissionDenied && !fault!("unreadable-file-begins") =>
        {
            return Err(OperationError::invalid(format!("Permission denied {path}")));
        }
        Err(_) if !fault!("load-missing-file-begins") && tokio::fs::metadata(&file).await.is_err() => {
            return Err(OperationError::invalid(format!("No such file or directory {path}")));
        }
        _ => {}
    }
    begin(call, Source::Csv(file)).await
}

pub(super) async fn csv_url_load(call: Call) -> Outcome {
    call.table(ErrorKind::Invalid)?;
    let load = load(&call, Source::Csv(PathBuf::new()));
    let url = call.body.get("csv_url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let headers = call.body.get("passthrough_headers").and_then(Value::as_object).cloned();
    let start = Start::of(&call).await?;
    let server = call.server;
    Ok(start.run(async move {
        let folder = server.config.root_path.join("tmp");
        let file = fetch(&url, headers.as_ref(), &server.config.bulk, &folder).await?;
        // The file goes when `file` does, after the load.
        Load { source: Source::Csv(file.to_path_buf()), ..load }.run().await
    }))
}

pub(super) async fn import_from_s3(call: Call) -> Outcome {
    call.table(ErrorKind::Invalid)?;
    let load = load(&call, Source::Csv(PathBuf::new()));
    let Some(location) = call.body.get("s3").and_then(Value::as_object).map(Location::of) else {
        return Err(OperationError::invalid("S3 can't be blank"));
    };
    let start = Start::of(&call).await?;
    let server = call.server;
    Ok(start.run(async move {
        let folder = server.config.root_path.join("tmp");
        let file = location.fetch(&server.config.bulk, &folder).await?;
        let is_json = Path::new(&location.key).extension().is_some_and(|extension| extension == "json");
        let kind = if is_json { Source::Json } else { Source::Csv };
        Load { source: kind(file.to_path_buf()), ..load }.run().await
    }))
}

async fn begin(call: Call, source: Source) -> Outcome {
    let load = load(&call, source);
    let start = Start::of(&call).await?;
    Ok(start.run(load.run()))
}

/// The load that a request asks for.
fn load(call: &Call, source: Source) -> Load {
    let (write, rights) =
        match call.body.get("action").and_then(Value::as_str).filter(|_| !fault!("load-action-ignored")) {
            Some("insert") if fault!("load-overwrites") => (Write::Upsert, vec![Right::Insert]),
            Some("insert") => (Write::Insert, vec![Right::Insert]),
            Some("update") => (Write::Update, vec![Right::Update]),
            Some("upsert") => (Write::Upsert, vec![Right::Insert, Right::Update]),
            // Inserts, but wants the rights of both.
            _ => (Write::Insert, vec![Right::Insert, Right::Update]),
        };
    Load {
        server: call.server.clone(),
        caller: call.caller.clone(),
        username: call.username(),
        database: call.database_name(),
        table: crate::operations::names::name_of(call.body.get("table")).unwrap_or_default(),
        write,
        rights,
        source,
    }
}
