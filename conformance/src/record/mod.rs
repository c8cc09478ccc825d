//! A proxy that passes a client's traffic on to a target and keeps it, to be made into a scenario.

mod rules;
mod story;
mod values;

pub use story::{Recorded, scenario};

use crate::listener::Listener;
use crate::target::{Answer, Request, Target};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, PoisonError};

/// One request of the client and what the target answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub answer: Answer,
}

/// Passes traffic on and keeps it, until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    listener: Listener,
    kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept {
    target: Target,
    /// In the order of the requests; a request without an answer yet has none.
    seen: Mutex<Vec<Option<Seen>>>,
}

impl Recorder {
    /// Listens for clients of a target.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(target: Target, at: SocketAddrV4) -> std::io::Result<Recorder> {
        let kept = Arc::new(Kept { target, seen: Mutex::default() });
        let shared = Arc::clone(&kept);
        let service = hyper::service::service_fn(move |request| {
            let kept = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(kept.pass_on(request).await) }
        });
        let listener = Listener::start((*at.ip(), at.port()), service).await?;
        Ok(Recorder { listener, kept })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// What was seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.kept.lock().iter().flatten().cloned().collect()
    }

    /// How many requests came so far.
    pub fn count(&self) -> usize {
        self.kept.lock().len()
    }
}

/// Headers that belong to a connection rather than to a message.
const OF_CONNECTIONS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

impl Kept {
    async fn pass_on(&self, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
        let place = {
            let mut seen = self.lock();
            seen.push(None);
            seen.len() - 1
        };
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return refusal("the request could not be read");
        };
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().filter(|(name, _)| !OF_CONNECTIONS.contains(&name.as_str()));
        let request = Request {
            method: head.method.to_string(),
            path: head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: body.to_bytes().to_vec(),
            wire: None,
        };
        match self.target.send_raw(&request).await {
            Ok(raw) => {
                let answer = Answer::new(raw.status, raw.headers.clone(), &raw.body);
                if let Some(kept) = self.lock().get_mut(place) {
                    *kept = Some(Seen { request, answer });
                }
                response(raw.status, &raw.headers, raw.body)
            }
            Err(fault) => refusal(&format!("the target does not answer: {fault}")),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<Seen>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn response(status: u16, headers: &[(String, String)], body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in headers.iter().filter(|(name, _)| !OF_CONNECTIONS.contains(&name.as_str())) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn refusal(text: &str) -> Response<Full<Bytes>> {
    let kind = [("content-type".to_owned(), "application/json".to_owned())];
    response(502, &kind, Bytes::from(json!({"error": text}).to_string()))
}
