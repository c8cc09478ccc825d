//! Decoding of request bodies into [`Value`]s, whatever self-describing format they come in.

use super::{Object, Value, order_members};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How deeply arrays and objects may nest in a request; deeper bodies are refused.
pub const MAX_DEPTH: usize = 512;

/// Why a body could not be decoded. The text is for the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// Decodes one value from any self-describing serde format (CBOR, MessagePack, JSON).
pub fn from_deserializer<'de, D: Deserializer<'de>>(source: D) -> Result<Value, D::Error> {
    Nested { depth: 0 }.deserialize(source)
}

/// Parses a JSON text as a JavaScript engine does: a byte order mark is skipped, numbers are doubles (beyond their
/// range infinite), lone surrogates are replaced, the last of repeated names counts.
pub fn parse_json(text: &[u8]) -> Result<Value, DecodeError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match parse_strictly(text) {
        Ok(value) => Ok(value),
        Err(first) => match lenient_text(text) {
            // serde_json refuses numbers beyond the range of a double and lone surrogates; JavaScript takes both.
            Some(mended) => parse_strictly(mended.as_bytes())
                .map_err(|second| if second.0 == FORBIDDEN_PROPERTY { second } else { first }),
            None => Err(first),
        },
    }
}

fn parse_strictly(text: &[u8]) -> Result<Value, DecodeError> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.disable_recursion_limit();
    let value = from_deserializer(&mut parser).map_err(|error| DecodeError(plain_text(&error)))?;
    parser.end().map_err(|error| DecodeError(plain_text(&error)))?;
    Ok(value)
}

fn plain_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with(FORBIDDEN_PROPERTY) { FORBIDDEN_PROPERTY.to_owned() } else { text }
}

const FORBIDDEN_PROPERTY: &str = "Object contains forbidden prototype property";

/// A copy of a JSON text in which numbers that overflow a double are `null` and lone surrogate escapes are U+FFFD;
/// `None` when the text has neither, so that there is nothing to mend.
fn lenient_text(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut mended = false;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next == '"' {
            let (string, after) = split_string(rest)?;
            mended |= push_mended_string(&mut out, string);
            rest = after;
        } else if next == '-' || next.is_ascii_digit() {
            let end = rest
                .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
                .unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            if number.parse::<f64>().is_ok_and(f64::is_infinite) {
                out.push_str("null");
                mended = true;
            } else {
                out.push_str(number);
            }
            rest = after;
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    mended.then_some(out)
}

/// Splits a text that begins with a quote after the string's closing quote.
fn split_string(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(text.split_at(at + 1)),
            _ => at += 1,
        }
    }
    None
}

fn push_mended_string(out: &mut String, string: &str) -> bool {
    let unit = |at: usize| -> Option<u16> {
        let escape = string.get(at..at + 6)?;
        u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok()
    };
    let mut mended = false;
    let mut at = 0;
    while at < string.len() {
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => {
                out.push_str(&string[at..at + 12]);
                at += 12;
            }
            Some(0xD800..=0xDFFF) => {
                out.push('\u{FFFD}');
                mended = true;
                at += 6;
            }
            _ if string[at..].starts_with('\\') => {
                let escaped = string[at + 1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&string[at..at + 1 + escaped]);
                at += 1 + escaped;
            }
            _ => {
                let plain = string[at..].chars().next().unwrap_or(' ');
                out.push(plain);
                at += plain.len_utf8();
            }
        }
    }
    mended
}

#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn deeper<E: serde::de::Error>(self) -> Result<Nested, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("the body nests too deeply"));
        }
        Ok(Nested { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }

    /// MessagePack's extensions come this way, as pairs of type and payload.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        Ok(match source.deserialize_any(self)? {
            Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                Ok([Value::Number(-1.0), Value::Bytes(stamp)]) => {
                    timestamp(&stamp).map_or(Value::Bytes(stamp), Value::Date)
                }
                Ok([_, payload]) => payload,
                Err(items) => Value::Array(items),
            },
            other => other,
        })
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Object::new();
        let mut digits_first = false;
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(inner)?;
            if name == "__proto__" || (name == "constructor" && value.get("prototype").is_some()) {
                return Err(A::Error::custom(FORBIDDEN_PROPERTY));
            }
            digits_first |= name.as_bytes().first().is_some_and(u8::is_ascii_digit);
            members.insert(name, value);
        }
        if digits_first {
            order_members(&mut members);
        }
        Ok(Value::Object(members))
    }
}

/// The epoch milliseconds of a MessagePack timestamp: seconds in 32 bits, or nanoseconds and seconds in 64 or 96.
fn timestamp(stamp: &[u8]) -> Option<f64> {
    let (seconds, nanoseconds) = match stamp.len() {
        4 => (i64::from(u32::from_be_bytes(stamp.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(stamp.try_into().ok()?);
            ((both & 0x3_ffff_ffff) as i64, (both >> 34) as u32)
        }
        12 => {
            let (nanoseconds, seconds) = stamp.split_at(4);
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(nanoseconds.try_into().ok()?))
        }
        _ => return None,
    };
    Some(seconds as f64 * 1_000.0 + f64::from(nanoseconds / 1_000_000))
}

/// A member's name; CBOR and MessagePack may send other kinds, which JavaScript turns into text.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<String, D::Error> {
        source.deserialize_any(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(super::number_text(number))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<String, E> {
        Ok(flag.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        parse_json(text.as_bytes()).map_or_else(|error| format!("error: {error}"), |value| value.to_json())
    }

    #[test]
    fn integer_like_names_come_first() {
        assert_eq!(printed(r#"{"b":1,"10":2,"a":3,"2":4,"01":5}"#), r#"{"2":4,"10":2,"b":1,"a":3,"01":5}"#);
    }

    #[test]
    fn the_last_of_repeated_names_counts_in_the_first_place() {
        assert_eq!(printed(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn huge_numbers_and_lone_surrogates_are_taken() {
        assert_eq!(printed(r#"{"a":1e400,"b":-1e999}"#), r#"{"a":null,"b":null}"#);
        assert_eq!(
            printed(r#"["\ud800x","\ud83d\ude00","\\ud800"]"#),
            "[\"\u{FFFD}x\",\"😀\",\"\\\\ud800\"]"
        );
    }

    #[test]
    fn prototype_properties_are_refused() {
        assert_eq!(
            printed(r#"{"a":{"__proto__":1}}"#),
            "error: Object contains forbidden prototype property"
        );
        assert_eq!(
            printed(r#"{"constructor":{"prototype":1}}"#),
            "error: Object contains forbidden prototype property"
        );
        assert_eq!(printed(r#"{"constructor":1}"#), r#"{"constructor":1}"#);
        assert_eq!(
            printed(r#"{"a":"\ud800","__proto__":1}"#),
            "error: Object contains forbidden prototype property"
        );
    }

    #[test]
    fn malformed_text_is_an_error() {
        for text in ["", "{", "[1,]", "{'a':1}", "NaN", "{} {}", "\"\n\"", "01", "1e400 x"] {
            assert!(parse_json(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_json(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse_json(deep(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse_json("[".repeat(1_000_000).as_bytes()).is_err());
    }
}
