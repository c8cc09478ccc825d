//! The words of the messages.

use serde_json::{Map, Value};

/// What a message is about.
pub(crate) struct Subject<'a> {
    /// The name shown for the value.
    pub(crate) label: &'a str,
    /// The value, when there is one.
    pub(crate) value: Option<&'a Value>,
    /// A member's name, for messages about members as such.
    pub(crate) key: &'a str,
}

/// The text for a broken keyword: the schema's own under `x-messages`, or the template.
/// `{label}`, `{value}` (as JSON), `{text}` (text as it is) and `{key}` stand for the parts of the subject.
pub(crate) fn message(schema: &Map<String, Value>, keyword: &str, subject: &Subject<'_>) -> String {
    let own = schema.get("x-messages").and_then(|messages| messages.get(keyword)).and_then(Value::as_str);
    match own {
        Some(text) => fill(text, subject),
        None => template(schema, keyword, subject),
    }
}

/// Whether the schema has its own text for a keyword.
pub(crate) fn has_own(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get("x-messages").is_some_and(|messages| messages.get(keyword).is_some())
}

fn fill(text: &str, subject: &Subject<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let Some((name, after)) = from[1..].split_once('}') else {
            rest = from;
            break;
        };
        match (name, subject.value) {
            ("label", _) => filled.push_str(subject.label),
            ("key", _) => filled.push_str(subject.key),
            ("text", Some(Value::String(text))) => filled.push_str(text),
            ("value" | "text", value) => filled.push_str(&value.unwrap_or(&Value::Null).to_string()),
            _ => {
                filled.push('{');
                rest = &from[1..];
                continue;
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn template(schema: &Map<String, Value>, keyword: &str, subject: &Subject<'_>) -> String {
    let label = subject.label;
    let bound = || schema.get(keyword).map(list).unwrap_or_default();
    match keyword {
        "required" => format!("'{label}' is required"),
        "type" => format!("'{label}' must be {}", type_text(schema.get("type"))),
        "integer" => format!("'{label}' must be an integer"),
        "enum" => format!("'{label}' must be one of [{}]", bound()),
        "const" => format!("'{label}' must be [{}]", bound()),
        "minLength" if subject.value.and_then(Value::as_str) == Some("") => {
            format!("'{label}' is not allowed to be empty")
        }
        "minLength" => format!("'{label}' length must be at least {} characters long", bound()),
        "maxLength" => format!("'{label}' length must be less than or equal to {} characters long", bound()),
        "pattern" => {
            let value = subject.value.and_then(Value::as_str).unwrap_or_default();
            format!("'{label}' with value '{value}' fails to match the required pattern: /{}/", bound())
        }
        "minimum" => format!("'{label}' must be greater than or equal to {}", bound()),
        "maximum" => format!("'{label}' must be less than or equal to {}", bound()),
        "exclusiveMinimum" => format!("'{label}' must be greater than {}", bound()),
        "exclusiveMaximum" => format!("'{label}' must be less than {}", bound()),
        "multipleOf" => format!("'{label}' must be a multiple of {}", bound()),
        "minItems" => format!("'{label}' must contain at least {} items", bound()),
        "maxItems" => format!("'{label}' must contain less than or equal to {} items", bound()),
        "uniqueItems" => format!("'{label}' contains a duplicate value"),
        "minProperties" => format!("'{label}' must have at least {} key{}", bound(), plural(&bound())),
        "maxProperties" => {
            format!("'{label}' must have less than or equal to {} key{}", bound(), plural(&bound()))
        }
        "anyOf" | "oneOf" => match alternatives(schema.get(keyword)) {
            Some(names) => format!("'{label}' must contain at least one of [{}]", names.join(", ")),
            None => format!("'{label}' does not match any of the allowed types"),
        },
        "not" => format!("'{label}' contains an invalid value"),
        "depth" => format!("'{label}' is nested too deeply"),
        "dependentRequired" => format!("'{label}' missing required peer '{}'", subject.key),
        _ => format!("'{label}' is not allowed"),
    }
}

fn plural(count: &str) -> &'static str {
    if count == "1" { "" } else { "s" }
}

/// The bare values, separated by commas.
fn list(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(list).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn type_text(kind: Option<&Value>) -> String {
    let names: Vec<&str> = match kind {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        _ => Vec::new(),
    };
    match names[..] {
        ["number" | "integer"] => "a number".to_owned(),
        ["array"] => "an array".to_owned(),
        ["object"] => "of type object".to_owned(),
        [] => "null".to_owned(),
        [one] => format!("a {one}"),
        _ => {
            let named: Vec<&str> =
                names.iter().map(|name| if *name == "integer" { "number" } else { name }).collect();
            format!("one of [{}]", named.join(", "))
        }
    }
}

/// The names of alternatives that each only ask for one member.
fn alternatives(branches: Option<&Value>) -> Option<Vec<&str>> {
    branches?.as_array()?.iter().map(only_required).collect()
}

fn only_required(branch: &Value) -> Option<&str> {
    let branch = branch.as_object().filter(|branch| branch.len() == 1)?;
    match branch.get("required")?.as_array()?.as_slice() {
        [name] => name.as_str(),
        _ => None,
    }
}
