//! Conditions as filters on records: absent and null values take part, lowest of all.

use super::condition::{Comparator, Condition, Group, Node, Operator};
use super::order::compare_in_filter;
use crate::store::Record;
use crate::value::{Value, number_text};
use std::cmp::Ordering;

/// Whether a record satisfies a condition or group.
pub(super) fn holds(node: &Node, record: &Record<'_>) -> bool {
    match node {
        Node::Leaf(condition) => condition_holds(condition, record),
        Node::Group(group) => group_holds(group, record),
    }
}

fn group_holds(group: &Group, record: &Record<'_>) -> bool {
    match group.operator {
        Operator::And => group.nodes.iter().all(|node| holds(node, record)),
        Operator::Or => group.nodes.iter().any(|node| holds(node, record)),
    }
}

fn condition_holds(condition: &Condition, record: &Record<'_>) -> bool {
    let value = condition.id.and_then(|id| record.attribute(id)).map(|raw| raw.decode());
    value_satisfies(condition.comparator, value.as_ref(), &condition.value)
}

/// Whether a record's value satisfies a comparator: some element of an array, never an object.
pub fn value_satisfies(comparator: Comparator, value: Option<&Value>, wanted: &Value) -> bool {
    match value {
        Some(Value::Array(items)) if fault!("filter-arrays-need-all") => {
            items.iter().all(|item| scalar_satisfies(comparator, Some(item), wanted))
        }
        Some(Value::Array(items)) => {
            items.iter().any(|item| !is_unordered(item) && scalar_satisfies(comparator, Some(item), wanted))
        }
        None if fault!("filter-null-not-lowest") => false,
        Some(value) if is_unordered(value) && !fault!("filter-objects-match") => false,
        _ => scalar_satisfies(comparator, value, wanted),
    }
}

/// Whether no condition holds for a value, which is what sets it apart from all others.
fn is_unordered(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Bytes(_))
}

/// Whether one value satisfies a comparator.
pub(super) fn scalar_satisfies(comparator: Comparator, value: Option<&Value>, wanted: &Value) -> bool {
    let order = |wanted: &Value| compare_in_filter(value, wanted);
    match comparator {
        Comparator::Equals => value.is_some() && is_scalar(wanted) && order(wanted) == Ordering::Equal,
        Comparator::NotEqual => order(wanted) != Ordering::Equal,
        Comparator::Greater => order(wanted) == Ordering::Greater,
        Comparator::GreaterEqual => order(wanted) != Ordering::Less,
        Comparator::Less => order(wanted) == Ordering::Less,
        Comparator::LessEqual => order(wanted) != Ordering::Greater,
        Comparator::Between => match wanted {
            Value::Array(ends) if ends.len() >= 2 => {
                order(&ends[0]) != Ordering::Less
                    && order(&ends[1]) != Ordering::Greater
                    && !(fault!("between-excludes-end") && order(&ends[1]) == Ordering::Equal)
            }
            _ => false,
        },
        Comparator::StartsWith => {
            matches!(value, Some(Value::String(text)) if text.starts_with(&text_of(wanted)))
        }
        Comparator::EndsWith => {
            value.and_then(searchable_text).is_some_and(|text| text.ends_with(&text_of(wanted)))
        }
        Comparator::Contains => value.and_then(searchable_text).is_some_and(|text| {
            text.contains(&text_of(wanted))
                || fault!("contains-ignores-case")
                    && text.to_lowercase().contains(&text_of(wanted).to_lowercase())
        }),
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_) | Value::Bytes(_))
}

/// The text that `contains` and `ends_with` look at: strings, numbers and booleans have one.
fn searchable_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) if fault!("ends-with-texts-only") => None,
        Value::Number(number) | Value::Date(number) => Some(number_text(*number)),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::BigInt(digits) => Some(digits.clone()),
        _ => None,
    }
}

/// The text of a condition's value, as JavaScript would turn it into a string.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(items) => {
            let texts: Vec<String> =
                items.iter().map(|item| if item.is_null() { String::new() } else { text_of(item) }).collect();
            texts.join(",")
        }
        Value::Object(_) | Value::Bytes(_) => "[object Object]".to_owned(),
        other => searchable_text(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn satisfies(comparator: Comparator, value: Option<Value>, wanted: Value) -> bool {
        value_satisfies(comparator, value.as_ref(), &wanted)
    }

    #[test]
    fn null_and_absent_take_part() {
        let five = || Value::Number(5.0);
        assert!(satisfies(Comparator::Less, None, five()));
        assert!(satisfies(Comparator::Less, Some(Value::Null), five()));
        assert!(satisfies(Comparator::NotEqual, None, five()));
        assert!(satisfies(Comparator::NotEqual, None, Value::Null));
        assert!(!satisfies(Comparator::NotEqual, Some(Value::Null), Value::Null));
        assert!(satisfies(Comparator::Equals, Some(Value::Null), Value::Null));
        assert!(!satisfies(Comparator::Equals, None, Value::Null));
    }

    #[test]
    fn ranges_reach_into_higher_kinds() {
        assert!(satisfies(Comparator::Greater, Some(Value::from("a")), Value::Number(5.0)));
        assert!(satisfies(Comparator::Less, Some(Value::Number(5.0)), Value::from("5")));
    }

    #[test]
    fn some_element_of_an_array_is_enough() {
        let tags = Some(Value::Array(vec![Value::from("ant"), Value::from("bee")]));
        assert!(satisfies(Comparator::Equals, tags.clone(), Value::from("bee")));
        assert!(satisfies(Comparator::Contains, tags.clone(), Value::from("n")));
        assert!(!satisfies(Comparator::StartsWith, tags, Value::from("c")));
        let objects = || Some(Value::Array(vec![Value::Object(Default::default()), Value::from("r")]));
        assert!(!satisfies(Comparator::Less, objects(), Value::Number(5.0)));
        assert!(satisfies(Comparator::Less, objects(), Value::from("s")));
    }

    #[test]
    fn numbers_have_text_at_their_end_but_not_at_their_start() {
        let number = || Some(Value::Number(127.0));
        assert!(satisfies(Comparator::EndsWith, number(), Value::from("27")));
        assert!(!satisfies(Comparator::StartsWith, number(), Value::from("12")));
    }
}
