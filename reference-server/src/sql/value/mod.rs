//! Values of SQL expressions, with JavaScript's rules in one place: truth, conversion, arithmetic, equality, order.
//!
//! [`Js`] is what a column, a literal or a function yields. Absent values stay apart from null because JavaScript
//! does so; statements mostly treat both alike ([`Js::is_nullish`]). The rules of null (an operator over a null
//! operand is unknown) are in [`operators`], on top of the plain rules of [`Js`].

mod convert;
mod date_parse;
mod date_tokens;
mod dates;
mod equality;
pub mod keys;
mod linear;
mod numbers;
pub mod operators;
pub mod patterns;
mod wildcards;

pub(crate) use dates::{DAY, Fields, days_in_month, days_of_date, valid_instant};
pub use dates::{date_text, parse_date};
pub(crate) use numbers::is_space;
pub use numbers::{number_of_text, text_of_number, to_int32};

use crate::value::Value;
use std::sync::Arc;

/// One value of an expression. Cloning copies no text and no structure.
#[derive(Clone, Debug, Default)]
pub enum Js {
    /// No value: an absent attribute, the literal NULL, the result of an operator over null.
    #[default]
    Undefined,
    /// A stored null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A double.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A list, an object, bytes, or an integer of any length; never any other kind of [`Value`].
    Json(Arc<Value>),
    /// An instant in epoch milliseconds; NaN for a date that is none.
    Date(f64),
}

impl Js {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Js {
        Js::Text(Arc::from(text.as_ref()))
    }

    /// Whether this is null or absent.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Js::Undefined | Js::Null)
    }

    /// The text, when the value is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Js::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when the value is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Js::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The list or object, when the value is one.
    pub fn as_json(&self) -> Option<&Value> {
        match self {
            Js::Json(value) => Some(value),
            _ => None,
        }
    }

    /// What `typeof` says of the value.
    pub fn type_of(&self) -> &'static str {
        match self {
            Js::Undefined => "undefined",
            Js::Bool(_) => "boolean",
            Js::Number(_) => "number",
            Js::Text(_) => "string",
            Js::Json(value) if matches!(**value, Value::BigInt(_)) => "bigint",
            Js::Null | Js::Json(_) | Js::Date(_) => "object",
        }
    }
}

impl From<f64> for Js {
    fn from(number: f64) -> Js {
        Js::Number(number)
    }
}

impl From<bool> for Js {
    fn from(flag: bool) -> Js {
        Js::Bool(flag)
    }
}

impl From<&str> for Js {
    fn from(text: &str) -> Js {
        Js::text(text)
    }
}

impl From<String> for Js {
    fn from(text: String) -> Js {
        Js::Text(Arc::from(text))
    }
}

/// Values are equal when they are the same kind with the same content; NaN is equal to itself. For tests and keys,
/// not for SQL, whose equalities are [`Js::strictly_equals`] and [`Js::loosely_equals`].
impl PartialEq for Js {
    fn eq(&self, other: &Js) -> bool {
        let same = |a: &f64, b: &f64| a == b || (a.is_nan() && b.is_nan());
        match (self, other) {
            (Js::Undefined, Js::Undefined) | (Js::Null, Js::Null) => true,
            (Js::Bool(a), Js::Bool(b)) => a == b,
            (Js::Number(a), Js::Number(b)) | (Js::Date(a), Js::Date(b)) => same(a, b),
            (Js::Text(a), Js::Text(b)) => a == b,
            (Js::Json(a), Js::Json(b)) => a == b,
            _ => false,
        }
    }
}
