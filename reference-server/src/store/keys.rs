//! Order-preserving byte forms of values: keys of records and of index entries.
//!
//! `compare(a, b)` of two values is the byte order of their forms. Every scalar's form ends by itself, and an array is
//! its elements' forms and an end mark lower than any kind's mark, so `["x", 2]` lies after `"x"` and before `"xa"`.
//!
//! LMDB keys are short. A form longer than [`LONGEST_EXACT`] is cut there and a hash of the whole is put behind it:
//! equal values still have equal forms and the order holds but for values that agree up to the cut, which readers put
//! in order themselves.

use crate::value::Value;

/// Forms up to this length are kept whole; longer ones are this prefix and a hash.
pub const LONGEST_EXACT: usize = 480;

const HASH_LENGTH: usize = 16;
const ARRAY_END: u8 = 0x01;
const NULL: u8 = 0x02;
const FALSE: u8 = 0x03;
const TRUE: u8 = 0x04;
const NUMBER: u8 = 0x05;
const STRING: u8 = 0x06;
/// Ends a string; a NUL inside one is followed by `ESCAPE`, which no mark equals.
const STRING_END: u8 = 0x00;
const ESCAPE: u8 = 0xff;

/// Appends the whole form of a primary key or a search bound: a scalar, or an array of scalars. False (and nothing
/// appended) when the value has no place in the order of keys.
pub fn append_whole(out: &mut Vec<u8>, value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            let start = out.len();
            for item in items {
                if !append_scalar(out, item) {
                    out.truncate(start);
                    return false;
                }
            }
            out.push(ARRAY_END);
            true
        }
        scalar => append_scalar(out, scalar),
    }
}

/// Appends the whole form of a scalar; false (and nothing appended) for other values.
pub fn append_scalar(out: &mut Vec<u8>, value: &Value) -> bool {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Number(number) | Value::Date(number) => append_number(out, *number),
        Value::BigInt(digits) => append_number(out, digits.parse().unwrap_or(f64::NAN)),
        Value::String(text) => append_string(out, text),
        Value::Array(_) | Value::Object(_) | Value::Bytes(_) => return false,
    }
    true
}

/// Appends the form of a number; NaN counts as null, which is how it prints.
pub fn append_number(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.push(NULL);
        return;
    }
    out.extend_from_slice(&number_form(number));
}

/// The form of a number that is not NaN.
pub fn number_form(number: f64) -> [u8; 9] {
    let mut form = [NUMBER; 9];
    form[1..].copy_from_slice(&ordered_bits(number).to_be_bytes());
    form
}

/// Appends the form of a string.
pub fn append_string(out: &mut Vec<u8>, text: &str) {
    append_open_string(out, text);
    out.push(STRING_END);
}

/// Appends the form of a string without its end: what all longer strings begin with.
pub fn append_open_string(out: &mut Vec<u8>, text: &str) {
    out.push(STRING);
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[STRING_END, ESCAPE]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Shortens the form that begins at `start` when it is too long for LMDB; true when it is still whole.
pub fn shorten(out: &mut Vec<u8>, start: usize) -> bool {
    if out.len() - start <= LONGEST_EXACT {
        return true;
    }
    let hash = hash(&out[start..]);
    out.truncate(start + LONGEST_EXACT);
    out.extend_from_slice(&hash.to_be_bytes());
    false
}

/// Appends the form of a primary key as it is stored; `None` when the value cannot be one, else whether it is whole.
pub fn append_key(out: &mut Vec<u8>, value: &Value) -> Option<bool> {
    let start = out.len();
    append_whole(out, value).then(|| shorten(out, start))
}

/// True when a stored form is whole, so that it alone tells the value.
pub fn is_exact(form: &[u8]) -> bool {
    form.len() <= LONGEST_EXACT
}

/// What is left of a shortened form's value; forms with the same cut are in no order among themselves. `None` for whole
/// forms.
pub fn cut_of(form: &[u8]) -> Option<&[u8]> {
    if is_exact(form) { None } else { form.get(..LONGEST_EXACT) }
}

/// The value of a whole form; `None` for shortened ones. Dates and big integers come back as numbers.
pub fn decode(form: &[u8]) -> Option<Value> {
    if !is_exact(form) {
        return None;
    }
    let (first, rest) = match form.first()? {
        &ARRAY_END => (None, form),
        _ => {
            let (value, rest) = decode_scalar(form)?;
            (Some(value), rest)
        }
    };
    match (first, rest) {
        (Some(value), []) => Some(value),
        (first, mut rest) => {
            let mut items: Vec<Value> = first.into_iter().collect();
            while rest != [ARRAY_END] {
                let (value, after) = decode_scalar(rest)?;
                items.push(value);
                rest = after;
            }
            Some(Value::Array(items))
        }
    }
}

fn decode_scalar(form: &[u8]) -> Option<(Value, &[u8])> {
    let (mark, rest) = form.split_first()?;
    match *mark {
        NULL => Some((Value::Null, rest)),
        FALSE => Some((Value::Bool(false), rest)),
        TRUE => Some((Value::Bool(true), rest)),
        NUMBER => {
            let (bytes, rest) = rest.split_first_chunk::<8>()?;
            Some((Value::Number(number_of(u64::from_be_bytes(*bytes))), rest))
        }
        STRING => {
            let mut text = Vec::new();
            let mut rest = rest;
            loop {
                let at = rest.iter().position(|byte| *byte == STRING_END)?;
                text.extend_from_slice(&rest[..at]);
                rest = &rest[at + 1..];
                match rest.first() {
                    Some(&ESCAPE) => {
                        text.push(0);
                        rest = &rest[1..];
                    }
                    _ => return Some((Value::String(String::from_utf8(text).ok()?), rest)),
                }
            }
        }
        _ => None,
    }
}

/// The bits of a number, turned so that they order as the numbers do. Both zeros are one.
fn ordered_bits(number: f64) -> u64 {
    let bits = if number == 0.0 { 0 } else { number.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number_of(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

/// FNV-1a over 128 bits: fixed for all time, as it is on disk. Primary keys are compared in full after it.
fn hash(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

const _: () = assert!(LONGEST_EXACT + HASH_LENGTH + 8 <= 511, "LMDB's limit for keys");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::compare;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn form(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(append_whole(&mut out, value));
        out
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            prop_oneof![-3.0..3.0f64, (-4..4i32).prop_map(f64::from), prop::num::f64::NORMAL, Just(-0.0)]
                .prop_map(Value::Number),
            (-1e15..1e15f64).prop_map(|instant| Value::Date(instant.trunc())),
            (-100..100i64).prop_map(|number| Value::BigInt(number.to_string())),
            "[a-c\0\u{1}é\u{10ffff}]{0,4}".prop_map(Value::String),
            any::<String>().prop_map(Value::String),
        ]
    }

    fn key() -> impl Strategy<Value = Value> {
        prop_oneof![3 => scalar(), 1 => prop::collection::vec(scalar(), 0..4).prop_map(Value::Array)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn bytes_order_as_values_do(a in key(), b in key()) {
            prop_assert_eq!(form(&a).cmp(&form(&b)), compare(&a, &b));
        }

        #[test]
        fn whole_forms_decode(value in key()) {
            if let Some(back) = decode(&form(&value)) {
                prop_assert_eq!(compare(&back, &value), Ordering::Equal);
            } else {
                prop_assert!(form(&value).len() > LONGEST_EXACT);
            }
        }
    }

    #[test]
    fn long_forms_are_cut_and_stay_distinct() {
        let long = |tail: &str| Value::String("x".repeat(600) + tail);
        let stored = |value: &Value| {
            let mut out = Vec::new();
            assert_eq!(append_key(&mut out, value), Some(false));
            out
        };
        let (a, b) = (stored(&long("a")), stored(&long("b")));
        assert_eq!(a.len(), LONGEST_EXACT + HASH_LENGTH);
        assert_ne!(a, b);
        assert_eq!(a, stored(&long("a")));
        assert!(!is_exact(&a) && decode(&a).is_none());
        assert!(form(&Value::from("x")) < a && a < form(&Value::from("y")));
    }

    #[test]
    fn objects_are_no_keys() {
        let mut out = vec![1];
        assert_eq!(append_key(&mut out, &Value::Object(Default::default())), None);
        assert_eq!(append_key(&mut out, &Value::Array(vec![Value::Null, Value::Array(vec![])])), None);
        assert_eq!(out, [1]);
    }
}
