//! Where requests go and as whom.

use crate::client::Connection;
use anyhow::{Context, bail, ensure};
use base64::Engine;
use serde_json::Value;
use std::time::Duration;

/// How long one request of the preparation may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An endpoint with credentials.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host and port.
    pub authority: String,
    authorization: String,
}

impl Endpoint {
    /// The endpoint behind a URL; `user` is `name:password`.
    ///
    /// # Errors
    /// When the URL is not of the form `http://host:port`.
    pub fn new(url: &str, user: &str) -> anyhow::Result<Endpoint> {
        let rest = match url.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => bail!("{url}: only http is measured, not {scheme}"),
            None => url,
        };
        let authority = rest.split('/').next().unwrap_or_default();
        ensure!(authority.contains(':'), "{url}: a port is missing");
        ensure!(user.contains(':'), "credentials are to be given as user:password");
        let encoded = base64::engine::general_purpose::STANDARD.encode(user);
        Ok(Endpoint { authority: authority.to_owned(), authorization: format!("Basic {encoded}") })
    }

    /// A whole request with a JSON body, ready to be sent.
    pub fn request(&self, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.authority,
            self.authorization,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.authority)
            .await
            .with_context(|| format!("cannot connect to {}", self.authority))
    }

    /// Sends one operation and returns the status and the body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        connection: &mut Connection,
        operation: &Value,
    ) -> anyhow::Result<(u16, Vec<u8>)> {
        let request = self.request(operation.to_string().as_bytes());
        let answer = tokio::time::timeout(PATIENCE, connection.exchange(&request)).await;
        let answer = answer.context("no answer in time")?.context("the connection broke")?;
        Ok((answer.status, answer.body.to_vec()))
    }

    /// Sends one operation that must succeed; the body is JSON.
    ///
    /// # Errors
    /// When the answer is not a 200.
    pub async fn call(&self, connection: &mut Connection, operation: &Value) -> anyhow::Result<Value> {
        let (status, body) = self.send(connection, operation).await?;
        let shown = || shorten(&String::from_utf8_lossy(&body), 300);
        ensure!(status == 200, "{} answered {status}: {}", operation["operation"], shown());
        serde_json::from_slice(&body).with_context(|| format!("not JSON: {}", shown()))
    }
}

/// The beginning of a text.
pub fn shorten(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let endpoint = Endpoint::new("http://localhost:9925/", "a:b").unwrap();
        assert_eq!(endpoint.authority, "localhost:9925");
        assert!(
            String::from_utf8(endpoint.request(b"{}")).unwrap().contains("authorization: Basic YTpi\r\n")
        );
        assert!(Endpoint::new("https://localhost:9925", "a:b").is_err());
        assert!(Endpoint::new("http://localhost", "a:b").is_err());
    }
}
