//! Which request is refused how, and which refusal wins when several apply.

use super::{ADMIN, Instance, MUST_LOGIN, post};

const WRONG: &str = "Basic YWRtaW46d3Jvbmc=";

#[tokio::test]
async fn only_post_to_the_root_is_an_operation() {
    let instance = Instance::start().await;
    for line in [
        "GET /nosuch",
        "POST /operation",
        "POST /health",
        "PUT /",
        "PATCH /",
        "DELETE /",
        "TRACE /",
        "BREW /",
        "POST //",
    ] {
        let request =
            format!("{line} HTTP/1.1\r\nHost: test\r\nAuthorization: {WRONG}\r\nContent-Length: 0\r\n\r\n");
        let response = instance.exchange(request.as_bytes()).await;
        assert_eq!((response.status, response.text()), (404, "Not found\n"), "{line}");
        assert_eq!(response.header("content-type"), None, "{line}");
    }
    let query = "POST /?operation=x HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(instance.exchange(query.as_bytes()).await.text(), r#"{"error":"Invalid JSON."}"#);
}

#[tokio::test]
async fn heads_have_no_body() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    connection.send(b"HEAD /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
    let (status, headers) = connection.head().await;
    assert_eq!(status, 200);
    assert!(headers.contains(&("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())));
    assert!(connection.is_closed().await);
    let mut connection = instance.connect().await;
    connection.send(b"HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
    assert_eq!(connection.head().await.0, 404);
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn refused_credentials_come_before_the_body_and_on_pages_too() {
    let instance = Instance::start().await;
    let requests = [
        post("{", &[("Authorization", WRONG)]),
        post("{}", &[("Authorization", WRONG), ("Content-Type", "text/html"), ("Accept", "image/png")]),
        format!("GET /health HTTP/1.1\r\nHost: test\r\nAuthorization: {WRONG}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: test\r\nAuthorization: {WRONG}\r\n\r\n").into_bytes(),
    ];
    for request in requests {
        let response = instance.exchange(&request).await;
        assert_eq!((response.status, response.text()), (401, r#"{"error":"Login failed"}"#));
        assert_eq!(response.header("content-type"), None);
    }
    for (header, text) in [
        ("Basic !!!", "Login failed"),
        ("Basic YWRtaW4=", "Login failed"),
        ("Bearer junk", "invalid token"),
        ("Bearer", "invalid token"),
    ] {
        let response =
            instance.exchange(&post(r#"{"operation":"user_info"}"#, &[("Authorization", header)])).await;
        assert_eq!((response.status, response.json()["error"].as_str()), (401, Some(text)), "{header}");
    }
}

#[tokio::test]
async fn unusable_headers_count_as_none() {
    let instance = Instance::start().await;
    for header in ["", "Digest abc", "basic YWRtaW46cGFzc3dvcmQ=", "hello", "Basic", "Basic Og=="] {
        let response =
            instance.exchange(&post(r#"{"operation":"user_info"}"#, &[("Authorization", header)])).await;
        assert_eq!((response.status, response.text()), (401, MUST_LOGIN), "{header}");
        assert_eq!(response.header("content-type"), Some("application/json"), "{header}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_operation() {
    let instance = Instance::start().await;
    let invalid = r#"{"error":"Invalid JSON."}"#;
    let missing = r#"{"error":"Request body must include an 'operation' property."}"#;
    let empty = r#"{"error":"Body cannot be empty when content-type is set to 'application/json'"}"#;
    for (body, text) in [
        ("", empty),
        ("{}", invalid),
        ("[]", invalid),
        ("null", invalid),
        ("5", invalid),
        ("true", invalid),
        (r#""describe_all""#, invalid),
        (r#"[{"operation":"describe_all"}]"#, missing),
        (r#"{"op":"describe_all"}"#, missing),
        (r#"{"operation":null}"#, missing),
        (r#"{"operation":5}"#, MUST_LOGIN),
        (r#"{"operation":"frobnicate"}"#, MUST_LOGIN),
        (r#"{"operation":"user_info","username":"admin","password":"password"}"#, MUST_LOGIN),
    ] {
        let response = instance.exchange(&post(body, &[])).await;
        assert_eq!(response.text(), text, "{body}");
        assert_eq!(response.status, if text == MUST_LOGIN { 401 } else { 400 }, "{body}");
    }
    for body in ["{", "{\"operation\":\"user_info\",}", "{'operation':1}", "{} {}", "NaN", "{\"a\":\"\n\"}"] {
        let response = instance.exchange(&post(body, &[])).await;
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(response.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["error"], "{body}");
    }
}

#[tokio::test]
async fn operations_that_are_no_text_do_not_exist() {
    let instance = Instance::start().await;
    for (operation, shown) in
        [("5", "5"), ("true", "true"), (r#"["a","b"]"#, "a,b"), ("{\"a\":1}", "[object Object]")]
    {
        let response = instance.operation(&format!(r#"{{"operation":{operation}}}"#)).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.json()["error"], format!("Operation '{shown}' not found"));
    }
}

#[tokio::test]
async fn media_types_of_requests() {
    let instance = Instance::start().await;
    let body = r#"{"operation":"user_info"}"#;
    for content_type in ["application/json", "Application/JSON", "application/json;charset=UTF-8; x=y"] {
        let response = instance.exchange(&post(body, &[("Content-Type", content_type)])).await;
        assert_eq!(response.text(), MUST_LOGIN, "{content_type}");
    }
    for content_type in ["text/plain", "application/xml; a=b", "bogus", "application/msgpack"] {
        let response = instance.exchange(&post(body, &[("Content-Type", content_type)])).await;
        assert_eq!(response.status, 415, "{content_type}");
        assert_eq!(response.json()["error"], format!("Unsupported Media Type: {content_type}"));
    }
    let response = instance.exchange(&post(body, &[("Content-Type", "")])).await;
    assert_eq!(response.text(), r#"{"error":"Unsupported Media Type: undefined"}"#);
    let response = instance.exchange(&post(body, &[("Content-Encoding", "gzip")])).await;
    assert_eq!(response.status, 400);
    for (content_type, bytes) in [
        ("application/cbor", &b"\xa1\x69operation\x69user_info"[..]),
        ("application/x-msgpack", &b"\x81\xa9operation\xa9user_info"[..]),
    ] {
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        )
        .into_bytes();
        request.extend_from_slice(bytes);
        assert_eq!(instance.exchange(&request).await.text(), MUST_LOGIN, "{content_type}");
    }
}

#[tokio::test]
async fn cross_origin_requests() {
    let instance = Instance::start().await;
    let preflight = "OPTIONS /whatever HTTP/1.1\r\nHost: test\r\nOrigin: https://a.example\r\nAuthorization: Basic eA==\r\n\r\n";
    let response = instance.exchange(preflight.as_bytes()).await;
    assert_eq!((response.status, response.text(), response.header("content-type")), (200, "", None));
    for (name, value) in [
        ("access-control-allow-origin", "https://a.example"),
        ("access-control-allow-methods", "POST, GET, PUT, DELETE, PATCH, OPTIONS"),
        ("access-control-allow-headers", "Accept, Content-Type, Authorization"),
        ("access-control-allow-credentials", "true"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    let response = instance.exchange(b"OPTIONS / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!((response.status, response.text()), (400, "Invalid Preflight Request"));
    assert_eq!(response.header("content-type"), Some("text/plain"));
    for headers in [&[("Origin", "null")][..], &[("Origin", "null"), ("Authorization", WRONG)]] {
        let response = instance.exchange(&post("{}", headers)).await;
        assert_eq!(response.header("access-control-allow-origin"), Some("null"));
        assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
    }
}

#[tokio::test]
async fn cross_origin_requests_can_be_restricted_or_switched_off() {
    let listed =
        Instance::with(|config| config.network.cors_access_list = vec!["https://a.example".into()]).await;
    let off = Instance::with(|config| config.network.cors = false).await;
    for (instance, origin, allowed) in [
        (&listed, "https://a.example", true),
        (&listed, "https://b.example", false),
        (&off, "https://a.example", false),
    ] {
        let response = instance.exchange(&post("{}", &[("Origin", origin)])).await;
        assert_eq!(response.header("access-control-allow-origin").is_some(), allowed);
        let preflight = format!("OPTIONS / HTTP/1.1\r\nHost: test\r\nOrigin: {origin}\r\n\r\n");
        assert_eq!(instance.exchange(preflight.as_bytes()).await.status, if allowed { 200 } else { 404 });
    }
    assert_eq!(off.exchange(&post("{}", &[])).await.header("vary"), None);
}

#[tokio::test]
async fn pages() {
    let instance = Instance::start().await;
    let response = instance.exchange(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let response = instance.exchange(b"GET /health?probe=1 HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!((response.status, response.text()), (200, "HarperDB is running."));
    let response = instance.exchange(b"GET /api/openapi/rest HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!((response.status, response.text()), (401, MUST_LOGIN));
    let request = format!("GET /api/openapi/rest HTTP/1.1\r\nHost: test\r\nAuthorization: {ADMIN}\r\n\r\n");
    let response = instance.exchange(request.as_bytes()).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    assert!(response.json()["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
}

#[tokio::test]
async fn anonymous_requests_from_loopback_can_be_let_in() {
    let instance = Instance::with(|config| config.authentication.authorize_local = true).await;
    let body = r#"{"operation":"user_info"}"#;
    let info = instance.exchange(&post(body, &[])).await.json();
    assert_eq!(info["username"], "admin");
    assert!(info["__createdtime__"].is_number() && info["__updatedtime__"].is_number(), "{info}");
    let named = instance.exchange(&post(body, &[("Authorization", ADMIN)])).await.json();
    assert_eq!(named["__createdtime__"], serde_json::Value::Null);
    let response = instance.exchange(&post(body, &[("Authorization", WRONG)])).await;
    assert_eq!(response.text(), r#"{"error":"Login failed"}"#);
    let response = instance.exchange(&post(body, &[("Authorization", "Basic Og==")])).await;
    assert_eq!(response.text(), MUST_LOGIN);
}

#[tokio::test]
async fn bodies_of_the_form_of_drop_role_name_their_encoding() {
    let instance = Instance::start().await;
    let refused = instance.exchange(&post(r#"{"operation":"drop_role"}"#, &[("Authorization", ADMIN)])).await;
    assert_eq!((refused.status, refused.json()["statusCode"].as_f64()), (400, Some(400.0)));
    assert_eq!(refused.header("content-type"), Some("application/json; charset=utf-8"));
}
