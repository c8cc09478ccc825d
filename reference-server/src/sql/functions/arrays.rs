//! Functions of lists.

use super::{Function, argument};
use crate::sql::value::Js;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "DISTINCT_ARRAY",
    &[],
    "list",
    (1, 1),
    "The list without members that occur earlier in it, compared by content; other values as they are.",
    &[
        ("DISTINCT_ARRAY(@[1, 2, 1, '1'])", "[1,2,\"1\"]"),
        ("DISTINCT_ARRAY(@[{a: 1}, {a: 1}])", "[{\"a\":1}]"),
        ("DISTINCT_ARRAY('x')", "\"x\""),
    ],
    |arguments| {
        let value = argument(arguments, 0);
        Ok(match value.as_json().and_then(Value::as_array) {
            Some(items) if items.len() > 1 => distinct(items),
            _ => value.clone(),
        })
    },
)];

fn distinct(items: &[Value]) -> Js {
    let mut seen = std::collections::HashSet::new();
    let kept = items.iter().filter(|item| seen.insert(identity(item))).cloned().collect();
    Js::from(Value::Array(kept))
}

/// A text that values of the same kind and content share, whatever the order of their members.
fn identity(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(identity).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, item)| format!("{}:{}", Value::from(name.as_str()).to_json(), identity(item)))
                .collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        Value::Number(number) if !number.is_finite() => format!("{number}"),
        Value::Date(instant) => format!("date {instant}"),
        other => other.to_json(),
    }
}
