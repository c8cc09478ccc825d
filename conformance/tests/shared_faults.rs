//! The part of the kill matrix that takes two nodes: for every named fault of what is between them, and everything that
//! it breaks, a law of `cluster` that bears on it and notices. Without nats-server it says that it is skipped, and fails
//! when `REQUIRE_NATS` is set.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;

use conformance::cluster;
use conformance::selftest::kills::Fault;
use conformance::selftest::shared;
use farm::Servers;
use reference_server::faults;
use reference_server::replication::has_nats_server;
use std::collections::BTreeSet;

// The fault is chosen for the whole process, so this file has one test that starts servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_between_nodes_is_noticed_by_a_law_that_is_meant_to() {
    if !has_nats_server() {
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
    let mut unnoticed = Vec::new();
    for fault in &faults {
        let seen: BTreeSet<&str> =
            outcomes[&fault.name].by.iter().flat_map(|check| cluster::bears_on(check)).copied().collect();
        let borne: BTreeSet<&str> = cluster::requirements().collect();
        let broken = fault.breaks.iter().map(String::as_str).filter(|id| borne.contains(id));
        unnoticed.extend(broken.filter(|id| !seen.contains(id)).map(|id| (&fault.name, id)));
    }
    assert_eq!(unnoticed, [], "no law that bears on this requirement notices this fault");
}
