//! Checking a request, and saying what is wrong with it in the documented words.
//!
//! A request goes first through the compiled strict schema; only what that refuses is walked here. The
//! walk decides: it knows the spellings of fields, the values that are converted before checking, and the
//! order and texts of the messages.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
mod text;
mod values;
mod walk;

use serde_json::{Map, Value, json};

use crate::operation::Operation;
use walk::Place;

pub(crate) use values::matches;

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer to the faulty value, or to where the missing one should be.
    pub pointer: String,
    /// The keyword of the request schema that is broken.
    pub keyword: String,
    /// The documented text.
    pub message: String,
}

/// Walks the request schema and reports every fault, in order.
pub(crate) fn request(operation: &Operation, request: &Value) -> Vec<Violation> {
    let Some(schema) = operation.request.as_object() else { return Vec::new() };
    let schema = crate::schema::resolved(schema);
    let mut found = walk::faults(&schema, request, &Place::root(operation));
    if !operation.checks.order_of_rules.is_empty() {
        sort_by_rules(operation, &mut found);
    }
    found
}

/// Whether a value is valid under a schema whose reference is resolved.
pub(crate) fn accepts(schema: &Map<String, Value>, value: &Value) -> bool {
    walk::faults(schema, value, &Place::anywhere()).is_empty()
}

/// Whether a value is valid under any schema.
pub(crate) fn accepts_any(schema: &Value, value: &Value) -> bool {
    match schema {
        Value::Object(schema) => accepts(&crate::schema::resolved(schema), value),
        _ => schema != &Value::Bool(false),
    }
}

/// Brings faults into the order of the operation's `order_of_rules`: top-level fields and root keywords.
fn sort_by_rules(operation: &Operation, found: &mut [Violation]) {
    let rules = &operation.checks.order_of_rules;
    found.sort_by_key(|violation| {
        let field = violation.pointer.split('/').nth(1).map(|field| operation.canonical_name(field));
        let rule = field.filter(|field| rules.iter().any(|one| one == field)).unwrap_or(&violation.keyword);
        rules.iter().position(|one| one == rule).unwrap_or(rules.len())
    });
}

/// The request schema over all spellings, in plain JSON Schema.
pub(crate) fn strict_schema(operation: &Operation) -> Value {
    let mut schema = match operation.request.as_object() {
        Some(schema) => crate::schema::resolved(schema).into_owned(),
        None => Map::new(),
    };
    let mut alternatives = Vec::new();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            let mut spellings: Vec<&str> =
                operation.aliases_of(name).map(|alias| alias.alias.as_str()).collect();
            if spellings.is_empty() {
                return name != "operation";
            }
            spellings.insert(0, name);
            let one_of_them: Vec<Value> = spellings.iter().map(|name| json!({"required": [name]})).collect();
            alternatives.push(json!({"anyOf": one_of_them}));
            false
        });
    }
    let required = operation.request.get("required").and_then(Value::as_array);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_remove("operation");
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            refuse_null_for_absent(properties, name);
        }
        for alias in &operation.field_aliases {
            if let (false, Some(same)) = (properties.contains_key(&alias.alias), properties.get(&alias.field))
            {
                let same = same.clone();
                properties.insert(alias.alias.clone(), same);
            }
        }
        if schema.get("additionalProperties").is_some()
            && let Some(Value::Object(properties)) = schema.get_mut("properties")
        {
            properties.insert("operation".to_owned(), Value::Bool(true));
        }
    }
    if !alternatives.is_empty() {
        match schema.get_mut("allOf") {
            Some(Value::Array(all)) => all.extend(alternatives),
            _ => {
                schema.insert("allOf".to_owned(), Value::Array(alternatives));
            }
        }
    }
    Value::Object(schema)
}

/// A required field whose null counts as absent must not be null, even if its schema allows any type.
fn refuse_null_for_absent(properties: &mut Map<String, Value>, name: &str) {
    let Some(Value::Object(field)) = properties.get(name) else { return };
    let mut field = crate::schema::resolved(field).into_owned();
    if field.get("x-nullable") == Some(&Value::Bool(true)) && !field.contains_key("type") {
        field.insert("type".to_owned(), json!(["string", "number", "boolean", "array", "object"]));
        properties.insert(name.to_owned(), Value::Object(field));
    }
}
