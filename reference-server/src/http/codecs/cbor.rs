//! application/cbor.
//!
//! Numbers that are whole and safe go out as integers, others as doubles; bytes as byte strings; dates as tag 1
//! (epoch seconds); big integers as integers or, beyond 64 bits, as tags 2 and 3, or as text beyond 128. The same
//! is understood coming in, and further tags are ignored in favour of what they mark.

use super::numbers::{Integer, integer};
use crate::value::{MAX_DEPTH, Object, Value, number_text, order_members};
use cbor4ii::core::dec::{self, Decode, Read};
use cbor4ii::core::enc::{Encode, Error as EncodeError};
use cbor4ii::core::types::{Array, Bytes, F16, Map, Null, Tag};
use cbor4ii::core::utils::{BufWriter, SliceReader};
use chrono::DateTime;

const EPOCH_SECONDS: u64 = 1;
const TEXT_DATE: u64 = 0;

/// One value.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    written(|out| write(out, value))
}

/// Rows as an array of indefinite length.
pub(super) fn encode_streamed(rows: &[Value]) -> Vec<u8> {
    written(|out| {
        Array::unbounded(out)?;
        rows.iter().try_for_each(|row| write(out, row))?;
        Array::end(out)
    })
}

type Written = Result<(), EncodeError<std::collections::TryReserveError>>;

fn written(work: impl FnOnce(&mut BufWriter) -> Written) -> Vec<u8> {
    let mut out = BufWriter::new(Vec::with_capacity(256));
    // Only memory can run out, which ends the process before it could be reported.
    let _ = work(&mut out);
    out.into_inner()
}

fn write(out: &mut BufWriter, value: &Value) -> Written {
    match value {
        Value::Null => Null.encode(out),
        Value::Bool(flag) => flag.encode(out),
        Value::Number(number) => match integer(*number) {
            Some(number) => number.encode(out),
            None => number.encode(out),
        },
        Value::String(text) => text.as_str().encode(out),
        Value::Array(items) => {
            Array::bounded(items.len(), out)?;
            items.iter().try_for_each(|item| write(out, item))
        }
        Value::Object(members) => {
            Map::bounded(members.len(), out)?;
            members.iter().try_for_each(|(name, item)| {
                name.as_str().encode(out)?;
                write(out, item)
            })
        }
        Value::Bytes(bytes) => Bytes(bytes.as_slice()).encode(out),
        Value::Date(millis) if millis.is_finite() => match integer(millis / 1_000.0) {
            Some(seconds) => Tag(EPOCH_SECONDS, seconds).encode(out),
            None => Tag(EPOCH_SECONDS, millis / 1_000.0).encode(out),
        },
        Value::Date(_) => Null.encode(out),
        Value::BigInt(digits) => match Integer::of(digits) {
            Integer::Signed(number) => number.encode(out),
            Integer::Unsigned(number) => number.encode(out),
            Integer::Long(number) => number.encode(out),
            Integer::TooLong => digits.as_str().encode(out),
        },
    }
}

/// Decodes one value that fills the whole body. The errors are for the client.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = SliceReader::new(bytes);
    let value = read(&mut reader, 0).map_err(|error| error.0)?;
    match reader.fill(1) {
        Ok(rest) if rest.as_ref().is_empty() => Ok(value),
        _ => Err("Unexpected data after the end of the CBOR value".to_owned()),
    }
}

struct Refused(String);

impl<E: std::fmt::Debug> From<dec::Error<E>> for Refused {
    fn from(error: dec::Error<E>) -> Refused {
        let end = matches!(error, dec::Error::Eof { .. } | dec::Error::RequireLength { .. });
        Refused(if end { "Unexpected end of CBOR data" } else { "Malformed CBOR data" }.to_owned())
    }
}

fn read(reader: &mut SliceReader<'_>, depth: usize) -> Result<Value, Refused> {
    if depth > MAX_DEPTH {
        return Err(Refused("the body nests too deeply".to_owned()));
    }
    let first = peek(reader)?;
    Ok(match first >> 5 {
        0 => Value::Number(u64::decode(reader)? as f64),
        1 => Value::Number(
            i128::decode(reader)? as f64 + f64::from(u8::from(fault!("cbor-negatives-off-by-one"))),
        ),
        2 if fault!("cbor-bytes-as-text") => {
            Value::String(String::from_utf8_lossy(&Bytes::<Vec<u8>>::decode(reader)?.0).into_owned())
        }
        2 => Value::Bytes(Bytes::<Vec<u8>>::decode(reader)?.0),
        3 => Value::String(String::decode(reader)?),
        4 => {
            let mut items = Vec::new();
            each(reader, Array::len, |reader| {
                items.push(read(reader, depth + 1)?);
                Ok(())
            })?;
            Value::Array(items)
        }
        5 => {
            let mut members = Object::new();
            each(reader, Map::len, |reader| {
                let name = name_text(read(reader, depth + 1)?);
                members.insert(name, read(reader, depth + 1)?);
                Ok(())
            })?;
            order_members(&mut members);
            Value::Object(members)
        }
        6 if matches!(first, 0xc2 | 0xc3) => {
            let negative = first == 0xc3;
            reader.advance(1);
            let digits = big(&Bytes::<Vec<u8>>::decode(reader)?.0);
            Value::Number(if negative { -1.0 - digits } else { digits })
        }
        6 => {
            let tag = Tag::<()>::tag(reader)?;
            let value = read(reader, depth + 1)?;
            match (tag, &value) {
                (EPOCH_SECONDS, Value::Number(seconds)) => Value::Date((seconds * 1_000.0).round()),
                (TEXT_DATE, Value::String(text)) => match DateTime::parse_from_rfc3339(text) {
                    Ok(moment) => Value::Date(moment.timestamp_millis() as f64),
                    Err(_) => value,
                },
                _ => value,
            }
        }
        _ => simple(reader, first)?,
    })
}

fn peek(reader: &mut SliceReader<'_>) -> Result<u8, Refused> {
    let Ok(ahead) = reader.fill(1);
    ahead.as_ref().first().copied().ok_or_else(|| Refused("Unexpected end of CBOR data".to_owned()))
}

/// Reads the members of an array or a map, of announced length or not.
fn each<'de>(
    reader: &mut SliceReader<'de>,
    length: fn(&mut SliceReader<'de>) -> Result<Option<usize>, dec::Error<std::convert::Infallible>>,
    mut member: impl FnMut(&mut SliceReader<'de>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    match length(reader)? {
        Some(length) => (0..length).try_for_each(|_| member(reader)),
        None => {
            while peek(reader)? != 0xff {
                member(reader)?;
            }
            reader.advance(1);
            Ok(())
        }
    }
}

fn simple(reader: &mut SliceReader<'_>, first: u8) -> Result<Value, Refused> {
    Ok(match first {
        0xf4 | 0xf5 => Value::Bool(bool::decode(reader)?),
        0xf6 | 0xf7 => {
            reader.advance(1);
            Value::Null
        }
        0xf9 => Value::Number(half(F16::decode(reader)?.0)),
        0xfa => Value::Number(f64::from(f32::decode(reader)?)),
        0xfb => Value::Number(f64::decode(reader)?),
        _ => return Err(Refused("Malformed CBOR data".to_owned())),
    })
}

/// A number of 16 bits: sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

fn big(bytes: &[u8]) -> f64 {
    bytes.iter().fold(0.0, |number, byte| number * 256.0 + f64::from(*byte))
}

/// Names that are no text become text, as in JavaScript.
fn name_text(name: Value) -> String {
    match name {
        Value::String(text) => text,
        Value::Number(number) => number_text(number),
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{object, parse_json};

    fn sample() -> Value {
        object([
            ("f", Value::Number(1.5)),
            ("neg", Value::Number(-3.0)),
            ("big", Value::Number(1e300)),
            ("yes", Value::Bool(true)),
            ("nil", Value::Null),
            ("deep", object([("a", Value::Array(vec![Value::Number(1.0), Value::from("ü")]))])),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("when", Value::Date(1_700_000_000_123.0)),
            ("whole", Value::Date(1_700_000_000_000.0)),
        ])
    }

    #[test]
    fn values_come_back() {
        assert_eq!(decode(&encode(&sample())), Ok(sample()));
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        let hex = |value: Value| encode(&value).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(Value::Number(1.0)), "01");
        assert_eq!(hex(Value::Number(-500.0)), "3901f3");
        assert_eq!(hex(Value::Number(1.5)), "fb3ff8000000000000");
        assert_eq!(hex(Value::Date(1_363_896_240_000.0)), "c11a514b67b0");
        assert_eq!(hex(Value::BigInt("18446744073709551616".into())), "c249010000000000000000");
        assert_eq!(hex(object([("a", Value::Bytes(vec![1]))])), "a161614101");
        assert_eq!(encode_streamed(&[Value::Null]), [0x9f, 0xf6, 0xff]);
    }

    #[test]
    fn every_form_is_read() {
        let read = |bytes: &[u8]| decode(bytes).map(|value| value.to_json());
        assert_eq!(read(&[0xf9, 0x3e, 0x00]).as_deref(), Ok("1.5"));
        assert_eq!(read(&[0xf9, 0x00, 0x01]).as_deref(), Ok("5.960464477539063e-8"));
        assert_eq!(read(&[0xfa, 0x3f, 0xc0, 0, 0]).as_deref(), Ok("1.5"));
        assert_eq!(read(&[0x9f, 0x01, 0xff]).as_deref(), Ok("[1]"));
        assert_eq!(read(&[0xbf, 0x61, b'a', 0xf7, 0xff]).as_deref(), Ok(r#"{"a":null}"#));
        assert_eq!(read(&[0xa1, 0x01, 0x02]).as_deref(), Ok(r#"{"1":2}"#));
        assert_eq!(read(&[0xc3, 0x41, 0x01]).as_deref(), Ok("-2"));
        assert_eq!(read(&[0xd8, 0x20, 0x61, b'u']).as_deref(), Ok("\"u\""));
        assert_eq!(read(&[0xc1, 0x00]).as_deref(), Ok("\"1970-01-01T00:00:00.000Z\""));
    }

    #[test]
    fn malformed_bytes_are_errors() {
        let end = Err("Unexpected end of CBOR data".to_owned());
        assert_eq!(decode(&[]), end);
        assert_eq!(decode(&[0xa1, 0x61]), end);
        assert_eq!(decode(&[0x9f, 0x01]), end);
        assert_eq!(decode(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]), end);
        assert_eq!(decode(&[0x9b, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]), end);
        for bytes in [&[0x01, 0x01][..], &[0xff], &[0x61, 0xff], &[0xfc], &vec![0x81; 100_000]] {
            assert!(decode(bytes).is_err(), "{:?}", bytes.first());
        }
    }

    #[test]
    fn names_keep_the_order_of_javascript() {
        let value =
            decode(&encode(&parse_json(br#"{"b":1,"2":1,"1":1}"#).unwrap_or_default())).unwrap_or_default();
        assert_eq!(value.to_json(), r#"{"1":1,"2":1,"b":1}"#);
    }
}
