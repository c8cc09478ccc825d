//! After a run nothing of it may be left. What is left is removed as far as possible, and told.

use super::{Plan, Run};
use crate::event::{Checked, Kind};
use crate::scenario::Level;
use crate::target::Exchange;
use crate::verdict::Verdict;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// One thing that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Leftover {
    kind: &'static str,
    name: String,
}

/// Looks for names of this run and removes them.
pub(super) async fn verify(run: &Run, plan: &Plan) -> Vec<Checked> {
    if plan.units.iter().any(|unit| unit.scenario.takes.iter().any(|name| name == "data")) && !run.had_data {
        // It was not there before; whether it is there now depends on the stories that were told.
        let _ = run.target.operate(&json!({"operation": "drop_database", "database": "data"})).await;
    }
    let mut left = find(run).await;
    // A drop may take a moment to be visible.
    let patience = run.settle.longest.max(Duration::from_millis(1));
    let started = Instant::now();
    while !left.is_empty() && started.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
        left = find(run).await;
    }
    let mut checks: Vec<Checked> = Vec::new();
    for leftover in &left {
        let (request, field) = match leftover.kind {
            "database" => ("drop_database", "database"),
            "user" => ("drop_user", "username"),
            "role" => ("drop_role", "id"),
            _ => ("drop_component", "project"),
        };
        let exchange = run.target.operate(&json!({"operation": request, field: leftover.name})).await;
        let outcome = match exchange.answer.as_ref().map(|answer| answer.status) {
            Some(status) if status < 400 => "it was removed when the run ended",
            _ => "it could not be removed",
        };
        let unit =
            run.names.unit_of(&leftover.name).and_then(|n| plan.units.get(n % plan.units.len().max(1)));
        let by = unit.map_or("the harness", |unit| unit.id());
        let reason = format!("{by} left the {} '{}' behind; {outcome}", leftover.kind, leftover.name);
        checks.push(check(
            &format!("{}-{}", leftover.kind, checks.len() + 1),
            Verdict::Unclean,
            Some(reason),
        ));
    }
    if left.is_empty() {
        checks.push(check("nothing-left", Verdict::Pass, None));
    }
    checks
}

fn check(step: &str, verdict: Verdict, reason: Option<String>) -> Checked {
    Checked {
        id: format!("cleanup/run#{step}"),
        kind: Kind::Cleanup,
        title: "nothing of the run is left behind".to_owned(),
        operation: None,
        requirements: Vec::new(),
        level: Level::Must,
        verdict,
        reason,
        differences: Vec::new(),
        exchange: None,
        curl: None,
        millis: 0.0,
    }
}

/// Names of this run among the target's databases, users, roles and components. Users come before roles: a role in
/// use cannot be dropped.
async fn find(run: &Run) -> Vec<Leftover> {
    let mut names = BTreeSet::new();
    let ours = |name: &str| run.names.unit_of(name).is_some();
    let list =
        |exchange: Exchange| exchange.answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
    if let Some(Value::Object(databases)) =
        list(run.target.operate(&json!({"operation": "describe_all"})).await)
    {
        names.extend(databases.keys().filter(|name| ours(name)).map(|name| (0, "database", name.clone())));
    }
    for (rank, kind, operation, field) in
        [(1, "user", "list_users", "username"), (2, "role", "list_roles", "role")]
    {
        if let Some(Value::Array(rows)) = list(run.target.operate(&json!({"operation": operation})).await) {
            let found = rows.iter().filter_map(|row| row[field].as_str()).filter(|name| ours(name));
            names.extend(found.map(|name| (rank, kind, name.to_owned())));
        }
    }
    if let Some(tree) = list(run.target.operate(&json!({"operation": "get_components"})).await) {
        let entries = tree["entries"].as_array().into_iter().flatten();
        let found = entries.filter_map(|entry| entry["name"].as_str()).filter(|name| ours(name));
        names.extend(found.map(|name| (3, "component", name.to_owned())));
    }
    names.into_iter().map(|(_, kind, name)| Leftover { kind, name }).collect()
}
