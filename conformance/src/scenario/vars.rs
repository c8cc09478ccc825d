//! Values saved from one answer and used in later requests.

use crate::pointer;
use regex::{Captures, Regex};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "the pattern is a constant, tried by the tests below")]
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$\{(\w+)(?::(\d{1,8}))?\}").expect("a valid pattern"));

/// A variable that was used before it was saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'${{{0}}}' was never saved")]
pub struct Missing(pub String);

/// The saved values of one telling. `${fill:N}` stands for N letters without being saved.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    values: HashMap<String, Value>,
}

impl Vars {
    /// Remembers a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// A remembered value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Remembers null under a name under which nothing is remembered.
    pub fn set_absent(&mut self, name: &str) {
        self.values.entry(name.to_owned()).or_insert(Value::Null);
    }

    /// Remembers what a pointer finds in an answer; false when there is nothing.
    pub fn save(&mut self, name: &str, answer: &Value, path: &str) -> bool {
        match pointer::get(answer, path) {
            Some(value) if !value.is_null() => {
                self.set(name, value.clone());
                true
            }
            _ => false,
        }
    }

    /// Puts the saved values into a text.
    ///
    /// # Errors
    /// [`Missing`] when a variable was never saved.
    pub fn text(&self, text: &str) -> Result<String, Missing> {
        let mut missing = None;
        let filled = VARIABLE.replace_all(text, |found: &Captures<'_>| match self.lookup(found) {
            Ok(Value::String(text)) => text,
            Ok(value) => value.to_string(),
            Err(name) => {
                missing.get_or_insert(name);
                String::new()
            }
        });
        missing.map_or(Ok(filled.into_owned()), Err)
    }

    /// Puts the saved values into a value; a string that is nothing but a variable becomes the saved value itself.
    ///
    /// # Errors
    /// [`Missing`] when a variable was never saved.
    pub fn value(&self, value: &Value) -> Result<Value, Missing> {
        Ok(match value {
            Value::String(text) => match VARIABLE.captures(text) {
                Some(found) if found[0].len() == text.len() => self.lookup(&found)?,
                Some(_) => Value::String(self.text(text)?),
                None => value.clone(),
            },
            Value::Array(elements) => {
                Value::Array(elements.iter().map(|e| self.value(e)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, member)| Ok((self.text(name)?, self.value(member)?)))
                    .collect::<Result<_, Missing>>()?,
            ),
            other => other.clone(),
        })
    }

    fn lookup(&self, found: &Captures<'_>) -> Result<Value, Missing> {
        let name = &found[1];
        if let (true, Some(length)) = (name == "fill", found.get(2)) {
            return Ok(Value::String("a".repeat(length.as_str().parse().unwrap_or(0))));
        }
        self.values.get(name).cloned().ok_or_else(|| Missing(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn saved_values_are_put_in_whole_or_in_part() {
        let mut vars = Vars::default();
        assert!(vars.save("job", &json!({"job_id": "j1"}), "/job_id"));
        assert!(vars.save("n", &json!([{"a": 5}]), "/0/a"));
        assert!(!vars.save("x", &json!({}), "/missing"));
        let request = json!({"id": "${job}", "n": "${n}", "text": "job ${job} of ${n}", "${job}": "$x {y}", "f": "${fill:3}"});
        assert_eq!(
            vars.value(&request),
            Ok(json!({"id": "j1", "n": 5, "text": "job j1 of 5", "j1": "$x {y}", "f": "aaa"}))
        );
        assert_eq!(vars.value(&json!("${x}")), Err(Missing("x".into())));
    }
}
