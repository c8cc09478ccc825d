//! From expressions to nodes: names are looked up, constant patterns compiled, and conditions that indexes can serve
//! recognised.

use super::Engine;
use super::ast::{Aggregate, ColumnName, Expr, Is, Match, Operator, Step, TypeName};
use super::errors;
use super::functions::{self, FunctionError};
use super::node::{Column, Node, Ranged};
use super::scope::{Meaning, Scope};
use super::value::Js;
use super::value::patterns::{Pattern, PatternError};
use crate::error::OperationError;
use crate::store::KeyRange;
use crate::value::Value;
use std::collections::HashMap;
use std::ops::Bound::{Excluded, Included, Unbounded};

/// Letters of a prefix that are looked up in both cases.
const MOST_LETTERS: usize = 4;

/// Makes nodes.
pub struct Compiler<'s> {
    scope: &'s Scope,
    engine: Engine,
    /// Functions of many rows met so far; nodes know them by their place.
    pub aggregates: Vec<Aggregate>,
    /// Where functions of many rows may stand.
    pub allow_aggregates: bool,
    /// What names stand for that no table has.
    pub aliases: HashMap<String, Expr>,
}

impl<'s> Compiler<'s> {
    /// A compiler for a statement's expressions.
    pub fn new(scope: &'s Scope, engine: Engine) -> Compiler<'s> {
        Compiler { scope, engine, aggregates: Vec::new(), allow_aggregates: false, aliases: HashMap::new() }
    }

    /// A WHERE as the conditions that must hold together.
    ///
    /// # Errors
    /// As [`Compiler::node`].
    pub fn conditions(&mut self, filter: &Expr) -> Result<Vec<Node>, OperationError> {
        // Beside an OR the earlier engine reads whole tables, and no condition is narrowed by the order of keys.
        let narrow = !filter.any(&mut |expr| matches!(expr, Expr::Any(_)));
        let mut members = Vec::new();
        flatten(filter, &mut members);
        members
            .into_iter()
            .map(|member| {
                let node = self.node(member)?;
                Ok(if narrow { self.ranged(member, node) } else { node })
            })
            .collect()
    }

    /// The node of an expression.
    ///
    /// # Errors
    /// Names that stand for nothing or for several columns, unknown functions, patterns that are malformed.
    pub fn node(&mut self, expr: &Expr) -> Result<Node, OperationError> {
        Ok(match expr {
            Expr::Number(number) => Node::Constant(Js::Number(*number)),
            Expr::Text(text) => Node::Constant(Js::text(text)),
            Expr::Bool(flag) => Node::Constant(Js::Bool(*flag)),
            Expr::Null => Node::Constant(Js::Undefined),
            Expr::Column(column) => self.column(column)?,
            Expr::Path(root, steps) => {
                let step = |step: &Step| match step {
                    Step::Member(name) => Js::text(name),
                    Step::Element(index) => Js::Number(f64::from(*index)),
                };
                Node::Path(Box::new(self.node(root)?), steps.iter().map(step).collect())
            }
            Expr::Object(members) => Node::Object(
                members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), self.node(member)?)))
                    .collect::<Result<_, OperationError>>()?,
            ),
            Expr::Array(items) => Node::Array(self.nodes(items)?),
            Expr::Paren(inner) => return self.node(inner),
            Expr::Unary(sign, operand) => Node::Sign(*sign, Box::new(self.node(operand)?)),
            Expr::Chain(first, rest) => self.chain(first, rest)?,
            Expr::All(members) => Node::All(self.nodes(members)?),
            Expr::Any(members) if fault!("sql-or-needs-all") => Node::All(self.nodes(members)?),
            Expr::Any(members) => Node::Any(self.nodes(members)?),
            Expr::Not(operand) => Node::Not(Box::new(self.node(operand)?)),
            Expr::Is { expr, what: Is::Null, negated } => Node::IsNull(Box::new(self.node(expr)?), *negated),
            Expr::Is { expr, what, negated } => {
                Node::Is(Box::new(self.node(expr)?), *what == Is::True, *negated)
            }
            Expr::Between { expr, low, high, negated } => {
                Node::Between(Box::new([self.node(expr)?, self.node(low)?, self.node(high)?]), *negated)
            }
            Expr::In { expr, list, negated } => self.membership(expr, list, *negated)?,
            Expr::Match { kind, expr, pattern: text, escape, negated } => {
                let escape = escape.as_deref().and_then(one_character);
                let operand = self.node(expr)?;
                match self.node(text)? {
                    Node::Constant(Js::Undefined) => Node::Constant(Js::Undefined),
                    Node::Constant(text) => {
                        let pattern =
                            pattern(*kind, &text.to_text(), escape).map_err(errors::search_failed)?;
                        Node::Match(Box::new(operand), pattern, *negated)
                    }
                    text => Node::MatchComputed(*kind, escape, Box::new([operand, text]), *negated),
                }
            }
            Expr::Quantified { expr, operator, all, list } => {
                Node::Quantified(Box::new(self.node(expr)?), *operator, *all, self.nodes(list)?)
            }
            Expr::Case { operand, branches, otherwise } => Node::Case(
                self.boxed(operand.as_deref())?,
                branches
                    .iter()
                    .map(|(when, then)| Ok((self.node(when)?, self.node(then)?)))
                    .collect::<Result<_, OperationError>>()?,
                self.boxed(otherwise.as_deref())?,
            ),
            Expr::Cast { expr, to, style, .. } => {
                Node::Cast(Box::new(self.node(expr)?), to.clone(), self.boxed(style.as_deref())?)
            }
            Expr::Function { name, arguments, .. } => self.call(name, arguments)?,
            Expr::Aggregate(aggregate) => self.aggregate(aggregate)?,
            Expr::Subquery => Node::Failing("sub-selects are not supported"),
        })
    }

    fn nodes(&mut self, exprs: &[Expr]) -> Result<Vec<Node>, OperationError> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    fn boxed(&mut self, expr: Option<&Expr>) -> Result<Option<Box<Node>>, OperationError> {
        expr.map(|expr| self.node(expr).map(Box::new)).transpose()
    }

    fn column(&mut self, column: &ColumnName) -> Result<Node, OperationError> {
        if column.qualifiers.is_empty()
            && matches!(self.scope.meaning(column), Meaning::Unknown)
            && let Some(meant) = self.aliases.remove(&column.name)
        {
            // Taken away meanwhile, so that an alias cannot stand for itself.
            let node = self.node(&meant);
            self.aliases.insert(column.name.clone(), meant);
            return node;
        }
        self.scope.resolve(column).map(|column| Node::Column(Column::new(column)))
    }

    fn chain(&mut self, first: &Expr, rest: &[(Operator, Expr)]) -> Result<Node, OperationError> {
        let left = self.node(first)?;
        if let [(operator, right)] = rest {
            let right = match (operator, self.node(right)?) {
                (Operator::Equal, Node::Constant(value)) => Node::Constant(truth_text(value, false)),
                (_, right) => right,
            };
            return Ok(match (operator, left, right) {
                (Operator::Equal, Node::Column(column), Node::Constant(value))
                | (Operator::Equal, Node::Constant(value), Node::Column(column)) => same(column, value),
                (operator, left, right) => Node::Chain(Box::new(left), vec![(*operator, right)]),
            });
        }
        let rest = rest.iter().map(|(operator, operand)| Ok((*operator, self.node(operand)?)));
        Ok(Node::Chain(Box::new(left), rest.collect::<Result<_, OperationError>>()?))
    }

    fn membership(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> Result<Node, OperationError> {
        let operand = self.node(expr)?;
        let mut members = Vec::with_capacity(list.len());
        for member in self.nodes(list)? {
            match member {
                // A NULL in the list is no member.
                Node::Constant(Js::Undefined) => {}
                Node::Constant(Js::Text(text)) => {
                    let converted = truth_text(Js::Text(text.clone()), true);
                    match (numeric(&text).filter(|_| !fault!("sql-in-keeps-texts")), converted) {
                        (Some(number), _) => {
                            members.push(Node::Constant(Js::Number(number)));
                            if self.engine == Engine::Documented {
                                members.push(Node::Constant(Js::Text(text)));
                            }
                        }
                        (None, value) => members.push(Node::Constant(value)),
                    }
                }
                member => members.push(member),
            }
        }
        let constants: Option<Vec<Value>> = members
            .iter()
            .map(|member| match member {
                Node::Constant(value @ (Js::Number(_) | Js::Text(_) | Js::Bool(_))) => value.to_value(),
                _ => None,
            })
            .collect();
        Ok(match (operand, constants) {
            (Node::Column(column), Some(values)) => {
                let texts = values.iter().map(|value| value.to_json().into_bytes().into()).collect();
                Node::OneOf { column, values, texts, negated }
            }
            (operand, _) => Node::In(Box::new(operand), members, negated),
        })
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<Node, OperationError> {
        let Some(function) = functions::find(name) else {
            return Ok(Node::Failing("an unknown function"));
        };
        let nodes = self.nodes(arguments)?;
        let over_nulls = match self.engine {
            Engine::Legacy => value_of_null(function.name),
            Engine::Documented => None,
        };
        Ok(match over_nulls {
            Some(instead) => Node::CallOverNulls(function, nodes, instead),
            None => Node::Call(function, nodes),
        })
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Node, OperationError> {
        let nested = aggregate.argument.as_ref().is_some_and(|argument| argument.has_aggregate());
        if !self.allow_aggregates || nested {
            return Err(errors::search_failed("a function of many rows where there is one"));
        }
        let known = self.aggregates.iter().position(|known| known == aggregate);
        Ok(Node::Aggregate(known.unwrap_or_else(|| {
            self.aggregates.push(aggregate.clone());
            self.aggregates.len() - 1
        })))
    }

    /// The condition with the ranges that its values lie in, when there are such.
    fn ranged(&self, expr: &Expr, node: Node) -> Node {
        let Some((column, ranges, numeric)) = self.ranges_of(expr) else { return node };
        Node::Ranged(Ranged { condition: Box::new(node), column, ranges, numeric })
    }

    fn ranges_of(&self, expr: &Expr) -> Option<(Column, Vec<KeyRange>, bool)> {
        let column = |expr: &Expr| match expr {
            Expr::Column(column) => match self.scope.meaning(column) {
                Meaning::Column(column) => Some(Column::new(column)),
                _ => None,
            },
            _ => None,
        };
        match expr {
            Expr::Paren(inner) => self.ranges_of(inner),
            Expr::Chain(first, rest) => {
                let [(operator, right)] = rest.as_slice() else { return None };
                let (column, operator, literal) = match (column(first), literal(right)) {
                    (Some(column), Some(literal)) => (column, *operator, literal),
                    _ => (column(right)?, mirrored(*operator)?, literal(first)?),
                };
                let numeric = matches!(literal, Value::Number(_));
                let above_false = &Value::Bool(true);
                let range = match operator {
                    Operator::Less => KeyRange::new(Included(above_false), Excluded(&literal)),
                    Operator::LessEqual if fault!("sql-range-end-lost") => {
                        KeyRange::new(Included(above_false), Excluded(&literal))
                    }
                    Operator::LessEqual => KeyRange::new(Included(above_false), Included(&literal)),
                    Operator::Greater => KeyRange::new(Excluded(&literal), Unbounded),
                    Operator::GreaterEqual if fault!("sql-range-start-lost") => {
                        KeyRange::new(Excluded(&literal), Unbounded)
                    }
                    Operator::GreaterEqual => KeyRange::new(Included(&literal), Unbounded),
                    _ => return None,
                };
                Some((column, vec![range], numeric))
            }
            Expr::Between { expr, low, high, negated: false } => {
                let (column, low, high) = (column(expr)?, literal(low)?, literal(high)?);
                match (&low, &high) {
                    (Value::Number(_), Value::Number(_)) => {
                        let numbers = KeyRange::new(Included(&low), Included(&high));
                        Some((column, vec![booleans(), numbers, texts()], true))
                    }
                    (Value::String(a), Value::String(b))
                        if self::numeric(a).is_none() && self::numeric(b).is_none() =>
                    {
                        Some((column, vec![KeyRange::new(Included(&low), Included(&high))], false))
                    }
                    _ => None,
                }
            }
            Expr::Match { kind: Match::Like, expr, pattern, escape: None, negated: false } => {
                let Expr::Text(pattern) = &**pattern else { return None };
                let mut ranges = vec![booleans(), numbers()];
                ranges.extend(prefixes(pattern)?.iter().map(|prefix| KeyRange::starting_with(prefix)));
                Some((column(expr)?, ranges, false))
            }
            _ => None,
        }
    }
}

/// The members of a condition that must all hold.
fn flatten<'e>(expr: &'e Expr, members: &mut Vec<&'e Expr>) {
    match expr {
        Expr::All(inner) => inner.iter().for_each(|member| flatten(member, members)),
        Expr::Paren(inner) if matches!(**inner, Expr::All(_) | Expr::Paren(_)) => flatten(inner, members),
        other => members.push(other),
    }
}

/// A literal that indexes order as expressions do.
fn literal(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Number(number) => Some(Value::Number(*number)),
        Expr::Unary(super::ast::Sign::Minus, inner) => match **inner {
            Expr::Number(number) => Some(Value::Number(-number)),
            _ => None,
        },
        // Beyond these characters the order of code units is not the order of bytes.
        Expr::Text(text) if text.chars().all(|c| c <= '\u{d7ff}') => Some(Value::String(text.clone())),
        _ => None,
    }
}

/// The comparison with its sides exchanged.
fn mirrored(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Less => Operator::Greater,
        Operator::LessEqual => Operator::GreaterEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterEqual => Operator::LessEqual,
        _ => return None,
    })
}

fn booleans() -> KeyRange {
    KeyRange::new(Included(&Value::Bool(false)), Included(&Value::Bool(true)))
}

fn numbers() -> KeyRange {
    KeyRange::new(Included(&Value::Number(f64::NEG_INFINITY)), Excluded(&Value::String(String::new())))
}

fn texts() -> KeyRange {
    KeyRange::new(Included(&Value::String(String::new())), Unbounded)
}

/// The beginnings, in all spellings, of the texts that a LIKE pattern matches.
fn prefixes(pattern: &str) -> Option<Vec<String>> {
    let plain = pattern.chars().take_while(|c| c.is_ascii() && !"%_[]^$-\\".contains(*c));
    let mut prefixes = vec![String::new()];
    let mut letters = 0;
    for c in plain {
        let spellings = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
        let count = if spellings[0] == spellings[1] { 1 } else { 2 };
        letters += count - 1;
        if letters > MOST_LETTERS {
            break;
        }
        prefixes = prefixes
            .iter()
            .flat_map(|prefix| spellings[..count].iter().map(move |spelling| format!("{prefix}{spelling}")))
            .collect();
    }
    (!prefixes[0].is_empty()).then_some(prefixes)
}

/// `column = literal`; other constants than scalars are compared as values.
fn same(column: Column, value: Js) -> Node {
    match value {
        value if fault!("sql-equal-converts") => Node::Not(Box::new(Node::Chain(
            Box::new(Node::Column(column)),
            vec![(Operator::NotEqual, Node::Constant(value))],
        ))),
        Js::Number(_) | Js::Text(_) | Js::Bool(_) => {
            let value = value.to_value().unwrap_or_default();
            let text = value.to_json().into_bytes().into();
            Node::Same(column, value, text)
        }
        value => Node::Chain(Box::new(Node::Column(column)), vec![(Operator::Equal, Node::Constant(value))]),
    }
}

/// The boolean that a text stands for on the right of `=` and in lists, where capitals will do too.
fn truth_text(value: Js, capitals: bool) -> Js {
    match value.as_text() {
        Some("true") => Js::Bool(true),
        Some("false") => Js::Bool(false),
        Some("TRUE") if capitals => Js::Bool(true),
        Some("FALSE") if capitals => Js::Bool(false),
        _ => value,
    }
}

/// The number that a text in a list stands for.
fn numeric(text: &str) -> Option<f64> {
    let number = super::value::number_of_text(text);
    (number.is_finite() && !text.trim().is_empty()).then_some(number)
}

/// A pattern of any kind.
///
/// # Errors
/// When it is malformed.
pub fn pattern(kind: Match, text: &str, escape: Option<char>) -> Result<Pattern, PatternError> {
    match kind {
        Match::Like => Pattern::like(text, escape),
        Match::Regexp => Pattern::regexp(text, if fault!("sql-regexp-ignores-case") { "i" } else { "" }),
        Match::Glob => Pattern::glob(text),
    }
}

/// The character that an ESCAPE names; longer texts name none.
fn one_character(escape: &Expr) -> Option<char> {
    let Expr::Text(text) = escape else { return None };
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// What the earlier engine calls a function with in place of a stored null.
fn value_of_null(function: &str) -> Option<Js> {
    match function {
        "UPPER" | "UCASE" | "LOWER" | "LCASE" => Some(Js::text("null")),
        "ABS" | "ROUND" | "CEIL" | "CEILING" | "FLOOR" | "SQRT" | "EXP" | "POWER" => Some(Js::Number(0.0)),
        "YEAR" | "MONTH" | "DAY" | "HOUR" | "MINUTE" | "SECOND" | "DAYOFWEEK" => Some(Js::Number(0.0)),
        _ => None,
    }
}

/// CAST and CONVERT.
///
/// # Errors
/// Those of the conversion.
pub fn cast(value: &Js, to: &TypeName, style: Option<&Js>) -> Result<Js, FunctionError> {
    functions::cast(value, &to.name, &to.sizes, style.map(Js::to_number))
}
