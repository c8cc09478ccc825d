//! JavaScript's equalities and its order.

use super::Js;
use crate::value::{Value, compare_text};
use std::cmp::Ordering;
use std::sync::Arc;

impl Js {
    /// `===`: same kind and same value; lists, objects and dates only when they are the same one.
    pub fn strictly_equals(&self, other: &Js) -> bool {
        match (self, other) {
            (Js::Undefined, Js::Undefined) | (Js::Null, Js::Null) => true,
            (Js::Bool(a), Js::Bool(b)) => a == b,
            (Js::Number(a), Js::Number(b)) => a == b,
            (Js::Text(a), Js::Text(b)) => a == b,
            (Js::Json(a), Js::Json(b)) => match (&**a, &**b) {
                (Value::BigInt(a), Value::BigInt(b)) => a == b,
                _ => Arc::ptr_eq(a, b),
            },
            _ => false,
        }
    }

    /// `==`: as [`Js::strictly_equals`] after JavaScript's conversions; null and absent are equal to each other only.
    pub fn loosely_equals(&self, other: &Js) -> bool {
        match (self, other) {
            (a, b) if a.is_nullish() || b.is_nullish() => a.is_nullish() && b.is_nullish(),
            (Js::Bool(_) | Js::Number(_), Js::Bool(_) | Js::Number(_) | Js::Text(_))
            | (Js::Text(_), Js::Bool(_) | Js::Number(_)) => self.to_number() == other.to_number(),
            (Js::Text(a), Js::Text(b)) => a == b,
            (Js::Json(_) | Js::Date(_), Js::Json(_) | Js::Date(_)) => self.strictly_equals(other),
            (Js::Json(value), scalar) | (scalar, Js::Json(value)) if matches!(**value, Value::BigInt(_)) => {
                Js::Json(value.clone()).to_number() == scalar.to_number()
            }
            (object @ (Js::Json(_) | Js::Date(_)), scalar) | (scalar, object) => {
                object.primitive(false).loosely_equals(scalar)
            }
        }
    }

    /// Equality by content, for lists and objects at any depth; scalars strictly.
    pub fn deeply_equals(&self, other: &Js) -> bool {
        match (self, other) {
            (Js::Json(a), Js::Json(b)) => same_content(a, b),
            // Two dates have no members that could differ.
            (Js::Date(_), Js::Date(_)) => true,
            _ => self.strictly_equals(other),
        }
    }

    /// The order behind `<` and `>`: texts by UTF-16 code units, everything else by number; `None` when a side is
    /// no number, so that no comparison holds.
    pub fn order(&self, other: &Js) -> Option<Ordering> {
        match (self, other) {
            (Js::Number(a), Js::Number(b)) => return a.partial_cmp(b),
            (Js::Text(a), Js::Text(b)) => return Some(compare_text(a, b)),
            _ => {}
        }
        let (a, b) = (self.primitive(true), other.primitive(true));
        match (&*a, &*b) {
            (Js::Text(a), Js::Text(b)) => Some(compare_text(a, b)),
            (a, b) => a.to_number().partial_cmp(&b.to_number()),
        }
    }

    /// The order of ORDER BY: absent, null, 0 and false count as the empty text; incomparable values tie.
    pub fn sort_order(&self, other: &Js) -> Ordering {
        static EMPTY: std::sync::LazyLock<Js> = std::sync::LazyLock::new(|| Js::text(""));
        let a = if self.truth() { self } else { &*EMPTY };
        let b = if other.truth() { other } else { &*EMPTY };
        a.order(b).unwrap_or(Ordering::Equal)
    }
}

fn same_content(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_content(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same_content(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_equality_converts() {
        let equal = |a: Js, b: Js| a.loosely_equals(&b) && b.loosely_equals(&a);
        assert!(equal(Js::Null, Js::Undefined));
        assert!(!equal(Js::Null, 0.0.into()));
        assert!(equal("1".into(), 1.0.into()));
        assert!(equal(true.into(), "1".into()));
        assert!(equal("".into(), 0.0.into()));
        assert!(!equal("a".into(), "A".into()));
        assert!(equal(Js::from(Value::Array(vec![Value::Number(3.0)])), 3.0.into()));
        assert!(!equal(f64::NAN.into(), f64::NAN.into()));
        assert!(equal(Js::from(Value::BigInt("5".into())), 5.0.into()));
    }

    #[test]
    fn lists_are_equal_by_content_only() {
        let list = || Js::from(Value::Array(vec![Value::Number(3.0)]));
        let one = list();
        assert!(!one.strictly_equals(&list()));
        assert!(one.strictly_equals(&one.clone()));
        assert!(one.deeply_equals(&list()));
    }

    #[test]
    fn order_converts_unless_both_are_texts() {
        let less = |a: Js, b: Js| a.order(&b) == Some(Ordering::Less);
        assert!(less("10".into(), "9".into()));
        assert!(less(9.0.into(), "10".into()));
        assert!(less(Js::Null, 1.0.into()));
        assert_eq!(Js::from("x").order(&1.0.into()), None);
        assert!(less(Js::Date(5.0), Js::Date(6.0)));
    }

    #[test]
    fn sorting_puts_the_empty_ones_together() {
        for empty in [Js::Null, Js::Undefined, 0.0.into(), false.into(), "".into()] {
            assert_eq!(empty.sort_order(&Js::text("")), Ordering::Equal);
            assert_eq!(empty.sort_order(&Js::text("a")), Ordering::Less);
            assert_eq!(empty.sort_order(&1.0.into()), Ordering::Less);
            assert_eq!(empty.sort_order(&Js::Number(-1.0)), Ordering::Greater);
        }
    }
}
