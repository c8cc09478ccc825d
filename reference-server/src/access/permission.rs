//! What a role may do, read from the permission object it was given.
//!
//! Reading is strict: only `true` grants anything. A permission object that reached storage without validation (a
//! plain write to the role table) therefore never grants more than it plainly says, and never breaks loading.

use crate::value::{Object, Value};
use indexmap::IndexMap;

/// Everything a role may do, and the object it was read from.
#[derive(Clone, Debug)]
pub struct Permission {
    /// May do everything.
    pub super_user: bool,
    /// May make and drop structures.
    pub structure_user: StructureUser,
    /// Rights on tables, by database name.
    pub databases: IndexMap<String, DatabasePermission>,
    /// The object as it was sent, which is how it is shown again.
    pub raw: Value,
}

/// Where a role may make and drop tables and attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StructureUser {
    /// Nowhere.
    #[default]
    No,
    /// In every database, and databases themselves.
    All,
    /// In these databases.
    Databases(Vec<String>),
}

impl StructureUser {
    /// Whether structures of `database` are this role's to make and drop.
    pub fn covers(&self, database: &str) -> bool {
        match self {
            StructureUser::No => false,
            StructureUser::All => true,
            StructureUser::Databases(names) => names.iter().any(|name| name == database),
        }
    }
}

/// Rights on the tables of one database, by table name.
#[derive(Clone, Debug, Default)]
pub struct DatabasePermission {
    /// The tables listed.
    pub tables: IndexMap<String, TablePermission>,
}

/// Rights on one table.
#[derive(Clone, Debug, Default)]
pub struct TablePermission {
    /// May read records.
    pub read: bool,
    /// May insert records.
    pub insert: bool,
    /// May update records.
    pub update: bool,
    /// May delete records.
    pub delete: bool,
    /// Rights on single attributes, in the order listed; empty when the table's flags decide alone.
    pub attributes: IndexMap<String, AttributePermission>,
}

/// Rights on one attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributePermission {
    /// May be read.
    pub read: bool,
    /// May be given in an insert.
    pub insert: bool,
    /// May be given in an update.
    pub update: bool,
}

/// One of the rights on a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Reading.
    Read,
    /// Inserting.
    Insert,
    /// Updating.
    Update,
    /// Deleting.
    Delete,
}

impl Right {
    /// The right's name in permission objects and refusals.
    pub fn name(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Insert => "insert",
            Right::Update => "update",
            Right::Delete => "delete",
        }
    }

    /// The right of that name.
    pub fn named(name: &str) -> Option<Right> {
        [Right::Read, Right::Insert, Right::Update, Right::Delete]
            .into_iter()
            .find(|right| right.name() == name)
    }
}

impl TablePermission {
    /// Whether the role has this right on the table.
    pub fn has(&self, right: Right) -> bool {
        match right {
            Right::Read => self.read,
            Right::Insert => self.insert,
            Right::Update => self.update,
            Right::Delete => self.delete,
        }
    }

    /// Whether the role has any right on the table; without one the table does not exist for it.
    pub fn any(&self) -> bool {
        self.read || self.insert || self.update || self.delete
    }
}

impl AttributePermission {
    /// Whether the attribute may be used that way. Deleting looks at the table alone.
    pub fn has(self, right: Right) -> bool {
        match right {
            Right::Read => self.read,
            Right::Insert => self.insert,
            Right::Update => self.update,
            Right::Delete => true,
        }
    }

    /// Whether any right is granted; without one the attribute does not exist for the role.
    pub fn any(self) -> bool {
        self.read || self.insert || self.update
    }
}

/// The members of a permission object that are not database names.
const FLAGS: [&str; 2] = ["super_user", "structure_user"];

impl Permission {
    /// Reads a permission object. Any other kind of value grants nothing at all, see [`Permission::is_usable`].
    pub fn read(raw: &Value) -> Permission {
        let nothing = Object::new();
        let members = raw.as_object().unwrap_or(&nothing);
        let databases = members
            .iter()
            .filter(|(name, _)| !FLAGS.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.clone(), read_database(value.as_object()?))))
            .collect();
        Permission {
            super_user: is_true(members, "super_user"),
            structure_user: read_structure_user(members.get("structure_user")),
            databases,
            raw: raw.clone(),
        }
    }

    /// Whether there is a permission object. Without one a role is as good as none.
    pub fn is_usable(&self) -> bool {
        matches!(self.raw, Value::Object(_))
    }

    /// The rights listed for a table.
    pub fn table(&self, database: &str, table: &str) -> Option<&TablePermission> {
        self.databases.get(database)?.tables.get(table)
    }
}

fn is_true(members: &Object, name: &str) -> bool {
    matches!(members.get(name), Some(Value::Bool(true)))
}

fn read_structure_user(value: Option<&Value>) -> StructureUser {
    match value {
        Some(Value::Bool(true)) => StructureUser::All,
        Some(Value::Array(names)) => {
            StructureUser::Databases(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => StructureUser::No,
    }
}

fn read_database(members: &Object) -> DatabasePermission {
    let tables = members.get("tables").and_then(Value::as_object);
    let tables = tables.into_iter().flatten();
    DatabasePermission {
        tables: tables
            .filter_map(|(name, value)| Some((name.clone(), read_table(value.as_object()?))))
            .collect(),
    }
}

fn read_table(members: &Object) -> TablePermission {
    TablePermission {
        read: is_true(members, "read"),
        insert: is_true(members, "insert"),
        update: is_true(members, "update"),
        delete: is_true(members, "delete"),
        attributes: read_attributes(members.get("attribute_permissions")),
    }
}

fn read_attributes(list: Option<&Value>) -> IndexMap<String, AttributePermission> {
    let mut attributes: IndexMap<String, AttributePermission> = IndexMap::new();
    for entry in list.and_then(Value::as_array).unwrap_or_default() {
        // An entry that cannot be read still counts as a restriction: it stands for an attribute nobody can name.
        let members = entry.as_object();
        let name = members.and_then(|members| members.get("attribute_name")).and_then(Value::as_str);
        let flag = |flag| members.is_some_and(|members| is_true(members, flag));
        let granted =
            AttributePermission { read: flag("read"), insert: flag("insert"), update: flag("update") };
        let granted = if name.is_some() { granted } else { AttributePermission::default() };
        attributes
            .entry(name.unwrap_or_default().to_owned())
            // Listed twice: what both grant.
            .and_modify(|before| {
                before.read &= granted.read;
                before.insert &= granted.insert;
                before.update &= granted.update;
            })
            .or_insert(granted);
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn read(text: &str) -> Permission {
        Permission::read(&parse_json(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_full_object_is_read() {
        let permission = read(
            r#"{"structure_user":["a","b"],"shop":{"tables":{"pots":{"read":true,"insert":true,"update":false,
            "delete":false,"attribute_permissions":[{"attribute_name":"glaze","read":true,"insert":false,"update":false}]}}}}"#,
        );
        assert!(!permission.super_user);
        assert!(permission.structure_user.covers("b") && !permission.structure_user.covers("shop"));
        let pots = permission.table("shop", "pots").unwrap();
        assert!(pots.has(Right::Read) && pots.has(Right::Insert) && !pots.has(Right::Update) && pots.any());
        assert_eq!(
            pots.attributes["glaze"],
            AttributePermission { read: true, insert: false, update: false }
        );
        assert!(permission.table("shop", "urns").is_none());
    }

    #[test]
    fn only_true_grants() {
        let permission = read(
            r#"{"super_user":"true","structure_user":1,"a":null,"b":{},"c":{"tables":[]},"d":{"tables":{"t":null,
            "u":{"read":1,"insert":"true","attribute_permissions":[7,{"attribute_name":"x","read":1}]}}}}"#,
        );
        assert!(!permission.super_user);
        assert_eq!(permission.structure_user, StructureUser::No);
        assert!(permission.table("d", "t").is_none());
        let table = permission.table("d", "u").unwrap();
        assert!(!table.any());
        assert_eq!(table.attributes.len(), 2, "unreadable entries restrict too");
    }

    #[test]
    fn other_kinds_are_no_permission() {
        for text in ["null", "[]", "\"super_user\"", "5", "true"] {
            assert!(!read(text).is_usable(), "{text}");
            assert!(!read(text).super_user, "{text}");
        }
    }

    #[test]
    fn an_attribute_listed_twice_has_what_both_grant() {
        let permission = read(
            r#"{"d":{"tables":{"t":{"read":true,"attribute_permissions":[{"attribute_name":"a","read":true,"insert":true},
            {"attribute_name":"a","read":true,"update":true}]}}}}"#,
        );
        let granted = permission.table("d", "t").unwrap().attributes["a"];
        assert_eq!(granted, AttributePermission { read: true, insert: false, update: false });
    }
}
