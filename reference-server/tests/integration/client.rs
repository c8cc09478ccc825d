//! A client of an instance of its own.

use reference_server::TestServer;
use reference_server::config::Config;
use serde_json::{Value, json};

/// A throw-away instance and somebody who asks it as the super user.
#[derive(Clone)]
pub(crate) struct Api {
    server: std::sync::Arc<TestServer>,
    client: reqwest::Client,
}

impl Api {
    pub(crate) async fn start() -> Api {
        Api::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Config)) -> Api {
        // reqwest wants one even where nothing is encrypted; another test may have been quicker.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = TestServer::start_with(adjust).await.unwrap();
        Api { server: std::sync::Arc::new(server), client: reqwest::Client::new() }
    }

    /// An instance with the dynamic table `d.t`.
    pub(crate) async fn with_table() -> Api {
        let api = Api::start().await;
        api.done(json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id"}))
            .await;
        api
    }

    /// The instance.
    pub(crate) fn server(&self) -> &TestServer {
        &self.server
    }

    /// Status and text of the answer to a body sent as JSON.
    pub(crate) async fn text(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        self.text_with(self.server.password(), body).await
    }

    /// As [`Api::text`], with another password.
    pub(crate) async fn text_with(&self, password: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let answer = self
            .client
            .post(self.server.url())
            .basic_auth(self.server.username(), Some(password))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Status and body of the answer.
    pub(crate) async fn ask(&self, request: Value) -> (u16, Value) {
        let (status, text) = self.text(request.to_string()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// The body of an answer that must be a success.
    pub(crate) async fn done(&self, request: Value) -> Value {
        let (status, body) = self.ask(request).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Status and message of an answer that must be a failure.
    pub(crate) async fn refused(&self, request: Value) -> (u16, String) {
        let (status, body) = self.ask(request).await;
        assert!(status >= 400, "{body}");
        (status, body["error"].as_str().unwrap().to_owned())
    }
}

/// A request about the table `d.t`.
pub(crate) fn on_table(operation: &str, members: Value) -> Value {
    let mut request = json!({"operation": operation, "database": "d", "table": "t"});
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}
