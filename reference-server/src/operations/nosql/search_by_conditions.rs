//! search_by_conditions: records by conditions and groups of them, sorted and paged.

use super::search::{Prepared, answer, check_known, count_in, names_in, projection, wanted_attributes};
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::name_of;
use crate::operations::{Call, Outcome};
use crate::query::{Search, attributes_of, read_conditions, read_sort};
use crate::store::{Database, Table};
use crate::value::Value;
use std::sync::Arc;

pub(super) async fn search_by_conditions(call: Call) -> Outcome {
    let Prepared { database, search, projection } = prepare(&call)?;
    answer(database, search, projection, call.form, true).await
}

/// The search that a request asks for.
pub(super) fn prepare(call: &Call) -> Result<Prepared, OperationError> {
    // Here, unlike elsewhere, what exists is looked at before the request is validated.
    if fault!("conditions-validated-first") {
        call.validated()?;
    }
    let (database, table) = table_of(call)?;
    if !fault!("conditions-not-validated") {
        call.validated()?;
    }
    let conditions = call.body.get("conditions").and_then(Value::as_array).unwrap_or_default();
    let wanted = wanted_attributes(call, &database, &table);
    let mut names = names_in(wanted.as_deref().unwrap_or_default());
    names.extend(attributes_of(conditions));
    check_known(&table, &names, ErrorKind::Invalid)?;
    let filter = read_conditions(&table, call.body.get("operator"), conditions)?;
    let sort = match call.body.get("sort") {
        Some(Value::Object(_)) if fault!("conditions-sort-ignored") => None,
        Some(Value::Object(sort)) => Some(read_sort(&table, sort)?),
        _ => None,
    };
    let search = Search {
        filter: Some(filter),
        sort,
        reverse: false,
        offset: count_in(call, "offset").unwrap_or(0),
        limit: count_in(call, "limit"),
        table: table.clone(),
    };
    let projection = projection(&table, wanted.as_deref());
    Ok(Prepared { database, search, projection })
}

fn table_of(call: &Call) -> Result<(Arc<Database>, Arc<Table>), OperationError> {
    let database = call.database(ErrorKind::NotFound)?;
    let name = name_of(call.body.get("table"));
    let table = name.as_ref().and_then(|name| database.catalog().table(name).cloned());
    match table {
        Some(table) => Ok((database, table)),
        None => {
            let name = name.unwrap_or_else(|| "undefined".to_owned());
            if fault!("conditions-missing-table-404") {
                return Err(OperationError::not_found(format!("Table {name} not found")));
            }
            Err(OperationError::invalid(format!("Table {name} not found")))
        }
    }
}
