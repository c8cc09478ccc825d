//! Valid values and requests made from the schemas alone.

use serde_json::{Map, Number, Value, json};

use crate::check;
use crate::operation::Operation;
use crate::schema::resolved;

/// The names that made requests use, so that a caller may point them at what it has set up.
#[derive(Debug, Clone)]
pub struct SampleNames {
    /// A database.
    pub database: String,
    /// A table in it.
    pub table: String,
    /// The name of the table's primary key.
    pub primary_key: String,
    /// Another attribute of the table.
    pub attribute: String,
    /// A role.
    pub role: String,
    /// A user.
    pub username: String,
}

impl Default for SampleNames {
    fn default() -> Self {
        SampleNames {
            database: "data".to_owned(),
            table: "dog".to_owned(),
            primary_key: "id".to_owned(),
            attribute: "name".to_owned(),
            role: "reader".to_owned(),
            username: "sample_user".to_owned(),
        }
    }
}

/// A valid request of an operation with as few fields as possible; the database is always named when the
/// operation has one, so that nothing happens elsewhere. None when neither the examples nor the schema
/// give a valid one, which a test rules out.
pub fn valid_request(operation: &Operation, names: &SampleNames) -> Option<Value> {
    let examples = operation.examples.iter().filter_map(|example| example.request.as_object().cloned());
    let made = request_from_schema(operation);
    let base = examples.chain(made).find(|request| is_valid(operation, request))?;

    let mut request = operation.canonical_fields(base);
    for field in request.keys().cloned().collect::<Vec<_>>() {
        if field != "operation" {
            let mut without = request.clone();
            without.shift_remove(&field);
            if is_valid(operation, &without) {
                request = without;
            }
        }
    }
    let fields = operation.request.as_object().map(resolved);
    let has_field = |name: &str| {
        fields
            .as_ref()
            .is_some_and(|schema| schema.get("properties").is_some_and(|all| all.get(name).is_some()))
    };
    if has_field("database") {
        request.insert("database".to_owned(), json!(names.database));
    }
    request.insert("operation".to_owned(), json!(operation.name));

    let mut named = request.clone();
    put_names(&mut named, names);
    // names are put in by the names of fields, which in some operation may mean something else
    Some(Value::Object(if is_valid(operation, &named) { named } else { request }))
}

fn is_valid(operation: &Operation, request: &Map<String, Value>) -> bool {
    operation.check(&Value::Object(request.clone())).is_empty()
}

/// Puts the caller's names where a request names things.
fn put_names(request: &mut Map<String, Value>, names: &SampleNames) {
    for (field, value) in request.iter_mut() {
        let name = match (field.as_str(), &*value) {
            ("database", Value::String(_)) => json!(names.database),
            ("table", Value::String(_)) => json!(names.table),
            ("primary_key", Value::String(_)) => json!(names.primary_key),
            ("attribute", Value::String(_)) => json!(names.attribute),
            ("role", Value::String(_)) => json!(names.role),
            ("username", Value::String(_)) => json!(names.username),
            ("get_attributes", Value::Array(_)) => json!([names.primary_key]),
            ("records", Value::Array(_)) => json!([{(&names.primary_key): 1, (&names.attribute): "sample"}]),
            ("ids", Value::Array(_)) => json!([1]),
            ("conditions", Value::Array(_)) => {
                json!([{"attribute": names.primary_key, "comparator": "equals", "value": 1}])
            }
            ("sort", Value::Object(_)) => json!({"attribute": names.primary_key}),
            _ => continue,
        };
        *value = name;
    }
}

fn request_from_schema(operation: &Operation) -> Option<Map<String, Value>> {
    match value(&operation.request)? {
        Value::Object(mut request) => {
            request.insert("operation".to_owned(), json!(operation.name));
            Some(request)
        }
        _ => None,
    }
}

/// A value that the schema accepts: one of its examples, or the plainest that can be made.
pub fn value(schema: &Value) -> Option<Value> {
    value_within(schema, 6)
}

/// Makes a value no deeper than that, since conditions hold conditions.
fn value_within(schema: &Value, depth: usize) -> Option<Value> {
    let Some(object) = schema.as_object() else {
        return (schema != &Value::Bool(false)).then_some(Value::Null);
    };
    let schema = resolved(object);
    candidates(&schema, depth.checked_sub(1)?)
        .into_iter()
        .find(|candidate| check::accepts(&schema, candidate))
}

/// Values worth trying, the telling ones first.
fn candidates(schema: &Map<String, Value>, depth: usize) -> Vec<Value> {
    let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<Value> = list("examples").cloned().collect();
    found.extend(schema.get("const").cloned());
    found.extend(list("enum").filter(|one| !one.is_null()).cloned());
    found.extend(schema.get("x-default").cloned());
    for branch in list("anyOf").chain(list("oneOf")) {
        found.extend(value_within(branch, depth));
    }
    let types: Vec<&str> = match schema.get("type").or(schema.get("x-type")) {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.contains_key("properties") => vec!["object"],
        _ => vec!["string", "object"],
    };
    for name in types {
        match name {
            "string" => found.extend(texts(schema).into_iter().map(Value::String)),
            "number" | "integer" => found.extend(numbers(schema)),
            "boolean" => found.extend([Value::Bool(true), Value::Bool(false)]),
            "array" => found.extend(array(schema, depth)),
            "object" => found.extend(object(schema, depth)),
            _ => found.push(Value::Null),
        }
    }
    found
}

/// Texts that between them fit the patterns in use.
fn texts(schema: &Map<String, Value>) -> Vec<String> {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1).max(1);
    let plain = "a".repeat(usize::try_from(least).unwrap_or(1).min(10_000));
    let others = ["2024-01-31", "1700000000000", "a.csv", "https://example.com/a", "1h", "a.b.c", "true", ""];
    std::iter::once(plain).chain(others.map(str::to_owned)).collect()
}

fn numbers(schema: &Map<String, Value>) -> Vec<Value> {
    let bounds = ["minimum", "maximum"].into_iter().filter_map(|keyword| schema.get(keyword)).cloned();
    std::iter::once(json!(1)).chain(bounds).chain([json!(0), json!(100), json!(10_000)]).collect()
}

fn array(schema: &Map<String, Value>, depth: usize) -> Option<Value> {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).max(1);
    match schema.get("items") {
        Some(items) => {
            let one = value_within(items, depth)?;
            Some(Value::Array((0..least).map(|_| one.clone()).collect()))
        }
        None => {
            Some(Value::Array((0..least).map(|number| Value::Number(Number::from(number + 1))).collect()))
        }
    }
}

fn object(schema: &Map<String, Value>, depth: usize) -> Option<Value> {
    let mut made = Map::new();
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let member = schema.get("properties").and_then(|properties| properties.get(name));
        made.insert(name.to_owned(), member.map_or(Some(json!("a")), |member| value_within(member, depth))?);
    }
    Some(Value::Object(made))
}
