//! HTTP/1 on the wire: pipelining, chunks, closing, malformed and oversized heads.

use super::{Instance, MUST_LOGIN, post};

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n";
const NOBODY: &str = r#"{"operation":"user_info"}"#;

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let both = [HEALTH, &post(NOBODY, &[]), b"GET /nosuch HTTP/1.1\r\nHost: test\r\n\r\n", HEALTH].concat();
    connection.send(&both).await;
    assert_eq!(connection.response().await.text(), "HarperDB is running.");
    assert_eq!(connection.response().await.text(), MUST_LOGIN);
    assert_eq!(connection.response().await.text(), "Not found\n");
    assert_eq!(connection.response().await.status, 200);
}

#[tokio::test]
async fn answers_carry_the_fixed_headers() {
    let instance = Instance::start().await;
    let response = instance.exchange(&post(NOBODY, &[])).await;
    assert_eq!(response.status, 401);
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-length", "22"),
        ("server", "HarperDB"),
        ("vary", "Origin"),
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=30"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    let timing = response.header("server-timing").unwrap();
    assert!(timing.strip_prefix("db;dur=").unwrap().parse::<f64>().is_ok(), "{timing}");
    assert!(response.header("date").is_some());
    assert_eq!(response.header("www-authenticate"), None);
}

#[tokio::test]
async fn connection_close_is_honoured() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    connection.send(&post(NOBODY, &[("Connection", "close")])).await;
    let response = connection.response().await;
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(response.header("keep-alive"), None);
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    connection.send(b"GET /health HTTP/1.0\r\n\r\n").await;
    let response = connection.response().await;
    assert_eq!((response.status, response.text()), (200, "HarperDB is running."));
    assert_eq!(response.header("connection"), Some("close"));
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn without_host_the_request_is_malformed() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    connection.send(b"GET /health HTTP/1.1\r\n\r\n").await;
    let response = connection.response().await;
    assert_eq!((response.status, response.text()), (400, ""));
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn malformed_heads_get_a_bare_400() {
    let instance = Instance::start().await;
    for head in [
        "GARBAGE\r\n\r\n",
        "GET\r\n\r\n",
        "GET /health HTTP/9.9\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: test\r\nBad Header: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: many\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        let mut connection = instance.connect().await;
        connection.send(head.as_bytes()).await;
        let response = connection.response().await;
        assert_eq!(
            (response.status, response.text(), response.header("content-type")),
            (400, "", None),
            "{head}"
        );
        assert!(connection.is_closed().await, "{head}");
    }
}

#[tokio::test]
async fn huge_heads_get_a_bare_431() {
    let instance = Instance::start().await;
    for size in [17 * 1024, 300 * 1024] {
        let mut connection = instance.connect().await;
        let head = format!("GET /health HTTP/1.1\r\nHost: test\r\nX-Long: {}\r\n\r\n", "x".repeat(size));
        connection.try_send(head.as_bytes()).await;
        let response = connection.response().await;
        assert_eq!((response.status, response.text()), (431, ""), "{size}");
        assert!(connection.is_closed().await);
    }
    let head = format!("GET /health HTTP/1.1\r\nHost: test\r\nX-Long: {}\r\n\r\n", "x".repeat(12 * 1024));
    assert_eq!(instance.exchange(head.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn chunked_bodies_are_read() {
    let instance = Instance::start().await;
    let request = "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                   c\r\n{\"operation\"\r\nd\r\n:\"user_info\"}\r\n0\r\n\r\n";
    assert_eq!(instance.exchange(request.as_bytes()).await.text(), MUST_LOGIN);
    let broken = "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                  zz\r\n{}\r\n0\r\n\r\n";
    let response = instance.exchange(broken.as_bytes()).await;
    assert_eq!(response.status, 400);
    assert!(response.json()["error"].is_string());
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    for piece in post(NOBODY, &[]).chunks(7) {
        connection.send(piece).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(connection.response().await.text(), MUST_LOGIN);
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_is_answered() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let create = r#"{"operation":"create_database","database":"d"}"#;
    connection.send(&post(create, &[("Authorization", super::ADMIN)])).await;
    connection.finish().await;
    assert_eq!(connection.response().await.text(), r#"{"message":"database 'd' successfully created"}"#);
}

#[tokio::test]
async fn expect_continue_asks_for_the_body() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let request = post(NOBODY, &[("Expect", "100-continue")]);
    let (head, body) = request.split_at(request.len() - NOBODY.len());
    connection.send(head).await;
    assert_eq!(connection.head().await.0, 100);
    connection.send(body).await;
    assert_eq!(connection.response().await.text(), MUST_LOGIN);
}

#[tokio::test]
async fn a_body_that_is_refused_is_not_asked_for() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let head = "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n\
                Content-Length: 1073741825\r\n\r\n";
    connection.send(head.as_bytes()).await;
    let response = connection.response().await;
    assert_eq!((response.status, response.text()), (413, r#"{"error":"Request body is too large"}"#));
    assert_eq!(response.header("connection"), Some("close"));
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_client_that_sends_on_still_gets_the_413() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2000000000\r\n\r\n";
    connection.send(head.as_bytes()).await;
    connection.try_send(&vec![b' '; 4 * 1024 * 1024]).await;
    assert_eq!(connection.response().await.status, 413);
}

#[tokio::test]
async fn unwanted_bodies_do_not_disturb_the_next_request() {
    let instance = Instance::start().await;
    let mut connection = instance.connect().await;
    let body = "x".repeat(100_000);
    let elsewhere =
        format!("PUT /elsewhere HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for request in [elsewhere.into_bytes(), post(&body, &[("Content-Type", "text/html")])] {
        connection.send(&request).await;
        assert!(matches!(connection.response().await.status, 404 | 415));
    }
    connection.send(HEALTH).await;
    assert_eq!(connection.response().await.status, 200);
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let instance = Instance::with(|config| {
        config.network.keep_alive_timeout = std::time::Duration::from_millis(100);
        config.network.headers_timeout = std::time::Duration::from_millis(200);
    })
    .await;
    let mut silent = instance.connect().await;
    assert!(silent.is_closed().await);
    let mut idle = instance.connect().await;
    idle.send(HEALTH).await;
    assert_eq!(idle.response().await.status, 200);
    assert!(idle.is_closed().await);
    let mut slow = instance.connect().await;
    slow.send(b"GET /health HT").await;
    assert!(slow.is_closed().await);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let instance =
        Instance::with(|config| config.network.timeout = std::time::Duration::from_millis(100)).await;
    let mut connection = instance.connect().await;
    let request = post(NOBODY, &[]);
    connection.send(&request[..request.len() - 1]).await;
    let response = connection.response().await;
    assert_eq!(response.status, 400);
    assert!(response.json()["error"].is_string());
    assert!(connection.is_closed().await);
}
