//! CBOR and MessagePack, as far as the API uses them, with the layout kept in sight: a decoder that hides whether
//! an array had a length could not tell a streamed answer from a whole one.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How an answer in a binary media type is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// One document of known length.
    Whole,
    /// One array or map that ends with a break.
    OpenEnded,
    /// Several documents one after the other, shown as an array.
    Sequence,
}

/// Encodes a value as `cbor` or `msgpack`. An object `{"$bytes": "…"}` stands for the bytes of its base64.
pub fn encode(kind: &str, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match kind {
        "cbor" => cbor(value, &mut out),
        "msgpack" => msgpack(value, &mut out),
        _ => return None,
    }
    Some(out)
}

/// Decodes a body by its media type; `None` for other types and for bytes that are not of that type.
pub fn decode(media_type: &str, bytes: &[u8]) -> Option<(Value, Form)> {
    let mut reader = Reader { bytes, at: 0 };
    if media_type.contains("cbor") {
        let open = matches!(bytes.first(), Some(0x9f | 0xbf));
        let value = reader.cbor(0)?;
        return (reader.at == bytes.len())
            .then_some((value, if open { Form::OpenEnded } else { Form::Whole }));
    }
    if media_type.contains("msgpack") {
        let first = reader.msgpack(0)?;
        if reader.at == bytes.len() {
            return Some((first, Form::Whole));
        }
        let mut documents = vec![first];
        while reader.at < bytes.len() {
            documents.push(reader.msgpack(0)?);
        }
        return Some((Value::Array(documents), Form::Sequence));
    }
    None
}

fn cbor_head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    if n < 24 {
        out.push(major | n as u8);
    } else if let Ok(n) = u8::try_from(n) {
        out.extend([major | 24, n]);
    } else if let Ok(n) = u16::try_from(n) {
        out.push(major | 25);
        out.extend(n.to_be_bytes());
    } else if let Ok(n) = u32::try_from(n) {
        out.push(major | 26);
        out.extend(n.to_be_bytes());
    } else {
        out.push(major | 27);
        out.extend(n.to_be_bytes());
    }
}

/// The bytes that an object stands for.
fn bytes_of(members: &Map<String, Value>) -> Option<Vec<u8>> {
    let encoded = members.get("$bytes").filter(|_| members.len() == 1)?.as_str()?;
    base64::engine::general_purpose::STANDARD.decode(encoded).ok()
}

fn cbor(value: &Value, out: &mut Vec<u8>) {
    if let Some(bytes) = value.as_object().and_then(bytes_of) {
        cbor_head(2, bytes.len() as u64, out);
        out.extend(bytes);
        return;
    }
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(0xf4 + u8::from(*flag)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => cbor_head(0, n, out),
            (None, Some(n)) => cbor_head(1, n.unsigned_abs() - 1, out),
            _ => {
                out.push(0xfb);
                out.extend(number.as_f64().unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => {
            cbor_head(3, text.len() as u64, out);
            out.extend(text.as_bytes());
        }
        Value::Array(elements) => {
            cbor_head(4, elements.len() as u64, out);
            elements.iter().for_each(|element| cbor(element, out));
        }
        Value::Object(members) => {
            cbor_head(5, members.len() as u64, out);
            for (name, member) in members {
                cbor(&Value::from(name.as_str()), out);
                cbor(member, out);
            }
        }
    }
}

fn msgpack_head(n: usize, small: (u8, usize), medium: u8, large: u8, out: &mut Vec<u8>) {
    if n < small.1 {
        out.push(small.0 | n as u8);
    } else if let Ok(n) = u16::try_from(n) {
        out.push(medium);
        out.extend(n.to_be_bytes());
    } else {
        out.push(large);
        out.extend((n as u32).to_be_bytes());
    }
}

fn msgpack(value: &Value, out: &mut Vec<u8>) {
    if let Some(bytes) = value.as_object().and_then(bytes_of) {
        out.push(0xc6);
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(bytes);
        return;
    }
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(flag) => out.push(0xc2 + u8::from(*flag)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) if n < 128 => out.push(n as u8),
            (Some(n), _) => {
                out.push(0xcf);
                out.extend(n.to_be_bytes());
            }
            (None, Some(n)) => {
                out.push(0xd3);
                out.extend(n.to_be_bytes());
            }
            _ => {
                out.push(0xcb);
                out.extend(number.as_f64().unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => {
            msgpack_head(text.len(), (0xa0, 32), 0xda, 0xdb, out);
            out.extend(text.as_bytes());
        }
        Value::Array(elements) => {
            msgpack_head(elements.len(), (0x90, 16), 0xdc, 0xdd, out);
            elements.iter().for_each(|element| msgpack(element, out));
        }
        Value::Object(members) => {
            msgpack_head(members.len(), (0x80, 16), 0xde, 0xdf, out);
            for (name, member) in members {
                msgpack(&Value::from(name.as_str()), out);
                msgpack(member, out);
            }
        }
    }
}

/// Deeper nesting than this is no answer of the API.
const DEPTH: usize = 200;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(n)?;
        let slice = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(slice)
    }

    fn unsigned(&mut self, n: usize) -> Option<u64> {
        Some(self.take(n)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn float(&mut self, n: usize) -> Option<Value> {
        let bits = self.unsigned(n)?;
        Some(number(match n {
            2 => half(bits as u16),
            4 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from_bits(bits),
        }))
    }

    fn text(&mut self, n: usize) -> Option<Value> {
        String::from_utf8(self.take(n)?.to_vec()).ok().map(Value::String)
    }

    fn buffer(&mut self, n: usize) -> Option<Value> {
        Some(json!({"type": "Buffer", "data": self.take(n)?}))
    }

    fn cbor(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        let first = self.take(1)?[0];
        let (major, low) = (first >> 5, first & 31);
        if major == 7 {
            return match low {
                20 | 21 => Some(Value::Bool(low == 21)),
                22 | 23 => Some(Value::Null),
                25 => self.float(2),
                26 => self.float(4),
                27 => self.float(8),
                _ => None,
            };
        }
        let open = low == 31;
        let n = match low {
            0..=23 => u64::from(low),
            24 => self.unsigned(1)?,
            25 => self.unsigned(2)?,
            26 => self.unsigned(4)?,
            27 => self.unsigned(8)?,
            31 => 0,
            _ => return None,
        };
        let size = usize::try_from(n).ok()?;
        match major {
            0 => Some(Value::from(n)),
            1 => Some(i64::try_from(n).map_or_else(|_| number(-1.0 - n as f64), |n| Value::from(-1 - n))),
            2 if !open => self.buffer(size),
            3 if !open => self.text(size),
            4 => {
                let mut elements = Vec::new();
                while open || elements.len() < size {
                    if open && self.is_break() {
                        break;
                    }
                    elements.push(self.cbor(depth + 1)?);
                }
                Some(Value::Array(elements))
            }
            5 => {
                let mut members = Map::new();
                let mut read = 0;
                while open || read < size {
                    if open && self.is_break() {
                        break;
                    }
                    let name = self.cbor(depth + 1)?;
                    let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                    members.insert(name, self.cbor(depth + 1)?);
                    read += 1;
                }
                Some(Value::Object(members))
            }
            6 => self.cbor(depth + 1),
            _ => None,
        }
    }

    fn is_break(&mut self) -> bool {
        let found = self.bytes.get(self.at) == Some(&0xff);
        self.at += usize::from(found);
        found
    }

    fn msgpack(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        let first = self.take(1)?[0];
        match first {
            0x00..=0x7f => Some(Value::from(first)),
            0x80..=0x8f => self.msgpack_map(usize::from(first & 15), depth),
            0x90..=0x9f => self.msgpack_array(usize::from(first & 15), depth),
            0xa0..=0xbf => self.text(usize::from(first & 31)),
            0xc0 | 0xc1 => Some(Value::Null),
            0xc2 | 0xc3 => Some(Value::Bool(first == 0xc3)),
            0xc4..=0xc6 => {
                let n = self.unsigned(1 << (first - 0xc4))?;
                self.buffer(usize::try_from(n).ok()?)
            }
            0xc7..=0xc9 => {
                let n = usize::try_from(self.unsigned(1 << (first - 0xc7))?).ok()?;
                self.take(1)?;
                self.buffer(n)
            }
            0xca => self.float(4),
            0xcb => self.float(8),
            0xcc..=0xcf => self.unsigned(1 << (first - 0xcc)).map(Value::from),
            0xd0..=0xd3 => {
                let width = 1_usize << (first - 0xd0);
                let shift = 64 - 8 * width as u32;
                self.unsigned(width).map(|n| Value::from(((n << shift) as i64) >> shift))
            }
            0xd4..=0xd8 => {
                self.take(1)?;
                self.buffer(1 << (first - 0xd4))
            }
            0xd9..=0xdb => {
                let n = self.unsigned(1 << (first - 0xd9))?;
                self.text(usize::try_from(n).ok()?)
            }
            0xdc | 0xdd => {
                let n = self.unsigned(2 << (first - 0xdc))?;
                self.msgpack_array(usize::try_from(n).ok()?, depth)
            }
            0xde | 0xdf => {
                let n = self.unsigned(2 << (first - 0xde))?;
                self.msgpack_map(usize::try_from(n).ok()?, depth)
            }
            0xe0..=0xff => Some(Value::from(first as i8)),
        }
    }

    fn msgpack_array(&mut self, n: usize, depth: usize) -> Option<Value> {
        let mut elements = Vec::new();
        for _ in 0..n {
            elements.push(self.msgpack(depth + 1)?);
        }
        Some(Value::Array(elements))
    }

    fn msgpack_map(&mut self, n: usize, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        for _ in 0..n {
            let name = self.msgpack(depth + 1)?;
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            members.insert(name, self.msgpack(depth + 1)?);
        }
        Some(Value::Object(members))
    }
}

/// A whole number prints as one, as in JSON.
fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 9.007_199_254_740_992e15 {
        Value::from(n as i64)
    } else {
        Value::from(n)
    }
}

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e6..1e6f64).prop_map(|n| Value::from(n + 0.5)),
            "\\PC{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
                prop::collection::vec(("[a-z]{0,40}", inner), 0..20)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(value in values()) {
            for (kind, media_type) in [("cbor", "application/cbor"), ("msgpack", "application/x-msgpack")] {
                let bytes = encode(kind, &value).unwrap();
                let (back, form) = decode(media_type, &bytes).unwrap();
                prop_assert_eq!(form, Form::Whole);
                prop_assert_eq!(&back, &value);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode("application/cbor", &bytes);
            let _ = decode("application/x-msgpack", &bytes);
        }
    }

    #[test]
    fn bytes_can_be_written() {
        for (kind, media_type) in [("cbor", "application/cbor"), ("msgpack", "application/x-msgpack")] {
            let sent = encode(kind, &json!([{"$bytes": "AQL/"}])).unwrap();
            let expected = json!([{"type": "Buffer", "data": [1, 2, 255]}]);
            assert_eq!(decode(media_type, &sent), Some((expected, Form::Whole)));
        }
    }

    #[test]
    fn the_layout_is_seen() {
        assert_eq!(decode("application/cbor", &[0x9f, 1, 2, 0xff]), Some((json!([1, 2]), Form::OpenEnded)));
        assert_eq!(decode("application/x-msgpack", &[0x01, 0x02]), Some((json!([1, 2]), Form::Sequence)));
        assert_eq!(decode("application/cbor", &[0xf9, 0x3e, 0x00]), Some((json!(1.5), Form::Whole)));
        assert_eq!(decode("application/cbor", &[0x82, 1]), None);
    }
}
