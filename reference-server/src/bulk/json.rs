//! From a JSON text, which must be one array of objects, to records.

use super::Sink;
use super::csv::json_like;
use crate::error::OperationError;
use crate::value::{Object, Value, from_deserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

/// How much is read at a time.
const BUFFER: usize = 256 << 10;

const NO_ARRAY: &str = "Top-level object should be an array.";

/// Gives the records of a JSON text to a sink. Strings that are JSON objects or arrays are read as such, however deep
/// they are.
///
/// # Errors
/// Text that is no array of objects, what the sink refuses, and what comes of reading.
pub(super) fn read(source: impl Read, sink: &mut dyn Sink) -> Result<(), OperationError> {
    let mut refused = None;
    let mut parser = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, source));
    parser.disable_recursion_limit();
    let read = parser.deserialize_any(Records { sink, refused: &mut refused }).and_then(|()| parser.end());
    match (refused, read) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            let text = error.to_string();
            Err(OperationError::invalid(if text.starts_with(NO_ARRAY) { NO_ARRAY.to_owned() } else { text }))
        }
    }
}

/// Visits the array.
struct Records<'s> {
    sink: &'s mut dyn Sink,
    /// What the sink has refused; the error that ends the parsing says nothing of it.
    refused: &'s mut Option<OperationError>,
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element_seed(Item)? {
            let Value::Object(record) = with_json_read(item) else {
                return Err(A::Error::custom("Every member of the array should be an object."));
            };
            let size = about_size(&record);
            if let Err(refusal) = self.sink.record(record, size) {
                *self.refused = Some(refusal);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(NO_ARRAY))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(E::custom(NO_ARRAY))
    }
}

struct Item;

impl<'de> DeserializeSeed<'de> for Item {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        from_deserializer(source)
    }
}

fn with_json_read(value: Value) -> Value {
    match value {
        Value::String(text) => match json_like(&text).filter(|_| !fault!("import-json-not-read")) {
            Some(read) => with_json_read(read),
            None => Value::String(text),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(with_json_read).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, with_json_read(value))).collect())
        }
        other => other,
    }
}

/// About how many bytes a record's text has.
fn about_size(record: &Object) -> usize {
    record.iter().map(|(name, value)| name.len() + 4 + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| value_size(item) + 1).sum(),
        Value::Object(members) => about_size(members),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Kept(Vec<String>);

    impl Sink for Kept {
        fn columns(&mut self, _: &[String]) -> Result<(), OperationError> {
            Ok(())
        }

        fn record(&mut self, record: Object, _: usize) -> Result<(), OperationError> {
            if record.contains_key("bad") {
                return Err(OperationError::invalid("refused by the sink"));
            }
            self.0.push(Value::Object(record).to_json());
            Ok(())
        }
    }

    fn records(text: &str) -> Result<Vec<String>, String> {
        let mut kept = Kept::default();
        read(text.as_bytes(), &mut kept).map_err(|error| error.message)?;
        Ok(kept.0)
    }

    #[test]
    fn an_array_of_objects_is_read_one_by_one() {
        let text = r#"[{"id":"p1","n":"12","t":"{\"k\":[\"[1]\"]}","x":"[oops"}, {"id":2}]"#;
        assert_eq!(
            records(text).unwrap(),
            [r#"{"id":"p1","n":"12","t":{"k":[[1]]},"x":"[oops"}"#, r#"{"id":2}"#]
        );
        assert_eq!(records("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [r#"{"id":1}"#, "7", "-1", "1.5", "\"x\"", "null", "true"] {
            assert_eq!(records(text), Err(NO_ARRAY.to_owned()), "{text}");
        }
        assert!(records(r#"[{"id":1},"#).is_err() && records("").is_err() && records("[1]").is_err());
        assert!(records(r#"[{"id":1}] x"#).is_err());
        assert_eq!(records(r#"[{"bad":1}]"#), Err("refused by the sink".to_owned()));
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(records(&deep).is_err());
    }
}
