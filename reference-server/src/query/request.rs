//! Reading the conditions and the sort order of a request.

use super::condition::{Comparator, Condition, Group, Node, Operator, Sort};
use super::convert::{loosely_typed, to_declared_type};
use crate::error::OperationError;
use crate::store::Table;
use crate::value::{Object, Value};

/// How deeply groups of conditions may nest.
const MAX_GROUPS: usize = 256;

/// The names of the attributes that conditions mention, groups included, in order.
pub fn attributes_of(conditions: &[Value]) -> Vec<String> {
    let mut names = Vec::new();
    collect_attributes(conditions, &mut names);
    names
}

fn collect_attributes(conditions: &[Value], names: &mut Vec<String>) {
    for condition in conditions {
        if let Some(members) = condition.get("conditions").and_then(Value::as_array) {
            collect_attributes(members, names);
        } else if let Some(attribute) =
            attribute_of(condition).filter(|attribute| attribute.as_array().is_none())
        {
            // What a path leads to is looked at when it is followed.
            names.extend(attribute_name(attribute));
        }
    }
}

/// Reads a list of conditions with its operator.
///
/// # Errors
/// The documented faults of conditions, the first one found; 404 for a path to nothing.
pub fn read_conditions(
    table: &Table,
    operator: Option<&Value>,
    conditions: &[Value],
) -> Result<Group, OperationError> {
    check_sizes(operator, conditions, 0)?;
    read_group(table, operator, conditions)
}

fn check_sizes(operator: Option<&Value>, conditions: &[Value], depth: usize) -> Result<(), OperationError> {
    if depth > MAX_GROUPS {
        return Err(OperationError::invalid("'conditions' nest too deeply"));
    }
    if operator_of(operator)? == Operator::Or && conditions.len() < 2 && !fault!("or-of-one-taken") {
        return Err(OperationError::fault("An \"or\" operator requires at least two conditions"));
    }
    for condition in conditions {
        if let Some(members) = condition.get("conditions").and_then(Value::as_array) {
            check_sizes(condition.get("operator"), members, depth + 1)?;
        }
    }
    Ok(())
}

fn operator_of(operator: Option<&Value>) -> Result<Operator, OperationError> {
    match operator {
        None | Some(Value::Null) => Ok(Operator::And),
        Some(Value::String(name)) if name.eq_ignore_ascii_case("and") => Ok(Operator::And),
        Some(Value::String(name)) if name == "OR" && fault!("operator-case-matters") => Ok(Operator::And),
        Some(Value::String(name)) if name.eq_ignore_ascii_case("or") => Ok(Operator::Or),
        Some(_) => Err(OperationError::invalid("'operator' must be one of [and, or]")),
    }
}

fn read_group(
    table: &Table,
    operator: Option<&Value>,
    conditions: &[Value],
) -> Result<Group, OperationError> {
    let nodes =
        conditions.iter().map(|condition| read_node(table, condition)).collect::<Result<Vec<_>, _>>()?;
    Ok(Group { operator: operator_of(operator)?, nodes })
}

fn read_node(table: &Table, condition: &Value) -> Result<Node, OperationError> {
    match condition.get("conditions").and_then(Value::as_array) {
        Some(members) => Ok(Node::Group(read_group(table, condition.get("operator"), members)?)),
        None => Ok(Node::Leaf(read_condition(table, condition)?)),
    }
}

fn read_condition(table: &Table, condition: &Value) -> Result<Condition, OperationError> {
    let attribute = attribute_of(condition)
        .and_then(attribute_name)
        .ok_or_else(|| OperationError::invalid("'attribute' is required"))?;
    let comparator = condition.get("comparator").or_else(|| condition.get("search_type"));
    let (comparator, converting) = match comparator {
        None | Some(Value::Null) => (Comparator::Equals, false),
        Some(name) => {
            let text = name.as_str().map_or_else(|| name.to_json(), str::to_owned);
            Comparator::named(&text)
                .ok_or_else(|| OperationError::invalid(format!("Unknown query comparator \"{text}\"")))?
        }
    };
    let value = condition
        .get("value")
        .or_else(|| condition.get("search_value"))
        .cloned()
        .or(fault!("condition-value-defaults").then_some(Value::Null))
        .ok_or_else(|| {
            OperationError::invalid(format!("Search condition for {attribute} must have a value"))
        })?;
    if attribute_of(condition).is_some_and(|path| path.as_array().is_some())
        && table.attribute(&attribute).is_none()
    {
        return Err(no_attribute(&attribute));
    }
    let converting = converting && !fault!("short-comparators-do-not-convert");
    let value = converted(table, &attribute, value, converting)?;
    if comparator == Comparator::Between && !matches!(&value, Value::Array(ends) if ends.len() == 2) {
        return Err(OperationError::invalid(format!(
            "Search condition for {attribute} must have an array of two values to lie between"
        )));
    }
    if comparator == Comparator::StartsWith && value.is_null() {
        return Err(OperationError::invalid(format!("Search condition for {attribute} must have a value")));
    }
    Ok(Condition::new(table, &attribute, comparator, value))
}

/// A search value as the attribute's declared type wants it, or as the comparator's spelling does.
///
/// # Errors
/// When the value is not of the declared type.
pub fn converted(
    table: &Table,
    attribute: &str,
    value: Value,
    converting: bool,
) -> Result<Value, OperationError> {
    match table.attribute(attribute).and_then(|attribute| attribute.kind.as_deref()) {
        Some(kind) => to_declared_type(attribute, kind, value),
        None if converting || fault!("untyped-values-converted") => Ok(loosely_typed(value)),
        None => Ok(value),
    }
}

fn attribute_of(condition: &Value) -> Option<&Value> {
    if fault!("old-condition-names-win") && condition.get("search_attribute").is_some() {
        return condition.get("search_attribute");
    }
    condition.get("attribute").or_else(|| condition.get("search_attribute"))
}

fn attribute_name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(crate::value::number_text(*number)),
        // A path through a relationship, which cannot be followed here.
        Value::Array(path) => Some(path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
        _ => None,
    }
}

/// `<attribute> is not a defined attribute`.
fn no_attribute(attribute: &str) -> OperationError {
    OperationError::not_found(format!("{attribute} is not a defined attribute"))
}

/// Reads a sort order.
///
/// # Errors
/// `Sort requires an attribute`, or 404 for an attribute the table does not have.
pub fn read_sort(table: &Table, sort: &Object) -> Result<Sort, OperationError> {
    let attribute = sort
        .get("attribute")
        .and_then(attribute_name)
        .ok_or_else(|| OperationError::invalid("Sort requires an attribute"))?;
    if table.attribute(&attribute).is_none() {
        if fault!("unknown-sort-attribute-400") {
            return Err(OperationError::invalid(format!("{attribute} is not a defined attribute")));
        }
        return Err(no_attribute(&attribute));
    }
    let next = match sort.get("next") {
        Some(Value::Object(next)) => Some(Box::new(read_sort(table, next)?)),
        _ => None,
    };
    Ok(Sort {
        id: table.attribute_id(&attribute),
        attribute,
        descending: sort.get("descending").and_then(Value::as_bool).unwrap_or(false),
        next,
    })
}
