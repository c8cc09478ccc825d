//! Requests made from the schemas: the valid ones are valid, the faulty ones are not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use spec::mutate::{Mutant, one_fault_requests};
use spec::sample::{SampleNames, valid_request};
use spec::{Operation, registry};

fn names() -> SampleNames {
    SampleNames {
        database: "harbour".to_owned(),
        table: "ship".to_owned(),
        primary_key: "imo".to_owned(),
        attribute: "flag".to_owned(),
        role: "pilot".to_owned(),
        username: "kim".to_owned(),
    }
}

fn sample(operation: &Operation) -> Value {
    valid_request(operation, &names()).unwrap_or_else(|| panic!("no valid request for {}", operation.name))
}

fn mutants() -> impl Iterator<Item = (&'static Operation, Value, Vec<Mutant>)> {
    registry().operations().iter().map(|operation| {
        let valid = sample(operation);
        let mutants = one_fault_requests(operation, &valid);
        (*operation, valid, mutants)
    })
}

#[test]
fn every_operation_has_a_valid_request() {
    for operation in registry().operations() {
        let request = sample(operation);
        assert_eq!(operation.check(&request), [], "{request}");
        assert_eq!(request["operation"], json!(operation.name));
    }
}

#[test]
fn valid_requests_use_the_given_names_and_nothing_they_can_do_without() {
    let insert = sample(registry().operation("insert").unwrap());
    assert_eq!(
        insert,
        json!({"operation": "insert", "database": "harbour", "table": "ship", "records": [{"imo": 1, "flag": "sample"}]})
    );
    let describe = sample(registry().operation("describe_all").unwrap());
    assert_eq!(describe, json!({"operation": "describe_all"}));
}

#[test]
fn faulty_requests_are_refused_where_they_are_faulty() {
    let mut problems = Vec::new();
    let mut count = 0;
    for (operation, valid, mutants) in mutants() {
        for mutant in mutants {
            count += 1;
            let found = operation.check(&mutant.request);
            assert!(!found.is_empty(), "{} {}: {}", operation.name, mutant.description, mutant.request);
            assert_ne!(mutant.request, valid, "{} {}", operation.name, mutant.description);
            let there = found.iter().any(|fault| mutant.pointer.starts_with(&fault.pointer));
            if !there {
                problems.push(format!("{} {}: {found:?}", operation.name, mutant.description));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 500, "only {count} faulty requests are made");
}

#[test]
fn the_faults_of_insert_are_all_made() {
    let insert = registry().operation("insert").unwrap();
    let made: BTreeSet<(String, String)> = one_fault_requests(insert, &sample(insert))
        .into_iter()
        .map(|one| (one.pointer, one.keyword))
        .collect();
    for (pointer, keyword) in [
        ("/database", "type"),
        ("/database", "minLength"),
        ("/database", "maxLength"),
        ("/database", "pattern"),
        ("/table", "required"),
        ("/table", "type"),
        ("/records", "required"),
        ("/records", "type"),
        ("/records/0", "type"),
    ] {
        assert!(
            made.contains(&(pointer.to_owned(), keyword.to_owned())),
            "{pointer} {keyword} is not in {made:?}"
        );
    }
}

#[test]
fn a_required_field_with_two_spellings_is_left_out_under_both() {
    let delete = registry().operation("delete").unwrap();
    let sent = json!({"operation": "delete", "schema": "a", "table": "b", "hash_values": [1]});
    assert_eq!(delete.check(&sent), []);
    let mutants = one_fault_requests(delete, &sent);
    let without = mutants.iter().find(|one| one.keyword == "required" && one.pointer == "/ids").unwrap();
    assert_eq!(without.request, json!({"operation": "delete", "schema": "a", "table": "b"}));
    // a faulty value goes where the valid one was
    assert!(mutants.iter().any(|one| one.pointer == "/hash_values" && one.keyword == "type"));
}

/// As deep as a server's body codec lets a request be, with the stack of a server's thread.
#[test]
fn deeply_nested_conditions_are_checked_within_a_small_stack() {
    let nested = |innermost: Value| {
        let mut condition = innermost;
        for _ in 0..254 {
            condition = json!({"operator": "or", "conditions": [condition]});
        }
        json!({"operation": "search_by_conditions", "table": "ship", "conditions": [condition]})
    };
    let check = move || {
        let search = registry().operation("search_by_conditions").unwrap();
        assert_eq!(search.check(&nested(json!({"attribute": "imo", "value": 1}))), []);
        let text = search.check_text(&nested(json!("no condition")));
        assert_eq!(text.as_deref(), Some("'conditions[0]' does not match any of the allowed types"));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn passwords_are_secret() {
    for name in ["add_user", "alter_user", "login", "create_authentication_tokens"] {
        let operation = registry().operation(name).unwrap();
        assert_eq!(operation.secret_fields(), ["password"], "{name}");
    }
    assert!(registry().operation("insert").unwrap().secret_fields().is_empty());
}

#[test]
fn records_may_be_stubs() {
    let insert = registry().operation("insert").unwrap();
    assert!(insert.has_opaque_items("records"));
    assert!(!insert.has_opaque_items("table"));
    assert!(!registry().operation("search_by_conditions").unwrap().has_opaque_items("conditions"));
}
