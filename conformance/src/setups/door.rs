//! A secure port as its clients meet it: every request is a connection of its own, with a name asked for, a certificate
//! shown, and the certificate that the server shows.

use super::authority::Signed;
use super::inept;
use crate::laws::{Fault, Refusal, blocked};
use crate::target::{ANSWER_TIMEOUT, Answer, Exchange, Raw, Request, cause};
use reqwest::{Client, Identity, Url};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Instant;

/// A secure port.
pub(super) struct Door {
    address: SocketAddr,
}

/// How somebody knocks.
#[derive(Clone, Copy, Default)]
pub(super) struct Knock<'a> {
    /// The name of the server that is asked for.
    pub(super) name: Option<&'a str>,
    /// The certificate that is shown.
    pub(super) showing: Option<&'a Signed>,
    /// The `Authorization` header.
    pub(super) saying: Option<&'a str>,
}

/// What came of it.
pub(super) struct Heard {
    pub(super) exchange: Exchange,
    pub(super) answer: Answer,
    /// The certificate that the server showed.
    pub(super) shown: Vec<u8>,
}

impl Door {
    /// The one at an address such as `https://127.0.0.1:9925`.
    pub(super) async fn of(url: &str) -> Result<Door, Refusal> {
        let url = Url::parse(url).map_err(inept)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let mut found =
            tokio::net::lookup_host((host, port)).await.map_err(|error| blocked(error.to_string()))?;
        let address = found.next().ok_or_else(|| blocked(format!("{host} has no address")))?;
        Ok(Door { address })
    }

    /// Asks for something. An error says why no answer came.
    pub(super) async fn ask(&self, knock: Knock<'_>, body: &Value) -> Result<Result<Heard, String>, Refusal> {
        let mut builder = Client::builder()
            .http1_only()
            .no_proxy()
            .timeout(ANSWER_TIMEOUT)
            .danger_accept_invalid_certs(true)
            .tls_info(true);
        if let Some(name) = knock.name {
            builder = builder.resolve(name, self.address);
        }
        if let Some(Signed { pem, key, .. }) = knock.showing {
            builder = builder.identity(Identity::from_pem(format!("{pem}{key}").as_bytes()).map_err(inept)?);
        }
        let url = match knock.name {
            Some(name) => format!("https://{name}:{}/", self.address.port()),
            None => format!("https://{}/", self.address),
        };
        let request = Request::operation(body, knock.saying.map(str::to_owned));
        let asked = request.fill(builder.build().map_err(inept)?.post(url));
        let started = Instant::now();
        Ok(hear(asked, request, started).await.map_err(|error| cause(&error)))
    }
}

async fn hear(asked: reqwest::RequestBuilder, request: Request, started: Instant) -> reqwest::Result<Heard> {
    let response = asked.send().await?;
    let shown = response
        .extensions()
        .get::<reqwest::tls::TlsInfo>()
        .and_then(|info| info.peer_certificate())
        .map(<[u8]>::to_vec)
        .unwrap_or_default();
    let Raw { status, headers, body } = Raw::of(response).await?;
    let answer = Answer::new(status, headers, &body);
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    Ok(Heard {
        exchange: Exchange { request, answer: Some(answer.clone()), fault: None, millis },
        answer,
        shown,
    })
}

/// A fault unless what came is right.
pub(super) fn unless(right: impl FnOnce(&Answer) -> bool, who: &str, heard: Result<Heard, String>) -> Fault {
    match heard {
        Ok(heard) if right(&heard.answer) => None,
        Ok(heard) => Some((format!("{who} was answered {}", heard.answer.status), Some(heard.exchange))),
        Err(reason) => Some((format!("{who} got no answer: {reason}"), None)),
    }
}
