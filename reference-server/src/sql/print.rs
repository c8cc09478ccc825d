//! The text of expressions, which names the columns of a result and appears in messages.

use super::ast::{Aggregate, Expr, Is, Match, Sign, Step, TypeName, operator_text};
use super::functions::TRIM_FROM;
use crate::value::number_text;
use std::fmt::Write;

/// How texts are quoted: with single quotes in a statement without tables, else with double ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// `'text'`.
    Single,
    /// `"text"`.
    Double,
}

/// The text of an expression: operators between blanks, functions in capitals, arguments between commas.
pub fn text_of(expr: &Expr, quotes: Quotes) -> String {
    let mut printer = Printer { out: String::new(), quotes };
    printer.expr(expr);
    printer.out
}

struct Printer {
    out: String,
    quotes: Quotes,
}

impl Printer {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn text(&mut self, text: &str) {
        let quote = if self.quotes == Quotes::Single { "'" } else { "\"" };
        let _ = write!(self.out, "{quote}{text}{quote}");
    }

    fn list(&mut self, items: &[Expr], between: &str) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.push(between);
            }
            self.expr(item);
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) {
        self.push(name);
        self.push("(");
        self.list(arguments, ",");
        self.push(")");
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Number(number) => self.push(&number_text(*number)),
            Expr::Text(text) => self.text(text),
            Expr::Bool(flag) => self.push(if *flag { "TRUE" } else { "FALSE" }),
            Expr::Null => self.push("NULL"),
            Expr::Column(column) => self.push(&column.written()),
            Expr::Path(root, steps) => {
                self.expr(root);
                for step in steps {
                    match step {
                        Step::Member(name) => {
                            let _ = write!(self.out, "->{name}");
                        }
                        Step::Element(index) => {
                            let _ = write!(self.out, "->{index}");
                        }
                    }
                }
            }
            Expr::Object(members) => {
                self.push("{");
                for (position, (name, member)) in members.iter().enumerate() {
                    let comma = if position > 0 { "," } else { "" };
                    let _ = write!(self.out, "{comma}{name}:");
                    self.expr(member);
                }
                self.push("}");
            }
            Expr::Array(items) => {
                self.push("[");
                self.list(items, ",");
                self.push("]");
            }
            Expr::Paren(inner) => {
                self.push("(");
                self.expr(inner);
                self.push(")");
            }
            Expr::Unary(sign, inner) => {
                self.push(match sign {
                    Sign::Minus => "-",
                    Sign::Plus => "+",
                    Sign::Invert => "~",
                });
                self.expr(inner);
            }
            Expr::Chain(first, rest) => {
                self.expr(first);
                for (operator, operand) in rest {
                    let _ = write!(self.out, " {} ", operator_text(*operator));
                    self.expr(operand);
                }
            }
            Expr::All(members) => self.list(members, " AND "),
            Expr::Any(members) => self.list(members, " OR "),
            Expr::Not(inner) => {
                self.push("NOT ");
                self.expr(inner);
            }
            Expr::Is { expr, what, negated } => {
                self.expr(expr);
                self.push(if *negated { " IS NOT " } else { " IS " });
                self.push(match what {
                    Is::Null => "NULL",
                    Is::True => "TRUE",
                    Is::False => "FALSE",
                });
            }
            Expr::Between { expr, low, high, negated } => {
                self.expr(expr);
                self.push(if *negated { " NOT BETWEEN " } else { " BETWEEN " });
                self.expr(low);
                self.push(" AND ");
                self.expr(high);
            }
            Expr::In { expr, list, negated } => {
                self.expr(expr);
                self.push(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list, ",");
                self.push(")");
            }
            Expr::Match { kind, expr, pattern, escape, negated } => {
                self.expr(expr);
                self.push(if *negated { " NOT " } else { " " });
                self.push(match kind {
                    Match::Like => "LIKE ",
                    Match::Regexp => "REGEXP ",
                    Match::Glob => "GLOB ",
                });
                self.expr(pattern);
                if let Some(escape) = escape {
                    self.push(" ESCAPE ");
                    self.expr(escape);
                }
            }
            Expr::Quantified { expr, operator, all, list } => {
                self.expr(expr);
                let _ =
                    write!(self.out, " {} {}(", operator_text(*operator), if *all { "ALL" } else { "ANY" });
                self.list(list, ",");
                self.push(")");
            }
            Expr::Case { operand, branches, otherwise } => {
                self.push("CASE");
                if let Some(operand) = operand {
                    self.push(" ");
                    self.expr(operand);
                }
                for (when, then) in branches {
                    self.push(" WHEN ");
                    self.expr(when);
                    self.push(" THEN ");
                    self.expr(then);
                }
                if let Some(otherwise) = otherwise {
                    self.push(" ELSE ");
                    self.expr(otherwise);
                }
                self.push(" END");
            }
            Expr::Cast { expr, to, style, convert } => self.cast(expr, to, style.as_deref(), *convert),
            Expr::Function { name, parens: false, .. } => self.push(name),
            Expr::Function { name, arguments, .. } if name == TRIM_FROM => {
                self.push("TRIM(");
                self.list(arguments, " FROM ");
                self.push(")");
            }
            Expr::Function { name, arguments, .. } => {
                if is_named_as_typed(name) {
                    self.call(name, arguments);
                } else {
                    self.call(&name.to_ascii_uppercase(), arguments);
                }
            }
            Expr::Aggregate(Aggregate { name, argument, .. }) => {
                self.push(name);
                self.push("(");
                match argument {
                    Some(argument) => self.expr(argument),
                    None => self.push("*"),
                }
                self.push(")");
            }
            Expr::Subquery => self.push("(SELECT)"),
        }
    }

    fn cast(&mut self, expr: &Expr, to: &TypeName, style: Option<&Expr>, convert: bool) {
        let sizes: Vec<String> = to.sizes.iter().map(u32::to_string).collect();
        let sizes = if sizes.is_empty() { String::new() } else { format!("({})", sizes.join(",")) };
        let to = format!("{}{sizes}", to.name.to_ascii_uppercase());
        if convert {
            let _ = write!(self.out, "CONVERT({to},");
            self.expr(expr);
            if let Some(style) = style {
                self.push(",");
                self.expr(style);
            }
        } else {
            self.push("CAST(");
            self.expr(expr);
            let _ = write!(self.out, " AS {to}");
        }
        self.push(")");
    }
}

/// Functions of the API's own keep the spelling of the statement in their columns' names.
fn is_named_as_typed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("geo")
        || matches!(
            lower.as_str(),
            "search_json"
                | "date"
                | "date_add"
                | "date_diff"
                | "date_format"
                | "date_sub"
                | "extract"
                | "offset_utc"
                | "get_server_time"
                | "getdate"
                | "now"
                | "current_date"
                | "current_time"
        )
}
