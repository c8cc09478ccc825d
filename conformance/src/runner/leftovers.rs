//! What runs may leave behind on a target: databases, users, roles and components with names of a run.

use crate::target::{Exchange, Target};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One thing that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// `database`, `user`, `role` or `component`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// Those among the target's databases, users, roles and components whose name is wanted. Users come before roles: a
/// role in use cannot be dropped.
pub async fn find(target: &Target, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Vec<Leftover> {
    let mut names = BTreeSet::new();
    let list =
        |exchange: Exchange| exchange.answer.filter(|answer| answer.status == 200).map(|answer| answer.body);
    if let Some(Value::Object(databases)) = list(target.operate(&json!({"operation": "describe_all"})).await)
    {
        names.extend(databases.keys().filter(|name| wanted(name)).map(|name| (0, "database", name.clone())));
    }
    for (rank, kind, operation, field) in
        [(1, "user", "list_users", "username"), (2, "role", "list_roles", "role")]
    {
        if let Some(Value::Array(rows)) = list(target.operate(&json!({"operation": operation})).await) {
            let found = rows.iter().filter_map(|row| row[field].as_str()).filter(|name| wanted(name));
            names.extend(found.map(|name| (rank, kind, name.to_owned())));
        }
    }
    if let Some(tree) = list(target.operate(&json!({"operation": "get_components"})).await) {
        let entries = tree["entries"].as_array().into_iter().flatten();
        let found = entries.filter_map(|entry| entry["name"].as_str()).filter(|name| wanted(name));
        names.extend(found.map(|name| (3, "component", name.to_owned())));
    }
    names.into_iter().map(|(_, kind, name)| Leftover { kind, name }).collect()
}

/// Removes one; true when the target says that it did.
pub async fn remove(target: &Target, leftover: &Leftover) -> bool {
    let (operation, field) = match leftover.kind {
        "database" => ("drop_database", "database"),
        "user" => ("drop_user", "username"),
        "role" => ("drop_role", "id"),
        _ => ("drop_component", "project"),
    };
    let exchange = target.operate(&json!({"operation": operation, field: leftover.name})).await;
    exchange.answer.is_some_and(|answer| answer.status < 400)
}
