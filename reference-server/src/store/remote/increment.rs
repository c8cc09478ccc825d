//! Patches that add to a number, which commute with each other: `{"__op__": "add", "value": 1}` in place of a value.

use crate::value::{Object, Value, object};

/// The member that makes an object an increment.
const OPERATION: &str = "__op__";

/// What a value adds to the one before, when it is an increment.
pub fn increment_of(value: &Value) -> Option<f64> {
    let members = value.as_object()?;
    let adds = members.get(OPERATION)?.as_str()? == "add";
    members.get("value").and_then(Value::as_number).filter(|_| adds && members.len() == 2)
}

/// The increment by a number.
pub(in crate::store) fn increment(by: f64) -> Value {
    object([(OPERATION, Value::from("add")), ("value", Value::Number(by))])
}

/// What is stored when a value is written in place of another: increments are added up, beginning with nothing.
pub fn written_over(before: Option<&Value>, value: Value) -> Value {
    match increment_of(&value) {
        Some(by) => Value::Number(before.and_then(Value::as_number).unwrap_or(0.0) + by),
        None => value,
    }
}

/// What two patches write, one over the other: an increment of an increment stays one.
pub fn patched_over(before: Option<&Value>, value: Value) -> Value {
    match (increment_of(&value), before.map(increment_of)) {
        (Some(by), None) => increment(by),
        (Some(by), Some(Some(first))) => increment(first + by),
        _ => written_over(before, value),
    }
}

/// The record that a patch makes of nothing.
pub(in crate::store) fn settled(members: Object) -> Object {
    members.into_iter().map(|(name, value)| (name, written_over(None, value))).collect()
}
