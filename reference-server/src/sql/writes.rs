//! INSERT, UPDATE and DELETE, through the code of the operations of the same names.
//!
//! What an UPDATE or a DELETE changes is searched for in a snapshot; in the write transaction its condition is
//! evaluated once more on the records found, so that what others changed meanwhile is seen.

use super::access_path::{candidates, for_each};
use super::ast::{Delete, Expr, Insert, TableName, Update};
use super::compile::Compiler;
use super::deadline::Deadline;
use super::errors;
use super::node::{Node, Row};
use super::run::{aside, engine, time_limit};
use super::scope::{Scope, Source};
use super::value::Js;
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{DEFAULT_DATABASE, or_gone};
use crate::operations::nosql::{Write, WriteRequest, delete_in, write, write_in};
use crate::operations::{Outcome, Reply};
use crate::server::Server;
use crate::store::{Database, Table};
use crate::value::{Object, Value, object};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Runs an INSERT.
///
/// # Errors
/// Those of its form and of the write.
pub async fn insert(server: &Arc<Server>, username: &str, insert: Insert) -> Outcome {
    let (Some(columns), Some(rows)) = (&insert.columns, &insert.rows) else {
        return Err(errors::insert_failed());
    };
    let scope = Scope::default();
    let mut compiler = Compiler::new(&scope, engine(server));
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        if row.len() != columns.len() && !fault!("sql-insert-lengths-may-differ") {
            return Err(errors::insert_failed());
        }
        let mut record = Object::with_capacity(columns.len());
        for (column, value) in columns.iter().zip(row) {
            let node = compiler.node(value).map_err(|_| errors::insert_failed())?;
            let value =
                node.value(&Row { records: &[], aggregates: &[] }).map_err(|_| errors::insert_failed())?;
            record.insert(column.clone(), stored(&value));
        }
        crate::value::order_members(&mut record);
        records.push(record);
    }
    let total = records.len();
    let request = WriteRequest {
        write: if fault!("sql-insert-overwrites") { Write::Upsert } else { Write::Insert },
        database: insert.table.database.unwrap_or_else(|| DEFAULT_DATABASE.to_owned()),
        table: insert.table.table,
        records,
        expires_at: None,
        username: if fault!("sql-stays-here") { String::new() } else { username.to_owned() },
        numbers: server.key_numbers.clone(),
    };
    let written = write(server, request).await?;
    Ok(Reply::Value(object([
        ("message", Value::String(format!("inserted {} of {total} records", written.written.len()))),
        ("inserted_hashes", Value::Array(written.written)),
        ("skipped_hashes", Value::Array(written.skipped)),
    ])))
}

/// A value as records hold it: what JSON has no number for is null.
fn stored(value: &Js) -> Value {
    match value {
        Js::Number(number) if !number.is_finite() => Value::Null,
        value => value.to_value().unwrap_or_default(),
    }
}

/// What an UPDATE or a DELETE works on.
struct Target {
    database: Arc<Database>,
    table: Arc<Table>,
    conditions: Vec<Node>,
    /// The attributes an UPDATE sets.
    set: Vec<(String, Node)>,
}

impl Target {
    fn new(
        server: &Server,
        name: &TableName,
        filter: Option<&Expr>,
        set: &[(String, Expr)],
    ) -> Result<Target, OperationError> {
        let database_name = name.database.as_deref().unwrap_or("undefined");
        let kind =
            if fault!("sql-delete-missing-table-404") { ErrorKind::NotFound } else { ErrorKind::Fault };
        let missing = |text: String| Err(OperationError::new(kind, text));
        let Some(database) = server.store.database(database_name) else {
            return missing(format!("schema {database_name} does not exist"));
        };
        let Some(table) = database.catalog().table(&name.table).cloned() else {
            return missing(format!("table {database_name}.{} does not exist", name.table));
        };
        let scope = Scope { sources: vec![Source::new(database.clone(), table.clone(), name)] };
        let mut compiler = Compiler::new(&scope, engine(server));
        let conditions = filter.map(|filter| compiler.conditions(filter)).transpose()?.unwrap_or_default();
        let set = set
            .iter()
            .map(|(name, value)| Ok((name.clone(), compiler.node(value)?)))
            .collect::<Result<_, OperationError>>()?;
        Ok(Target { database, table, conditions, set })
    }

    /// What the statement works on, the keys of its records as they are before it, and the end of its time.
    async fn found(
        server: &Server,
        name: &TableName,
        filter: Option<&Expr>,
        set: &[(String, Expr)],
    ) -> Result<(Target, Vec<Value>, Deadline), OperationError> {
        let target = Target::new(server, name, filter, set)?;
        let limit = time_limit(server);
        let deadline = Deadline::after(limit);
        aside(limit, move || {
            let keys = target.keys(&deadline)?;
            Ok((target, keys, deadline))
        })
        .await
    }

    fn holds(&self, row: &Row<'_, '_>) -> Result<bool, OperationError> {
        for condition in &self.conditions {
            if !condition.holds(row).map_err(errors::search_failed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The keys of the records that satisfy the condition.
    fn keys(&self, deadline: &Deadline) -> Result<Vec<Value>, OperationError> {
        let reader = self.database.read()?;
        let view = reader.view();
        let conditions: Vec<&Node> = self.conditions.iter().collect();
        let candidates = candidates(view, &self.table, 0, &conditions)?;
        let mut keys = Vec::new();
        let _ = for_each(view, &self.table, &candidates, deadline, &mut |record| {
            if self.holds(&Row { records: &[Some(record)], aggregates: &[] })? {
                keys.push(record.key());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }

    /// The values an UPDATE sets, under the record's own key unless it sets that too.
    fn changed(&self, key: &Value, row: &Row<'_, '_>) -> Result<Object, OperationError> {
        let mut record = Object::with_capacity(self.set.len() + 1);
        for (name, node) in &self.set {
            let value = node.value(row).map_err(errors::update_failed)?;
            record.insert(name.clone(), stored(&value));
        }
        record.entry(self.table.primary_key.clone()).or_insert_with(|| key.clone());
        crate::value::order_members(&mut record);
        Ok(record)
    }
}

/// Runs an UPDATE.
///
/// # Errors
/// Those of its names, of functions and of the write.
pub async fn update(server: &Arc<Server>, username: &str, update: Update) -> Outcome {
    if update.set.iter().any(|(_, value)| value.any(&mut |expr| matches!(expr, Expr::Subquery))) {
        return Err(errors::update_failed("sub-selects are not supported"));
    }
    let (target, keys, deadline) =
        Target::found(server, &update.table, update.filter.as_ref(), &update.set).await?;
    let database = target.database.clone();
    let table = target.table.name.clone();
    let mut request = WriteRequest {
        write: Write::Update,
        database: database.name().to_owned(),
        table: table.clone(),
        records: Vec::new(),
        expires_at: None,
        username: username.to_owned(),
        numbers: server.key_numbers.clone(),
    };
    let written = database
        .write(move |txn| -> Result<_, OperationError> {
            let mut records = Vec::with_capacity(keys.len());
            let most = if fault!("sql-update-first-only") { 1 } else { usize::MAX };
            for key in keys.iter().take(most) {
                deadline.step()?;
                let Some(record) = txn.get(&target.table, key)? else { continue };
                let records_of_row = [Some(record)];
                let row = Row { records: &records_of_row, aggregates: &[] };
                if target.holds(&row)? {
                    records.push(target.changed(key, &row)?);
                }
            }
            request.records = records;
            write_in(txn, &mut request)
        })
        .await
        .map_err(|error| or_gone(error, ErrorKind::Fault, database.name(), &table))?;
    server.written(database.name())?;
    let total = written.written.len() + written.skipped.len();
    Ok(Reply::Value(object([
        ("message", Value::String(format!("updated {} of {total} records", written.written.len()))),
        (
            if fault!("sql-updated-hashes-renamed") { "updated_hashes" } else { "update_hashes" },
            Value::Array(written.written),
        ),
        ("skipped_hashes", Value::Array(written.skipped)),
    ])))
}

/// Runs a DELETE.
///
/// # Errors
/// Those of its names, of functions and of the write.
pub async fn delete(server: &Arc<Server>, username: &str, delete: Delete) -> Outcome {
    let filter = delete.filter.as_ref().filter(|_| !fault!("sql-delete-ignores-where"));
    let (target, keys, deadline) = Target::found(server, &delete.table, filter, &[]).await?;
    let database = target.database.clone();
    let table = target.table.name.clone();
    let username = username.to_owned();
    let deleted = database
        .write(move |txn| -> Result<Vec<Value>, OperationError> {
            let mut found = Vec::with_capacity(keys.len());
            for key in &keys {
                deadline.step()?;
                let record = txn.get(&target.table, key)?;
                if record.is_some() && target.holds(&Row { records: &[record], aggregates: &[] })? {
                    found.push(key.clone());
                }
            }
            delete_in(txn, &target.table, &found, &username)?;
            Ok(found)
        })
        .await
        .map_err(|error| or_gone(error, ErrorKind::Fault, database.name(), &table))?;
    server.written(database.name())?;
    let total = deleted.len();
    let noun = if total == 1 && !fault!("sql-delete-says-records") { "record" } else { "records" };
    Ok(Reply::Value(object([
        ("message", Value::String(format!("{total} of {total} {noun} successfully deleted"))),
        ("deleted_hashes", Value::Array(deleted)),
        ("skipped_hashes", Value::Array(Vec::new())),
    ])))
}
