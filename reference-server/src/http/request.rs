//! One request from its head to its answer. The order of the checks, which is behaviour, is written down here only.

use super::body::{self, Body, Fault};
use super::credentials::{self, Standing};
use super::enduring::Enduring;
use super::media::{ReplyType, RequestType};
use super::{Peer, Site, codecs, cookies, errors, pages, respond};
use crate::access::Caller;
use crate::analytics::meters::Sample;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Outcome, Reply, ReplyForm};
use crate::value::{Object, Value, number_text};
use futures_util::FutureExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderValue,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The most bytes a request's line and headers may have together.
const HEAD_LIMIT: usize = 16 * 1024;

/// Answers one request; a panic becomes a 500 and the connection lives on.
///
/// `closing` tells, once the answer is known, whether the connection is to end with it.
pub(super) async fn answer(
    site: &Site,
    peer: &Peer,
    request: Request<Incoming>,
    closing: &AtomicBool,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let origin = site.cors.allowed_origin(&head.headers).cloned();
    let mut close = head.version < Version::HTTP_11 || asks_to_close(&head.headers);
    let handled = AssertUnwindSafe(route(site, peer, &head, body, &mut close)).catch_unwind().await;
    let mut response = handled.unwrap_or_else(|_| {
        tracing::error!(path = head.uri.path(), "the handling of a request panicked");
        respond::broken()
    });
    close |= closing.load(Ordering::Relaxed);
    respond::finish(site, head.version, origin, close, &mut response);
    response
}

/// Steps 1 and 2: path and method, then credentials that can be refused at once.
async fn route(site: &Site, peer: &Peer, head: &Parts, body: Incoming, close: &mut bool) -> Response<Body> {
    if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) && !fault!("host-not-needed") {
        *close = true;
        return respond::bare(StatusCode::BAD_REQUEST, Body::Empty);
    }
    if head_size(head) > HEAD_LIMIT && !fault!("long-heads-taken") {
        *close = true;
        return respond::bare(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Body::Empty);
    }
    let path = head.uri.path();
    if head.method == Method::POST && (path == "/" || fault!("any-path-operates")) {
        return match credentials::judge(site, peer, head).await {
            Standing::Refused(error) => {
                spare(site, head, body, close).await;
                respond::refused(&error)
            }
            standing => operate(site, peer, head, standing, body, close).await,
        };
    }
    let response = if head.method == Method::OPTIONS && site.cors.enabled() {
        pages::preflight(site, &head.headers)
    } else {
        match pages::Page::of(&head.method, path) {
            None => respond::not_found(),
            Some(page) => match credentials::judge(site, peer, head).await {
                Standing::Refused(error) => respond::refused(&error),
                standing => page.show(standing),
            },
        }
    };
    spare(site, head, body, close).await;
    response
}

/// Gets rid of a body that nobody wants.
async fn spare(site: &Site, head: &Parts, body: Incoming, close: &mut bool) {
    let discarding = body::discard(body, head.headers.contains_key(EXPECT));
    *close |=
        !tokio::time::timeout(site.server.config.network.headers_timeout, discarding).await.unwrap_or(false);
}

/// Steps 3 to 8: an operation.
async fn operate(
    site: &Site,
    peer: &Peer,
    head: &Parts,
    standing: Standing,
    body: Incoming,
    close: &mut bool,
) -> Response<Body> {
    let form = ReplyType::negotiate(&head.headers);
    let mut taken = Duration::ZERO;
    let received = body.size_hint().lower();
    let mut asked = None;
    let outcome = match take(site, head, body, close).await {
        Ok(request) => {
            let name = request.get("operation").and_then(Value::as_str);
            asked = name.and_then(|name| spec::registry().index_of(name));
            let started = Instant::now();
            let outcome = perform(site, standing, request, form, close).await;
            taken = started.elapsed();
            outcome
        }
        Err(error) => Err(error),
    };
    let gzip = head.headers.get(ACCEPT_ENCODING).is_some_and(|accepted| mentions(accepted, b"gzip"));
    let (outcome, session) = match outcome {
        Ok(Reply::Session { id, message }) => (Ok(Reply::Message(message)), Some(id)),
        outcome => (outcome, None),
    };
    let mut response = respond::operation(form, outcome, gzip).await;
    if let Some(id) = session {
        let settings = &site.server.config.authentication;
        cookies::set(head, peer, settings, &id, response.headers_mut());
    }
    respond::mark_duration(response.headers_mut(), taken);
    if let Some(asked) = asked {
        let (status, sent) = (response.status().as_u16(), response.body().size_hint().lower());
        site.server.meters.count(asked, Sample { status, taken, received, sent });
    }
    response
}

/// Steps 3 to 5: the size of the body, its type, its decoding, the presence of an operation.
async fn take(site: &Site, head: &Parts, body: Incoming, close: &mut bool) -> Result<Object, OperationError> {
    if body.size_hint().lower() > body::LIMIT {
        *close = true;
        if fault!("size-not-limited") {
            return Err(invalid_json());
        }
        return Err(too_large());
    }
    let content_type = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let lenient = fault!("media-type-not-looked-at").then_some(RequestType::Json);
    let Some(request_type) = RequestType::of(content_type).or(lenient) else {
        let empty = content_type.is_empty() && body.is_end_stream();
        spare(site, head, body, close).await;
        return Err(if empty { invalid_json() } else { unsupported(content_type) });
    };
    if head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        spare(site, head, body, close).await;
        return Err(OperationError::invalid("Request body size did not match Content-Length"));
    }
    let received = body::patiently(site.server.config.network.timeout, body::collect(body)).await;
    let bytes = match received {
        Ok(Ok(bytes)) => bytes,
        fault => {
            *close = true;
            return Err(match fault {
                Ok(Err(Fault::TooLarge)) => too_large(),
                Ok(_) => OperationError::invalid("The request body could not be read"),
                Err(body::Slow) => OperationError::invalid("The request body took too long to arrive"),
            });
        }
    };
    match codecs::decode(request_type, bytes).await? {
        Value::Object(members) if members.is_empty() => Err(invalid_json()),
        Value::Object(members)
            if members
                .get("operation")
                .is_some_and(|operation| !operation.is_null() || fault!("null-operation-unknown")) =>
        {
            Ok(members)
        }
        Value::Object(_) => Err(without_operation()),
        Value::Array(items) if !items.is_empty() && !fault!("arrays-are-invalid-json") => {
            Err(without_operation())
        }
        _ => Err(invalid_json()),
    }
}

/// Steps 6 and 7: who asks, then the operation itself.
async fn perform(
    site: &Site,
    standing: Standing,
    mut request: Object,
    form: Option<ReplyType>,
    close: &mut bool,
) -> Outcome {
    let name = request.get("operation").and_then(Value::as_str);
    let operation = name.and_then(|name| spec::registry().operation(name));
    let restarts =
        name.is_some_and(|name| name.starts_with("restart") && !fault!("restart-keeps-connection"));
    let unknown_first = fault!("unknown-before-login") && operation.is_none();
    let caller =
        if unknown_first { Caller::default() } else { standing.caller_of(operation, &mut request)? };
    let Some(operation) = operation else {
        let shown = request.get("operation").map(javascript_text).unwrap_or_default();
        return Err(OperationError::invalid(format!("Operation '{shown}' not found")));
    };
    *close |= restarts;
    let form = match form {
        None | Some(ReplyType::Json | ReplyType::EventStream | ReplyType::PlainText) => ReplyForm::Text,
        Some(_) => ReplyForm::Tree,
    };
    let outcome = if operation.mutates {
        run_to_the_end(site, caller, request, form).await
    } else {
        run(site, caller, request, form).await
    };
    outcome.inspect_err(|error| errors::log_cause(&operation.name, error))
}

/// Runs an operation that changes nothing: it ends with the connection or when it takes too long.
async fn run(site: &Site, caller: Caller, request: Object, form: ReplyForm) -> Outcome {
    let answer = site.server.answer(caller, Value::Object(request), form);
    limited(site.server.config.network.timeout, answer).await
}

/// Runs an operation that changes something: once begun it goes on, whatever becomes of the connection.
async fn run_to_the_end(site: &Site, caller: Caller, request: Object, form: ReplyForm) -> Outcome {
    let server = site.server.clone();
    let answer = Enduring::new(async move { server.answer(caller, Value::Object(request), form).await });
    limited(site.server.config.network.timeout, answer).await
}

async fn limited(limit: Duration, answer: impl Future<Output = Outcome>) -> Outcome {
    let too_slow = |_| Err(OperationError::fault("The operation took longer than the server allows"));
    tokio::time::timeout(limit, answer).await.unwrap_or_else(too_slow)
}

fn too_large() -> OperationError {
    OperationError::new(ErrorKind::TooLarge, "Request body is too large")
}

fn invalid_json() -> OperationError {
    OperationError::invalid("Invalid JSON.")
}

fn without_operation() -> OperationError {
    OperationError::invalid("Request body must include an 'operation' property.")
}

fn unsupported(content_type: &[u8]) -> OperationError {
    let shown = if content_type.is_empty() { "undefined".into() } else { latin1(content_type) };
    OperationError::new(ErrorKind::UnsupportedMedia, format!("Unsupported Media Type: {shown}"))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// A value as JavaScript puts it into a text.
fn javascript_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(*number),
        Value::Array(items) => items
            .iter()
            .map(|item| if item.is_null() { String::new() } else { javascript_text(item) })
            .collect::<Vec<_>>()
            .join(","),
        Value::Object(_) => "[object Object]".to_owned(),
        other => other.to_json(),
    }
}

fn asks_to_close(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    })
}

fn mentions(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// About the number of bytes the request's line and headers took.
fn head_size(head: &Parts) -> usize {
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = head.uri.path().len() + head.uri.query().map_or(0, str::len);
    fields + target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_texts() {
        let list = Value::Array(vec![Value::from("a"), Value::Null, Value::Number(1.0)]);
        assert_eq!(javascript_text(&list), "a,,1");
        assert_eq!(javascript_text(&Value::Bool(true)), "true");
        assert_eq!(javascript_text(&Value::Object(Object::new())), "[object Object]");
    }

    #[test]
    fn connection_options() {
        let asks = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONNECTION, HeaderValue::from_static(value));
            asks_to_close(&headers)
        };
        assert!(asks("close") && asks("Keep-Alive, Close"));
        assert!(!asks("keep-alive") && !asks("closer"));
    }
}
