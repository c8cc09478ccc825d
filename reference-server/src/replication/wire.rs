//! Values as they travel between nodes: MessagePack that gives back exactly what went in. Numbers are always doubles;
//! dates and big integers have extension types of their own. So has what nests deeply, which travels as JSON: every
//! level of MessagePack takes much of the stack of the thread that reads it.

use crate::value::{Object, Value, parse_json};
use rmp_serde::MSGPACK_EXT_STRUCT_NAME;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;

const DATE: i8 = 1;
const BIG_INT: i8 = 2;
const DEEP: i8 = 3;
/// From this level on lists and objects travel as JSON.
const DEEPEST: usize = 32;
/// How many levels anything may have that arrives.
const LEVELS: usize = 256;

/// A value to be sent.
pub(super) struct Sent<'a>(pub(super) &'a Value);

/// The members of an object to be sent.
pub(super) struct SentObject<'a>(pub(super) &'a Object);

/// A value that arrived.
pub(super) struct Arrived(pub(super) Value);

struct Payload<'a>(&'a [u8]);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(self.0)
    }
}

/// A value at its level.
struct Level<'a>(&'a Value, usize);

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Level(self.0, 0).serialize(out)
    }
}

impl Serialize for Level<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(_) | Value::Object(_) if self.1 >= DEEPEST => {
                extension(out, DEEP, self.0.to_json().as_bytes())
            }
            Value::Null => out.serialize_unit(),
            Value::Bool(flag) => out.serialize_bool(*flag),
            Value::Number(number) => out.serialize_f64(*number),
            Value::String(text) => out.serialize_str(text),
            Value::Array(items) => {
                let mut list = out.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&Level(item, self.1 + 1)))?;
                list.end()
            }
            Value::Object(members) => serialize_members(out, members, self.1 + 1),
            Value::Bytes(bytes) => out.serialize_bytes(bytes),
            Value::Date(millis) => extension(out, DATE, &millis.to_be_bytes()),
            Value::BigInt(digits) => extension(out, BIG_INT, digits.as_bytes()),
        }
    }
}

impl Serialize for SentObject<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        serialize_members(out, self.0, 1)
    }
}

fn serialize_members<S: Serializer>(out: S, members: &Object, level: usize) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(members.len()))?;
    members.iter().try_for_each(|(name, item)| map.serialize_entry(name, &Level(item, level)))?;
    map.end()
}

fn extension<S: Serializer>(out: S, kind: i8, payload: &[u8]) -> Result<S::Ok, S::Error> {
    out.serialize_newtype_struct(MSGPACK_EXT_STRUCT_NAME, &(kind, Payload(payload)))
}

impl<'de> Deserialize<'de> for Arrived {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(AnyValue).map(Arrived)
    }
}

/// Reads a value of any kind. How deeply it may nest is for [`read`] to say.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(bytes.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(source.size_hint().unwrap_or(0).min(1024));
        while let Some(Arrived(item)) = source.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut members = Object::with_capacity(source.size_hint().unwrap_or(0).min(1024));
        while let Some((name, Arrived(value))) = source.next_entry()? {
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_tuple(2, Extension)
    }
}

/// Reads the kind and the payload of an extension.
struct Extension;

impl<'de> Visitor<'de> for Extension {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date or a big integer")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let unknown = || A::Error::custom("an extension of MessagePack is not known");
        let kind: i8 = source.next_element()?.ok_or_else(unknown)?;
        let Some(Arrived(Value::Bytes(payload))) = source.next_element()? else { return Err(unknown()) };
        match (kind, payload.first_chunk::<8>()) {
            (DATE, Some(bytes)) => Ok(Value::Date(f64::from_be_bytes(*bytes))),
            (DEEP, _) => parse_json(&payload).map_err(|_| unknown()),
            (BIG_INT, _) => String::from_utf8(payload).map(Value::BigInt).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// A value in MessagePack.
pub(super) fn pack(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    // Writing to a Vec cannot fail.
    let _ = Sent(value).serialize(&mut rmp_serde::Serializer::new(&mut out));
    out
}

/// The value in MessagePack.
///
/// # Errors
/// When it is none.
pub(super) fn unpack(bytes: &[u8]) -> Result<Value, rmp_serde::decode::Error> {
    read::<Arrived>(bytes).map(|arrived| arrived.0)
}

/// What another node has sent, unless it nests so deeply that reading it could use up the stack.
///
/// # Errors
/// When the bytes are none.
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(LEVELS);
    T::deserialize(&mut reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::object;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            prop_oneof![Just(-0.0), Just(f64::INFINITY), Just(1e300), (-1e9..1e9)].prop_map(Value::Number),
            ".{0,12}".prop_map(Value::String),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            (-1e15..1e15).prop_map(Value::Date),
            "-?[1-9][0-9]{0,40}".prop_map(Value::BigInt),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec((".{0,6}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_arrives_is_what_was_sent(value in values()) {
            let arrived = unpack(&pack(&value)).unwrap();
            prop_assert_eq!(format!("{arrived:?}"), format!("{value:?}"));
        }

        #[test]
        fn anything_may_arrive(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn members_keep_their_order() {
        let value = object([("b", Value::Null), ("a", Value::Number(f64::MIN_POSITIVE))]);
        assert_eq!(unpack(&pack(&value)).unwrap(), value);
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = [vec![0x91; 5_000], vec![0xc0]].concat();
        assert!(unpack(&deep).is_err());
        assert!(read::<serde_json::Value>(&deep).is_err());
    }

    #[test]
    fn what_may_be_stored_travels_however_deep_it_is() {
        let mut value = Value::from("inside");
        for level in 0..500 {
            value = if level % 2 == 0 { Value::Array(vec![value]) } else { object([("a", value)]) };
        }
        assert!(unpack(&pack(&value)).unwrap() == value);
    }
}
