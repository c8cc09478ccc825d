//! The failures of statements, in the API's words.

use crate::error::{ErrorKind, OperationError};
use std::time::Duration;

/// A SELECT that fails while it runs; the reason is for the log.
pub fn search_failed(reason: impl std::fmt::Display) -> OperationError {
    tracing::info!(%reason, "a search by SQL failed");
    let kind = if fault!("sql-failures-are-400") { ErrorKind::Invalid } else { ErrorKind::Fault };
    OperationError::new(
        kind,
        "There was a problem performing this search. Please check the logs and try again.",
    )
}

/// An INSERT that cannot be.
pub fn insert_failed() -> OperationError {
    OperationError::fault("There was a problem performing this insert. Please check the logs and try again.")
}

/// An UPDATE that cannot be.
pub fn update_failed(reason: impl std::fmt::Display) -> OperationError {
    tracing::info!(%reason, "an update by SQL failed");
    OperationError::fault("There was a problem performing this update. Please check the logs and try again.")
}

/// A statement whose tables cannot be told apart.
pub fn processing_failed() -> OperationError {
    OperationError::fault("There was an error processing your request. Check logs and try again.")
}

/// A column that no table of the statement has, as it was written.
pub fn unknown_column(written: &str) -> OperationError {
    let kind = if fault!("sql-unknown-column-404") { ErrorKind::NotFound } else { ErrorKind::Fault };
    OperationError::new(kind, format!("unknown column {written}"))
}

/// A column that several tables have.
pub fn ambiguous_column(written: &str) -> OperationError {
    OperationError::fault(format!("ambiguous column reference {written}"))
}

/// A statement that took too long.
pub fn timed_out(limit: Duration) -> OperationError {
    OperationError::new(
        ErrorKind::Fault,
        format!("The statement took longer than {} milliseconds and was stopped", limit.as_millis()),
    )
}
