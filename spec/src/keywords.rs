//! Which keywords of its request schema an operation has, and which of them a request meets or breaks: what a suite
//! must have tried both ways to have tried the schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::check;
use crate::operation::Operation;
use crate::schema::resolved;

/// A keyword at a place of a request schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Keyword {
    /// The members that lead to the value, `*` for every item: `/conditions/*/comparator`. For `required` the missing
    /// member.
    pub place: String,
    /// The keyword: `type`, `required`, `maxLength` …; `integer` for the demand that a number has no fraction.
    pub name: String,
}

/// What a request has to do with the keywords of its schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Met {
    /// Those that it keeps, when it is valid.
    pub kept: BTreeSet<Keyword>,
    /// Those that it breaks, when it is not.
    pub broken: BTreeSet<Keyword>,
}

impl Operation {
    /// All keywords of the request schema that a request can break. A schema that holds itself counts once.
    pub fn keywords(&self) -> BTreeSet<Keyword> {
        let mut walk = Walk::default();
        walk.schema(&self.request, None, At::default());
        walk.done()
    }

    /// The keywords that a request keeps or breaks.
    pub fn keywords_met(&self, request: &Value) -> Met {
        let violations = self.check(request);
        let canonical =
            request.as_object().map(|members| Value::Object(self.canonical_fields(members.clone())));
        let mut walk = Walk::default();
        walk.schema(&self.request, Some(canonical.as_ref().unwrap_or(request)), At::default());
        if violations.is_empty() {
            return Met { kept: walk.done(), ..Met::default() };
        }
        let broken = violations.iter().map(|violation| Keyword {
            place: walk.place_of(&self.canonical_pointer(&violation.pointer), &violation.keyword),
            name: violation.keyword.clone(),
        });
        Met { broken: broken.collect(), ..Met::default() }
    }

    fn canonical_pointer(&self, pointer: &str) -> String {
        let Some(rest) = pointer.strip_prefix('/') else { return pointer.to_owned() };
        let (field, below) = rest.split_once('/').map_or((rest, None), |(field, below)| (field, Some(below)));
        let field = self.canonical_name(field);
        below.map_or_else(|| format!("/{field}"), |below| format!("/{field}/{below}"))
    }
}

/// Where the walk is.
#[derive(Debug, Clone, Default)]
struct At {
    /// In the request.
    pointer: String,
    /// In the schema.
    place: String,
    /// The references that were followed to get here, and from where.
    followed: Vec<(String, String)>,
    /// How many values it is inside.
    depth: usize,
}

/// How deep a request is looked into: conditions may hold conditions, and the stack is finite.
const MAX_DEPTH: usize = 32;

impl At {
    fn inside(&self, step: &str, place: &str) -> At {
        let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
        At {
            pointer: format!("{}/{}", self.pointer, escaped(step)),
            place: format!("{}/{}", self.place, escaped(place)),
            followed: self.followed.clone(),
            depth: self.depth + 1,
        }
    }
}

#[derive(Debug, Default)]
struct Walk {
    found: BTreeSet<Keyword>,
    /// Pointer into the request → place in the schema.
    places: BTreeMap<String, String>,
}

impl Walk {
    /// A schema and the value under it; without a value the schema is taken for all that could come.
    fn schema(&mut self, schema: &Value, value: Option<&Value>, mut at: At) {
        let Some(schema) = schema.as_object() else { return };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            match (at.followed.iter().find(|(known, _)| known == reference), value) {
                // A schema that holds itself: what is inside has its place where it was met first.
                (Some((_, place)), Some(_)) => at.place = place.clone(),
                (Some(_), None) => return,
                (None, _) => at.followed.push((reference.clone(), at.place.clone())),
            }
        }
        if at.depth > MAX_DEPTH {
            return;
        }
        let schema = resolved(schema);
        let may_be_null = schema.get("x-nullable") == Some(&Value::Bool(true));
        if may_be_null && value.is_some_and(Value::is_null) {
            return;
        }
        self.places.insert(at.pointer.clone(), at.place.clone());
        for (keyword, argument) in schema.iter() {
            self.keyword(&schema, (keyword, argument), value, &at);
        }
    }

    fn keyword(
        &mut self,
        schema: &Map<String, Value>,
        (keyword, argument): (&str, &Value),
        value: Option<&Value>,
        at: &At,
    ) {
        let applies = value.is_none_or(|value| match keyword {
            "minLength" | "maxLength" | "pattern" => value.is_string(),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                value.is_number()
            }
            "minItems" | "maxItems" | "uniqueItems" => value.is_array(),
            "required" | "additionalProperties" | "dependentRequired" => value.is_object(),
            _ => true,
        });
        if !applies {
            return;
        }
        match keyword {
            "type" => {
                self.add("type", &at.place);
                if argument.as_str() == Some("integer") && value.is_none_or(Value::is_number) {
                    self.add("integer", &at.place);
                }
            }
            "minLength" | "minItems" if argument.as_u64() == Some(0) => {}
            "enum" | "const" | "minLength" | "maxLength" | "pattern" | "minimum" | "maximum"
            | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" | "minItems" | "maxItems"
            | "uniqueItems" | "anyOf" | "oneOf" | "not" => self.add(keyword, &at.place),
            "required" => {
                for name in argument.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if !(at.place.is_empty() && name == "operation") {
                        self.add("required", &at.inside(name, name).place);
                    }
                }
            }
            "dependentRequired" => {
                for name in argument.as_object().into_iter().flatten().map(|(name, _)| name) {
                    if value.is_none_or(|value| value.get(name).is_some()) {
                        self.add(keyword, &at.inside(name, name).place);
                    }
                }
            }
            "additionalProperties" if *argument == Value::Bool(false) => self.add(keyword, &at.place),
            "properties" => self.members(argument, value, at),
            // Reported as one fault of the array.
            "items" if schema.get("x-messages").is_some_and(|texts| texts.get("items").is_some()) => {
                self.add("items", &at.place);
            }
            "items" if schema.get("x-opaque-items") != Some(&Value::Bool(true)) => match value {
                None => self.schema(argument, None, at.inside("*", "*")),
                Some(value) => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.schema(argument, Some(item), at.inside(&index.to_string(), "*"));
                    }
                }
            },
            "allOf" => {
                for branch in argument.as_array().into_iter().flatten() {
                    self.schema(branch, value, at.clone());
                }
            }
            "if" => {
                for branch in ["then", "else"] {
                    let taken =
                        value.is_none_or(|value| check::accepts_any(argument, value) == (branch == "then"));
                    if let (true, Some(branch)) = (taken, schema.get(branch)) {
                        self.schema(branch, value, at.clone());
                    }
                }
            }
            _ => {}
        }
    }

    fn members(&mut self, properties: &Value, value: Option<&Value>, at: &At) {
        for (name, member) in properties.as_object().into_iter().flatten() {
            if at.place.is_empty() && name == "operation" {
                continue;
            }
            match value {
                None => self.schema(member, None, at.inside(name, name)),
                Some(value) => {
                    if let Some(value) = value.get(name) {
                        self.schema(member, Some(value), at.inside(name, name));
                    }
                }
            }
        }
    }

    fn add(&mut self, name: &str, place: &str) {
        self.found.insert(Keyword { place: place.to_owned(), name: name.to_owned() });
    }

    /// The place of a fault; what is not in the schema, or is missing, is found by the value around it.
    fn place_of(&self, pointer: &str, keyword: &str) -> String {
        if let Some(place) = self.places.get(pointer) {
            return place.clone();
        }
        let (around, name) = pointer.rsplit_once('/').unwrap_or_default();
        let around = self.places.get(around).map_or(around, String::as_str);
        if keyword == "required" { format!("{around}/{name}") } else { around.to_owned() }
    }

    fn done(self) -> BTreeSet<Keyword> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::one_fault_requests;
    use crate::registry::registry;
    use crate::sample::{SampleNames, valid_request};
    use serde_json::json;

    fn keyword(place: &str, name: &str) -> Keyword {
        Keyword { place: place.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_request_keeps_or_breaks_keywords() {
        let operation = registry().operation("search_by_conditions").unwrap();
        let request = json!({"operation": "search_by_conditions", "schema": "d", "table": "t", "get_attributes": ["*"],
            "conditions": [{"attribute": "a", "comparator": "equals", "value": 1}]});
        let met = operation.keywords_met(&request);
        assert!(met.broken.is_empty());
        assert!(met.kept.contains(&keyword("/table", "required")), "{met:?}");
        assert!(met.kept.contains(&keyword("/database", "type")), "{met:?}");
        let faulty = json!({"operation": "search_by_conditions", "schema": 7, "get_attributes": ["*"], "conditions": []});
        let met = operation.keywords_met(&faulty);
        assert!(met.kept.is_empty() && met.broken.contains(&keyword("/table", "required")), "{met:?}");
    }

    #[test]
    fn what_requests_keep_and_break_is_among_the_keywords() {
        for operation in registry().operations() {
            let all = operation.keywords();
            let Some(valid) = valid_request(operation, &SampleNames::default()) else { continue };
            let met = operation.keywords_met(&valid);
            let stray: Vec<&Keyword> = met.kept.difference(&all).collect();
            assert!(stray.is_empty(), "{}: {stray:?}", operation.name);
            for mutant in one_fault_requests(operation, &valid) {
                let met = operation.keywords_met(&mutant.request);
                let stray: Vec<&Keyword> = met.broken.difference(&all).collect();
                assert!(stray.is_empty(), "{}, {}: {stray:?}", operation.name, mutant.description);
            }
        }
    }
}
