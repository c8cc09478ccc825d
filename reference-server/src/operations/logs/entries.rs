//! History entries as answers show them.

use crate::access::{SYSTEM, USERS};
use crate::error::OperationError;
use crate::store::{Database, HistoryChange, HistoryRecord, Record, StoreError, Table, View};
use crate::value::{Object, Value};
use std::sync::Arc;

/// What is not shown of the system's own records.
const SECRETS: [&str; 2] = ["password", "refresh_token"];

/// Reads from a database on a thread where that may take its time.
pub(super) async fn reading<T: Send + 'static>(
    database: Arc<Database>,
    work: impl FnOnce(View<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, OperationError> {
    let reading = tokio::task::spawn_blocking(move || {
        let reader = database.read()?;
        work(reader.view())
    });
    Ok(reading.await.map_err(OperationError::internal)??)
}

/// True when a table's history is kept for other nodes only.
pub(super) fn is_hidden(table: &Table) -> bool {
    table.logged && !table.audit
}

/// How the entries of one table are shown.
pub(super) struct Shown<'t> {
    table: &'t Table,
    hides_secrets: bool,
}

impl<'t> Shown<'t> {
    pub(super) fn of(database: &str, table: &'t Table) -> Shown<'t> {
        Shown { table, hides_secrets: database == SYSTEM && table.name == USERS }
    }

    /// An entry with all records it changed.
    pub(super) fn entry(&self, entry: &HistoryRecord<'_>) -> Result<Value, StoreError> {
        let changes: Vec<HistoryChange<'_>> = entry.changes().collect::<Result<_, _>>()?;
        Ok(self.with_changes(entry, &changes))
    }

    /// An entry with one of the records it changed.
    pub(super) fn change(&self, entry: &HistoryRecord<'_>, change: HistoryChange<'_>) -> Value {
        self.with_changes(entry, &[change])
    }

    fn with_changes(&self, entry: &HistoryRecord<'_>, changes: &[HistoryChange<'_>]) -> Value {
        let mut shown = Object::with_capacity(6);
        let mut put = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
        put("operation", Value::from(entry.operation));
        if let Some(user) = entry.user.filter(|_| !fault!("history-without-users")) {
            put("user_name", Value::from(user));
        }
        put("timestamp", Value::Number(entry.timestamp));
        put("hash_values", Value::Array(changes.iter().map(HistoryChange::key).collect()));
        if changes.iter().any(|change| change.after.is_some()) {
            put("records", self.records(changes, |change| change.after));
        }
        if changes.iter().any(|change| change.before.is_some()) && !fault!("history-without-originals") {
            put("original_records", self.records(changes, |change| change.before));
        }
        Value::Object(shown)
    }

    fn records<'c>(
        &self,
        changes: &[HistoryChange<'c>],
        which: impl Fn(&HistoryChange<'c>) -> Option<Record<'c>>,
    ) -> Value {
        let show = |record: Option<Record<'_>>| record.map_or(Value::Null, |record| self.record(&record));
        Value::Array(changes.iter().map(which).map(show).collect())
    }

    fn record(&self, record: &Record<'_>) -> Value {
        let members = record.attributes().map(|(id, value)| (self.table.attribute_name(id), value));
        let shown = members.filter(|(name, _)| !(self.hides_secrets && SECRETS.contains(name)));
        Value::Object(shown.map(|(name, value)| (name.to_owned(), value.decode())).collect())
    }
}
