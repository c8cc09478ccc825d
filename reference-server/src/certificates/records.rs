//! The records of `system.hdb_certificate`.

use crate::access::system_tables::{all, get, system_database};
use crate::error::OperationError;
use crate::store::Store;
use crate::value::{Object, Value};

/// The table of certificates.
pub const CERTIFICATES: &str = "hdb_certificate";

/// All records, by name.
///
/// # Errors
/// When the table cannot be read.
pub fn read_all(store: &Store) -> Result<Vec<Object>, OperationError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    Ok(all(reader.view(), CERTIFICATES)?)
}

/// One record.
///
/// # Errors
/// When the table cannot be read.
pub fn read(store: &Store, name: &str) -> Result<Option<Object>, OperationError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    Ok(get(reader.view(), CERTIFICATES, &Value::from(name))?)
}

/// A text of a record.
pub fn text<'r>(record: &'r Object, field: &str) -> Option<&'r str> {
    record.get(field).and_then(Value::as_str)
}

/// Whether a flag of a record is set.
pub fn flag(record: &Object, field: &str) -> bool {
    matches!(record.get(field), Some(Value::Bool(true)))
}

/// The texts of a list in a record.
pub fn texts(record: &Object, field: &str) -> Vec<String> {
    match record.get(field) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}
