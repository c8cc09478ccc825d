//! Writing and searching records.

mod checks;
mod confirmation;
mod delete;
mod each;
mod insert;
mod key_numbers;
mod search;
mod search_by_conditions;
mod search_by_id;
mod search_by_value;
mod stamps;
mod types;
mod write;

use super::Handler;

pub use checks::{check_attribute_name, check_key, check_names, names_fault};
pub use delete::delete_in;
pub use each::RowsOf;
pub use key_numbers::KeyNumbers;
pub use types::check_sent;
pub use write::{Write, WriteRequest, Written, write, write_in, write_under};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("insert", |call| Box::pin(insert::insert(call))),
    ("update", |call| Box::pin(insert::update(call))),
    ("upsert", |call| Box::pin(insert::upsert(call))),
    ("delete", |call| Box::pin(delete::delete(call))),
    ("search_by_id", |call| Box::pin(search_by_id::search_by_id(call))),
    ("search_by_value", |call| Box::pin(search_by_value::search_by_value(call))),
    ("search_by_conditions", |call| Box::pin(search_by_conditions::search_by_conditions(call))),
];
