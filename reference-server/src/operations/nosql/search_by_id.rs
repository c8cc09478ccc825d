//! search_by_id: records by their primary keys, in the order asked for.

use super::search::{check_known, names_in, projection, wanted_attributes};
use crate::error::ErrorKind;
use crate::operations::{Call, Outcome, Reply};
use crate::query::RowWriter;
use crate::value::Value;

pub(super) async fn search_by_id(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let wanted = wanted_attributes(&call, &database, &table).unwrap_or_default();
    let kind = if fault!("by-id-unknown-attribute-400") { ErrorKind::Invalid } else { ErrorKind::Fault };
    check_known(&table, &names_in(&wanted), kind)?;
    let ids = call.body.get("ids").and_then(Value::as_array).unwrap_or_default();
    let reader = database.read()?;
    let mut writer = RowWriter::new(&table, projection(&table, Some(&wanted)), call.form);
    let turned: Vec<&Value> =
        if fault!("by-id-backwards") { ids.iter().rev().collect() } else { ids.iter().collect() };
    for id in turned {
        if let Some(record) = reader.get(&table, id)? {
            writer.push(&record);
        } else if fault!("by-id-stops-at-unknown") {
            break;
        }
    }
    Ok(Reply::Rows(writer.finish(false)))
}
