//! The ordinary client: pooled connections, TLS, unix sockets.

use super::{
    ANSWER_TIMEOUT, Answer, CONNECT_TIMEOUT, Exchange, Fault, Place, Raw, Reach, Request, Target, TargetError,
};
use std::time::Instant;

pub(super) fn build(place: &Place, reach: Reach, http2: bool) -> Result<reqwest::Client, TargetError> {
    // A second run in the same process finds the provider installed already; that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder();
    let mut builder = if http2 { builder.http2_prior_knowledge() } else { builder.http1_only() }
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .danger_accept_invalid_certs(reach.insecure);
    if let Place::Unix(path) = place {
        builder = builder.unix_socket(path.clone());
    }
    builder.build().map_err(|error| TargetError::Client(error.to_string()))
}

fn base(place: &Place) -> String {
    match place {
        Place::Tcp { tls, host, port } => {
            format!("{}://{host}:{port}", if *tls { "https" } else { "http" })
        }
        Place::Unix(_) => "http://localhost".to_owned(),
    }
}

pub(super) async fn send(target: &Target, client: &reqwest::Client, request: Request) -> Exchange {
    let started = Instant::now();
    let outcome = attempt(target, client, &request).await;
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    match outcome {
        Ok(answer) => Exchange { request, answer: Some(answer), fault: None, millis },
        Err(fault) => Exchange { request, answer: None, fault: Some(fault), millis },
    }
}

async fn attempt(target: &Target, client: &reqwest::Client, request: &Request) -> Result<Answer, Fault> {
    let Raw { status, headers, body } = raw(target, client, request).await?;
    Ok(Answer::new(status, headers, &body))
}

/// Sends a request and leaves the answer's body as it is.
pub(super) async fn raw(target: &Target, client: &reqwest::Client, request: &Request) -> Result<Raw, Fault> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|error| Fault::Malformed(error.to_string()))?;
    let url = format!("{}{}", base(&target.place), request.path);
    let response = request.fill(client.request(method, url)).send().await.map_err(|error| fault(&error))?;
    Raw::of(response).await.map_err(|error| fault(&error))
}

impl Request {
    /// Puts the headers and the body into a request that a client makes.
    pub(crate) fn fill(&self, builder: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let builder = builder.body(self.body.clone());
        self.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value))
    }
}

impl Raw {
    /// Waits for the rest of an answer.
    pub(crate) async fn of(response: reqwest::Response) -> reqwest::Result<Raw> {
        let status = response.status().as_u16();
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
        Ok(Raw { status, headers, body: response.bytes().await? })
    }
}

fn fault(error: &reqwest::Error) -> Fault {
    if error.is_timeout() && !error.is_connect() {
        return Fault::Timeout(ANSWER_TIMEOUT.as_secs());
    }
    let text = cause(error);
    if error.is_connect() { Fault::Connect(text) } else { Fault::Broken(text) }
}

/// The innermost cause says most.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
