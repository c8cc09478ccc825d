//! SEARCH_JSON: JSONata over documents.

use super::{Family, Function, FunctionError, argument};
use crate::sql::value::Js;
use crate::value::{Object, Value, order_members};
use jsonata_core::Expression;
use jsonata_core::evaluator::EvaluatorOptions;
use jsonata_core::value::JValue;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// How long one evaluation may take, in milliseconds.
const TIME_LIMIT: u64 = 10_000;

/// How many members a result or an intermediate list may have, as in the language's reference implementation.
const LONGEST_SEQUENCE: usize = 10_000_000;

pub(super) static FUNCTIONS: &[Function] = &[Function {
    name: "SEARCH_JSON",
    aliases: &[],
    family: Family::Json,
    signature: "expression, document",
    arity: (1, 2),
    doc: "The result of a JSONata expression over a document; absent when nothing matches.",
    examples: &[
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
    call: |arguments| {
        let Some(expression) = argument(arguments, 0).as_text().filter(|text| !text.is_empty()) else {
            return Err(FunctionError::new("search json expression must be a non-empty string"));
        };
        let document = to_jsonata(argument(arguments, 1));
        // The library is trusted with correct answers, not with never panicking.
        catch_unwind(AssertUnwindSafe(|| search(expression, &document)))
            .unwrap_or_else(|_| Err(FunctionError::new("the expression could not be evaluated")))
    },
}];

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
            let options = EvaluatorOptions {
                timeout_ms: Some(TIME_LIMIT),
                max_sequence_length: Some(LONGEST_SEQUENCE),
                ..EvaluatorOptions::default()
            };
            let expression = Expression::compile_with_options(text, options)
                .map_err(|error| FunctionError(error.to_string()))?;
            let expression = Rc::new(expression);
            LAST.with(|last| *last.borrow_mut() = Some((text.to_owned(), expression.clone())));
            expression
        }
    };
    let found = expression.evaluate(document).map_err(|error| FunctionError(error.to_string()))?;
    Ok(from_jsonata(&found).map_or(Js::Undefined, Js::from))
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
