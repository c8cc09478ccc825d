//! The contract as TypeScript declarations.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{pascal_case, request_schema, shared_reference};
use crate::operation::Operation;
use crate::registry::registry;
use crate::schema::target;

const HEADER: &str = "\
// Types of the requests and answers of the Operations API.
// Printed from schemas/; do not edit.

";

/// All declarations: shared types, a request and a response type per operation, and the table of them.
pub fn declarations() -> String {
    let operations = registry().operations();
    let mut text = String::from(HEADER);
    let mut shared = BTreeSet::new();
    let mut own = String::new();
    for operation in operations {
        declare_operation(&mut own, operation, &mut shared);
    }
    declare_shared(&mut text, shared);
    text.push_str(&own);

    text.push_str(
        "/** Request and answer of each operation, by its name. */\nexport interface Operations {\n",
    );
    for operation in operations {
        let name = pascal_case(&operation.name);
        let names = std::iter::once(&operation.name).chain(operation.aliases.iter().map(|alias| &alias.name));
        for spelling in names {
            let _ = writeln!(text, "  {spelling}: {{ request: {name}Request; response: {name}Response }};");
        }
    }
    text.push_str("}\n\nexport type OperationName = keyof Operations;\n");
    text.push_str("export type Request = Operations[OperationName][\"request\"];\n");
    text
}

fn declare_operation(text: &mut String, operation: &Operation, shared: &mut BTreeSet<String>) {
    let name = pascal_case(&operation.name);
    let mut summary = operation.summary.clone();
    if let Some(deprecated) = &operation.deprecated {
        summary.push_str(" @deprecated");
        if let Some(replacement) = &deprecated.replacement {
            let _ = write!(summary, " Use {replacement}.");
        }
    }
    let request = type_of(&request_schema(operation), 0, shared);
    let _ = writeln!(text, "/** {} */\nexport type {name}Request = {request};\n", one_line(&summary));
    let response =
        operation.responses.get("200").map_or("unknown".to_owned(), |schema| type_of(schema, 0, shared));
    let _ = writeln!(text, "export type {name}Response = {response};\n");
}

/// Declares the types that are referred to, and those they refer to in turn.
fn declare_shared(text: &mut String, wanted: BTreeSet<String>) {
    let mut declared = BTreeSet::new();
    let mut wanted: Vec<String> = wanted.into_iter().collect();
    let mut declarations = Vec::new();
    while let Some(reference) = wanted.pop() {
        if !declared.insert(reference.clone()) {
            continue;
        }
        let mut more = BTreeSet::new();
        let schema = target(&reference).unwrap_or(&Value::Bool(true));
        let declaration =
            format!("export type {} = {};\n\n", type_name(&reference), type_of(schema, 0, &mut more));
        let comment = schema.get("description").and_then(Value::as_str);
        let comment = comment.map(|comment| format!("/** {} */\n", one_line(comment))).unwrap_or_default();
        declarations.push((type_name(&reference), format!("{comment}{declaration}")));
        wanted.extend(more);
    }
    declarations.sort();
    text.extend(declarations.into_iter().map(|(_, declaration)| declaration));
}

/// `common/table-definition.json#/$defs/attribute` → `TableDefinitionAttribute`.
fn type_name(reference: &str) -> String {
    let (name, pointer) = shared_reference(reference).unwrap_or((reference, ""));
    let inner = pointer.rsplit('/').next().unwrap_or_default();
    let shared = pascal_case(name);
    // `Record` and `Error` mean something in TypeScript
    match (shared.as_str(), inner) {
        ("Error", "") => "ErrorBody".to_owned(),
        _ => format!("{shared}{}", pascal_case(inner)),
    }
}

fn type_of(schema: &Value, depth: usize, shared: &mut BTreeSet<String>) -> String {
    let Some(schema) = schema.as_object() else {
        return if schema == &Value::Bool(false) { "never" } else { "unknown" }.to_owned();
    };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        shared.insert(reference.to_owned());
        let name = type_name(reference);
        let beside = schema.contains_key("properties").then(|| object_type(schema, depth, shared));
        return beside.map_or(name.clone(), |beside| format!("{name} & {beside}"));
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    if let Some(Value::Array(choices)) = schema.get("enum") {
        return choices.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    let own = plain_type(schema, depth, shared);
    let mut parts: Vec<String> = own.into_iter().collect();
    for keyword in ["anyOf", "oneOf"] {
        // alternatives that only say which members are needed add nothing to the type
        let branches =
            schema.get(keyword).and_then(Value::as_array).filter(|branches| branches.iter().any(has_type));
        if let Some(branches) = branches {
            parts.push(in_brackets(&union(branches.iter().map(|branch| type_of(branch, depth, shared)))));
        }
    }
    for branch in
        schema.get("allOf").and_then(Value::as_array).into_iter().flatten().filter(|branch| has_type(branch))
    {
        parts.push(in_brackets(&type_of(branch, depth, shared)));
    }
    match parts.len() {
        0 => "unknown".to_owned(),
        1 => without_brackets(parts.remove(0)),
        _ => parts.iter().map(|part| in_brackets(part)).collect::<Vec<_>>().join(" & "),
    }
}

/// Whether a schema says of what type a value is.
fn has_type(schema: &Value) -> bool {
    ["type", "properties", "$ref", "const", "enum", "items"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
        || ["anyOf", "oneOf", "allOf"].iter().any(|keyword| {
            schema.get(keyword).and_then(Value::as_array).is_some_and(|all| all.iter().any(has_type))
        })
}

fn plain_type(schema: &Map<String, Value>, depth: usize, shared: &mut BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> = match schema.get("type").or(schema.get("x-type")) {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.contains_key("properties") => vec!["object"],
        _ if schema.contains_key("items") => vec!["array"],
        _ => return None,
    };
    let mut types: Vec<String> = Vec::new();
    for name in names {
        types.push(match name {
            "string" | "boolean" | "null" => name.to_owned(),
            "number" | "integer" => "number".to_owned(),
            "array" => array_type(schema, depth, shared),
            _ => object_type(schema, depth, shared),
        });
    }
    if schema.get("x-coerce").is_some() && !types.iter().any(|one| one == "string") {
        types.push("string".to_owned());
    }
    if schema.get("x-nullable") == Some(&Value::Bool(true)) {
        types.push("null".to_owned());
    }
    Some(union(types.into_iter()))
}

fn array_type(schema: &Map<String, Value>, depth: usize, shared: &mut BTreeSet<String>) -> String {
    if let Some(Value::Array(items)) = schema.get("prefixItems") {
        let items: Vec<String> = items.iter().map(|item| type_of(item, depth, shared)).collect();
        return format!("[{}]", items.join(", "));
    }
    let items = schema.get("items").or_else(|| schema.get("x-form").and_then(|form| form.get("items")));
    items.map_or("unknown[]".to_owned(), |items| format!("{}[]", in_brackets(&type_of(items, depth, shared))))
}

fn object_type(schema: &Map<String, Value>, depth: usize, shared: &mut BTreeSet<String>) -> String {
    if let Some(reference) = schema.get("x-form").and_then(|form| form.get("$ref")).and_then(Value::as_str) {
        shared.insert(reference.to_owned());
        return type_name(reference);
    }
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let others = match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) | None => properties.is_empty().then(|| "unknown".to_owned()),
        Some(others) => Some(type_of(others, depth, shared)),
    };
    let loose = required.iter().filter(|name| !properties.contains_key(**name));
    if properties.is_empty() && loose.clone().next().is_none() {
        return others.map_or("{}".to_owned(), |others| format!("{{ [name: string]: {others} }}"));
    }
    let inner = "  ".repeat(depth + 1);
    let mut text = String::from("{\n");
    let mut types = Vec::new();
    for (name, member) in properties {
        if let Some(comment) = member.get("description").and_then(Value::as_str) {
            let _ = writeln!(text, "{inner}/** {} */", one_line(comment));
        }
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let kind = type_of(member, depth + 1, shared);
        let _ = writeln!(text, "{inner}{}{optional}: {kind};", member_name(name));
        types.push(kind);
    }
    for name in loose {
        let _ = writeln!(text, "{inner}{}: unknown;", member_name(name));
        types.push("unknown".to_owned());
    }
    if let Some(others) = others {
        // an index signature has to allow what the named members may be
        types.extend([others, "undefined".to_owned()]);
        let _ = writeln!(text, "{inner}[name: string]: {};", union(types.into_iter()));
    }
    let _ = write!(text, "{}}}", "  ".repeat(depth));
    text
}

fn member_name(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let starts = name.chars().next().is_some_and(|letter| !letter.is_ascii_digit());
    if plain && starts { name.to_owned() } else { Value::String(name.to_owned()).to_string() }
}

fn union(types: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for one in types {
        if one == "unknown" {
            return one;
        }
        if !different.contains(&one) {
            different.push(one);
        }
    }
    if different.is_empty() { "unknown".to_owned() } else { different.join(" | ") }
}

fn in_brackets(text: &str) -> String {
    let compound = text.contains(" | ") || text.contains(" & ");
    let bracketed = text.starts_with('(') && text.ends_with(')');
    if compound && !bracketed { format!("({text})") } else { text.to_owned() }
}

fn without_brackets(text: String) -> String {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let single = inner.filter(|inner| !inner.contains(['(', ')']));
    single.map_or(text.clone(), str::to_owned)
}

/// A comment's text: one line that does not end the comment.
fn one_line(text: &str) -> String {
    text.replace("*/", "* /").split_whitespace().collect::<Vec<_>>().join(" ")
}
