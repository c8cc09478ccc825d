//! The two ways of checking a request agree: the compiled strict schema, and the walk that words the faults.
//!
//! The walk may allow more, since it knows of conversions and of null for absent; never less.

use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::request as walk;
use crate::mutate::one_fault_requests;
use crate::operation::Operation;
use crate::registry::registry;
use crate::sample::{SampleNames, valid_request};

/// Keywords that only the walk knows.
const ONLY_WALKED: &[&str] = &["x-coerce", "x-nullable", "x-falsy-absent", "x-ignore-case"];

/// Whether an operation's requests are described without those keywords, here and in the shared schemas that
/// are referred to.
fn is_plain(operation: &Operation) -> bool {
    static PLAIN: OnceLock<Vec<String>> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| {
        let is_plain =
            |operation: &&&Operation| is_unmarked(&operation.strict_request_schema(), &mut Vec::new());
        registry().operations().iter().filter(is_plain).map(|operation| operation.name.clone()).collect()
    });
    plain.contains(&operation.name)
}

fn is_unmarked(schema: &Value, seen: &mut Vec<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().all(|(name, member)| match member {
            Value::String(reference) if name == "$ref" => {
                let known = seen.contains(reference);
                seen.push(reference.clone());
                known || crate::schema::target(reference).is_none_or(|target| is_unmarked(target, seen))
            }
            _ => !ONLY_WALKED.contains(&name.as_str()) && is_unmarked(member, seen),
        }),
        Value::Array(items) => items.iter().all(|item| is_unmarked(item, seen)),
        _ => true,
    }
}

fn compare(operation: &Operation, request: &Value) -> Result<(), TestCaseError> {
    let strict = operation.request_validator().expect("compiles").is_valid(request);
    let faults = walk(operation, request);
    prop_assert!(
        !strict || faults.is_empty(),
        "{}: {request}: strictly valid, but {faults:?}",
        operation.name
    );
    if is_plain(operation) && !has_two_spellings(operation, request) {
        prop_assert!(strict || !faults.is_empty(), "{}: {request}: no fault, but not valid", operation.name);
    }
    Ok(())
}

/// Whether a field is there in two spellings, of which the walk need not look at the one that is not used.
fn has_two_spellings(operation: &Operation, request: &Value) -> bool {
    operation
        .field_aliases
        .iter()
        .any(|alias| request.get(&alias.field).is_some() && request.get(&alias.alias).is_some())
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..300).prop_map(Value::from),
        (-2.0..300.0f64).prop_map(Value::from),
        "[ -~ü/`]{0,6}".prop_map(Value::from),
        "[a-z_]{240,260}".prop_map(Value::from),
        prop_oneof!["and", "OR", "insert", "csv", "2024-01-31", "12", "true", "[*]"].prop_map(Value::from),
    ];
    let name =
        prop_oneof!["attribute", "search_attribute", "conditions", "operator", "next", "name", "[a-z]{1,3}"];
    scalar.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..3).prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_requests_with_any_value_in_a_field(which in any::<prop::sample::Index>(), values in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..3)) {
        let operation = which.get(registry().operations());
        let mut request = valid_request(operation, &SampleNames::default()).expect("a valid request");
        let names = fields(operation);
        if !names.is_empty() {
            for (field, value) in values {
                request[*field.get(&names)] = value;
            }
        }
        compare(operation, &request)?;
    }
}

fn fields(operation: &Operation) -> Vec<&str> {
    let properties = operation.request["properties"].as_object().into_iter().flatten();
    let aliases = operation.field_aliases.iter().map(|alias| alias.alias.as_str());
    properties.map(|(name, _)| name.as_str()).chain(aliases).collect()
}

#[test]
fn on_requests_with_each_telling_value_in_each_field() {
    let long = "a".repeat(251);
    let values = json!([
        null, true, false, 0, 1, -1, 0.5, 1.0, 1001, 1e300, "", " ", "a", "A b", "a/b", "ü", long, "and", "12", "1.5",
        "2024-01-31", [], [[]], [{}], ["a"], [1], [null], ["*", "a"], {}, {"a": 1}, {"attribute": "a"},
        {"attribute": ""}, {"attribute": "a", "next": {}}, [{"conditions": []}], [{"operator": "x", "conditions": [{"attribute": 1}]}]
    ]);
    for operation in registry().operations() {
        let valid = valid_request(operation, &SampleNames::default()).unwrap();
        for field in fields(operation) {
            for value in values.as_array().unwrap() {
                let mut request = valid.clone();
                request[field] = value.clone();
                compare(operation, &request).unwrap();
            }
            let mut request = valid.clone();
            request.as_object_mut().unwrap().shift_remove(field);
            compare(operation, &request).unwrap();
        }
    }
}

#[test]
fn on_valid_requests_and_those_with_one_fault() {
    for operation in registry().operations() {
        let valid = valid_request(operation, &SampleNames::default()).unwrap();
        assert_eq!(walk(operation, &valid), [], "{valid}");
        compare(operation, &valid).unwrap();
        for mutant in one_fault_requests(operation, &valid) {
            compare(operation, &mutant.request).unwrap();
        }
        for example in &operation.examples {
            compare(operation, &example.request).unwrap();
        }
    }
}

#[test]
fn many_operations_are_compared_in_both_directions() {
    let plain = registry().operations().iter().filter(|operation| is_plain(operation)).count();
    assert!(plain > 30, "only {plain}");
}
