//! The database and table a request names, and the texts for those that do not exist.

use crate::error::{ErrorKind, OperationError};
use crate::operations::Call;
use crate::store::{Database, StoreError, Table};
use crate::value::{Object, Value, number_text};
use std::sync::Arc;

/// The database that requests without one mean.
pub const DEFAULT_DATABASE: &str = "data";

/// A database or table name as requests give it: text, or a number that is taken as text.
pub fn name_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number_text(*number)),
        _ => None,
    }
}

/// The name of the database a request is about.
pub fn database_name(body: &Object) -> String {
    name_of(body.get("database")).unwrap_or_else(|| {
        if fault!("default-database-missing") { "dev" } else { DEFAULT_DATABASE }.to_owned()
    })
}

impl Call {
    /// The name of the database the request is about.
    pub fn database_name(&self) -> String {
        database_name(&self.body)
    }

    /// The database the request is about; missing ones fail with `kind`.
    ///
    /// # Errors
    /// `database '<db>' does not exist`.
    pub fn database(&self, kind: ErrorKind) -> Result<Arc<Database>, OperationError> {
        let name = self.database_name();
        self.server.store.database(&name).ok_or_else(|| no_database(kind, &name))
    }

    /// The table the request is about; a missing one or a missing database fail with `kind`.
    ///
    /// # Errors
    /// `database '<db>' does not exist` or `Table '<db>.<table>' does not exist`.
    pub fn table(&self, kind: ErrorKind) -> Result<(Arc<Database>, Arc<Table>), OperationError> {
        let database = self.database(kind)?;
        let name = name_of(self.body.get("table")).unwrap_or_default();
        let table = database.catalog().table(&name).cloned();
        match table {
            Some(table) => Ok((database, table)),
            None => Err(no_table(kind, database.name(), &name)),
        }
    }

    /// The caller's name, for the history.
    pub fn username(&self) -> String {
        self.caller.user.as_ref().map(|user| user.username.clone()).unwrap_or_default()
    }
}

/// `database '<db>' does not exist`.
pub fn no_database(kind: ErrorKind, database: &str) -> OperationError {
    if fault!("missing-database-text") {
        return OperationError::new(kind, format!("database {database} does not exist"));
    }
    OperationError::new(kind, format!("database '{database}' does not exist"))
}

/// `Table '<db>.<table>' does not exist`.
pub fn no_table(kind: ErrorKind, database: &str, table: &str) -> OperationError {
    if fault!("missing-table-text") {
        return OperationError::new(kind, format!("Table '{table}' does not exist"));
    }
    OperationError::new(kind, format!("Table '{database}.{table}' does not exist"))
}

/// What a failed write means when the database or the table was dropped while it waited: it does not exist, as the
/// next request will be told, with `kind`.
pub fn or_gone(error: OperationError, kind: ErrorKind, database: &str, table: &str) -> OperationError {
    match error.cause.as_ref().and_then(|cause| cause.downcast_ref::<StoreError>()) {
        Some(StoreError::Closed) => no_database(kind, database),
        Some(StoreError::NotFound(_)) => no_table(kind, database, table),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_meanwhile_does_not_exist() {
        let told = |error: StoreError| or_gone(error.into(), ErrorKind::NotFound, "d", "t").message;
        assert_eq!(told(StoreError::Closed), "database 'd' does not exist");
        assert_eq!(told(StoreError::NotFound("table t".to_owned())), "Table 'd.t' does not exist");
        let fault = or_gone(OperationError::fault("other"), ErrorKind::NotFound, "d", "t");
        assert_eq!((fault.kind, fault.message.as_str()), (ErrorKind::Fault, "other"));
    }
}
