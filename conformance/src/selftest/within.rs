//! The part of the kill matrix that answers do not show: faults of handshakes, files and the like, and the laws of
//! [`setups`] that notice them.

use super::Farm;
use super::evidence::prepare;
use super::kills::{Choose, Fault, Killed, not_passing};
use crate::event::Checked;
use crate::laws::Law;
use crate::setups;
use std::collections::BTreeMap;

/// Tries all laws on right servers; those that do not pass.
pub async fn all_hold(farm: &dyn Farm, choose: Choose<'_>) -> Vec<String> {
    choose(None);
    not_passing(told(farm, &|_| true).await)
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
        let checks = told(farm, &|law| fault.bears_on(law.requirements)).await;
        choose(None);
        let by = checks.iter().filter(|check| check.objects()).map(|check| check.id.clone()).collect();
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
    run.checks()
}
