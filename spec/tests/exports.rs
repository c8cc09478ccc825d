//! The printed documents are up to date and well-formed.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use spec::export::{all, markdown, openapi, typescript};
use spec::registry;

#[test]
fn exports_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exports");
    for (name, text) in all() {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let line = kept.lines().zip(text.lines()).take_while(|(kept, new)| kept == new).count() + 1;
        assert!(
            kept == text,
            "spec/exports/{name} is out of date from line {line} on. Refresh it with `cargo run -p spec --bin export`."
        );
    }
}

#[test]
fn the_openapi_document_has_what_openapi_asks_for() {
    let document = openapi::document();
    assert_eq!(document["openapi"], json!("3.1.0"));
    for field in ["title", "version"] {
        assert!(document["info"][field].is_string(), "info.{field}");
    }
    let known: BTreeSet<&str> = [
        "openapi",
        "info",
        "jsonSchemaDialect",
        "servers",
        "paths",
        "webhooks",
        "components",
        "security",
        "tags",
        "externalDocs",
    ]
    .into();
    for field in document.as_object().unwrap().keys() {
        assert!(known.contains(field.as_str()), "{field} is no field of an OpenAPI document");
    }
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/'));
        for (method, operation) in methods.as_object().unwrap() {
            assert!(["get", "post"].contains(&method.as_str()));
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
            let responses = operation["responses"].as_object().unwrap();
            assert!(!responses.is_empty());
            for (status, response) in responses {
                assert!(status.parse::<u16>().is_ok());
                assert!(response["description"].is_string());
            }
        }
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    for needed in document["security"].as_array().unwrap() {
        let name = needed.as_object().unwrap().keys().next().unwrap();
        assert_eq!(schemes[name]["type"], json!("http"));
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(
            name.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_".contains(letter)),
            "{name}"
        );
        assert!(jsonschema::meta::is_valid(schema), "{name} is not JSON Schema");
    }
}

#[test]
fn every_reference_of_the_openapi_document_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(target) if name == "$ref" => {
                            let pointer = target.strip_prefix('#').expect("a reference inside the document");
                            assert!(document.pointer(pointer).is_some(), "nothing is at {target}");
                        }
                        _ => visit(member, document),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, document)),
            _ => {}
        }
    }
    let document = openapi::document();
    visit(&document, &document);
    let mapping = &document["paths"]["/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["discriminator"]
        ["mapping"];
    for target in mapping.as_object().unwrap().values() {
        assert!(document.pointer(target.as_str().unwrap().strip_prefix('#').unwrap()).is_some());
    }
}

#[test]
fn examples_are_valid_by_the_openapi_document() {
    let document = openapi::document();
    let schema = json!({
        "$ref": "#/paths/~1/post/requestBody/content/application~1json/schema",
        "paths": document["paths"], "components": document["components"]
    });
    let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap();
    for operation in registry().operations() {
        for example in &operation.examples {
            assert!(validator.is_valid(&example.request), "{}", example.request);
        }
    }
    assert!(!validator.is_valid(&json!({"operation": "no_such_operation"})));
    assert!(!validator.is_valid(&json!({"operation": "insert", "table": "dog"})));
    assert!(validator.is_valid(
        &json!({"operation": "search_by_hash", "table": "dog", "hash_values": [1], "get_attributes": ["*"]})
    ));
}

#[test]
fn the_declarations_name_every_operation_once() {
    let text = typescript::declarations();
    for (name, _) in registry().names() {
        assert_eq!(text.matches(&format!("\n  {name}: {{ request: ")).count(), 1, "{name}");
    }
    let mut declared = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("export type ")) {
        let name = line.split(' ').next().unwrap();
        assert!(declared.insert(name), "{name} is declared twice");
    }
    for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("/*")).collect();
        assert_eq!(code.matches(open).count(), code.matches(close).count(), "{open}{close}");
    }
    assert!(text.contains("export type InsertRequest = {\n  operation: \"insert\";\n"));
}

#[test]
fn the_tables_and_sections_have_every_operation() {
    let tables = markdown::operations_table();
    let document = markdown::document();
    for operation in registry().operations() {
        assert!(tables.contains(&format!("| [`{0}`](#{0}) |", operation.name)), "{}", operation.name);
        assert!(document.contains(&format!("\n## {}\n", operation.name)), "{}", operation.name);
        for requirement in &operation.requirements {
            assert!(document.contains(&format!("[{}]", requirement.id)), "{}", requirement.id);
        }
    }
}
