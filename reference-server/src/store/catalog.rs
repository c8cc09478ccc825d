//! What the tables of a database are: definitions, attributes and the ids their names are stored under.

use super::error::StoreError;
use crate::value::write_json_string;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The number an attribute's name has inside its table; never given to another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributeId(pub u32);

/// The tables of a database at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tables: IndexMap<String, Arc<Table>>,
    /// The LMDB transaction that made this state; readers of older snapshots must not use it.
    pub(super) since: usize,
}

impl Catalog {
    /// A table by name.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// All tables in the order of their creation.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// True when the database has no tables.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// A table by its number.
    pub fn by_id(&self, id: u32) -> Option<&Arc<Table>> {
        self.tables.values().find(|table| table.id == id)
    }

    pub(super) fn set(&mut self, table: Arc<Table>) {
        self.tables.insert(table.name.clone(), table);
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Arc<Table>> {
        self.tables.shift_remove(name)
    }
}

/// A table's definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The number its keys begin with; never used again after a drop.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The name of the primary key attribute.
    pub primary_key: String,
    /// True when the attributes were declared at creation: writes add none.
    pub schema_defined: bool,
    /// True when a history is kept that may be asked for.
    pub audit: bool,
    /// True when a history is kept for other nodes, whether or not it may be asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub logged: bool,
    /// Seconds after a write at which a record vanishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<f64>,
    /// The attributes: primary key first, then in the order of declaration or creation.
    pub attributes: Vec<Attribute>,
    /// Every attribute name ever stored, by id; kept for good, as old history entries use the ids.
    names: Vec<String>,
    #[serde(skip)]
    ids: HashMap<String, AttributeId>,
    /// Each name as it begins a member of a JSON object.
    #[serde(skip)]
    member_names: Vec<Box<[u8]>>,
    #[serde(skip)]
    flags: Vec<Flags>,
}

/// What is asked of an attribute for every record.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    declared: bool,
    indexed: bool,
}

impl Table {
    /// A declared attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let id = self.attribute_id(name)?;
        self.attributes.iter().find(|attribute| attribute.id == id)
    }

    /// As [`Table::attribute`], for a run of names: looks first at the places after `next`, which is left behind the one
    /// found. Records mostly name their attributes in the order in which the table got them.
    pub fn attribute_from(&self, next: &mut usize, name: &str) -> Option<&Attribute> {
        const TRIES: usize = 3;
        let named = |at: &usize| self.attributes.get(*at).is_some_and(|attribute| attribute.name == name);
        let found = (*next..*next + TRIES).find(named).or_else(|| {
            let id = self.attribute_id(name)?;
            self.attributes.iter().position(|attribute| attribute.id == id)
        })?;
        *next = found + 1;
        self.attributes.get(found)
    }

    /// The id of a name, declared or only met in records.
    pub fn attribute_id(&self, name: &str) -> Option<AttributeId> {
        self.ids.get(name).copied()
    }

    /// The name behind an id.
    pub fn attribute_name(&self, id: AttributeId) -> &str {
        self.names.get(id.0 as usize).map_or("", String::as_str)
    }

    /// The name behind an id as it begins a member of a JSON object: quoted, and with the colon.
    pub fn member_name(&self, id: AttributeId) -> &[u8] {
        self.member_names.get(id.0 as usize).map_or(b"\"\":", |name| name)
    }

    /// True when writes are logged in the history.
    pub fn keeps_history(&self) -> bool {
        self.audit || self.logged
    }

    /// True when a secondary index of the attribute is kept.
    pub fn is_indexed(&self, id: AttributeId) -> bool {
        self.flags.get(id.0 as usize).is_some_and(|flags| flags.indexed)
    }

    /// True when a record with this name changes nothing in the definition: any name has an id, and in a dynamic
    /// table it is an attribute.
    pub(super) fn is_settled(&self, id: AttributeId) -> bool {
        self.schema_defined || self.flags.get(id.0 as usize).is_some_and(|flags| flags.declared)
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Table, StoreError> {
        let mut table: Table = serde_json::from_slice(json)
            .map_err(|error| StoreError::Corrupt(format!("a table's definition cannot be read: {error}")))?;
        table.refresh();
        Ok(table)
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|error| StoreError::Io(Arc::new(error.into())))
    }

    /// A new table; the primary key becomes the first attribute with id 0.
    pub(super) fn new(id: u32, spec: TableSpec) -> Table {
        let mut table = Table {
            id,
            name: spec.name,
            primary_key: spec.primary_key,
            schema_defined: spec.schema_defined,
            audit: spec.audit,
            logged: false,
            expiration: spec.expiration,
            attributes: Vec::new(),
            names: Vec::new(),
            ids: HashMap::new(),
            member_names: Vec::new(),
            flags: Vec::new(),
        };
        let declared = spec.attributes.iter().find(|attribute| attribute.name == table.primary_key).cloned();
        let mut key = declared.unwrap_or_else(|| Attribute::new(table.primary_key.as_str()));
        key.is_primary_key = true;
        table.declare(key);
        for attribute in spec.attributes {
            table.declare(attribute);
        }
        table.refresh();
        table
    }

    /// The id of a name, given to it now when it is new.
    pub(super) fn intern(&mut self, name: &str) -> AttributeId {
        if let Some(id) = self.attribute_id(name) {
            return id;
        }
        let id = AttributeId(self.names.len() as u32);
        self.names.push(name.to_owned());
        self.member_names.push(member_name(name));
        self.ids.insert(name.to_owned(), id);
        self.flags.push(Flags::default());
        id
    }

    /// Declares an attribute; `None` when the name is declared already.
    pub(super) fn declare(&mut self, mut attribute: Attribute) -> Option<AttributeId> {
        let id = self.intern(&attribute.name);
        if self.attributes.iter().any(|declared| declared.id == id) {
            return None;
        }
        attribute.id = id;
        self.flags[id.0 as usize] = Flags::of(&attribute);
        self.attributes.push(attribute);
        Some(id)
    }

    /// Takes an attribute's declaration away; its name keeps its id.
    pub(super) fn forget(&mut self, id: AttributeId) {
        self.attributes.retain(|attribute| attribute.id != id);
        self.refresh();
    }

    /// Rebuilds what is derived from the stored definition.
    fn refresh(&mut self) {
        let id = |at: usize| AttributeId(at as u32);
        self.ids = self.names.iter().enumerate().map(|(at, name)| (name.clone(), id(at))).collect();
        self.member_names = self.names.iter().map(|name| member_name(name)).collect();
        self.flags = vec![Flags::default(); self.names.len()];
        for attribute in &self.attributes {
            if let Some(flags) = self.flags.get_mut(attribute.id.0 as usize) {
                *flags = Flags::of(attribute);
            }
        }
    }
}

/// A name as it begins a member of a JSON object.
fn member_name(name: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(name.len() + 3);
    write_json_string(&mut out, name);
    out.push(b':');
    out.into_boxed_slice()
}

impl Flags {
    fn of(attribute: &Attribute) -> Flags {
        // The record tree is the index of the primary key.
        Flags { declared: true, indexed: attribute.indexed && !attribute.is_primary_key }
    }
}

/// An attribute's definition. Whether an option is meaningful is for the operations to say; the store keeps them all
/// and acts on `indexed` and `is_primary_key` only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attribute {
    /// Given by the store.
    pub id: AttributeId,
    /// Its name.
    pub name: String,
    /// The declared type's name, as it was spelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// True when a secondary index is kept.
    #[serde(skip_serializing_if = "is_false")]
    pub indexed: bool,
    /// True when the declaration says outright that there is no index, which descriptions repeat.
    #[serde(skip_serializing_if = "is_false")]
    pub says_unindexed: bool,
    /// True for the primary key.
    #[serde(skip_serializing_if = "is_false")]
    pub is_primary_key: bool,
    /// `Some(false)` when every record must have a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// The type of an array's elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<AttributeType>>,
    /// The members of an object type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Vec<AttributeType>>,
    /// True when the first write's time is put here.
    #[serde(skip_serializing_if = "is_false")]
    pub assigned_created_time: bool,
    /// True when every write's time is put here.
    #[serde(skip_serializing_if = "is_false")]
    pub assigned_updated_time: bool,
    /// True when the value is the time at which the record vanishes.
    #[serde(skip_serializing_if = "is_false")]
    pub expires_at: bool,
    /// True when the value is computed and never written.
    #[serde(skip_serializing_if = "is_false")]
    pub computed: bool,
    /// The declared relationship to another table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship: Option<serde_json::Value>,
}

/// What [`super::WriteTxn::add_attributes`] takes; the id is given by the store.
pub type NewAttribute = Attribute;

impl Attribute {
    /// An untyped attribute without an index.
    pub fn new(name: impl Into<String>) -> Attribute {
        Attribute { name: name.into(), ..Attribute::default() }
    }

    /// The same attribute with a secondary index.
    pub fn indexed(mut self) -> Attribute {
        self.indexed = true;
        self
    }

    /// The same attribute with a declared type.
    pub fn with_kind(mut self, kind: impl Into<String>) -> Attribute {
        self.kind = Some(kind.into());
        self
    }
}

impl Default for AttributeId {
    /// No attribute's id: the store has not given one yet.
    fn default() -> Self {
        AttributeId(u32::MAX)
    }
}

/// The type of an array's elements or of an object's member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeType {
    /// The member's name; empty for elements.
    pub name: String,
    /// The type's name, as it was spelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `Some(false)` when the value may not be null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// The type of an array's elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<AttributeType>>,
    /// The members of an object type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Vec<AttributeType>>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a new table is to be.
#[derive(Clone, Debug, Default)]
pub struct TableSpec {
    /// Its name.
    pub name: String,
    /// The name of the primary key attribute.
    pub primary_key: String,
    /// True when only `attributes` are attributes of the table; else every name a write brings becomes one, indexed.
    pub schema_defined: bool,
    /// True to keep a history.
    pub audit: bool,
    /// Seconds after a write at which a record vanishes.
    pub expiration: Option<f64>,
    /// The attributes; the primary key is put first, and added when it is missing.
    pub attributes: Vec<NewAttribute>,
}

/// The attribute with the time of a record's first write in dynamic tables.
pub const CREATED_TIME: &str = "__createdtime__";
/// The attribute with the time of a record's last write in dynamic tables.
pub const UPDATED_TIME: &str = "__updatedtime__";

impl TableSpec {
    /// A dynamic table: the primary key and the two time attributes, and whatever writes bring.
    pub fn dynamic(name: impl Into<String>, primary_key: impl Into<String>) -> TableSpec {
        let time = |name: &str| Attribute::new(name).indexed();
        TableSpec {
            name: name.into(),
            primary_key: primary_key.into(),
            attributes: vec![
                Attribute { assigned_created_time: true, ..time(CREATED_TIME) },
                Attribute { assigned_updated_time: true, ..time(UPDATED_TIME) },
            ],
            ..TableSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_survive_json() {
        let mut spec = TableSpec::dynamic("t", "id");
        spec.attributes.insert(0, Attribute::new("x").with_kind("Int").indexed());
        let mut table = Table::new(7, spec);
        assert_eq!(table.attributes[0].name, "id");
        assert!(!table.is_indexed(AttributeId(0)) && table.is_indexed(AttributeId(1)));
        let extra = table.intern("extra");
        table.forget(AttributeId(1));
        let back = Table::from_json(&table.to_json().unwrap()).unwrap();
        assert_eq!(back.attribute_id("extra"), Some(extra));
        assert_eq!(back.attribute_id("x"), Some(AttributeId(1)));
        assert!(back.attribute("x").is_none() && !back.is_indexed(AttributeId(1)));
        assert_eq!(back.attributes, table.attributes);
        let mut next = 0;
        for name in ["id", CREATED_TIME, UPDATED_TIME, "id", "extra", UPDATED_TIME, "none"] {
            let found = back.attribute_from(&mut next, name);
            assert_eq!(found, back.attribute(name), "{name}");
        }
        assert_eq!(back.attribute_name(extra), "extra");
        assert_eq!(back.member_name(extra), b"\"extra\":");
    }
}
