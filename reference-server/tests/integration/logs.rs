//! The server's log: what gets into the file, and what never does.

use crate::client::Api;
use serde_json::{Value, json};

/// The tags, levels and messages of the entries that a request to read the log finds.
async fn entries(api: &Api, request: Value) -> Vec<(String, String, String)> {
    let found = api.done(request).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entry = |entry: &Value| {
        let tags = entry["tags"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join(",");
        (tags, text(&entry["level"]), text(&entry["message"]))
    };
    found.as_array().unwrap().iter().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_to_prove_who_one_is_are_logged_where_that_is_wanted() {
    let silent = Api::start().await;
    let loud = Api::start_with(|config| {
        config.logging.log_failed = true;
        config.logging.log_successful = true;
    })
    .await;
    let body = json!({"operation": "user_info"}).to_string();
    for api in [&silent, &loud] {
        assert_eq!(api.text_with("not the password", body.clone()).await.0, 401);
        assert_eq!(api.text(body.clone()).await.0, 200);
    }
    let logged = entries(&silent, json!({"operation": "read_log"})).await;
    assert_eq!(logged, [(String::new(), "notify".to_owned(), "Server successfully started".to_owned())]);
    let logged = entries(&loud, json!({"operation": "read_log", "filter": "auth-event", "limit": 2})).await;
    let event = |status: &str| {
        json!({"username": "admin", "status": status, "type": "authentication", "originating_ip": "127.0.0.1",
            "request_method": "POST", "path": "/", "auth_strategy": "Basic"})
    };
    let expected = [("error", event("failure")), ("notify", event("success"))]
        .map(|(level, event)| ("auth-event".to_owned(), level.to_owned(), event.to_string()));
    assert_eq!(logged, expected);
    let file = std::fs::read_to_string(loud.server().root().join("log/hdb.log")).unwrap();
    assert!(!file.contains("not the password") && !file.contains("\"password"), "{file}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_as_it_is_written() {
    let api = Api::start().await;
    for _ in 0..20 {
        let before =
            entries(&api, json!({"operation": "read_log", "level": "notify", "limit": 1000})).await.len();
        let request = json!({"operation": "delete_audit_logs_before", "database": "none", "table": "t", "timestamp": 1});
        let started = api.done(request).await;
        let job = json!({"operation": "get_job", "id": started["job_id"]});
        while api.done(job.clone()).await[0]["status"] != "ERROR" {}
        let after = entries(&api, json!({"operation": "read_log", "level": "notify"})).await;
        assert_eq!(after.len(), before + 1);
        let newest = json!({"operation": "read_log", "order": "desc", "limit": 1});
        let (_, level, message) = entries(&api, newest).await.remove(0);
        assert_eq!(level, "error");
        assert!(message.ends_with("database 'none' does not exist"), "{message}");
    }
}
