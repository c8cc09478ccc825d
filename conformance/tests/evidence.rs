//! Every requirement of the areas that are done is borne on by a check that was seen to fail when the behaviour was
//! broken. `evidence/seen-to-fail.txt` says by which check and with which breakage; each row is tried again here. What
//! takes several nodes to see has no row: the faults that break it are tried in `shared_faults.rs`.
//!
//! `EVIDENCE=write` looks for rows where there are none, keeps those that hold, and writes the table;
//! `EVIDENCE=anew` forgets what is known before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

#[path = "../src/cli/embedded/farm.rs"]
mod farm;

use conformance::cluster;
use conformance::selftest::{Farm, Table, evidence};
use farm::Servers;
use reference_server::faults;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Areas whose every requirement has its row, or its reason for having none. Rows of other areas are tried too, but
/// may be out of date.
fn areas() -> Vec<&'static str> {
    include_str!("evidence/finished-areas.txt").lines().filter(|line| !line.starts_with('#')).collect()
}

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "evidence", "seen-to-fail.txt"].iter().collect()
}

/// Requirements that are broken by faults of what is between nodes, and borne on by laws among nodes. That these laws
/// notice is tried in shared_faults.rs.
fn between_nodes() -> BTreeSet<&'static str> {
    let broken = faults::FAULTS.iter().filter(|fault| fault.is_shared).flat_map(|fault| fault.breaks);
    let borne: BTreeSet<&str> = cluster::requirements().collect();
    broken.copied().filter(|id| borne.contains(id)).collect()
}

fn requirements() -> BTreeSet<String> {
    spec::registry().requirements().map(|requirement| requirement.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds() {
    let farm: Arc<dyn Farm> = Arc::new(Servers);
    let suite = conformance::suite().unwrap();
    let mut table = Table::parse(&std::fs::read_to_string(file()).unwrap_or_default()).unwrap();
    let mode = std::env::var("EVIDENCE").unwrap_or_default();
    if mode == "write" || mode == "anew" {
        if mode == "anew" {
            table.rows.clear();
        }
        let started = Instant::now();
        let found = evidence::find(&farm, &suite, &table, &requirements()).await;
        std::fs::write(file(), found.table.to_text()).unwrap();
        for (requirement, checks) in &found.unseen {
            println!("{requirement}: no row; {checks} passing checks cite it");
        }
        println!("broken in some way, but not in its own: {:?}", found.unspecific);
        println!("{} rows in {:?}", found.table.rows.len(), started.elapsed());
        return;
    }
    let mut faults = evidence::try_again(&farm, &suite, &table).await;
    let finished = areas();
    faults.retain(|requirement, fault| {
        let counts = finished.iter().any(|area| requirement.split('-').next() == Some(area));
        if !counts {
            println!("{requirement}, of an unfinished area: {fault}");
        }
        counts
    });
    assert!(faults.is_empty(), "rows that do not hold (EVIDENCE=write finds others): {faults:#?}");
}

#[test]
fn every_requirement_of_a_finished_area_has_its_row() {
    let text = std::fs::read_to_string(file()).unwrap();
    let table = Table::parse(&text).unwrap();
    assert_eq!(table.to_text(), text, "the table is not as it would be written");
    let (areas, within): (_, BTreeSet<&str>) = (areas(), conformance::setups::requirements().collect());
    let between_nodes = between_nodes();
    let missing: Vec<&str> = spec::registry()
        .requirements()
        .filter(|requirement| areas.contains(&requirement.area()))
        .map(|requirement| requirement.id.as_str())
        .filter(|id| !table.rows.contains_key(*id) && !table.beyond.contains_key(*id) && !within.contains(id))
        .filter(|id| !between_nodes.contains(id))
        .collect();
    assert_eq!(missing, [""; 0], "no check was seen to fail for these");
    let known = requirements();
    let stale: Vec<&String> =
        table.rows.keys().chain(table.beyond.keys()).filter(|id| !known.contains(*id)).collect();
    assert!(stale.is_empty(), "no such requirements: {stale:?}");
}
