//! The order of a run: what can go side by side, then what needs the target for itself, then what disturbs it.

use super::{Plan, Run, Unit, all, cleanup, story};
use crate::checks;
use crate::event::{Checked, Event};
use crate::verdict::Verdict;
use futures_util::StreamExt as _;
use std::collections::HashSet;
use std::sync::Arc;

/// Units beyond this many that failed are not tried again: that is no flake.
const RETRIED: usize = 20;

/// Runs every unit of a plan, cleans up, and hands out one verdict per declared check.
pub async fn execute(run: &Arc<Run>, plan: &Plan, jobs: usize) {
    let numbered = plan.units.iter().enumerate();
    let (last, rest): (Vec<_>, Vec<_>) = numbered.partition(|(_, unit)| unit.is_disruptive());
    let (serial, parallel): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, unit)| unit.is_serial());
    let mut failed = Vec::new();

    let mut running = futures_util::stream::iter(parallel)
        .map(|(number, unit)| {
            let (run, unit) = (Arc::clone(run), unit.clone());
            async move {
                let shared = Arc::clone(&run);
                let task = {
                    let unit = unit.clone();
                    tokio::spawn(async move { one(&shared, &unit, number).await })
                };
                let checks = task.await.unwrap_or_else(|error| broken(&run, &unit, &error.to_string()));
                (number, unit, checks)
            }
        })
        .buffer_unordered(jobs.max(1));
    while let Some((number, unit, checks)) = running.next().await {
        deliver(run, number, unit, checks, &mut failed);
    }
    for (number, unit) in serial.into_iter().chain(last) {
        let checks = one(run, unit, number).await;
        deliver(run, number, unit.clone(), checks, &mut failed);
    }
    again(run, plan.units.len(), failed).await;
    for check in checks::over_all_answers(run) {
        run.emit(Event::Checked(Box::new(check)));
    }
    for check in cleanup::verify(run, plan).await {
        run.emit(Event::Checked(Box::new(check)));
    }
}

/// Units with failures wait for a second try before their verdicts are told.
fn deliver(
    run: &Run,
    number: usize,
    unit: Unit,
    checks: Vec<Checked>,
    failed: &mut Vec<(usize, Unit, Vec<Checked>)>,
) {
    if !unit.is_disruptive()
        && failed.len() < RETRIED
        && checks.iter().any(|check| check.verdict == Verdict::Fail)
    {
        failed.push((number, unit, checks));
        return;
    }
    for check in checks {
        run.emit(Event::Checked(Box::new(check)));
    }
}

/// Tries the failed stories once more, alone: a check that passes now is flaky, not failed.
async fn again(run: &Run, units: usize, failed: Vec<(usize, Unit, Vec<Checked>)>) {
    for (number, unit, checks) in failed {
        let second = if run.stop.stopped() { Vec::new() } else { one(run, &unit, units + number).await };
        for mut check in checks {
            let repeated = second.iter().find(|other| other.id == check.id);
            if check.verdict == Verdict::Fail && repeated.is_some_and(|other| other.verdict == Verdict::Pass)
            {
                check.verdict = Verdict::Flaky;
                check.reason = Some("it failed the first time and passed when repeated alone".to_owned());
            }
            run.emit(Event::Checked(Box::new(check)));
        }
    }
}

/// Runs one unit; what it judges must be exactly what it declared.
async fn one(run: &Run, unit: &Unit, number: usize) -> Vec<Checked> {
    let profile = run.context.profile;
    if run.stop.stopped() {
        return all(unit, profile, Verdict::NotRun, "the run was stopped");
    }
    let checks = story::tell(run, unit, number).await;
    let declared: HashSet<String> = unit.declared(profile).into_iter().map(|check| check.id).collect();
    let judged: HashSet<String> = checks.iter().map(|check| check.id.clone()).collect();
    if declared != judged || checks.len() != declared.len() {
        return broken(run, unit, "the checks that were judged are not the ones that were declared");
    }
    checks
}

fn broken(run: &Run, unit: &Unit, reason: &str) -> Vec<Checked> {
    all(unit, run.context.profile, Verdict::HarnessError, reason)
}
