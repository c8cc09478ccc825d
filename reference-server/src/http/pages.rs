//! What there is besides the operations: the health check, a page for browsers, the OpenAPI document, preflights.

use super::body::Body;
use super::credentials::Standing;
use super::media::ReplyType;
use super::{Site, respond};
use crate::access::User;
use crate::access::refusal::Refusal;
use crate::error::OperationError;
use bytes::Bytes;
use hyper::header::{HeaderMap, ORIGIN};
use hyper::{Method, Response, StatusCode};
use std::sync::OnceLock;

/// A page that can be asked for with GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Health,
    Home,
    OpenApi,
}

impl Page {
    /// The page at a path.
    pub(super) fn of(method: &Method, path: &str) -> Option<Page> {
        match (method, path) {
            (&Method::GET | &Method::HEAD, "/health") => Some(Page::Health),
            (&Method::GET, "/") => Some(Page::Home),
            (&Method::GET, "/api/openapi/rest") => Some(Page::OpenApi),
            _ => None,
        }
    }

    pub(super) fn show(self, standing: Standing) -> Response<Body> {
        match self {
            Page::Health => respond::text(
                StatusCode::OK,
                "text/plain; charset=utf-8",
                if fault!("health-says-ok") { "OK" } else { "HarperDB is running." },
            ),
            Page::Home => respond::text(StatusCode::OK, "text/html; charset=utf-8", HOME),
            Page::OpenApi => match open_api(standing) {
                Ok(response) => response,
                Err(error) => respond::error(ReplyType::Json, &error),
            },
        }
    }
}

const HOME: &str = r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Operations API reference server</title></head>
<body>
<h1>The server is running</h1>
<p>This is a reference server of the Operations API. Send operations as JSON with <code>POST /</code>;
<a href="/health">/health</a> answers without credentials, <a href="/api/openapi/rest">/api/openapi/rest</a>
describes the operations to super users.</p>
</body>
</html>
"#;

fn open_api(standing: Standing) -> Result<Response<Body>, OperationError> {
    let caller = standing.require()?;
    if !caller.user.as_deref().is_some_and(User::is_super_user) && !fault!("openapi-for-everybody") {
        let refusal = Refusal::default().words("The OpenAPI document is restricted to 'super_user' roles");
        return Err(refusal.into_error());
    }
    Ok(respond::json(StatusCode::OK, document()))
}

/// The text of the document, which is made when it is first asked for.
fn document() -> Bytes {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    DOCUMENT.get_or_init(|| spec::export::openapi::document().to_string().into()).clone()
}

/// The answer to OPTIONS on any path, whoever asks.
pub(super) fn preflight(site: &Site, headers: &HeaderMap) -> Response<Body> {
    if !headers.contains_key(ORIGIN) && !fault!("preflight-needs-no-origin") {
        return respond::text(StatusCode::BAD_REQUEST, "text/plain", "Invalid Preflight Request");
    }
    if site.cors.allowed_origin(headers).is_none() {
        return respond::not_found();
    }
    let mut response = respond::bare(StatusCode::OK, Body::Empty);
    site.cors.mark_preflight(response.headers_mut());
    response
}
