//! The values that requests, records and answers are made of, with the rules of a JavaScript client.
//!
//! A [`Value`] is what JSON, CBOR and MessagePack bodies decode to. Numbers are doubles, objects keep the order a
//! JavaScript engine gives their members (integer-like names first, ascending; then as they came), and the three
//! kinds JSON lacks (bytes, dates, big integers) are kept apart so that the binary media types can show them.

mod compare;
mod csv;
mod decode;
mod json;

pub use compare::{compare, compare_text, loosely_sorted, strictly_equal};
pub use csv::{push_csv_cell, push_csv_text};
pub use decode::{DecodeError, MAX_DEPTH, from_deserializer, parse_json};
pub use json::{LAST_INSTANT, iso_text, number_text, write_json, write_json_string};

use indexmap::IndexMap;

/// The members of an object, in the order JavaScript lists them.
pub type Object = IndexMap<String, Value>;

/// One value of a request, a record or an answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// JSON `true` or `false`.
    Bool(bool),
    /// A double; infinities and NaN print as `null`.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// A map from names to values.
    Object(Object),
    /// Bytes from a CBOR or MessagePack body; JSON shows `{"type":"Buffer","data":[…]}`.
    Bytes(Vec<u8>),
    /// An instant of a `Date` attribute, in epoch milliseconds; JSON shows ISO 8601 text in UTC.
    Date(f64),
    /// An integer of any length of a `BigInt` attribute, as decimal text; JSON shows the digits.
    BigInt(String),
}

impl Value {
    /// The text, when the value is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when the value is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, when the value is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The members, when the value is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, when the value is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether JavaScript takes the value for false: null, false, 0 and the empty text.
    pub fn is_falsy(&self) -> bool {
        match self {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => *number == 0.0 || number.is_nan(),
            Value::String(text) => text.is_empty(),
            _ => false,
        }
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The member of an object, `None` for absent members and for other kinds.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object().and_then(|object| object.get(name))
    }

    /// The value as JSON text, as a JavaScript engine prints it.
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(64);
        write_json(&mut out, self);
        String::from_utf8(out).unwrap_or_default()
    }

    /// The value for crates that speak `serde_json` (schema validation). Whole numbers become integers.
    pub fn to_serde(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Value::Null => J::Null,
            Value::Bool(flag) => J::Bool(*flag),
            Value::Number(number) => {
                if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                    J::from(*number as i64)
                } else {
                    serde_json::Number::from_f64(*number).map_or(J::Null, J::Number)
                }
            }
            Value::String(text) => J::String(text.clone()),
            Value::Array(items) => J::Array(items.iter().map(Value::to_serde).collect()),
            Value::Object(object) => {
                J::Object(object.iter().map(|(name, value)| (name.clone(), value.to_serde())).collect())
            }
            Value::Bytes(_) | Value::Date(_) | Value::BigInt(_) => {
                serde_json::from_str(&self.to_json()).unwrap_or(J::Null)
            }
        }
    }
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Value {
        use serde_json::Value as J;
        match value {
            J::Null => Value::Null,
            J::Bool(flag) => Value::Bool(*flag),
            J::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
            J::String(text) => Value::String(text.clone()),
            J::Array(items) => Value::Array(items.iter().map(Value::from).collect()),
            J::Object(object) => {
                let mut members: Object =
                    object.iter().map(|(name, value)| (name.clone(), Value::from(value))).collect();
                order_members(&mut members);
                Value::Object(members)
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Array(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}

/// An object value from pairs, in the given order.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The number a JavaScript engine would take `name` for as an array index, which is what moves it to the front.
pub fn integer_like(name: &str) -> Option<u32> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > 10 || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if bytes[0] == b'0' && bytes.len() > 1 {
        return None;
    }
    name.parse::<u32>().ok().filter(|index| *index != u32::MAX)
}

/// Puts integer-like member names first, ascending, and leaves the others in their order.
pub fn order_members(members: &mut Object) {
    if members.keys().any(|name| integer_like(name).is_some()) {
        members.sort_by(|a, _, b, _| match (integer_like(a), integer_like(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => std::cmp::Ordering::Equal,
        });
    }
}
