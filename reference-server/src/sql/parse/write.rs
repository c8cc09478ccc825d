//! INSERT, UPDATE and DELETE.

use super::expr::expr;
use super::select::{names, table_name};
use super::{Parsing, Place};
use crate::sql::ast::{Delete, Insert, TableName, Update};
use sqlparser::ast as parsed;
use sqlparser::ast::Spanned;

pub(super) fn insert(insert: parsed::Insert) -> Parsing<Insert> {
    let place = Some(insert.insert_token.0.span.start);
    if insert.replace_into
        || insert.overwrite
        || insert.or.is_some()
        || insert.on.is_some()
        || insert.returning.is_some()
        || insert.table_alias.is_some()
        || insert.has_table_keyword
        || !insert.assignments.is_empty()
        || !insert.after_columns.is_empty()
    {
        return Err(place);
    }
    let parsed::TableObject::TableName(name) = insert.table else { return Err(place) };
    let table = table_name(name)?;
    let columns: Vec<String> = insert
        .columns
        .into_iter()
        .map(|column| {
            let place = Some(column.span().start);
            let mut parts = names(column)?;
            if parts.len() == 1 { parts.pop().ok_or(place) } else { Err(place) }
        })
        .collect::<Parsing<_>>()?;
    let columns = Some(columns).filter(|columns| !columns.is_empty());
    let query = insert.source.ok_or(None)?;
    if query.with.is_some() || query.order_by.is_some() && matches!(*query.body, parsed::SetExpr::Values(_)) {
        return Err(Some(query.span().start));
    }
    match *query.body {
        parsed::SetExpr::Values(values) => {
            if query.limit_clause.is_some() || values.explicit_row {
                return Err(place);
            }
            let row = |row: parsed::Parens<Vec<parsed::Expr>>| {
                row.content.into_iter().map(expr).collect::<Parsing<Vec<_>>>()
            };
            let rows = values.rows.into_iter().map(row).collect::<Parsing<_>>()?;
            Ok(Insert { table, columns, rows: Some(rows) })
        }
        parsed::SetExpr::Select(_) | parsed::SetExpr::SetOperation { .. } => {
            Ok(Insert { table, columns, rows: None })
        }
        _ => Err(place),
    }
}

pub(super) fn update(update: parsed::Update, limit: Place) -> Parsing<Update> {
    let place = Some(update.update_token.0.span.start);
    if update.from.is_some()
        || update.returning.is_some()
        || update.or.is_some()
        || !update.order_by.is_empty()
    {
        return Err(place);
    }
    if update.limit.is_some() {
        return Err(limit);
    }
    let table = one_table(update.table)?;
    let mut set = Vec::with_capacity(update.assignments.len());
    for assignment in update.assignments {
        let place = Some(assignment.target.span().start);
        let parsed::AssignmentTarget::ColumnName(name) = assignment.target else { return Err(place) };
        let mut parts = names(name)?;
        let column = if parts.len() == 1 { parts.pop() } else { None };
        set.push((column.ok_or(place)?, expr(assignment.value)?));
    }
    Ok(Update { table, set, filter: update.selection.map(expr).transpose()? })
}

pub(super) fn delete(delete: parsed::Delete, limit: Place) -> Parsing<Delete> {
    let place = Some(delete.delete_token.0.span.start);
    let parsed::FromTable::WithFromKeyword(mut tables) = delete.from else { return Err(place) };
    if !delete.tables.is_empty() || delete.using.is_some() || delete.returning.is_some() {
        return Err(place);
    }
    if delete.limit.is_some() {
        return Err(limit);
    }
    if !delete.order_by.is_empty() || tables.len() != 1 {
        return Err(place);
    }
    let table = one_table(tables.pop().ok_or(place)?)?;
    Ok(Delete { table, filter: delete.selection.map(expr).transpose()? })
}

/// A table without alias and without joins.
fn one_table(tables: parsed::TableWithJoins) -> Parsing<TableName> {
    let place = Some(tables.span().start);
    match tables.relation {
        parsed::TableFactor::Table { name, alias: None, args: None, .. } if tables.joins.is_empty() => {
            table_name(name)
        }
        parsed::TableFactor::Table { alias: Some(alias), .. } => Err(Some(alias.name.span.start)),
        _ => Err(place),
    }
}
