//! The status values of an instance: what its operators say of it. They last as long as it runs.

use crate::value::{Value, object};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The status values that are set, by id.
#[derive(Debug, Default)]
pub struct Statuses(Mutex<BTreeMap<String, Status>>);

#[derive(Clone, Debug)]
struct Status {
    text: String,
    created: f64,
    updated: f64,
}

impl Statuses {
    /// Sets a status and returns its record. Set again, it keeps the time of its making.
    pub fn set(&self, id: &str, text: &str) -> Value {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = elapsed.as_micros() as f64 / 1000.0;
        let mut statuses = self.0.lock();
        let created = statuses
            .get(id)
            .map_or(now, |status| if fault!("status-created-time-moves") { now } else { status.created });
        let status = Status { text: text.to_owned(), created, updated: now.max(created) };
        let record = record(id, &status);
        statuses.insert(id.to_owned(), status);
        record
    }

    /// The record of a status.
    pub fn get(&self, id: &str) -> Option<Value> {
        self.0.lock().get(id).map(|status| record(id, status))
    }

    /// The records of all, by id.
    pub fn all(&self) -> Vec<Value> {
        self.0.lock().iter().map(|(id, status)| record(id, status)).collect()
    }

    /// Takes a status away.
    pub fn clear(&self, id: &str) {
        self.0.lock().remove(id);
    }
}

fn record(id: &str, status: &Status) -> Value {
    object([
        ("id", Value::from(id)),
        ("status", Value::from(status.text.as_str())),
        ("__createdtime__", Value::Number(status.created)),
        ("__updatedtime__", Value::Number(status.updated)),
    ])
}
