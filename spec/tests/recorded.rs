//! Requests that a running server was seen to answer: what it found wrong with them is found here, in the
//! same words, and what it took is taken.
//!
//! Each file of `recorded/` is a list of `{"request", "faults"}`; `faults` is null for a request that got
//! past these checks, whatever came of it later.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    request: Value,
    faults: Option<String>,
}

fn compare(file: &str, least: usize) {
    let path = format!("{}/tests/recorded/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let recorded: Vec<Recorded> = serde_json::from_str(&text).expect(&path);
    assert!(recorded.len() >= least, "{path} has only {} requests", recorded.len());

    let mut differences = Vec::new();
    for Recorded { request, faults } in recorded {
        let name = request["operation"].as_str().unwrap_or_default();
        let operation = spec::registry().operation(name).unwrap_or_else(|| panic!("no operation {name:?}"));
        let found = operation.check_text(&request);
        if found != faults {
            differences.push(format!("{request}\n  recorded: {faults:?}\n  found:    {found:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn databases_tables_and_records() {
    compare("records-and-tables", 300);
}

#[test]
fn bulk_operations_jobs_and_logs() {
    compare("bulk-jobs-logs", 120);
}

#[test]
fn roles_users_and_tokens() {
    compare("users-and-tokens", 150);
}

#[test]
fn components_configuration_and_the_rest() {
    compare("platform", 110);
}

#[test]
fn sql_statements() {
    compare("sql", 10);
}
