//! read_transaction_log: the history of a table by time.

use super::entries::{Shown, is_hidden, reading};
use crate::error::ErrorKind;
use crate::operations::{Call, Outcome, Reply};
use crate::value::Value;
use std::ops::Bound;

pub(super) async fn read_transaction_log(call: Call) -> Outcome {
    let (database, table) = call.table(ErrorKind::NotFound)?;
    let from = number(call.body.get("from")).map_or(
        Bound::Unbounded,
        if fault!("transactions-from-excluded") { Bound::Excluded } else { Bound::Included },
    );
    let to = number(call.body.get("to")).map_or(Bound::Unbounded, Bound::Excluded);
    let limit = limit(call.body.get("limit").filter(|_| !fault!("transactions-not-limited")));
    let limit = if is_hidden(&table) { 0 } else { limit };
    let name = database.name().to_owned();
    let entries = reading(database, move |view| {
        let shown = Shown::of(&name, &table);
        view.history(&table, from, to, false)?.take(limit).map(|entry| shown.entry(&entry?)).collect()
    });
    Ok(Reply::Value(Value::Array(entries.await?)))
}

/// A number, or a text that is one.
pub(super) fn number(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::Number(number) => Some(*number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| !number.is_nan())
}

/// How many at most; a fraction counts as a whole one.
pub(super) fn limit(value: Option<&Value>) -> usize {
    number(value).map_or(usize::MAX, |limit| limit.ceil() as usize)
}
