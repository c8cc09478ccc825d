//! application/json and text/event-stream. Rows that were made as text are sent as they are.

use super::super::body::Body;
use crate::operations::{Reply, RowContent, Rows};
use crate::value::{Value, write_json, write_json_string};

/// An answer as JSON text.
pub(super) fn encode(reply: Reply) -> Body {
    match reply {
        Reply::Rows(Rows { content, streamed: true, .. }) => Body::Streamed(rows_text(content).into()),
        other => text(other).into(),
    }
}

/// An answer as one server-sent event; JSON text has no line breaks, so one `data` line holds it.
pub(super) fn encode_event(reply: Reply) -> Body {
    let mut event = b"data: ".to_vec();
    event.extend(text(reply));
    event.extend_from_slice(b"\n\n");
    event.into()
}

fn text(reply: Reply) -> Vec<u8> {
    let mut out = Vec::new();
    match reply {
        Reply::Message(message) | Reply::Session { message, .. } => {
            out.reserve(message.len() + 16);
            out.extend_from_slice(b"{\"message\":");
            write_json_string(&mut out, &message);
            out.push(b'}');
        }
        Reply::Value(value) => write_json(&mut out, &value),
        Reply::Rows(rows) => out = rows_text(rows.content),
        Reply::File { name, .. } => write_json_string(&mut out, &name),
    }
    out
}

fn rows_text(content: RowContent) -> Vec<u8> {
    match content {
        RowContent::Text(text) => text,
        RowContent::Tree(rows) => {
            let mut out = Vec::with_capacity(64 * rows.len() + 2);
            write_json(&mut out, &Value::Array(rows));
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(body: Body) -> Vec<u8> {
        match body {
            Body::Whole(bytes) | Body::Streamed(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn messages_and_rows() {
        assert_eq!(bytes(encode(Reply::Message("it \"is\"".into()))), br#"{"message":"it \"is\""}"#);
        let rows = |content| Reply::Rows(Rows { content, columns: None, streamed: true });
        let body = encode(rows(RowContent::Text(b"[1]".to_vec())));
        assert!(matches!(body, Body::Streamed(_)));
        assert_eq!(bytes(body), b"[1]");
        assert_eq!(bytes(encode(rows(RowContent::Tree(vec![Value::Null])))), b"[null]");
        assert_eq!(bytes(encode_event(Reply::Value(Value::Bool(true)))), b"data: true\n\n");
    }
}
