//! Several endpoints as the nodes of one cluster, and what must hold of them: what is written on one is found on the
//! others, conflicts end the same everywhere, drops stay where they were asked for, removed nodes hear nothing more.
//!
//! Everything is seen through the Operations API, so any product can be tried. The endpoint of the run is the first
//! node, `--node` names the others. In a run against the built-in server the run starts nodes of its own. In the end
//! nodes are joined, or do not know each other, as they were found.

mod down;
mod flow;
mod group;
mod local;
mod membership;
mod older;
mod operations;
mod revoked;
mod spellings;
mod subscriptions;
mod terms;
mod trials;

use crate::farm::Instance;
use crate::laws::{Law, unsupported};
use crate::runner::Run;
use group::Group;
pub use group::Node;
use std::sync::Arc;
use std::time::Duration;
use trials::TRIALS;

/// The category of these checks.
pub const CATEGORY: &str = "cluster";

/// What the ids of these checks begin with.
const STORY: &str = "cluster/nodes";

/// The law by which nodes are joined: it comes before all others.
pub(crate) const JOINING: &str = "nodes-know-each-other";

/// How many nodes a run starts for these checks: the third is to hear of the second from the first.
const OWN_NODES: usize = 3;

/// The laws.
pub(crate) fn laws() -> impl Iterator<Item = &'static Law> {
    TRIALS.iter().map(|trial| &trial.law)
}

/// The laws of how nodes meet.
pub(crate) fn first_laws() -> impl Iterator<Item = &'static Law> {
    laws().take(2)
}

/// The checks of this kind, with what they bear on.
pub fn requirements() -> impl Iterator<Item = &'static str> {
    laws().flat_map(|law| law.requirements.iter().copied())
}

/// The requirements that a check of this kind bears on.
pub fn bears_on(check: &str) -> &'static [&'static str] {
    laws().find(|law| law.id(STORY) == check).map(|law| law.requirements).unwrap_or_default()
}

impl Law {
    /// True when it is wanted: always, unless texts are given that its id must hold or a requirement of it be.
    pub(crate) fn is_meant(&self, only: &[String]) -> bool {
        let id = self.id(STORY);
        only.is_empty()
            || only
                .iter()
                .any(|text| id.contains(text.as_str()) || self.requirements.contains(&text.as_str()))
    }
}

/// Tries what is wanted on the run's target and the other nodes.
pub async fn run(run: &Run, others: &[Node], only: &[String]) {
    let first = Node { target: run.target.clone(), url: None, instance: None };
    let nodes = std::iter::once(&first).chain(others).cloned().collect();
    try_some(run, nodes, &|law| law.is_meant(only), true).await;
}

/// Tries what is wanted on nodes that the run starts for it; says why not where it cannot.
pub async fn run_own(run: &Arc<Run>, only: &[String]) {
    let Some(nodes) = own_nodes(run).await else {
        let reason = match run.farm {
            Some(_) => {
                "it needs several nodes, and those of the built-in server need nats-server to be installed"
            }
            None => "it needs several nodes: name the others (--node URL,wss://HOST:PORT)",
        };
        for law in laws().filter(|law| law.is_meant(only)) {
            let untried = Err(unsupported(reason));
            law.tell(run, &run.target, STORY, untried, Duration::ZERO);
        }
        return;
    };
    let mut own = run.on(&*nodes[0], "node");
    nodes.iter().for_each(|node| own.secrets.learn(&node.target().admin));
    let nodes = nodes.into_iter().map(Node::of).collect();
    try_some(&own, nodes, &|law| law.is_meant(only), true).await;
}

/// Nodes that the run starts, if it can.
async fn own_nodes(run: &Run) -> Option<Vec<Arc<dyn Instance>>> {
    let farm = run.farm.clone()?;
    let started = futures_util::future::join_all((0..OWN_NODES).map(|_| farm.start("node"))).await;
    started.into_iter().map(|node| node.map(Arc::from)).collect()
}

/// Tries some of the laws. In the end the nodes are joined or parted as they were found, if they are to be.
pub(crate) async fn try_some(
    run: &Run,
    nodes: Vec<Node>,
    is_wanted: &(dyn Fn(&Law) -> bool + Sync),
    restored: bool,
) {
    let mut group = Group::new(run, nodes);
    let ready = group.prepare().await;
    for trial in TRIALS.iter().filter(|trial| is_wanted(&trial.law)) {
        let tried = async {
            ready.clone()?;
            group.bring(trial.stand).await?;
            (trial.work)(&group).await
        };
        trial.law.judge(run, &group.nodes[0].target, STORY, tried).await;
    }
    group.end(restored).await;
}
