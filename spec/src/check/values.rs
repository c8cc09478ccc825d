//! Values: their types, what they are taken for, and when two are the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::Regex;
use serde_json::{Map, Number, Value};

/// Whether a keyword is there and true.
pub(super) fn is_true(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

pub(super) fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// The value that is checked: numbers and booleans that came as text are taken for what they say.
pub(super) fn coerced<'v>(schema: &Map<String, Value>, value: &'v Value) -> Cow<'v, Value> {
    let (Some(Value::String(kind)), Value::String(text)) = (schema.get("x-coerce"), value) else {
        return Cow::Borrowed(value);
    };
    let meant = match kind.as_str() {
        "number" => number_in(text),
        "boolean" if text.trim().eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        "boolean" if text.trim().eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        _ => None,
    };
    meant.map_or(Cow::Borrowed(value), Cow::Owned)
}

/// The number a text is, if it is nothing but one.
fn number_in(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None; // also keeps out `inf` and `nan`
    }
    let number: f64 = text.parse().ok()?;
    Number::from_f64(number).map(Value::Number)
}

pub(super) fn is_listed(schema: &Map<String, Value>, list: &Value, value: &Value) -> bool {
    let listed = list.as_array().into_iter().flatten();
    let ignore_case = is_true(schema, "x-ignore-case");
    listed.into_iter().any(|one| match (one, value) {
        (Value::String(one), Value::String(value)) if ignore_case => one.eq_ignore_ascii_case(value),
        _ => same(one, value),
    })
}

/// JSON equality, where `1` and `1.0` are the same number.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(name, member)| other.get(name).is_some_and(|other| same(member, other));
            one.len() == other.len() && one.iter().all(has_same)
        }
        _ => one == other,
    }
}

pub(super) fn all_differ(items: &[Value]) -> bool {
    items.iter().enumerate().all(|(at, item)| !items[..at].iter().any(|earlier| same(earlier, item)))
}

/// Whether a pattern of a schema is found in a text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: OnceLock<Mutex<HashMap<String, Option<Arc<Regex>>>>> = OnceLock::new();
    let compiled = {
        let mut known = COMPILED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(pattern) {
            Some(compiled) => compiled.clone(),
            None => {
                let compiled = Regex::new(pattern).ok().map(Arc::new);
                known.insert(pattern.to_owned(), compiled.clone());
                compiled
            }
        }
    };
    // every pattern compiles, which a test shows
    compiled.is_none_or(|compiled| compiled.is_match(text))
}
