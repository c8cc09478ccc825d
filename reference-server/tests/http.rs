//! The server as its clients see it: bytes in, bytes out, on every kind of listener.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "http/answers.rs"]
mod answers;
#[path = "http/authority.rs"]
mod authority;
#[path = "http/framing.rs"]
mod framing;
#[path = "http/listeners.rs"]
mod listeners;
#[path = "http/ocsp.rs"]
mod ocsp;
#[path = "http/raw.rs"]
mod raw;
#[path = "http/requests.rs"]
mod requests;
#[path = "http/sessions.rs"]
mod sessions;
#[path = "http/tls.rs"]
mod tls;
#[path = "http/tokens.rs"]
mod tokens;

use raw::{Connection, Response};
use reference_server::config::Config;
use reference_server::http::Running;
use reference_server::server::Server;
use tempfile::TempDir;

/// `admin:password`, the super user of every instance here.
const ADMIN: &str = "Basic YWRtaW46cGFzc3dvcmQ=";

/// An instance on free ports, gone when dropped.
struct Instance {
    running: Option<Running>,
    folder: TempDir,
}

impl Instance {
    async fn start() -> Instance {
        Instance::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut Config)) -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        config.network.host = "127.0.0.1".to_owned();
        config.network.port = Some(0);
        config.admin_username = Some("admin".to_owned());
        config.admin_password = Some("password".to_owned());
        adjust(&mut config);
        config.no_sync = true;
        let server = Server::open(config).await.unwrap();
        let running = reference_server::http::start(server).await.unwrap();
        Instance { running: Some(running), folder }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    async fn connect(&self) -> Connection {
        Connection::tcp(self.running().plain.unwrap()).await
    }

    /// Sends bytes on a new connection and reads one answer.
    async fn exchange(&self, request: &[u8]) -> Response {
        let mut connection = self.connect().await;
        connection.send(request).await;
        connection.response().await
    }

    /// Sends an operation as the super user on a new connection.
    async fn operation(&self, body: &str) -> Response {
        self.exchange(&post(body, &[("Authorization", ADMIN)])).await
    }
}

/// The bytes of a POST of JSON with further headers.
fn post(body: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![("Host", "test"), ("Content-Type", "application/json")];
    all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    all.extend_from_slice(headers);
    let lines: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST / HTTP/1.1\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

const MUST_LOGIN: &str = r#"{"error":"Must login"}"#;
