//! The server's log and the histories of tables.

mod delete;
mod entries;
mod read_audit_log;
mod read_log;
mod read_transaction_log;
#[cfg(test)]
mod tests;

use super::Handler;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("read_log", |call| Box::pin(read_log::read_log(call))),
    ("read_transaction_log", |call| Box::pin(read_transaction_log::read_transaction_log(call))),
    ("read_audit_log", |call| Box::pin(read_audit_log::read_audit_log(call))),
    ("delete_transaction_logs_before", |call| Box::pin(delete::delete_logs_before(call))),
    ("delete_audit_logs_before", |call| Box::pin(delete::delete_logs_before(call))),
];
