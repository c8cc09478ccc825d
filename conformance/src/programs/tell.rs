//! A program as a scenario: its requests, and the model's answers as expectations.

use super::csv::Load;
use super::draw::{ATTRIBUTES, Op, Write};
use super::model::{Answer, Model};
use crate::scenario::{Compare, Expected, Profile, Scenario, Step};
use serde_json::{Value, json};

const DATABASE: &str = "program";
const TABLE: &str = "records";

/// The scenario of a program.
pub(super) fn scenario(id: &str, ops: &[Op]) -> Scenario {
    let mut model = Model::default();
    let mut steps = Vec::new();
    for (n, op) in ops.iter().enumerate() {
        let answer = model.run(op);
        match op {
            Op::Load(load) => steps.extend(loaded(n + 1, load, answer.body, model.all())),
            _ => steps.push(step(n + 1, op, answer)),
        }
    }
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

/// A load as a job: its start, its end, and what is there then.
fn loaded(number: usize, load: &Load, message: Value, stored: Value) -> [Step; 3] {
    let named = |part: &str, request: Value, body: Value, requirements: &[&str]| Step {
        id: Some(format!("{number}-{part}")),
        response: Some(Expected { body: Some(body), ..Expected::status(200) }),
        requirements: requirements.iter().map(|id| (*id).to_owned()).collect(),
        ..Step::running(request)
    };
    let start = json!({"operation": "csv_data_load", "database": DATABASE, "table": TABLE,
        "action": load.action(), "data": load.text()});
    let started = json!({"message": "Starting job with id [uuid]", "job_id": "[uuid]"});
    let ended = json!([{"status": "COMPLETE", "message": message}]);
    let mut all = body(&Op::Page { descending: false, offset: 0, limit: 1000 });
    if let Value::Object(all) = &mut all {
        all.shift_remove("sort");
    }
    let laws = [
        "BULK-CSV-DATA-LOAD-023",
        "BULK-CSV-DATA-LOAD-027",
        "BULK-CSV-DATA-LOAD-028",
        "BULK-CSV-DATA-LOAD-030",
    ];
    [
        Step {
            save: [("job".to_owned(), "/job_id".to_owned())].into(),
            ..named("load", start, started, &["BULK-CSV-DATA-LOAD-001"])
        },
        Step {
            until: [("/0/status".to_owned(), vec![json!("COMPLETE"), json!("ERROR")])].into(),
            compare: Compare { subset: true, ..Compare::default() },
            ..named(
                "loaded",
                json!({"operation": "get_job", "id": "${job}"}),
                ended,
                &["BULK-CSV-DATA-LOAD-011"],
            )
        },
        Step {
            compare: Compare { unordered: vec![String::new()], ..Compare::default() },
            ..named("stored", all, stored, &laws)
        },
    ]
}

fn step(number: usize, op: &Op, answer: Answer) -> Step {
    let expected = Expected { body: Some(answer.body), ..Expected::status(answer.status) };
    let (unordered, subset) = match op {
        Op::ByValue { .. } | Op::ByConditions { .. } | Op::Select { .. } => (vec![String::new()], false),
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
        // A load is told in steps of its own.
        Op::Load(load) => json!({"action": load.action(), "data": load.text()}),
        Op::Select { attribute, value } => {
            let literal = match value {
                Value::String(text) => format!("'{text}'"),
                other => other.to_string(),
            };
            let names = columns.join(", ");
            let sql = format!("SELECT {names} FROM {DATABASE}.{TABLE} WHERE {attribute} = {literal}");
            return json!({"operation": "sql", "sql": sql});
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
        Op::Load(_) => "csv_data_load",
        Op::Select { .. } | Op::Count { sql: true } => "sql",
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
        Op::Load(_) => &["BULK-CSV-DATA-LOAD-001"],
        Op::Select { .. } | Op::Count { sql: true } => &["SQL-SELECT-001"],
        Op::Count { sql: false } => &["DB-DESCRIBE-TABLE-010"],
    }
}
