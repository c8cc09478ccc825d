//! The tables users and roles are kept in.

use super::passwords::{HASH_FUNCTION, hash_now};
use super::sessions::SESSIONS;
use super::users::Directory;
use super::{INTERNAL_TABLES, SYSTEM};
use crate::analytics::{ANALYTICS, RAW_ANALYTICS};
use crate::error::OperationError;
use crate::replication::nodes::{LINKS, NODES};
use crate::store::WriteTxn;
use crate::store::{
    Attribute, CREATED_TIME, Database, HistoryEntry, KeyRange, Record, Store, StoreError, Table, TableSpec,
    UPDATED_TIME, View,
};
use crate::value::{Object, Value};
use anyhow::Context;
use std::sync::Arc;

/// The table of users.
pub const USERS: &str = "hdb_user";
/// The table of roles.
pub const ROLES: &str = "hdb_role";
/// The id and the name of the role that is there from the start.
pub const SUPER_USER_ROLE: &str = "super_user";

/// The attributes of rows of nodes, of which those that a node does not have are absent.
const OF_NODES: [&str; 7] =
    ["subscriptions", "system_info", "url", "routes", "revoked_certificates", "shard", "replicates"];

/// A user about to be made at the first start.
pub(super) struct FirstUser {
    pub username: String,
    pub password: String,
}

/// The server's own database.
pub(crate) fn system_database(store: &Store) -> Result<Arc<Database>, StoreError> {
    store.database(SYSTEM).ok_or_else(|| StoreError::NotFound(format!("database {SYSTEM}")))
}

/// Makes the internal tables that are missing.
pub(super) async fn make_tables(store: &Store) -> anyhow::Result<()> {
    let system = system_database(store)?;
    let catalog = system.catalog();
    let tables = || INTERNAL_TABLES.into_iter().chain([SESSIONS, LINKS]);
    if tables().all(|name| catalog.table(name).is_some()) {
        return Ok(());
    }
    let made = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
        for name in tables() {
            if txn.catalog().table(name).is_none() {
                txn.create_table(spec(name))?;
            }
        }
        Ok(())
    });
    made.await.context("cannot make the system tables")
}

fn spec(table: &str) -> TableSpec {
    // Rows of measurements have many numbers that nobody searches by.
    let attributes: &[&str] = match table {
        ANALYTICS => &["metric", "path", "method", "type"],
        RAW_ANALYTICS => &["action", "metrics"],
        NODES => {
            let spec = TableSpec::dynamic(table, primary_key(table));
            let named = OF_NODES.iter().map(|name| Attribute::new(*name).indexed());
            return TableSpec { attributes: named.chain(spec.attributes).collect(), ..spec };
        }
        _ => return TableSpec::dynamic(table, primary_key(table)),
    };
    TableSpec {
        name: table.to_owned(),
        primary_key: primary_key(table).to_owned(),
        schema_defined: true,
        attributes: attributes.iter().map(|name| Attribute::new(*name).indexed()).collect(),
        ..TableSpec::default()
    }
}

fn primary_key(table: &str) -> &'static str {
    match table {
        "hdb_user" => "username",
        "hdb_certificate" | "hdb_nodes" => "name",
        "hdb_license" => "license_key",
        "hdb_info" => "info_id",
        _ => "id",
    }
}

/// Makes the first user and the super user role, and returns the password's hash.
pub(super) async fn make_first_user(store: &Store, first: &FirstUser) -> anyhow::Result<Arc<str>> {
    let password = first.password.clone();
    let hash = tokio::task::spawn_blocking(move || hash_now(&password)).await??;
    let user = user_record(&first.username, &hash, SUPER_USER_ROLE, true);
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
        if get(txn.view()?, ROLES, &Value::from(SUPER_USER_ROLE))?.is_none() {
            let permission = Object::from_iter([("super_user".to_owned(), Value::Bool(true))]);
            let role = role_record(SUPER_USER_ROLE, SUPER_USER_ROLE, Value::Object(permission));
            put(txn, ROLES, role)?;
        }
        put(txn, USERS, user.clone())?;
        Ok(())
    });
    written.await.context("cannot make the first user")?;
    Ok(hash.into())
}

/// A user's record, the times excepted.
pub(crate) fn user_record(username: &str, hash: &str, role: &str, active: bool) -> Object {
    Object::from_iter([
        ("username".to_owned(), Value::from(username)),
        ("password".to_owned(), Value::from(hash)),
        ("hash_function".to_owned(), Value::from(HASH_FUNCTION)),
        ("role".to_owned(), Value::from(role)),
        ("active".to_owned(), Value::Bool(active)),
    ])
}

/// A role's record, the times excepted.
pub(crate) fn role_record(id: &str, name: &str, permission: Value) -> Object {
    Object::from_iter([
        ("id".to_owned(), Value::from(id)),
        ("role".to_owned(), Value::from(name)),
        ("permission".to_owned(), permission),
    ])
}

/// Stores a record with its times: it keeps the time of its making if it has one. Returns it as stored.
pub(crate) fn put(txn: &mut WriteTxn<'_>, table: &str, mut record: Object) -> Result<Object, StoreError> {
    let table = find(txn.catalog().table(table), table)?;
    let now = Value::Number(txn.timestamp());
    record.insert(UPDATED_TIME.to_owned(), now.clone());
    record.entry(CREATED_TIME.to_owned()).or_insert(now);
    let key = record.get(&table.primary_key).cloned().unwrap_or(Value::Null);
    txn.put(&table, &key, &record, None)?;
    // Of tables that other nodes are told of.
    txn.log_history(&table, HistoryEntry::new("upsert", None))?;
    Ok(record)
}

/// Removes a record; tells whether there was one.
pub(crate) fn delete(txn: &mut WriteTxn<'_>, table: &str, key: &Value) -> Result<bool, StoreError> {
    let table = find(txn.catalog().table(table), table)?;
    let deleted = txn.delete(&table, key)?;
    txn.log_history(&table, HistoryEntry::new("delete", None))?;
    Ok(deleted)
}

/// A record of an internal table.
pub(crate) fn get(view: View<'_>, table: &str, key: &Value) -> Result<Option<Object>, StoreError> {
    let table = find(view.catalog().table(table), table)?;
    Ok(view.get(&table, key)?.map(|record| members(&record, &table)))
}

/// All records of an internal table, in key order.
pub(crate) fn all(view: View<'_>, table: &str) -> Result<Vec<Object>, StoreError> {
    let table = find(view.catalog().table(table), table)?;
    view.scan(&table, KeyRange::all(), false)?.map(|record| Ok(members(&record?, &table))).collect()
}

pub(crate) fn find(table: Option<&Arc<Table>>, name: &str) -> Result<Arc<Table>, StoreError> {
    table.cloned().ok_or_else(|| StoreError::NotFound(format!("table {SYSTEM}.{name}")))
}

pub(crate) fn members(record: &Record<'_>, table: &Table) -> Object {
    record.attributes().map(|(id, value)| (table.attribute_name(id).to_owned(), value.decode())).collect()
}

/// Reads all users and roles.
pub(super) fn read_directory(store: &Store) -> Result<Directory, StoreError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    Ok(Directory::read(&all(reader.view(), USERS)?, &all(reader.view(), ROLES)?))
}
