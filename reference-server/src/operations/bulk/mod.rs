//! Loading and exporting many records, deleting old ones: operations that begin a job.

mod exports;
mod loads;
mod trims;

use super::Handler;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("csv_data_load", |call| Box::pin(loads::csv_data_load(call))),
    ("csv_file_load", |call| Box::pin(loads::csv_file_load(call))),
    ("csv_url_load", |call| Box::pin(loads::csv_url_load(call))),
    ("import_from_s3", |call| Box::pin(loads::import_from_s3(call))),
    ("export_local", |call| Box::pin(exports::export_local(call))),
    ("export_to_s3", |call| Box::pin(exports::export_to_s3(call))),
    ("delete_records_before", |call| Box::pin(trims::delete_records_before(call))),
];

pub use exports::is_by_statement;
pub(crate) use trims::iso_date;

#[cfg(test)]
mod tests;
