//! What is wrong with records and keys, whatever table they go to.

use crate::error::{ErrorKind, OperationError};
use crate::value::Value;

/// The longest primary key, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1978;
/// The longest attribute name, in bytes of UTF-8.
const MAX_NAME_BYTES: usize = 250;

/// How many faulty names are told, so that a small request has no huge answer.
const MAX_NAME_FAULTS: usize = 1000;

/// What is wrong with the names of the attributes of records: `Invalid attribute name: '<name>'` for each that cannot
/// be one, record by record, joined by `". "`.
pub fn names_fault<'n>(names: impl Iterator<Item = &'n String>) -> Option<String> {
    let is_bad = |name: &str| matches!(name, "" | "null" | "undefined") && !fault!("bad-names-taken");
    let bad = names.filter(|name| is_bad(name));
    let faults: Vec<String> =
        bad.take(MAX_NAME_FAULTS).map(|name| format!("Invalid attribute name: '{name}'")).collect();
    (!faults.is_empty()).then(|| faults.join(". "))
}

/// Fails when an attribute of a record has a name that cannot be one.
///
/// # Errors
/// The text of [`names_fault`].
pub fn check_names<'n>(names: impl Iterator<Item = &'n String>) -> Result<(), OperationError> {
    names_fault(names).map_or(Ok(()), |text| Err(OperationError::invalid(text)))
}

/// Fails when a new attribute's name is not allowed.
///
/// # Errors
/// The texts of create_attribute.
pub fn check_attribute_name(name: &str) -> Result<(), OperationError> {
    if name.contains(['`', '/']) && !fault!("slashes-in-names") {
        return Err(OperationError::invalid("Attribute names cannot include backticks or forward slashes"));
    }
    if name.len() > MAX_NAME_BYTES && !fault!("long-names-taken") {
        return Err(OperationError::invalid(format!(
            "transaction aborted due to attribute name {name} being too long. Attribute names cannot be longer than {MAX_NAME_BYTES} bytes."
        )));
    }
    Ok(())
}

/// Fails when a value cannot be a primary key.
///
/// # Errors
/// The documented texts: some with the status of a request's fault, some with the server's own.
pub fn check_key(key: &Value) -> Result<(), OperationError> {
    match key {
        Value::String(text) if !fault!("null-key-text-taken") && (text == "null" || text == "undefined") => {
            Err(OperationError::invalid(format!(
                "Invalid hash value: '{text}' is not a valid hash attribute value, check log for more info"
            )))
        }
        Value::String(text)
            if text.len() / if fault!("long-keys-counted-in-characters") { 2 } else { 1 } > MAX_KEY_BYTES =>
        {
            let length = text.encode_utf16().count();
            Err(OperationError::fault(format!("Primary key size is too large: {length}")))
        }
        Value::Array(items) => {
            items.iter().try_for_each(check_element)?;
            let size: usize = items.iter().map(element_size).sum();
            if size > MAX_KEY_BYTES {
                return Err(OperationError::fault(format!("Primary key size is too large: {size}")));
            }
            Ok(())
        }
        Value::Bool(_) if fault!("boolean-key-400") => {
            Err(OperationError::invalid("Invalid primary key type: boolean"))
        }
        Value::Bool(_) => Err(OperationError::fault("Invalid primary key type: boolean")),
        Value::Number(_) | Value::String(_) => Ok(()),
        _ => Err(OperationError::new(ErrorKind::Invalid, format!("Invalid primary key: {}", key.to_json()))),
    }
}

fn check_element(item: &Value) -> Result<(), OperationError> {
    match item {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        _ => Err(OperationError::invalid(format!("Invalid primary key element: {}", item.to_json()))),
    }
}

/// About how many bytes an element of an array takes in a key.
fn element_size(item: &Value) -> usize {
    match item {
        Value::String(text) => text.len() + 1,
        Value::Number(_) => 9,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(key: Value) -> Option<String> {
        check_key(&key).err().map(|error| error.message)
    }

    #[test]
    fn keys_have_a_longest_length_in_arrays_too() {
        assert_eq!(text_of(Value::from("x".repeat(1978))), None);
        assert_eq!(
            text_of(Value::from("é".repeat(990))).as_deref(),
            Some("Primary key size is too large: 990")
        );
        assert_eq!(text_of(Value::Array(vec![Value::from("x".repeat(1900)), Value::Number(1.0)])), None);
        let long = Value::Array(vec![Value::Number(1.0); 1000]);
        assert_eq!(text_of(long).as_deref(), Some("Primary key size is too large: 9000"));
    }
}
