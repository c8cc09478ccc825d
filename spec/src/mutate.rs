//! Requests with one fault, made from a valid one.
//!
//! Each differs from the valid request in one place: a required field left out, a value of a wrong type, a
//! bound crossed. What the checks find valid after all is left out, so every one of them must be refused.

use serde_json::{Map, Value, json};

use crate::check;
use crate::operation::Operation;
use crate::sample;
use crate::schema::resolved;

/// A request with one fault.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The whole request.
    pub request: Value,
    /// JSON Pointer to the changed or missing member.
    pub pointer: String,
    /// The broken keyword of the request schema.
    pub keyword: String,
    /// The fault in words.
    pub description: String,
}

/// Every one-fault version of a valid request, in the order of the schema.
pub fn one_fault_requests(operation: &Operation, valid: &Value) -> Vec<Mutant> {
    let (Some(schema), Some(request)) = (operation.request.as_object(), valid.as_object()) else {
        return Vec::new();
    };
    let mut mutants = Vec::new();
    for broken in broken_object(&resolved(schema), request, Some(operation), MADE_UP) {
        let mutant = Mutant {
            request: broken.value,
            pointer: broken.pointer,
            keyword: broken.keyword,
            description: broken.description,
        };
        if !operation.check(&mutant.request).is_empty() {
            mutants.push(mutant);
        }
    }
    mutants
}

/// A value with one fault somewhere inside.
struct Broken {
    value: Value,
    pointer: String,
    keyword: String,
    description: String,
}

impl Broken {
    fn new(value: Value, keyword: &str, description: impl Into<String>) -> Broken {
        Broken { value, pointer: String::new(), keyword: keyword.to_owned(), description: description.into() }
    }

    /// The fault seen from the value around it.
    fn inside(mut self, step: &str, around: impl FnOnce(Value) -> Value) -> Broken {
        self.value = around(self.value);
        self.pointer = format!("/{}{}", step.replace('~', "~0").replace('/', "~1"), self.pointer);
        self.description = match self.description.strip_prefix(&format!("{HERE} ")) {
            Some(rest) => format!("{step} {rest}"),
            None => format!("{step}, {}", self.description),
        };
        self
    }
}

/// How deep optional members are made up only to be broken: `sort` may have a `next`, that again one.
const MADE_UP: usize = 2;

/// Stands in descriptions for the value they are about, until its name is known.
const HERE: &str = "it";

fn broken(schema: &Value, valid: &Value, made_up: usize) -> Vec<Broken> {
    let Some(schema) = schema.as_object() else { return Vec::new() };
    let schema = resolved(schema);
    let mut found = wrong_types(&schema);
    found.extend(wrong_choices(&schema, valid));
    match valid {
        Value::String(text) => found.extend(broken_text(&schema, text)),
        Value::Number(_) => found.extend(broken_number(&schema)),
        Value::Array(items) => found.extend(broken_array(&schema, items, made_up)),
        Value::Object(members) => found.extend(broken_object(&schema, members, None, made_up)),
        Value::Null | Value::Bool(_) => {}
    }
    for keyword in ["anyOf", "oneOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        let fitting = branches.into_iter().flatten().find(|branch| check::accepts_any(branch, valid));
        found.extend(fitting.map(|branch| broken(branch, valid, made_up)).unwrap_or_default());
    }
    for branch in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        found.extend(broken(branch, valid, made_up));
    }
    found.retain(|one| !check::accepts(&schema, &one.value));
    found
}

fn wrong_types(schema: &Map<String, Value>) -> Vec<Broken> {
    let samples = [
        (json!("sample"), "text"),
        (json!(7), "a number"),
        (json!(true), "a boolean"),
        (json!([]), "an array"),
        (json!({}), "an object"),
        (Value::Null, "null"),
    ];
    let only_type: Map<String, Value> = schema
        .iter()
        .filter(|(keyword, _)| matches!(keyword.as_str(), "type" | "x-coerce" | "x-nullable"))
        .map(|(keyword, argument)| (keyword.clone(), argument.clone()))
        .collect();
    let wrong = samples.into_iter().filter(|(value, _)| !check::accepts(&only_type, value));
    let mut found: Vec<Broken> =
        wrong.map(|(value, name)| Broken::new(value, "type", format!("{HERE} is {name}"))).collect();
    if schema.get("type") == Some(&json!("integer")) {
        let least = schema.get("minimum").and_then(Value::as_f64).unwrap_or(0.0);
        found.push(Broken::new(json!(least + 1.5), "integer", format!("{HERE} has a fraction")));
    }
    found
}

fn wrong_choices(schema: &Map<String, Value>, valid: &Value) -> Vec<Broken> {
    let mut found = Vec::new();
    for keyword in ["enum", "const"] {
        if schema.contains_key(keyword) {
            let other = if valid.is_number() { json!(-987) } else { json!("no_such_choice") };
            found.push(Broken::new(other, keyword, format!("{HERE} is none of the allowed values")));
        }
    }
    if let Some(refused) = schema.get("not").and_then(|not| not.get("const")) {
        found.push(Broken::new(refused.clone(), "not", format!("{HERE} is {refused}")));
    }
    found
}

fn broken_text(schema: &Map<String, Value>, valid: &str) -> Vec<Broken> {
    let bound = |keyword: &str| {
        schema.get(keyword).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok())
    };
    let letter = valid.chars().next().unwrap_or('a').to_string();
    let mut found = Vec::new();
    if let Some(least) = bound("minLength").filter(|least| *least > 0) {
        found.push(Broken::new(json!(""), "minLength", format!("{HERE} is empty")));
        if least > 1 {
            let short = letter.repeat(least - 1);
            found.push(Broken::new(json!(short), "minLength", format!("{HERE} is one character too short")));
        }
    }
    if let Some(most) = bound("maxLength") {
        let long = letter.repeat(most + 1);
        found.push(Broken::new(json!(long), "maxLength", format!("{HERE} is one character too long")));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let tries = ["a/b", "a`b", "a b", "ü", "a..b", "!", "not-a-date", " ", ""];
        let wrong = tries.into_iter().filter(|text| !check::matches(pattern, text)).take(2);
        found.extend(wrong.map(|text| Broken::new(json!(text), "pattern", format!("{HERE} is {text:?}"))));
    }
    found
}

fn broken_number(schema: &Map<String, Value>) -> Vec<Broken> {
    let crossings =
        [("minimum", -1.0), ("maximum", 1.0), ("exclusiveMinimum", 0.0), ("exclusiveMaximum", 0.0)];
    let mut found = Vec::new();
    for (keyword, step) in crossings {
        if let Some(bound) = schema.get(keyword).and_then(Value::as_f64) {
            let beyond = whole(bound + step);
            found.push(Broken::new(beyond.clone(), keyword, format!("{HERE} is {beyond}")));
        }
    }
    if let Some(unit) = schema.get("multipleOf").and_then(Value::as_f64) {
        found.push(Broken::new(json!(unit * 1.5), "multipleOf", format!("{HERE} is no multiple of {unit}")));
    }
    found
}

/// A whole number without the `.0` that floats are written with.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Value {
    let small = number.fract() == 0.0 && number.abs() < 9e15;
    if small { json!(number as i64) } else { json!(number) }
}

fn broken_array(schema: &Map<String, Value>, valid: &[Value], made_up: usize) -> Vec<Broken> {
    let bound = |keyword: &str| {
        schema.get(keyword).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok())
    };
    let mut found = Vec::new();
    if let Some(least) = bound("minItems").filter(|least| *least > 0) {
        let few: Vec<&Value> = valid.iter().take(least - 1).collect();
        found.push(Broken::new(json!(few), "minItems", format!("{HERE} has too few items")));
    }
    if let (Some(most), Some(first)) = (bound("maxItems"), valid.first()) {
        let many = vec![first; most + 1];
        found.push(Broken::new(json!(many), "maxItems", format!("{HERE} has too many items")));
    }
    if let (Some(Value::Bool(true)), Some(first)) = (schema.get("uniqueItems"), valid.first()) {
        found.push(Broken::new(
            json!([first, first]),
            "uniqueItems",
            format!("{HERE} has the same item twice"),
        ));
    }
    if let Some(items) = schema.get("items") {
        let first = valid.first().cloned().or_else(|| sample::value(items));
        for one in first.map(|first| broken(items, &first, made_up)).unwrap_or_default() {
            let around = |item| match valid {
                [] => json!([item]),
                [_, rest @ ..] => Value::Array(std::iter::once(item).chain(rest.iter().cloned()).collect()),
            };
            found.push(one.inside("0", around));
        }
    }
    found
}

fn broken_object(
    schema: &Map<String, Value>,
    valid: &Map<String, Value>,
    root: Option<&Operation>,
    made_up: usize,
) -> Vec<Broken> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let spellings = |name: &str| -> Vec<String> {
        let others = root
            .into_iter()
            .flat_map(|operation| operation.aliases_of(name))
            .map(|alias| alias.alias.clone());
        std::iter::once(name.to_owned()).chain(others).collect()
    };
    let mut found = Vec::new();
    for name in properties
        .keys()
        .map(String::as_str)
        .chain(required.iter().copied().filter(|name| !properties.contains_key(*name)))
    {
        if root.is_some() && name == "operation" {
            continue;
        }
        if required.contains(&name) {
            found.push(left_out(valid, &spellings(name), "required"));
        }
        let Some(member) = properties.get(name) else { continue };
        let sent = spellings(name).into_iter().find(|spelling| valid.contains_key(spelling));
        let sent = sent.unwrap_or_else(|| name.to_owned());
        let (base, made_up) = match valid.get(&sent) {
            Some(base) => (Some(base.clone()), made_up),
            None if made_up > 0 => (sample::value(member), made_up - 1),
            None => (None, 0),
        };
        let Some(base) = base else { continue };
        for one in broken(member, &base, made_up) {
            let mut around = valid.clone();
            found.push(one.inside(&sent.clone(), |value| {
                around.insert(sent.clone(), value);
                Value::Object(around)
            }));
        }
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        let mut more = valid.clone();
        more.insert("no_such_member".to_owned(), json!(1));
        let broken = Broken::new(Value::Object(more), "additionalProperties", "a member too many");
        found.push(Broken { pointer: "/no_such_member".to_owned(), ..broken });
    }
    for keyword in ["anyOf", "oneOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        let names =
            branches.filter_map(|branch| branch.get("required")).filter_map(Value::as_array).flatten();
        let names: Vec<String> = names.filter_map(Value::as_str).flat_map(spellings).collect();
        if !names.is_empty() {
            found.push(Broken { pointer: String::new(), ..left_out(valid, &names, keyword) });
        }
    }
    found
}

/// The object without a member, under none of its spellings.
fn left_out(valid: &Map<String, Value>, spellings: &[String], keyword: &str) -> Broken {
    let mut without = valid.clone();
    for spelling in spellings {
        without.shift_remove(spelling);
    }
    let description = format!("{} is left out", spellings.join(" or "));
    let pointer = format!("/{}", spellings.first().map_or("", String::as_str));
    Broken { pointer, ..Broken::new(Value::Object(without), keyword, description) }
}
