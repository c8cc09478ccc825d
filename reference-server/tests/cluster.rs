//! Several nodes, each the program itself with a nats-server of its own, and the links between them in the test's hand.
//!
//! Without nats-server these tests say that they are skipped, and fail when `REQUIRE_NATS` is set.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "http/authority.rs"]
mod authority;
#[path = "cluster/certificates.rs"]
mod certificates;
#[path = "cluster/conflicts.rs"]
mod conflicts;
#[path = "cluster/drops.rs"]
mod drops;
#[path = "cluster/engine.rs"]
mod engine;
#[path = "cluster/external.rs"]
mod external;
#[path = "cluster/links.rs"]
mod links;
#[path = "cluster/membership.rs"]
mod membership;
#[path = "cluster/node.rs"]
mod node;
#[path = "cluster/operations.rs"]
mod operations;
#[path = "cluster/places.rs"]
mod places;
#[path = "cluster/proxy.rs"]
mod proxy;
#[path = "cluster/routes.rs"]
mod routes;
#[path = "cluster/secure.rs"]
mod secure;
#[path = "cluster/soak.rs"]
mod soak;
