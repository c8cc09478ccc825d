//! No check may be empty: an answer that is exactly the expected one passes, and whatever is changed in it is seen,
//! unless the file says that it does not matter.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::matcher::{Context, compare};
use conformance::pointer;
use conformance::scenario::{Expected, Step};
use conformance::target::Answer;
use serde_json::{Value, json};

/// The answer that a step expects.
fn ideal(expected: &Expected) -> Answer {
    let kind = expected.content_type.clone().unwrap_or_else(|| "application/json".to_owned());
    let mut headers = vec![("content-type".to_owned(), kind)];
    headers.retain(|(_, kind)| !kind.is_empty());
    for (name, value) in &expected.headers {
        // What a pattern stands for is not known here.
        if let Some(value) = value.as_ref().filter(|value| !value.starts_with('~')) {
            headers.retain(|(known, _)| known != name);
            headers.push((name.clone(), value.clone()));
        }
    }
    Answer {
        status: expected.status,
        headers,
        body: expected.body.clone().unwrap_or(Value::Null),
        form: expected.form,
        text: expected.text.clone(),
    }
}

fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) if !elements.is_empty() => {
            elements
                .iter()
                .enumerate()
                .for_each(|(i, e)| leaves(e, pointer::join(&place, &i.to_string()), found));
        }
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, m)| leaves(m, pointer::join(&place, name), found));
        }
        _ => found.push(place),
    }
}

fn seen(step: &Step, expected: &Expected, answer: &Answer) -> bool {
    !compare(expected, answer, &step.compare, &Context::default()).is_empty()
}

#[test]
fn every_change_of_an_answer_is_seen() {
    let suite = conformance::suite().unwrap();
    let (mut steps, mut changes, mut left_out, mut status_only) = (0, 0, 0, 0);
    for scenario in &suite.scenarios {
        for (step, id) in scenario.checks() {
            let Some(expected) = &step.response else { continue };
            steps += 1;
            let right = ideal(expected);
            let patterns = expected.headers.values().flatten().any(|value| value.starts_with('~'));
            if !patterns {
                let context = Context::default();
                assert_eq!(
                    compare(expected, &right, &step.compare, &context),
                    [],
                    "{id} refuses what it expects"
                );
            }
            let status = if right.status == 418 { 419 } else { 418 };
            assert!(
                seen(step, expected, &Answer { status, ..right.clone() }),
                "{id} does not look at the status"
            );
            if step.compare.status_only || expected.body.is_none() {
                status_only += 1;
                continue;
            }
            let mut places = Vec::new();
            leaves(&right.body, String::new(), &mut places);
            for place in places {
                let ignored = |pattern: &String| {
                    pointer::parts(pattern).len() <= pointer::parts(&place).len()
                        && pointer::parts(pattern)
                            .iter()
                            .zip(pointer::parts(&place))
                            .all(|(p, t)| p == "*" || *p == t)
                };
                if step.compare.keys_only || step.compare.ignore.iter().any(ignored) {
                    left_out += 1;
                    continue;
                }
                let mut wrong = right.clone();
                pointer::visit(&mut wrong.body, &place.replace('*', "\u{0}"), &mut |leaf| {
                    *leaf = json!("something else")
                });
                if wrong.body == right.body {
                    continue;
                }
                changes += 1;
                assert!(seen(step, expected, &wrong), "{id} does not look at '{place}'");
            }
        }
    }
    println!("{steps} steps: {changes} changes seen, {left_out} left out, {status_only} by status only");
    // The tolerances may shrink, not grow: a suite that ignores more over time proves less. What tells of machines,
    // files and measurements is left out more often than what tells of records.
    assert!(changes > 20_000, "{changes}");
    assert!(left_out * 28 < changes, "{left_out} of {changes} values are left out");
    assert!(status_only * 8 < steps, "{status_only} of {steps} steps look at the status only");
}
