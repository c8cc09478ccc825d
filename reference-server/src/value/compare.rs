//! The order of values that keys, indexes, ranges and sorting share:
//! null < false < true < numbers < strings < objects, arrays element by element among the scalars.

use super::Value;
use std::cmp::Ordering;

/// Compares two values in key order. Dates count as their epoch milliseconds, big integers as numbers.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => compare_arrays(a, b),
        (Value::Array(a), _) => compare_arrays(a, std::slice::from_ref(b)).then(Ordering::Greater),
        (_, Value::Array(b)) => compare_arrays(std::slice::from_ref(a), b).then(Ordering::Less),
        _ => compare_scalars(a, b),
    }
}

/// Equality of search conditions: same kind and same value, no conversion.
pub fn strictly_equal(a: &Value, b: &Value) -> bool {
    compare(a, b) == Ordering::Equal
}

/// The order used by `sort`: [`compare`] with absent values and null first and equal to each other.
pub fn loosely_sorted(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    compare(a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null))
}

/// Orders texts by UTF-16 code units, as JavaScript's operators do.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    if a.is_ascii() || b.is_ascii() {
        // Bytes and code units agree where one side is ASCII.
        return a.as_bytes().cmp(b.as_bytes());
    }
    a.encode_utf16().cmp(b.encode_utf16())
}

fn compare_arrays(a: &[Value], b: &[Value]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = compare(a, b);
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn compare_scalars(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
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
        Value::Bool(_) => 1,
        Value::Number(_) | Value::Date(_) | Value::BigInt(_) => 2,
        Value::String(_) => 3,
        Value::Bytes(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_ordered() {
        let ascending = [
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            Value::Number(-1.5),
            Value::Number(0.0),
            Value::Number(10.0),
            Value::from("Z"),
            Value::from("a"),
            Value::from("x"),
            Value::Array(vec![Value::from("x"), Value::Number(2.0)]),
            Value::from("xa"),
            Value::from("Å"),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn text_compares_by_code_units() {
        // U+FF5E lies below U+1F600 by code point, above it by code unit.
        assert_eq!(compare_text("\u{FF5E}", "\u{1F600}"), Ordering::Greater);
        assert_eq!(compare_text("Z", "a"), Ordering::Less);
        assert_eq!(compare_text("a", "Å"), Ordering::Less);
    }

    #[test]
    fn equality_keeps_kinds_apart() {
        assert!(!strictly_equal(&Value::from("12"), &Value::Number(12.0)));
        assert!(!strictly_equal(&Value::from("true"), &Value::Bool(true)));
        assert!(strictly_equal(&Value::Number(0.0), &Value::Number(-0.0)));
    }
}
