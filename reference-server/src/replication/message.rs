//! What travels between nodes: one entry of a history, with all that is needed to apply it elsewhere.

use super::wire::{Arrived, Sent, SentObject, read};
pub use crate::store::WriteKind;
use crate::store::{Attribute, AttributeId, Table};
use crate::value::{Object, Value};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The form of messages; others are not understood.
const FORM: u8 = 1;
/// How long the parts of a message are at most, in bytes.
pub const LARGEST_PART: usize = 900 * 1024;
/// How long a message may be; more than any request may bring.
pub const LARGEST_MESSAGE: usize = 1 << 30;

/// A message cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// A node of another version sent it.
    #[error("the message has form {0}, which is not known here")]
    Form(u8),
    /// It is none.
    #[error("the message cannot be read: {0}")]
    Broken(#[from] rmp_serde::decode::Error),
    /// There is nothing in it.
    #[error("the message is empty")]
    Empty,
}

/// One transaction of one node: an entry of its history, or (with no writes) the definitions of tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

    /// A table with its attributes. The numbers that attributes have here mean nothing elsewhere.
    pub fn full(table: &Table) -> TableDefinition {
        let foreign = |attribute: &Attribute| Attribute { id: AttributeId::default(), ..attribute.clone() };
        let attributes = table.attributes.iter().map(foreign).collect();
        TableDefinition { attributes, ..TableDefinition::brief(table) }
    }
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

impl Transaction {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        // Writing to a Vec cannot fail.
        let _ = self.serialize(&mut rmp_serde::Serializer::new(&mut out).with_struct_map());
        out
    }

    /// What the bytes say.
    ///
    /// # Errors
    /// When they are no message of this version.
    pub fn decode(bytes: &[u8]) -> Result<Transaction, MessageError> {
        match bytes.split_first() {
            Some((&FORM, body)) => Ok(read(body)?),
            Some((form, _)) => Err(MessageError::Form(*form)),
            None => Err(MessageError::Empty),
        }
    }
}

const WRITE_FIELDS: usize = 7;

impl Serialize for Write {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut fields = out.serialize_tuple(WRITE_FIELDS)?;
        fields.serialize_element(&self.table)?;
        fields.serialize_element(&self.kind)?;
        fields.serialize_element(&Sent(&self.key))?;
        fields.serialize_element(&SentObject(&self.record))?;
        fields.serialize_element(&self.created)?;
        fields.serialize_element(&self.updated)?;
        fields.serialize_element(&self.expires_at)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Write {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Write, D::Error> {
        source.deserialize_tuple(WRITE_FIELDS, WriteVisitor)
    }
}

struct WriteVisitor;

impl<'de> Visitor<'de> for WriteVisitor {
    type Value = Write;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a write")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Write, A::Error> {
        fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(source: &mut A) -> Result<T, A::Error> {
            source.next_element()?.ok_or_else(|| A::Error::custom("a write is too short"))
        }
        let table = next(&mut source)?;
        let kind = next(&mut source)?;
        let Arrived(key) = next(&mut source)?;
        let Arrived(Value::Object(record)) = next(&mut source)? else {
            return Err(A::Error::custom("a record is no object"));
        };
        let created = next(&mut source)?;
        let updated = next(&mut source)?;
        let expires_at = next(&mut source)?;
        Ok(Write { table, kind, key, record, created, updated, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Transaction {
        let record = Object::from_iter([
            ("id".to_owned(), Value::Number(-0.0)),
            ("when".to_owned(), Value::Date(1.5)),
            ("big".to_owned(), Value::BigInt("9".repeat(40))),
            ("raw".to_owned(), Value::Bytes(vec![0, 255])),
        ]);
        let attribute = Attribute::new("when").with_kind("Date").indexed();
        Transaction {
            origin: "a".to_owned(),
            epoch: "e".to_owned(),
            lseq: u64::MAX,
            previous: 7,
            timestamp: 1_700_000_000_000.25,
            operation: "upsert".to_owned(),
            user: Some("u".to_owned()),
            tables: vec![TableDefinition {
                name: "t".to_owned(),
                primary_key: "id".to_owned(),
                audit: true,
                attributes: vec![attribute],
                ..TableDefinition::default()
            }],
            writes: vec![
                Write {
                    table: "t".to_owned(),
                    kind: WriteKind::Patch,
                    key: Value::Number(-0.0),
                    record,
                    created: 1.0,
                    updated: 2.5,
                    expires_at: Some(3.0),
                },
                Write { kind: WriteKind::Delete, key: Value::from("k"), ..Write::default() },
            ],
        }
    }

    #[test]
    fn messages_come_back_as_they_were() {
        let message = sample();
        assert_eq!(Transaction::decode(&message.encode()).unwrap(), message);
        assert_eq!(Transaction::decode(&Transaction::default().encode()).unwrap(), Transaction::default());
    }

    #[test]
    fn messages_of_other_forms_are_refused() {
        let mut bytes = sample().encode();
        bytes[0] = 9;
        assert!(matches!(Transaction::decode(&bytes), Err(MessageError::Form(9))));
        assert!(matches!(Transaction::decode(&[]), Err(MessageError::Empty)));
    }

    proptest! {
        #[test]
        fn cut_and_changed_messages_are_told(at in 0_usize..400, byte in any::<u8>(), end in 0_usize..400) {
            let mut bytes = sample().encode();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(end);
            let _ = Transaction::decode(&bytes);
        }
    }
}
