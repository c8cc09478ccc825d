//! Enforcement of declared types on the records of a request, and conversion to what is stored.

use super::stamps::is_stamped;
use crate::error::OperationError;
use crate::query::instant;
use crate::sql::value::parse_date;
use crate::store::{Attribute, AttributeType, Table};
use crate::value::{Object, Value};

/// Checks a whole record against the table's declared attributes and converts dates, big integers and bytes to
/// what is stored.
///
/// # Errors
/// All faults of the record, joined by `". "`.
pub(super) fn check_record(table: &Table, record: &mut Object) -> Result<(), OperationError> {
    let mut faults = Vec::new();
    for attribute in &table.attributes {
        if is_derived(attribute) {
            // Never stored, so one that is here was sent.
            if record.contains_key(&attribute.name) && !fault!("computed-may-be-sent") {
                faults.push(format!(
                    "Computed property {} may not be directly assigned a value",
                    attribute.name
                ));
            }
            continue;
        }
        // The server's own times are right whatever type they are declared with.
        if is_stamped(attribute) {
            continue;
        }
        let declared = declaration(attribute);
        match record.get_mut(&attribute.name) {
            Some(value) if !value.is_null() => check(&declared, &attribute.name, value, &mut faults),
            _ if declared.nullable == Some(false)
                && !attribute.is_primary_key
                && !fault!("nullable-ignored") =>
            {
                faults.push(required(&attribute.name));
            }
            _ => {}
        }
    }
    as_result(faults)
}

/// Checks the attributes that a record brings, whatever those are that it lacks, and converts them as
/// [`check_record`] does.
///
/// # Errors
/// All faults of the record, joined by `". "`.
pub fn check_sent(table: &Table, record: &mut Object) -> Result<(), OperationError> {
    if !has_types(table) {
        return Ok(());
    }
    let mut faults = Vec::new();
    for attribute in table.attributes.iter().filter(|attribute| !is_derived(attribute)) {
        if let Some(value) = record.get_mut(&attribute.name).filter(|value| !value.is_null()) {
            check(&declaration(attribute), &attribute.name, value, &mut faults);
        }
    }
    as_result(faults)
}

fn is_derived(attribute: &Attribute) -> bool {
    attribute.computed || attribute.relationship.is_some()
}

fn as_result(faults: Vec<String>) -> Result<(), OperationError> {
    if faults.is_empty() {
        Ok(())
    } else {
        let mut faults = faults;
        if fault!("type-faults-only-first") {
            faults.truncate(1);
        }
        Err(OperationError::invalid(faults.join(". ")))
    }
}

/// True when some attribute of the table can refuse or convert a value.
pub(super) fn has_types(table: &Table) -> bool {
    table.schema_defined
}

struct Declared<'a> {
    kind: Option<&'a str>,
    nullable: Option<bool>,
    elements: Option<&'a AttributeType>,
    properties: Option<&'a [AttributeType]>,
}

fn declaration(attribute: &Attribute) -> Declared<'_> {
    Declared {
        kind: attribute.kind.as_deref(),
        nullable: attribute.nullable,
        elements: attribute.elements.as_deref(),
        properties: attribute.properties.as_deref(),
    }
}

fn declaration_of_type(declared: &AttributeType) -> Declared<'_> {
    Declared {
        kind: declared.kind.as_deref(),
        nullable: declared.nullable,
        elements: declared.elements.as_deref(),
        properties: declared.properties.as_deref(),
    }
}

fn required(path: &str) -> String {
    format!("Property {path} is required (and not does not allow null values)")
}

fn check(declared: &Declared<'_>, path: &str, value: &mut Value, faults: &mut Vec<String>) {
    // Members are looked at only where the type has a name.
    if let (Some(kind), Some(properties)) = (declared.kind, declared.properties) {
        return check_object(kind, properties, path, value, faults);
    }
    let fits = match declared.kind {
        Some("Date") => replace(value, as_date) || fault!("date-takes-anything"),
        Some("BigInt") if fault!("big-integers-as-numbers") => true,
        Some("BigInt") => replace(value, big_integer),
        Some("Bytes") => replace(value, as_bytes),
        Some(kind) => is_of(kind, value),
        None => true,
    };
    if !fits {
        let expected = expected(declared.kind.unwrap_or_default());
        faults.push(format!("Value {} in property {path} must be {expected}", value.to_json()));
    } else if let (Value::Array(items), Some(elements)) = (value, declared.elements) {
        let path = format!("{path}[*]");
        for item in items.iter_mut().filter(|item| !item.is_null() && !fault!("elements-not-checked")) {
            check(&declaration_of_type(elements), &path, item, faults);
        }
    }
}

/// Puts what is stored in a value's place; false when the value is not of the type.
fn replace(value: &mut Value, convert: fn(&Value) -> Option<Value>) -> bool {
    match convert(value) {
        Some(converted) => {
            *value = converted;
            true
        }
        None => false,
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "Int" if fault!("int-without-bounds") => is_whole(value, f64::MAX, f64::MIN),
        "Int" => is_whole(value, 2_147_483_647.0, -2_147_483_648.0),
        "Long" if fault!("long-without-bounds") => is_whole(value, f64::MAX, f64::MIN),
        "Long" => is_whole(value, 9_007_199_254_740_992.0, -9_007_199_254_740_992.0),
        "Float" => fault!("float-takes-texts") || matches!(value, Value::Number(_)),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => fault!("boolean-takes-texts") || matches!(value, Value::Bool(_)),
        "ID" => is_id(value),
        "Blob" => matches!(value, Value::Bytes(_) | Value::String(_)),
        "array" => matches!(value, Value::Array(_)),
        // Other type names enforce nothing.
        _ => true,
    }
}

/// What a fault says the value must be.
fn expected(kind: &str) -> &'static str {
    match kind {
        "Int" => "an integer (from -2147483648 to 2147483647)",
        "Long" => "an integer (from -9007199254740992 to 9007199254740992)",
        "Float" => "a number",
        "String" => "a string",
        "Boolean" => "a boolean",
        "ID" => "a string, or an array of strings",
        "Date" => "a Date",
        "BigInt" => "a bigint",
        "Bytes" => "a Buffer or Uint8Array",
        "array" => "an Array",
        _ => "a Blob",
    }
}

fn as_date(value: &Value) -> Option<Value> {
    match value {
        // A text is a date in one of the forms that JavaScript reads, never a number of milliseconds.
        Value::String(text) => Some(parse_date(text)).filter(|at| !at.is_nan()).map(Value::Date),
        Value::Number(_) | Value::Date(_) => instant(value),
        _ => None,
    }
}

fn as_bytes(value: &Value) -> Option<Value> {
    match value {
        Value::Bytes(_) => Some(value.clone()),
        Value::String(text) => Some(Value::Bytes(text.clone().into_bytes())),
        _ => None,
    }
}

fn check_object(
    kind: &str,
    properties: &[AttributeType],
    path: &str,
    value: &mut Value,
    faults: &mut Vec<String>,
) {
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        faults.push(format!("Value {} in property {path} must be an object ({kind})", value.to_json()));
    }
    let mut none = Object::new();
    let members = match value {
        Value::Object(members) => members,
        _ => &mut none,
    };
    for property in properties {
        let path = format!("{path}.{}", property.name);
        match members.get_mut(&property.name) {
            Some(_) if fault!("properties-not-checked") => {}
            Some(member) if !member.is_null() => check(&declaration_of_type(property), &path, member, faults),
            _ if property.nullable == Some(false) => faults.push(required(&path)),
            _ => {}
        }
    }
}

fn is_whole(value: &Value, highest: f64, lowest: f64) -> bool {
    matches!(value, Value::Number(number) if (number.fract() == 0.0 || fault!("int-takes-fractions")) && (lowest..=highest).contains(number))
}

fn is_id(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => {
            fault!("id-takes-empty-arrays")
                || !items.is_empty() && items.iter().all(|item| matches!(item, Value::String(_)))
        }
        _ => false,
    }
}

fn big_integer(value: &Value) -> Option<Value> {
    match value {
        Value::BigInt(_) => Some(value.clone()),
        Value::Number(number) if number.fract() == 0.0 && number.is_finite() => {
            Some(Value::BigInt(format!("{number:.0}")))
        }
        Value::String(text) => {
            let (sign, digits) = match text.strip_prefix('-') {
                Some(digits) => ("-", digits),
                None => ("", text.as_str()),
            };
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            // JSON has no leading zeros.
            let digits = match digits.trim_start_matches('0') {
                "" => "0",
                significant => significant,
            };
            Some(Value::BigInt(format!("{sign}{digits}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(kind: &str, mut value: Value) -> Vec<String> {
        let declared = AttributeType { kind: Some(kind.to_owned()), ..AttributeType::default() };
        let mut faults = Vec::new();
        check(&declaration_of_type(&declared), "p", &mut value, &mut faults);
        faults
    }

    #[test]
    fn each_type_refuses_what_is_not_of_it() {
        assert!(faults_of("Int", Value::Number(2_147_483_647.0)).is_empty());
        assert_eq!(
            faults_of("Int", Value::Number(2_147_483_648.0)),
            ["Value 2147483648 in property p must be an integer (from -2147483648 to 2147483647)"]
        );
        assert_eq!(
            faults_of("ID", Value::Array(Vec::new())),
            ["Value [] in property p must be a string, or an array of strings"]
        );
        assert_eq!(faults_of("Date", Value::from("soon")), ["Value \"soon\" in property p must be a Date"]);
        assert!(faults_of("BigInt", Value::from("123456789012345678901234567890")).is_empty());
        assert!(!faults_of("BigInt", Value::Number(1.5)).is_empty());
        assert!(faults_of("Unheard", Value::Bool(true)).is_empty());
        assert_eq!(faults_of("BigInt", Value::Bool(true)), ["Value true in property p must be a bigint"]);
        let five = || Value::Number(5.0);
        assert_eq!(faults_of("Bytes", five()), ["Value 5 in property p must be a Buffer or Uint8Array"]);
        assert_eq!(faults_of("Blob", five()), ["Value 5 in property p must be a Blob"]);
    }

    #[test]
    fn what_is_no_object_lacks_its_members_too() {
        let number = AttributeType {
            name: "number".to_owned(),
            kind: Some("Int".to_owned()),
            nullable: Some(false),
            ..AttributeType::default()
        };
        let of = |kind: Option<&str>, mut value: Value| {
            let declared = AttributeType {
                kind: kind.map(str::to_owned),
                properties: Some(vec![number.clone()]),
                ..AttributeType::default()
            };
            let mut faults = Vec::new();
            check(&declaration_of_type(&declared), "p", &mut value, &mut faults);
            faults.join(". ")
        };
        let lacking = "Property p.number is required (and not does not allow null values)";
        assert_eq!(
            of(Some("Address"), Value::from("x")),
            format!("Value \"x\" in property p must be an object (Address). {lacking}")
        );
        assert_eq!(of(Some("Address"), Value::Array(Vec::new())), lacking);
        assert_eq!(of(None, Value::from("x")), "");
    }
}
