//! Statements from their text to their answer.

use super::Engine;
use super::ast::{Select, Statement, TableName, Unsupported};
use super::deadline::Deadline;
use super::errors;
use super::permissions;
use super::scope::{Scope, Source};
use super::select::Plan;
use super::shapes::parse_once;
use super::writes;
use crate::access::{Caller, User};
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{no_database, no_table};
use crate::operations::{Outcome, Reply, ReplyForm, RowContent, Rows};
use crate::server::Server;
use crate::store::{Database, ReadTxn, StoreError};
use crate::value::Value;
use std::sync::Arc;
use std::time::Duration;

/// How much longer than a statement's own limit its answer is waited for: functions cannot be interrupted.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a statement for a caller.
///
/// # Errors
/// The documented ones, in the documented order: syntax, permissions, kind of statement, names, running.
pub async fn run(server: &Arc<Server>, caller: &Caller, sql: &str, form: ReplyForm) -> Outcome {
    let statement = parse_once(sql).map_err(|error| OperationError::invalid(error.message()))?;
    let user = caller.known()?.clone();
    match statement {
        Statement::Select(statement) => {
            check_select(server, &user, &statement)?;
            rows(server, caller, statement, form).await.map(Reply::Rows)
        }
        Statement::Insert(insert) => {
            permissions::check_insert(&user, &server.store, &insert)?;
            writes::insert(server, &user.username, insert).await
        }
        Statement::Update(update) => {
            permissions::check_update(&user, &server.store, &update)?;
            writes::update(server, &user.username, update).await
        }
        Statement::Delete(delete) => {
            permissions::check_delete(&user, &server.store, &delete)?;
            writes::delete(server, &user.username, delete).await
        }
        Statement::Other(word) if user.is_super_user() => {
            Err(OperationError::fault(format!("unsupported SQL type {word} in SQL: [object Object]")))
        }
        Statement::Other(word) => Err(OperationError::invalid(format!("Operation '{word}' not found"))),
    }
}

/// The rows of a SELECT, for operations that search by SQL.
///
/// # Errors
/// As [`run`]; other statements than SELECT are refused.
pub async fn select(server: &Arc<Server>, caller: &Caller, sql: &str) -> Result<Vec<Value>, OperationError> {
    match run_select(server, caller, sql).await?.content {
        RowContent::Tree(rows) => Ok(rows),
        RowContent::Text(_) => Err(OperationError::internal(anyhow::anyhow!("rows came as text"))),
    }
}

/// Finds out whether a caller may search by a statement, without running it.
///
/// # Errors
/// When it does not parse, is no SELECT, or needs rights that the caller lacks.
pub fn check_search(server: &Server, caller: &Caller, sql: &str) -> Result<(), OperationError> {
    match parse_once(sql).map_err(|error| OperationError::invalid(error.message()))? {
        Statement::Select(statement) => check_select(server, caller.known()?, &statement),
        _ => Err(no_search()),
    }
}

fn no_search() -> OperationError {
    OperationError::invalid("only SELECT can be searched by")
}

async fn run_select(server: &Arc<Server>, caller: &Caller, sql: &str) -> Result<Rows, OperationError> {
    let statement = parse_once(sql).map_err(|error| OperationError::invalid(error.message()))?;
    let user = caller.known()?.clone();
    match statement {
        Statement::Select(statement) => {
            check_select(server, &user, &statement)?;
            rows(server, caller, statement, ReplyForm::Tree).await
        }
        _ => Err(no_search()),
    }
}

fn check_select(server: &Server, user: &User, select: &Select) -> Result<(), OperationError> {
    permissions::check_select(user, &server.store, select)
}

/// The engine the server is configured for.
pub(super) fn engine(server: &Server) -> Engine {
    server.config.sql_engine
}

/// How long statements may take.
pub(super) fn time_limit(server: &Server) -> Duration {
    server.config.sql_timeout
}

/// Runs work that may take long away from the threads that serve connections, and answers in time even if it does
/// not end.
///
/// # Errors
/// Those of the work, and of time running out.
pub(super) async fn aside<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, OperationError> + Send + 'static,
) -> Result<T, OperationError> {
    let task = tokio::task::spawn_blocking(work);
    match tokio::time::timeout(limit.saturating_add(GRACE), task).await {
        Ok(result) => result.map_err(OperationError::internal)?,
        Err(_) => Err(errors::timed_out(limit)),
    }
}

async fn rows(
    server: &Arc<Server>,
    caller: &Caller,
    select: Box<Select>,
    form: ReplyForm,
) -> Result<Rows, OperationError> {
    let deadline = Deadline::after(time_limit(server));
    if let Some(rows) = rows_of(server, caller, &select, form, true, &deadline)? {
        return Ok(rows);
    }
    let limit = time_limit(server);
    let (server, caller) = (server.clone(), caller.clone());
    aside(limit, move || {
        let rows = rows_of(&server, &caller, &select, form, false, &deadline)?;
        rows.ok_or_else(|| OperationError::internal(anyhow::anyhow!("a search was not run")))
    })
    .await
}

fn rows_of(
    server: &Server,
    caller: &Caller,
    select: &Select,
    form: ReplyForm,
    small: bool,
    deadline: &Deadline,
) -> Result<Option<Rows>, OperationError> {
    match select.unsupported {
        Some(Unsupported::Form) => return Err(errors::search_failed("not supported")),
        Some(Unsupported::DerivedTable) => {
            return Err(OperationError::fault("schema not defined for table undefined"));
        }
        _ => {}
    }
    let names: Vec<&TableName> =
        select.from.iter().chain(select.joins.iter().map(|join| &join.table)).collect();
    let databases = databases(server, &names)?;
    let mut distinct: Vec<&Arc<Database>> = Vec::with_capacity(databases.len());
    for database in &databases {
        if !distinct.iter().any(|known| Arc::ptr_eq(known, database)) {
            distinct.push(database);
        }
    }
    let readers =
        distinct.iter().map(|database| database.read()).collect::<Result<Vec<ReadTxn<'_>>, StoreError>>()?;
    let reader = |database: &Arc<Database>| {
        let place = distinct.iter().position(|known| Arc::ptr_eq(known, database));
        place.and_then(|place| readers.get(place))
    };
    let mut scope = Scope::default();
    let mut views = Vec::with_capacity(names.len());
    for (name, database) in names.iter().zip(&databases) {
        let Some(reader) = reader(database) else { continue };
        let table = reader.catalog().table(&name.table).ok_or_else(|| {
            let kind = if fault!("sql-missing-table-500") { ErrorKind::Fault } else { ErrorKind::NotFound };
            no_table(kind, database.name(), &name.table)
        })?;
        scope.sources.push(Source::new(database.clone(), table.clone(), name));
        views.push(reader.view());
    }
    let plan = Plan::new(select, scope, caller, engine(server))?;
    plan.run(&views, form, small, deadline)
}

/// The databases of a statement's tables.
fn databases(server: &Server, names: &[&TableName]) -> Result<Vec<Arc<Database>>, OperationError> {
    names
        .iter()
        .map(|name| match &name.database {
            None if fault!("sql-bare-tables-in-data") => {
                server.store.database("data").ok_or_else(|| no_database(ErrorKind::NotFound, "data"))
            }
            None if names.len() > 1 => Err(errors::processing_failed()),
            None => Err(OperationError::fault(format!("schema not defined for table {}", name.table))),
            Some(database) => {
                server.store.database(database).ok_or_else(|| no_database(ErrorKind::NotFound, database))
            }
        })
        .collect()
}
