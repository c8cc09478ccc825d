//! Reading of the recorded corpus.

use reference_server::sql::value::Js;
use reference_server::value::{Object, Value, parse_json};
use std::fmt;

/// What a call gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value; null included.
    Value(Value),
    /// No value, or no number.
    Absent,
    /// The statement fails.
    Error,
}

impl Outcome {
    /// The outcome of a value.
    pub fn of(value: &Js) -> Outcome {
        match value.to_value() {
            None => Outcome::Absent,
            Some(Value::Number(number)) if number.is_nan() => Outcome::Absent,
            Some(value) => Outcome::Value(value),
        }
    }
}

/// A recorded call.
#[derive(Clone, Debug)]
pub struct Case {
    /// The function's name in capitals; empty for a CAST.
    pub function: String,
    /// The type of a CAST and the numbers behind it.
    pub cast: Option<(String, Vec<u32>)>,
    /// The style of a CONVERT.
    pub style: Option<f64>,
    /// The arguments.
    pub arguments: Vec<Js>,
    /// What was recorded.
    pub outcome: Outcome,
}

impl Case {
    /// An argument; absent when there is none.
    pub fn argument(&self, at: usize) -> Js {
        self.arguments.get(at).cloned().unwrap_or_default()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cast {
            Some((name, sizes)) => write!(f, "CAST {name}{sizes:?} {:?}", self.style)?,
            None => write!(f, "{}", self.function)?,
        }
        for argument in &self.arguments {
            match argument.to_value() {
                Some(value) => write!(f, " {}", value.to_json())?,
                None => write!(f, " undefined")?,
            }
        }
        Ok(())
    }
}

/// The cases of a recorded file.
pub fn read(name: &str) -> Vec<Case> {
    let path = format!("{}/tests/sql_corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.lines().map(|line| parse_json(line.as_bytes()).unwrap());
    let head = lines.next().unwrap();
    let mut documents = Vec::new();
    let mut cases = Vec::new();
    for line in lines {
        match line.get("documents") {
            Some(Value::Array(all)) => documents = all.clone(),
            _ => cases.push(case(&line, &documents)),
        }
    }
    let announced = head.get("cases").and_then(Value::as_number).unwrap() as usize;
    assert!(cases.len() + 1 >= announced, "{name} is cut short");
    cases
}

fn case(line: &Value, documents: &[Value]) -> Case {
    let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let arguments = match (line.get("a"), line.get("d")) {
        (Some(Value::Array(items)), _) if line.get("cast").is_none() => items.iter().map(value).collect(),
        (Some(only), _) => vec![value(only)],
        (None, at) => {
            let at = at.and_then(Value::as_number).unwrap() as usize;
            vec![Js::from(text("e")), value(&documents[at])]
        }
    };
    Case {
        function: text("f"),
        cast: line.get("cast").map(|_| type_name(&text("cast"))),
        style: line.get("style").and_then(Value::as_number),
        arguments,
        outcome: outcome(line),
    }
}

fn type_name(text: &str) -> (String, Vec<u32>) {
    let (name, sizes) = text.split_once('(').unwrap_or((text, ""));
    let sizes = sizes.trim_end_matches(')').split(',').filter_map(|size| size.parse().ok()).collect();
    (name.to_owned(), sizes)
}

fn outcome(line: &Value) -> Outcome {
    match line.get("v") {
        Some(recorded) => Outcome::of(&value(recorded)),
        None if line.get("error").is_some() => Outcome::Error,
        None => Outcome::Absent,
    }
}

/// A recorded value, with marks turned back into the values that JSON lacks.
pub fn value(recorded: &Value) -> Js {
    match recorded.get("$").and_then(Value::as_str) {
        Some("undefined" | "function") => Js::Undefined,
        Some("NaN") => Js::Number(f64::NAN),
        Some("Infinity") => Js::Number(f64::INFINITY),
        Some("-Infinity") => Js::Number(f64::NEG_INFINITY),
        Some("date") => Js::Date(recorded.get("at").and_then(Value::as_number).unwrap_or(f64::NAN)),
        _ => Js::from(nested(recorded)),
    }
}

/// Inside documents the marks are what they become in JSON.
fn nested(recorded: &Value) -> Value {
    match recorded {
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| value(item).to_value().unwrap_or_default()).collect())
        }
        Value::Object(members) => {
            let member = |(name, item): (&String, &Value)| Some((name.clone(), value(item).to_value()?));
            Value::Object(members.iter().filter_map(member).collect::<Object>())
        }
        other => other.clone(),
    }
}
