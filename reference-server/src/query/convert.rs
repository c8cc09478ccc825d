//! Conversion of search values to an attribute's declared type, and of strings for the converting comparators.

use crate::error::OperationError;
use crate::value::{LAST_INSTANT, Value};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Converts a search value to a declared type, as searches on typed attributes do.
///
/// # Errors
/// `Invalid value for attribute <a>: "<value>", expecting <Type>` when the value is not of the type.
pub fn to_declared_type(attribute: &str, kind: &str, value: Value) -> Result<Value, OperationError> {
    if let Value::Array(items) = value {
        let items: Result<Vec<Value>, OperationError> =
            items.into_iter().map(|item| to_declared_type(attribute, kind, item)).collect();
        return Ok(Value::Array(items?));
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    if matches!(&value, Value::String(text) if text.is_empty()) && !matches!(kind, "String" | "Any") {
        return Ok(Value::Null);
    }
    let converted = match kind {
        "Int" | "Long" if fault!("numeric-texts-not-converted") => Some(value.clone()),
        "Int" | "Long" => whole_number(&value),
        "Float" => number(&value),
        "BigInt" => big_integer(&value),
        "Boolean" => Some(boolean(value.clone())),
        "Date" => instant(&value),
        "Any" => Some(loosely_typed(value.clone())),
        _ => Some(value.clone()),
    };
    converted.ok_or_else(|| {
        let shown = match &value {
            Value::String(text) => text.clone(),
            other => other.to_json(),
        };
        OperationError::invalid(format!(
            "Invalid value for attribute {attribute}: \"{shown}\", expecting {kind}"
        ))
    })
}

/// Converts a string that looks like a literal, as the short comparator spellings do for untyped attributes.
pub fn loosely_typed(value: Value) -> Value {
    let text = match value {
        Value::Array(items) => return Value::Array(items.into_iter().map(loosely_typed).collect()),
        Value::String(text) => text,
        other => return other,
    };
    match text.as_str() {
        "null" | "undefined" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    if let Some(number) = literal_number(&text) {
        return Value::Number(number);
    }
    match iso_instant(&text) {
        Some(instant) => Value::Date(instant),
        None => Value::String(text),
    }
}

fn literal_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split('.').next().unwrap_or_default();
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !digits.is_empty();
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if plain && !leading_zero { text.parse().ok() } else { None }
}

fn whole_number(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(number) => *number,
        Value::Date(instant) => *instant,
        Value::String(text) if text == "null" => return Some(Value::Null),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            text.parse().ok()?
        }
        _ => return None,
    };
    (number.fract() == 0.0).then_some(Value::Number(number))
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::Bool(flag) => Some(Value::Number(f64::from(*flag))),
        Value::Date(instant) => Some(Value::Number(*instant)),
        Value::String(text) if text == "null" => Some(Value::Null),
        Value::String(text) => text.trim().parse().ok().map(Value::Number),
        _ => None,
    }
}

fn big_integer(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.fract() == 0.0 => Some(value.clone()),
        Value::BigInt(_) => Some(value.clone()),
        Value::String(text) if text == "null" => Some(Value::Null),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let legal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            legal.then(|| Value::BigInt(text.clone()))
        }
        _ => None,
    }
}

fn boolean(value: Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => value,
    }
}

/// A `Date` attribute's value: epoch milliseconds, a numeric string of them, or ISO text (UTC when without a zone).
pub fn instant(value: &Value) -> Option<Value> {
    match value {
        Value::Date(_) => Some(value.clone()),
        Value::Number(instant) => calendar_instant(*instant).map(Value::Date),
        Value::Bool(flag) => Some(Value::Date(f64::from(*flag))),
        Value::String(text) if text == "null" => Some(Value::Null),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_number =
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let epoch = if is_number { text.parse().ok() } else { None };
            let late = if fault!("dates-taken-as-local") && !text.ends_with('Z') { 3_600_000.0 } else { 0.0 };
            epoch.and_then(calendar_instant).or_else(|| date_text(text)).map(|at| Value::Date(at + late))
        }
        _ => None,
    }
}

/// An instant that a calendar of JavaScript has.
fn calendar_instant(instant: f64) -> Option<f64> {
    (instant.abs() <= LAST_INSTANT).then_some(instant)
}

/// Epoch milliseconds of an ISO date or date and time, in UTC when it names no zone.
pub fn date_text(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis() as f64);
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        let bare = text.strip_suffix('Z').unwrap_or(text);
        if let Ok(moment) = NaiveDateTime::parse_from_str(bare, form) {
            return Some(moment.and_utc().timestamp_millis() as f64);
        }
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"] {
        if let Ok(moment) = DateTime::parse_from_str(text, form) {
            return Some(moment.timestamp_millis() as f64);
        }
    }
    let bare = text.strip_suffix('Z').unwrap_or(text);
    let padded = match bare.len() {
        4 => format!("{bare}-01-01"),
        7 => format!("{bare}-01"),
        _ => bare.to_owned(),
    };
    let day = NaiveDate::parse_from_str(&padded, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis() as f64)
}

fn iso_instant(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T';
    if shaped { date_text(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_take_their_text() {
        let converted = |kind: &str, text: &str| to_declared_type("a", kind, Value::from(text)).ok();
        assert_eq!(converted("Int", "12"), Some(Value::Number(12.0)));
        assert_eq!(converted("Int", "1.5"), None);
        assert_eq!(converted("Float", "1.5"), Some(Value::Number(1.5)));
        assert_eq!(converted("Boolean", "true"), Some(Value::Bool(true)));
        assert_eq!(converted("String", "12"), Some(Value::from("12")));
        assert_eq!(converted("Date", "1970-01-02"), Some(Value::Date(86_400_000.0)));
        assert_eq!(converted("Date", "1970-01-01T00:00:01"), Some(Value::Date(1000.0)));
        assert_eq!(converted("Date", "someday"), None);
        assert_eq!(converted("Date", "-1"), Some(Value::Date(-1.0)));
        assert_eq!(converted("Date", "NaN"), None);
        assert_eq!(converted("Date", "inf"), None);
        assert_eq!(instant(&Value::Number(1e20)), None);
    }

    #[test]
    fn literals_are_recognised() {
        assert_eq!(loosely_typed(Value::from("12")), Value::Number(12.0));
        assert_eq!(loosely_typed(Value::from("-0.5")), Value::Number(-0.5));
        assert_eq!(loosely_typed(Value::from("07")), Value::from("07"));
        assert_eq!(loosely_typed(Value::from("true")), Value::Bool(true));
        assert_eq!(loosely_typed(Value::from("abc")), Value::from("abc"));
        assert_eq!(loosely_typed(Value::from("1970-01-01T00:00:01.000Z")), Value::Date(1000.0));
    }
}
