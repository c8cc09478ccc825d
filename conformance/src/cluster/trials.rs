//! The laws among nodes, in the order they are tried: joining comes first, parting last.

use super::group::Group;
use super::terms::Stand;
use super::{JOINING, down, flow, local, membership, older, operations, revoked, spellings, subscriptions};
use crate::laws::{Law, Tried, must, should};

/// A law, and how it is tried.
pub(super) struct Trial {
    pub(super) law: Law,
    /// How nodes have to stand to each other.
    pub(super) stand: Stand,
    pub(super) work: for<'a> fn(&'a Group<'a>) -> std::pin::Pin<Box<dyn Future<Output = Tried> + Send + 'a>>,
}

/// All of them.
pub(super) const TRIALS: &[Trial] = &[
    Trial {
        law: must(
            JOINING,
            "every node lists all others",
            "add_node",
            &["CLUSTER-ADD-NODE-001", "CLUSTER-ADD-NODE-003", "CLUSTER-CLUSTER-STATUS-002"],
        ),
        stand: Stand::Any,
        work: |group| Box::pin(membership::join(group)),
    },
    Trial {
        law: must(
            "what-was-there-is-copied",
            "records that were there before a node was added reach it",
            "add_node",
            &["CLUSTER-ADD-NODE-004"],
        ),
        stand: Stand::Any,
        work: |group| Box::pin(membership::earlier_records(group)),
    },
    Trial {
        law: must(
            "status",
            "the status of the cluster has its members, with connected databases",
            "cluster_status",
            &["CLUSTER-CLUSTER-STATUS-001", "CLUSTER-CLUSTER-STATUS-004", "CLUSTER-CLUSTER-STATUS-005"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(membership::status(group)),
    },
    Trial {
        law: must(
            "writes-reach-all",
            "what is inserted, updated, upserted and deleted on any node is so on all",
            "insert",
            &["REPL-FLOW-001", "REPL-FLOW-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::writes(group)),
    },
    Trial {
        law: must(
            "sql-and-loads-reach-all",
            "what SQL and a bulk load write is found on all nodes",
            "csv_data_load",
            &["REPL-FLOW-002"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::other_writes(group)),
    },
    Trial {
        law: must(
            "times-travel",
            "the times of a record are the same on all nodes",
            "insert",
            &["REPL-FLOW-005"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::times(group)),
    },
    Trial {
        law: must(
            "requests-arrive-whole",
            "the records of one request become visible on another node together",
            "upsert",
            &["REPL-FLOW-007"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::whole_requests(group)),
    },
    Trial {
        law: must(
            "conflicts-end-alike",
            "records written on all nodes at once end the same everywhere",
            "upsert",
            &["REPL-CONFLICT-001"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::conflicts(group)),
    },
    Trial {
        law: must(
            "the-later-write-stays",
            "of two writes one after the other on different nodes the later one stays",
            "upsert",
            &["REPL-CONFLICT-002", "REPL-CONFLICT-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::later_write(group)),
    },
    Trial {
        law: must(
            "confirmed-writes-are-there",
            "a write that was to be confirmed by another node is there when it is answered",
            "insert",
            &["REPL-CONFIRM-001"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(flow::confirmed(group)),
    },
    Trial {
        law: should(
            "users-are-known-everywhere",
            "a user added on one node can log in on another",
            "add_user",
            &["REPL-FLOW-006"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(operations::users(group)),
    },
    Trial {
        law: must(
            "drops-stay",
            "a drop stays on its node, unless it is replicated",
            "drop_table",
            &["REPL-FLOW-004", "REPL-FLAG-001", "REPL-FLAG-002", "REPL-FLAG-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(operations::drops(group)),
    },
    Trial {
        law: must(
            "network",
            "the network has every node, and leaves out what it is told to",
            "cluster_network",
            &["REPL-CLUSTER-NETWORK-001", "REPL-CLUSTER-NETWORK-002", "REPL-CLUSTER-NETWORK-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(operations::network(group)),
    },
    Trial {
        law: must(
            "purged-streams-leave-records",
            "a purged stream leaves the records of its table",
            "purge_stream",
            &["REPL-PURGE-STREAM-001", "REPL-PURGE-STREAM-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(operations::purged(group)),
    },
    Trial {
        law: must(
            "deletions-by-age-stay",
            "records that are deleted for their age on one node stay on the others",
            "delete_records_before",
            &["BULK-DELETE-RECORDS-BEFORE-010"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(local::records_before(group)),
    },
    Trial {
        law: must(
            "deleted-history-stays",
            "history that is deleted on one node stays on the others",
            "delete_audit_logs_before",
            &["LOG-DELETE-AUDIT-LOGS-BEFORE-010"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(local::audit_before(group)),
    },
    Trial {
        law: must(
            "logs-name-their-node",
            "in the logs of all nodes each entry names its node",
            "read_log",
            &["LOG-READ-LOG-016"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(local::logs(group)),
    },
    Trial {
        law: must(
            "updates-say-so",
            "an update with the name alone is accepted and answered as documented",
            "update_node",
            &["CLUSTER-UPDATE-NODE-001", "CLUSTER-UPDATE-NODE-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(subscriptions::update_nothing(group)),
    },
    Trial {
        law: should(
            "updates-name-their-node",
            "the answer to an update names the node that was asked for",
            "update_node",
            &["CLUSTER-UPDATE-NODE-007"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(subscriptions::update_names(group)),
    },
    Trial {
        law: must(
            "removed-nodes-hear-nothing",
            "after remove_node nothing flows and the data stay; added again, a node catches up",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-001", "CLUSTER-REMOVE-NODE-002", "REPL-CATCHUP-001"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(membership::remove_and_return(group)),
    },
    Trial {
        law: must(
            "down-nodes-are-told",
            "a node that is down is listed as not connected, and as connected when it is back",
            "cluster_status",
            &["CLUSTER-CLUSTER-STATUS-002", "CLUSTER-CLUSTER-STATUS-006"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(down::status(group)),
    },
    Trial {
        law: must(
            "missed-writes-arrive",
            "what was written while a node was down reaches it",
            "insert",
            &["REPL-CATCHUP-001"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(down::catch_up(group)),
    },
    Trial {
        law: must(
            "logs-of-a-down-node",
            "a node that is down contributes one entry to the logs of all nodes that says so",
            "read_log",
            &["LOG-READ-LOG-016"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(down::logs(group)),
    },
    Trial {
        law: must(
            "down-nodes-can-be-removed",
            "a node that is down is removed all the same",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-003"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(down::removed(group)),
    },
    Trial {
        law: should(
            "removed-nodes-stay-removed",
            "a node that was removed while it was down does not come back by its own record",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-004"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(down::stays_removed(group)),
    },
    Trial {
        law: should(
            "revoking-ends-connections",
            "the connections that use a certificate end when it is revoked",
            "update_node",
            &["CLUSTER-UPDATE-NODE-006"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(revoked::ended(group)),
    },
    Trial {
        law: must(
            "revoked-certificates-are-refused",
            "a node that comes again with a revoked certificate is not let in",
            "add_node",
            &["CLUSTER-ADD-NODE-008"],
        ),
        stand: Stand::Joined,
        work: |group| Box::pin(revoked::refused(group)),
    },
    Trial {
        law: must(
            "subscriptions-limit",
            "with subscriptions only what they name flows, and only the way they say",
            "add_node",
            &["CLUSTER-ADD-NODE-005"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(subscriptions::limit(group)),
    },
    Trial {
        law: must(
            "updates-are-merged",
            "an update of subscriptions changes only the tables that it names",
            "update_node",
            &["CLUSTER-UPDATE-NODE-002"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(subscriptions::merge(group)),
    },
    Trial {
        law: must(
            "unknown-nodes-are-added",
            "an update of an unknown node adds it",
            "update_node",
            &["CLUSTER-UPDATE-NODE-004"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(subscriptions::update_unknown(group)),
    },
    Trial {
        law: must(
            "configuring-replaces",
            "configure_cluster removes what was agreed on before, and deletes no data",
            "configure_cluster",
            &[
                "CLUSTER-CONFIGURE-CLUSTER-001",
                "CLUSTER-CONFIGURE-CLUSTER-002",
                "CLUSTER-CONFIGURE-CLUSTER-003",
                "CLUSTER-CONFIGURE-CLUSTER-005",
            ],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(subscriptions::configure(group)),
    },
    Trial {
        law: should(
            "removed-by-any-name",
            "a node is removed by hostname, name and url",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-005"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(spellings::removed_by_any(group)),
    },
    Trial {
        law: must(
            "credentials-are-forgotten",
            "the credentials for a node are not shown after it was added",
            "add_node",
            &["CLUSTER-ADD-NODE-007"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(spellings::forgotten(group)),
    },
    Trial {
        law: must(
            "kept-credentials-are-hidden",
            "credentials that are kept are not in the status",
            "cluster_status",
            &["CLUSTER-ADD-NODE-007", "CLUSTER-CLUSTER-STATUS-007"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(spellings::kept_hidden(group)),
    },
    Trial {
        law: must(
            "added-as-before-4-4",
            "add_node with node_name is answered in the words before 4.4",
            "add_node",
            &["CLUSTER-ADD-NODE-010"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(older::add(group)),
    },
    Trial {
        law: must(
            "removed-as-before-4-4",
            "remove_node with node_name is answered in the words before 4.4",
            "remove_node",
            &["CLUSTER-REMOVE-NODE-005"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(older::remove(group)),
    },
    Trial {
        law: must(
            "configured-as-before-4-4",
            "configure_cluster takes connections with node_name",
            "configure_cluster",
            &["CLUSTER-CONFIGURE-CLUSTER-006"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(older::configure(group)),
    },
    Trial {
        law: must(
            "replication-is-set",
            "set_node_replication changes only the tables that it names",
            "set_node_replication",
            &["REPL-SET-NODE-REPLICATION-001", "REPL-SET-NODE-REPLICATION-002"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(older::set_replication(group)),
    },
    Trial {
        law: must(
            "database-data-is-meant",
            "a subscription without database is about the database data",
            "set_node_replication",
            &["REPL-SET-NODE-REPLICATION-003"],
        ),
        stand: Stand::Apart,
        work: |group| Box::pin(older::default_database(group)),
    },
];
