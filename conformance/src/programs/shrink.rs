//! The shortest program that still fails.

use super::{draw, number_of, tell};
use crate::event::Checked;
use crate::report::curl;
use crate::runner::{Caller, Run, Unit, tell as tell_unit};
use crate::scenario::{Scenario, rename};
use crate::target::Request;
use crate::verdict::Verdict;
use std::sync::Arc;

/// A failing program, as short as it was made.
#[derive(Clone, Debug)]
pub struct Shortest {
    /// The program, ready to be kept as a file and replayed.
    pub scenario: Scenario,
    /// What failed last in it.
    pub failure: Checked,
    /// The program as a shell script.
    pub script: String,
    /// How many programs were tried.
    pub tried: usize,
}

/// Programs tried before the shortest found so far has to do.
const TRIES: usize = 300;

/// Makes a failing program shorter as long as it still fails; `None` when it does not fail any more.
pub async fn shortest(run: &Run, seed: u64, id: &str) -> Option<Shortest> {
    let mut tree = draw::tree(seed, number_of(id)?)?;
    let mut tried = 0;
    let mut best = attempt(run, id, &tree.current(), &mut tried).await?;
    let mut simpler = tree.simplify();
    while simpler && tried < TRIES && !run.stop.stopped() {
        match attempt(run, id, &tree.current(), &mut tried).await {
            Some(failing) => {
                best = failing;
                simpler = tree.simplify();
            }
            None => simpler = tree.complicate(),
        }
    }
    let (scenario, failure) = best;
    let script = script(run, &scenario);
    Some(Shortest { scenario, failure, script, tried })
}

/// Tells a program; comes back with it, cut after the first failure, when it fails.
async fn attempt(run: &Run, id: &str, ops: &[draw::Op], tried: &mut usize) -> Option<(Scenario, Checked)> {
    /// Far from the numbers of a run's own units.
    const FIRST: usize = 1_000_000;
    *tried += 1;
    let mut scenario = tell::scenario(id, ops);
    let unit = Unit { scenario: Arc::new(scenario.clone()) };
    let checks = tell_unit(run, &unit, FIRST + *tried).await;
    let at = checks.iter().position(|check| check.verdict == Verdict::Fail)?;
    scenario.steps.truncate(at + 1);
    Some((scenario, checks.into_iter().nth(at)?))
}

/// Every request of a program, one `curl` line each.
fn script(run: &Run, scenario: &Scenario) -> String {
    let scenario = rename(scenario, "_replayed");
    let steps = scenario.setup.iter().chain(&scenario.steps).chain(&scenario.teardown);
    let lines: Vec<String> = steps
        .filter_map(|step| step.request.as_ref())
        .map(|body| {
            let waits = if body["operation"] == "get_job" { "# the job of the answer before\n" } else { "" };
            let request = Request::operation(body, Some(run.target.admin.basic()));
            format!("{waits}{}", curl::line(&run.target, &Caller::Admin, &request))
        })
        .collect();
    lines.join("\n")
}
