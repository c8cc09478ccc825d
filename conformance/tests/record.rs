//! A client's traffic through the recording proxy, and what comes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::record::{Recorder, scenario};
use conformance::runner::Options;
use conformance::scenario::Scenario;
use conformance::{Credentials, Reach, Stop, Target, layout};
use reference_server::TestServer;
use serde_json::{Value, json};
use std::sync::Arc;

fn target(server: &TestServer, address: &str) -> Target {
    let admin =
        Credentials { username: server.username().to_owned(), password: server.password().to_owned() };
    Target::new(address, admin, Reach::default()).unwrap()
}

/// A client that talks to a target through a proxy.
struct Client {
    proxied: Target,
}

impl Client {
    async fn send(&self, headers: &[(&str, &str)], body: &Value) -> Value {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let kind = [("content-type".to_owned(), "application/json".to_owned())];
        let request = conformance::target::Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: kind.into_iter().chain(headers).collect(),
            body: body.to_string().into_bytes(),
            wire: None,
        };
        self.proxied.send(request).await.answer.unwrap().body
    }

    async fn admin(&self, body: Value) -> Value {
        self.send(&[("authorization", &self.proxied.admin.basic())], &body).await
    }

    async fn user(&self, username: &str, password: &str, body: Value) -> Value {
        let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
        self.send(&[("authorization", &credentials.basic())], &body).await
    }

    /// Tables, records, users, tokens, a job, and what is refused.
    async fn work(&self) {
        let shop = |operation: &str, rest: Value| {
            let mut body = json!({"operation": operation, "database": "bakery", "table": "loaves"});
            body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            body
        };
        self.admin(json!({"operation": "describe_all"})).await;
        self.admin(shop("create_table", json!({"primary_key": "id"}))).await;
        let inserted = self
            .admin(shop("insert", json!({"records": [{"id": 1, "name": "rye"}, {"name": "costs ${much}"}]})))
            .await;
        let generated = inserted["inserted_hashes"][1].clone();
        assert!(generated.is_string() || generated.is_number(), "{inserted}");
        self.admin(shop("search_by_id", json!({"ids": [generated], "get_attributes": ["*"]}))).await;
        self.admin(shop(
            "search_by_value",
            json!({"attribute": "name", "value": "*", "get_attributes": ["*"]}),
        ))
        .await;
        self.admin(shop("describe_table", json!({}))).await;
        self.admin(json!({"operation": "sql", "sql": "SELECT id, name FROM bakery.loaves WHERE id = 1"}))
            .await;
        self.admin(shop("insert", json!({"records": "none"}))).await;
        let permission = json!({"super_user": false, "bakery": {"tables": {"loaves": {"read": true, "insert": false,
            "update": false, "delete": false, "attribute_permissions": []}}}});
        self.admin(json!({"operation": "add_role", "role": "baker", "permission": permission})).await;
        let add = json!({"operation": "add_user", "username": "kim", "password": SECRET, "role": "baker", "active": true});
        self.admin(add).await;
        self.admin(json!({"operation": "list_users"})).await;
        self.user("kim", SECRET, json!({"operation": "user_info"})).await;
        self.user("kim", SECRET, shop("insert", json!({"records": [{"id": 9}]}))).await;
        self.user("kim", "not the password", json!({"operation": "user_info"})).await;
        self.send(&[], &json!({"operation": "user_info"})).await;
        let tokens =
            json!({"operation": "create_authentication_tokens", "username": "kim", "password": SECRET});
        let tokens = self.send(&[], &tokens).await;
        let bearer = format!("Bearer {}", tokens["operation_token"].as_str().unwrap());
        let read = shop("search_by_id", json!({"ids": [1], "get_attributes": ["name"]}));
        self.send(&[("authorization", &bearer)], &read).await;
        self.send(&[("authorization", &bearer), ("accept", "application/cbor")], &read).await;
        let started = self.admin(shop("csv_data_load", json!({"data": "id,name\n7,oat\n"}))).await;
        let job = json!({"operation": "get_job", "id": started["job_id"]});
        while self.admin(job.clone()).await[0]["status"] != "COMPLETE" {
            tokio::task::yield_now().await;
        }
        self.admin(shop("search_by_id", json!({"ids": [7], "get_attributes": ["*"]}))).await;
    }
}

const SECRET: &str = "Correct-Horse-7";

async fn recorded() -> (String, Vec<String>) {
    let server = TestServer::start().await.unwrap();
    let direct = target(&server, &server.url());
    let roots = conformance::probe::roots(&direct).await;
    let recorder = Recorder::start(direct.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    Client { proxied: target(&server, &recorder.url()) }.work().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), recorder.count());
    let recorded = scenario(&seen, &direct.admin, roots, "bakery").unwrap();
    (layout::to_text(&recorded.scenario), recorded.left_out)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_holds_on_a_fresh_server() {
    let (text, left_out) = recorded().await;
    assert_eq!(left_out, [""; 0]);
    let parsed: Scenario = serde_json::from_str(&text).unwrap();
    assert!(parsed.checks().count() > 15, "{text}");
    assert!(text.contains("bearer:saved_") && text.contains("${saved_") && text.contains("[uuid]"), "{text}");
    for _ in 0..2 {
        let server = TestServer::start().await.unwrap();
        let options = Options { scenarios: Some(vec![parsed.clone()]), ..Options::default() };
        let target = target(&server, &server.url());
        let report = conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await;
        assert_eq!(report.exit_status(), 0, "{}\n{text}", report.to_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written() {
    let (text, _) = recorded().await;
    for secret in [SECRET, "not the password", "eyJ", "Basic ", "a2ltOk"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_there_before_is_left_out() {
    let server = TestServer::start().await.unwrap();
    let direct = target(&server, &server.url());
    let add_role = json!({"operation": "add_role", "role": "old", "permission": {"super_user": true}});
    let add_user = json!({"operation": "add_user", "username": "old", "password": SECRET, "role": "old", "active": true});
    direct.operate(&add_role).await;
    direct.operate(&add_user).await;
    let recorder = Recorder::start(direct.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = Client { proxied: target(&server, &recorder.url()) };
    client.user("old", SECRET, json!({"operation": "describe_all"})).await;
    let key = json!({"operation": "add_ssh_key", "name": "k", "key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n"});
    client.admin(key).await;
    client.admin(json!({"operation": "user_info"})).await;
    let recorded = scenario(&recorder.seen(), &direct.admin, Vec::new(), "old").unwrap();
    assert_eq!(recorded.left_out, ["describe_all: it was asked by a user who was there before"]);
    let text = recorded.scenario.to_string();
    assert!(!text.contains("OPENSSH") && text.contains("a secret was left out of the request"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_away_is_told_to_the_client() {
    let server = TestServer::start().await.unwrap();
    let direct = target(&server, &server.url());
    let recorder = Recorder::start(direct.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let proxied = target(&server, &recorder.url());
    drop(server);
    let answer = proxied.operate(&json!({"operation": "user_info"})).await.answer.unwrap();
    assert_eq!(answer.status, 502);
    assert!(recorder.seen().is_empty());
    assert!(scenario(&recorder.seen(), &direct.admin, Vec::new(), "none").is_err());
}
