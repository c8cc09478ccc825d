//! The nodes of a cluster: made known to each other, changed, removed, shown; and the routes to them.

mod configure;
mod nodes;
pub(crate) mod routes;
mod status;
mod streams;
#[cfg(test)]
pub(crate) mod tests;

use super::Handler;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("add_node", |call| Box::pin(nodes::add_node(call))),
    ("update_node", |call| Box::pin(nodes::update_node(call))),
    ("remove_node", |call| Box::pin(nodes::remove_node(call))),
    ("set_node_replication", |call| Box::pin(nodes::set_node_replication(call))),
    ("configure_cluster", |call| Box::pin(configure::configure_cluster(call))),
    ("cluster_status", |call| Box::pin(status::cluster_status(call))),
    ("cluster_set_routes", |call| Box::pin(routes::cluster_set_routes(call))),
    ("cluster_get_routes", |call| Box::pin(routes::cluster_get_routes(call))),
    ("purge_stream", |call| Box::pin(streams::purge_stream(call))),
    ("cluster_delete_routes", |call| Box::pin(routes::cluster_delete_routes(call))),
];
