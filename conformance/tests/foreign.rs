//! What is no Operations API at all: the run ends at once with status 2, and says what is there instead.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::probe::{self, ProbeError};
use conformance::target::Fault;
use conformance::verdict::Verdict;
use conformance::{Credentials, Options, Reach, Stop, Target, event::Event};
use reference_server::TestServer;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers every request with the same bytes, or with nothing at all when they are empty.
async fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while matches!(stream.read(&mut buffer).await, Ok(1..)) && !answer.is_empty() {
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn http(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn admin() -> Credentials {
    Credentials { username: "admin".into(), password: "p4ssw0rd-of-mine".into() }
}

/// How a run ends there: the text of its report. It accuses nobody.
async fn told(address: &str) -> String {
    let target = Target::new(address, admin(), Reach::default()).unwrap();
    let report = conformance::run_with(target, Options::default(), Arc::new(|_| ()), Stop::default()).await;
    assert_eq!(report.exit_status(), 2, "{}", report.to_text());
    assert!(!report.events.iter().any(|event| matches!(event, Event::Checked(_))));
    report.to_text()
}

#[tokio::test(flavor = "multi_thread")]
async fn web_servers_and_proxies_are_told_from_the_api() {
    let foreign = "does not speak the Operations API: user_info was answered ";
    for (answer, words) in [
        (
            http("200 OK", "text/html", "<!doctype html>\n<html>Hello"),
            "200 (text/html) with <!doctype html> <html>Hello",
        ),
        (http("200 OK", "application/json", "{}"), "200 (application/json) with {}"),
        (http("200 OK", "application/json", ""), "200 (application/json)\n"),
        (http("404 Not Found", "text/plain", "Not Found"), "404 (text/plain) with Not Found"),
        (http("501 Unsupported", "text/html", "<p>POST"), "501 (text/html) with <p>POST"),
        (http("502 Bad Gateway", "text/html", ""), "502 (text/html)\n"),
        (
            http("301 Moved\r\nlocation: https://db.example/", "text/html", ""),
            "301 (text/html); it points to https://db.example/",
        ),
    ] {
        let text = told(&format!("http://{}", answering(answer).await)).await;
        assert!(text.contains(&format!("{foreign}{words}")), "{text}");
    }
    let text = told(&format!("http://{}", answering(http("403 Forbidden", "text/html", "no")).await)).await;
    assert!(text.contains("refuses the user 'admin' (status 403)"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_with_what_was_asked_tells_no_secret() {
    let echo = format!(r#"{{"authorization":"{}","password":"{}"}}"#, admin().basic(), admin().password);
    let text = told(&format!("http://{}", answering(http("200 OK", "application/json", &echo)).await)).await;
    assert!(!text.contains(&admin().password) && !text.contains(&admin().encoded()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_something_else_is_told_too() {
    let text = told(&format!("http://{}", answering("SSH-2.0-nobody\r\n".to_owned()).await)).await;
    assert!(text.contains("does not answer: no complete answer"), "{text}");
    // Nobody at all.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = told(&format!("http://{address}")).await;
    assert!(text.contains("does not answer: cannot connect"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_and_without_tls_are_told_apart() {
    let server = TestServer::start_with(|config| config.network.secure_port = Some(0)).await.unwrap();
    let secure = server.secure_address().unwrap().to_string();
    let text = told(&format!("http://{secure}")).await;
    assert!(text.contains(&format!("; https://{secure} answers")), "{text}");
    let text = told(&format!("https://{secure}")).await;
    assert!(text.contains("; -k accepts any certificate"), "{text}");
    let plain = server.address();
    let text = told(&format!("https://{plain}")).await;
    assert!(text.contains(&format!("; http://{plain} answers")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_answers_is_not_waited_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let target = Target::new(&address, admin(), Reach::default()).unwrap();
    let error = probe::speaks(&target, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, ProbeError::Silent { fault: Fault::Timeout(_), .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_ends_every_connection_is_not_accused_of_everything() {
    // It is there for the first questions.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    let asked = String::from_utf8_lossy(&buffer[..count]);
                    let known = ["user_info", "describe_all"].iter().any(|name| asked.contains(name));
                    let answer = http("200 OK", "application/json", r#"{"username":"admin"}"#);
                    if !known || stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let target = Target::new(&address, admin(), Reach::default()).unwrap();
    let options = Options { categories: vec!["nosql".into()], ..Options::default() };
    let report = conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await;
    assert!(report.to_text().contains("the target no longer answers"), "{}", report.to_text());
    let failed = report
        .events
        .iter()
        .filter(|event| matches!(event, Event::Checked(check) if check.verdict == Verdict::Fail));
    assert!(failed.count() < 60, "{}", report.to_text());
}
