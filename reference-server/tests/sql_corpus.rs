//! Holds the SQL engine against recorded answers of the engine whose semantics it documents. `sql_corpus/generate.mjs`
//! records them. Every difference must be one that `deviations` lists with its reason, and every listed one must occur.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "sql_corpus/cases.rs"]
mod cases;
#[path = "sql_corpus/deviations.rs"]
mod deviations;
#[path = "sql_corpus/examples.rs"]
mod examples;
#[path = "sql_corpus/statements.rs"]
mod statements;

use cases::{Case, Outcome};
use deviations::Deviation;
use reference_server::sql::functions;
use reference_server::sql::value::Js;
use reference_server::value::Value;

/// Compares each case's answer; gives the differences that no deviation covers.
fn differences(
    cases: &[Case],
    deviations: &[Deviation],
    answer: impl Fn(&Case) -> Outcome,
    same: impl Fn(&Outcome, &Outcome) -> bool,
) -> Vec<String> {
    let mut seen = vec![0; deviations.len()];
    let mut out = Vec::new();
    for case in cases {
        let ours = answer(case);
        if same(&ours, &case.outcome) {
            continue;
        }
        match deviations.iter().position(|deviation| (deviation.covers)(case, &ours)) {
            Some(at) => seen[at] += 1,
            None => out.push(format!("{case}\n  recorded {:?}\n  ours     {ours:?}", case.outcome)),
        }
    }
    for (deviation, count) in deviations.iter().zip(seen) {
        println!("{count:5} {}", deviation.reason);
        if count == 0 {
            out.push(format!("never occurs: {}", deviation.reason));
        }
    }
    out
}

fn check(cases: &[Case], deviations: &[Deviation], same: impl Fn(&Outcome, &Outcome) -> bool) {
    let found = differences(cases, deviations, call, same);
    let shown: Vec<&str> = found.iter().take(60).map(String::as_str).collect();
    assert!(found.is_empty(), "{} of {} differ:\n{}", found.len(), cases.len(), shown.join("\n"));
}

/// The answer of this program's function.
fn call(case: &Case) -> Outcome {
    let answer = match (&case.cast, functions::find(&case.function)) {
        (Some((name, sizes)), _) => functions::cast(&case.arguments[0], name, sizes, case.style),
        (None, Some(function)) => function.apply(&case.arguments),
        (None, None) => panic!("no function {}", case.function),
    };
    match answer {
        Ok(value) => Outcome::of(&value),
        Err(_) => Outcome::Error,
    }
}

/// Same outcome; numbers to the last digit but one or two.
fn nearly(tolerance: f64) -> impl Fn(&Outcome, &Outcome) -> bool {
    move |a, b| match (a, b) {
        (Outcome::Value(a), Outcome::Value(b)) => values_near(a, b, tolerance),
        _ => a == b,
    }
}

fn values_near(a: &Value, b: &Value, tolerance: f64) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-9)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values_near(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| values_near(a, b, tolerance)))
        }
        _ => a == b,
    }
}

#[test]
fn functions_answer_as_recorded() {
    check(&cases::read("functions.jsonl"), deviations::FUNCTIONS, nearly(3e-16));
}

#[test]
fn functions_of_shapes_answer_as_recorded() {
    check(&cases::read("shapes.jsonl"), deviations::SHAPES, nearly(1e-14));
}

#[test]
fn expressions_over_documents_answer_as_recorded() {
    check(&cases::read("documents.jsonl"), deviations::DOCUMENTS, nearly(0.0));
}

#[test]
fn no_function_panics_on_odd_arguments() {
    let odd = [
        Js::Undefined,
        Js::Null,
        Js::from(false),
        Js::from(f64::NAN),
        Js::from(f64::INFINITY),
        Js::from(-1e300),
        Js::from(0.5),
        Js::text(""),
        Js::text("\u{10ffff}é\0"),
        Js::text("{\"type\":\"Polygon\",\"coordinates\":[[[]],[null]]}"),
        Js::text("[[[1e999,0],[0,1],[1,1]]]"),
        Js::Date(f64::NAN),
        Js::Date(8.64e15),
        Js::from(Value::Array(vec![])),
        Js::from(Value::Bytes(vec![255])),
        Js::from(Value::BigInt("99999999999999999999".into())),
        Js::from(Value::Object(Default::default())),
    ];
    for function in functions::all() {
        let _ = function.apply(&[]);
        for a in &odd {
            let _ = function.apply(std::slice::from_ref(a));
            for b in &odd {
                let _ = function.apply(&[a.clone(), b.clone()]);
                for c in &odd {
                    let _ = function.apply(&[a.clone(), b.clone(), c.clone()]);
                }
            }
        }
    }
    for one in functions::TYPES {
        for name in one.names.split(", ") {
            for value in &odd {
                for sizes in [&[][..], &[0], &[101, 7], &[3, 200]] {
                    for style in [None, Some(1.0), Some(f64::NAN), Some(1e300)] {
                        let _ = functions::cast(value, name, sizes, style);
                    }
                }
            }
        }
    }
}
