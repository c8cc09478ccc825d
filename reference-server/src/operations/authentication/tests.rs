//! The operations as far as they need no headers.

use crate::access::tokens::keep_sample;
use crate::operations::testing::Instance;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

async fn instance() -> Instance {
    let instance = Instance::new().await;
    keep_sample(&instance.server.config.root_path);
    instance.admin(r#"{"operation":"add_role","role":"clerk","permission":{}}"#).await;
    for (name, active) in [("kim", true), ("off", false)] {
        let user = format!(
            r#"{{"operation":"add_user","username":"{name}","password":"pw","role":"clerk","active":{active}}}"#
        );
        instance.admin(&user).await;
    }
    instance
}

/// The answer to nobody.
async fn nobody(instance: &Instance, request: &str) -> String {
    instance.as_user("", request).await
}

fn create(more: &str) -> String {
    format!(r#"{{"operation":"create_authentication_tokens"{more}}}"#)
}

fn error(text: &str) -> String {
    format!(r#"{{"error":"{text}"}}"#)
}

fn payload(token: &Json) -> Json {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn payloads(instance: &Instance, more: &str) -> [Json; 2] {
    let answer = nobody(instance, &create(&format!(r#","username":"kim","password":"pw"{more}"#))).await;
    let answer: Json = serde_json::from_str(&answer).unwrap();
    [payload(&answer["operation_token"]), payload(&answer["refresh_token"])]
}

fn life(payload: &Json) -> i64 {
    payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap()
}

#[tokio::test]
async fn lives_are_as_configured_or_asked_for() {
    let instance = instance().await;
    for (more, expected) in [
        ("", 86_400),
        (r#","expires_in":3600"#, 3600),
        (r#","expires_in":"1h""#, 3600),
        (r#","expires_in":"2 days""#, 172_800),
        (r#","expires_in":"60""#, 0),
        (r#","expires_in":"90000""#, 90),
        (r#","expires_in":0"#, 0),
        (r#","expires_in":-5"#, -5),
    ] {
        let [operation, refresh] = payloads(&instance, more).await;
        assert_eq!((life(&operation), life(&refresh)), (expected, 2_592_000), "{more}");
        assert_eq!((&operation["sub"], &refresh["sub"]), (&"operation".into(), &"refresh".into()));
        assert_eq!((&operation["username"], &operation["super_user"]), (&"kim".into(), &false.into()));
    }
    let [operation, refresh] = payloads(&instance, r#","role":"app""#).await;
    assert_eq!((&operation["role"], &refresh["role"]), (&"app".into(), &"app".into()));
}

#[tokio::test]
async fn whose_tokens() {
    let instance = instance().await;
    for request in ["", r#","username":"","password":"""#, r#","username":null,"password":null"#] {
        assert_eq!(nobody(&instance, &create(request)).await, error("Must login"), "{request}");
        let own: Json = serde_json::from_str(&instance.as_user("kim", &create(request)).await).unwrap();
        assert_eq!(payload(&own["operation_token"])["username"], "kim");
    }
    for request in [
        r#","username":"kim","password":"x""#,
        r#","username":"ghost","password":"pw""#,
        r#","username":"off","password":"pw""#,
        r#","username":"kim""#,
        r#","password":"pw""#,
        r#","username":"kim","password":null"#,
    ] {
        assert_eq!(instance.admin(&create(request)).await, error("invalid credentials"), "{request}");
    }
}

#[tokio::test]
async fn faults_are_told_together() {
    let instance = instance().await;
    for (more, text) in [
        (r#","username":5,"password":6"#, "'username' must be a string. 'password' must be a string"),
        (r#","username":"kim","password":"""#, "'password' is not allowed to be empty"),
        (r#","expires_in":true"#, "'expires_in' must be one of [string, number]"),
        (r#","expires_in":"soon""#, "'expires_in' must be a time span"),
        (r#","expires_in":1.5"#, "'expires_in' must be an integer"),
    ] {
        assert_eq!(instance.admin(&create(more)).await, error(text), "{more}");
    }
    let long = create(&format!(r#","expires_in":"{}""#, "1".repeat(101)));
    assert_eq!(instance.admin(&long).await, error("'expires_in' must be a time span"));
}

#[tokio::test]
async fn new_operation_tokens_are_the_refresh_tokens_users() {
    let instance = instance().await;
    let tokens: Json = serde_json::from_str(&instance.as_user("kim", &create("")).await).unwrap();
    let request =
        |token: &str| format!(r#"{{"operation":"refresh_operation_token","refresh_token":"{token}"}}"#);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let answer: Json = serde_json::from_str(&instance.admin(&request(refresh)).await).unwrap();
    let renewed = payload(&answer["operation_token"]);
    assert_eq!((&renewed["username"], &renewed["sub"]), (&"kim".into(), &"operation".into()));
    assert_eq!(life(&renewed), 86_400);
    let operation = tokens["operation_token"].as_str().unwrap();
    assert_eq!(instance.admin(&request(operation)).await, error("invalid token"));
    assert_eq!(instance.admin(&request("")).await, error("'refresh_token' is not allowed to be empty"));
    assert_eq!(nobody(&instance, &request(refresh)).await, error("Must login"));
}

#[tokio::test]
async fn logins() {
    let instance = instance().await;
    for (more, text) in [
        ("", "Login failed"),
        (r#","username":"kim""#, "Login failed"),
        (r#","username":5,"password":[]"#, "Login failed"),
        (r#","username":"kim","password":"x""#, "Login failed"),
        (r#","username":"ghost","password":"pw""#, "Login failed"),
        (r#","username":"off","password":"x""#, "Cannot complete request: User is inactive"),
    ] {
        let request = format!(r#"{{"operation":"login"{more}}}"#);
        assert_eq!(instance.admin(&request).await, error(text), "{more}");
    }
    let right = nobody(&instance, r#"{"operation":"login","username":"kim","password":"pw"}"#).await;
    assert_eq!(right, r#"{"message":"Login successful"}"#);
    assert_eq!(nobody(&instance, r#"{"operation":"logout"}"#).await, r#"{"message":"Logout successful"}"#);
}
