//! The files under `schemas/`: their form, their examples, and that everything in them compiles.

use serde_json::Value;
use spec::{Basis, Level, registry};

/// Collects what is wrong, so that one run shows everything.
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn operation_files_follow_the_meta_schema() {
    let meta = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(&registry().meta_schema())
        .expect("the meta-schema compiles");
    let mut problems = Vec::new();
    for (name, text) in registry().operation_texts() {
        let file: Value = serde_json::from_str(text).unwrap();
        for error in meta.iter_errors(&file) {
            problems.push(format!("{name} at {}: {error}", error.instance_path()));
        }
    }
    assert_none(&problems);
}

#[test]
fn shared_schemas_are_valid() {
    for (name, schema) in registry().common_schemas() {
        assert!(jsonschema::meta::is_valid(schema), "common/{name}.json is not JSON Schema");
    }
}

#[test]
fn every_schema_compiles() {
    let mut problems = Vec::new();
    for operation in registry().operations() {
        if operation.request_validator().is_none() {
            problems.push(format!("{}: the request schema", operation.name));
        }
        for status in operation.responses.keys() {
            if operation.response_validator(status.parse().unwrap()).is_none() {
                problems.push(format!("{}: the response schema {status}", operation.name));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn example_requests_are_valid() {
    let mut problems = Vec::new();
    for operation in registry().operations() {
        for example in &operation.examples {
            let named = example.request.get("operation").and_then(Value::as_str).unwrap_or_default();
            if registry().operation(named).map(|found| &found.name) != Some(&operation.name) {
                problems.push(format!("{}: {:?} is for {named:?}", operation.name, example.summary));
            }
            if let Some(text) = operation.check_text(&example.request) {
                problems.push(format!("{}: {:?}: {text}", operation.name, example.summary));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn example_answers_are_valid() {
    let mut problems = Vec::new();
    for operation in registry().operations() {
        let Some(validator) = operation.response_validator(200) else { continue };
        for example in &operation.examples {
            let Some(response) = &example.response else { continue };
            for error in validator.iter_errors(response) {
                problems.push(format!(
                    "{}: {:?} at {}: {error}",
                    operation.name,
                    example.summary,
                    error.instance_path()
                ));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn what_the_product_does_otherwise_is_never_demanded() {
    let demanded: Vec<&str> = registry()
        .requirements()
        .filter(|requirement| requirement.basis == Basis::Intended && requirement.level == Level::Must)
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert!(demanded.is_empty(), "intended behaviour is at most a SHOULD: {demanded:?}");
}
