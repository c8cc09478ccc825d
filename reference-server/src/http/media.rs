//! Media types: which a request may have, and which an answer gets.

use hyper::header::{ACCEPT, HeaderMap, HeaderValue};

/// The type of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestType {
    Json,
    Cbor,
    MessagePack,
}

impl RequestType {
    /// The type a `Content-Type` names; `None` when it is not one the server reads.
    pub(super) fn of(content_type: &[u8]) -> Option<RequestType> {
        const JSON: &[u8] = b"application/json";
        // Whatever begins with application/json passes as JSON.
        if content_type.get(..JSON.len()).is_some_and(|start| {
            start.eq_ignore_ascii_case(JSON) && (start == JSON || !fault!("json-case-matters"))
        }) {
            return Some(RequestType::Json);
        }
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/cbor") && !fault!("cbor-not-read") {
            Some(RequestType::Cbor)
        } else if essence.eq_ignore_ascii_case(b"application/x-msgpack") && !fault!("msgpack-not-read") {
            Some(RequestType::MessagePack)
        } else {
            None
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyType {
    Json,
    Cbor,
    MessagePack,
    EventStream,
    Yaml,
    PlainText,
    Csv,
    Form,
}

/// The types the server can answer with and how much it likes each, the commonest first.
const OFFERED: [(&str, f64, ReplyType); 9] = [
    ("application/json", 0.8, ReplyType::Json),
    ("*/*", 0.5, ReplyType::Json),
    ("application/cbor", 1.0, ReplyType::Cbor),
    ("application/x-msgpack", 0.9, ReplyType::MessagePack),
    ("text/csv", 0.1, ReplyType::Csv),
    ("text/yaml", 0.7, ReplyType::Yaml),
    ("text/event-stream", 0.8, ReplyType::EventStream),
    ("text/plain", 0.2, ReplyType::PlainText),
    ("application/x-www-form-urlencoded", 1.0, ReplyType::Form),
];

/// The body of a 406, whose content type has a charset unlike all others.
pub(super) const NOT_ACCEPTABLE: &str = concat!(
    r#"{"statusCode":406,"error":"Not Acceptable","message":"No supported content types found in Accept header, "#,
    r#"supported types include: application/json, application/cbor, application/x-msgpack, text/csv, text/plain, "#,
    r#"text/yaml, text/event-stream, application/x-www-form-urlencoded, */*, "}"#
);

impl ReplyType {
    /// The form a request asks for with `Accept`; `None` when it names nothing the server can make.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<ReplyType> {
        let mut listed = headers.get_all(ACCEPT).iter();
        let Some(first) = listed.next() else { return Some(ReplyType::Json) };
        let mut best = Best::default();
        let mut empty = true;
        for header in std::iter::once(first).chain(listed) {
            let Ok(header) = header.to_str() else {
                empty = false;
                continue;
            };
            if matches!(header, "*/*" | "application/json") {
                empty = false;
                best.offer(header, 1.0);
                continue;
            }
            for range in header.split(',') {
                let (name, quality) = split_range(range);
                empty &= name.is_empty();
                best.offer(name, quality);
            }
        }
        if empty && !fault!("empty-accept-refused") { Some(ReplyType::Json) } else { best.choice }
    }

    /// The `Content-Type` of answers in this form.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            ReplyType::Json => "application/json",
            ReplyType::Cbor => "application/cbor",
            ReplyType::MessagePack => "application/x-msgpack",
            ReplyType::EventStream => "text/event-stream",
            ReplyType::Yaml => "text/yaml",
            ReplyType::PlainText => "text/plain",
            ReplyType::Csv => "text/csv",
            ReplyType::Form => "application/x-www-form-urlencoded",
        })
    }
}

#[derive(Default)]
struct Best {
    score: f64,
    choice: Option<ReplyType>,
}

impl Best {
    /// Takes a listed type when it scores higher than all before it, so that the first of equals wins and quality 0
    /// never does.
    fn offer(&mut self, name: &str, quality: f64) {
        let offered = OFFERED.iter().find(|(offered, _, _)| {
            if fault!("accept-case-matters") { *offered == name } else { offered.eq_ignore_ascii_case(name) }
        });
        if let Some((_, preference, reply)) = offered
            && (preference * quality > self.score && !(fault!("accept-first-wins") && self.choice.is_some()))
        {
            self.score = preference * quality;
            self.choice = Some(*reply);
        }
    }
}

/// Splits `type/subtype; q=0.5; …` into name and quality; unreadable qualities count as 1.
fn split_range(range: &str) -> (&str, f64) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, quality)| quality.trim().parse::<f64>().ok())
        .filter(|quality| quality.is_finite());
    (name, quality.filter(|_| !fault!("quality-ignored")).unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Option<ReplyType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        ReplyType::negotiate(&headers)
    }

    #[test]
    fn absent_and_empty_headers_mean_json() {
        assert_eq!(ReplyType::negotiate(&HeaderMap::new()), Some(ReplyType::Json));
        assert_eq!(chosen(""), Some(ReplyType::Json));
    }

    #[test]
    fn quality_is_multiplied_by_the_servers_preference() {
        for (accept, reply) in [
            ("text/csv;q=0.9, application/json;q=0.2", ReplyType::Json),
            ("text/csv, */*", ReplyType::Json),
            ("application/json;q=0.1, text/csv", ReplyType::Csv),
            ("application/json, application/cbor", ReplyType::Cbor),
            ("application/cbor;q=0.5, application/json", ReplyType::Json),
            ("APPLICATION/JSON", ReplyType::Json),
            ("application/json;charset=utf-8 ; q=1", ReplyType::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", ReplyType::Json),
            ("application/json, text/plain, */*", ReplyType::Json),
            ("text/event-stream, application/json", ReplyType::EventStream),
            ("application/json, text/event-stream", ReplyType::Json),
            ("text/csv;q=soon", ReplyType::Csv),
        ] {
            assert_eq!(chosen(accept), Some(reply), "{accept}");
        }
    }

    #[test]
    fn partial_wildcards_and_strangers_match_nothing() {
        for accept in
            ["text/*", "application/*", "image/png", "application/msgpack", "application/json;q=0", ";"]
        {
            let expected = if accept == ";" { Some(ReplyType::Json) } else { None };
            assert_eq!(chosen(accept), expected, "{accept}");
        }
    }

    #[test]
    fn several_headers_count_as_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("image/png"));
        headers.append(ACCEPT, HeaderValue::from_static("text/csv"));
        assert_eq!(ReplyType::negotiate(&headers), Some(ReplyType::Csv));
    }

    #[test]
    fn request_types() {
        for (content_type, expected) in [
            ("application/json", Some(RequestType::Json)),
            ("Application/JSON;charset=UTF-8; x=y", Some(RequestType::Json)),
            ("application/json-patch+json", Some(RequestType::Json)),
            ("application/cbor", Some(RequestType::Cbor)),
            ("application/CBOR ; x=y", Some(RequestType::Cbor)),
            ("application/x-msgpack", Some(RequestType::MessagePack)),
            ("application/msgpack", None),
            ("application/vnd.api+json", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(RequestType::of(content_type.as_bytes()), expected, "{content_type}");
        }
    }
}
