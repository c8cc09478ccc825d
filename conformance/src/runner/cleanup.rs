//! After a run nothing of it may be left. What is left is removed as far as possible, and told.

use super::{Plan, Run, Unit, leftovers};
use crate::event::{Checked, Kind};
use crate::verdict::Verdict;
use serde_json::json;
use std::time::{Duration, Instant};

/// Looks for names of this run and removes them.
pub(super) async fn verify(run: &Run, plan: &Plan) -> Vec<Checked> {
    if !answers(run).await {
        let reason = format!(
            "{} does not answer, so nothing could be removed; once it is back, `conformance sweep {} --run {} --yes` does",
            run.target.address(),
            run.target.address(),
            run.names.run()
        );
        return vec![check("nothing-left", Verdict::Unclean, Some(reason))];
    }
    if plan.units.iter().any(|unit| unit.scenario.takes.iter().any(|name| name == "data")) && !run.had_data {
        // It was not there before; whether it is there now depends on the stories that were told.
        let _ = run.target.operate(&json!({"operation": "drop_database", "database": "data"})).await;
    }
    let mut checks = left_by(run, &plan.units).await;
    if checks.is_empty() {
        checks.push(check("nothing-left", Verdict::Pass, None));
    }
    checks
}

/// True when the target answers, if need be after a restart that was under way.
async fn answers(run: &Run) -> bool {
    const PATIENCE: Duration = Duration::from_secs(5);
    let started = Instant::now();
    while run.target.operate(&json!({"operation": "user_info"})).await.answer.is_none() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    true
}

/// What units left behind, removed as far as it can be; a check for each.
pub(super) async fn left_by(run: &Run, units: &[Unit]) -> Vec<Checked> {
    let ours = |name: &str| run.names.unit_of(name).is_some();
    let mut left = leftovers::find(&run.target, &ours).await;
    // A drop may take a moment to be visible.
    let patience = run.settle.longest.max(Duration::from_millis(1));
    let started = Instant::now();
    while !left.is_empty() && started.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
        left = leftovers::find(&run.target, &ours).await;
    }
    let mut checks: Vec<Checked> = Vec::new();
    for leftover in &left {
        let outcome = match leftovers::remove(&run.target, leftover).await {
            true => "it was removed when the run ended",
            false => "it could not be removed",
        };
        let unit = run.names.unit_of(&leftover.name).and_then(|n| units.get(n % units.len().max(1)));
        let by = unit.map_or("the harness", |unit| unit.id());
        let reason = format!("{by} left the {} '{}' behind; {outcome}", leftover.kind, leftover.name);
        checks.push(check(
            &format!("{}-{}", leftover.kind, checks.len() + 1),
            Verdict::Unclean,
            Some(reason),
        ));
    }
    checks
}

fn check(step: &str, verdict: Verdict, reason: Option<String>) -> Checked {
    let id = format!("cleanup/run#{step}");
    Checked { verdict, reason, ..Checked::new(Kind::Cleanup, id, "nothing of the run is left behind") }
}
