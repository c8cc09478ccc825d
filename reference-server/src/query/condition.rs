//! The vocabulary of a search: comparators, conditions, groups, sort orders.

use crate::store::{AttributeId, Table};
use crate::value::Value;

/// How a condition compares an attribute with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// Same kind, same value.
    Equals,
    /// Not the same kind and value.
    NotEqual,
    /// Above the value in key order.
    Greater,
    /// Above or at the value in key order.
    GreaterEqual,
    /// Below the value in key order.
    Less,
    /// Below or at the value in key order.
    LessEqual,
    /// From the first to the second of two values, both included.
    Between,
    /// A string that begins with the value.
    StartsWith,
    /// Text that ends with the value.
    EndsWith,
    /// Text that contains the value.
    Contains,
}

impl Comparator {
    /// The comparator of a name, and whether this spelling also converts strings for untyped attributes.
    pub fn named(name: &str) -> Option<(Comparator, bool)> {
        use Comparator::*;
        Some(match name {
            "eq" => (Equals, true),
            "ne" => (NotEqual, true),
            "gt" => (Greater, true),
            "ge" => (GreaterEqual, true),
            "lt" => (Less, true),
            "le" => (LessEqual, true),
            "equals" | "equal" => (Equals, false),
            "not_equal" | "notEqual" => (NotEqual, false),
            "greaterThan" if fault!("camel-comparators-unknown") => return None,
            "greater_than" | "greaterThan" | ">" => (Greater, false),
            "greater_than_equal" | "greaterThanEqual" | ">=" => (GreaterEqual, false),
            "less_than" | "lessThan" | "<" => (Less, false),
            "less_than_equal" | "lessThanEqual" | "<=" => (LessEqual, false),
            "between" | "..." => (Between, false),
            "starts_with" | "startsWith" | "sw" => (StartsWith, false),
            "ends_with" | "endsWith" | "ew" => (EndsWith, false),
            "contains" | "ct" => (Contains, false),
            _ => return None,
        })
    }
}

/// One condition on one attribute.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The attribute's name.
    pub attribute: String,
    /// Its number in the table; `None` when no record ever had it.
    pub id: Option<AttributeId>,
    /// Whether it is the table's primary key.
    pub is_primary_key: bool,
    /// Whether it has an index of its own.
    pub is_indexed: bool,
    /// How to compare.
    pub comparator: Comparator,
    /// What to compare with; two values in an array for [`Comparator::Between`].
    pub value: Value,
}

impl Condition {
    /// A condition on an attribute of `table`.
    pub fn new(table: &Table, attribute: &str, comparator: Comparator, value: Value) -> Condition {
        let definition = table.attribute(attribute);
        Condition {
            attribute: attribute.to_owned(),
            id: table.attribute_id(attribute),
            is_primary_key: table.primary_key == attribute,
            is_indexed: definition.is_some_and(|definition| definition.indexed && !definition.is_primary_key),
            comparator,
            value,
        }
    }
}

impl Condition {
    /// Why the value has no place in an index: it is an object, or holds one. `None` where none is looked for there.
    pub fn key_fault(&self) -> Option<String> {
        use Comparator::{Contains, EndsWith, NotEqual, StartsWith};
        let has_keys = self.is_primary_key || self.is_indexed;
        if !has_keys || matches!(self.comparator, NotEqual | StartsWith | EndsWith | Contains) {
            return None;
        }
        let object = first_object(&self.value)?;
        Some(format!("Unable to serialize object as a key: {}", object.to_json()))
    }
}

fn first_object(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(_) => Some(value),
        Value::Array(items) => items.iter().find_map(first_object),
        _ => None,
    }
}

/// How the members of a group combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// A condition or a group of them.
#[derive(Clone, Debug)]
pub enum Node {
    /// A condition.
    Leaf(Condition),
    /// A group.
    Group(Group),
}

/// Conditions combined by an operator.
#[derive(Clone, Debug)]
pub struct Group {
    /// How they combine.
    pub operator: Operator,
    /// The members, never empty.
    pub nodes: Vec<Node>,
}

/// The order of a result.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The attribute to sort by.
    pub attribute: String,
    /// Its number in the table; `None` when no record ever had it.
    pub id: Option<AttributeId>,
    /// From the highest value down.
    pub descending: bool,
    /// What decides between equal values.
    pub next: Option<Box<Sort>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    #[test]
    fn an_object_has_no_place_in_an_index() {
        let fault = |comparator, value: &str, is_indexed| {
            let condition = Condition {
                attribute: "a".to_owned(),
                id: None,
                is_primary_key: false,
                is_indexed,
                comparator,
                value: parse_json(value.as_bytes()).unwrap(),
            };
            condition.key_fault()
        };
        let text = Some("Unable to serialize object as a key: {\"w\":1}".to_owned());
        assert_eq!(fault(Comparator::Equals, r#"{"w":1}"#, true), text);
        assert_eq!(fault(Comparator::Between, r#"[0,{"w":1}]"#, true), text);
        assert_eq!(fault(Comparator::Equals, r#"{"w":1}"#, false), None);
        assert_eq!(fault(Comparator::NotEqual, r#"{"w":1}"#, true), None);
        assert_eq!(fault(Comparator::Equals, "[1]", true), None);
    }
}
