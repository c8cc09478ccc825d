//! The tables of a statement and the columns that names stand for.

use super::ast::{ColumnName, TableName};
use super::errors;
use crate::access::{Caller, readable_attributes};
use crate::error::OperationError;
use crate::store::{Attribute, AttributeId, Database, Table};
use std::sync::Arc;

/// One table of a statement.
#[derive(Clone)]
pub struct Source {
    /// Its database.
    pub database: Arc<Database>,
    /// The table as of the statement's snapshot.
    pub table: Arc<Table>,
    /// What its columns are qualified with.
    pub qualifier: String,
}

impl Source {
    /// A table under the name a statement gives it.
    pub fn new(database: Arc<Database>, table: Arc<Table>, name: &TableName) -> Source {
        Source { database, table, qualifier: name.qualifier().to_owned() }
    }

    /// The attributes `*` stands for: relationships to other tables are not among them.
    pub fn star(&self, caller: &Caller) -> Vec<(String, AttributeId)> {
        let named = |attribute: &Attribute| (attribute.name.clone(), attribute.id);
        let stored = |attribute: &&Attribute| attribute.relationship.is_none();
        let all = || self.table.attributes.iter().filter(stored).map(named).collect();
        match readable_attributes(caller, self.database.name(), &self.table) {
            _ if fault!("sql-star-shows-all") => all(),
            None => all(),
            Some(names) => {
                let readable = names.iter().filter_map(|name| self.table.attribute(name));
                readable.filter(stored).map(named).collect()
            }
        }
    }
}

/// A column of one of a statement's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// The table's place in the statement.
    pub source: usize,
    /// The attribute.
    pub id: AttributeId,
}

/// All tables of a statement.
#[derive(Clone, Default)]
pub struct Scope {
    /// In the order of the statement.
    pub sources: Vec<Source>,
}

/// What a name stands for.
pub enum Meaning {
    /// One column.
    Column(ColumnRef),
    /// None.
    Unknown,
    /// Columns of several tables.
    Ambiguous,
}

impl Scope {
    /// What a column's name stands for.
    pub fn meaning(&self, column: &ColumnName) -> Meaning {
        let found = |source: usize| {
            self.sources[source]
                .table
                .attribute(&column.name)
                .map(|attribute| ColumnRef { source, id: attribute.id })
        };
        match column.qualifiers.as_slice() {
            [] => {
                let mut having = (0..self.sources.len()).filter_map(found);
                match (having.next(), having.next()) {
                    (Some(column), None) => Meaning::Column(column),
                    (Some(_), Some(_)) => Meaning::Ambiguous,
                    (None, _) => Meaning::Unknown,
                }
            }
            [qualifier] => {
                let source = self.sources.iter().position(|source| source.qualifier == *qualifier);
                source.and_then(found).map_or(Meaning::Unknown, Meaning::Column)
            }
            _ => Meaning::Unknown,
        }
    }

    /// The column of a name.
    ///
    /// # Errors
    /// When it is unknown or ambiguous, or when there is no table at all.
    pub fn resolve(&self, column: &ColumnName) -> Result<ColumnRef, OperationError> {
        if self.sources.is_empty() {
            return Err(OperationError::fault("no from clause"));
        }
        match self.meaning(column) {
            Meaning::Column(column) => Ok(column),
            Meaning::Ambiguous => Err(errors::ambiguous_column(&column.written())),
            // Of a name with a database only the first two parts are looked at.
            Meaning::Unknown if column.qualifiers.len() > 1 => {
                Err(errors::unknown_column(&column.qualifiers[..2].join(".")))
            }
            Meaning::Unknown => Err(errors::unknown_column(&column.written())),
        }
    }

    /// The table that a qualifier names.
    pub fn source(&self, qualifier: &str) -> Option<usize> {
        self.sources.iter().position(|source| source.qualifier == qualifier)
    }
}
