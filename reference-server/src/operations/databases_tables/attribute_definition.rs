//! Attribute definitions as create_table takes them and describe_table shows them.

use crate::error::OperationError;
use crate::operations::nosql::check_attribute_name;
use crate::store::{Attribute, AttributeType, CREATED_TIME, UPDATED_TIME};
use crate::value::{Object, Value};

/// Reads the `attributes` of create_table.
///
/// # Errors
/// When they are not a list of objects with a name each, or lack the primary key.
pub(super) fn read_attributes(sent: &Value, primary_key: &str) -> Result<Vec<Attribute>, OperationError> {
    let Value::Array(entries) = sent else {
        return Err(OperationError::invalid("'attributes' must be an array"));
    };
    let mut attributes: Vec<Attribute> = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().enumerate() {
        let Value::Object(entry) = entry else {
            return Err(OperationError::invalid(format!("'attributes[{position}]' must be of type object")));
        };
        let attribute = read_attribute(entry, position)?;
        if attributes.iter().any(|known| known.name == attribute.name) {
            return Err(OperationError::invalid(format!(
                "'attributes[{position}]' repeats the name '{}'",
                attribute.name
            )));
        }
        attributes.push(attribute);
    }
    if !attributes.iter().any(|attribute| attribute.name == primary_key) && !fault!("attributes-without-key")
    {
        return Err(OperationError::invalid(format!(
            "'attributes' must include the primary key '{primary_key}'"
        )));
    }
    Ok(attributes)
}

fn read_attribute(entry: &Object, position: usize) -> Result<Attribute, OperationError> {
    let name =
        entry.get("name").or_else(|| entry.get("attribute")).and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(OperationError::invalid(format!("'attributes[{position}].name' is required")));
    }
    check_attribute_name(name)?;
    let flag = |member: &str| entry.get(member).and_then(Value::as_bool);
    let is_set = |member: &str| flag(member).unwrap_or(false);
    Ok(Attribute {
        name: name.to_owned(),
        kind: kind_of(entry),
        indexed: is_set("indexed") || fault!("declared-all-indexed"),
        says_unindexed: flag("indexed") == Some(false),
        nullable: flag("nullable").filter(|_| !fault!("nullable-not-read")),
        elements: elements_of(entry),
        properties: properties_of(entry),
        assigned_created_time: !fault!("created-time-not-assigned") && is_set("assignCreatedTime"),
        assigned_updated_time: is_set("assignUpdatedTime"),
        expires_at: is_set("expiresAt"),
        computed: entry
            .get("computed")
            .is_some_and(|computed| !matches!(computed, Value::Null | Value::Bool(false))),
        relationship: entry.get("relationship").filter(|value| !value.is_null()).map(Value::to_serde),
        ..Attribute::default()
    })
}

fn kind_of(entry: &Object) -> Option<String> {
    entry.get("type").and_then(Value::as_str).map(str::to_owned)
}

fn elements_of(entry: &Object) -> Option<Box<AttributeType>> {
    match entry.get("elements") {
        Some(Value::Object(elements)) => Some(Box::new(read_type(elements))),
        Some(Value::String(kind)) => {
            Some(Box::new(AttributeType { kind: Some(kind.clone()), ..AttributeType::default() }))
        }
        _ => None,
    }
}

fn properties_of(entry: &Object) -> Option<Vec<AttributeType>> {
    let properties = entry.get("properties")?.as_array()?;
    Some(properties.iter().filter_map(Value::as_object).map(read_type).collect())
}

fn read_type(entry: &Object) -> AttributeType {
    AttributeType {
        name: entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        kind: kind_of(entry),
        nullable: entry.get("nullable").and_then(Value::as_bool),
        elements: elements_of(entry),
        properties: properties_of(entry),
    }
}

/// An attribute's entry in a table definition: its name, and of the rest what is defined.
pub(super) fn describe_attribute(attribute: &Attribute) -> Value {
    let mut entry = Object::new();
    entry.insert("attribute".to_owned(), Value::from(attribute.name.as_str()));
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            entry.insert(name.to_owned(), value);
        }
    };
    let when = |flag: bool| flag.then_some(Value::Bool(true));
    put("type", attribute.kind.as_deref().filter(|_| !fault!("types-not-shown")).map(Value::from));
    put(
        "elements",
        attribute.elements.as_ref().and_then(|elements| elements.kind.as_deref()).map(Value::from),
    );
    put("indexed", if attribute.says_unindexed { Some(Value::Bool(false)) } else { when(attribute.indexed) });
    put("is_primary_key", when(attribute.is_primary_key && !fault!("key-not-marked")));
    // The times that tables without declared attributes have by themselves are not said to be assigned.
    let is_own = attribute.kind.is_none() && [CREATED_TIME, UPDATED_TIME].contains(&attribute.name.as_str());
    put("assigned_created_time", when(attribute.assigned_created_time && !is_own));
    put("assigned_updated_time", when(attribute.assigned_updated_time && !is_own));
    put("nullable", attribute.nullable.map(Value::Bool));
    put("computed", when(attribute.computed));
    put("properties", attribute.properties.as_deref().map(describe_properties));
    Value::Object(entry)
}

fn describe_properties(properties: &[AttributeType]) -> Value {
    let entry = |property: &AttributeType| {
        let mut entry = Object::new();
        if let Some(kind) = &property.kind {
            entry.insert("type".to_owned(), Value::from(kind.as_str()));
        }
        entry.insert("name".to_owned(), Value::from(property.name.as_str()));
        Value::Object(entry)
    };
    Value::Array(properties.iter().map(entry).collect())
}
