//! The kill matrix: for every named fault of the server a check that is meant to notice it, and does. What takes two
//! nodes is in `shared_faults.rs`. `evidence/faults.txt` says which; each row is tried again here, on servers with that
//! fault.
//!
//! `FAULTS=write` looks for checks where there are none and writes the table; `FAULTS=anew` forgets what is known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;

use conformance::selftest::kills::{self, Fault};
use farm::Servers;
use reference_server::faults;
use std::path::PathBuf;
use std::time::Instant;

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "evidence", "faults.txt"].iter().collect()
}

fn all() -> Vec<Fault> {
    let fault = |fault: &faults::Fault| Fault {
        name: fault.name.to_owned(),
        wrong: fault.wrong.to_owned(),
        breaks: fault.breaks.iter().map(|id| (*id).to_owned()).collect(),
    };
    faults::FAULTS.iter().filter(|fault| !fault.is_shared && !fault.is_within).map(fault).collect()
}

// The fault is chosen for the whole process, so this file has one test that starts servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_noticed_by_a_check_that_is_meant_to() {
    let suite = conformance::suite().unwrap();
    let faults = all();
    let choose = |name: Option<&str>| faults::choose(name).unwrap();
    let mut table = kills::parse(&std::fs::read_to_string(file()).unwrap_or_default()).unwrap();
    let mode = std::env::var("FAULTS").unwrap_or_default();
    if mode == "write" || mode == "anew" {
        if mode == "anew" {
            table.clear();
        }
        let started = Instant::now();
        for name in kills::try_again(&Servers, &suite, &faults, &table, &choose).await.keys() {
            table.remove(name);
        }
        let open: Vec<Fault> =
            faults.iter().filter(|fault| !table.contains_key(&fault.name)).cloned().collect();
        let found = kills::try_all(&Servers, &suite, &open, &choose, &|fault, killed| {
            if killed.by.is_empty() {
                println!(
                    "{} was not noticed by any of {} checks; others: {:?}",
                    fault.name, killed.meant, killed.also
                );
            }
        });
        for (name, killed) in found.await {
            table.extend(killed.by.into_iter().next().map(|check| (name, check)));
        }
        std::fs::write(file(), kills::to_text(&faults, &table)).unwrap();
        println!("{} of {} faults in {:?}", table.len(), faults.len(), started.elapsed());
        return;
    }
    let missing: Vec<&str> =
        faults.iter().map(|fault| fault.name.as_str()).filter(|name| !table.contains_key(*name)).collect();
    assert_eq!(missing, [""; 0], "no check is known to notice these (FAULTS=write looks for one)");
    let text = std::fs::read_to_string(file()).unwrap();
    assert_eq!(kills::to_text(&faults, &table), text, "the table is not as it would be written");
    let wrong = kills::try_again(&Servers, &suite, &faults, &table, &choose).await;
    assert!(wrong.is_empty(), "rows that do not hold (FAULTS=write looks for others): {wrong:#?}");
}
