//! Sessions by cookie.

use super::raw::Response;
use super::{ADMIN, Instance, MUST_LOGIN, post};

const LOGIN: &str = r#"{"operation":"login","username":"admin","password":"password"}"#;
const LOGOUT: &str = r#"{"operation":"logout"}"#;
const INFO: &str = r#"{"operation":"user_info"}"#;
const HOST: (&str, &str) = ("Host", "shop.example");

impl Instance {
    async fn with_cookie(&self, body: &str, cookie: &str) -> Response {
        self.exchange(&post(body, &[HOST, ("Cookie", cookie)])).await
    }

    async fn log_in(&self) -> String {
        cookie_of(&self.exchange(&post(LOGIN, &[HOST])).await).unwrap()
    }
}

/// Name and value of the cookie that an answer sets.
fn cookie_of(response: &Response) -> Option<String> {
    response.header("set-cookie")?.split(';').next().map(str::to_owned)
}

#[tokio::test]
async fn from_login_to_logout() {
    let instance = Instance::start().await;
    let response = instance.exchange(&post(LOGIN, &[HOST])).await;
    assert_eq!((response.status, response.text()), (200, r#"{"message":"Login successful"}"#));
    let cookie = cookie_of(&response).unwrap();
    assert!(cookie.starts_with("shop_example-hdb-session="), "{cookie}");
    let attributes = "; Path=/; Expires=Tue, 01 Oct 8307 19:33:20 GMT; HttpOnly";
    assert_eq!(response.header("set-cookie").unwrap(), format!("{cookie}{attributes}"));
    assert_eq!(response.header("x-hdb-session"), None);

    assert_eq!(instance.with_cookie(INFO, &cookie).await.json()["username"], "admin");
    let elsewhere = instance.exchange(&post(INFO, &[("Host", "other"), ("Cookie", cookie.as_str())])).await;
    assert_eq!((elsewhere.status, elsewhere.text()), (401, MUST_LOGIN));
    // A second login belongs to the same session.
    let again = instance.with_cookie(LOGIN, &cookie).await;
    assert_eq!((again.status, again.header("set-cookie")), (200, None));
    // A header says who asks, whatever the cookie says.
    let refused = post(INFO, &[HOST, ("Cookie", &cookie), ("Authorization", "Digest x")]);
    assert_eq!(instance.exchange(&refused).await.text(), MUST_LOGIN);

    assert_eq!(instance.with_cookie(LOGOUT, &cookie).await.text(), r#"{"message":"Logout successful"}"#);
    assert_eq!(instance.with_cookie(INFO, &cookie).await.text(), MUST_LOGIN);
    let back = instance.with_cookie(LOGIN, &cookie).await;
    assert_eq!(back.header("set-cookie"), None);
    assert_eq!(instance.with_cookie(INFO, &cookie).await.status, 200);
}

#[tokio::test]
async fn secure_places_get_a_secure_cookie() {
    let instance = Instance::start().await;
    let response = instance.exchange(&post(LOGIN, &[("Host", "localhost:9925")])).await;
    let cookie = response.header("set-cookie").unwrap();
    assert!(cookie.starts_with("localhost_9925-hdb-session=") && cookie.ends_with("; SameSite=None; Secure"));
    assert_eq!(response.header("x-hdb-session"), Some("Secure"));
    assert_eq!(response.header("access-control-expose-headers"), Some("X-Hdb-Session"));
}

#[tokio::test]
async fn ids_from_clients_are_not_adopted() {
    let instance = Instance::start().await;
    let chosen = "shop_example-hdb-session=00000000-0000-4000-8000-00000000abcd";
    let response = instance.with_cookie(LOGIN, chosen).await;
    let cookie = cookie_of(&response).unwrap();
    assert_ne!(cookie, chosen);
    assert_eq!(instance.with_cookie(INFO, chosen).await.text(), MUST_LOGIN);
    assert_eq!(instance.with_cookie(INFO, &cookie).await.status, 200);
}

#[tokio::test]
async fn refused_logins_set_no_cookie() {
    let instance = Instance::start().await;
    for body in [r#"{"operation":"login"}"#, r#"{"operation":"login","username":"admin","password":"x"}"#] {
        let response = instance.operation(body).await;
        assert_eq!((response.status, response.text()), (401, r#"{"error":"Login failed"}"#));
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn sessions_follow_their_user() {
    let instance = Instance::start().await;
    let alter = |name: &str, more: &str| format!(r#"{{"operation":"{name}","username":"kim"{more}}}"#);
    instance.operation(&alter("add_user", r#","password":"pw","role":"super_user","active":true"#)).await;
    let login = r#"{"operation":"login","username":"kim","password":"pw"}"#;
    let cookie = cookie_of(&instance.exchange(&post(login, &[HOST])).await).unwrap();
    instance.operation(&alter("alter_user", r#","password":"new""#)).await;
    assert_eq!(instance.with_cookie(INFO, &cookie).await.json()["username"], "kim");

    instance.operation(&alter("alter_user", r#","active":false"#)).await;
    let response = instance.with_cookie(INFO, &cookie).await;
    let inactive = r#"{"error":"Cannot complete request: User is inactive"}"#;
    assert_eq!((response.status, response.text()), (401, inactive));
    assert_eq!(instance.with_cookie(LOGIN, &cookie).await.status, 200, "somebody else may log in");
    assert_eq!(instance.with_cookie(INFO, &cookie).await.json()["username"], "admin");

    instance.operation(&alter("alter_user", r#","active":true"#)).await;
    let login = r#"{"operation":"login","username":"kim","password":"new"}"#;
    assert_eq!(instance.with_cookie(login, &cookie).await.status, 200);
    instance.operation(&alter("drop_user", "")).await;
    let response = instance.with_cookie(INFO, &cookie).await;
    assert_eq!(response.status, 403);
    assert!(response.text().contains("User kim has no role or permissions."));
}

#[tokio::test]
async fn sessions_can_be_switched_off() {
    let instance = Instance::with(|config| config.authentication.enable_sessions = false).await;
    for (body, text) in [(LOGIN, "No session for login"), (LOGOUT, "No session for logout")] {
        let response = instance.exchange(&post(body, &[HOST])).await;
        assert_eq!((response.status, response.json()["error"].as_str()), (500, Some(text)));
    }
}

#[tokio::test]
async fn trust_in_local_requests_ends_where_a_session_says_who_asks() {
    let instance = Instance::with(|config| config.authentication.authorize_local = true).await;
    let add =
        r#"{"operation":"add_user","username":"kim","password":"pw","role":"super_user","active":true}"#;
    instance.exchange(&post(add, &[("Authorization", ADMIN)])).await;
    let login = r#"{"operation":"login","username":"kim","password":"pw"}"#;
    let cookie = cookie_of(&instance.exchange(&post(login, &[HOST])).await).unwrap();
    assert_eq!(instance.with_cookie(INFO, &cookie).await.json()["username"], "kim");
    assert_eq!(instance.exchange(&post(INFO, &[HOST])).await.json()["username"], "admin");
    assert_eq!(instance.log_in().await.len(), cookie.len());
}
