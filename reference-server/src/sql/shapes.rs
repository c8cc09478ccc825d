//! SELECTs parsed before: clients send the same few statements with ever new literals, so a statement's tree is kept
//! under its text without them.

use super::ast::{Expr, Item, Select, Statement};
use super::parse::{SyntaxError, parse};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Longer statements are parsed every time.
const LONGEST: usize = 1000;

/// So many trees are kept; then all are forgotten.
const MOST: usize = 500;

static KEPT: LazyLock<Mutex<HashMap<String, Arc<Select>>>> = LazyLock::new(Mutex::default);

/// Reads a statement, as [`parse`] does.
///
/// # Errors
/// As [`parse`].
pub fn parse_once(sql: &str) -> Result<Statement, SyntaxError> {
    let Some(shape) = Shape::of(sql) else { return parse(sql) };
    let kept = KEPT.lock().get(&shape.text).cloned();
    if let Some(select) = kept {
        let mut select = (*select).clone();
        let mut literals = shape.literals.into_iter();
        for_each_literal(&mut select, &mut |literal| {
            if let Some(meant) = literals.next() {
                *literal = meant;
            }
        });
        return Ok(Statement::Select(Box::new(select)));
    }
    let statement = parse(sql)?;
    if let Statement::Select(select) = &statement {
        let mut found = Vec::new();
        let mut copy = (**select).clone();
        for_each_literal(&mut copy, &mut |literal| found.push(literal.clone()));
        // Only when the tree holds just the literals of the text, in their order, can others take their places.
        if found == shape.literals {
            let mut kept = KEPT.lock();
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(shape.text, Arc::new(copy));
        }
    }
    Ok(statement)
}

/// A statement's text with `?` and `'` in place of its numbers and texts, and those.
#[derive(Debug, PartialEq)]
struct Shape {
    text: String,
    literals: Vec<Expr>,
}

impl Shape {
    /// `None` for texts with anything out of the ordinary in them.
    fn of(sql: &str) -> Option<Shape> {
        let sql = sql.trim();
        if sql.len() > LONGEST {
            return None;
        }
        let mut text = String::with_capacity(sql.len());
        let mut literals = Vec::new();
        let mut rest = sql;
        let mut counts = false;
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                '\'' | '"' => {
                    let (literal, length) = quoted(rest, first)?;
                    literals.push(Expr::Text(literal));
                    text.push('\'');
                    length
                }
                '0'..='9' => {
                    let length = number_length(rest)?;
                    // How many rows are wanted is no expression.
                    if counts {
                        text.push_str(&rest[..length]);
                    } else {
                        literals.push(Expr::Number(rest[..length].parse().ok()?));
                        text.push('?');
                    }
                    length
                }
                '`' => {
                    let length = rest[1..].find('`')? + 2;
                    text.push_str(&rest[..length]);
                    length
                }
                c if c.is_alphabetic() || c == '_' => {
                    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                    let word = &rest[..length];
                    counts = ["LIMIT", "OFFSET", "TOP"].iter().any(|known| word.eq_ignore_ascii_case(known));
                    text.push_str(word);
                    length
                }
                '-' if rest.starts_with("--") || rest.starts_with("->") => return None,
                '/' if rest.starts_with("/*") => return None,
                ' ' | '\t' | '\n' | '\r' => {
                    text.push(' ');
                    1
                }
                '(' | ')' | ',' | '=' | '<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '.' => {
                    // A point before digits begins a number.
                    if first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                        return None;
                    }
                    text.push(first);
                    1
                }
                _ => return None,
            };
            if !matches!(first, ' ' | '\t' | '\n' | '\r') && !first.is_alphabetic() {
                counts = false;
            }
            rest = &rest[taken..];
        }
        Some(Shape { text, literals })
    }
}

/// A text in quotes without any escapes, and its length with them.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let inner = &rest[1..];
    let end = inner.find(quote)?;
    let doubled = inner[end + 1..].starts_with(quote);
    let literal = &inner[..end];
    (!doubled && !literal.contains('\\')).then(|| (literal.to_owned(), end + 2))
}

/// The length of a plain number; `None` when something is attached to it.
fn number_length(rest: &str) -> Option<usize> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(rest);
    if let Some(fraction) = rest[length..].strip_prefix('.') {
        match digits(fraction) {
            0 => return None,
            more => length += 1 + more,
        }
    }
    let attached = rest[length..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    (!attached && length < 16).then_some(length)
}

/// Calls `visit` with each number and text of a statement, in the order they are written.
fn for_each_literal(select: &mut Select, visit: &mut dyn FnMut(&mut Expr)) {
    for item in &mut select.items {
        if let Item::Expr { expr, .. } = item {
            in_expr(expr, visit);
        }
    }
    for join in &mut select.joins {
        if let Some(on) = &mut join.on {
            in_expr(on, visit);
        }
    }
    select.filter.iter_mut().for_each(|expr| in_expr(expr, visit));
    select.group_by.iter_mut().for_each(|expr| in_expr(expr, visit));
    select.having.iter_mut().for_each(|expr| in_expr(expr, visit));
    select.order_by.iter_mut().for_each(|key| in_expr(&mut key.expr, visit));
}

fn in_expr(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    match expr {
        Expr::Number(_) | Expr::Text(_) => visit(expr),
        Expr::Bool(_) | Expr::Null | Expr::Column(_) | Expr::Subquery => {}
        Expr::Path(inner, _) | Expr::Paren(inner) | Expr::Unary(_, inner) | Expr::Not(inner) => {
            in_expr(inner, visit)
        }
        Expr::Is { expr, .. } => in_expr(expr, visit),
        Expr::Object(members) => members.iter_mut().for_each(|(_, member)| in_expr(member, visit)),
        Expr::Array(items) | Expr::All(items) | Expr::Any(items) => {
            items.iter_mut().for_each(|item| in_expr(item, visit));
        }
        Expr::Chain(first, rest) => {
            in_expr(first, visit);
            rest.iter_mut().for_each(|(_, operand)| in_expr(operand, visit));
        }
        Expr::Between { expr, low, high, .. } => {
            [expr, low, high].into_iter().for_each(|expr| in_expr(expr, visit));
        }
        Expr::In { expr, list, .. } | Expr::Quantified { expr, list, .. } => {
            in_expr(expr, visit);
            list.iter_mut().for_each(|member| in_expr(member, visit));
        }
        Expr::Match { expr, pattern, escape, .. } => {
            in_expr(expr, visit);
            in_expr(pattern, visit);
            escape.iter_mut().for_each(|escape| in_expr(escape, visit));
        }
        Expr::Case { operand, branches, otherwise } => {
            operand.iter_mut().for_each(|expr| in_expr(expr, visit));
            for (when, then) in branches {
                in_expr(when, visit);
                in_expr(then, visit);
            }
            otherwise.iter_mut().for_each(|expr| in_expr(expr, visit));
        }
        Expr::Cast { expr, style, .. } => {
            in_expr(expr, visit);
            style.iter_mut().for_each(|style| in_expr(style, visit));
        }
        Expr::Function { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| in_expr(argument, visit))
        }
        Expr::Aggregate(aggregate) => {
            aggregate.argument.iter_mut().for_each(|argument| in_expr(argument, visit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_leave_literals_out() {
        let shape = |sql: &str| Shape::of(sql).unwrap();
        let one = shape("SELECT a1 FROM d.t WHERE id = 17 AND b = 'x' LIMIT 5");
        assert_eq!(one.text, "SELECT a1 FROM d.t WHERE id = ? AND b = ' LIMIT 5");
        assert_eq!(one.literals, [Expr::Number(17.0), Expr::Text("x".to_owned())]);
        assert_ne!(one.text, shape("SELECT a1 FROM d.t WHERE id = '17' AND b = 'x' LIMIT 5").text);
        for odd in [
            "SELECT 'a''b'",
            "SELECT 1e3",
            "SELECT .5",
            "SELECT a -- b",
            "SELECT [a]",
            "SELECT 1a",
            "SELECT 'x",
            "SELECT {a: 1}",
        ] {
            assert_eq!(Shape::of(odd), None, "{odd}");
        }
    }

    #[test]
    fn kept_trees_are_what_parsing_makes() {
        let template = |a: &str, b: &str, c: &str| {
            [
                format!(
                    "SELECT id, {a} AS x, CONCAT({b}, name) FROM d.t WHERE a = {c} AND b BETWEEN {a} AND {c}"
                ),
                format!(
                    "SELECT TOP 3 a FROM d.t x JOIN d.u y ON x.a = y.b AND x.c > {a} WHERE x.a IN ({a}, {b}, {c}) ORDER BY 2"
                ),
                format!(
                    "SELECT a, COUNT(*) FROM d.t WHERE NOT (a LIKE {b} OR b = -{a}) GROUP BY a HAVING MAX(b) > {a} LIMIT 7 OFFSET 2"
                ),
                format!(
                    "SELECT CASE a WHEN {a} THEN {b} ELSE {c} END AS v, CAST({b} AS VARCHAR(3)) FROM d.t"
                ),
                format!("SELECT CONVERT(VARCHAR(3), {a}), {b} FROM d.t"),
                format!("SELECT {a} + {b} * {c}, a = ANY ({a}, {b})"),
                format!("SELECT TRIM({b} FROM {c}) FROM d.t WHERE a LIKE {b} ESCAPE '!' AND a = {c}"),
            ]
        };
        for (a, b, c) in [("1", "'x'", "2.5"), ("7", "'a b'", "0"), ("1", "\"q\"", "2"), ("30", "'2'", "30")]
        {
            for sql in template(a, b, c) {
                assert_eq!(parse_once(&sql), parse(&sql), "{sql}");
            }
        }
        assert!(parse_once("SELECT 1 FROM").is_err());
    }
}
