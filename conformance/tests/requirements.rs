//! Checks and requirements fit together: every id that a check cites exists, and everything that the contract demands
//! of what the suite covers is borne on by a check.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::baseline::Baseline;
use conformance::runner::Plan;
use conformance::selftest::Table;
use conformance::{Options, Profile};
use std::collections::BTreeSet;

/// Areas whose every requirement has its check by now.
fn areas() -> Vec<&'static str> {
    include_str!("evidence/finished-areas.txt").lines().filter(|line| !line.starts_with('#')).collect()
}

/// Requirements that no request can show, each with the reason.
fn beyond() -> BTreeSet<String> {
    Table::parse(include_str!("evidence/seen-to-fail.txt")).unwrap().beyond.into_keys().collect()
}

fn cited() -> BTreeSet<String> {
    let options = Options { profile: Profile::Strict, ..Options::default() };
    let plan = Plan::new(&conformance::suite().unwrap(), &options);
    let checks = plan.units.iter().flat_map(|unit| unit.declared(Profile::Strict));
    let rules = conformance::checks::requirements_of_rules().map(str::to_owned);
    // `setups.rs` and `shared_faults.rs` see these fail.
    let within = conformance::setups::requirements().chain(conformance::cluster::requirements());
    let within = within.map(str::to_owned);
    checks.flat_map(|check| check.requirements).chain(rules).chain(within).collect()
}

#[test]
fn every_cited_requirement_exists() {
    let unknown: Vec<_> =
        cited().into_iter().filter(|id| spec::registry().requirement(id).is_none()).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn every_entry_of_a_baseline_is_about_something_that_exists() {
    let options = Options { profile: Profile::Strict, ..Options::default() };
    let plan = Plan::new(&conformance::suite().unwrap(), &options);
    let checks: Vec<_> = plan.units.iter().flat_map(|unit| unit.declared(Profile::Strict)).collect();
    let ids: Vec<String> = checks.iter().map(|check| check.id.clone()).collect();
    for name in Baseline::shipped() {
        let baseline = Baseline::by_name(name).unwrap().unwrap();
        assert!(!baseline.is_empty(), "{name}");
        let lost: Vec<_> = baseline.fitting(&ids).filter(|(_, fitting)| *fitting == 0).collect();
        assert_eq!(lost, [], "{name} names checks that do not exist");
        let named: BTreeSet<&str> = baseline.requirements().map(|(pattern, _)| pattern).collect();
        let unnamed: Vec<_> = baseline.patterns().filter(|pattern| !named.contains(pattern)).collect();
        assert_eq!(unnamed, [""; 0], "{name} does not say which requirements these break");
        for (pattern, requirement) in baseline.requirements() {
            let known = spec::registry().requirement(requirement).is_some();
            let cited =
                checks.iter().any(|c| c.id == pattern && c.requirements.iter().any(|id| id == requirement));
            assert!(
                known && (cited || pattern.contains('*')),
                "{name}: {pattern} does not bear on {requirement}"
            );
        }
    }
}

#[test]
fn every_requirement_of_the_covered_areas_is_cited() {
    let cited = cited();
    let (areas, beyond) = (areas(), beyond());
    let wanted = spec::registry().requirements().filter(|requirement| areas.contains(&requirement.area()));
    let uncited: Vec<_> = wanted
        .map(|requirement| requirement.id.as_str())
        .filter(|id| !cited.contains(*id) && !beyond.contains(*id))
        .collect();
    assert_eq!(uncited, [""; 0]);
    let stale: Vec<_> = beyond.into_iter().filter(|id| cited.contains(id)).collect();
    assert_eq!(stale, [""; 0], "these have a check after all");
}

#[test]
fn an_intended_behaviour_is_never_demanded() {
    let suite = conformance::suite().unwrap();
    let mut wrong = Vec::new();
    for scenario in &suite.scenarios {
        for (step, id) in scenario.checks() {
            let mut requirements =
                scenario.requirements_of(step).filter_map(|id| spec::registry().requirement(id));
            let binding = requirements.any(|requirement| requirement.level == spec::Level::Must);
            if !binding && step.level == conformance::scenario::Level::Must {
                wrong.push(id);
            }
        }
    }
    assert_eq!(wrong, [""; 0], "these cite nothing that is a MUST, yet fail a target");
}
