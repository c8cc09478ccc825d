//! Several endpoints as the nodes of one cluster, and what must hold of them: what is written on one is found on the
//! others, conflicts end the same everywhere, drops stay where they were asked for, removed nodes hear nothing more.
//!
//! Everything is seen through the Operations API, so any product can be tried. The endpoint of the run is the first
//! node, `--node` names the others. Nodes that do not know each other yet are joined, and parted again at the end.

mod flow;
mod group;
mod membership;
mod operations;

use crate::laws::{Law, Tried, must};
use crate::runner::Run;
use crate::scenario::Level;
use crate::target::Target;
use crate::verdict::Verdict;
use group::Group;
pub use group::Node;

/// The category of these checks.
pub const CATEGORY: &str = "cluster";

/// What the ids of these checks begin with.
const STORY: &str = "cluster/nodes";

/// What a law is tried by.
type Trial = for<'a> fn(&'a Group<'a>) -> std::pin::Pin<Box<dyn Future<Output = Tried> + Send + 'a>>;

/// The laws in the order they are tried: joining comes first, parting last.
const LAWS: &[(Law, Trial)] = &[
    (
        must(
            JOINING,
            "every node lists all others",
            "add_node",
            &["CLUSTER-ADD-NODE-001", "CLUSTER-ADD-NODE-003", "CLUSTER-CLUSTER-STATUS-002"],
        ),
        |group| Box::pin(membership::join(group)),
    ),
    (
        must(
            "what-was-there-is-copied",
            "records that were there before a node was added reach it",
            "add_node",
            &["CLUSTER-ADD-NODE-004"],
        ),
        |group| Box::pin(membership::earlier_records(group)),
    ),
    (
        must(
            "status",
            "the status of the cluster has its members, with connected databases",
            "cluster_status",
            &["CLUSTER-CLUSTER-STATUS-001", "CLUSTER-CLUSTER-STATUS-004", "CLUSTER-CLUSTER-STATUS-005"],
        ),
        |group| Box::pin(membership::status(group)),
    ),
    (
        must(
            "writes-reach-all",
            "what is inserted, updated, upserted and deleted on any node is so on all",
            "insert",
            &["REPL-FLOW-001", "REPL-FLOW-003"],
        ),
        |group| Box::pin(flow::writes(group)),
    ),
    (
        must(
            "sql-and-loads-reach-all",
            "what SQL and a bulk load write is found on all nodes",
            "csv_data_load",
            &["REPL-FLOW-002"],
        ),
        |group| Box::pin(flow::other_writes(group)),
    ),
    (
        must("times-travel", "the times of a record are the same on all nodes", "insert", &["REPL-FLOW-005"]),
        |group| Box::pin(flow::times(group)),
    ),
    (
        must(
            "requests-arrive-whole",
            "the records of one request become visible on another node together",
            "upsert",
            &["REPL-FLOW-007"],
        ),
        |group| Box::pin(flow::whole_requests(group)),
    ),
    (
        must(
            "conflicts-end-alike",
            "records written on all nodes at once end the same everywhere",
            "upsert",
            &["REPL-CONFLICT-001"],
        ),
        |group| Box::pin(flow::conflicts(group)),
    ),
    (
        must(
            "the-later-write-stays",
            "of two writes one after the other on different nodes the later one stays",
            "upsert",
            &["REPL-CONFLICT-002", "REPL-CONFLICT-003"],
        ),
        |group| Box::pin(flow::later_write(group)),
    ),
    (
        must(
            "confirmed-writes-are-there",
            "a write that was to be confirmed by another node is there when it is answered",
            "insert",
            &["REPL-CONFIRM-001"],
        ),
        |group| Box::pin(flow::confirmed(group)),
    ),
    (
        Law {
            level: Level::Should,
            ..must(
                "users-are-known-everywhere",
                "a user added on one node can log in on another",
                "add_user",
                &["REPL-FLOW-006"],
            )
        },
        |group| Box::pin(operations::users(group)),
    ),
    (
        must(
            "drops-stay",
            "a drop stays on its node, unless it is replicated",
            "drop_table",
            &["REPL-FLOW-004", "REPL-FLAG-001", "REPL-FLAG-002", "REPL-FLAG-003"],
        ),
        |group| Box::pin(operations::drops(group)),
    ),
    (
        must(
            "network",
            "the network has every node, and leaves out what it is told to",
            "cluster_network",
            &["REPL-CLUSTER-NETWORK-001", "REPL-CLUSTER-NETWORK-002", "REPL-CLUSTER-NETWORK-003"],
        ),
        |group| Box::pin(operations::network(group)),
    ),
    (
        must(
            "purged-streams-leave-records",
            "a purged stream leaves the records of its table",
            "purge_stream",
            &["REPL-PURGE-STREAM-001", "REPL-PURGE-STREAM-003"],
        ),
        |group| Box::pin(operations::purged(group)),
    ),
    (
        must(
            "removed-nodes-hear-nothing",
            "after remove_node nothing flows and the data stay; added again, a node catches up",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-001", "CLUSTER-REMOVE-NODE-002", "REPL-CATCHUP-001"],
        ),
        |group| Box::pin(membership::remove_and_return(group)),
    ),
];

/// The law by which nodes are joined: it comes before all others.
pub(crate) const JOINING: &str = "nodes-know-each-other";

/// The laws of how nodes meet.
pub(crate) fn first_laws() -> impl Iterator<Item = &'static Law> {
    LAWS.iter().take(2).map(|(law, _)| law)
}

/// The checks of this kind, with what they bear on.
pub fn requirements() -> impl Iterator<Item = &'static str> {
    LAWS.iter().flat_map(|(law, _)| law.requirements.iter().copied())
}

/// Tries what is wanted (all, unless texts are given that ids must hold or requirements be) on the run's target and the
/// other nodes.
pub async fn run(run: &Run, others: &[Node], only: &[String]) {
    let is_wanted = |law: &Law| {
        let id = law.id(STORY);
        let fits = |text: &String| id.contains(text.as_str()) || law.requirements.contains(&text.as_str());
        only.is_empty() || only.iter().any(fits)
    };
    try_some(run, others, &is_wanted, true).await;
}

/// Tries some of the laws. The nodes are parted in the end if they were joined here and are to be.
pub(crate) async fn try_some(
    run: &Run,
    others: &[Node],
    is_wanted: &(dyn Fn(&Law) -> bool + Sync),
    parted: bool,
) {
    let first = Node { target: run.target.clone(), url: None };
    let mut group = Group::new(run, std::iter::once(&first).chain(others).cloned().collect());
    let ready = group.prepare().await;
    for (law, trial) in LAWS.iter().filter(|(law, _)| is_wanted(law)) {
        let tried = async {
            ready.clone()?;
            trial(&group).await
        };
        law.judge(run, first_of(&group), STORY, tried).await;
    }
    group.part(parted).await;
}

fn first_of<'g>(group: &'g Group<'_>) -> &'g Target {
    &group.nodes[0].target
}

/// Why a law cannot be tried: something that has to work first does not.
fn blocked(reason: impl Into<String>) -> (Verdict, String) {
    (Verdict::Blocked, reason.into())
}
