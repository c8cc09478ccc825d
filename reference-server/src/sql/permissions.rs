//! The rights a statement needs, down to the attribute.

use super::ast::{ColumnName, Delete, Expr, Insert, Item, Select, TableName, Update};
use crate::access::authorise::check_tables;
use crate::access::rights::TableUse;
use crate::access::schema::Schema;
use crate::access::{Right, SYSTEM, User};
use crate::error::OperationError;
use crate::operations::names::DEFAULT_DATABASE;
use std::borrow::Cow;

/// What a statement does with a table.
struct Use<'s> {
    database: &'s str,
    table: &'s str,
    /// What the statement calls it: several names when it is joined to itself.
    qualifiers: Vec<&'s str>,
    right: Right,
    attributes: Vec<Cow<'s, str>>,
    attribute_right: Right,
}

fn check(user: &User, schema: &dyn Schema, uses: &[Use<'_>]) -> Result<(), OperationError> {
    let names_system = uses.iter().any(|used| used.database == SYSTEM) && !fault!("sql-system-not-protected");
    if (user.is_super_user() && !names_system) || fault!("sql-rights-not-checked") {
        return Ok(());
    }
    let wanted: Vec<TableUse<'_>> = uses
        .iter()
        .map(|used| TableUse {
            database: used.database,
            table: used.table,
            rights: std::slice::from_ref(&used.right),
            attributes: &used.attributes,
            attribute_rights: std::slice::from_ref(&used.attribute_right),
        })
        .collect();
    check_tables(user, schema, &wanted)
}

/// Checks a SELECT.
///
/// # Errors
/// The refusal.
pub fn check_select(user: &User, schema: &dyn Schema, select: &Select) -> Result<(), OperationError> {
    let tables = || select.from.iter().chain(select.joins.iter().map(|join| &join.table));
    // The commonest case: only the server's own database has rules for super users.
    if user.is_super_user() && tables().all(|table| table.database.as_deref() != Some(SYSTEM)) {
        return Ok(());
    }
    let checked = tables().take(if fault!("sql-joined-tables-open") { 1 } else { usize::MAX });
    let mut uses: Vec<Use<'_>> = Vec::new();
    for wanted in checked.filter_map(|table| used(table, Right::Read)) {
        let same = |known: &&mut Use<'_>| known.database == wanted.database && known.table == wanted.table;
        match uses.iter_mut().find(same) {
            Some(known) => known.qualifiers.extend(wanted.qualifiers),
            None => uses.push(wanted),
        }
    }
    let mut add = |expr| add_columns(&mut uses, schema, expr, &|_| false);
    let aliases: Vec<&str> = select
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Expr { alias: Some(alias), .. } => Some(alias.as_str()),
            _ => None,
        })
        .collect();
    for item in &select.items {
        if let Item::Expr { expr, .. } = item {
            add(expr);
        }
    }
    select.joins.iter().filter_map(|join| join.on.as_ref()).for_each(&mut add);
    if !fault!("sql-where-needs-no-right") {
        select.filter.iter().for_each(&mut add);
    }
    select.group_by.iter().for_each(&mut add);
    let is_alias =
        |column: &ColumnName| column.qualifiers.is_empty() && aliases.contains(&column.name.as_str());
    let named = select.having.iter().chain(select.order_by.iter().map(|key| &key.expr));
    for expr in named.filter(|_| !fault!("sql-order-needs-no-right")) {
        add_columns(&mut uses, schema, expr, &is_alias);
    }
    check(user, schema, &uses)
}

/// Checks an INSERT. A table without a database is one of the default database.
///
/// # Errors
/// The refusal.
pub fn check_insert(user: &User, schema: &dyn Schema, insert: &Insert) -> Result<(), OperationError> {
    let columns = insert.columns.iter().flatten();
    let wanted = Use {
        database: insert.table.database.as_deref().unwrap_or(DEFAULT_DATABASE),
        table: &insert.table.table,
        qualifiers: vec![&insert.table.table],
        right: Right::Insert,
        attributes: columns.map(|name| Cow::Borrowed(name.as_str())).collect(),
        attribute_right: Right::Insert,
    };
    check(user, schema, &[wanted])
}

/// Checks an UPDATE: what it sets it must be able to update, what it looks at it must be able to read.
///
/// # Errors
/// The refusal.
pub fn check_update(user: &User, schema: &dyn Schema, update: &Update) -> Result<(), OperationError> {
    let Some(mut set) = used(&update.table, Right::Update) else { return Ok(()) };
    set.attributes = update.set.iter().map(|(name, _)| Cow::Borrowed(name.as_str())).collect();
    if fault!("sql-set-needs-no-right") {
        set.attributes.clear();
    }
    check(user, schema, &[set])?;
    let Some(mut looked_at) = used(&update.table, Right::Update) else { return Ok(()) };
    looked_at.attribute_right = Right::Read;
    let mut uses = vec![looked_at];
    for expr in update.set.iter().map(|(_, value)| value).chain(&update.filter) {
        add_columns(&mut uses, schema, expr, &|_| false);
    }
    check(user, schema, &uses)
}

/// Checks a DELETE: what it looks at has to be there for the user, with whatever flags.
///
/// # Errors
/// The refusal.
pub fn check_delete(user: &User, schema: &dyn Schema, delete: &Delete) -> Result<(), OperationError> {
    let right = if fault!("sql-delete-needs-read-only") { Right::Read } else { Right::Delete };
    let Some(wanted) = used(&delete.table, right) else { return Ok(()) };
    let mut uses = vec![wanted];
    delete.filter.iter().for_each(|expr| add_columns(&mut uses, schema, expr, &|_| false));
    check(user, schema, &uses)
}

/// A table that is named with its database; others are no tables, which is found out later.
fn used(table: &TableName, right: Right) -> Option<Use<'_>> {
    Some(Use {
        database: table.database.as_deref()?,
        table: &table.table,
        qualifiers: vec![table.qualifier()],
        right,
        attributes: Vec::new(),
        attribute_right: right,
    })
}

/// Adds the columns in an expression to the tables they are of.
fn add_columns<'s>(
    uses: &mut [Use<'s>],
    schema: &dyn Schema,
    expr: &'s Expr,
    skip: &dyn Fn(&ColumnName) -> bool,
) {
    expr.for_each_column(&mut |column| {
        if skip(column) {
            return;
        }
        let mut found = false;
        let single = uses.len() == 1;
        for used in uses.iter_mut() {
            let meant = match column.qualifiers.as_slice() {
                [] => {
                    single
                        || schema
                            .table(used.database, used.table)
                            .is_some_and(|t| t.has_attribute(&column.name))
                }
                [qualifier] => used.qualifiers.contains(&qualifier.as_str()),
                _ => false,
            };
            if meant {
                found = true;
                used.attributes.push(Cow::Borrowed(column.name.as_str()));
            }
        }
        if let (false, true, Some(first)) = (found, column.qualifiers.is_empty(), uses.first_mut()) {
            first.attributes.push(Cow::Borrowed(column.name.as_str()));
        }
    });
}
