//! Runs that do not come to their end: the program is interrupted, or the target dies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::record::Recorder;
use conformance::{Credentials, Reach, Target, sweep};
use reference_server::TestServer;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A proxy before a server: it tells how far a run has come.
async fn proxied(server: &TestServer) -> (Target, Recorder) {
    let admin =
        Credentials { username: server.username().to_owned(), password: server.password().to_owned() };
    let target = Target::new(&server.url(), admin, Reach::default()).unwrap();
    let recorder = Recorder::start(target.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    (target, recorder)
}

/// The program, at work on an endpoint.
fn start(url: &str, target: &Target, further: &[&str]) -> Child {
    let user = format!("{}:{}", target.admin.username, target.admin.password);
    let folder = std::env::temp_dir();
    Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args([url, "-u", &user, "--color", "never", "--failures"])
        .arg(folder.join("interrupted-failures"))
        .args(further)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn until_requests(recorder: &Recorder, count: usize) {
    while recorder.count() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn end(child: Child) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let Output { status, stdout, stderr } = output;
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code().unwrap(), text)
}

fn tell(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_cleans_up_and_tells_what_it_knows() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = TestServer::start().await.unwrap();
        let (target, recorder) = proxied(&server).await;
        let child = start(&recorder.url(), &target, &["--category", "nosql", "--jobs", "4"]);
        until_requests(&recorder, 300).await;
        tell(&child, signal);
        let (status, text) = end(child).await;
        assert_eq!(status, 2, "{text}");
        assert!(text.contains("was not finished") && text.contains("(stopped early)"), "{text}");
        assert!(text.contains("not-run") && !text.contains("unclean"), "{text}");
        assert_eq!(sweep::find(&target, None).await, [], "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_ends_the_run() {
    let server = TestServer::start().await.unwrap();
    let (target, recorder) = proxied(&server).await;
    let child = start(&recorder.url(), &target, &["--category", "nosql", "--jobs", "4"]);
    until_requests(&recorder, 300).await;
    drop(recorder);
    let (status, text) = end(child).await;
    assert!(status == 1 || status == 2, "{status} {text}");
    assert!(text.contains("no longer answers"), "{text}");
    assert!(text.contains("conformance sweep"), "{text}");
    assert!(text.contains("blocked") && text.contains("not-run"), "{text}");
    // What was left is found and removed once the target is back.
    let left = sweep::find(&target, None).await;
    assert!(!left.is_empty(), "{text}");
    assert_eq!(sweep::remove(&target, left).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_program_and_its_target_at_once() {
    let server = TestServer::start().await.unwrap();
    let (target, recorder) = proxied(&server).await;
    // Any program will do as a target that is started: the one that answers is the proxy.
    let mut child = start(&recorder.url(), &target, &["--spawn", "exec sleep 86399"]);
    until_requests(&recorder, 100).await;
    // Two signals that come at once may be seen as one.
    while child.try_wait().unwrap().is_none() {
        tell(&child, Signal::INT);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, text) = end(child).await;
    assert!(status == 2 || status == 1, "{status} {text}");
    let left = sweep::find(&target, None).await;
    sweep::remove(&target, left).await;
    assert!(!runs("sleep 86399"), "the target still runs");
}

/// True while a process was started by these words.
fn runs(words: &str) -> bool {
    let show = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    let processes = Command::new("sh").args(["-c", show]).output().unwrap();
    // The words also stand in the command of the program under test, after `exec`.
    let text = String::from_utf8_lossy(&processes.stdout).replace(&format!("exec {words}"), "");
    text.contains(words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_ready_yet_ends_with_the_program() {
    let server = TestServer::start().await.unwrap();
    let (target, _) = proxied(&server).await;
    let child = start("http://127.0.0.1:1", &target, &["--spawn", "exec sleep 86398"]);
    while !runs("sleep 86398") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tell(&child, Signal::INT);
    let (status, text) = end(child).await;
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("interrupted before the target was ready"), "{text}");
    assert!(!runs("sleep 86398"), "the target still runs");
}
