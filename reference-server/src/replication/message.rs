//! What travels between nodes: one entry of a history, with all that is needed to apply it elsewhere.

use crate::store::{Attribute, Table};
use crate::value::{Object, Value};

/// One transaction of one node: an entry of its history, or (with no writes) the definitions of tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transaction {
    /// The node it was made on.
    pub origin: String,
    /// Which life of that node's database `lseq` belongs to: another one when the database was made anew.
    pub epoch: String,
    /// The entry's number in the history of that node. A message of definitions has the number of the entry before it.
    pub lseq: u64,
    /// The number of the transaction that this node sent before; 0 for none. A receiver that has not applied it has
    /// missed something and needs a copy.
    pub previous: u64,
    /// When, in epoch milliseconds.
    pub timestamp: f64,
    /// The kind of change, as the history tells it: `insert`, `update`, …
    pub operation: String,
    /// Who made it.
    pub user: Option<String>,
    /// The tables it writes to, so that they can be made where they are missing.
    pub tables: Vec<TableDefinition>,
    /// What it writes, in order.
    pub writes: Vec<Write>,
}

/// What a receiver needs in order to make a table. Attributes are told in full only when the definition itself is the
/// message; those of records come with the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    /// The name of its primary key.
    pub primary_key: String,
    /// True when writes add no attributes.
    pub schema_defined: bool,
    /// True when a history is kept.
    pub audit: bool,
    /// Seconds after a write at which a record vanishes.
    pub expiration: Option<f64>,
    /// Its attributes; without those of writes.
    pub attributes: Vec<Attribute>,
}

impl TableDefinition {
    /// A table without its attributes.
    pub fn brief(table: &Table) -> TableDefinition {
        TableDefinition {
            name: table.name.clone(),
            primary_key: table.primary_key.clone(),
            schema_defined: table.schema_defined,
            audit: table.audit,
            expiration: table.expiration,
            attributes: Vec::new(),
        }
    }

    /// A table with its attributes.
    pub fn full(table: &Table) -> TableDefinition {
        TableDefinition { attributes: table.attributes.clone(), ..TableDefinition::brief(table) }
    }
}

/// The kinds of write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteKind {
    /// The whole record.
    #[default]
    Put,
    /// Some attributes of a record.
    Patch,
    /// The record is gone.
    Delete,
}

/// One write of a transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Write {
    /// The table.
    pub table: String,
    /// The kind.
    pub kind: WriteKind,
    /// The primary key.
    pub key: Value,
    /// The record; of a patch only the attributes written, of a deletion none.
    pub record: Object,
    /// When the record was made, in epoch milliseconds.
    pub created: f64,
    /// When it was last written.
    pub updated: f64,
    /// When it vanishes.
    pub expires_at: Option<f64>,
}
