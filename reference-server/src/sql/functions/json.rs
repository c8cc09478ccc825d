//! SEARCH_JSON: JSONata over documents.

use super::{Function, FunctionError, argument};
use crate::sql::value::Js;
use crate::value::{Object, Value, order_members};
use jsonata_core::Expression;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::value::JValue;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// How long one evaluation may take, in milliseconds.
const TIME_LIMIT: u64 = 10_000;

/// How many members a result or an intermediate list may have, as in the language's reference implementation.
const LONGEST_SEQUENCE: usize = 10_000_000;

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "SEARCH_JSON",
    &[],
    "expression, document",
    (1, 2),
    "The result of a JSONata expression over a document; absent when nothing matches.",
    &[
        ("SEARCH_JSON('wood', @{wood: 'oak', masts: 2})", "\"oak\""),
        ("SEARCH_JSON('[name]', @[{name: 'Ann'}, {name: 'Bob'}])", "[\"Ann\",\"Bob\"]"),
        ("SEARCH_JSON('name', @[{name: 'Cyd'}])", "\"Cyd\""),
        ("SEARCH_JSON('$count($)', @[1, 2])", "2"),
        (
            "SEARCH_JSON('{\"w\": wood, \"m\": masts * 2}', @{wood: 'teak', masts: 3})",
            "{\"w\":\"teak\",\"m\":6}",
        ),
        ("SEARCH_JSON('sail', @{wood: 'oak'})", "absent"),
    ],
    |arguments| {
        let Some(expression) = argument(arguments, 0).as_text().filter(|text| !text.is_empty()) else {
            return Err(FunctionError::new("search json expression must be a non-empty string"));
        };
        let document = to_jsonata(argument(arguments, 1));
        // The library is trusted with correct answers, not with never panicking.
        catch_unwind(AssertUnwindSafe(|| search(expression, &document)))
            .unwrap_or_else(|_| Err(FunctionError::new("the expression could not be evaluated")))
    },
)];

thread_local! {
    /// The last expression of this thread: one statement asks for the same one row by row.
    static LAST: RefCell<Option<(String, Rc<Expression>)>> = const { RefCell::new(None) };
}

fn search(text: &str, document: &JValue) -> Result<Js, FunctionError> {
    let known = LAST.with(|last| {
        last.borrow().as_ref().filter(|(known, _)| known == text).map(|(_, expression)| expression.clone())
    });
    let expression = match known {
        Some(expression) => expression,
        None => {
            if has_later_operators(text) {
                return Err(FunctionError::new("an operator that the language does not have"));
            }
            let expression = Expression::compile_with_options(text, options())
                .map_err(|error| FunctionError(error.to_string()))?;
            let expression = Rc::new(expression);
            LAST.with(|last| *last.borrow_mut() = Some((text.to_owned(), expression.clone())));
            expression
        }
    };
    let found = if text.contains("$random") || text.contains("$clone") {
        with_missing_functions(&expression, document)
    } else {
        expression.evaluate(document)
    };
    let found = found.map_err(|error| FunctionError(error.to_string()))?;
    Ok(from_jsonata(&found).map_or(Js::Undefined, Js::from))
}

/// Evaluates with the functions that the library lacks.
fn with_missing_functions(expression: &Expression, document: &JValue) -> Result<JValue, EvaluatorError> {
    let mut evaluator = Evaluator::with_options(Context::new(), options());
    evaluator.register_fn_override("random", |_: &[JValue]| Ok(JValue::Number(rand::random())))?;
    evaluator.register_fn_override("clone", |arguments: &[JValue]| {
        Ok(arguments.first().cloned().unwrap_or(JValue::Undefined))
    })?;
    evaluator.evaluate(expression.ast(), document)
}

fn options() -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: Some(TIME_LIMIT),
        max_sequence_length: Some(LONGEST_SEQUENCE),
        ..EvaluatorOptions::default()
    }
}

/// Whether an expression uses `??` or `?:`, which came to the language after the version this is. They may occur in
/// texts, names, comments and regular expressions, and in the signatures of functions.
fn has_later_operators(text: &str) -> bool {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("??") || rest.starts_with("?:") {
            return true;
        }
        let skipped = match first {
            '"' | '\'' | '`' => end_of_quoted(rest, first),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|at| at + 2),
            '/' => end_of_quoted(rest, '/'),
            '<' => rest.find('>').map(|at| at + 1).filter(|end| rest[*end..].trim_start().starts_with('{')),
            _ => None,
        };
        rest = &rest[skipped.unwrap_or(first.len_utf8())..];
    }
    false
}

/// The place behind the quote that ends a quoted text.
fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

fn to_jsonata(value: &Js) -> JValue {
    match value {
        Js::Undefined => JValue::Undefined,
        Js::Text(text) => JValue::string(&**text),
        Js::Json(value) => document(value),
        other => document(&other.to_value().unwrap_or_default()),
    }
}

fn document(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(flag) => JValue::Bool(*flag),
        Value::Number(number) => JValue::Number(*number),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(document).collect()),
        Value::Object(members) => {
            JValue::object(members.iter().map(|(name, item)| (name.clone(), document(item))).collect())
        }
        Value::BigInt(digits) => JValue::Number(digits.parse().unwrap_or(f64::NAN)),
        Value::Date(_) | Value::Bytes(_) => serde_json::from_str(&value.to_json()).unwrap_or(JValue::Null),
    }
}

/// A result; `None` for nothing and for functions.
fn from_jsonata(value: &JValue) -> Option<Value> {
    Some(match value {
        JValue::Null => Value::Null,
        JValue::Bool(flag) => Value::Bool(*flag),
        JValue::Number(number) => Value::Number(*number),
        JValue::String(text) => Value::from(&**text),
        JValue::Array(items) => {
            Value::Array(items.iter().map(|item| from_jsonata(item).unwrap_or_default()).collect())
        }
        JValue::Object(members) => {
            let mut members: Object =
                members.iter().filter_map(|(name, item)| Some((name.clone(), from_jsonata(item)?))).collect();
            order_members(&mut members);
            Value::Object(members)
        }
        _ => return None,
    })
}
