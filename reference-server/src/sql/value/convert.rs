//! Between [`Js`], [`Value`] and stored values; and JavaScript's conversions to boolean, number and text.

use super::{Js, date_text, number_of_text, text_of_number};
use crate::store::{Kind, RawValue};
use crate::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

impl From<Value> for Js {
    fn from(value: Value) -> Js {
        match value {
            Value::Null => Js::Null,
            Value::Bool(flag) => Js::Bool(flag),
            Value::Number(number) => Js::Number(number),
            Value::String(text) => Js::Text(Arc::from(text)),
            Value::Date(instant) => Js::Date(instant),
            Value::Array(_) | Value::Object(_) | Value::Bytes(_) | Value::BigInt(_) => {
                Js::Json(Arc::new(value))
            }
        }
    }
}

impl From<&Value> for Js {
    fn from(value: &Value) -> Js {
        match value {
            Value::String(text) => Js::text(text),
            other => Js::from(other.clone()),
        }
    }
}

impl From<RawValue<'_>> for Js {
    /// Reads a stored value; scalars without a detour.
    fn from(raw: RawValue<'_>) -> Js {
        if raw.kind() == Kind::Json {
            match raw.json() {
                b"null" => return Js::Null,
                b"true" => return Js::Bool(true),
                b"false" => return Js::Bool(false),
                [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
                    if let Ok(text) = std::str::from_utf8(text) {
                        return Js::text(text);
                    }
                }
                _ => {}
            }
        }
        Js::from(raw.decode())
    }
}

impl Js {
    /// The value for an answer or a record; `None` when there is none.
    pub fn to_value(&self) -> Option<Value> {
        Some(match self {
            Js::Undefined => return None,
            Js::Null => Value::Null,
            Js::Bool(flag) => Value::Bool(*flag),
            Js::Number(number) => Value::Number(*number),
            Js::Text(text) => Value::String(text.to_string()),
            Js::Json(value) => (**value).clone(),
            Js::Date(instant) => Value::Date(*instant),
        })
    }

    /// JavaScript truth: everything but absent, null, false, 0, NaN and the empty text.
    pub fn truth(&self) -> bool {
        match self {
            Js::Undefined | Js::Null => false,
            Js::Bool(flag) => *flag,
            Js::Number(number) => *number != 0.0 && !number.is_nan(),
            Js::Text(text) => !text.is_empty(),
            Js::Json(value) => match &**value {
                Value::BigInt(digits) => digits.bytes().any(|digit| matches!(digit, b'1'..=b'9')),
                _ => true,
            },
            Js::Date(_) => true,
        }
    }

    /// JavaScript's conversion to a number: absent is NaN, null 0, texts as literals, objects by their text.
    pub fn to_number(&self) -> f64 {
        match self {
            Js::Undefined => f64::NAN,
            Js::Null => 0.0,
            Js::Bool(flag) => f64::from(*flag),
            Js::Number(number) | Js::Date(number) => *number,
            Js::Text(text) => number_of_text(text),
            Js::Json(value) => match &**value {
                Value::BigInt(digits) => digits.parse().unwrap_or(f64::NAN),
                _ => number_of_text(&self.to_text()),
            },
        }
    }

    /// JavaScript's conversion to text: `null`, `undefined`, numbers as it prints them, lists joined by commas.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Js::Undefined => Cow::Borrowed("undefined"),
            Js::Null => Cow::Borrowed("null"),
            Js::Bool(true) => Cow::Borrowed("true"),
            Js::Bool(false) => Cow::Borrowed("false"),
            Js::Number(number) => Cow::Owned(text_of_number(*number)),
            Js::Text(text) => Cow::Borrowed(text),
            Js::Json(value) => {
                let mut out = String::new();
                push_text(&mut out, value);
                Cow::Owned(out)
            }
            Js::Date(instant) => Cow::Owned(date_text(*instant)),
        }
    }

    /// The value as an operand that is no object: objects become their text, dates too unless numbers are wanted.
    pub(super) fn primitive(&self, wants_number: bool) -> Cow<'_, Js> {
        match self {
            Js::Json(value) if !matches!(**value, Value::BigInt(_)) => {
                Cow::Owned(Js::from(self.to_text().into_owned()))
            }
            Js::Date(instant) if wants_number => Cow::Owned(Js::Number(*instant)),
            Js::Date(instant) => Cow::Owned(Js::from(date_text(*instant))),
            _ => Cow::Borrowed(self),
        }
    }
}

fn push_text(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&text_of_number(*number)),
        Value::String(text) | Value::BigInt(text) => out.push_str(text),
        Value::Date(instant) => out.push_str(&date_text(*instant)),
        Value::Object(_) => out.push_str("[object Object]"),
        Value::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                if !item.is_null() {
                    push_text(out, item);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::object;

    #[test]
    fn truth_follows_javascript() {
        for falsy in [Js::Undefined, Js::Null, false.into(), 0.0.into(), f64::NAN.into(), "".into()] {
            assert!(!falsy.truth(), "{falsy:?}");
        }
        for truthy in [true.into(), (-1.0).into(), "0".into(), "false".into(), Js::from(Value::Array(vec![]))]
        {
            assert!(truthy.truth(), "{truthy:?}");
        }
    }

    #[test]
    fn text_follows_javascript() {
        let list = Value::Array(vec![Value::Number(1.0), Value::Null, Value::Array(vec![Value::from("x")])]);
        assert_eq!(Js::from(list).to_text(), "1,,x");
        assert_eq!(Js::from(object([("a", Value::Null)])).to_text(), "[object Object]");
        assert_eq!(Js::Number(f64::NAN).to_text(), "NaN");
        assert_eq!(Js::Number(f64::NEG_INFINITY).to_text(), "-Infinity");
        assert_eq!(Js::Number(1e21).to_text(), "1e+21");
        assert_eq!(Js::Date(0.0).to_text(), "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)");
    }

    #[test]
    fn numbers_follow_javascript() {
        assert_eq!(Js::Null.to_number(), 0.0);
        assert!(Js::Undefined.to_number().is_nan());
        assert_eq!(Js::from(Value::Array(vec![Value::from("7")])).to_number(), 7.0);
        assert!(Js::from(object([])).to_number().is_nan());
        assert_eq!(Js::from(Value::BigInt("12".into())).to_number(), 12.0);
    }
}
