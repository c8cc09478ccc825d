//! The request of each cell: enough for authorization to decide, and harmless where it is allowed.

use super::{Column, DATABASE, GONE, HIDDEN, PASSWORD, TABLE, is_about_records};
use serde_json::{Map, Value, json};
use spec::Operation;
use spec::sample::SampleNames;

/// The request by which a kind of caller tries an operation.
pub(super) fn request(operation: &Operation, column: Column) -> Value {
    let hides = column == Column::Attribute;
    let own = |fields: Value| with_name(operation, fields);
    let on_table = |fields: Value| {
        let mut request = own(fields);
        request["database"] = json!(DATABASE);
        request["table"] = json!(TABLE);
        request
    };
    match operation.name.as_str() {
        // What exists cannot be made again, and what does not cannot be dropped.
        "create_database" => own(json!({"database": DATABASE})),
        "drop_database" => own(json!({"database": GONE})),
        "create_table" => on_table(json!({"primary_key": "id"})),
        "drop_table" => own(json!({"database": DATABASE, "table": GONE})),
        "create_attribute" => on_table(json!({"attribute": if hides { HIDDEN } else { "name" }})),
        "drop_attribute" => on_table(json!({"attribute": GONE})),
        "describe_table" => on_table(json!({})),
        "insert" | "update" | "upsert" => {
            let used = if hides { HIDDEN } else { "name" };
            on_table(json!({"records": [{"id": 1, used: "sample"}]}))
        }
        "delete" => on_table(json!({"ids": ["no such key"]})),
        "search_by_id" => {
            on_table(json!({"ids": [1], "get_attributes": [if hides { HIDDEN } else { "name" }]}))
        }
        "search_by_value" => {
            let attribute = if hides { HIDDEN } else { "name" };
            on_table(json!({"attribute": attribute, "value": "sample", "get_attributes": ["id"]}))
        }
        "search_by_conditions" => {
            let attribute = if hides { HIDDEN } else { "name" };
            let condition = json!({"attribute": attribute, "comparator": "equals", "value": "sample"});
            on_table(json!({"conditions": [condition], "get_attributes": ["id"]}))
        }
        "sql" => {
            let attribute = if hides { HIDDEN } else { "name" };
            own(json!({"sql": format!("SELECT {attribute} FROM {DATABASE}.{TABLE}")}))
        }
        // Without the data there is nothing to load. What a column may hold is looked at in the job.
        _ if operation.category == "bulk" && is_about_records(operation) => {
            on_table(json!({"action": "insert"}))
        }
        "login" => own(json!({"username": "${admin_username}", "password": "${admin_password}"})),
        // Not the administrator's: a user's new tokens make the old ones worthless.
        "create_authentication_tokens" => {
            own(json!({"username": Column::Table.username(), "password": PASSWORD}))
        }
        "set_configuration" => own(json!({"matrix_no_such_key": 1})),
        "clear_status" => own(json!({"id": GONE})),
        _ => general(operation),
    }
}

/// Operations that read are asked as they should be, others without all that they need.
fn general(operation: &Operation) -> Value {
    let reads = !operation.mutates && !operation.starts_job;
    let needs_nothing = operation.request.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if !(reads && needs_nothing) {
        return with_name(operation, json!({}));
    }
    let names = SampleNames {
        database: DATABASE.to_owned(),
        table: TABLE.to_owned(),
        primary_key: "id".to_owned(),
        attribute: "name".to_owned(),
        role: GONE.to_owned(),
        username: GONE.to_owned(),
    };
    spec::sample::valid_request(operation, &names).unwrap_or_else(|| with_name(operation, json!({})))
}

fn with_name(operation: &Operation, fields: Value) -> Value {
    let mut request = Map::new();
    request.insert("operation".to_owned(), json!(operation.name));
    if let Value::Object(fields) = fields {
        request.extend(fields);
    }
    Value::Object(request)
}
