//! Checking a configuration tree. The messages are those of the API, all faults together in the order of the rules.

use crate::value::{Object, Value, number_text};
use std::path::{Path, PathBuf};

/// What a value has to be.
#[derive(Debug)]
pub(super) enum Rule {
    Any,
    Boolean,
    Number {
        min: f64,
        max: f64,
    },
    Text,
    /// A text of several; two faults when it is no text.
    TextOf(&'static [&'static str]),
    /// A value of several.
    OneOf(&'static [&'static str]),
    /// A path by its characters.
    Path,
    /// A path that exists.
    ExistingPath,
    /// A number with G, M or K.
    MaxSize,
    /// A number with D, H or M.
    Interval,
    Array,
    ListOf(&'static Rule),
    Section(&'static [Member]),
    /// One of several.
    Either(&'static [Rule]),
    /// The rule, or null.
    OrNull(&'static Rule),
}

/// A key of a section.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: &'static str,
    pub(super) rule: Rule,
    pub(super) required: bool,
}

/// One fault.
struct Fault {
    /// How deep below the value that was checked it lies.
    below: usize,
    /// The name of the type that was expected, when that is the fault.
    expected: Option<&'static str>,
    text: String,
}

/// Checks a tree. Relative paths that must exist are looked for below `root`.
///
/// # Errors
/// All faults as one text.
pub(super) fn check(members: &'static [Member], tree: &Object, root: &Path) -> Result<(), String> {
    let mut checker = Checker { root, path: Vec::new() };
    let faults = checker.section(members, tree);
    if faults.is_empty() {
        return Ok(());
    }
    Err(faults.into_iter().map(|fault| fault.text).collect::<Vec<_>>().join(". "))
}

struct Checker<'r> {
    root: &'r Path,
    path: Vec<String>,
}

/// The largest whole number a double holds exactly.
const SAFE: f64 = 9_007_199_254_740_991.0;

impl Checker<'_> {
    fn label(&self) -> String {
        format!("'{}'", self.path.join("."))
    }

    fn fault(&self, text: &str) -> Vec<Fault> {
        vec![Fault { below: 0, expected: None, text: format!("{} {text}", self.label()) }]
    }

    fn plain(text: impl Into<String>) -> Vec<Fault> {
        vec![Fault { below: 0, expected: None, text: text.into() }]
    }

    fn wrong_type(&self, expected: &'static str, told: &str) -> Vec<Fault> {
        vec![Fault { below: 0, expected: Some(expected), text: format!("{} must be {told}", self.label()) }]
    }

    fn section(&mut self, members: &'static [Member], section: &Object) -> Vec<Fault> {
        let mut faults = Vec::new();
        for member in members {
            self.path.push(member.key.to_owned());
            match section.get(member.key) {
                Some(value) => faults.extend(self.value(&member.rule, value).into_iter().map(one_deeper)),
                None if member.required => {
                    faults.extend(self.fault("is required").into_iter().map(one_deeper))
                }
                None => {}
            }
            self.path.pop();
        }
        faults
    }

    fn value(&mut self, rule: &'static Rule, value: &Value) -> Vec<Fault> {
        match rule {
            Rule::Any => Vec::new(),
            Rule::OrNull(_) if value.is_null() => Vec::new(),
            Rule::OrNull(rule) => self.value(rule, value),
            Rule::Boolean if value.as_bool().is_some() => Vec::new(),
            Rule::Boolean => self.wrong_type("boolean", "a boolean"),
            Rule::Number { min, max } => self.number(*min, *max, value),
            Rule::Array if value.as_array().is_some() => Vec::new(),
            Rule::Array => self.wrong_type("array", "an array"),
            Rule::ListOf(rule) => self.list(rule, value),
            Rule::Section(members) => match value.as_object() {
                Some(section) => self.section(members, section),
                None => self.wrong_type("object", "of type object"),
            },
            Rule::Either(rules) => self.either(rules, value),
            Rule::OneOf(allowed) => self.one_of(allowed, value),
            Rule::TextOf(allowed) => {
                let mut faults = self.one_of(allowed, value);
                faults.extend(self.text(value, |_, _| Vec::new()));
                faults
            }
            Rule::Text => self.text(value, |_, _| Vec::new()),
            Rule::Path => self.text(value, |checker, text| match path_like(text) {
                true => Vec::new(),
                false => {
                    checker.fault(&format!("with value '{text}' fails to match the directory path pattern"))
                }
            }),
            Rule::ExistingPath => self.text(value, Checker::existing),
            Rule::MaxSize => {
                self.text(value, |_, text| with_unit(text, &['G', 'M', 'K'], "maxSize", "G, M or K", "10M"))
            }
            Rule::Interval => self.text(value, |_, text| {
                with_unit(text, &['D', 'H', 'M'], "interval", "D, H or M (minutes)", "10D")
            }),
        }
    }

    fn number(&self, min: f64, max: f64, value: &Value) -> Vec<Fault> {
        let Value::Number(number) = value else { return self.wrong_type("number", "a number") };
        if number.abs() > SAFE {
            return self.fault("must be a safe number");
        }
        if *number < min {
            return self.fault(&format!("must be greater than or equal to {}", number_text(min)));
        }
        if *number > max {
            return self.fault(&format!("must be less than or equal to {}", number_text(max)));
        }
        Vec::new()
    }

    fn text(&self, value: &Value, then: impl FnOnce(&Self, &str) -> Vec<Fault>) -> Vec<Fault> {
        match value {
            Value::String(text) if text.is_empty() => self.fault("is not allowed to be empty"),
            Value::String(text) => then(self, text),
            _ => self.wrong_type("string", "a string"),
        }
    }

    fn one_of(&self, allowed: &[&str], value: &Value) -> Vec<Fault> {
        match value.as_str() {
            Some(text) if allowed.contains(&text) => Vec::new(),
            _ => self.fault(&format!("must be one of [{}]", allowed.join(", "))),
        }
    }

    fn existing(&self, text: &str) -> Vec<Fault> {
        let path = resolved(self.root, text);
        match path.exists() {
            true => Vec::new(),
            false => Self::plain(format!("Specified path {} does not exist.", path.display())),
        }
    }

    fn list(&mut self, rule: &'static Rule, value: &Value) -> Vec<Fault> {
        let Some(items) = value.as_array() else { return self.wrong_type("array", "an array") };
        let mut faults = Vec::new();
        let Some(section) = self.path.last().cloned() else { return faults };
        for (number, item) in items.iter().enumerate() {
            if let Some(last) = self.path.last_mut() {
                *last = format!("{section}[{number}]");
            }
            faults.extend(self.value(rule, item).into_iter().map(one_deeper));
        }
        if let Some(last) = self.path.last_mut() {
            *last = section;
        }
        faults
    }

    /// Nothing but wrong types: the types are named. One alternative that fits by its type: its fault is told.
    fn either(&mut self, rules: &'static [Rule], value: &Value) -> Vec<Fault> {
        let mut types = Vec::new();
        let mut others = Vec::new();
        for rule in rules {
            let mut faults = self.value(rule, value);
            match (faults.pop(), faults.is_empty()) {
                (None, _) => return Vec::new(),
                (Some(Fault { below: 0, expected: Some(expected), .. }), true) => types.push(expected),
                (Some(fault), true) => others.push(fault),
                (Some(_), false) => return self.fault("does not match any of the allowed types"),
            }
        }
        match (others.pop(), others.is_empty()) {
            (None, _) => self.fault(&format!("must be one of [{}]", types.join(", "))),
            (Some(fault), true) => vec![fault],
            (Some(_), false) => self.fault("does not match any of the allowed types"),
        }
    }
}

fn one_deeper(fault: Fault) -> Fault {
    Fault { below: fault.below + 1, ..fault }
}

/// The place of a path: as it is, below the home folder, or below the root folder.
pub(super) fn resolved(root: &Path, text: &str) -> PathBuf {
    match text.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => root.join(text),
    }
}

/// Whether a text ends like a path; the API checks no more of it.
fn path_like(text: &str) -> bool {
    text.ends_with(|c: char| matches!(c, '\\' | '/' | '_' | ':' | '-') || c.is_ascii_alphanumeric())
}

fn with_unit(text: &str, units: &[char], key: &str, shown: &str, example: &str) -> Vec<Fault> {
    let Some(size) = text.strip_suffix(|c: char| units.contains(&c)) else {
        return Checker::plain(format!("Invalid logging.rotation.{key} unit. Available units are {shown}"));
    };
    let digits = size.trim_start().trim_start_matches(['+', '-']);
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Vec::new();
    }
    Checker::plain(format!(
        "Invalid logging.rotation.{key} value. Value should be a number followed by unit e.g. '{example}'"
    ))
}
