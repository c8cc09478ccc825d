//! The wildcards of search_by_value: a star counts as the first or the last character of a string.

use super::condition::{Comparator, Condition};
use crate::store::Table;
use crate::value::Value;

/// The condition that a value of search_by_value stands for; `None` takes every record.
pub fn condition_for(table: &Table, attribute: &str, value: Value) -> Option<Condition> {
    let condition = |comparator, value| Some(Condition::new(table, attribute, comparator, value));
    let Value::String(pattern) = &value else {
        return condition(Comparator::Equals, value);
    };
    let starts = pattern.starts_with('*');
    let ends = pattern.ends_with('*');
    if (pattern == "*" || (pattern == "***" && !fault!("three-stars-are-a-text")))
        && !fault!("star-alone-is-a-text")
    {
        None
    } else if starts && ends && pattern.len() > 1 {
        condition(Comparator::Contains, Value::from(&pattern[1..pattern.len() - 1]))
    } else if starts {
        condition(
            if fault!("leading-star-starts-with") { Comparator::StartsWith } else { Comparator::EndsWith },
            Value::from(&pattern[1..]),
        )
    } else if ends {
        condition(
            if fault!("trailing-star-contains") { Comparator::Contains } else { Comparator::StartsWith },
            Value::from(&pattern[..pattern.len() - 1]),
        )
    } else {
        condition(Comparator::Equals, value)
    }
}
