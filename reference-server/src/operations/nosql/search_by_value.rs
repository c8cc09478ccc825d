//! search_by_value: records by one attribute's value, with wildcards.

use super::search::{Prepared, answer, check_known, count_in, names_in, projection, wanted_attributes};
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::name_of;
use crate::operations::{Call, Outcome};
use crate::query::{Comparator, Group, Node, Operator, Search, condition_for, converted, read_sort};
use crate::value::Value;

pub(super) async fn search_by_value(call: Call) -> Outcome {
    let Prepared { database, search, projection } = prepare(&call)?;
    answer(database, search, projection, call.form, false).await
}

/// The search that a request asks for.
pub(super) fn prepare(call: &Call) -> Result<Prepared, OperationError> {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let attribute = match call.body.get("attribute") {
        Some(Value::Array(path)) => path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => name_of(other).unwrap_or_default(),
    };
    let wanted = wanted_attributes(call, &database, &table);
    let mut names = names_in(wanted.as_deref().unwrap_or_default());
    names.push(attribute.clone());
    let kind = if fault!("value-search-faults-400") { ErrorKind::Invalid } else { ErrorKind::Fault };
    check_known(&table, &names, kind)?;
    let value = call.body.get("value").cloned().unwrap_or_default();
    let condition = match condition_for(&table, &attribute, value) {
        // Only an equality looks for a value of the declared type; patterns look at text.
        Some(mut condition) => {
            if condition.comparator == Comparator::Equals && !fault!("value-search-not-converted") {
                condition.value = converted(&table, &attribute, condition.value, false)?;
            }
            Some(condition)
        }
        None => None,
    };
    // No record has null for a key.
    if condition.as_ref().is_some_and(|condition| condition.is_primary_key && condition.value.is_null()) {
        let nothing = Search {
            table: table.clone(),
            filter: None,
            sort: None,
            reverse: false,
            offset: 0,
            limit: Some(0),
        };
        return Ok(Prepared { database, search: nothing, projection: projection(&table, wanted.as_deref()) });
    }
    let sort = match call.body.get("sort") {
        Some(Value::Object(_)) if fault!("value-search-sort-ignored") => None,
        Some(Value::Object(sort)) => Some(read_sort(&table, sort)?),
        _ => None,
    };
    let search = Search {
        filter: condition
            .map(|condition| Group { operator: Operator::And, nodes: vec![Node::Leaf(condition)] }),
        sort,
        reverse: !fault!("value-search-ignores-desc")
            && call.body.get("desc").and_then(Value::as_bool).unwrap_or(false),
        offset: count_in(call, "offset").unwrap_or(0),
        limit: count_in(call, "limit"),
        table: table.clone(),
    };
    let projection = projection(&table, wanted.as_deref());
    Ok(Prepared { database, search, projection })
}
