//! The part of the kill matrix that takes two nodes: faults of what is between them, and the laws of [`cluster`] that
//! notice them.

use super::evidence::prepare;
use super::kills::{Choose, Fault, Killed, not_passing};
use super::{Farm, Instance};
use crate::cluster::{self, Node};
use crate::event::Checked;
use crate::laws::Law;
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
    not_passing(told(&pair, RIGHT, "even", &|_| true, true).await)
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
            let is_meant = |law: &Law| fault.bears_on(law.requirements);
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
            let is_cited = |check: &Checked| fault.bears_on(&check.requirements);
            killed.meant = checks.iter().filter(|check| is_cited(check)).count();
            for check in checks.iter().filter(|check| check.objects()) {
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
    is_wanted: &(dyn Fn(&Law) -> bool + Sync),
    restored: bool,
) -> Vec<Checked> {
    let mut run = prepare(first.target().clone(), "node", &**first, name);
    run.patience = patience;
    let nodes = [first, second].map(|node| Node::of(Arc::clone(node)));
    cluster::try_some(&run, nodes.into(), is_wanted, restored).await;
    run.checks()
}
