//! The suite against the reference server: as it is, and as it can be set up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;

use conformance::event::{Checked, Event};
use conformance::farm::Farm as _;
use conformance::verdict::Verdict;
use conformance::{Credentials, Options, Reach, Report, Stop, Target};
use farm::Servers;
use reference_server::TestServer;
use std::collections::HashSet;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_conforms() {
    let server = Servers.start("quick-analytics").await.unwrap();
    let options = Options {
        with: vec!["quick-restart".to_owned(), "s3".to_owned()],
        services: server.services(),
        farm: Some(Arc::new(Servers)),
        ..Options::default()
    };
    let target = server.target().clone();
    let report = conformance::run_with(target, options, Arc::new(|_| ()), Stop::default()).await;
    report.assert_conforms();
    let checks: Vec<Checked> = report
        .events
        .into_iter()
        .filter_map(|event| match event {
            Event::Checked(check) => Some(*check),
            _ => None,
        })
        .collect();
    let mut ids = HashSet::new();
    let twice: Vec<&str> = checks.iter().map(|check| &*check.id).filter(|id| !ids.insert(*id)).collect();
    assert_eq!(twice, [""; 0], "judged more than once");
    let untold: Vec<String> = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Unsupported)
        .filter(|check| {
            let reason = check.reason.as_deref().unwrap_or_default();
            let may_lack_nats = std::env::var_os("REQUIRE_NATS").is_none() && reason.contains("nats-server");
            !(reason.contains("does not offer") || may_lack_nats)
        })
        .map(|check| format!("{}: {}", check.id, check.reason.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(untold, [""; 0], "the harness can have these told");
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
