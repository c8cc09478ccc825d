//! The laws of servers that are set up for them, or looked into: they hold of the reference server, and for every named
//! fault of handshakes, files and the like one of them notices it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;

use conformance::selftest::kills::Fault;
use conformance::selftest::within;
use conformance::setups;
use farm::Servers;
use reference_server::faults;
use std::collections::BTreeSet;

/// What is tried by `durability.rs`.
const ELSEWHERE: [&str; 1] = ["NOSQL-WRITE-011"];

fn faults_within() -> Vec<Fault> {
    let within = faults::FAULTS.iter().filter(|fault| fault.is_within);
    within
        .map(|fault| Fault {
            name: fault.name.to_owned(),
            wrong: fault.wrong.to_owned(),
            breaks: fault.breaks.iter().map(|id| (*id).to_owned()).collect(),
        })
        .collect()
}

#[test]
fn for_every_requirement_there_is_a_fault() {
    let broken: BTreeSet<String> = faults_within().into_iter().flat_map(|fault| fault.breaks).collect();
    let known: BTreeSet<String> = setups::requirements().map(str::to_owned).collect();
    let unbroken: Vec<&String> =
        known.iter().filter(|id| !broken.contains(*id) && !ELSEWHERE.contains(&id.as_str())).collect();
    assert!(unbroken.is_empty(), "no fault breaks these: {unbroken:?}");
    assert!(known.iter().all(|id| spec::registry().requirement(id).is_some()));
}

// The fault is chosen for the whole process, so this file has one test that starts servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_within_is_noticed_by_a_law_that_is_meant_to() {
    let choose = |name: Option<&str>| faults::choose(name).unwrap();
    assert_eq!(within::all_hold(&Servers, &choose).await, [""; 0], "these do not hold of right servers");
    let faults = faults_within();
    let outcomes = within::try_all(&Servers, &faults, &choose, &|fault, killed| {
        println!("{}: {:?}", fault.name, killed.by);
    });
    let outcomes = outcomes.await;
    let unnoticed: Vec<&String> =
        outcomes.iter().filter(|(_, killed)| killed.by.is_empty()).map(|(name, _)| name).collect();
    assert!(unnoticed.is_empty(), "not noticed by the laws that are meant to: {unnoticed:?}");
    assert_eq!(outcomes.len(), faults.len());
}
