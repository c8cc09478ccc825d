//! What a role may do with a table and its attributes.
//!
//! Everything is worked out against the databases as they are now: a table made a moment ago is there for a structure
//! user, a dropped one is gone for everybody.

use super::permission::{AttributePermission, Permission, Right, TablePermission};
use super::refusal::{self, Refusal};
use super::schema::{Schema, TableShape};
use crate::error::OperationError;
use std::borrow::Cow;
use std::collections::HashSet;

/// The attributes the server writes by itself; a role may at most read them.
pub const TIMESTAMPS: [&str; 2] = ["__createdtime__", "__updatedtime__"];

/// What searches write for all attributes. An attribute may have that name, but a restricted role cannot read it: it
/// would read everything.
const EVERYTHING: &str = "*";

/// What a statement or request does with one table.
pub struct TableUse<'a> {
    /// The database, resolved.
    pub database: &'a str,
    /// The table.
    pub table: &'a str,
    /// The rights needed on the table, in the order a refusal lists them.
    pub rights: &'a [Right],
    /// The attributes used, in order of first use.
    pub attributes: &'a [Cow<'a, str>],
    /// The rights needed on each of those attributes.
    pub attribute_rights: &'a [Right],
}

/// How a role sees a table.
enum Grant<'a> {
    /// It does not exist for the role.
    Hidden,
    /// Everything is allowed.
    Everything,
    /// These flags decide.
    Flags(&'a TablePermission),
}

fn grant<'a>(permission: &'a Permission, database: &str, table: &str) -> Grant<'a> {
    if permission.super_user {
        return Grant::Everything;
    }
    if database == super::SYSTEM {
        return Grant::Hidden;
    }
    if permission.structure_user.covers(database) && !fault!("structure-user-has-no-rights") {
        return Grant::Everything;
    }
    match permission.table(database, table) {
        Some(flags) if flags.any() || fault!("hidden-tables-told-apart") => Grant::Flags(flags),
        _ => Grant::Hidden,
    }
}

/// Whether the role may know that the database exists.
pub fn sees_database(permission: &Permission, schema: &dyn Schema, database: &str) -> bool {
    if !schema.has_database(database) {
        return false;
    }
    if permission.super_user {
        return true;
    }
    if database == super::SYSTEM {
        return false;
    }
    permission.structure_user.covers(database)
        || permission.databases.get(database).is_some_and(|listed| {
            listed.tables.iter().any(|(table, flags)| flags.any() && schema.table(database, table).is_some())
        })
}

/// Whether the role may know of a table that is there.
pub fn is_visible(permission: &Permission, database: &str, table: &str) -> bool {
    !matches!(grant(permission, database, table), Grant::Hidden)
}

/// Whether the role may know that the table exists.
pub fn sees_table(permission: &Permission, schema: &dyn Schema, database: &str, table: &str) -> bool {
    schema.table(database, table).is_some() && is_visible(permission, database, table)
}

/// Checks one use of a table by a role that is not a super user's.
///
/// # Errors
/// What is refused. The times a record carries have a refusal of their own.
pub fn check_use(
    permission: &Permission,
    schema: &dyn Schema,
    wanted: &TableUse<'_>,
) -> Result<Refusal, OperationError> {
    let TableUse { database, table, .. } = *wanted;
    if !sees_database(permission, schema, database) {
        return Ok(Refusal::default().missing(refusal::no_database(database)));
    }
    let hidden = || Ok(Refusal::default().missing(refusal::no_table(database, table)));
    let Some(shape) = schema.table(database, table) else { return hidden() };
    let flags = match grant(permission, database, table) {
        Grant::Hidden => return hidden(),
        Grant::Everything => return Ok(Refusal::default()),
        Grant::Flags(flags) => flags,
    };
    let lacking: Vec<Right> = wanted.rights.iter().copied().filter(|right| !flags.has(*right)).collect();
    if !lacking.is_empty() && !fault!("table-rights-ignored") {
        return Ok(Refusal::default().table(database, table, &lacking));
    }
    check_attributes(flags, shape.as_ref(), wanted)
}

fn check_attributes(
    flags: &TablePermission,
    shape: &dyn TableShape,
    wanted: &TableUse<'_>,
) -> Result<Refusal, OperationError> {
    let mut refusal = Refusal::default();
    if fault!("attribute-rights-ignored") || flags.attributes.is_empty() || wanted.attribute_rights.is_empty()
    {
        return Ok(refusal);
    }
    let writes = wanted.attribute_rights.iter().any(|right| matches!(right, Right::Insert | Right::Update));
    let mut lacking = Vec::new();
    let mut seen = HashSet::new();
    for attribute in wanted.attributes.iter().map(Cow::as_ref).filter(|attribute| seen.insert(*attribute)) {
        if writes
            && !fault!("stamps-may-be-written")
            && TIMESTAMPS.contains(&attribute)
            && flags.attributes.contains_key(attribute)
        {
            return Err(refusal::internal_timestamps());
        }
        let granted = attribute_rights(flags, shape, attribute);
        if !granted.any() {
            refusal.add_missing(refusal::no_attribute(wanted.database, wanted.table, attribute));
            continue;
        }
        let missing: Vec<Right> =
            wanted.attribute_rights.iter().copied().filter(|right| !granted.has(*right)).collect();
        if !missing.is_empty() {
            lacking.push((attribute.to_owned(), missing));
        }
    }
    if refusal.is_empty() || !fault!("missing-attributes-writable") {
        refusal.add_attributes(wanted.database, wanted.table, lacking);
    }
    Ok(refusal)
}

/// The rights on one attribute of a table with attribute permissions; none when it does not exist for the role.
fn attribute_rights(flags: &TablePermission, shape: &dyn TableShape, attribute: &str) -> AttributePermission {
    match flags.attributes.get(attribute) {
        Some(_) if !shape.has_attribute(attribute) => AttributePermission::default(),
        Some(granted) => effective(attribute, *granted),
        // A primary key that is not listed has every right some listed attribute has.
        None if attribute == shape.primary_key() && !fault!("unlisted-key-forbidden") => flags
            .attributes
            .iter()
            .map(|(name, granted)| effective(name, *granted))
            .fold(AttributePermission::default(), |all, one| AttributePermission {
                read: all.read || one.read,
                insert: all.insert || one.insert,
                update: all.update || one.update,
            }),
        None => AttributePermission::default(),
    }
}

fn effective(attribute: &str, granted: AttributePermission) -> AttributePermission {
    if TIMESTAMPS.contains(&attribute) {
        AttributePermission { read: granted.read, ..AttributePermission::default() }
    } else if attribute == EVERYTHING {
        AttributePermission { read: false, ..granted }
    } else {
        granted
    }
}

/// The attributes of a table that a role may read, when it may not read them all: those listed, in their order, then
/// an unlisted primary key. `None` means every attribute. This is what `*`, or a search that names no attributes,
/// stands for.
pub fn readable_attributes(
    permission: &Permission,
    shape: &dyn TableShape,
    database: &str,
    table: &str,
) -> Option<Vec<String>> {
    match grant(permission, database, table) {
        Grant::Everything => None,
        Grant::Hidden => Some(Vec::new()),
        Grant::Flags(flags) if !flags.read => Some(Vec::new()),
        Grant::Flags(flags) => restricted(flags, shape, |granted| granted.read),
    }
}

/// Which attributes of a table a role may know of, when not all: those with some right on them.
pub fn visible_attributes(
    permission: &Permission,
    shape: &dyn TableShape,
    database: &str,
    table: &str,
) -> Option<Vec<String>> {
    match grant(permission, database, table) {
        Grant::Everything => None,
        Grant::Hidden => Some(Vec::new()),
        Grant::Flags(flags) => restricted(flags, shape, AttributePermission::any),
    }
}

fn restricted(
    flags: &TablePermission,
    shape: &dyn TableShape,
    wanted: fn(AttributePermission) -> bool,
) -> Option<Vec<String>> {
    if flags.attributes.is_empty() {
        return None;
    }
    let key = shape.primary_key();
    let listed = flags.attributes.keys().map(String::as_str);
    let implied = (!flags.attributes.contains_key(key)).then_some(key);
    let names = listed.chain(implied).filter(|name| wanted(attribute_rights(flags, shape, name)));
    Some(names.map(str::to_owned).collect())
}
