//! The nodes of a cluster, and the routes to them.

pub(crate) mod routes;

use super::{Call, Handler};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("cluster_set_routes", |call: Call| Box::pin(routes::cluster_set_routes(call))),
    ("cluster_get_routes", |call: Call| Box::pin(routes::cluster_get_routes(call))),
    ("cluster_delete_routes", |call: Call| Box::pin(routes::cluster_delete_routes(call))),
];
