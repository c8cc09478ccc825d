//! The rows of a search one by one, for those who do not want them all at once.

use super::search::{Prepared, check_known, names_in, projection, wanted_attributes};
use super::{search_by_conditions, search_by_value};
use crate::error::{ErrorKind, OperationError};
use crate::operations::Call;
use crate::query::{Plan, Projection, run};
use crate::store::{Database, Record, Table};
use crate::value::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A search whose rows can be had one by one.
pub struct RowsOf {
    which: Which,
}

enum Which {
    Search(Prepared),
    Keys { database: Arc<Database>, table: Arc<Table>, keys: Vec<Value>, projection: Projection },
}

/// One row of a search.
pub struct RowOf<'r> {
    projection: &'r Projection,
    table: &'r Table,
    record: &'r Record<'r>,
}

impl RowOf<'_> {
    /// Appends the row as JSON text.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        self.projection.write(out, self.table, self.record);
    }

    /// The row as an object.
    pub fn to_value(&self) -> Value {
        self.projection.value(self.table, self.record)
    }
}

impl RowsOf {
    /// The search that a request of one of the three search operations asks for. The request is authorised; what is
    /// wrong with it is told here.
    ///
    /// # Errors
    /// As the operation itself fails.
    pub fn request(call: &Call) -> Result<RowsOf, OperationError> {
        let which = match call.operation.name.as_str() {
            "search_by_conditions" => Which::Search(search_by_conditions::prepare(call)?),
            "search_by_value" => {
                call.validated()?;
                Which::Search(search_by_value::prepare(call)?)
            }
            _ => {
                call.validated()?;
                by_keys(call)?
            }
        };
        Ok(RowsOf { which })
    }

    /// Gives the rows to `visit`, in order, from one snapshot. Blocks.
    ///
    /// # Errors
    /// Those of the store and of `visit`.
    pub fn each(
        &self,
        visit: &mut dyn FnMut(RowOf<'_>) -> Result<(), OperationError>,
    ) -> Result<(), OperationError> {
        match &self.which {
            Which::Search(Prepared { database, search, projection }) => {
                let reader = database.read()?;
                let plan = Plan::new(search, reader.view())?;
                run(search, &plan, reader.view(), &mut |record| {
                    visit(RowOf { projection, table: &search.table, record })?;
                    Ok(ControlFlow::Continue(()))
                })
            }
            Which::Keys { database, table, keys, projection } => {
                let reader = database.read()?;
                for key in keys {
                    if let Some(record) = reader.get(table, key)? {
                        visit(RowOf { projection, table, record: &record })?;
                    }
                }
                Ok(())
            }
        }
    }
}

fn by_keys(call: &Call) -> Result<Which, OperationError> {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let wanted = wanted_attributes(call, &database, &table).unwrap_or_default();
    check_known(&table, &names_in(&wanted), ErrorKind::Fault)?;
    let keys = call.body.get("ids").and_then(Value::as_array).unwrap_or_default().to_vec();
    let projection = projection(&table, Some(&wanted));
    Ok(Which::Keys { database, table, keys, projection })
}
