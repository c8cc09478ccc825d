//! Targets that are killed while many write: a right one, and those that lie about what they keep.
//!
//! A target is this program again, in another role.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::event::{Checked, Event};
use conformance::spawn::{Order, SpawnError, Spawned};
use conformance::target::{Answer, Between, Exchange, Means, Request};
use conformance::verdict::Verdict;
use conformance::{Credentials, Options, Reach, Report, Stop, Target};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reference_server::system::handover::Inherited;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Says what this program is when it was started as a target.
const ROLE: &str = "DURABILITY_TEST_ROLE";

/// What a target is told: where to keep its data and where to listen.
fn told(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// Not a test but what `the` target runs; as a test it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn target() {
    if std::env::var(ROLE).is_ok() {
        let given =
            ["reference-server", "--ROOTPATH", &told("ROOT"), "--OPERATIONSAPI_NETWORK_PORT", &told("PORT")]
                .map(str::to_owned);
        let matches = reference_server::command::command().get_matches_from(given);
        reference_server::command::run(&matches, Inherited::take()).await.unwrap();
    }
}

fn admin() -> Credentials {
    Credentials { username: "admin".to_owned(), password: "Tr0ub4dor&3".to_owned() }
}

/// This program as a target; the fault is one of the reference server's, or none.
fn order(fault: &str) -> Order {
    let program = std::env::current_exe().unwrap();
    let command = format!(
        "export {ROLE}=server ROOT={{root}} PORT={{port}} REFERENCE_SERVER_FAULT={fault}; \
         '{}' --exact target --nocapture",
        program.display()
    );
    Order { command, url: None, kill: None, patience: Duration::from_secs(120) }
}

async fn spawn(order: &Order) -> Result<Spawned, SpawnError> {
    Spawned::start(order, admin(), Reach::default()).await
}

async fn run(spawned: &Arc<Spawned>, seed: u64) -> Report {
    run_on(spawned.target().clone(), spawned, seed).await
}

async fn run_on(target: Target, spawned: &Arc<Spawned>, seed: u64) -> Report {
    let options = Options {
        only: vec!["durability".to_owned()],
        spawned: Some(Arc::clone(spawned)),
        kills: 3,
        seed,
        ..Options::default()
    };
    conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await
}

fn checks(report: &Report) -> Vec<&Checked> {
    let checked = report.events.iter().filter_map(|event| match event {
        Event::Checked(check) => Some(&**check),
        _ => None,
    });
    checked.filter(|check| check.id.starts_with("durability/")).collect()
}

fn verdict(report: &Report, step: &str) -> Verdict {
    let id = format!("durability/kills#{step}");
    checks(report).into_iter().find(|check| check.id == id).unwrap().verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_reference_server_acknowledges_outlives_it() {
    let spawned = Arc::new(spawn(&order("")).await.unwrap());
    let report = run(&spawned, 7).await;
    report.assert_conforms();
    assert!(
        checks(&report).iter().all(|check| check.verdict == Verdict::Pass && !check.requirements.is_empty())
    );
    let killed = report.events.iter().any(
        |event| matches!(event, Event::Observed(observed) if observed.text.starts_with("killed 3 times")),
    );
    assert!(killed, "{}", report.to_text());
    let address = spawned.target().clone();
    drop(spawned);
    let gone = address.operate(&serde_json::json!({"operation": "user_info"})).await;
    assert!(gone.answer.is_none(), "nothing is left running");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_are_only_told_are_missed() {
    let spawned = Arc::new(spawn(&order("writes-told-not-done")).await.unwrap());
    let report = run(&spawned, 8).await;
    assert_eq!(report.exit_status(), 1, "{}", report.to_text());
    assert_eq!(verdict(&report, "acknowledged-writes-are-there"), Verdict::Fail, "{}", report.to_text());
    assert!(!report.to_text().contains("Tr0ub4dor"), "{}", report.to_text());
}

/// The records of a request that writes, unless it is the first one, to whose end the suite waits.
fn records(request: &Request) -> Option<Vec<serde_json::Value>> {
    let body = request.json()?;
    let records = body["records"].as_array()?;
    (records.len() > 1).then(|| records.clone())
}

/// Acknowledges what is to be written at once, and has it done a little later.
#[derive(Debug)]
struct Late;

impl Between for Late {
    fn exchange<'a>(&'a self, target: &'a Target, means: Means, request: Request) -> BoxFuture<'a, Exchange> {
        async move {
            if records(&request).is_none() {
                return target.send_directly(means, request).await;
            }
            let (later, asked) = (target.clone(), request.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                later.send_directly(means, asked).await;
            });
            let kind = vec![("content-type".to_owned(), "application/json".to_owned())];
            Exchange { request, answer: Some(Answer::new(200, kind, b"{}")), fault: None, millis: 0.0 }
        }
        .boxed()
    }
}

/// Has the records of a request written one after the other.
#[derive(Debug)]
struct Piecemeal;

impl Between for Piecemeal {
    fn exchange<'a>(&'a self, target: &'a Target, means: Means, request: Request) -> BoxFuture<'a, Exchange> {
        async move {
            let mut last = None;
            for record in records(&request).unwrap_or_default() {
                let mut part = request.clone();
                let mut body = request.json().unwrap();
                body["records"] = serde_json::json!([record]);
                part.body = body.to_string().into_bytes();
                let exchange = target.send_directly(means, part).await;
                if exchange.answer.is_none() {
                    return exchange;
                }
                last = Some(exchange);
            }
            match last {
                Some(exchange) => exchange,
                None => target.send_directly(means, request).await,
            }
        }
        .boxed()
    }
}

/// Whether a kill meets the moment is chance, so it is tried with several seeds.
async fn found_out(between: Arc<dyn Between>, step: &str) {
    let spawned = Arc::new(spawn(&order("")).await.unwrap());
    let mut seen = Vec::new();
    for seed in 0..10 {
        let target = spawned.target().clone().with_between(Arc::clone(&between));
        let report = run_on(target, &spawned, seed).await;
        if verdict(&report, step) == Verdict::Fail {
            return;
        }
        seen.push(report.to_text());
    }
    panic!("{step} never failed:\n{}", seen.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_are_told_before_they_are_done_are_missed() {
    found_out(Arc::new(Late), "acknowledged-writes-are-there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_done_by_halves_are_noticed() {
    found_out(Arc::new(Piecemeal), "requests-are-whole").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_come_back_fails() {
    let mut order = order("");
    // The second time there is a folder already.
    order.command = format!("mkdir {{root}}/once || exit 7\n{}", order.command);
    let report = run(&Arc::new(spawn(&order).await.unwrap()), 9).await;
    assert_eq!(report.exit_status(), 1, "{}", report.to_text());
    assert_eq!(verdict(&report, "acknowledged-writes-are-there"), Verdict::Fail);
    assert_eq!(verdict(&report, "requests-are-whole"), Verdict::Blocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_be_started_is_told_of() {
    let order = |command: &str| Order {
        command: command.to_owned(),
        patience: Duration::from_millis(300),
        ..order("")
    };
    let error = spawn(&order("echo 'out of order: Tr0ub4dor&3'; exit 3")).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("out of order: [redacted]"), "{error}");
    let error = spawn(&order("sleep 60")).await.unwrap_err().to_string();
    assert!(error.contains("not ready within"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_may_do_the_killing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let kill = Some(format!("echo killed >> '{}'", file.path().display()));
    let spawned = spawn(&Order { kill, ..order("") }).await.unwrap();
    spawned.kill().await;
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(file.path()), 1);
    spawned.start_again().await.unwrap();
    drop(spawned);
    assert_eq!(lines(file.path()), 2);
}
