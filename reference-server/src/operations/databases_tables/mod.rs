//! Databases, tables and attributes: making, describing and dropping them.

mod attribute_definition;
mod attributes;
mod databases;
mod describe;
mod get_backup;
mod tables;

pub(super) use databases::blocking;

use super::Handler;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("create_database", |call| Box::pin(databases::create_database(call))),
    ("drop_database", |call| Box::pin(databases::drop_database(call))),
    ("create_table", |call| Box::pin(tables::create_table(call))),
    ("drop_table", |call| Box::pin(tables::drop_table(call))),
    ("create_attribute", |call| Box::pin(attributes::create_attribute(call))),
    ("drop_attribute", |call| Box::pin(attributes::drop_attribute(call))),
    ("describe_all", |call| Box::pin(describe::describe_all(call))),
    ("describe_database", |call| Box::pin(describe::describe_database(call))),
    ("describe_table", |call| Box::pin(describe::describe_table(call))),
    ("get_backup", |call| Box::pin(get_backup::get_backup(call))),
];
