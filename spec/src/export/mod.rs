//! Documents printed from the contract.

pub mod markdown;
pub mod openapi;
pub mod typescript;

use serde_json::Value;

use crate::operation::Operation;
use crate::schema::{BASE, resolved};

/// The documents kept under `spec/exports/`: file name and text.
pub fn all() -> Vec<(&'static str, String)> {
    let mut document = serde_json::to_string_pretty(&openapi::document()).unwrap_or_default();
    document.push('\n');
    vec![
        ("openapi.json", document),
        ("operations.d.ts", typescript::declarations()),
        ("operations.md", markdown::document()),
    ]
}

/// The request schema with all spellings of the fields and with `operation`, as clients may write it.
fn request_schema(operation: &Operation) -> Value {
    let mut schema = operation.strict_request_schema();
    let Some(members) = schema.as_object_mut() else { return schema };
    let names: Vec<Value> = std::iter::once(&operation.name)
        .chain(operation.aliases.iter().map(|alias| &alias.name))
        .map(|name| Value::String(name.clone()))
        .collect();
    let named = match names.as_slice() {
        [only] => serde_json::json!({"const": only}),
        _ => serde_json::json!({"enum": names}),
    };
    let mut properties = serde_json::Map::new();
    properties.insert("operation".to_owned(), named);
    if let Some(Value::Object(fields)) = members.shift_remove("properties") {
        for (name, mut field) in fields {
            if operation.alias(&name).is_some()
                && let Value::Object(field) = &mut field
            {
                field.insert("deprecated".to_owned(), Value::Bool(true));
            }
            if name != "operation" {
                properties.insert(name, field);
            }
        }
    }
    let mut required = vec![Value::String("operation".to_owned())];
    if let Some(Value::Array(others)) = members.shift_remove("required") {
        required.extend(others);
    }
    let rest = std::mem::take(members);
    members.insert("type".to_owned(), Value::String("object".to_owned()));
    members.insert("properties".to_owned(), Value::Object(properties));
    members.insert("required".to_owned(), Value::Array(required));
    members.extend(rest.into_iter().filter(|(name, _)| name != "type"));
    schema
}

/// A one-line description of a schema, its own or that of what it points at.
fn description(schema: &Value) -> String {
    let found = schema.as_object().map(resolved);
    found.and_then(|schema| schema.get("description")?.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The parts of an absolute reference to a shared schema: its name, and the pointer inside it.
fn shared_reference(reference: &str) -> Option<(&str, &str)> {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let name = file.strip_prefix(BASE)?.strip_prefix("common/")?.strip_suffix(".json")?;
    Some((name, pointer))
}

/// `table-definition` → `TableDefinition`, `search_by_id` → `SearchById`.
fn pascal_case(name: &str) -> String {
    let mut text = String::new();
    let mut upper = true;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            upper = true;
        } else if upper {
            text.extend(letter.to_uppercase());
            upper = false;
        } else {
            text.push(letter);
        }
    }
    text
}
