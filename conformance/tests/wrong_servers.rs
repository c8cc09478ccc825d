//! Servers that are wrong on purpose: a suite that passes them proves nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::event::{Checked, Event, Kind};
use conformance::report::{json, junit};
use conformance::scenario::Errors;
use conformance::sets::Set;
use conformance::verdict::Verdict;
use conformance::{Credentials, Options, Profile, Reach, Report, Stop, Target, side_by_side};
use reference_server::TestServer;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn admin() -> Credentials {
    Credentials { username: "admin".to_owned(), password: "password".to_owned() }
}

async fn run(address: &str, admin: Credentials, options: Options) -> Report {
    let target = Target::new(address, admin, Reach::default()).unwrap();
    conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await
}

fn only(id: &str) -> Options {
    Options { only: vec![id.to_owned()], ..Options::default() }
}

fn checks(report: &Report) -> Vec<&Checked> {
    let mut found = Vec::new();
    for event in &report.events {
        if let Event::Checked(check) = event {
            found.push(&**check);
        }
    }
    found
}

fn failed(report: &Report) -> Vec<&str> {
    checks(report)
        .into_iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.id.as_str())
        .collect()
}

/// One request off a connection: its head and its body.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if buffer.len() >= whole {
                let request = String::from_utf8_lossy(&buffer[..whole]).into_owned();
                buffer.drain(..whole);
                return Some(request);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A server whose every answer is made by a function of the request.
async fn fake(answer: fn(&str) -> (u16, &'static str)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = Vec::new();
                while let Some(request) = read_request(&mut stream, &mut buffer).await {
                    let (status, body) = answer(&request);
                    let text = format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if stream.write_all(text.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// A proxy before a right server that changes a few bytes of its answers, not their number.
async fn spoilt(server: &TestServer, from: &'static str, to: &'static str) -> String {
    assert_eq!(from.len(), to.len(), "the framing must stay right");
    let upstream = server.address();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(upstream).await else { return };
                let (mut client_in, mut client_out) = client.into_split();
                let (mut server_in, mut server_out) = server.into_split();
                let up = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut client_in, &mut server_out).await;
                });
                let mut buffer = vec![0; 1 << 20];
                while let Ok(count @ 1..) = server_in.read(&mut buffer).await {
                    let mut bytes = buffer[..count].to_vec();
                    while let Some(at) =
                        bytes.windows(from.len()).position(|window| window == from.as_bytes())
                    {
                        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                    }
                    if client_out.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
                up.abort();
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_yes_to_everything_fails() {
    let address = fake(|_| (200, r#"{"username":"admin"}"#)).await;
    let report =
        run(&address, admin(), Options { categories: vec!["http".into()], ..Options::default() }).await;
    assert_eq!(report.exit_status(), 1, "{}", report.to_text());
    assert!(failed(&report).len() > 50, "{:?}", failed(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_program_is_made_short_and_kept_for_replay() {
    let server = TestServer::start().await.unwrap();
    let admin = Credentials { username: server.username().into(), password: server.password().into() };
    // No update is ever told as skipped.
    let address = spoilt(&server, "updated 0 of", "updated 1 of").await;
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        categories: vec!["programs".into()],
        seed: 11,
        programs: 12,
        failures: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let report = run(&address, admin, options).await;
    assert_eq!(report.exit_status(), 1, "{}", report.to_text());
    let kept: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let text = std::fs::read_to_string(kept.first().unwrap()).unwrap();
    let scenario: conformance::scenario::Scenario = serde_json::from_str(&text).unwrap();
    assert_eq!(scenario.steps.len(), 1, "one update of an unknown key is enough: {text}");
    assert_eq!(scenario.steps[0].operation().as_deref(), Some("update"));
    let told = report.events.iter().any(|event| match event {
        Event::Observed(observed) => observed.text.contains("curl ") && observed.text.contains("kept in"),
        _ => false,
    });
    assert!(told, "{}", report.to_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_see_what_is_lost_and_what_is_torn() {
    let server = TestServer::start().await.unwrap();
    let admin = || Credentials { username: server.username().into(), password: server.password().into() };
    let histories =
        || Options { categories: vec!["histories".into()], profile: Profile::Strict, ..Options::default() };
    let right = run(&format!("http://{}", server.address()), admin(), histories()).await;
    assert_eq!(right.exit_status(), 0, "{}", right.to_text());
    // A record that cannot be found, an insert that is never told as skipped, an attribute and a state that are lost.
    for (from, to, law) in [
        (r#"{"id":"3-7""#, r#"{"id":"3+7""#, "nothing-is-lost"),
        (r#""skipped_hashes":["race-3"]"#, r#""skipped_hashes":[        ]"#, "one-insert-wins"),
        (r#""w5":4"#, r#""w5":0"#, "merges-keep-each-other"),
        (r#"{"id":"left","n":1"#, r#"{"id":"left","n":9"#, "no-half-requests"),
    ] {
        let mut seen = false;
        // Whether a reader meets a state is chance.
        for _ in 0..20 {
            let report = run(&spoilt(&server, from, to).await, admin(), histories()).await;
            seen = failed(&report).iter().any(|id| id.ends_with(law));
            if seen {
                break;
            }
        }
        assert!(seen, "{law}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_report() {
    let address = fake(|_| {
        (200, r#"{"username":"admin","operation_token":"eyJhbGciOiJI.eyJzdWIiOiJh.c2lnbmF0dXJl","password":"s3cret-Pw"}"#)
    })
    .await;
    let admin = Credentials { username: "admin".to_owned(), password: "Tr0ub4dor&3".to_owned() };
    let encoded = admin.encoded();
    let only = ["http/", "security/token", "security/users", "contract/add_user"].map(str::to_owned).to_vec();
    let report = run(&address, admin, Options { only, ..Options::default() }).await;
    assert_eq!(report.exit_status(), 1);
    let texts = [
        report.to_text(),
        json::document(&report.events).unwrap(),
        json::lines(&report.events).unwrap(),
        junit::document(&report.events).unwrap(),
    ];
    for text in texts {
        for secret in ["Tr0ub4dor&3", encoded.as_str(), "eyJhbGciOiJI", "s3cret-Pw", "correct horse"] {
            assert!(
                !text.contains(secret),
                "{secret} is in a report: {:?}",
                text.find(secret).map(|at| &text[at.saturating_sub(200)..at + 40])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_declines_everything_proves_nothing() {
    let address = fake(|request| match request {
        request if request.contains("user_info") && request.contains("uthorization") => {
            (200, r#"{"username":"admin"}"#)
        }
        _ => (501, r#"{"error":"not offered"}"#),
    })
    .await;
    let report =
        run(&address, admin(), Options { categories: vec!["random".into()], ..Options::default() }).await;
    assert_eq!(report.exit_status(), 2, "{}", report.to_text());
    let told = checks(&report).into_iter().filter(|check| check.kind == Kind::Scenario);
    assert!(told.into_iter().all(|check| check.verdict == Verdict::Unsupported));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_always_fails() {
    let address = fake(|request| match request {
        request if request.contains("user_info") => (200, r#"{"username":"admin"}"#),
        _ => (500, r#"{"error":"oops"}"#),
    })
    .await;
    let report = run(&address, admin(), only("nosql/insert-basic")).await;
    assert_eq!(report.exit_status(), 1);
    assert!(checks(&report).iter().any(|check| check.verdict == Verdict::Blocked), "{}", report.to_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_not_a_pass() {
    // Nothing listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(run(&address, admin(), Options::default()).await.exit_status(), 2);
    // Somebody else listens there.
    let address = fake(|_| (404, "{}")).await;
    assert_eq!(run(&address, admin(), Options::default()).await.exit_status(), 2);
    // The credentials are wrong.
    let server = TestServer::start().await.unwrap();
    let wrong = Credentials { username: "admin".into(), password: "wrong".into() };
    let report = run(&server.url(), wrong, Options::default()).await;
    assert_eq!(report.exit_status(), 2);
    assert!(report.to_text().contains("refuses the user 'admin'"), "{}", report.to_text());
    // Nothing was chosen.
    let right = Credentials { username: server.username().into(), password: server.password().into() };
    assert_eq!(run(&server.url(), right, only("no such check")).await.exit_status(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_faults_are_seen_by_the_checks_meant_for_them() {
    let server = TestServer::start().await.unwrap();
    let admin = || Credentials { username: server.username().into(), password: server.password().into() };
    for (from, to, story, meant) in [
        (
            "\"message\":\"inserted ",
            "\"message\":\"Inserted ",
            "nosql/insert-basic",
            "nosql/insert-basic#two",
        ),
        (
            "' successfully created.",
            "' successfully created!",
            "nosql/create-table-basic",
            "nosql/create-table-basic#create",
        ),
        ("HTTP/1.1 404", "HTTP/1.1 400", "nosql/drop-table", "nosql/drop-table#gone"),
        (
            "\"record_count\":2",
            "\"record_count\":3",
            "nosql/describe-table-grows",
            "nosql/describe-table-grows#counted-again",
        ),
        ("is required", "is Required", "contract/insert", "contract/insert#records-is-left-out"),
        ("HarperDB is running.", "HarperDB is walking.", "http/health", "http/health#get"),
    ] {
        let address = spoilt(&server, from, to).await;
        let report = run(&address, admin(), only(story)).await;
        assert_eq!(report.exit_status(), 1, "'{to}' for '{from}' went unseen:\n{}", report.to_text());
        assert!(failed(&report).contains(&meant), "{meant} did not fail but {:?}", failed(&report));
        let fault = checks(&report).into_iter().find(|check| check.id == meant).unwrap();
        assert!(fault.curl.is_some() && fault.exchange.is_some() && !fault.differences.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_differ_where_one_is_spoilt_and_nowhere_else() {
    let (first, second) = (TestServer::start().await.unwrap(), TestServer::start().await.unwrap());
    let target = |address: &str, server: &TestServer| {
        let admin = Credentials { username: server.username().into(), password: server.password().into() };
        Target::new(address, admin, Reach::default()).unwrap()
    };
    let diff = async |address: &str, options: Options| {
        let (first, second) = (target(&first.url(), &first), target(address, &second));
        side_by_side::run(first, second, options, Arc::new(|_| ()), Stop::default()).await
    };
    // Each has hashes, times and folders of its own.
    let only = ["users-password-is-stored-hashed", "own-status-records", "export-local", "insert-basic"];
    let options = Options { only: only.map(str::to_owned).to_vec(), ..Options::default() };
    let alike = diff(&second.url(), options.clone()).await;
    assert_eq!(alike.exit_status(), 0, "{}", alike.to_text(false));
    let spoilt = spoilt(&second, "\"message\":\"inserted ", "\"message\":\"Inserted ").await;
    let differing = diff(&spoilt, options).await;
    assert_eq!(differing.exit_status(), 1);
    assert!(differing.to_text(false).contains("nosql/insert-basic#two"), "{}", differing.to_text(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_strictly_errors_are_compared_is_a_choice() {
    let server = TestServer::start().await.unwrap();
    let admin = || Credentials { username: server.username().into(), password: server.password().into() };
    let address = spoilt(&server, "is required", "is Required").await;
    for (errors, status) in
        [(None, 1), (Some(Errors::Wording), 1), (Some(Errors::Kind), 0), (Some(Errors::Status), 0)]
    {
        let report = run(&address, admin(), Options { errors, ..only("contract/insert") }).await;
        assert_eq!(report.exit_status(), status, "{errors:?}: {}", report.to_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_set_limits_what_is_demanded() {
    let server = TestServer::start().await.unwrap();
    let admin = || Credentials { username: server.username().into(), password: server.password().into() };
    let address = spoilt(&server, "\"message\":\"inserted ", "\"message\":\"Inserted ").await;
    let demanding = |text: &str| Options {
        set: Some(Arc::new(Set::parse("few", text).unwrap())),
        ..only("nosql/insert-basic")
    };
    let report = run(&address, admin(), demanding("NOSQL-INSERT-001 MUST")).await;
    assert_eq!(report.exit_status(), 1, "{}", report.to_text());
    let report = run(&address, admin(), demanding("NOSQL-INSERT-001 SHOULD")).await;
    assert_eq!(report.exit_status(), 0, "{}", report.to_text());
    let cited: BTreeSet<&String> =
        checks(&report).into_iter().flat_map(|check| &check.requirements).collect();
    assert_eq!(cited, BTreeSet::from([&"NOSQL-INSERT-001".to_owned()]));
    assert!(report.to_text().contains("profile full, requirements few"), "{}", report.to_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_still_cleans_up_and_reports() {
    let server = TestServer::start().await.unwrap();
    let admin = Credentials { username: server.username().into(), password: server.password().into() };
    let stop = Stop::default();
    let stopper = stop.clone();
    let target = Target::new(&server.url(), admin, Reach::default()).unwrap();
    let sink = Arc::new(move |event: &Event| {
        if matches!(event, Event::Checked(_)) {
            stopper.stop();
        }
    });
    let options = Options { categories: vec!["nosql".into()], jobs: 2, ..Options::default() };
    let report = conformance::run_with(target, options, sink, stop).await;
    assert_eq!(report.exit_status(), 2, "nothing failed, but not everything was tried");
    assert!(checks(&report).iter().any(|check| check.verdict == Verdict::NotRun));
    assert!(
        checks(&report).iter().any(|check| check.id == "cleanup/run#nothing-left"),
        "{}",
        report.to_text()
    );
}
