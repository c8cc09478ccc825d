//! The one table of handlers.

use super::{
    Handler, analytics, authentication, bulk, certificates, clustering, components, configuration,
    custom_functions, databases_tables, jobs, licensing, logs, nosql, replication, system, users_roles,
};
use std::collections::HashMap;
use std::sync::LazyLock;

static HANDLERS: LazyLock<HashMap<&'static str, Handler>> = LazyLock::new(|| {
    let families = [
        analytics::HANDLERS,
        authentication::HANDLERS,
        certificates::HANDLERS,
        clustering::HANDLERS,
        bulk::HANDLERS,
        components::HANDLERS,
        configuration::HANDLERS,
        custom_functions::HANDLERS,
        databases_tables::HANDLERS,
        jobs::HANDLERS,
        licensing::HANDLERS,
        logs::HANDLERS,
        nosql::HANDLERS,
        replication::HANDLERS,
        super::sql::HANDLERS,
        system::HANDLERS,
        users_roles::HANDLERS,
    ];
    families.into_iter().flatten().copied().collect()
});

/// The code of an operation, by its canonical name; `None` when this server does not offer it.
pub fn handler(operation: &str) -> Option<Handler> {
    HANDLERS.get(operation).copied()
}

/// The canonical names of the operations this server offers.
pub fn offered() -> impl Iterator<Item = &'static str> {
    HANDLERS.keys().copied()
}
