//! create_table and drop_table.

use super::attribute_definition::read_attributes;
use super::databases::blocking;
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{name_of, no_table};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{Database, StoreError, TableSpec};
use crate::value::Value;
use std::sync::Arc;

pub(super) async fn create_table(call: Call) -> Outcome {
    if call.body.get("residence").is_some_and(|residence| !residence.is_null()) {
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
        return Err(table_exists(&database_name, &table_name));
    }
    let database = database_or_new(&call, &database_name).await?;
    let made = database.write(move |txn| txn.create_table(spec.clone()).map(|_| ())).await;
    match made {
        Ok(()) => Ok(Reply::Message(format!("table '{database_name}.{table_name}' successfully created."))),
        Err(StoreError::AlreadyExists(_)) => Err(table_exists(&database_name, &table_name)),
        Err(error) => Err(error.into()),
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
    let made = blocking(move || match server.store.create_database(&name) {
        // Somebody else was quicker.
        Err(StoreError::AlreadyExists(_)) => Ok(server.store.database(&name)),
        made => made.map(Some),
    });
    made.await??.ok_or_else(|| OperationError::internal(anyhow::anyhow!("the new database is gone")))
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
    spec.audit = call.body.get("audit").and_then(Value::as_bool).unwrap_or(call.server.config.audit_log);
    spec.expiration = expiration(call.body.get("expiration"))?;
    Ok(spec)
}

fn expiration(sent: Option<&Value>) -> Result<Option<f64>, OperationError> {
    let seconds = match sent {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(seconds)) => Some(*seconds),
        Some(Value::String(text)) => text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite()),
        Some(_) => None,
    };
    match seconds {
        None => Err(OperationError::invalid("'expiration' must be a number")),
        Some(seconds) if seconds < 0.0 => {
            Err(OperationError::invalid("'expiration' must be greater than or equal to 0"))
        }
        seconds => Ok(seconds),
    }
}

pub(super) async fn drop_table(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let name = table.name.clone();
    match database.write(move |txn| txn.drop_table(&name)).await {
        Ok(true) => {
            Ok(Reply::Message(format!("successfully deleted table '{}.{}'", database.name(), table.name)))
        }
        Ok(false) | Err(StoreError::NotFound(_)) => {
            Err(no_table(ErrorKind::NotFound, database.name(), &table.name))
        }
        Err(error) => Err(error.into()),
    }
}
