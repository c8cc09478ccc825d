//! The kill matrix: which checks fail when the server itself is wrong in one named way.
//!
//! The server is chosen to be wrong for the whole process, so faults are tried one after the other, each on servers
//! of its own.

use super::evidence::{PATIENCE, Stories, need, owner, passing, prepare, tell_rightly};
use super::{Farm, Instance};
use crate::checks;
use crate::event::Checked;
use crate::runner::{self, Run, Unit};
use crate::scenario::{Profile, Suite};
use crate::verdict::Verdict;
use futures_util::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Stories told at once to one wrong server.
const AT_ONCE: usize = 4;

/// So many of the stories that are meant to notice a fault are told at most, those that say most of it first.
const MEANT: usize = 40;

/// So many of the other stories are told besides.
const SAMPLE: usize = 8;

/// A way in which the server can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub wrong: String,
    /// The requirements that it breaks.
    pub breaks: Vec<String>,
}

impl Fault {
    /// True when one of these requirements is broken by it.
    pub(super) fn bears_on<T: AsRef<str>>(&self, requirements: &[T]) -> bool {
        requirements.iter().any(|id| self.breaks.iter().any(|broken| broken == id.as_ref()))
    }
}

/// Chooses the fault of every server that is started from now on, or none.
pub type Choose<'a> = &'a (dyn Fn(Option<&str>) + Sync);

/// What came of one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Killed {
    /// Checks that cite a requirement which the fault breaks, or else exercise its operation, and failed; the most
    /// telling first.
    pub by: Vec<String>,
    /// Other checks that failed.
    pub also: Vec<String>,
    /// How many checks were meant to notice.
    pub meant: usize,
}

/// Tries faults one after the other; `told` hears of each.
pub async fn try_all(
    farm: &dyn Farm,
    suite: &Suite,
    faults: &[Fault],
    choose: Choose<'_>,
    told: &(dyn Fn(&Fault, &Killed) + Sync),
) -> BTreeMap<String, Killed> {
    let stories = Stories::new(suite);
    let plans: Vec<Vec<Unit>> = faults.iter().map(|fault| units_for(&stories, fault)).collect();
    let wanted: BTreeMap<String, Unit> =
        plans.iter().flatten().map(|unit| (unit.id().to_owned(), unit.clone())).collect();
    choose(None);
    let passing = passing(tell_rightly(farm, wanted.into_values().collect(), Arc::new(|_| ())).await);
    let mut outcomes = BTreeMap::new();
    for (fault, units) in faults.iter().zip(plans) {
        choose(Some(&fault.name));
        let mut failed = tell(farm, units.clone()).await;
        choose(None);
        failed.retain(|check| passing.contains(check));
        let owners = owners(fault);
        let rank = |check: &String| rank(&stories, fault, &owners, check);
        let declared = units.iter().flat_map(|unit| unit.declared(Profile::Strict));
        let ids = declared.map(|check| check.id).chain(checks::rules().map(|(id, _)| id));
        let meant = ids.filter(|check| passing.contains(check) && rank(check).is_some()).count();
        let (mut by, also): (Vec<String>, Vec<String>) =
            failed.into_iter().partition(|check| rank(check).is_some());
        by.sort_by_cached_key(|check| (rank(check), check.clone()));
        let killed = Killed { by, also, meant };
        told(fault, &killed);
        outcomes.insert(fault.name.clone(), killed);
    }
    outcomes
}

/// Tries only the checks that a table names, each told alone under its fault: what does not hold, with the reason.
pub async fn try_again(
    farm: &dyn Farm,
    suite: &Suite,
    faults: &[Fault],
    table: &BTreeMap<String, String>,
    choose: Choose<'_>,
) -> BTreeMap<String, String> {
    let stories = Stories::new(suite);
    choose(None);
    let mut wanted = BTreeMap::new();
    for check in table.values() {
        if let Some(unit) = stories.unit_of(check) {
            wanted.insert(unit.id().to_owned(), unit.clone());
        }
    }
    let passing = passing(tell_rightly(farm, wanted.into_values().collect(), Arc::new(|_| ())).await);
    let mut wrong = BTreeMap::new();
    for fault in faults {
        let Some(check) = table.get(&fault.name) else { continue };
        let reason = if rank(&stories, fault, &owners(fault), check).is_none() {
            Some(format!("{check} has nothing to do with {}", fault.breaks.join(", ")))
        } else if !passing.contains(check) {
            Some(format!("{check} does not pass without it"))
        } else {
            choose(Some(&fault.name));
            // The rules for all answers need some answers, whatever they are.
            let told = match stories.up_to(check) {
                Some(unit) => vec![unit],
                None => units_for(&stories, fault),
            };
            let failed = tell(farm, told).await;
            choose(None);
            (!failed.contains(check)).then(|| format!("{check} does not notice it"))
        };
        wrong.extend(reason.map(|reason| (fault.name.clone(), reason)));
    }
    wrong
}

/// How telling it is that a check fails under a fault, the least number first: whether it only exercises the operation
/// whose requirement is broken, and how many requirements it cites.
type Rank = (bool, usize);

/// The operations whose requirements a fault breaks.
fn owners(fault: &Fault) -> Vec<&'static str> {
    fault.breaks.iter().filter_map(|id| owner(id)).collect()
}

/// `None` for checks that are not meant to notice.
fn rank(stories: &Stories, fault: &Fault, owners: &[&str], check: &str) -> Option<Rank> {
    let cited = stories.cited.get(check).map(Vec::as_slice).unwrap_or_default();
    if fault.bears_on(cited) {
        return Some((false, cited.len()));
    }
    let operation = stories.operations.get(check)?;
    owners.contains(operation).then_some((true, cited.len()))
}

/// The stories that are meant to notice a fault, and some others.
fn units_for(stories: &Stories, fault: &Fault) -> Vec<Unit> {
    let mut meant: Vec<(Rank, &Unit)> = Vec::new();
    let mut others: Vec<&Unit> = Vec::new();
    let owners = owners(fault);
    for unit in stories.units.values() {
        let ids = unit.scenario.checks().map(|(_, id)| id);
        match ids.filter_map(|id| rank(stories, fault, &owners, &id)).min() {
            Some(rank) => meant.push((rank, unit)),
            None => others.push(unit),
        }
    }
    meant.sort_by_key(|(rank, unit)| (*rank, unit.scenario.steps.len()));
    // The same sample every time, another one for each fault.
    let seed = fault.name.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let step = (others.len() / SAMPLE).max(1);
    let sample = others.iter().skip(seed % step).step_by(step).take(SAMPLE);
    meant
        .iter()
        .take(MEANT)
        .map(|(_, unit)| (*unit).clone())
        .chain(sample.map(|unit| (*unit).clone()))
        .collect()
}

/// Tells stories to servers that are wrong by now; the checks that failed.
async fn tell(farm: &dyn Farm, units: Vec<Unit>) -> BTreeSet<String> {
    let mut by_need: BTreeMap<String, Vec<Unit>> = BTreeMap::new();
    for unit in units {
        by_need.entry(need(&unit)).or_default().push(unit);
    }
    let mut failed = BTreeSet::new();
    for (need, units) in by_need {
        let (serial, parallel): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(Unit::is_serial);
        if let Some(instance) = farm.start(&need).await {
            let run = run_against(&*instance, &need);
            let run = &run;
            let told: Vec<_> = futures_util::stream::iter(parallel.into_iter().enumerate())
                .map(|(number, unit)| async move { runner::tell(run, &unit, number).await })
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            note(&mut failed, told.into_iter().flatten());
            note(&mut failed, checks::over_all_answers(run));
        }
        for unit in serial {
            // What all stories share is spoilt after such a story.
            let Some(instance) = farm.start(&need).await else { continue };
            let run = run_against(&*instance, &need);
            note(&mut failed, runner::tell(&run, &unit, 0).await);
        }
    }
    failed
}

fn run_against(instance: &dyn Instance, need: &str) -> Run {
    let mut run = prepare(instance.target().clone(), need, instance, "odd");
    run.patience = PATIENCE;
    run
}

fn note(failed: &mut BTreeSet<String>, checks: impl IntoIterator<Item = Checked>) {
    failed.extend(checks.into_iter().filter(Checked::objects).map(|check| check.id));
}

/// The checks that do not pass, each with its reason.
pub(super) fn not_passing(checks: Vec<Checked>) -> Vec<String> {
    let odd = checks.into_iter().filter(|check| check.verdict != Verdict::Pass);
    odd.map(|check| format!("{}: {}", check.id, check.reason.unwrap_or_default())).collect()
}

/// Reads a table of `fault | requirements | check` lines.
///
/// # Errors
/// A sentence about the first line that is none of this.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| match line.split(" | ").collect::<Vec<_>>().as_slice() {
            [fault, _, check] => Ok(((*fault).to_owned(), (*check).to_owned())),
            _ => Err(format!("'{line}' is no row")),
        })
        .collect()
}

/// Writes the table.
pub fn to_text(faults: &[Fault], table: &BTreeMap<String, String>) -> String {
    let mut out = String::from(
        "# For every fault of the server: the requirements that it breaks, and a check that cites one of them (or at\n\
         # least exercises the operation that is broken), passes without the fault and fails with it. Made by\n\
         # `cargo test -p conformance --test faults` with FAULTS=write, which keeps the rows that hold.\n\
         # `conformance self-test --fault NAME` shows more about one.\n\n",
    );
    for fault in faults {
        if let Some(check) = table.get(&fault.name) {
            let _ = writeln!(out, "{} | {} | {check}", fault.name, fault.breaks.join(" "));
        }
    }
    out
}
