//! The contract as Markdown: tables of all operations, and a section for each.

use std::fmt::Write as _;

use serde_json::Value;

use super::description;
use crate::file::{Access, AccessRole, CATEGORIES, TablePermission, Wins};
use crate::operation::Operation;
use crate::registry::registry;
use crate::schema::resolved;

/// The tables and all sections.
pub fn document() -> String {
    let mut text = String::from("# Operations\n\nPrinted from `schemas/`; do not edit.\n\n");
    text.push_str(&operations_table());
    for category in CATEGORIES {
        let mut operations =
            registry().operations().iter().filter(|one| one.category == *category).peekable();
        if operations.peek().is_some() {
            let _ = writeln!(text, "# {}\n", title(category));
        }
        for operation in operations {
            text.push_str(&self::operation(operation));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A table of the operations of each category.
pub fn operations_table() -> String {
    let mut text = String::new();
    for category in CATEGORIES {
        let operations: Vec<_> =
            registry().operations().iter().filter(|one| one.category == *category).collect();
        if operations.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "## {}\n\n| operation | what it does | who may | |\n| --- | --- | --- | --- |",
            title(category)
        );
        for operation in operations {
            let mut marks = Vec::new();
            if operation.deprecated.is_some() {
                marks.push("deprecated");
            }
            if operation.starts_job {
                marks.push("job");
            }
            if operation.mutates {
                marks.push("changes");
            }
            let _ = writeln!(
                text,
                "| [`{name}`](#{name}) | {} | {} | {} |",
                cell(&operation.summary),
                cell(&access(&operation.access)),
                marks.join(", "),
                name = operation.name
            );
        }
        text.push('\n');
    }
    text
}

/// The section of one operation: fields, access, errors, requirements, an example.
pub fn operation(operation: &Operation) -> String {
    let mut text = format!("## {}\n\n{}\n\n", operation.name, operation.summary);
    if let Some(deprecated) = &operation.deprecated {
        let since = deprecated.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
        let instead =
            deprecated.replacement.as_ref().map(|other| format!("; use `{other}`")).unwrap_or_default();
        let note = deprecated.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
        let _ = writeln!(text, "Deprecated{since}{instead}.{note}\n");
    }
    if !operation.aliases.is_empty() {
        let names: Vec<String> = operation.aliases.iter().map(|alias| format!("`{}`", alias.name)).collect();
        let _ = writeln!(text, "Also called {}.\n", names.join(", "));
    }
    let note = operation.access.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
    let _ = writeln!(text, "Who may: {}.{note}\n", access(&operation.access));
    if operation.starts_job {
        text.push_str("Starts a job and answers with its id.\n\n");
    }
    fields(&mut text, operation);
    if !operation.errors.is_empty() {
        text.push_str("| when | status | text |\n| --- | --- | --- |\n");
        for error in &operation.errors {
            let place = error.member.as_ref().map(|member| format!(" (in `{member}`)")).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {} | {}{place} | {} |",
                cell(&error.when),
                error.status,
                code(&error.message)
            );
        }
        text.push('\n');
    }
    if let Some(example) = operation.examples.first() {
        let _ = writeln!(text, "```json\n{}\n```\n", example.request);
        if let Some(response) = &example.response {
            let _ = writeln!(text, "```json\n{response}\n```\n");
        }
    }
    for requirement in &operation.requirements {
        let _ = writeln!(text, "- {} [{}]", requirement.text, requirement.id);
    }
    if !operation.requirements.is_empty() {
        text.push('\n');
    }
    text
}

fn fields(text: &mut String, operation: &Operation) {
    let Some(schema) = operation.request.as_object().map(resolved) else { return };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if properties.is_empty() {
        return;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    text.push_str("| field | type | required | |\n| --- | --- | --- | --- |\n");
    for (name, field) in properties.iter().filter(|(name, _)| *name != "operation") {
        let mut remarks = Vec::new();
        for alias in operation.aliases_of(name) {
            let wins = if alias.wins == Wins::Alias { ", which wins" } else { "" };
            remarks.push(format!("Also `{}`{wins}.", alias.alias));
        }
        remarks.extend(Some(description(field)).filter(|text| !text.is_empty()));
        remarks.extend(limits(field));
        let needed = if is_required(name) { "yes" } else { "" };
        let _ =
            writeln!(text, "| `{name}` | {} | {needed} | {} |", cell(&kind(field)), cell(&remarks.join(" ")));
    }
    text.push('\n');
}

fn kind(field: &Value) -> String {
    let Some(field) = field.as_object().map(resolved) else { return "any".to_owned() };
    let named = match field.get("type").or(field.get("x-type")) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        _ if field.contains_key("enum") => "string".to_owned(),
        _ => "any".to_owned(),
    };
    match field.get("items").map(kind) {
        Some(items) if items != "any" => format!("{named} of {items}"),
        _ => named,
    }
}

/// Bounds, choices and defaults in words.
fn limits(field: &Value) -> Vec<String> {
    let Some(field) = field.as_object().map(resolved) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(Value::Array(choices)) = field.get("enum") {
        let choices: Vec<String> = choices.iter().map(|choice| code(&bare(choice))).collect();
        found.push(format!("One of {}.", choices.join(", ")));
    }
    for (keyword, words) in [
        ("minimum", "At least"),
        ("maximum", "At most"),
        ("minItems", "Items, at least"),
        ("maxItems", "Items, at most"),
        ("maxLength", "Characters, at most"),
        ("x-default", "Default"),
    ] {
        if let Some(bound) = field.get(keyword) {
            found.push(format!("{words}: {}.", code(&bare(bound))));
        }
    }
    found
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn access(access: &Access) -> String {
    let mut text = role(access.role);
    if !access.table_permissions.is_empty() {
        let permissions: Vec<&str> = access.table_permissions.iter().map(|one| permission(*one)).collect();
        text = format!("{} on the table", permissions.join(" and "));
    }
    if let Some(also) = access.also {
        let _ = write!(text, ", or {}", role(also));
    }
    text
}

fn role(role: AccessRole) -> String {
    match role {
        AccessRole::None => "anybody, without credentials",
        AccessRole::Any => "any user",
        AccessRole::SuperUser => "super users",
        AccessRole::StructureUser => "structure users",
        AccessRole::StructureUserDatabase => "structure users of the database",
        AccessRole::Table => "users with permissions on the table",
        AccessRole::Describe => "any user, who sees what the role allows",
        AccessRole::Sql => "depends on the statement",
    }
    .to_owned()
}

fn permission(permission: TablePermission) -> &'static str {
    match permission {
        TablePermission::Read => "read",
        TablePermission::Insert => "insert",
        TablePermission::Update => "update",
        TablePermission::Delete => "delete",
    }
}

/// `databases-tables` → `Databases and tables`.
fn title(category: &str) -> String {
    match category {
        "databases-tables" => "Databases and tables".to_owned(),
        "nosql" => "Records".to_owned(),
        "sql" => "SQL".to_owned(),
        "users-roles" => "Users and roles".to_owned(),
        "bulk" => "Bulk loads and exports".to_owned(),
        other => {
            let words = other.replace('-', " ");
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// Text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Literal text that may stand in a table.
fn code(text: &str) -> String {
    let text = text.replace('\n', "\\n");
    let text = text.replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
