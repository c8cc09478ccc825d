//! Tokens in the Authorization header.

use super::{ADMIN, Instance, MUST_LOGIN, post};
use serde_json::{Value, json};

const INVALID: &str = r#"{"error":"invalid token"}"#;
const EXPIRED: &str = r#"{"error":"token expired"}"#;

impl Instance {
    /// Status, content type and body of the answer to an operation.
    async fn ask(&self, authorization: &str, request: &Value) -> (u16, Option<String>, String) {
        let response = self.exchange(&post(&request.to_string(), &[("Authorization", authorization)])).await;
        let content_type = response.header("content-type").map(str::to_owned);
        (response.status, content_type, response.text().to_owned())
    }

    /// The headers with a new operation token and a new refresh token of kim.
    async fn tokens(&self, more: Value) -> [String; 2] {
        let mut request =
            json!({"operation": "create_authentication_tokens", "username": "kim", "password": "pw"});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        let (_, _, body) = self.ask("", &request).await;
        let tokens: Value = serde_json::from_str(&body).unwrap();
        ["operation_token", "refresh_token"].map(|name| format!("Bearer {}", tokens[name].as_str().unwrap()))
    }
}

/// Refused in passing, so that nothing says what the body is.
fn bare(text: &str) -> (u16, Option<String>, String) {
    (401, None, text.to_owned())
}

fn typed(status: u16, text: &str) -> (u16, Option<String>, String) {
    (status, Some("application/json".to_owned()), text.to_owned())
}

/// One story, because the key pair takes a while to make.
#[tokio::test]
async fn what_tokens_open() {
    let instance = Instance::start().await;
    for request in [
        json!({"operation": "add_role", "role": "clerk", "permission": {}}),
        json!({"operation": "add_user", "username": "kim", "password": "pw", "role": "clerk", "active": true}),
    ] {
        assert_eq!(instance.ask(ADMIN, &request).await.0, 200);
    }
    let info = json!({"operation": "user_info"});
    let own = json!({"operation": "create_authentication_tokens"});
    let body = json!({"operation": "create_authentication_tokens", "username": "kim", "password": "pw"});
    let renew = json!({"operation": "refresh_operation_token"});
    let [operation, refresh] = instance.tokens(json!({})).await;

    assert_eq!(instance.ask(&operation, &info).await.0, 200);
    assert_eq!(instance.ask(&operation, &json!({"operation": "list_roles"})).await.0, 403);
    assert_eq!(
        instance.ask(&operation, &renew).await,
        typed(400, r#"{"error":"'refresh_token' is required"}"#)
    );
    assert_eq!(instance.ask(&operation.replace("Bearer", "bearer"), &info).await, typed(401, MUST_LOGIN));

    // The refresh token is good for one operation only; there it beats the body.
    assert_eq!(instance.ask(&refresh, &renew).await.0, 200);
    let junk = json!({"operation": "refresh_operation_token", "refresh_token": "junk"});
    assert_eq!(instance.ask(&refresh, &junk).await.0, 200);
    assert_eq!(instance.ask(ADMIN, &junk).await, typed(401, INVALID));
    for request in [&info, &own, &json!({"operation": "nothing"})] {
        assert_eq!(instance.ask(&refresh, request).await, typed(401, INVALID));
    }
    assert_eq!(instance.ask(&refresh, &json!({"operation": "logout"})).await.0, 200);

    // What is no token is refused, whatever else is right.
    for request in [&info, &own, &body, &renew, &json!({})] {
        assert_eq!(instance.ask("Bearer junk", request).await, bare(INVALID));
        assert_eq!(instance.ask(&format!("{operation}AAAA"), request).await, bare(INVALID));
    }
    assert_eq!(instance.ask("Bearer", &info).await, typed(401, INVALID));

    // What was one once does not stand in the way of other credentials.
    let [over, _] = instance.tokens(json!({"expires_in": -1})).await;
    for request in [&info, &own, &renew] {
        assert_eq!(instance.ask(&over, request).await, typed(401, EXPIRED));
    }
    assert_eq!(instance.ask(&over, &body).await.0, 200);

    // A dropped user's token is nobody's.
    let [operation, refresh] = instance.tokens(json!({})).await;
    assert_eq!(instance.ask(ADMIN, &json!({"operation": "drop_user", "username": "kim"})).await.0, 200);
    let (status, _, text) = instance.ask(&operation, &info).await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("User kim has no role or permissions.  Please assign the user a valid role."));
    assert_eq!(
        instance.ask(&operation, &own).await,
        typed(500, r#"{"error":"unable to store refresh_token"}"#)
    );
    assert_eq!(instance.ask(&refresh, &renew).await, bare(INVALID));
}

#[tokio::test]
async fn expired_refresh_tokens() {
    let instance =
        Instance::with(|config| config.authentication.refresh_token_timeout = std::time::Duration::ZERO)
            .await;
    let (_, _, body) = instance.ask(ADMIN, &json!({"operation": "create_authentication_tokens"})).await;
    let tokens: Value = serde_json::from_str(&body).unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renew = json!({"operation": "refresh_operation_token", "refresh_token": refresh});
    assert_eq!(instance.ask(ADMIN, &renew).await, typed(403, EXPIRED));
    assert_eq!(instance.ask(&format!("Bearer {refresh}"), &renew).await, typed(401, EXPIRED));
}
