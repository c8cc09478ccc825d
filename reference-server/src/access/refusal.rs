//! The bodies of refusals.

use super::permission::Right;
use crate::error::OperationError;
use crate::value::{Object, Value, object};

/// The text every refusal has in common.
const NOT_AUTHORIZED: &str =
    "This operation is not authorized due to role restrictions and/or invalid database items";

/// What is refused, collected until the answer is made.
#[derive(Debug, Default)]
pub struct Refusal {
    unauthorized: Vec<Value>,
    invalid: Vec<Value>,
}

impl Refusal {
    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.unauthorized.is_empty() && self.invalid.is_empty()
    }

    /// Notes a role-level refusal in words.
    pub fn words(mut self, text: impl Into<String>) -> Self {
        self.unauthorized.push(Value::String(text.into()));
        self
    }

    /// Notes something that does not exist for the role.
    pub fn missing(mut self, text: impl Into<String>) -> Self {
        self.add_missing(text);
        self
    }

    /// Notes something that does not exist for the role; said once, however often it is used.
    pub fn add_missing(&mut self, text: impl Into<String>) {
        let text = Value::String(text.into());
        if !self.invalid.contains(&text) {
            self.invalid.push(text);
        }
    }

    /// Notes rights lacking on a table.
    pub fn table(mut self, database: &str, table: &str, rights: &[Right]) -> Self {
        self.unauthorized.push(table_entry(database, table, rights, Vec::new()));
        self
    }

    /// Notes rights lacking on attributes of a table.
    pub fn add_attributes(&mut self, database: &str, table: &str, lacking: Vec<(String, Vec<Right>)>) {
        if lacking.is_empty() {
            return;
        }
        let attributes = lacking.into_iter().map(|(name, rights)| {
            object([
                ("attribute_name", Value::String(name)),
                ("required_permissions", Value::Array(names(&rights))),
            ])
        });
        self.unauthorized.push(table_entry(database, table, &[], attributes.collect()));
    }

    /// Adds what another refusal holds.
    pub fn merge(&mut self, other: Refusal) {
        self.unauthorized.extend(other.unauthorized);
        for text in other.invalid {
            if !self.invalid.contains(&text) {
                self.invalid.push(text);
            }
        }
    }

    /// The error to answer with.
    pub fn into_error(self) -> OperationError {
        let mut members = Object::new();
        members.insert("unauthorized_access".to_owned(), Value::Array(self.unauthorized));
        if !fault!("refusal-without-items") {
            members.insert("invalid_schema_items".to_owned(), Value::Array(self.invalid));
        }
        OperationError::forbidden(NOT_AUTHORIZED).with_members(members)
    }

    /// `Ok` when nothing was refused.
    ///
    /// # Errors
    /// The refusal itself.
    pub fn into_result(self) -> Result<(), OperationError> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }
}

fn table_entry(database: &str, table: &str, rights: &[Right], attributes: Vec<Value>) -> Value {
    object([
        ("schema", Value::from(database)),
        ("table", Value::from(table)),
        (
            "required_table_permissions",
            Value::Array(if fault!("refusal-names-no-rights") { Vec::new() } else { names(rights) }),
        ),
        ("required_attribute_permissions", Value::Array(attributes)),
    ])
}

fn names(rights: &[Right]) -> Vec<Value> {
    rights.iter().map(|right| Value::from(right.name())).collect()
}

/// The caller's role does not allow anything at all, or there is none.
pub fn no_role(username: &str) -> OperationError {
    let text = format!("User {username} has no role or permissions.  Please assign the user a valid role.");
    Refusal::default().words(text).into_error()
}

/// The operation is for super users; `function` is the operation's internal name.
pub fn super_user_only(function: &str) -> OperationError {
    Refusal::default()
        .words(format!("Operation '{function}' is restricted to 'super_user' roles"))
        .into_error()
}

/// The role may change structures, but not of this database.
pub fn other_database(operation: &str, database: &str) -> OperationError {
    let text = format!("User does not have access to perform '{operation}' against schema '{database}'");
    Refusal::default().words(text).into_error()
}

/// Only super users see how the `system` database is made.
pub fn system_metadata() -> OperationError {
    Refusal::default()
        .words("Your role does not have permission to view database metadata for 'system'")
        .into_error()
}

/// Nobody changes what the server itself works with.
pub fn system_protected() -> OperationError {
    OperationError::forbidden(
        "The 'system' database, tables and records are used internally by HarperDB and cannot be updated or removed.",
    )
}

/// The times of a record are the server's to set.
pub fn internal_timestamps() -> OperationError {
    OperationError::forbidden(
        "Internal timestamp attributes - '__createdtime_' and '__updatedtime__' - cannot be inserted to or updated by HDB users.",
    )
}

/// A database that is not there, or not for this role.
pub fn no_database(database: &str) -> String {
    format!("database '{database}' does not exist")
}

/// A table that is not there, or not for this role.
pub fn no_table(database: &str, table: &str) -> String {
    format!("Table '{database}.{table}' does not exist")
}

/// An attribute that is not there, or not for this role.
pub fn no_attribute(database: &str, table: &str, attribute: &str) -> String {
    format!("Attribute '{attribute}' does not exist on '{database}.{table}'")
}
