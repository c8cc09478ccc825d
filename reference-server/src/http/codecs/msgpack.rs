//! application/x-msgpack.
//!
//! Numbers that are whole and safe go out as integers, others as doubles; bytes as `bin`; dates as the timestamp
//! extension (type −1); big integers beyond 64 bits as text. The same is understood coming in.

use super::numbers::{Integer, integer};
use crate::value::{Value, from_deserializer};
use rmp_serde::decode::Error;
use serde::de::{Deserialize, IgnoredAny};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// One value.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, value);
    out
}

/// Rows one after the other, without an array around them.
pub(super) fn encode_streamed(rows: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * rows.len());
    for row in rows {
        write(&mut out, row);
    }
    out
}

fn write(out: &mut Vec<u8>, value: &Value) {
    // Writing to a Vec cannot fail.
    let _ = Packed(value).serialize(&mut rmp_serde::Serializer::new(out));
}

/// A value on its way into MessagePack.
struct Packed<'a>(&'a Value);

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => out.serialize_unit(),
            Value::Bool(flag) => out.serialize_bool(*flag),
            Value::Number(number) if fault!("msgpack-numbers-as-texts") => {
                out.serialize_str(&number.to_string())
            }
            Value::Number(number) => match integer(*number) {
                Some(number) => out.serialize_i64(number),
                None => out.serialize_f64(*number),
            },
            Value::String(text) => out.serialize_str(text),
            Value::Array(items) => {
                let mut list = out.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&Packed(item)))?;
                list.end()
            }
            Value::Object(members) => {
                let mut map = out.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, item)| map.serialize_entry(name, &Packed(item)))?;
                map.end()
            }
            Value::Bytes(bytes) => out.serialize_bytes(bytes),
            Value::Date(millis) if millis.is_finite() => {
                let stamp = timestamp(*millis);
                out.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &(-1_i8, Payload(&stamp)))
            }
            Value::Date(_) => out.serialize_unit(),
            Value::BigInt(digits) => match Integer::of(digits) {
                Integer::Signed(number) => out.serialize_i64(number),
                Integer::Unsigned(number) => out.serialize_u64(number),
                Integer::Long(_) | Integer::TooLong => out.serialize_str(digits),
            },
        }
    }
}

struct Payload<'a>(&'a [u8]);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(self.0)
    }
}

/// The payload of a timestamp: seconds in 32 bits, or nanoseconds and seconds in 64 or 96.
fn timestamp(millis: f64) -> Vec<u8> {
    let millis = millis as i64;
    let seconds = millis.div_euclid(1_000);
    let nanoseconds = millis.rem_euclid(1_000) as u32 * 1_000_000;
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanoseconds == 0 => seconds.to_be_bytes().to_vec(),
        (_, Ok(seconds)) if seconds < 1 << 34 => {
            (u64::from(nanoseconds) << 34 | seconds).to_be_bytes().to_vec()
        }
        _ => [&nanoseconds.to_be_bytes()[..], &seconds.to_be_bytes()].concat(),
    }
}

/// Decodes one value that fills the whole body. The errors are for the client.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, String> {
    // Every level takes much of a thread's stack here: as many as in JSON could use all of it.
    const LEVELS: usize = 256;
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(LEVELS);
    let value = from_deserializer(&mut reader).map_err(|error| client_text(&error))?;
    match IgnoredAny::deserialize(&mut reader) {
        Err(Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err("Unexpected data after the end of the MessagePack value".to_owned()),
    }
}

fn client_text(error: &Error) -> String {
    match error {
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => {
            "Unexpected end of MessagePack data".to_owned()
        }
        // Of these the text is our own.
        Error::Syntax(text) | Error::Uncategorized(text) => text.clone(),
        Error::DepthLimitExceeded => "the body nests too deeply".to_owned(),
        _ => "Malformed MessagePack data".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::object;

    #[test]
    fn values_come_back() {
        let value = object([
            ("f", Value::Number(1.5)),
            ("neg", Value::Number(-3.0)),
            ("yes", Value::Bool(true)),
            ("nil", Value::Null),
            ("deep", object([("a", Value::Array(vec![Value::Number(1.0), Value::from("ü")]))])),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("whole", Value::Date(1_700_000_000_000.0)),
            ("when", Value::Date(1_700_000_000_123.0)),
            ("early", Value::Date(-1.0)),
            ("late", Value::Date(253_402_300_799_000.0)),
        ]);
        assert_eq!(decode(&encode(&value)), Ok(value));
    }

    #[test]
    fn what_nests_too_deeply_is_refused() {
        let nested = |levels: usize| [vec![0x91; levels], vec![0xc0]].concat();
        assert!(decode(&nested(200)).is_ok());
        for levels in [300, 100_000] {
            assert_eq!(decode(&nested(levels)), Err("the body nests too deeply".to_owned()));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        assert_eq!(encode(&Value::Number(-500.0)), [0xd1, 0xfe, 0x0c]);
        assert_eq!(encode(&Value::Bytes(vec![7])), [0xc4, 1, 7]);
        assert_eq!(encode(&Value::Date(1_000.0)), [0xd6, 0xff, 0, 0, 0, 1]);
        assert_eq!(encode(&Value::Date(1.0)), [0xd7, 0xff, 0x00, 0x3d, 0x09, 0, 0, 0, 0, 0]);
        assert_eq!(encode_streamed(&[Value::Null, Value::Bool(true)]), [0xc0, 0xc3]);
    }

    #[test]
    fn malformed_bytes_are_errors() {
        let end = Err("Unexpected end of MessagePack data".to_owned());
        assert_eq!(decode(&[]), end);
        assert_eq!(decode(&[0x81, 0xa1]), end);
        assert_eq!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff]), end);
        for bytes in [&[0x01, 0x01][..], &[0xc1], &vec![0x91; 100_000]] {
            assert!(decode(bytes).is_err(), "{:?}", bytes.first());
        }
    }
}
