//! The part of the kill matrix that takes two nodes: for every named fault of what is between them a law of `cluster`
//! that notices it. Without nats-server it says that it is skipped, and fails when `REQUIRE_NATS` is set.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;
#[path = "../src/cli/embedded/nats.rs"]
mod nats;

use conformance::selftest::kills::Fault;
use conformance::selftest::shared;
use farm::Servers;
use reference_server::faults;

// The fault is chosen for the whole process, so this file has one test that starts servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_between_nodes_is_noticed_by_a_law_that_is_meant_to() {
    if !nats::is_there() {
        assert!(std::env::var_os("REQUIRE_NATS").is_none(), "nats-server is missing and REQUIRE_NATS is set");
        eprintln!("skipped: nats-server is missing");
        return;
    }
    let choose = |name: Option<&str>| faults::choose(name).unwrap();
    assert_eq!(shared::all_hold(&Servers, &choose).await, [""; 0], "these do not hold of right nodes");
    let faults = faults::FAULTS.iter().filter(|fault| fault.is_shared).map(|fault| Fault {
        name: fault.name.to_owned(),
        wrong: fault.wrong.to_owned(),
        breaks: fault.breaks.iter().map(|id| (*id).to_owned()).collect(),
    });
    let faults: Vec<Fault> = faults.collect();
    let outcomes = shared::try_all(&Servers, &faults, &choose, &|fault, killed| {
        println!("{}: {:?}, also {:?}", fault.name, killed.by, killed.also);
    });
    let outcomes = outcomes.await;
    let unnoticed: Vec<&String> =
        outcomes.iter().filter(|(_, killed)| killed.by.is_empty()).map(|(name, _)| name).collect();
    assert!(unnoticed.is_empty(), "not noticed by the laws that are meant to: {unnoticed:?}");
    assert_eq!(outcomes.len(), faults.len());
}
