//! insert, update and upsert on the store: one request, one transaction, all or nothing.

use super::checks::{check_attribute_name, check_key, check_names};
use super::key_numbers::KeyNumbers;
use super::stamps::{Stamps, expiry};
use super::types::{check_record, has_types};
use crate::error::{ErrorKind, OperationError};
use crate::operations::names::{no_database, no_table, or_gone};
use crate::server::Server;
use crate::store::{
    Attribute, HistoryEntry, KeyRange, Patched, Record, Table, WriteTxn, increment_of, written_over,
};
use crate::value::{Object, Value};
use std::ops::Bound;
use std::sync::Arc;

/// The highest generated key of an `Int` attribute.
const HIGHEST_INT_KEY: f64 = 2_147_483_647.0;
/// The highest generated key of an attribute without a type.
const HIGHEST_KEY: f64 = 562_949_953_421_311.0;

/// Which of the three writes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Adds records; keys that exist are skipped.
    Insert,
    /// Merges into records; keys that do not exist are skipped.
    Update,
    /// Adds or merges.
    Upsert,
}

/// Records to be written to a table.
#[derive(Debug)]
pub struct WriteRequest {
    /// Which write.
    pub write: Write,
    /// The database's name.
    pub database: String,
    /// The table's name.
    pub table: String,
    /// The records.
    pub records: Vec<Object>,
    /// When they vanish, in epoch milliseconds; `None` leaves it to the table.
    pub expires_at: Option<f64>,
    /// Who writes, for the history.
    pub username: String,
    /// The numbers given to records without a key so far.
    pub numbers: Arc<KeyNumbers>,
}

/// What became of the records.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The keys written, in the order of the request.
    pub written: Vec<Value>,
    /// The keys left alone.
    pub skipped: Vec<Value>,
    /// The number of the entry in the database's history; `None` when nothing was logged.
    pub number: Option<u64>,
}

/// Writes records.
///
/// # Errors
/// The documented faults; then nothing is written.
pub async fn write(server: &Server, request: WriteRequest) -> Result<Written, OperationError> {
    write_under(server, request, Vec::new()).await
}

/// Writes records under columns: names that become attributes of a dynamic table whether or not a record has them.
///
/// # Errors
/// As [`write`].
pub async fn write_under(
    server: &Server,
    request: WriteRequest,
    columns: Vec<String>,
) -> Result<Written, OperationError> {
    let database = server
        .store
        .database(&request.database)
        .ok_or_else(|| no_database(ErrorKind::Invalid, &request.database))?;
    if database.catalog().table(&request.table).is_none() {
        let kind =
            if fault!("write-to-missing-table-404") { ErrorKind::NotFound } else { ErrorKind::Invalid };
        return Err(no_table(kind, &request.database, &request.table));
    }
    check_names(request.records.iter().flat_map(|record| record.keys()))?;
    let mut request = request;
    let table = request.table.clone();
    let written = database
        .write(move |txn| apply(txn, &mut request, &columns))
        .await
        .map_err(|error| or_gone(error, ErrorKind::Invalid, database.name(), &table))?;
    server.written(database.name())?;
    Ok(written)
}

/// Writes records as part of a transaction.
///
/// # Errors
/// The documented faults; then nothing of the request may be kept.
pub fn write_in(txn: &mut WriteTxn<'_>, request: &mut WriteRequest) -> Result<Written, OperationError> {
    check_names(request.records.iter().flat_map(|record| record.keys()))?;
    apply(txn, request, &[])
}

/// Runs inside the transaction, again if the transaction has to be: what it does to the request's records (stamps,
/// generated keys, conversion to declared types) comes out the same when done twice.
fn apply(
    txn: &mut WriteTxn<'_>,
    request: &mut WriteRequest,
    columns: &[String],
) -> Result<Written, OperationError> {
    let table = txn
        .catalog()
        .table(&request.table)
        .cloned()
        .ok_or_else(|| no_table(ErrorKind::Invalid, &request.database, &request.table))?;
    for record in &request.records {
        check_key_of(&table, record, request.write)?;
    }
    let table = with_new_attributes(txn, table, columns, &request.records)?;
    let mut records = std::mem::take(&mut request.records);
    let mut batch = Batch {
        stamps: Stamps::of(&table, txn.timestamp()),
        table: &table,
        request,
        outcome: Written::default(),
        last_number: None,
    };
    let result = records.iter_mut().try_for_each(|record| batch.write(txn, record));
    let outcome = result.and_then(|()| batch.finish(txn));
    request.records = records;
    outcome
}

fn check_key_of(table: &Table, record: &Object, write: Write) -> Result<(), OperationError> {
    match record.get(&table.primary_key) {
        None | Some(Value::Null) if write != Write::Update || fault!("update-without-key") => Ok(()),
        None | Some(Value::Null) => Err(missing_key()),
        Some(Value::String(key)) if key.is_empty() && write == Write::Update => Err(missing_key()),
        Some(key) => check_key(key),
    }
}

fn missing_key() -> OperationError {
    OperationError::invalid(
        "a valid hash attribute must be provided with update record, check log for more info",
    )
}

/// A dynamic table gets an indexed attribute for every name it has not met.
fn with_new_attributes(
    txn: &mut WriteTxn<'_>,
    table: Arc<Table>,
    columns: &[String],
    records: &[Object],
) -> Result<Arc<Table>, OperationError> {
    if table.schema_defined {
        return Ok(table);
    }
    let mut new: Vec<Attribute> = Vec::new();
    let mut next = 0;
    for name in columns.iter().chain(records.iter().flat_map(|record| record.keys())) {
        let known = table.attribute_from(&mut next, name).is_some();
        if !known && !new.iter().any(|attribute| attribute.name == *name) {
            check_attribute_name(name)?;
            let attribute = Attribute::new(name.as_str());
            new.push(if fault!("new-attributes-not-indexed") { attribute } else { attribute.indexed() });
        }
    }
    if new.is_empty() { Ok(table) } else { Ok(txn.add_attributes(&table, new)?) }
}

struct Batch<'r> {
    request: &'r WriteRequest,
    table: &'r Arc<Table>,
    stamps: Stamps<'r>,
    outcome: Written,
    last_number: Option<f64>,
}

impl Batch<'_> {
    fn write(&mut self, txn: &mut WriteTxn<'_>, record: &mut Object) -> Result<(), OperationError> {
        let sent_key = record.get(&self.table.primary_key).filter(|key| !key.is_null()).cloned();
        let Some(key) = sent_key else {
            let key = self.generated_key(txn)?;
            record.insert(self.table.primary_key.clone(), key.clone());
            return self.add(txn, key, record);
        };
        if self.request.write == Write::Insert && !has_types(self.table) && !fault!("insert-overwrites") {
            // What is free and what is stored is one question here.
            self.stamps.put_new(record);
            let expires = expiry(self.table, record, self.request.expires_at, txn.timestamp());
            let written = txn.insert(self.table, &key, record, expires)?;
            let keys = if written { &mut self.outcome.written } else { &mut self.outcome.skipped };
            keys.push(key);
            return Ok(());
        }
        if self.request.write == Write::Insert {
            return match txn.get(self.table, &key)? {
                Some(_) if !fault!("insert-overwrites") => self.skip(key),
                _ => self.add(txn, key, record),
            };
        }
        let before = txn.get(self.table, &key)?.map(|record| members_of(&record, self.table));
        match before {
            Some(before) => self.merge(txn, key, before, record),
            None if self.request.write == Write::Update && !fault!("update-creates") => self.skip(key),
            None if record.values().any(|value| increment_of(value).is_some()) => {
                // What is added to nothing begins with it.
                let settled =
                    record.iter().map(|(name, value)| (name.clone(), written_over(None, value.clone())));
                self.add(txn, key, &mut settled.collect())
            }
            None => self.add(txn, key, record),
        }
    }

    fn skip(&mut self, key: Value) -> Result<(), OperationError> {
        if !fault!("skipped-keys-lost") {
            self.outcome.skipped.push(key);
        }
        Ok(())
    }

    /// Stores a record under a key that is free.
    fn add(&mut self, txn: &mut WriteTxn<'_>, key: Value, record: &mut Object) -> Result<(), OperationError> {
        self.stamps.put_new(record);
        self.store(txn, key, record, None)
    }

    /// Stores a record that was there, with the attributes sent in place of its own: those first, then what is kept.
    fn merge(
        &mut self,
        txn: &mut WriteTxn<'_>,
        key: Value,
        before: Object,
        record: &Object,
    ) -> Result<(), OperationError> {
        let mut merged = Object::with_capacity(before.len() + record.len());
        let sent = record.iter().filter(|(_, value)| !fault!("update-removes-nulls") || !value.is_null());
        merged.extend(sent.map(|(name, value)| {
            let value = if value.as_object().is_some() {
                written_over(before.get(name), value.clone())
            } else {
                value.clone()
            };
            (name.clone(), value)
        }));
        self.stamps.put_again(&mut merged, &before);
        let stamped = merged.get_range(record.len()..).map(|stamps| stamps.keys().cloned().collect());
        let stamped: Vec<String> = stamped.unwrap_or_default();
        for (name, value) in before {
            if !fault!("update-replaces") {
                merged.entry(name).or_insert(value);
            }
        }
        crate::value::order_members(&mut merged);
        let written = |name: &str| match record.get(name) {
            Some(value) if increment_of(value).is_some() => Patched::Added,
            Some(_) => Patched::Set,
            None if stamped.iter().any(|stamp| stamp == name) => Patched::Set,
            None => Patched::Kept,
        };
        self.store(txn, key, &mut merged, Some(&written))
    }

    /// Stores a record; `written` tells the attributes that were, when the others are kept.
    fn store(
        &mut self,
        txn: &mut WriteTxn<'_>,
        key: Value,
        record: &mut Object,
        written: Option<&dyn Fn(&str) -> Patched>,
    ) -> Result<(), OperationError> {
        if has_types(self.table) && !fault!("types-not-enforced") {
            check_record(self.table, record)?;
        }
        let expires = expiry(self.table, record, self.request.expires_at, txn.timestamp());
        if !fault!("writes-told-not-done") {
            match written {
                Some(written) => txn.patch(self.table, &key, record, expires, written)?,
                None => txn.put(self.table, &key, record, expires)?,
            }
        }
        self.outcome.written.push(key);
        Ok(())
    }

    fn finish(self, txn: &mut WriteTxn<'_>) -> Result<Written, OperationError> {
        let operation = match self.request.write {
            Write::Insert => "insert",
            Write::Update => "update",
            Write::Upsert => "upsert",
        };
        if !fault!("history-not-written") {
            txn.log_history(self.table, HistoryEntry::new(operation, Some(&self.request.username)))?;
        }
        Ok(Written { number: txn.logged(), ..self.outcome })
    }

    /// A key for a record that came without: a UUID where keys are text, else the next whole number.
    fn generated_key(&mut self, txn: &mut WriteTxn<'_>) -> Result<Value, OperationError> {
        let kind =
            self.table.attribute(&self.table.primary_key).and_then(|attribute| attribute.kind.as_deref());
        let highest = match kind {
            Some("String" | "ID") if !fault!("uuids-for-nobody") => {
                return Ok(Value::String(uuid::Uuid::new_v4().to_string()));
            }
            Some("Int") => HIGHEST_INT_KEY,
            _ => HIGHEST_KEY,
        };
        let given = self.request.numbers.last(&self.request.database, self.table.id);
        let mut number = match self.last_number {
            Some(last) => last,
            None => last_number(txn, self.table, highest)?.max(given),
        };
        loop {
            number += 1.0;
            if number > highest {
                return Err(OperationError::invalid("no number is left for a generated primary key"));
            }
            // Another record of the request may have come with this very key.
            if txn.get(self.table, &Value::Number(number))?.is_none() {
                break;
            }
        }
        self.last_number = Some(number);
        self.request.numbers.note(&self.request.database, self.table.id, number);
        if fault!("generated-keys-are-texts") {
            return Ok(Value::String(number.to_string()));
        }
        Ok(Value::Number(number))
    }
}

/// A stored record as an object.
fn members_of(record: &Record<'_>, table: &Table) -> Object {
    record.attributes().map(|(id, raw)| (table.attribute_name(id).to_owned(), raw.decode())).collect()
}

/// The highest whole number up to `highest` among a table's keys, 0 without one.
fn last_number(txn: &mut WriteTxn<'_>, table: &Table, highest: f64) -> Result<f64, OperationError> {
    let numbers =
        KeyRange::new(Bound::Included(&Value::Number(0.0)), Bound::Included(&Value::Number(highest)));
    for record in txn.view()?.scan(table, numbers, true)? {
        if let Value::Number(number) = record?.key() {
            return Ok(number.floor());
        }
    }
    Ok(0.0)
}
