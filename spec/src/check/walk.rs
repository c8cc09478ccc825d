//! The walk over a request schema.

use serde_json::{Map, Number, Value};

use super::Violation;
use super::text::{self, Subject};
use super::values::{all_differ, coerced, has_type, is_listed, is_true, matches, same};
use crate::file::{FieldAlias, Wins};
use crate::operation::Operation;
use crate::schema::resolved;

/// Where in the request a value is, and what it is called in messages.
pub(crate) struct Place<'a> {
    pointer: String,
    /// The first is the value's own; faults are repeated under the others.
    labels: Vec<String>,
    /// How many values it is inside.
    depth: usize,
    /// Set at the root alone, where fields have other spellings.
    operation: Option<&'a Operation>,
}

impl<'a> Place<'a> {
    pub(crate) fn root(operation: &'a Operation) -> Place<'a> {
        Place {
            pointer: String::new(),
            labels: vec!["value".to_owned()],
            depth: 0,
            operation: Some(operation),
        }
    }

    /// A place of no consequence, for values whose messages nobody reads.
    pub(crate) fn anywhere() -> Place<'static> {
        Place { pointer: String::new(), labels: vec!["value".to_owned()], depth: 0, operation: None }
    }

    fn label(&self) -> &str {
        &self.labels[0]
    }

    /// The place of a member. `named` is the schema that may give it other labels.
    fn member(&self, name: &str, named: Option<&Map<String, Value>>) -> Place<'static> {
        let own = named.and_then(|schema| schema.get("x-label")).and_then(Value::as_str).unwrap_or(name);
        let also = named.and_then(|schema| schema.get("x-also-report")).and_then(Value::as_array);
        let mut labels = vec![self.inside(own)];
        for other in also.into_iter().flatten().filter_map(Value::as_str) {
            labels.push(self.inside(other));
        }
        let step = name.replace('~', "~0").replace('/', "~1");
        Place { pointer: format!("{}/{step}", self.pointer), labels, depth: self.depth + 1, operation: None }
    }

    fn item(&self, index: usize) -> Place<'static> {
        Place {
            pointer: format!("{}/{index}", self.pointer),
            labels: vec![format!("{}[{index}]", self.label())],
            depth: self.depth + 1,
            operation: None,
        }
    }

    fn inside(&self, name: &str) -> String {
        if self.pointer.is_empty() { name.to_owned() } else { format!("{}.{name}", self.label()) }
    }
}

/// How deep a value may be that is walked, as conditions may hold conditions and the stack is finite. Only
/// requests that the strict schema refuses come here, so what lies deeper may well be what is wrong.
const MAX_DEPTH: usize = 128;

/// How many faults of the items of one array are reported, so that a small request has no huge answer.
const MAX_ITEM_FAULTS: usize = 1000;

/// The text for several unknown members at once, under `x-messages`.
const SEVERAL_UNKNOWN: &str = "severalAdditionalProperties";

/// The faults of one value.
struct Faults<'a> {
    schema: &'a Map<String, Value>,
    value: &'a Value,
    place: &'a Place<'a>,
    found: Vec<Violation>,
}

/// All faults of a value under a schema whose reference is resolved.
pub(crate) fn faults(schema: &Map<String, Value>, value: &Value, place: &Place<'_>) -> Vec<Violation> {
    if is_absent(schema, value) {
        return Vec::new();
    }
    if place.depth > MAX_DEPTH {
        return vec![violation(schema, "depth", value, place)];
    }
    let value = coerced(schema, value);
    let mut faults = Faults { schema, value: &value, place, found: Vec::new() };
    faults.check();
    let mut found = faults.found;
    for other in place.labels.iter().skip(1).filter(|other| *other != place.label()) {
        let again: Vec<Violation> = found
            .iter()
            .filter(|violation| violation.pointer == place.pointer)
            .map(|violation| Violation {
                message: violation.message.replace(&format!("'{}'", place.label()), &format!("'{other}'")),
                ..violation.clone()
            })
            .collect();
        found.extend(again);
    }
    found
}

/// The faults under any schema, also `true` and `false`.
fn faults_of(schema: &Value, value: &Value, place: &Place<'_>) -> Vec<Violation> {
    match schema {
        Value::Object(schema) => faults(&resolved(schema), value, place),
        Value::Bool(false) => vec![violation(&Map::new(), "false", value, place)],
        _ => Vec::new(),
    }
}

fn violation(schema: &Map<String, Value>, keyword: &str, value: &Value, place: &Place<'_>) -> Violation {
    let subject = Subject { label: place.label(), value: Some(value), key: "" };
    Violation {
        pointer: place.pointer.clone(),
        keyword: keyword.to_owned(),
        message: text::message(schema, keyword, &subject),
    }
}

impl Faults<'_> {
    fn check(&mut self) {
        // As in the original validator: a value outside a list of allowed ones is also checked for its
        // type, one of a wrong type for nothing more.
        for (keyword, argument) in self.schema {
            let holds = match keyword.as_str() {
                "enum" => is_listed(self.schema, argument, self.value),
                "const" => same(argument, self.value),
                _ => continue,
            };
            if !holds {
                self.add(keyword);
            }
        }
        if !self.check_type() {
            return;
        }
        for (keyword, argument) in self.schema {
            if !self.check_keyword(keyword, argument) {
                return;
            }
        }
    }

    fn add(&mut self, keyword: &str) {
        self.found.push(violation(self.schema, keyword, self.value, self.place));
    }

    fn add_at(&mut self, keyword: &str, place: &Place<'_>, key: &str, schema: &Map<String, Value>) {
        let subject = Subject { label: place.label(), value: None, key };
        let message = text::message(schema, keyword, &subject);
        self.found.push(Violation { pointer: place.pointer.clone(), keyword: keyword.to_owned(), message });
    }

    /// False when the value has none of the types, which ends its checks.
    fn check_type(&mut self) -> bool {
        let types: Vec<&str> = match self.schema.get("type") {
            None => return true,
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(name) => name.as_str().into_iter().collect(),
        };
        if types.iter().any(|name| has_type(name, self.value)) {
            return true;
        }
        if self.value.is_number() && types.contains(&"integer") {
            self.add("integer");
            return true;
        }
        self.add("type");
        false
    }

    /// False when the other keywords need not be looked at.
    fn check_keyword(&mut self, keyword: &str, argument: &Value) -> bool {
        match self.value {
            Value::String(text) => return self.check_text(keyword, argument, text),
            Value::Number(number) => self.check_number(keyword, argument, number),
            Value::Array(items) => self.check_items(keyword, argument, items),
            Value::Object(members) => self.check_members(keyword, argument, members),
            Value::Null | Value::Bool(_) => self.check_any(keyword, argument),
        }
        true
    }

    fn check_text(&mut self, keyword: &str, argument: &Value, value: &str) -> bool {
        let length = || value.chars().count() as u64;
        let bound = argument.as_u64();
        let holds = match keyword {
            "minLength" => bound.is_none_or(|bound| length() >= bound),
            "maxLength" => bound.is_none_or(|bound| length() <= bound),
            "pattern" => argument.as_str().is_none_or(|pattern| matches(pattern, value)),
            _ => {
                self.check_any(keyword, argument);
                true
            }
        };
        if !holds {
            self.add(keyword);
        }
        // nothing more is said of an empty text
        holds || keyword != "minLength" || !value.is_empty()
    }

    fn check_number(&mut self, keyword: &str, argument: &Value, number: &Number) {
        let (Some(value), Some(bound)) = (number.as_f64(), argument.as_f64()) else {
            return self.check_any(keyword, argument);
        };
        let holds = match keyword {
            "minimum" => value >= bound,
            "maximum" => value <= bound,
            "exclusiveMinimum" => value > bound,
            "exclusiveMaximum" => value < bound,
            "multipleOf" => (value / bound).fract() == 0.0,
            _ => return,
        };
        if !holds {
            self.add(keyword);
        }
    }

    fn check_items(&mut self, keyword: &str, argument: &Value, items: &[Value]) {
        let count = items.len() as u64;
        let bound = argument.as_u64();
        let holds = match keyword {
            "minItems" => bound.is_none_or(|bound| count >= bound),
            "maxItems" => bound.is_none_or(|bound| count <= bound),
            "uniqueItems" => argument != &Value::Bool(true) || all_differ(items),
            "items" => {
                let before = self.schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                return self.check_each(argument, items.iter().enumerate().skip(before));
            }
            "prefixItems" => {
                for (schema, item) in argument.as_array().into_iter().flatten().zip(items.iter().enumerate())
                {
                    self.check_each(schema, std::iter::once(item));
                }
                return;
            }
            _ => return self.check_any(keyword, argument),
        };
        if !holds {
            self.add(keyword);
        }
    }

    fn check_each<'i>(&mut self, schema: &Value, items: impl Iterator<Item = (usize, &'i Value)>) {
        let mut found = Vec::new();
        for (index, item) in items {
            found.extend(faults_of(schema, item, &self.place.item(index)));
            if found.len() >= MAX_ITEM_FAULTS {
                break;
            }
        }
        if text::has_own(self.schema, "items") {
            if !found.is_empty() {
                self.add("items");
            }
        } else {
            self.found.extend(found);
        }
    }

    fn check_members(&mut self, keyword: &str, argument: &Value, members: &Map<String, Value>) {
        match keyword {
            "properties" => self.check_properties(members),
            // with the properties, so that the order is theirs
            "required" if !self.schema.contains_key("properties") => self.check_properties(members),
            "required" => {}
            "additionalProperties" => self.check_unknown(argument, members),
            "patternProperties" => {
                for (pattern, schema) in argument.as_object().into_iter().flatten() {
                    for (name, value) in members.iter().filter(|(name, _)| matches(pattern, name)) {
                        self.found.extend(faults_of(schema, value, &self.place.member(name, None)));
                    }
                }
            }
            "propertyNames" => {
                for name in members.keys() {
                    let as_value = Value::String(name.clone());
                    self.found.extend(faults_of(argument, &as_value, &self.place.member(name, None)));
                }
            }
            "minProperties" if argument.as_u64().is_some_and(|bound| (members.len() as u64) < bound) => {
                self.add(keyword);
            }
            "maxProperties" if argument.as_u64().is_some_and(|bound| members.len() as u64 > bound) => {
                self.add(keyword);
            }
            "dependentRequired" => {
                for (name, peers) in argument.as_object().into_iter().flatten() {
                    let peers = peers.as_array().into_iter().flatten().filter_map(Value::as_str);
                    for peer in
                        peers.filter(|peer| members.contains_key(name) && !members.contains_key(*peer))
                    {
                        self.add_at(keyword, &self.place.member(name, None), peer, self.schema);
                    }
                }
            }
            _ => self.check_any(keyword, argument),
        }
    }

    fn check_properties(&mut self, members: &Map<String, Value>) {
        let none = Map::new();
        let properties = self.schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required = self.schema.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, schema) in properties {
            if self.place.operation.is_some() && name == "operation" {
                continue;
            }
            let plain = schema.as_object().map(resolved);
            let mut place = self.place.member(name, plain.as_deref());
            let aliases: Vec<&FieldAlias> =
                self.place.operation.into_iter().flat_map(|operation| operation.aliases_of(name)).collect();
            let overruled =
                aliases.iter().any(|alias| alias.wins == Wins::Alias && members.contains_key(&alias.alias));
            let mut present = is_present(plain.as_deref(), members.get(name));
            if place.labels.len() > 1 && members.get(name).is_some_and(is_falsy) {
                // Such a value is not put in the place of the other field, which may then be missing.
                present &= place.label() == self.place.inside(name)
                    || aliases.iter().any(|alias| members.contains_key(&alias.alias));
                if !present && required.contains(&name.as_str()) {
                    self.add_at("required", &place, "", plain.as_deref().unwrap_or(&none));
                }
                place.labels = vec![self.place.inside(name)];
                present = true;
            }
            if !overruled {
                self.check_member(name, schema, members, &place);
            }
            for alias in aliases {
                let listed = properties.contains_key(&alias.alias);
                // The value of the winning spelling was put in the place of the other, which nobody sees any more.
                let overruled = alias.wins == Wins::Field
                    && members.contains_key(name)
                    && place.labels.contains(&alias.alias);
                if !listed && !overruled {
                    let mut other = self.place.member(&alias.alias, plain.as_deref());
                    other.labels.truncate(1);
                    self.check_member(&alias.alias, schema, members, &other);
                }
                present |= is_present(plain.as_deref(), members.get(&alias.alias));
            }
            if !present && required.contains(&name.as_str()) {
                self.add_at("required", &place, "", plain.as_deref().unwrap_or(&none));
            }
        }
        for name in required.into_iter().filter(|name| !properties.contains_key(*name)) {
            let known_elsewhere = self.place.operation.is_some() && name == "operation";
            if !known_elsewhere && !members.contains_key(name) {
                self.add_at("required", &self.place.member(name, None), "", self.schema);
            }
        }
    }

    fn check_member(&mut self, name: &str, schema: &Value, members: &Map<String, Value>, place: &Place<'_>) {
        if let Some(value) = members.get(name) {
            self.found.extend(faults_of(schema, value, place));
        }
    }

    fn check_unknown(&mut self, argument: &Value, members: &Map<String, Value>) {
        let unknown: Vec<(&String, &Value)> =
            members.iter().filter(|(name, _)| !self.is_known(name)).collect();
        let several = unknown.len() > 1 && text::has_own(self.schema, SEVERAL_UNKNOWN);
        match argument {
            Value::Bool(false) if several => {
                let names: Vec<String> = unknown.iter().map(|(name, _)| format!("'{name}'")).collect();
                self.add_at(
                    SEVERAL_UNKNOWN,
                    &self.place.member(unknown[0].0, None),
                    &names.join(", "),
                    self.schema,
                );
            }
            Value::Bool(false) => {
                for (name, _) in unknown {
                    self.add_at("additionalProperties", &self.place.member(name, None), name, self.schema);
                }
            }
            _ => {
                for (name, value) in unknown {
                    self.found.extend(faults_of(argument, value, &self.place.member(name, None)));
                }
            }
        }
    }

    /// Whether a member is among the schema's properties and patterns, or another spelling of a field.
    fn is_known(&self, name: &str) -> bool {
        let listed = self.schema.get("properties").is_some_and(|listed| listed.get(name).is_some());
        let mut patterns =
            self.schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        let spelling = |operation: &Operation| name == "operation" || operation.alias(name).is_some();
        listed
            || patterns.any(|(pattern, _)| matches(pattern, name))
            || self.place.operation.is_some_and(spelling)
    }

    /// The keywords that join schemas.
    fn check_any(&mut self, keyword: &str, argument: &Value) {
        let (schema, value, place) = (self.schema, self.value, self.place);
        let fits = |schema: &Value| faults_of(schema, value, place).is_empty();
        let branches = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match keyword {
            "allOf" => {
                for branch in branches {
                    self.found.extend(faults_of(branch, value, place));
                }
            }
            "anyOf" if !branches.iter().any(fits) => self.add(keyword),
            "oneOf" if branches.iter().filter(|branch| fits(branch)).count() != 1 => self.add(keyword),
            "not" if fits(argument) => self.add(keyword),
            "if" => {
                let then = schema.get(if fits(argument) { "then" } else { "else" });
                self.found.extend(then.map(|then| faults_of(then, value, place)).unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn is_present(schema: Option<&Map<String, Value>>, value: Option<&Value>) -> bool {
    value.is_some_and(|value| !schema.is_some_and(|schema| is_absent(schema, value)))
}

/// Whether a value counts as none.
fn is_absent(schema: &Map<String, Value>, value: &Value) -> bool {
    value.is_null() && is_true(schema, "x-nullable") || is_falsy(value) && is_true(schema, "x-falsy-absent")
}

/// Whether JavaScript takes a value for false.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}
