//! What of an answer a replay can be held to, and what is dropped in the end.

use serde_json::{Value, json};

/// Operations whose answers show the whole instance, which is another one at a replay.
const OF_THE_INSTANCE: [&str; 21] = [
    "describe_all",
    "list_users",
    "list_roles",
    "system_information",
    "get_configuration",
    "read_log",
    "registration_info",
    "get_fingerprint",
    "get_usage_licenses",
    "search_jobs_by_start_date",
    "list_metrics",
    "describe_metric",
    "get_analytics",
    "cluster_status",
    "cluster_network",
    "cluster_get_routes",
    "get_components",
    "get_custom_functions",
    "list_certificates",
    "list_ssh_keys",
    "get_backup",
];

/// How the answer to an operation is compared, with a note where something is left out.
pub(super) fn of(operation: Option<&str>, request: &Value) -> Option<(Value, Option<&'static str>)> {
    let operation = operation?;
    if OF_THE_INSTANCE.contains(&operation) {
        return Some((json!({"status_only": true}), Some("the answer shows the whole instance")));
    }
    match operation {
        "describe_table" => Some((json!({"unordered": ["/attributes"]}), None)),
        "search_by_value" | "search_by_conditions" if request.get("sort").is_none() => {
            Some((json!({"unordered": [""]}), None))
        }
        _ => None,
    }
}

/// Operations that make something, with the fields that name it, and what takes it away again.
const MAKERS: [(&str, &[&str], &str, &str); 9] = [
    ("add_user", &["username"], "drop_user", "username"),
    ("add_role", &["role"], "drop_role", "id"),
    ("create_database", &["database", "schema"], "drop_database", "database"),
    ("create_schema", &["database", "schema"], "drop_database", "database"),
    ("create_table", &["database", "schema"], "drop_database", "database"),
    ("add_component", &["project"], "drop_component", "project"),
    ("deploy_component", &["project"], "drop_component", "project"),
    ("set_component_file", &["project"], "drop_component", "project"),
    ("add_custom_function_project", &["project"], "drop_component", "project"),
];

/// What drops all that was made: users, then roles, then the rest.
pub(super) fn teardown<'a>(made: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let mut drops: Vec<(usize, Value)> = Vec::new();
    for request in made {
        let Some(rank) = MAKERS.iter().position(|(maker, ..)| request["operation"] == *maker) else {
            continue;
        };
        let (_, fields, dropper, field) = MAKERS[rank];
        let Some(name) = fields.iter().find_map(|field| request.get(*field)) else { continue };
        let drop = (rank.min(2), json!({"request": {"operation": dropper, field: name}}));
        if !drops.contains(&drop) {
            drops.push(drop);
        }
    }
    drops.sort_by_key(|(rank, _)| *rank);
    drops.into_iter().map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_dropped_once_and_in_order() {
        let made = [
            json!({"operation": "create_table", "schema": "shop", "table": "a"}),
            json!({"operation": "create_table", "database": "shop", "table": "b"}),
            json!({"operation": "add_role", "role": "clerk"}),
            json!({"operation": "add_user", "username": "kim"}),
            json!({"operation": "insert", "database": "shop"}),
        ];
        let drops = teardown(made.iter());
        let drops: Vec<&str> =
            drops.iter().filter_map(|step| step["request"]["operation"].as_str()).collect();
        assert_eq!(drops, ["drop_user", "drop_role", "drop_database"]);
    }
}
