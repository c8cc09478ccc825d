//! The part of the kill matrix that takes two nodes: faults of what is between them, and the laws of [`cluster`] that
//! notice them.

use super::evidence::prepare;
use super::kills::{Choose, Fault, Killed};
use super::{Farm, Instance};
use crate::cluster::{self, Node};
use crate::event::{Checked, Event};
use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What has not come to the other node by then is taken for lost. With right nodes it takes a small part of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The patience with right nodes.
const RIGHT: Duration = Duration::from_secs(20);

/// Tries all laws on two right nodes; those that do not pass.
pub async fn all_hold(farm: &dyn Farm, choose: Choose<'_>) -> Vec<String> {
    choose(None);
    let Some(pair) = pair(farm).await else { return vec!["two nodes could not be started".to_owned()] };
    let checks = told(&pair, RIGHT, "even", &|_| true, true).await;
    let odd = checks.into_iter().filter(|check| check.verdict != Verdict::Pass);
    odd.map(|check| format!("{}: {}", check.id, check.reason.unwrap_or_default())).collect()
}

/// Tries faults one after the other, each with two nodes of its own; `heard` hears of each.
pub async fn try_all(
    farm: &dyn Farm,
    faults: &[Fault],
    choose: Choose<'_>,
    heard: &(dyn Fn(&Fault, &Killed) + Sync),
) -> BTreeMap<String, Killed> {
    let mut outcomes = BTreeMap::new();
    for fault in faults {
        choose(None);
        let mut killed = Killed::default();
        if let Some(pair) = pair(farm).await {
            let is_meant = |law: &crate::laws::Law| {
                law.requirements.iter().any(|id| fault.breaks.iter().any(|broken| broken == id))
            };
            // What is wrong when nodes meet is wrong from the beginning; all else is tried on nodes that have met.
            let is_early = cluster::first_laws().any(is_meant);
            if is_early {
                choose(Some(&fault.name));
            } else {
                told(&pair, RIGHT, "even", &|law| law.step == cluster::JOINING, false).await;
                choose(Some(&fault.name));
            }
            let checks = told(
                &pair,
                PATIENCE,
                "odd",
                &|law| is_meant(law) || (is_early && law.step == cluster::JOINING),
                false,
            )
            .await;
            choose(None);
            let is_cited = |check: &Checked| check.requirements.iter().any(|id| fault.breaks.contains(id));
            killed.meant = checks.iter().filter(|check| is_cited(check)).count();
            for check in checks.iter().filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Warn))
            {
                if is_cited(check) { &mut killed.by } else { &mut killed.also }.push(check.id.clone());
            }
        }
        choose(None);
        heard(fault, &killed);
        outcomes.insert(fault.name.clone(), killed);
    }
    outcomes
}

type Pair = [Arc<dyn Instance>; 2];

async fn pair(farm: &dyn Farm) -> Option<Pair> {
    let (first, second) = futures_util::join!(farm.start("node"), farm.start("node"));
    Some([first?.into(), second?.into()])
}

/// Tries laws on a pair; the verdicts.
async fn told(
    [first, second]: &Pair,
    patience: Duration,
    name: &str,
    is_wanted: &(dyn Fn(&crate::laws::Law) -> bool + Sync),
    restored: bool,
) -> Vec<Checked> {
    let mut run = prepare(first.target().clone(), "node", &**first, name);
    run.patience = patience;
    let nodes = [first, second].map(|node| Node::of(Arc::clone(node)));
    cluster::try_some(&run, nodes.into(), is_wanted, restored).await;
    let checks = run.events().into_iter().filter_map(|event| match event {
        Event::Checked(check) => Some(*check),
        _ => None,
    });
    checks.collect()
}
