//! The media types: request bodies to values, answers to bodies.
//!
//! Answers are made in one piece. What the API streams goes out without an announced length, and in the open-ended
//! forms of the binary types.

mod cbor;
mod csv;
mod form;
mod json;
mod msgpack;
mod numbers;
mod yaml;

use super::body::Body;
use super::media::{ReplyType, RequestType};
use crate::error::OperationError;
use crate::operations::{Reply, RowContent, Rows};
use crate::value::{Value, object, parse_json};
use bytes::Bytes;

/// Bodies longer than this are decoded off the threads that serve connections.
const LONG: usize = 256 * 1024;
/// Answers of more rows than this are encoded off those threads.
const MANY: usize = 1_000;

/// Decodes a request body.
pub(super) async fn decode(content: RequestType, bytes: Bytes) -> Result<Value, OperationError> {
    if content == RequestType::Json && bytes.is_empty() && !fault!("empty-bodies-are-malformed") {
        return Err(OperationError::invalid(
            "Body cannot be empty when content-type is set to 'application/json'",
        ));
    }
    let decoded = if bytes.len() > LONG {
        tokio::task::spawn_blocking(move || decode_now(content, &bytes))
            .await
            .map_err(OperationError::internal)?
    } else {
        decode_now(content, &bytes)
    };
    decoded.map_err(OperationError::invalid)
}

fn decode_now(content: RequestType, bytes: &[u8]) -> Result<Value, String> {
    match content {
        RequestType::Json => parse_json(bytes).map_err(|error| error.to_string()),
        RequestType::Cbor => cbor::decode(bytes),
        RequestType::MessagePack => msgpack::decode(bytes),
    }
}

/// Encodes an answer, off the threads that serve connections when it is large.
pub(super) async fn encode_any(form: ReplyType, reply: Reply) -> Result<Body, OperationError> {
    let many = match &reply {
        Reply::Rows(Rows { content: RowContent::Tree(rows), .. }) => rows.len() > MANY,
        Reply::Value(Value::Array(items)) => items.len() > MANY,
        _ => false,
    };
    if many {
        tokio::task::spawn_blocking(move || encode(form, reply)).await.map_err(OperationError::internal)
    } else {
        Ok(encode(form, reply))
    }
}

/// Encodes an answer. Files are not for this: they have no form.
pub(super) fn encode(form: ReplyType, reply: Reply) -> Body {
    match form {
        ReplyType::Json => json::encode(reply),
        ReplyType::EventStream => json::encode_event(reply),
        ReplyType::PlainText => json::encode(reply),
        ReplyType::Cbor => tree(reply, cbor::encode, Some(cbor::encode_streamed)),
        ReplyType::MessagePack => tree(reply, msgpack::encode, Some(msgpack::encode_streamed)),
        ReplyType::Yaml => tree(reply, yaml::encode, None),
        ReplyType::Csv => csv::encode(reply),
        ReplyType::Form => tree(reply, form::encode, None),
    }
}

/// How a type writes rows one by one.
type EncodeRows = fn(&[Value]) -> Vec<u8>;

/// Encodes an answer as a value; streamed rows in their own way, where the type has one.
fn tree(reply: Reply, whole: fn(&Value) -> Vec<u8>, open: Option<EncodeRows>) -> Body {
    let streamed = matches!(&reply, Reply::Rows(rows) if rows.streamed);
    let value = value_of(reply);
    match (&value, open) {
        (Value::Array(rows), Some(open)) if streamed && !fault!("msgpack-rows-in-an-array") => {
            Body::Streamed(open(rows).into())
        }
        _ if streamed => Body::Streamed(whole(&value).into()),
        _ => whole(&value).into(),
    }
}

/// The records of a search as values, even when they were made as text.
fn records(content: RowContent) -> Vec<Value> {
    match content {
        RowContent::Tree(rows) => rows,
        RowContent::Text(text) => match parse_json(&text) {
            Ok(Value::Array(rows)) => rows,
            _ => Vec::new(),
        },
    }
}

/// An answer as one value.
fn value_of(reply: Reply) -> Value {
    match reply {
        Reply::Message(text) | Reply::Session { message: text, .. } => {
            object([("message", Value::String(text))])
        }
        Reply::Value(value) => value,
        Reply::Rows(rows) => Value::Array(records(rows.content)),
        Reply::File { name, .. } => Value::String(name),
    }
}
