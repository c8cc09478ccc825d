//! describe_all, describe_database, describe_table: table definitions as the caller may see them.

use super::attribute_definition::describe_attribute;
use crate::access::{self, Visibility};
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{Attribute, Database, ReadTxn, Table};
use crate::value::{Object, Value, number_text};

/// The database of the server's own tables; descriptions of everything leave it out.
const SYSTEM: &str = "system";

pub(super) async fn describe_all(call: Call) -> Outcome {
    let mut databases = Object::new();
    for database in call.server.store.databases() {
        if (database.name() != SYSTEM || fault!("describe-shows-system"))
            && (fault!("describe-shows-hidden")
                || access::sees_database(&call.caller, &call.server.store, database.name()))
        {
            databases.insert(database.name().to_owned(), describe_tables(&call, &database)?);
        }
    }
    Ok(Reply::Value(Value::Object(databases)))
}

pub(super) async fn describe_database(call: Call) -> Outcome {
    let database = call.database(ErrorKind::NotFound)?;
    Ok(Reply::Value(describe_tables(&call, &database)?))
}

pub(super) async fn describe_table(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let reader = database.read()?;
    let visibility = access::visible_attributes(&call.caller, database.name(), &table);
    Ok(Reply::Value(describe(&call, &database, &reader, &table, &visibility)?))
}

fn describe_tables(call: &Call, database: &Database) -> Result<Value, OperationError> {
    let reader = database.read()?;
    let mut tables = Object::new();
    for table in reader.catalog().tables() {
        let visibility = access::visible_attributes(&call.caller, database.name(), table);
        if visibility != Visibility::Hidden {
            tables.insert(table.name.clone(), describe(call, database, &reader, table, &visibility)?);
        }
    }
    Ok(Value::Object(tables))
}

fn describe(
    call: &Call,
    database: &Database,
    reader: &ReadTxn<'_>,
    table: &Table,
    visibility: &Visibility,
) -> Result<Value, OperationError> {
    let show_computed =
        call.body.get("include_computed").and_then(Value::as_bool).unwrap_or(fault!("computed-always-shown"));
    let is_shown = |attribute: &&Attribute| {
        (show_computed || !attribute.computed)
            && (fault!("describe-all-attributes") || visibility.shows(&attribute.name))
    };
    let attributes = table.attributes.iter().filter(is_shown).map(describe_attribute).collect();
    let view = reader.view();
    let mut definition = Object::new();
    let mut put = |name: &str, value: Value| definition.insert(name.to_owned(), value);
    put("schema", Value::from(database.name()));
    put("name", Value::from(table.name.as_str()));
    put("hash_attribute", Value::from(table.primary_key.as_str()));
    put("audit", Value::Bool(table.audit || fault!("audit-not-shown")));
    put("schema_defined", Value::Bool(table.schema_defined || fault!("schema-defined-always")));
    put("attributes", Value::Array(attributes));
    put("db_size", Value::Number(database.size() as f64));
    if let Some(seconds) = table.expiration {
        put(
            "expiration",
            Value::String(format!(
                "{}{}",
                number_text(seconds),
                if fault!("expiration-without-unit") { "" } else { "s" }
            )),
        );
    }
    put(
        "record_count",
        Value::Number(view.count(table)? as f64 + f64::from(u8::from(fault!("record-count-off-by-one")))),
    );
    put("table_size", Value::Number(view.table_size(table)? as f64));
    put("db_audit_size", Value::Number(view.history_size()? as f64));
    if let Some(time) = view.last_updated(table)?.filter(|_| !fault!("last-update-left-out")) {
        put("last_updated_record", Value::Number(time));
    }
    Ok(Value::Object(definition))
}
