//! Expressions made ready to run: columns are places in records, functions are found, patterns are compiled.

use super::ast::{Operator, Sign, TypeName};
use super::functions::{Function, FunctionError};
use super::scope::ColumnRef;
use super::value::patterns::Pattern;
use super::value::{Js, operators};
use crate::store::{KeyRange, Kind, PRIMARY_KEY, RawValue, Record};
use crate::value::Value;
use std::cell::Cell;
use std::collections::HashSet;

/// What an expression is evaluated over.
#[derive(Clone, Copy)]
pub struct Row<'r, 't> {
    /// The record of each table; `None` for the missing side of an outer join.
    pub records: &'r [Option<Record<'t>>],
    /// The results of functions of many rows.
    pub aggregates: &'r [Js],
}

/// A column, with the place in records where its attribute was found last.
#[derive(Clone, Debug)]
pub struct Column {
    /// Which column.
    pub column: ColumnRef,
    place: Cell<usize>,
}

impl Column {
    /// A column.
    pub fn new(column: ColumnRef) -> Column {
        Column { column, place: Cell::new(0) }
    }

    /// The stored value; `None` when the record lacks it or is missing itself.
    pub fn raw<'t>(&self, row: &Row<'_, 't>) -> Option<RawValue<'t>> {
        let record = row.records.get(self.column.source)?.as_ref()?;
        let mut place = self.place.get();
        let raw = record.attribute_from(&mut place, self.column.id)?;
        self.place.set(place.saturating_sub(1));
        Some(raw)
    }

    /// The value; null when the record lacks it, absent when the record is missing itself, as in outer joins.
    pub fn value(&self, row: &Row<'_, '_>) -> Js {
        let has_record = || row.records.get(self.column.source).is_some_and(Option::is_some);
        match self.raw(row) {
            Some(raw) => js_of(raw),
            None if has_record() => Js::Null,
            None => Js::Undefined,
        }
    }
}

/// A stored value; numbers, the commonest in arithmetic, without a detour.
pub fn js_of(raw: RawValue<'_>) -> Js {
    match (raw.kind(), small_integer(raw.json())) {
        (Kind::Json, Some(number)) => Js::Number(number),
        _ => Js::from(raw),
    }
}

/// The number that a short run of digits is.
fn small_integer(json: &[u8]) -> Option<f64> {
    if json.is_empty() || json.len() > 15 {
        return None;
    }
    let mut number: u64 = 0;
    for byte in json {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number as f64)
}

/// A condition that a range of keys narrows: it must hold, and a value of another kind than the literal's must lie in
/// one of the ranges.
#[derive(Clone, Debug)]
pub struct Ranged {
    /// The condition.
    pub condition: Box<Node>,
    /// The column it is on.
    pub column: Column,
    /// Where the values that satisfy it lie.
    pub ranges: Vec<KeyRange>,
    /// True when the literal is a number, false when it is a text.
    pub numeric: bool,
}

impl Ranged {
    fn holds(&self, row: &Row<'_, '_>) -> Result<bool, FunctionError> {
        if !self.condition.holds(row)? {
            return Ok(false);
        }
        let Some(raw) = self.column.raw(row) else { return Ok(false) };
        let same_kind = match raw.json().first() {
            Some(b'"') => !self.numeric,
            Some(b'0'..=b'9' | b'-') => self.numeric,
            _ => false,
        };
        if same_kind && raw.kind() == Kind::Json {
            return Ok(true);
        }
        let value = raw.decode();
        let is_key = self.column.column.id == PRIMARY_KEY;
        Ok(self
            .ranges
            .iter()
            .any(|range| if is_key { range.contains_key(&value) } else { range.contains(&value) }))
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// A value that is always the same.
    Constant(Js),
    /// A column.
    Column(Column),
    /// `column = literal`, decided on the stored text.
    Same(Column, Value, Box<[u8]>),
    /// `column [NOT] IN (literals)`, decided on the stored text.
    OneOf {
        /// The column.
        column: Column,
        /// The literals.
        values: Vec<Value>,
        /// Their stored texts.
        texts: HashSet<Box<[u8]>>,
        /// NOT.
        negated: bool,
    },
    /// A condition on a range of keys.
    Ranged(Ranged),
    /// A step into a nested value.
    Path(Box<Node>, Vec<Js>),
    /// An object literal.
    Object(Vec<(String, Node)>),
    /// An array literal.
    Array(Vec<Node>),
    /// An operator with one operand.
    Sign(Sign, Box<Node>),
    /// Operators from left to right.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    /// AND.
    All(Vec<Node>),
    /// OR.
    Any(Vec<Node>),
    /// NOT.
    Not(Box<Node>),
    /// IS \[NOT\] NULL.
    IsNull(Box<Node>, bool),
    /// IS \[NOT\] TRUE or FALSE.
    Is(Box<Node>, bool, bool),
    /// BETWEEN: value, bounds, NOT.
    Between(Box<[Node; 3]>, bool),
    /// IN over anything: value, list, NOT.
    In(Box<Node>, Vec<Node>, bool),
    /// A pattern known beforehand, NOT.
    Match(Box<Node>, Pattern, bool),
    /// A pattern made for each row, the character of its ESCAPE, NOT.
    MatchComputed(super::ast::Match, Option<char>, Box<[Node; 2]>, bool),
    /// A comparison with ANY or ALL (true) of a list.
    Quantified(Box<Node>, Operator, bool, Vec<Node>),
    /// CASE.
    Case(Option<Box<Node>>, Vec<(Node, Node)>, Option<Box<Node>>),
    /// CAST and CONVERT.
    Cast(Box<Node>, TypeName, Option<Box<Node>>),
    /// A function of one row.
    Call(&'static Function, Vec<Node>),
    /// A call that the earlier engine makes with texts or zeros in place of nulls.
    CallOverNulls(&'static Function, Vec<Node>, Js),
    /// The result of a function of many rows.
    Aggregate(usize),
    /// What fails when it runs.
    Failing(&'static str),
}

impl Node {
    /// Whether a condition holds, as JavaScript sees its value.
    ///
    /// # Errors
    /// Those of functions.
    pub fn holds(&self, row: &Row<'_, '_>) -> Result<bool, FunctionError> {
        match self {
            Node::Same(column, _, text) => Ok(column.raw(row).is_some_and(|raw| is_text(raw, text))),
            Node::Ranged(ranged) => ranged.holds(row),
            Node::All(members) => {
                for member in members {
                    if !member.holds(row)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Node::Any(members) => {
                for member in members {
                    if member.holds(row)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Node::Column(column) => Ok(column.value(row).truth()),
            other => Ok(other.value(row)?.truth()),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// Those of functions.
    pub fn value(&self, row: &Row<'_, '_>) -> Result<Js, FunctionError> {
        Ok(match self {
            Node::Constant(value) => value.clone(),
            Node::Column(column) => column.value(row),
            Node::Same(column, _, text) => match known(column, row) {
                Some(raw) => Js::Bool(is_text(raw, text)),
                None => Js::Undefined,
            },
            Node::OneOf { column, texts, negated, .. } => match known(column, row) {
                Some(raw) => Js::Bool((raw.kind() == Kind::Json && texts.contains(raw.json())) != *negated),
                None => Js::Undefined,
            },
            Node::Ranged(ranged) => Js::Bool(ranged.holds(row)?),
            Node::Path(root, steps) => {
                let mut value = root.value(row)?;
                let most = if fault!("sql-paths-first-step-only") { 1 } else { usize::MAX };
                for step in steps.iter().take(most) {
                    value = operators::member(&value, step);
                }
                value
            }
            Node::Object(members) => {
                let mut object = crate::value::Object::with_capacity(members.len());
                for (name, member) in members {
                    if let Some(value) = member.value(row)?.to_value() {
                        object.insert(name.clone(), value);
                    } else {
                        object.insert(name.clone(), Value::Null);
                    }
                }
                crate::value::order_members(&mut object);
                Js::from(Value::Object(object))
            }
            Node::Array(items) => {
                let values = items.iter().map(|item| Ok(item.value(row)?.to_value().unwrap_or_default()));
                Js::from(Value::Array(values.collect::<Result<_, FunctionError>>()?))
            }
            Node::Sign(sign, operand) => {
                let value = operand.value(row)?;
                match sign {
                    _ if value.is_nullish() => Js::Undefined,
                    Sign::Minus => operators::negate(&value),
                    Sign::Plus => Js::Number(value.to_number()),
                    Sign::Invert => operators::complement(&value),
                }
            }
            Node::Chain(first, rest) => {
                let mut value = first.value(row)?;
                for (operator, operand) in rest {
                    value = operators::apply(*operator, &value, &operand.value(row)?);
                }
                value
            }
            Node::All(members) => connective(members, row, false)?,
            Node::Any(members) => connective(members, row, true)?,
            Node::Not(operand) => match operand.value(row)? {
                // The opposite of unknown is unknown; a null by itself is merely not true.
                Js::Undefined if !matches!(**operand, Node::Path(..) | Node::Column(_)) => Js::Undefined,
                value => Js::Bool(!value.truth()),
            },
            Node::IsNull(operand, negated) => Js::Bool(
                (operand.value(row)?.is_nullish() || fault!("sql-is-null-misses-absent")) != *negated,
            ),
            Node::Is(operand, wanted, negated) => {
                Js::Bool(operators::is(&operand.value(row)?, &Js::Bool(*wanted)) != *negated)
            }
            Node::Between(operands, negated) => {
                let [value, low, high] = &**operands;
                opposite(
                    operators::between(&value.value(row)?, &low.value(row)?, &high.value(row)?),
                    *negated,
                )
            }
            Node::In(operand, list, negated) => {
                let value = operand.value(row)?;
                if value.is_nullish() {
                    return Ok(Js::Undefined);
                }
                let mut found = false;
                for member in list {
                    found = found || member.value(row)?.strictly_equals(&value);
                }
                Js::Bool(found != *negated)
            }
            Node::Match(operand, pattern, negated) => {
                let value = operand.value(row)?;
                if value.is_nullish() { Js::Undefined } else { Js::Bool(pattern.matches(&value) != *negated) }
            }
            Node::MatchComputed(kind, escape, operands, negated) => {
                let [value, pattern] = &**operands;
                let (value, pattern) = (value.value(row)?, pattern.value(row)?);
                if value.is_nullish() || pattern.is_nullish() {
                    return Ok(Js::Undefined);
                }
                let pattern = super::compile::pattern(*kind, &pattern.to_text(), *escape)
                    .map_err(|error| FunctionError::new(error.to_string()))?;
                Js::Bool(pattern.matches(&value) != *negated)
            }
            Node::Quantified(operand, operator, all, list) => {
                let value = operand.value(row)?;
                if value.is_nullish() {
                    return Ok(Js::Undefined);
                }
                let mut holding = 0;
                for member in list {
                    holding += usize::from(operators::apply(*operator, &value, &member.value(row)?).truth());
                }
                Js::Bool(if *all && !fault!("sql-all-acts-as-any") {
                    holding == list.len()
                } else {
                    holding > 0
                })
            }
            Node::Case(operand, branches, otherwise) => {
                let operand = operand.as_ref().map(|operand| operand.value(row)).transpose()?;
                let most = if fault!("sql-case-first-branch-only") { 1 } else { usize::MAX };
                for (when, then) in branches.iter().take(most) {
                    let holds = match &operand {
                        Some(operand) => operand.strictly_equals(&when.value(row)?),
                        None => when.holds(row)?,
                    };
                    if holds {
                        return then.value(row);
                    }
                }
                otherwise.as_ref().map_or(Ok(Js::Null), |otherwise| otherwise.value(row))?
            }
            Node::Cast(operand, to, style) => {
                let style = style.as_ref().map(|style| style.value(row)).transpose()?;
                super::compile::cast(&operand.value(row)?, to, style.as_ref())?
            }
            Node::Call(function, arguments) => {
                let values =
                    arguments.iter().map(|argument| argument.value(row)).collect::<Result<Vec<_>, _>>()?;
                function.apply(&values)?
            }
            Node::CallOverNulls(function, arguments, instead) => {
                // What an aggregate makes of no values is absent to a function, not null.
                let value = |argument: &Node| match argument.value(row)? {
                    Js::Null if matches!(argument, Node::Aggregate(_)) => Ok(Js::Undefined),
                    Js::Null => Ok(instead.clone()),
                    value => Ok(value),
                };
                let values = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
                function.apply(&values)?
            }
            Node::Aggregate(slot) => row.aggregates.get(*slot).cloned().unwrap_or_default(),
            Node::Failing(reason) => return Err(FunctionError::new(*reason)),
        })
    }
}

/// AND and OR as JavaScript gives their values, with unknown between true and false.
fn connective(members: &[Node], row: &Row<'_, '_>, decisive: bool) -> Result<Js, FunctionError> {
    let mut unknown = false;
    let mut last = Js::Undefined;
    for member in members {
        let value = member.value(row)?;
        if value.is_nullish() && !matches!(member, Node::Column(_)) {
            unknown = true;
        } else if value.truth() == decisive {
            return Ok(value);
        }
        last = value;
    }
    Ok(if unknown { Js::Undefined } else { last })
}

fn opposite(value: Js, negated: bool) -> Js {
    match value {
        Js::Bool(flag) => Js::Bool(flag != negated),
        other => other,
    }
}

/// A column's stored value unless it is null.
fn known<'t>(column: &Column, row: &Row<'_, 't>) -> Option<RawValue<'t>> {
    column.raw(row).filter(|raw| raw.json() != b"null")
}

fn is_text(raw: RawValue<'_>, text: &[u8]) -> bool {
    raw.json() == text && raw.kind() == Kind::Json
}
