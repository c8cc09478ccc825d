//! The operators of expressions: JavaScript's rules under SQL's rule that null in gives unknown out.
//!
//! Every operator but AND, OR, IS and `||` over a null or absent operand is [`Js::Undefined`].

use super::{Js, text_of_number, to_int32};
use std::cmp::Ordering;

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`: sum, or concatenation when a side is text.
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, always fractional.
    Divide,
    /// `%`, with the sign of the left operand.
    Remainder,
    /// `&` over 32 bits.
    BitAnd,
    /// `|` over 32 bits.
    BitOr,
    /// `^`: exclusive or over 32 bits.
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`, keeping the sign.
    ShiftRight,
    /// `||`: concatenation in which null, 0, false and the empty text count as empty; never unknown.
    Concatenate,
    /// `=`, `===`: same kind and value.
    Equal,
    /// `==`: the same content.
    DeepEqual,
    /// `!=`, `<>`: not equal even after conversion.
    NotEqual,
    /// `!==`: not the same content.
    NotDeepEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// Applies an operator.
pub fn apply(operator: Binary, a: &Js, b: &Js) -> Js {
    if operator == Binary::Concatenate {
        return concatenate(a, b);
    }
    if (a.is_nullish() || b.is_nullish()) && !fault!("sql-null-acts-as-zero") {
        return Js::Undefined;
    }
    let numbers = || (a.to_number(), b.to_number());
    let bits = || (to_int32(a.to_number()), to_int32(b.to_number()));
    let number = |number: f64| Js::Number(number);
    let order = |holds: fn(Ordering) -> bool| Js::Bool(a.order(b).is_some_and(holds));
    match operator {
        Binary::Add => add(a, b),
        Binary::Subtract => number(numbers().0 - numbers().1),
        Binary::Multiply => number(numbers().0 * numbers().1),
        Binary::Divide if fault!("sql-division-is-whole") => number((numbers().0 / numbers().1).trunc()),
        Binary::Divide => number(numbers().0 / numbers().1),
        Binary::Remainder => number(numbers().0 % numbers().1),
        Binary::BitAnd => number(f64::from(bits().0 & bits().1)),
        Binary::BitOr => number(f64::from(bits().0 | bits().1)),
        Binary::BitXor => number(f64::from(bits().0 ^ bits().1)),
        Binary::ShiftLeft => number(f64::from(bits().0.wrapping_shl(bits().1 as u32))),
        Binary::ShiftRight => number(f64::from(bits().0.wrapping_shr(bits().1 as u32))),
        Binary::Equal => Js::Bool(a.strictly_equals(b)),
        Binary::DeepEqual => Js::Bool(a.deeply_equals(b)),
        Binary::NotEqual if fault!("sql-not-equal-does-not-convert") => Js::Bool(!a.strictly_equals(b)),
        Binary::NotEqual => Js::Bool(!a.loosely_equals(b)),
        Binary::NotDeepEqual => Js::Bool(!a.deeply_equals(b)),
        Binary::Less => order(Ordering::is_lt),
        Binary::LessEqual => order(Ordering::is_le),
        Binary::Greater => order(Ordering::is_gt),
        Binary::GreaterEqual => order(Ordering::is_ge),
        Binary::Concatenate => Js::Undefined,
    }
}

/// JavaScript's `+` without the rule of null: concatenation when a side is text (or an object, or a date).
pub fn add(a: &Js, b: &Js) -> Js {
    if let (Js::Number(a), Js::Number(b)) = (a, b) {
        return Js::Number(a + b);
    }
    let (a, b) = (a.primitive(false), b.primitive(false));
    let texts = matches!(&*a, Js::Text(_)) || matches!(&*b, Js::Text(_));
    if texts && !fault!("sql-plus-always-adds") {
        return Js::from(format!("{}{}", a.to_text(), b.to_text()));
    }
    Js::Number(a.to_number() + b.to_number())
}

fn concatenate(a: &Js, b: &Js) -> Js {
    let side = |value: &Js| if value.truth() { value.to_text().into_owned() } else { String::new() };
    Js::from(side(a) + &side(b))
}

/// Unary minus.
pub fn negate(value: &Js) -> Js {
    match value {
        Js::Undefined => Js::Undefined,
        value => Js::Number(-value.to_number()),
    }
}

/// `~`: the complement over 32 bits.
pub fn complement(value: &Js) -> Js {
    if value.is_nullish() { Js::Undefined } else { Js::Number(f64::from(!to_int32(value.to_number()))) }
}

/// `NOT` as a value: JavaScript's `!`.
pub fn not(value: &Js) -> Js {
    Js::Bool(!value.truth())
}

/// `BETWEEN`: both ends included; unknown when an operand is null.
pub fn between(value: &Js, low: &Js, high: &Js) -> Js {
    if value.is_nullish() || low.is_nullish() || high.is_nullish() {
        return Js::Undefined;
    }
    let within = low.order(value).is_some_and(if fault!("sql-between-excludes-start") {
        Ordering::is_lt
    } else {
        Ordering::is_le
    }) && value.order(high).is_some_and(Ordering::is_le);
    Js::Bool(within)
}

/// `IS` with an operand that is not NULL: loose equality.
pub fn is(value: &Js, wanted: &Js) -> bool {
    let negative = matches!(value.order(&Js::Number(0.0)), Some(Ordering::Less)) && !value.is_nullish();
    value.loosely_equals(wanted) || (negative && Js::Bool(true).loosely_equals(wanted))
}

/// The member of a list or object that `->` reads: by name, or by place.
pub fn member(value: &Js, name: &Js) -> Js {
    use crate::value::Value;
    let found = match value {
        Js::Json(json) => match (&**json, name) {
            (Value::Object(members), _) => members.get(&*name.to_text()),
            (Value::Array(items), Js::Text(text)) if &**text == "length" => {
                return Js::Number(items.len() as f64);
            }
            (Value::Array(items), _) => array_place(name).and_then(|place| items.get(place)),
            _ => None,
        },
        Js::Text(text) => {
            if matches!(name, Js::Text(name) if &**name == "length") {
                return Js::Number(text.encode_utf16().count() as f64);
            }
            let unit = array_place(name).and_then(|place| text.encode_utf16().nth(place));
            return unit.map_or(Js::Undefined, |unit| Js::from(String::from_utf16_lossy(&[unit])));
        }
        _ => None,
    };
    found.map_or(Js::Undefined, Js::from)
}

fn array_place(name: &Js) -> Option<usize> {
    match name {
        Js::Number(number) if *number >= 0.0 && number.fract() == 0.0 => Some(*number as usize),
        Js::Text(text) => text.parse().ok().filter(|place: &usize| text_of_number(*place as f64) == **text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn js(value: impl Into<Js>) -> Js {
        value.into()
    }

    #[test]
    fn arithmetic_converts_texts() {
        assert_eq!(apply(Binary::Multiply, &js("2"), &js("3")), js(6.0));
        assert_eq!(apply(Binary::Add, &js("a"), &js(1.0)), js("a1"));
        assert_eq!(apply(Binary::Add, &js(true), &js(1.0)), js(2.0));
        assert_eq!(apply(Binary::Divide, &js(7.0), &js(2.0)), js(3.5));
        assert_eq!(apply(Binary::Divide, &js(1.0), &js(0.0)), js(f64::INFINITY));
        assert_eq!(apply(Binary::Remainder, &js(-7.0), &js(3.0)), js(-1.0));
        assert_eq!(apply(Binary::BitXor, &js(2.0), &js(3.0)), js(1.0));
        assert_eq!(apply(Binary::ShiftLeft, &js(1.0), &js(33.0)), js(2.0));
        assert_eq!(apply(Binary::ShiftRight, &js(-8.0), &js(1.0)), js(-4.0));
        assert_eq!(complement(&js(5.0)), js(-6.0));
    }

    #[test]
    fn null_makes_unknown() {
        for operator in [Binary::Add, Binary::Equal, Binary::NotEqual, Binary::Less, Binary::BitAnd] {
            assert_eq!(apply(operator, &Js::Null, &js(1.0)), Js::Undefined);
            assert_eq!(apply(operator, &js(1.0), &Js::Undefined), Js::Undefined);
        }
        assert_eq!(apply(Binary::Concatenate, &Js::Null, &js("x")), js("x"));
        assert_eq!(apply(Binary::Concatenate, &js(0.0), &js(false)), js(""));
        assert_eq!(between(&Js::Null, &js(1.0), &js(2.0)), Js::Undefined);
    }

    #[test]
    fn equality_is_strict_and_inequality_loose() {
        assert_eq!(apply(Binary::Equal, &js("7"), &js(7.0)), js(false));
        assert_eq!(apply(Binary::NotEqual, &js("7"), &js(7.0)), js(false));
    }

    #[test]
    fn members_are_found_by_name_and_place() {
        let list = Js::from(Value::Array(vec![Value::from("x"), Value::Null]));
        assert_eq!(member(&list, &js(0.0)), js("x"));
        assert_eq!(member(&list, &js(1.0)), Js::Null);
        assert_eq!(member(&list, &js(-1.0)), Js::Undefined);
        assert_eq!(member(&list, &js("length")), js(2.0));
        assert_eq!(member(&Js::Null, &js("a")), Js::Undefined);
    }
}
