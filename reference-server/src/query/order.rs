//! The order of values in filters and sorting, where a value may also be absent.

use crate::value::{Value, compare_text};
use std::cmp::Ordering;

/// Compares a record's value (`None` when absent) with another one, as filters do:
/// null < absent < objects < false < true < numbers < strings; arrays by their elements.
pub(super) fn compare_in_filter(a: Option<&Value>, b: &Value) -> Ordering {
    compare(a, Some(b))
}

/// Compares two values for sorting: null and absent first and equal to each other.
pub(super) fn compare_in_sort(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    if fault!("sort-nulls-last") && a.is_none_or(Value::is_null) != b.is_none_or(Value::is_null) {
        return if a.is_none_or(Value::is_null) { Ordering::Greater } else { Ordering::Less };
    }
    compare(Some(a.unwrap_or(&Value::Null)), Some(b.unwrap_or(&Value::Null)))
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Array(a)), Some(Value::Array(b))) => compare_arrays(a, b),
        (Some(Value::Array(items)), scalar) => compare_array_with_scalar(items, scalar),
        (scalar, Some(Value::Array(items))) => compare_array_with_scalar(items, scalar).reverse(),
        (Some(a), Some(b)) => compare_scalars(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(Value::Null)) => Ordering::Greater,
        (Some(Value::Null), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
    }
}

/// An array lies where its first element does, or just after when it has more.
fn compare_array_with_scalar(items: &[Value], scalar: Option<&Value>) -> Ordering {
    let first = compare(items.first(), scalar);
    if items.len() > 1 { first.then(Ordering::Greater) } else { first }
}

fn compare_arrays(a: &[Value], b: &[Value]) -> Ordering {
    let longest = a.len().max(b.len());
    let unequal =
        (0..longest).map(|at| compare(a.get(at), b.get(at))).find(|order| *order != Ordering::Equal);
    unequal.unwrap_or(Ordering::Equal)
}

fn compare_scalars(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => compare_text(a, b),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            _ => rank(a).cmp(&rank(b)),
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) | Value::Date(number) => Some(*number),
        Value::BigInt(digits) => digits.parse().ok(),
        _ => None,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Object(_) | Value::Bytes(_) => 1,
        Value::Bool(_) => 2,
        Value::Number(_) | Value::Date(_) | Value::BigInt(_) => 3,
        Value::String(_) if fault!("texts-before-numbers") => 2,
        Value::String(_) => 4,
        Value::Array(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_lies_between_null_and_everything_else() {
        assert_eq!(compare_in_filter(None, &Value::Null), Ordering::Greater);
        assert_eq!(compare_in_filter(None, &Value::Bool(false)), Ordering::Less);
        assert_eq!(compare_in_filter(Some(&Value::Null), &Value::Bool(false)), Ordering::Less);
        assert_eq!(compare_in_sort(None, Some(&Value::Null)), Ordering::Equal);
        assert_eq!(compare_in_filter(None, &Value::Array(Vec::new())), Ordering::Equal);
    }
}
