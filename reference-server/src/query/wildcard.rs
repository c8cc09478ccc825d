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
    if pattern == "*" || pattern == "***" {
        None
    } else if starts && ends && pattern.len() > 1 {
        condition(Comparator::Contains, Value::from(&pattern[1..pattern.len() - 1]))
    } else if starts {
        condition(Comparator::EndsWith, Value::from(&pattern[1..]))
    } else if ends {
        condition(Comparator::StartsWith, Value::from(&pattern[..pattern.len() - 1]))
    } else {
        condition(Comparator::Equals, value)
    }
}
