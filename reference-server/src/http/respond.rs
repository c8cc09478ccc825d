//! From outcomes to responses: the body in the negotiated form, the status, the headers.

use super::body::Body;
use super::media::{NOT_ACCEPTABLE, ReplyType};
use super::{Site, codecs, errors, files};
use crate::error::{ErrorBody, OperationError};
use crate::operations::{Outcome, Reply};
use bytes::Bytes;
use hyper::header::{
    CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    SERVER,
};
use hyper::{Response, StatusCode, Version};
use std::time::Duration;

/// The media type of bodies of the form `{statusCode, error, message}`.
const JSON_IN_UTF8: &str = "application/json; charset=utf-8";

/// The answer to an operation in the form asked for; `None` as form replaces whatever came out by a 406.
pub(super) async fn operation(form: Option<ReplyType>, outcome: Outcome, gzip: bool) -> Response<Body> {
    let form = form.or(fault!("not-acceptable-is-json").then_some(ReplyType::Json));
    let Some(form) = form else { return not_acceptable() };
    match outcome {
        Ok(Reply::File { file, name }) => match files::body(file, gzip).await {
            Ok(body) => attachment(body, &name, gzip),
            Err(error) => self::error(form, &OperationError::internal(error)),
        },
        Ok(reply) => match codecs::encode_any(form, reply).await {
            Ok(body) if fault!("success-is-201") => typed(StatusCode::CREATED, form, body),
            Ok(body) => typed(StatusCode::OK, form, body),
            Err(error) => self::error(form, &error),
        },
        Err(error) => self::error(form, &error),
    }
}

/// An error in the form asked for.
pub(super) fn error(form: ReplyType, error: &OperationError) -> Response<Body> {
    let form = if fault!("errors-in-json-only") { ReplyType::Json } else { form };
    let body = codecs::encode(form, Reply::Value(error.to_value()));
    let mut response = typed(errors::status(error.kind), form, body);
    // Such bodies name their encoding (security.md 4, drop_role).
    if form == ReplyType::Json && matches!(error.body, ErrorBody::Whole(_)) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON_IN_UTF8));
    }
    response
}

/// Refused credentials: the body is JSON, but goes out without a content type.
pub(super) fn refused(error: &OperationError) -> Response<Body> {
    let mut response = bare(errors::status(error.kind), Body::from(error.to_value().to_json().into_bytes()));
    if fault!("browser-asked-for-login") {
        response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic"));
    }
    response
}

/// Something went wrong that has no error of its own.
pub(super) fn broken() -> Response<Body> {
    let error = OperationError::internal(anyhow::anyhow!("broken"));
    typed(
        StatusCode::INTERNAL_SERVER_ERROR,
        ReplyType::Json,
        codecs::encode(ReplyType::Json, Reply::Value(error.to_value())),
    )
}

/// A response without a content type.
pub(super) fn bare(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A response with a fixed text.
pub(super) fn text(status: StatusCode, content_type: &'static str, text: &'static str) -> Response<Body> {
    let mut response = bare(status, Body::Whole(Bytes::from_static(text.as_bytes())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON text.
pub(super) fn json(status: StatusCode, text: Bytes) -> Response<Body> {
    let mut response = bare(status, Body::Whole(text));
    response.headers_mut().insert(CONTENT_TYPE, ReplyType::Json.content_type());
    response
}

/// No such path, or not with this method: there is no 405.
pub(super) fn not_found() -> Response<Body> {
    if fault!("not-found-in-json") {
        return json(StatusCode::NOT_FOUND, Bytes::from_static(b"{\"error\":\"Not found\"}"));
    }
    bare(StatusCode::NOT_FOUND, Body::Whole(Bytes::from_static(b"Not found\n")))
}

fn not_acceptable() -> Response<Body> {
    text(StatusCode::NOT_ACCEPTABLE, JSON_IN_UTF8, NOT_ACCEPTABLE)
}

fn typed(status: StatusCode, form: ReplyType, body: Body) -> Response<Body> {
    let mut response = bare(status, body);
    let headers = response.headers_mut();
    // Room for everything that is usually sent, so that the map does not grow twice.
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, form.content_type());
    if fault!("json-with-charset") && form == ReplyType::Json {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON_IN_UTF8));
    }
    if form == ReplyType::Csv && !fault!("csv-not-attached") {
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"data.csv\""));
    }
    response
}

fn attachment(body: Body, name: &str, gzip: bool) -> Response<Body> {
    let mut response = bare(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // Quotes would end the name early, and bytes outside of printable ASCII are not for headers.
    let name: String = name
        .chars()
        .map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        && !fault!("backup-not-named")
    {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    if gzip && !fault!("backup-coding-not-told") {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Says how long the operation took.
pub(super) fn mark_duration(headers: &mut HeaderMap, taken: Duration) {
    let micros = taken.as_micros();
    let mut text = *b"db;dur=0000000000.000";
    let mut rest = micros.min(9_999_999_999_999);
    let mut at = text.len();
    while at > 7 {
        at -= 1;
        if text[at] != b'.' {
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    // Leading zeros go, but not the one before the point.
    let zeros = text[7..16].iter().take_while(|byte| **byte == b'0').count();
    text.copy_within(7 + zeros.., 7);
    if let Ok(value) = HeaderValue::from_bytes(&text[..text.len() - zeros])
        && !fault!("duration-not-told")
    {
        headers.insert(SERVER_TIMING, value);
    }
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The headers that every answer carries. `close` ends the connection after this answer.
pub(super) fn finish(
    site: &Site,
    version: Version,
    origin: Option<HeaderValue>,
    close: bool,
    response: &mut Response<Body>,
) {
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("HarperDB"));
    site.cors.mark(origin, headers);
    if version > Version::HTTP_11 {
        return;
    }
    if close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    } else {
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        if !fault!("keep-alive-not-told") {
            headers.insert(KEEP_ALIVE, site.keep_alive.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_milliseconds_with_three_digits() {
        for (micros, text) in [
            (0, "db;dur=0.000"),
            (1, "db;dur=0.001"),
            (12_345, "db;dur=12.345"),
            (98_765_432, "db;dur=98765.432"),
        ] {
            let mut headers = HeaderMap::new();
            mark_duration(&mut headers, Duration::from_micros(micros));
            assert_eq!(headers.get("server-timing").unwrap(), text);
        }
    }
}
