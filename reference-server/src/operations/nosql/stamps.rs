//! The times a record is stamped with: when it was made, when it was last written, when it vanishes.

use crate::store::{Attribute, CREATED_TIME, Table, UPDATED_TIME};
use crate::value::{Object, Value, iso_text};

/// The attributes of a table that the server stamps, and the time of a request. Values that clients send in those
/// places are overwritten.
pub(super) struct Stamps<'t> {
    created: Vec<&'t Attribute>,
    updated: Vec<&'t Attribute>,
    now: f64,
}

impl<'t> Stamps<'t> {
    /// The stamps of a request at `now`, in epoch milliseconds.
    pub(super) fn of(table: &'t Table, now: f64) -> Stamps<'t> {
        let created = table.attributes.iter().filter(|attribute| is_created_time(attribute)).collect();
        let updated = table.attributes.iter().filter(|attribute| is_updated_time(attribute)).collect();
        Stamps { created, updated, now }
    }

    /// Stamps a record written for the first time.
    pub(super) fn put_new(&self, record: &mut Object) {
        for attribute in self.updated.iter().chain(&self.created) {
            if !(fault!("stamps-may-be-sent") && record.contains_key(&attribute.name)) {
                record.insert(attribute.name.clone(), time_value(attribute, self.now));
            }
        }
    }

    /// Stamps a record written again, which keeps the created times of `before`.
    pub(super) fn put_again(&self, record: &mut Object, before: &Object) {
        for attribute in self.updated.iter().filter(|_| !fault!("updated-time-stays")) {
            record.insert(attribute.name.clone(), time_value(attribute, self.now));
        }
        for attribute in &self.created {
            match before.get(&attribute.name).filter(|_| !fault!("created-time-moves")) {
                None | Some(Value::Null) => {
                    record.insert(attribute.name.clone(), time_value(attribute, self.now));
                }
                Some(time) => {
                    // One that was not sent comes after what is kept before it.
                    if let Some(sent) = record.get_mut(&attribute.name) {
                        *sent = time.clone();
                    }
                }
            }
        }
    }
}

/// True for an attribute that the server stamps: its values are no client's.
pub(super) fn is_stamped(attribute: &Attribute) -> bool {
    is_created_time(attribute) || is_updated_time(attribute)
}

fn is_created_time(attribute: &Attribute) -> bool {
    attribute.assigned_created_time || attribute.name == CREATED_TIME
}

fn is_updated_time(attribute: &Attribute) -> bool {
    attribute.assigned_updated_time || attribute.name == UPDATED_TIME
}

fn time_value(attribute: &Attribute, now: f64) -> Value {
    match attribute.kind.as_deref() {
        Some(_) if fault!("stamps-always-numbers") => Value::Number(now),
        Some("Date") => Value::Date(now),
        Some("String" | "ID") => iso_text(now).map_or(Value::Null, Value::String),
        _ if fault!("stamps-in-seconds") => Value::Number((now / 1000.0).floor()),
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
    if fault!("expired-keys-in-the-way") {
        return None;
    }
    requested.or_else(own).or_else(|| table.expiration.map(|seconds| now + seconds * 1000.0))
}
