//! A product that makes new databases and tables visible a little late is not accused of losing them; the delay is
//! reported.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::event::Event;
use conformance::{Credentials, Options, Reach, Stop, Target};
use reference_server::TestServer;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LATE: Duration = Duration::from_millis(120);

type Made = Arc<Mutex<HashMap<String, Instant>>>;

/// One whole message off a connection: a request or an answer with a length.
async fn message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let chunked = head.contains("transfer-encoding: chunked");
            let whole = if chunked {
                buffer.windows(5).position(|window| window == b"0\r\n\r\n").map(|at| at + 5)
            } else {
                Some(end + 4 + length.unwrap_or(0))
            };
            if let Some(whole) = whole.filter(|whole| buffer.len() >= *whole) {
                return Some(buffer.drain(..whole).collect());
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Answers as if a database made a moment ago were not there yet.
async fn late(upstream: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let made = Made::default();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, upstream, Arc::clone(&made)));
        }
    });
    address
}

async fn serve(mut client: TcpStream, upstream: SocketAddr, made: Made) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    while let Some(request) = message(&mut client, &mut from_client).await {
        let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0) + 4;
        let body: Value = serde_json::from_slice(&request[at..]).unwrap_or(Value::Null);
        let operation = body["operation"].as_str().unwrap_or_default().to_owned();
        let database = body["database"].as_str().unwrap_or_default().to_owned();
        let makes = operation.starts_with("create_");
        let unseen = made.lock().unwrap().get(&database).is_some_and(|since| since.elapsed() < LATE);
        if unseen && !makes && !operation.starts_with("drop_") {
            let error = format!("{{\"error\":\"database '{database}' does not exist\"}}");
            let head = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{error}", error.len());
            if client.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            continue;
        }
        if server.write_all(&request).await.is_err() {
            return;
        }
        let Some(answer) = message(&mut server, &mut from_server).await else { return };
        if makes && answer.starts_with(b"HTTP/1.1 200") {
            made.lock().unwrap().insert(database, Instant::now());
        }
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_product_is_waited_for_and_told_of() {
    let server = TestServer::start().await.unwrap();
    let address = late(server.address()).await;
    let admin = Credentials { username: server.username().into(), password: server.password().into() };
    let run = async |settle: Option<Duration>| {
        let target = Target::new(&address, admin.clone(), Reach::default()).unwrap();
        let only = ["nosql/insert-basic", "nosql/create-table-basic", "nosql/conditions-sort"]
            .map(str::to_owned)
            .to_vec();
        let options = Options { only, settle, ..Options::default() };
        conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await
    };
    let report = run(None).await;
    report.assert_conforms();
    let (mut settle, mut observed) = (0, 0);
    for event in &report.events {
        match event {
            Event::Probed(probed) => settle = probed.settle_ms,
            Event::Observed(_) => observed += 1,
            _ => {}
        }
    }
    assert!(settle >= 400, "settle {settle}");
    assert!(observed > 0, "{}", report.to_text());
    // Without waiting the same product fails: the wait is what makes the difference.
    assert_eq!(run(Some(Duration::ZERO)).await.exit_status(), 1);
}
