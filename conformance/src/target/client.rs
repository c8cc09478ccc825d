//! The ordinary client: pooled connections, TLS, unix sockets.

use super::{
    ANSWER_TIMEOUT, Answer, CONNECT_TIMEOUT, Exchange, Fault, Place, Raw, Reach, Request, Target, TargetError,
};
use std::error::Error as _;
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
    let mut builder = client.request(method, url).body(request.body.clone());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let response = builder.send().await.map_err(|error| fault(&error))?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = response.bytes().await.map_err(|error| fault(&error))?;
    Ok(Raw { status, headers, body })
}

/// The innermost cause says most.
fn fault(error: &reqwest::Error) -> Fault {
    if error.is_timeout() && !error.is_connect() {
        return Fault::Timeout(ANSWER_TIMEOUT.as_secs());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() { Fault::Connect(text) } else { Fault::Broken(text) }
}
