//! The first reading of a load: is every row one that can be written, and may the caller write its columns.

use super::Sink;
use super::blocking::Stopped;
use crate::access::rights::{TableUse, check_use};
use crate::access::{Caller, Right};
use crate::error::OperationError;
use crate::operations::nosql::{Write, check_attribute_name, check_key, check_names, check_sent};
use crate::store::{Store, Table};
use crate::value::{Object, Value};
use indexmap::IndexSet;
use std::borrow::Cow;

/// What the checks of a load go by.
pub(super) struct Rules<'l> {
    pub store: &'l Store,
    pub caller: &'l Caller,
    pub database: &'l str,
    pub table: &'l Table,
    pub write: Write,
    /// The rights needed on the table and on its attributes.
    pub rights: &'l [Right],
    /// Rights are judged before the names of columns; else after all else.
    pub rights_first: bool,
    /// What an update of a row without a primary key fails with.
    pub no_key: &'static str,
    pub stopped: Stopped,
}

/// Finds what is wrong with the records of a load.
pub(super) struct Check<'l> {
    rules: Rules<'l>,
    /// All names met so far.
    names: IndexSet<String>,
    /// How many of them were found right.
    checked: usize,
    /// How many records there are.
    pub records: u64,
}

impl<'l> Check<'l> {
    pub(super) fn new(rules: Rules<'l>) -> Check<'l> {
        Check { rules, names: IndexSet::new(), checked: 0, records: 0 }
    }

    /// To be called at the end. Gives the names of all attributes that records have, when there are any.
    ///
    /// # Errors
    /// When the caller lacks rights on attributes.
    pub(super) fn finish(self) -> Result<(u64, Vec<String>), OperationError> {
        if self.records > 0 && !self.rules.rights_first {
            self.check_rights()?;
        }
        Ok((self.records, self.names.into_iter().collect()))
    }

    fn check_rights(&self) -> Result<(), OperationError> {
        let rules = &self.rules;
        let user = rules.caller.known()?;
        let Some(permission) = user
            .permission()
            .filter(|permission| !permission.super_user && !fault!("load-column-rights-ignored"))
        else {
            return Ok(());
        };
        let attributes: Vec<Cow<'_, str>> = self.names.iter().map(|name| Cow::from(name.as_str())).collect();
        let wanted = TableUse {
            database: rules.database,
            table: &rules.table.name,
            rights: rules.rights,
            attributes: &attributes,
            attribute_rights: rules.rights,
        };
        check_use(permission, rules.store, &wanted)?.into_result()
    }

    /// Looks at the names that are new since the last time.
    fn check_new_names(&mut self) -> Result<(), OperationError> {
        for name in self.names.iter().skip(self.checked) {
            check_column(name)?;
        }
        self.checked = self.names.len();
        Ok(())
    }
}

impl Sink for Check<'_> {
    fn columns(&mut self, names: &[String]) -> Result<(), OperationError> {
        self.names.extend(names.iter().cloned());
        // Wrong names matter only when there is something to write under them.
        if self.rules.rights_first { self.check_rights() } else { Ok(()) }
    }

    fn record(&mut self, mut record: Object, _size: usize) -> Result<(), OperationError> {
        self.records += 1;
        if self.records.is_multiple_of(1024) {
            self.rules.stopped.check()?;
        }
        for name in record.keys() {
            if !self.names.contains(name) {
                self.names.insert(name.clone());
            }
        }
        if self.checked < self.names.len() {
            self.check_new_names()?;
        }
        match record.get(&self.rules.table.primary_key) {
            None | Some(Value::Null) if self.rules.write == Write::Update => {
                return Err(self.no_key());
            }
            Some(Value::String(key)) if key.is_empty() && self.rules.write == Write::Update => {
                return Err(self.no_key());
            }
            None | Some(Value::Null) => {}
            Some(key) => check_key(key)?,
        }
        check_sent(self.rules.table, &mut record)
    }
}

impl Check<'_> {
    fn no_key(&self) -> OperationError {
        OperationError::invalid(self.rules.no_key)
    }
}

/// Fails when a column's name cannot be an attribute's.
fn check_column(name: &String) -> Result<(), OperationError> {
    let printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'/' && byte != b'`';
    if !name.bytes().all(printable) && !fault!("load-columns-not-checked") {
        return Err(OperationError::invalid(format!(
            "Invalid column name '{name}', cancelling load operation"
        )));
    }
    check_names(std::iter::once(name))?;
    check_attribute_name(name)
}
