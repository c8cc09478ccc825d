//! create_table and drop_table.

use super::attribute_definition::read_attributes;
use super::databases::blocking;
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{name_of, no_table, or_gone};
use crate::operations::{Call, Outcome, Reply};
use crate::replication::dropped;
use crate::store::{Database, StoreError, TableSpec};
use crate::value::Value;
use std::sync::Arc;

/// How often a table is tried to be made in a database that others drop at the same time.
const MAX_ATTEMPTS: usize = 20;

pub(super) async fn create_table(call: Call) -> Outcome {
    if call
        .body
        .get("residence")
        .is_some_and(|residence| !residence.is_null() && !fault!("residence-ignored"))
        && !call.server.replication.link.is_enabled(&call.server.config)
    {
        return Err(OperationError::invalid(
            "Clustering does not appear to be enabled. Cannot insert table with property 'residence'.",
        ));
    }
    let spec = table_spec(&call)?;
    let database_name = call.database_name();
    let table_name = spec.name.clone();
    if let Some(database) = call.server.store.database(&database_name)
        && database.catalog().table(&table_name).is_some()
    {
        if fault!("create-table-twice") {
            return Ok(Reply::Message(format!("table '{database_name}.{table_name}' successfully created.")));
        }
        return Err(table_exists(&database_name, &table_name));
    }
    let mut attempts = 0;
    loop {
        let database = database_or_new(&call, &database_name).await?;
        let spec = spec.clone();
        match database.write(move |txn| txn.create_table(spec.clone()).map(|_| ())).await {
            Ok(()) => {
                let end = if fault!("create-table-without-stop") { "" } else { "." };
                let text = format!("table '{database_name}.{table_name}' successfully created{end}");
                return Ok(Reply::Message(text));
            }
            Err(StoreError::AlreadyExists(_)) => return Err(table_exists(&database_name, &table_name)),
            // Somebody dropped the database in the meantime, so it is made again.
            Err(StoreError::Closed) if attempts < MAX_ATTEMPTS => attempts += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

fn table_exists(database: &str, table: &str) -> OperationError {
    OperationError::new(ErrorKind::Invalid, format!("Table '{table}' already exists in '{database}'"))
}

async fn database_or_new(call: &Call, name: &str) -> Result<Arc<Database>, OperationError> {
    if let Some(database) = call.server.store.database(name) {
        return Ok(database);
    }
    let server = call.server.clone();
    let name = name.to_owned();
    let made = blocking(move || {
        let mut attempts = 0;
        loop {
            match server.store.create_database(&name) {
                // Somebody else was quicker, and may be as quick to drop it again.
                Err(StoreError::AlreadyExists(_)) if attempts < MAX_ATTEMPTS => {
                    if let Some(database) = server.store.database(&name) {
                        return Ok(database);
                    }
                    attempts += 1;
                }
                made => return made,
            }
        }
    });
    Ok(made.await??)
}

fn table_spec(call: &Call) -> Result<TableSpec, OperationError> {
    let name = name_of(call.body.get("table")).unwrap_or_default();
    let primary_key = name_of(call.body.get("primary_key")).unwrap_or_default();
    let mut spec = match call.body.get("attributes") {
        None | Some(Value::Null) => TableSpec::dynamic(name, primary_key),
        Some(attributes) => TableSpec {
            attributes: read_attributes(attributes, &primary_key)?,
            schema_defined: true,
            name,
            primary_key,
            ..TableSpec::default()
        },
    };
    spec.audit = call
        .body
        .get("audit")
        .and_then(Value::as_bool)
        .filter(|_| !fault!("audit-ignored"))
        .unwrap_or(call.server.config.audit_log);
    spec.expiration = expiration(call.body.get("expiration"))?.filter(|_| !fault!("expiration-not-kept"));
    Ok(spec)
}

fn expiration(sent: Option<&Value>) -> Result<Option<f64>, OperationError> {
    let seconds = match sent {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(seconds)) => Some(*seconds),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match seconds.filter(|seconds: &f64| seconds.is_finite()) {
        None => Err(OperationError::invalid("'expiration' must be a number")),
        Some(seconds) if seconds < 0.0 => {
            Err(OperationError::invalid("'expiration' must be greater than or equal to 0"))
        }
        seconds => Ok(seconds),
    }
}

pub(super) async fn drop_table(call: Call) -> Outcome {
    let done_at = call.caller.done_at;
    let (database, table) = match done_at {
        None => {
            let (database, table) = call.table(ErrorKind::NotFound)?;
            (database, table.name.clone())
        }
        // Nothing older may come afterwards, whether or not there is such a table now.
        Some(_) => (call.database(ErrorKind::NotFound)?, name_of(call.body.get("table")).unwrap_or_default()),
    };
    let (name, user) = (table.clone(), call.username());
    let matters = dropped::matter(&call.server);
    match database
        .write(move |txn| -> Result<bool, StoreError> {
            if fault!("drop-table-not-done") {
                return Ok(true);
            }
            if let Some(time) = done_at {
                return dropped::drop_table_as_of(txn, &name, time, Some(&user));
            }
            let is_gone = txn.drop_table(&name)?;
            if is_gone && matters {
                dropped::note_table(txn, &name, None)?;
            }
            Ok(is_gone)
        })
        .await
    {
        Ok(true) => Ok(Reply::Message(format!("successfully deleted table '{}.{table}'", database.name()))),
        Ok(false) => Err(no_table(ErrorKind::NotFound, database.name(), &table)),
        Err(error) => Err(or_gone(error.into(), ErrorKind::NotFound, database.name(), &table)),
    }
}
