//! Conditions as ranges of an index: what drives a search.
//!
//! `less_than`, `not_equal`, `contains` and `ends_with` begin above `false`, so that null, false and absent values
//! never come out of them; `not_equal true` alone begins at `false`.

use super::condition::{Comparator, Condition};
use super::filter::{scalar_satisfies, text_of};
use crate::store::KeyRange;
use crate::value::Value;
use std::ops::Bound::{Excluded, Included, Unbounded};

/// A range of an index and whether its entries must still be checked against the condition.
#[derive(Clone, Debug)]
pub(super) struct IndexRange {
    /// The range.
    pub(super) range: KeyRange,
    /// Whether the entries need [`entry_satisfies`].
    pub(super) recheck: bool,
}

/// The range of the attribute's index that holds what `condition` wants.
pub(super) fn range_of(condition: &Condition) -> IndexRange {
    let value = &condition.value;
    let above_false = &Value::Bool(true);
    let exact = |range| IndexRange { range, recheck: false };
    let recheck = |range| IndexRange { range, recheck: true };
    match condition.comparator {
        Comparator::Equals => exact(KeyRange::equal(value)),
        Comparator::Greater if fault!("index-greater-includes") => {
            exact(KeyRange::new(Included(value), Unbounded))
        }
        Comparator::Greater => exact(KeyRange::new(Excluded(value), Unbounded)),
        Comparator::GreaterEqual => exact(KeyRange::new(Included(value), Unbounded)),
        Comparator::Less if fault!("index-less-includes") => {
            exact(KeyRange::new(Included(above_false), Included(value)))
        }
        Comparator::Less if fault!("index-less-finds-null") => {
            exact(KeyRange::new(Unbounded, Excluded(value)))
        }
        Comparator::Less => exact(KeyRange::new(Included(above_false), Excluded(value))),
        Comparator::LessEqual => exact(KeyRange::new(Included(above_false), Included(value))),
        Comparator::Between => match value {
            Value::Array(ends) if ends.len() >= 2 => {
                let from = if fault!("index-between-open") { Excluded(&ends[0]) } else { Included(&ends[0]) };
                exact(KeyRange::new(from, Included(&ends[1])))
            }
            _ => recheck(KeyRange::all()),
        },
        Comparator::StartsWith => match text_of(value) {
            prefix if prefix.is_empty() => recheck(KeyRange::new(Included(above_false), Unbounded)),
            _ if fault!("index-starts-with-everything") => {
                exact(KeyRange::new(Included(above_false), Unbounded))
            }
            prefix => exact(KeyRange::starting_with(&prefix)),
        },
        Comparator::NotEqual if value.is_null() && fault!("index-not-equal-null") => exact(KeyRange::all()),
        Comparator::NotEqual if value.is_null() => exact(KeyRange::new(Excluded(value), Unbounded)),
        Comparator::NotEqual if *value == Value::Bool(true) => {
            recheck(KeyRange::new(Included(&Value::Bool(false)), Unbounded))
        }
        Comparator::NotEqual | Comparator::Contains | Comparator::EndsWith => {
            let range = KeyRange::new(Included(above_false), Unbounded);
            if fault!("index-contains-not-rechecked") { exact(range) } else { recheck(range) }
        }
    }
}

/// Whether one index entry (one element of an array) satisfies the condition.
pub(super) fn entry_satisfies(condition: &Condition, entry: &Value) -> bool {
    scalar_satisfies(condition.comparator, Some(entry), &condition.value)
}
