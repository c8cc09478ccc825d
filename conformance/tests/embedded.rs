//! The suite against the reference server: as it is, and as it can be set up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::{Credentials, Options, Reach, Report, Stop, Target};
use reference_server::TestServer;
use reference_server::config::Config;
use std::sync::Arc;

fn admin(server: &TestServer) -> Credentials {
    Credentials { username: server.username().to_owned(), password: server.password().to_owned() }
}

async fn run(server: &TestServer, address: &str, options: Options) -> Report {
    let target = Target::new(address, admin(server), Reach { insecure: true }).unwrap();
    conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await
}

fn only(ids: &[&str]) -> Options {
    Options { only: ids.iter().map(|id| (*id).to_owned()).collect(), ..Options::default() }
}

/// A server that is set up in some way, and what is said of it to the suite.
async fn variant(with: &str, id: &str, adjust: impl FnOnce(&mut Config)) {
    let server = TestServer::start_with(adjust).await.unwrap();
    let options = Options { with: vec![with.to_owned()], ..only(&[id]) };
    run(&server, &server.url(), options).await.assert_conforms();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_conforms() {
    let server = TestServer::start().await.unwrap();
    let options =
        Options { with: vec!["fresh".to_owned(), "quick-restart".to_owned()], ..Options::default() };
    run(&server, &server.url(), options).await.assert_conforms();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_speaks_http2() {
    variant("http2", "http/http2", |config| config.network.http2 = true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_origins_can_be_restricted() {
    variant("cors-off", "http/cors-off", |config| config.network.cors = false).await;
    let list = vec!["https://allowed.example".to_owned()];
    variant("cors-list", "http/cors-access-list", |config| config.network.cors_access_list = list).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn local_requests_can_be_trusted() {
    variant("authorize-local", "http/authorize-local", |config| config.authentication.authorize_local = true)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_socket_and_its_secure_port_conform() {
    let folder = std::env::temp_dir().join(format!("ops-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("operations");
    let path = socket.clone();
    let server = TestServer::start_with(|config| {
        config.network.domain_socket = Some(path);
        config.network.secure_port = Some(0);
    })
    .await
    .unwrap();
    let some = &["http/unix-socket", "http/health", "nosql/insert-basic", "contract/insert"];
    run(&server, &format!("unix:{}", socket.display()), only(some)).await.assert_conforms();
    let secure = server.secure_address().unwrap();
    let some = &["http/tls", "nosql/insert-basic", "contract/insert"];
    run(&server, &format!("https://{secure}"), only(some)).await.assert_conforms();
    std::fs::remove_dir_all(&folder).unwrap();
}
