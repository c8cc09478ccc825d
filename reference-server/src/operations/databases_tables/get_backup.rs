//! get_backup: a consistent copy of a database, or of some of its tables, as of the moment the operation starts.

use super::databases::blocking;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::value::Value;

pub(super) async fn get_backup(call: Call) -> Outcome {
    let database = call.database(ErrorKind::NotFound)?;
    let tables = wanted_tables(&call);
    if let Some(missing) = tables
        .iter()
        .flatten()
        .find(|name| database.catalog().table(name).is_none() && !fault!("backup-of-missing-table"))
    {
        return Err(OperationError::fault(format!("Can not find table {missing}")));
    }
    let with_history = call.body.get("include_audit").and_then(Value::as_bool).unwrap_or(false);
    let name = database.name().to_owned();
    let folder = call.server.config.root_path.join("tmp");
    let file = blocking(move || -> Result<tempfile::TempPath, OperationError> {
        std::fs::create_dir_all(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        match tables {
            Some(tables) => database.backup_tables(&tables, with_history, file.as_file_mut())?,
            None if fault!("backup-lacks-records") => {
                database.backup_tables(&[], with_history, file.as_file_mut())?;
            }
            None => database.backup(file.as_file_mut())?,
        }
        Ok(file.into_temp_path())
    })
    .await??;
    Ok(Reply::File { file, name })
}

/// The tables asked for by `table` or `tables`; `None` for all.
fn wanted_tables(call: &Call) -> Option<Vec<String>> {
    match (call.body.get("tables"), call.body.get("table")) {
        (Some(Value::Array(names)), _) => {
            Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        (_, Some(Value::String(name))) => Some(vec![name.clone()]),
        _ => None,
    }
}
