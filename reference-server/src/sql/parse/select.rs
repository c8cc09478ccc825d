//! SELECT.

use super::expr::{expr, identifier};
use super::words::is_no_alias;
use super::{Parsing, Place};
use crate::sql::ast::{Expr, Item, Join, JoinKind, OrderKey, Select, TableName, Top, Unsupported};
use sqlparser::ast as parsed;
use sqlparser::ast::Spanned;

/// Places of clauses that only make sense together with others.
pub(super) struct Marks {
    pub(super) having: Place,
    pub(super) offset: Place,
}

pub(super) fn select(query: parsed::Query, marks: &Marks) -> Parsing<Select> {
    let place = Some(query.span().start);
    if query.with.is_some() || query.fetch.is_some() || !query.locks.is_empty() || query.for_clause.is_some()
    {
        return Err(place);
    }
    let body = match *query.body {
        parsed::SetExpr::Select(select) => *select,
        parsed::SetExpr::SetOperation { .. } => {
            return Ok(Select { unsupported: Some(Unsupported::Form), ..Select::default() });
        }
        _ => return Err(place),
    };
    let mut select = body_of(body, marks)?;
    (select.limit, select.offset) = match query.limit_clause {
        None => (None, None),
        Some(parsed::LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            if limit.is_none() && offset.is_some() && !fault!("sql-offset-alone") {
                return Err(marks.offset);
            }
            (limit.map(count).transpose()?, offset.map(|offset| count(offset.value)).transpose()?)
        }
        Some(_) => return Err(place),
    };
    if let Some(order_by) = query.order_by {
        let parsed::OrderByKind::Expressions(keys) = order_by.kind else { return Err(place) };
        for key in keys {
            if let Some(first) = key.options.nulls_first {
                select.unsupported.get_or_insert(Unsupported::NullsOrder(first));
            }
            let descending = matches!(key.options.sort, Some(parsed::OrderBySort::Desc));
            select.order_by.push(OrderKey { expr: expr(key.expr)?, descending });
        }
    }
    Ok(select)
}

fn body_of(body: parsed::Select, marks: &Marks) -> Parsing<Select> {
    let place = Some(body.span().start);
    if body.into.is_some() || body.qualify.is_some() || !body.lateral_views.is_empty() {
        return Err(place);
    }
    let mut select = Select {
        distinct: match body.distinct {
            None | Some(parsed::Distinct::All) => false,
            Some(parsed::Distinct::Distinct) => true,
            Some(parsed::Distinct::On(_)) => return Err(place),
        },
        top: body.top.map(top).transpose()?,
        items: body.projection.into_iter().map(item).collect::<Parsing<_>>()?,
        filter: body.selection.map(expr).transpose()?,
        having: body.having.map(expr).transpose()?,
        ..Select::default()
    };
    let parsed::GroupByExpr::Expressions(keys, modifiers) = body.group_by else { return Err(place) };
    if !modifiers.is_empty() {
        return Err(place);
    }
    select.group_by = keys.into_iter().map(expr).collect::<Parsing<_>>()?;
    if select.having.is_some() && select.group_by.is_empty() && !fault!("sql-having-alone") {
        return Err(marks.having);
    }
    let mut tables = body.from.into_iter();
    if let Some(first) = tables.next() {
        add_tables(&mut select, first)?;
    }
    if tables.next().is_some() {
        select.unsupported = Some(Unsupported::Form);
    }
    Ok(select)
}

fn top(top: parsed::Top) -> Parsing<Top> {
    let count = match top.quantity {
        Some(parsed::TopQuantity::Constant(count)) if !top.with_ties => count,
        Some(parsed::TopQuantity::Expr(expr)) if !top.with_ties => count(expr)?,
        _ => return Err(None),
    };
    Ok(Top { count, percent: top.percent })
}

/// A whole number that stands by itself.
fn count(value: parsed::Expr) -> Parsing<u64> {
    let place = Some(value.span().start);
    match value {
        parsed::Expr::Value(parsed::ValueWithSpan { value: parsed::Value::Number(text, _), .. }) => {
            let number: f64 = text.parse().map_err(|_| place)?;
            // Numbers beyond any table mean all of it.
            Ok(if number.is_finite() { number as u64 } else { u64::MAX })
        }
        _ => Err(place),
    }
}

fn item(item: parsed::SelectItem) -> Parsing<Item> {
    match item {
        parsed::SelectItem::Wildcard(_) => Ok(Item::Star),
        parsed::SelectItem::QualifiedWildcard(kind, _) => match kind {
            parsed::SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let parts = names(name)?;
                Ok(Item::TableStar(parts.join(".")))
            }
            parsed::SelectItemQualifiedWildcardKind::Expr(expr) => Err(Some(expr.span().start)),
        },
        parsed::SelectItem::UnnamedExpr(parsed::Expr::Wildcard(_)) => Ok(Item::Star),
        parsed::SelectItem::UnnamedExpr(value) => {
            Ok(Item::Expr { expr: selected(value)?, alias: None, text_alias: false })
        }
        parsed::SelectItem::ExprWithAlias { expr: value, alias } => {
            let text_alias = matches!(alias.quote_style, Some('\'' | '"'));
            let alias = alias_of(alias)?;
            Ok(Item::Expr { expr: selected(value)?, alias: Some(alias), text_alias })
        }
        parsed::SelectItem::ExprWithAliases { expr, .. } => Err(Some(expr.span().start)),
    }
}

/// A selected expression; parentheses around a single column say nothing.
fn selected(value: parsed::Expr) -> Parsing<Expr> {
    Ok(match expr(value)? {
        Expr::Paren(inner) if matches!(*inner, Expr::Column(_)) => *inner,
        other => other,
    })
}

fn alias_of(alias: parsed::Ident) -> Parsing<String> {
    if alias.quote_style.is_none() && is_no_alias(&alias.value) {
        return Err(Some(alias.span.start));
    }
    Ok(alias.value)
}

fn add_tables(select: &mut Select, tables: parsed::TableWithJoins) -> Parsing<()> {
    select.from = table_factor(tables.relation, &mut select.unsupported)?;
    for join in tables.joins {
        let place = Some(join.relation.span().start);
        let table = table_factor(join.relation, &mut select.unsupported)?;
        let (kind, constraint) = match join.join_operator {
            parsed::JoinOperator::Join(on) | parsed::JoinOperator::Inner(on) => (JoinKind::Inner, on),
            parsed::JoinOperator::CrossJoin(on) => (JoinKind::Inner, on),
            parsed::JoinOperator::Left(on) | parsed::JoinOperator::LeftOuter(on) => (JoinKind::Left, on),
            parsed::JoinOperator::Right(on) | parsed::JoinOperator::RightOuter(on) => (JoinKind::Right, on),
            parsed::JoinOperator::FullOuter(on) => (JoinKind::Full, on),
            _ => return Err(place),
        };
        let on = match constraint {
            parsed::JoinConstraint::On(condition) => Some(expr(condition)?),
            parsed::JoinConstraint::None => None,
            parsed::JoinConstraint::Using(_) | parsed::JoinConstraint::Natural => {
                select.unsupported = Some(Unsupported::Form);
                None
            }
        };
        if let Some(table) = table {
            select.joins.push(Join { kind, table, on });
        }
    }
    Ok(())
}

fn table_factor(
    factor: parsed::TableFactor,
    unsupported: &mut Option<Unsupported>,
) -> Parsing<Option<TableName>> {
    let place = Some(factor.span().start);
    match factor {
        parsed::TableFactor::Table { name, alias, args: None, .. } => {
            let mut table = table_name(name)?;
            table.alias = match alias {
                Some(alias) if !alias.columns.is_empty() => return Err(place),
                Some(alias) if matches!(alias.name.quote_style, Some('\'' | '"')) => {
                    return Err(Some(alias.name.span.start));
                }
                Some(alias) => Some(alias_of(alias.name)?),
                None => None,
            };
            Ok(Some(table))
        }
        parsed::TableFactor::Derived { .. } => {
            *unsupported = Some(Unsupported::DerivedTable);
            Ok(None)
        }
        _ => Err(place),
    }
}

/// A table's name, with or without its database.
pub(super) fn table_name(name: parsed::ObjectName) -> Parsing<TableName> {
    let place = Some(name.span().start);
    let hidden = matches!(name.0.first(), Some(parsed::ObjectNamePart::Identifier(first))
        if first.quote_style.is_none() && first.value.eq_ignore_ascii_case("information_schema"));
    let mut parts = names(name)?.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(table), None, None) => Ok(TableName { database: None, table, alias: None }),
        (Some(database), Some(table), None) if !hidden => {
            Ok(TableName { database: Some(database), table, alias: None })
        }
        _ => Err(place),
    }
}

/// The parts of a name between dots.
pub(super) fn names(name: parsed::ObjectName) -> Parsing<Vec<String>> {
    let place = Some(name.span().start);
    name.0
        .into_iter()
        .map(|part| match part {
            parsed::ObjectNamePart::Identifier(part) => identifier(part),
            parsed::ObjectNamePart::Function(_) => Err(place),
        })
        .collect()
}
