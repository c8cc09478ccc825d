//! The listeners: HTTP/2, the unix domain socket, stopping.

use super::raw::Connection;
use super::{ADMIN, Instance, MUST_LOGIN, post};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

const USER_INFO: &str = r#"{"operation":"user_info"}"#;

pub(super) fn client() -> reqwest::ClientBuilder {
    // Several tests of one process may come here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

#[tokio::test]
async fn http_2_is_spoken_in_plain_text_to_those_who_know() {
    let instance = Instance::start().await;
    let url = format!("http://{}", instance.running().plain.unwrap());
    let client = client().http2_prior_knowledge().build().unwrap();
    let response = client.get(format!("{url}/health")).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
    assert!(!response.headers().contains_key("connection"));
    let response =
        client.post(&url).header("content-type", "application/json").body(USER_INFO).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), MUST_LOGIN);
}

#[tokio::test]
async fn http_2_can_be_switched_off() {
    let instance = Instance::with(|config| config.network.http2 = false).await;
    let url = format!("http://{}/health", instance.running().plain.unwrap());
    assert!(client().http2_prior_knowledge().build().unwrap().get(&url).send().await.is_err());
    assert_eq!(client().build().unwrap().get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_socket_acts_as_the_super_user() {
    let instance = Instance::start().await;
    let path = instance.running().socket.clone().unwrap();
    assert_eq!(path, instance.folder.path().join("operations-server"));
    let metadata = std::fs::metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o077, 0);
    let mut connection = Connection::unix(&path).await;
    connection.send(&post(USER_INFO, &[])).await;
    assert_eq!(connection.response().await.json()["username"], "admin");
    connection.send(&post(USER_INFO, &[("Authorization", "Basic YWRtaW46d3Jvbmc=")])).await;
    assert_eq!(connection.response().await.text(), r#"{"error":"Login failed"}"#);
    drop(instance);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("left");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let instance = Instance::with(|config| config.network.domain_socket = Some(path.clone())).await;
    let mut connection = Connection::unix(instance.running().socket.as_deref().unwrap()).await;
    connection.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(connection.response().await.status, 200);
}

#[tokio::test]
async fn stopping_lets_requests_finish_and_closes_idle_connections() {
    let mut instance = Instance::start().await;
    let address = instance.running().plain.unwrap();
    let mut idle = instance.connect().await;
    idle.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(idle.response().await.status, 200);
    let mut busy = instance.connect().await;
    let request = post(USER_INFO, &[("Authorization", ADMIN), ("Expect", "100-continue")]);
    let (head, body) = request.split_at(request.len() - USER_INFO.len());
    busy.send(head).await;
    // The interim answer proves that the request is being handled.
    assert_eq!(busy.head().await.0, 100);
    let stopping = tokio::spawn(instance.running.take().unwrap().shutdown());
    assert!(idle.is_closed().await);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    busy.send(body).await;
    let response = busy.response().await;
    assert_eq!((response.status, response.header("connection")), (200, Some("close")));
    drop((idle, busy));
    stopping.await.unwrap();
}
