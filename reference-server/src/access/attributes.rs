//! The attributes that a request uses, wherever it names them.

use crate::value::{Object, Value, number_text};
use std::borrow::Cow;

/// Names collected from a request, in order, repetitions included.
#[derive(Default)]
pub struct UsedAttributes<'a> {
    names: Vec<Cow<'a, str>>,
}

impl<'a> UsedAttributes<'a> {
    /// Collects the attributes named in `fields` of a request. Records, conditions (in groups of any depth), sort
    /// orders and lists of names are recognised by the field's name.
    pub fn of(body: &'a Object, fields: &[&str]) -> Vec<Cow<'a, str>> {
        let mut used = UsedAttributes::default();
        for field in fields {
            let Some(value) = body.get(*field) else { continue };
            match *field {
                "records" => used.add_records(value),
                "conditions" if fault!("conditions-not-checked") => {}
                "conditions" => used.add_conditions(value),
                "sort" if fault!("sort-not-checked") => {}
                "sort" => used.add_sort(value),
                "get_attributes" | "select" => used.add_selection(value),
                _ => used.add_path(value),
            }
        }
        used.names
    }

    fn add_records(&mut self, records: &'a Value) {
        for record in records
            .as_array()
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_object)
            .take(if fault!("first-record-checked-only") { 1 } else { usize::MAX })
        {
            self.names.extend(record.keys().map(|name| Cow::Borrowed(name.as_str())));
        }
    }

    fn add_conditions(&mut self, conditions: &'a Value) {
        for condition in conditions.as_array().unwrap_or_default() {
            // Both spellings, whichever the search goes by, and the members of a group.
            for field in ["attribute", "search_attribute"] {
                if let Some(attribute) = condition.get(field) {
                    self.add_path(attribute);
                }
            }
            if let Some(inner) = condition.get("conditions") {
                self.add_conditions(inner);
            }
        }
    }

    fn add_sort(&mut self, sort: &'a Value) {
        let mut level = Some(sort);
        while let Some(order) = level {
            if let Some(attribute) = order.get("attribute") {
                self.add_path(attribute);
            }
            level = order.get("next");
        }
    }

    /// A selection that begins with `*` stands for what the role may read, so it names nothing.
    fn add_selection(&mut self, selection: &'a Value) {
        match selection {
            Value::Array(items) if items.first().and_then(Value::as_str) == Some("*") => {}
            Value::Array(items) => {
                for item in items {
                    self.add_path(item.get("name").unwrap_or(item));
                }
            }
            other => self.add_path(other),
        }
    }

    /// A name, or a path. A path that leads nowhere is taken for the name its parts make together, so that name
    /// counts as used too.
    fn add_path(&mut self, attribute: &'a Value) {
        match attribute {
            Value::String(name) => self.names.push(Cow::Borrowed(name)),
            Value::Number(number) => self.names.push(Cow::Owned(number_text(*number))),
            Value::Array(path) => {
                let parts: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                self.names.extend(parts.first().map(|name| Cow::Borrowed(*name)));
                if parts.len() > 1 {
                    self.names.push(Cow::Owned(parts.join(",")));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn used(request: &str, fields: &[&str]) -> Vec<String> {
        let request = parse_json(request.as_bytes()).unwrap();
        UsedAttributes::of(request.as_object().unwrap(), fields).into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn every_place_is_looked_at() {
        assert_eq!(
            used(
                r#"{"conditions":[{"attribute":"a"},{"search_attribute":"b"},{"operator":"or","conditions":[{"attribute":["c","x"]},
                {"conditions":[{"attribute":"d","search_attribute":"e"}]}]}],"get_attributes":["f",{"name":"g","select":["h"]}],
                "sort":{"attribute":"i","next":{"attribute":"j"}}}"#,
                &["conditions", "get_attributes", "sort"]
            ),
            ["a", "b", "c", "c,x", "d", "e", "f", "g", "i", "j"]
        );
        assert_eq!(used(r#"{"records":[{"a":1},7,{"b":1,"a":2}]}"#, &["records"]), ["a", "b", "a"]);
        assert_eq!(
            used(r#"{"attribute":"a","get_attributes":["*","b"]}"#, &["attribute", "get_attributes"]),
            ["a"]
        );
        assert_eq!(used(r#"{"get_attributes":["b","*",5]}"#, &["get_attributes"]), ["b", "*", "5"]);
    }

    #[test]
    fn other_shapes_name_nothing() {
        assert!(
            used(
                r#"{"records":{"a":1},"conditions":7,"sort":[],"get_attributes":null}"#,
                &["records", "conditions", "sort", "get_attributes"]
            )
            .is_empty()
        );
    }
}
