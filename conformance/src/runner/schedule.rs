//! The order of a run: what can go side by side, then what needs the target for itself, then what disturbs it, then
//! what kills it.

use super::{Plan, Run, Unit, all, cleanup, story};
use crate::checks;
use crate::durability;
use crate::event::{Checked, Event};
use crate::farm::Farm;
use crate::verdict::Verdict;
use futures_util::StreamExt as _;
use std::collections::HashSet;
use std::sync::Arc;

/// Units beyond this many that failed are not tried again: that is no flake.
const RETRIED: usize = 20;

/// Runs every unit of a plan, cleans up, and hands out one verdict per declared check.
pub async fn execute(run: &Arc<Run>, plan: &Plan, jobs: usize) {
    let numbered = plan.units.iter().enumerate();
    let (own, rest): (Vec<_>, Vec<_>) = numbered.partition(|(_, unit)| needs_own(run, unit).is_some());
    let (last, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, unit)| unit.is_disruptive());
    let (serial, parallel): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, unit)| unit.is_serial());
    let mut failed = Vec::new();

    let mut running = futures_util::stream::iter(own.into_iter().chain(parallel))
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
    if let Some(spawned) = run.spawned.as_ref().filter(|_| !run.stop.stopped()) {
        durability::run(run, spawned).await;
    }
    for check in checks::over_all_answers(run) {
        run.emit(Event::Checked(Box::new(check)));
    }
    run.emit(Event::Covered(checks::covered(run)));
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
async fn again(run: &Arc<Run>, units: usize, failed: Vec<(usize, Unit, Vec<Checked>)>) {
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

/// What a unit needs that the target is not set up for, where further instances can be: such a unit disturbs nobody.
fn needs_own<'a>(run: &Run, unit: &'a Unit) -> Option<(Arc<dyn Farm>, &'a str)> {
    let farm = run.farm.clone()?;
    let need = run.lacks(&unit.scenario).or(unit.is_disruptive().then_some("fresh"))?;
    Some((farm, need))
}

/// Tells a story to an instance of its own; `None` when none can be started that is set up for it.
async fn on_its_own(
    run: &Arc<Run>,
    farm: &dyn Farm,
    need: &str,
    unit: &Unit,
    number: usize,
) -> Option<Vec<Checked>> {
    let instance = farm.start(need).await?;
    let own = run.on(&*instance, need);
    let checks = story::tell(&own, unit, number).await;
    if !run.stop.stopped() {
        for check in cleanup::left_by(&own, std::slice::from_ref(unit)).await {
            run.emit(Event::Checked(Box::new(check)));
        }
    }
    Some(checks)
}

/// Runs one unit; what it judges must be exactly what it declared.
async fn one(run: &Arc<Run>, unit: &Unit, number: usize) -> Vec<Checked> {
    let profile = run.context.profile;
    if run.stop.stopped() {
        return all(unit, profile, Verdict::NotRun, "the run was stopped");
    }
    let checks = match needs_own(run, unit) {
        Some((farm, need)) => match on_its_own(run, &*farm, need, unit, number).await {
            Some(checks) => checks,
            None => return all(unit, profile, Verdict::Unsupported, &run.why_not(need)),
        },
        None => story::tell(run, unit, number).await,
    };
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
