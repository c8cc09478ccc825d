//! How a record lies on disk: a short head, where each attribute's value ends, and the values as canonical JSON text,
//! one after the other. Reading an attribute as JSON is a slice, and reading all of them is a copy.
//!
//! ```text
//! format u8 | created f64 | updated f64 | expires_at f64 | last change in the history u64 u32 |
//! n u32 | n × (attribute and kind u32, end u32) | texts
//! ```
//!
//! Numbers are little endian, the place in the history apart; `expires_at` is infinite when the record does not expire.
//! Records of format 1, which lack the place, are read as well.

use super::catalog::AttributeId;
use super::error::StoreError;
use crate::value::{Object, Value, iso_text, parse_json, write_json};
use chrono::{DateTime, Utc};

const FORMAT: u8 = 2;
const OLD_FORMAT: u8 = 1;
/// The format and the times.
const TIMES: usize = 25;
/// Everything before the entries.
const HEAD: usize = TIMES + Place::LENGTH + 4;
const ENTRY: usize = 8;
const KIND_SHIFT: u32 = 29;

/// The id of the primary key's attribute, in every table.
pub const PRIMARY_KEY: AttributeId = AttributeId(0);

/// What a stored JSON text stands for when it is more than JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain JSON.
    Json,
    /// ISO text of a date.
    Date,
    /// Digits of a big integer.
    BigInt,
    /// JSON that holds buffers, which are bytes.
    Binary,
    /// An array whose texts are all dates (or null).
    Dates,
    /// An array whose numbers are all big integers (or null).
    BigInts,
}

impl Kind {
    pub(super) fn of(value: &Value) -> Kind {
        match value {
            Value::Date(_) => Kind::Date,
            Value::BigInt(_) => Kind::BigInt,
            Value::Bytes(_) => Kind::Binary,
            Value::Array(items) => {
                let only = |kind: fn(&Value) -> bool| {
                    items.iter().all(|item| item.is_null() || kind(item)) && items.iter().any(kind)
                };
                if only(|item| matches!(item, Value::Date(_))) {
                    Kind::Dates
                } else if only(|item| matches!(item, Value::BigInt(_))) {
                    Kind::BigInts
                } else if items.iter().any(holds_bytes) {
                    Kind::Binary
                } else {
                    Kind::Json
                }
            }
            Value::Object(_) if holds_bytes(value) => Kind::Binary,
            _ => Kind::Json,
        }
    }

    fn from_bits(bits: u32) -> Kind {
        match bits {
            1 => Kind::Date,
            2 => Kind::BigInt,
            3 => Kind::Binary,
            4 => Kind::Dates,
            5 => Kind::BigInts,
            _ => Kind::Json,
        }
    }
}

fn holds_bytes(value: &Value) -> bool {
    match value {
        Value::Bytes(_) => true,
        Value::Array(items) => items.iter().any(holds_bytes),
        Value::Object(members) => members.values().any(holds_bytes),
        _ => false,
    }
}

/// Where a change of a record lies in the history: in which entry, and how many bytes behind the entry's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) entry: u64,
    pub(super) offset: u32,
}

impl Place {
    /// How many bytes a place takes.
    pub(super) const LENGTH: usize = 12;
    /// No place: no entry has this number.
    pub(super) const NONE: Place = Place { entry: 0, offset: 0 };

    pub(super) fn to_bytes(self) -> [u8; Place::LENGTH] {
        let mut bytes = [0; Place::LENGTH];
        bytes[..8].copy_from_slice(&self.entry.to_be_bytes());
        bytes[8..].copy_from_slice(&self.offset.to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Place> {
        let (entry, rest) = bytes.split_first_chunk::<8>()?;
        let offset = rest.first_chunk::<4>()?;
        Some(Place { entry: u64::from_be_bytes(*entry), offset: u32::from_be_bytes(*offset) })
    }
}

/// When a record was first written, last written, and when it vanishes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Epoch milliseconds of the first write.
    pub created: f64,
    /// Epoch milliseconds of the last write.
    pub updated: f64,
    /// Epoch milliseconds from which on the record does not exist; infinite for never.
    pub expires_at: f64,
}

/// Encodes a record into `out` (cleared first). `attributes` gives the id of each member of `record`, in order; the
/// primary key is put in front when the record lacks it, and is `key` whatever the record says.
pub(super) fn encode(
    out: &mut Vec<u8>,
    times: Times,
    last_change: Place,
    attributes: &[AttributeId],
    key: &Value,
    record: &Object,
) {
    let lacks_key = !attributes.contains(&PRIMARY_KEY);
    let count = attributes.len() + usize::from(lacks_key);
    let texts = HEAD + count * ENTRY;
    out.clear();
    out.push(FORMAT);
    out.extend_from_slice(&times.created.to_le_bytes());
    out.extend_from_slice(&times.updated.to_le_bytes());
    out.extend_from_slice(&times.expires_at.to_le_bytes());
    out.extend_from_slice(&last_change.to_bytes());
    out.extend_from_slice(&(count as u32).to_le_bytes());
    out.resize(texts, 0);
    let mut entry = HEAD;
    let mut append = |out: &mut Vec<u8>, id: AttributeId, value: &Value| {
        write_json(out, value);
        let end = (out.len() - texts) as u32;
        let attribute = id.0 | (Kind::of(value) as u32) << KIND_SHIFT;
        out[entry..entry + 4].copy_from_slice(&attribute.to_le_bytes());
        out[entry + 4..entry + 8].copy_from_slice(&end.to_le_bytes());
        entry += ENTRY;
    };
    if lacks_key {
        append(out, PRIMARY_KEY, key);
    }
    for (id, value) in attributes.iter().zip(record.values()) {
        append(out, *id, if *id == PRIMARY_KEY { key } else { value });
    }
}

/// A stored record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'t> {
    times: &'t [u8; TIMES],
    last_change: &'t [u8],
    entries: &'t [[u8; ENTRY]],
    texts: &'t [u8],
    bytes: &'t [u8],
}

impl<'t> Record<'t> {
    /// Reads the head of an encoded record.
    pub(super) fn new(bytes: &'t [u8]) -> Result<Record<'t>, StoreError> {
        let corrupt = || StoreError::Corrupt("a record's head does not fit its length".to_owned());
        let (times, rest) = bytes.split_first_chunk::<TIMES>().ok_or_else(corrupt)?;
        let place = match times[0] {
            FORMAT => Place::LENGTH,
            OLD_FORMAT => 0,
            other => return Err(StoreError::Corrupt(format!("a record has the unknown format {other}"))),
        };
        let (last_change, rest) = rest.split_at_checked(place).ok_or_else(corrupt)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(corrupt)?;
        let count = u32::from_le_bytes(*count) as usize;
        let (entries, texts) = rest.split_at_checked(count.saturating_mul(ENTRY)).ok_or_else(corrupt)?;
        let (entries, _) = entries.as_chunks::<ENTRY>();
        Ok(Record { times, last_change, entries, texts, bytes })
    }

    /// The primary key.
    pub fn key(&self) -> Value {
        self.attribute(PRIMARY_KEY).map_or(Value::Null, |value| value.decode())
    }

    /// The stored value of one attribute; `None` when the record lacks it.
    pub fn attribute(&self, id: AttributeId) -> Option<RawValue<'t>> {
        let at = self.entries.iter().position(|entry| entry_attribute(entry) == id)?;
        Some(self.value(at))
    }

    /// As [`Record::attribute`], for readers of several attributes: looks first at the place `next`, which is left
    /// behind the one found. Attributes asked for in the record's own order are found at once.
    pub fn attribute_from(&self, next: &mut usize, id: AttributeId) -> Option<RawValue<'t>> {
        let is_wanted = |at: &usize| self.entries.get(*at).is_some_and(|entry| entry_attribute(entry) == id);
        let at = Some(*next).filter(is_wanted).or_else(|| (0..self.entries.len()).find(is_wanted))?;
        *next = at + 1;
        Some(self.value(at))
    }

    /// All attributes in the record's own order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (AttributeId, RawValue<'t>)> + use<'t> {
        let record = *self;
        (0..self.entries.len()).map(move |at| (entry_attribute(&record.entries[at]), record.value(at)))
    }

    /// Epoch milliseconds of the first write.
    pub fn created(&self) -> f64 {
        self.head_number(1)
    }

    /// Epoch milliseconds of the last write.
    pub fn updated(&self) -> f64 {
        self.head_number(9)
    }

    /// Epoch milliseconds from which on the record does not exist.
    pub fn expires_at(&self) -> Option<f64> {
        Some(self.head_number(17)).filter(|instant| instant.is_finite())
    }

    /// True when the record does not exist any more at `now`.
    pub fn is_expired(&self, now: f64) -> bool {
        self.head_number(17) <= now
    }

    /// The encoding of this record without one attribute.
    pub(super) fn without(&self, attribute: AttributeId) -> Vec<u8> {
        let kept = || (0..self.entries.len()).filter(|at| entry_attribute(&self.entries[*at]) != attribute);
        let mut out = Vec::with_capacity(self.bytes.len());
        self.append_head(&mut out, self.last_change());
        out.extend_from_slice(&(kept().count() as u32).to_le_bytes());
        let mut end = 0;
        for at in kept() {
            end += self.value(at).json.len() as u32;
            out.extend_from_slice(&self.entries[at][..4]);
            out.extend_from_slice(&end.to_le_bytes());
        }
        kept().for_each(|at| out.extend_from_slice(self.value(at).json));
        out
    }

    /// Where the record's last change lies in the history.
    pub(super) fn last_change(&self) -> Place {
        Place::from_bytes(self.last_change).unwrap_or(Place::NONE)
    }

    /// The encoding of this record with another place of its last change.
    pub(super) fn with_last_change(&self, place: Place) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + Place::LENGTH);
        self.append_head(&mut out, place);
        out.extend_from_slice(&self.bytes[TIMES + self.last_change.len()..]);
        out
    }

    fn append_head(&self, out: &mut Vec<u8>, last_change: Place) {
        out.push(FORMAT);
        out.extend_from_slice(&self.times[1..]);
        out.extend_from_slice(&last_change.to_bytes());
    }

    /// The whole encoding, for the history.
    pub(super) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }

    fn head_number(&self, at: usize) -> f64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.times[at..at + 8]);
        f64::from_le_bytes(bytes)
    }

    fn end(&self, at: usize) -> usize {
        let [.., a, b, c, d] = self.entries[at];
        u32::from_le_bytes([a, b, c, d]) as usize
    }

    fn value(&self, at: usize) -> RawValue<'t> {
        let start = if at == 0 { 0 } else { self.end(at - 1) };
        let [a, b, c, d, ..] = self.entries[at];
        let kind = Kind::from_bits(u32::from_le_bytes([a, b, c, d]) >> KIND_SHIFT);
        RawValue { json: self.texts.get(start..self.end(at)).unwrap_or(b"null"), kind }
    }
}

fn entry_attribute(entry: &[u8; ENTRY]) -> AttributeId {
    let [a, b, c, d, ..] = *entry;
    AttributeId(u32::from_le_bytes([a, b, c, d]) & !(u32::MAX << KIND_SHIFT))
}

/// A stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawValue<'t> {
    json: &'t [u8],
    kind: Kind,
}

impl<'t> RawValue<'t> {
    /// A text that stands for itself.
    pub(super) fn plain(json: &'t [u8]) -> RawValue<'t> {
        RawValue { json, kind: Kind::Json }
    }

    /// The canonical JSON text, ready to be put into an answer.
    pub fn json(&self) -> &'t [u8] {
        self.json
    }

    /// What the text stands for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value.
    pub fn decode(&self) -> Value {
        let plain = decode_json(self.json);
        match (self.kind, plain) {
            (Kind::Json, value) => value,
            (Kind::BigInt, _) => big_integer(self.json),
            (Kind::Date, value) => date(value),
            (Kind::Dates, Value::Array(items)) => Value::Array(items.into_iter().map(date).collect()),
            (Kind::BigInts, _) => big_integers(self.json),
            (Kind::Binary, value) => with_bytes(value),
            (Kind::Dates, value) => value,
        }
    }
}

/// Parses a stored text; the common scalars without the general parser.
fn decode_json(json: &[u8]) -> Value {
    match json {
        b"null" => return Value::Null,
        b"true" => return Value::Bool(true),
        b"false" => return Value::Bool(false),
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
            if let Ok(text) = std::str::from_utf8(text) {
                return Value::String(text.to_owned());
            }
        }
        [b'0'..=b'9' | b'-', ..] => {
            if let Some(number) = std::str::from_utf8(json).ok().and_then(|text| text.parse().ok()) {
                return Value::Number(number);
            }
        }
        _ => {}
    }
    parse_json(json).unwrap_or_default()
}

fn big_integer(json: &[u8]) -> Value {
    match json {
        b"null" => Value::Null,
        digits => Value::BigInt(String::from_utf8_lossy(digits).into_owned()),
    }
}

fn big_integers(json: &[u8]) -> Value {
    let inner = json.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(b"");
    Value::Array(inner.split(|byte| *byte == b',').map(big_integer).collect())
}

fn date(value: Value) -> Value {
    match &value {
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(moment) => Value::Date(moment.timestamp_millis() as f64),
            Err(_) => value,
        },
        _ => value,
    }
}

/// Turns `{"type":"Buffer","data":[…]}` back into bytes, at any depth.
fn with_bytes(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(with_bytes).collect()),
        Value::Object(members) => match buffer(&members) {
            Some(bytes) => Value::Bytes(bytes),
            None => Value::Object(members.into_iter().map(|(name, item)| (name, with_bytes(item))).collect()),
        },
        other => other,
    }
}

fn buffer(members: &Object) -> Option<Vec<u8>> {
    if members.len() != 2 || members.get("type")?.as_str()? != "Buffer" {
        return None;
    }
    let byte = |item: &Value| {
        item.as_number().filter(|n| n.fract() == 0.0 && (0.0..256.0).contains(n)).map(|n| n as u8)
    };
    members.get("data")?.as_array()?.iter().map(byte).collect()
}

/// The instant a date is stored with: whole milliseconds; `None` when it prints as `null`.
pub(super) fn stored_instant(instant: f64) -> Option<f64> {
    iso_text(instant).map(|_| instant.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::object;

    fn encoded(record: &Value) -> Vec<u8> {
        let members = record.as_object().cloned().unwrap_or_default();
        let ids: Vec<_> = (1..=members.len() as u32).map(AttributeId).collect();
        let times = Times { created: 1.5, updated: 2.5, expires_at: f64::INFINITY };
        let mut out = vec![9; 3];
        encode(&mut out, times, Place { entry: 7, offset: 9 }, &ids, &Value::from("k"), &members);
        out
    }

    #[test]
    fn values_come_back_as_they_were() {
        let dates = Value::Array(vec![Value::Date(0.0), Value::Null]);
        let record = object([
            ("text", Value::from("a\"b\nc")),
            ("plain", Value::from("é")),
            ("number", Value::Number(-1.5e300)),
            ("none", Value::Null),
            ("yes", Value::Bool(true)),
            ("date", Value::Date(-62_198_755_200_000.0)),
            ("far", Value::Date(8.0e15)),
            ("big", Value::BigInt("123456789012345678901234567890".into())),
            ("bigs", Value::Array(vec![Value::BigInt("12345678901234567890".into()), Value::Null])),
            ("dates", dates),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("nested", object([("b", Value::Array(vec![Value::Bytes(vec![]), Value::Number(1.0)]))])),
            ("like", object([("type", Value::from("Buffer")), ("data", Value::Array(vec![]))])),
        ]);
        let bytes = encoded(&record);
        let stored = Record::new(&bytes).unwrap();
        assert_eq!(stored.key(), Value::from("k"));
        assert_eq!((stored.created(), stored.updated(), stored.expires_at()), (1.5, 2.5, None));
        for (at, (name, value)) in record.as_object().unwrap().iter().enumerate() {
            let raw = stored.attribute(AttributeId(at as u32 + 1)).unwrap();
            assert_eq!(raw.json(), value.to_json().as_bytes());
            assert_eq!(&raw.decode(), value, "{name}");
        }
        let mut next = 0;
        for (id, value) in stored.attributes().chain(stored.attributes().take(3)) {
            assert_eq!(stored.attribute_from(&mut next, id), Some(value));
        }
        assert!(stored.attribute_from(&mut next, AttributeId(99)).is_none());
        assert_eq!(stored.attributes().len(), 14);
        assert!(stored.attribute(AttributeId(99)).is_none());
    }

    #[test]
    fn what_json_cannot_show_becomes_null() {
        let bytes = encoded(&object([
            ("a", Value::Number(f64::NAN)),
            ("b", Value::Date(f64::INFINITY)),
            ("c", Value::Number(f64::INFINITY)),
        ]));
        let stored = Record::new(&bytes).unwrap();
        for (id, value) in stored.attributes().skip(1) {
            assert_eq!(value.decode(), Value::Null, "{id:?}");
        }
    }

    #[test]
    fn places_in_the_history_are_kept_and_changed() {
        let bytes = encoded(&object([("a", Value::Null), ("b", Value::Bool(true))]));
        let stored = Record::new(&bytes).unwrap();
        assert_eq!(stored.last_change(), Place { entry: 7, offset: 9 });
        let shorter = stored.without(AttributeId(1));
        assert_eq!(Record::new(&shorter).unwrap().last_change(), stored.last_change());
        let moved = stored.with_last_change(Place { entry: 8, offset: 0 });
        assert_eq!(Record::new(&moved).unwrap().last_change(), Place { entry: 8, offset: 0 });
        // As the first format had it.
        let old = [&[OLD_FORMAT], &bytes[1..TIMES], &bytes[TIMES + Place::LENGTH..]].concat();
        let old = Record::new(&old).unwrap();
        assert_eq!(
            (old.last_change(), old.attribute(AttributeId(2))),
            (Place::NONE, stored.attribute(AttributeId(2)))
        );
        assert_eq!(old.with_last_change(stored.last_change()), bytes);
    }

    #[test]
    fn damaged_records_are_reported() {
        let mut bytes = encoded(&object([("a", Value::Null)]));
        assert!(Record::new(&bytes[..10]).is_err());
        bytes[HEAD - 4] = 200;
        assert!(Record::new(&bytes).is_err());
        bytes[0] = 7;
        assert!(Record::new(&bytes).is_err());
    }
}
