//! A program as a scenario: its requests, and the model's answers as expectations.

use super::draw::{ATTRIBUTES, Op, Write};
use super::model::Model;
use crate::scenario::{Compare, Expected, Profile, Scenario, Step};
use serde_json::{Value, json};

const DATABASE: &str = "program";
const TABLE: &str = "records";

/// The scenario of a program.
pub(super) fn scenario(id: &str, ops: &[Op]) -> Scenario {
    let mut model = Model::default();
    let steps = ops.iter().enumerate().map(|(n, op)| step(n + 1, op, &mut model)).collect();
    Scenario {
        profile: Profile::Full,
        names: vec![DATABASE.to_owned()],
        setup: setup(),
        steps,
        teardown: vec![Step::running(json!({"operation": "drop_database", "database": DATABASE}))],
        ..Scenario::new(id, "a random program of operations on records answers as a plain model does")
    }
}

/// A table whose attributes are all known before the first step.
fn setup() -> Vec<Step> {
    let create =
        json!({"operation": "create_table", "database": DATABASE, "table": TABLE, "primary_key": "id"});
    let attributes = ATTRIBUTES.map(|attribute| {
        json!({"operation": "create_attribute", "database": DATABASE, "table": TABLE, "attribute": attribute})
    });
    std::iter::once(create).chain(attributes).map(Step::running).collect()
}

fn step(number: usize, op: &Op, model: &mut Model) -> Step {
    let answer = model.run(op);
    let expected = Expected { body: Some(answer.body), ..Expected::status(answer.status) };
    let (unordered, subset) = match op {
        Op::ByValue { .. } | Op::ByConditions { .. } => (vec![String::new()], false),
        Op::Count { sql: false } => (Vec::new(), true),
        _ => (Vec::new(), false),
    };
    Step {
        id: Some(number.to_string()),
        request: Some(body(op)),
        response: Some(expected),
        compare: Compare { unordered, subset, ..Compare::default() },
        requirements: requirements(op).iter().map(|id| (*id).to_owned()).collect(),
        ..Step::default()
    }
}

fn body(op: &Op) -> Value {
    let columns: Vec<&str> = ["id"].into_iter().chain(ATTRIBUTES).collect();
    let mut body = json!({"operation": operation(op), "database": DATABASE, "table": TABLE});
    let rest = match op {
        Op::Write { records, .. } => json!({"records": records}),
        Op::BadUpdate(record) => json!({"records": [record, {"a": 1}]}),
        Op::Delete(keys) => json!({"ids": keys}),
        Op::ById(keys) => json!({"ids": keys, "get_attributes": columns}),
        Op::ByValue { attribute, value } => {
            json!({"attribute": attribute, "value": value, "get_attributes": columns})
        }
        Op::Page { descending, offset, limit } => json!({
            "conditions": [{"attribute": "id", "comparator": "greater_than", "value": -1e9}],
            "sort": {"attribute": "id", "descending": descending},
            "offset": offset, "limit": limit, "get_attributes": columns,
        }),
        Op::ByConditions { any, conditions } => {
            let conditions: Vec<Value> = conditions
                .iter()
                .map(|c| json!({"attribute": c.attribute, "comparator": c.comparator, "value": c.value}))
                .collect();
            let operator = if *any { "or" } else { "and" };
            json!({"operator": operator, "conditions": conditions, "get_attributes": columns})
        }
        Op::Count { sql: true } => {
            return json!({"operation": "sql", "sql": format!("SELECT COUNT(*) AS n FROM {DATABASE}.{TABLE}")});
        }
        Op::Count { sql: false } => json!({"exact_count": true}),
    };
    if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
        body.extend(rest);
    }
    body
}

fn operation(op: &Op) -> &'static str {
    match op {
        Op::Write { how: Write::Insert, .. } => "insert",
        Op::Write { how: Write::Update, .. } | Op::BadUpdate(_) => "update",
        Op::Write { how: Write::Upsert, .. } => "upsert",
        Op::Delete(_) => "delete",
        Op::ById(_) => "search_by_id",
        Op::ByValue { .. } => "search_by_value",
        Op::Page { .. } | Op::ByConditions { .. } => "search_by_conditions",
        Op::Count { sql: true } => "sql",
        Op::Count { sql: false } => "describe_table",
    }
}

fn requirements(op: &Op) -> &'static [&'static str] {
    match op {
        Op::Write { how: Write::Insert, .. } => &["NOSQL-INSERT-001", "NOSQL-INSERT-002"],
        Op::Write { how: Write::Update, .. } => &["NOSQL-UPDATE-001", "NOSQL-UPDATE-004"],
        Op::Write { how: Write::Upsert, .. } => &["NOSQL-UPSERT-001"],
        Op::BadUpdate(_) => &["NOSQL-UPDATE-005"],
        Op::Delete(_) => &["NOSQL-DELETE-001", "NOSQL-DELETE-002"],
        Op::ById(_) => &["NOSQL-SEARCH-BY-ID-001"],
        Op::ByValue { .. } => &["NOSQL-SEARCH-BY-VALUE-001"],
        Op::Page { .. } => &["NOSQL-SEARCH-BY-CONDITIONS-021"],
        Op::ByConditions { any: true, .. } => &["NOSQL-SEARCH-BY-CONDITIONS-002"],
        Op::ByConditions { any: false, .. } => &["NOSQL-SEARCH-BY-CONDITIONS-001"],
        Op::Count { sql: true } => &["SQL-SELECT-001"],
        Op::Count { sql: false } => &["DB-DESCRIBE-TABLE-010"],
    }
}
