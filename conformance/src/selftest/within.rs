//! The part of the kill matrix that answers do not show: faults of handshakes, files and the like, and the laws of
//! [`setups`] that notice them.

use super::Farm;
use super::evidence::prepare;
use super::kills::{Choose, Fault, Killed};
use crate::event::{Checked, Event};
use crate::laws::Law;
use crate::setups;
use crate::verdict::Verdict;
use std::collections::BTreeMap;

/// Tries all laws on right servers; those that do not pass.
pub async fn all_hold(farm: &dyn Farm, choose: Choose<'_>) -> Vec<String> {
    choose(None);
    let odd = told(farm, &|_| true).await.into_iter().filter(|check| check.verdict != Verdict::Pass);
    odd.map(|check| format!("{}: {}", check.id, check.reason.unwrap_or_default())).collect()
}

/// Tries faults one after the other, each on servers of its own; `heard` hears of each.
pub async fn try_all(
    farm: &dyn Farm,
    faults: &[Fault],
    choose: Choose<'_>,
    heard: &(dyn Fn(&Fault, &Killed) + Sync),
) -> BTreeMap<String, Killed> {
    let mut outcomes = BTreeMap::new();
    for fault in faults {
        choose(Some(&fault.name));
        let is_meant =
            |law: &Law| law.requirements.iter().any(|id| fault.breaks.iter().any(|broken| broken == id));
        let checks = told(farm, &is_meant).await;
        choose(None);
        let failed = checks.iter().filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Warn));
        let by = failed.map(|check| check.id.clone()).collect();
        let killed = Killed { by, also: Vec::new(), meant: checks.len() };
        heard(fault, &killed);
        outcomes.insert(fault.name.clone(), killed);
    }
    outcomes
}

/// Tries laws; the verdicts.
async fn told(farm: &dyn Farm, is_wanted: &(dyn Fn(&Law) -> bool + Sync)) -> Vec<Checked> {
    // A run has a target, though these laws have servers of their own.
    let Some(instance) = farm.start("tcp").await else { return Vec::new() };
    let run = prepare(instance.target().clone(), "tcp", &*instance, "within");
    setups::try_some(&run, Some(farm), &|_, law| is_wanted(law)).await;
    let checks = run.events().into_iter().filter_map(|event| match event {
        Event::Checked(check) => Some(*check),
        _ => None,
    });
    checks.collect()
}
