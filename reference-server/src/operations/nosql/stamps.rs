//! The times a record is stamped with: when it was made, when it was last written, when it vanishes.

use crate::store::{Attribute, CREATED_TIME, Table, UPDATED_TIME};
use crate::value::{Object, Value, iso_text};

/// Stamps a record about to be written, whatever its client sent in those places: the created time of `before` is
/// kept, or else is `now`; the updated time is `now`.
pub(super) fn stamp(table: &Table, record: &mut Object, before: Option<&Object>, now: f64) {
    for attribute in &table.attributes {
        if is_created_time(attribute) {
            let kept =
                before.and_then(|before| before.get(&attribute.name)).filter(|time| !time.is_null()).cloned();
            record.insert(attribute.name.clone(), kept.unwrap_or_else(|| time_value(attribute, now)));
        } else if is_updated_time(attribute) {
            record.insert(attribute.name.clone(), time_value(attribute, now));
        }
    }
}

fn is_created_time(attribute: &Attribute) -> bool {
    attribute.assigned_created_time || attribute.name == CREATED_TIME
}

fn is_updated_time(attribute: &Attribute) -> bool {
    attribute.assigned_updated_time || attribute.name == UPDATED_TIME
}

fn time_value(attribute: &Attribute, now: f64) -> Value {
    match attribute.kind.as_deref() {
        Some("Date") => Value::Date(now),
        Some("String" | "ID") => iso_text(now).map_or(Value::Null, Value::String),
        _ => Value::Number(now),
    }
}

/// When a record vanishes: what the request says, or the record's own attribute, or the table's time to live.
pub(super) fn expiry(table: &Table, record: &Object, requested: Option<f64>, now: f64) -> Option<f64> {
    let own = || {
        let attribute = table.attributes.iter().find(|attribute| attribute.expires_at)?;
        match record.get(&attribute.name)? {
            Value::Number(instant) | Value::Date(instant) => Some(*instant),
            Value::String(text) => crate::query::date_text(text),
            _ => None,
        }
    };
    requested.or_else(own).or_else(|| table.expiration.map(|seconds| now + seconds * 1000.0))
}
