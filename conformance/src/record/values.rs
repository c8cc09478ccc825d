//! Values that must not stand in a scenario: secrets, for which others are put, and values of the one run, which a
//! replay takes from its own answers.

use crate::secrets::{MASK, Secrets};
use crate::target::Credentials;
use crate::tokens;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// What stands in place of the values of one recording.
#[derive(Debug)]
pub(super) struct Values {
    admin: Credentials,
    roots: Vec<String>,
    /// Password → what is written for it.
    passwords: BTreeMap<String, String>,
    /// Volatile value, as JSON → the step whose answer had it first, and where.
    met: HashMap<String, (usize, String)>,
    /// Volatile value, as JSON → its variable.
    saved: HashMap<String, String>,
    /// Step → variable → pointer.
    saves: BTreeMap<usize, Map<String, Value>>,
}

impl Values {
    pub(super) fn new(admin: Credentials, roots: Vec<String>) -> Self {
        Values {
            admin,
            roots,
            passwords: BTreeMap::new(),
            met: HashMap::new(),
            saved: HashMap::new(),
            saves: BTreeMap::new(),
        }
    }

    /// What is written for a password: another one, the same each time.
    pub(super) fn password(&mut self, password: &str) -> String {
        if password == self.admin.password {
            return "${admin_password}".to_owned();
        }
        let next = self.passwords.len() + 1;
        self.passwords.entry(password.to_owned()).or_insert_with(|| format!("{STAND_IN}{next}")).clone()
    }

    /// Notes the passwords in a request.
    pub(super) fn note_passwords(&mut self, request: &Value) {
        match request {
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str() {
                        Some(password) if name == "password" && !password.is_empty() => {
                            self.password(password);
                        }
                        _ => self.note_passwords(member),
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.note_passwords(element)),
            _ => {}
        }
    }

    /// A request's value with others in place of its secrets and of what earlier answers brought. False when a secret
    /// is left out, so that a replay asks something else.
    pub(super) fn request(&mut self, value: &Value) -> (Value, bool) {
        let replaced = self.replaced(value);
        let clean = without_secrets(&replaced);
        let whole = clean == replaced;
        (clean, whole)
    }

    fn replaced(&mut self, value: &Value) -> Value {
        if let Some(variable) = self.variable(value) {
            return Value::from(format!("${{{variable}}}"));
        }
        match value {
            Value::String(text) => Value::from(self.text(text)),
            Value::Array(elements) => elements.iter().map(|element| self.replaced(element)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| {
                    let known = member.as_str().filter(|text| name == "password" && !text.is_empty());
                    let member = match known {
                        Some(password) => Value::from(self.password(password)),
                        None => self.replaced(member),
                    };
                    (self.text(name), member)
                })
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// A text of a request.
    pub(super) fn text(&mut self, text: &str) -> String {
        if text == self.admin.username {
            return "${admin_username}".to_owned();
        }
        let mut out = spelt(text);
        let met: Vec<String> =
            self.met.keys().filter_map(|key| serde_json::from_str::<String>(key).ok()).collect();
        for value in met {
            if out.contains(&value)
                && let Some(variable) = self.variable(&json!(value))
            {
                out = out.replace(&value, &format!("${{{variable}}}"));
            }
        }
        self.without_passwords(&out)
    }

    /// A text without passwords. Short and ordinary words are known by their place only: a text that holds them by
    /// chance would become another one.
    fn without_passwords(&self, text: &str) -> String {
        let admin = (self.admin.password.as_str(), "${admin_password}");
        let known = self.passwords.iter().map(|(password, other)| (password.as_str(), other.as_str()));
        let mut known: Vec<(&str, &str)> = known.chain([admin]).collect();
        known.sort_by_key(|(password, _)| std::cmp::Reverse(password.len()));
        let mut out = text.to_owned();
        for (password, other) in known {
            if out.contains(password) && Secrets::new([password]).text(password) == MASK {
                out = out.replace(password, other);
            }
        }
        out
    }

    /// The variable for a value that an earlier answer had first.
    pub(super) fn variable(&mut self, value: &Value) -> Option<String> {
        let key = value.to_string();
        let (step, pointer) = self.met.get(&key)?.clone();
        let next = self.saved.len() + 1;
        let name = self.saved.entry(key).or_insert_with(|| format!("saved_{next}")).clone();
        self.saves.entry(step).or_default().insert(name.clone(), Value::from(pointer));
        Some(name)
    }

    /// Notes the volatile values of a step's answer.
    pub(super) fn note(&mut self, step: usize, pointer: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    self.note(step, &below(pointer, name), member);
                }
            }
            Value::Array(elements) => {
                for (n, element) in elements.iter().enumerate() {
                    self.note(step, &format!("{pointer}/{n}"), element);
                }
            }
            leaf => {
                let masked = tokens::mask(leaf, &[]);
                if masked != *leaf && masked.as_str().is_some_and(is_token) {
                    self.met.entry(leaf.to_string()).or_insert_with(|| (step, pointer.to_owned()));
                }
            }
        }
    }

    /// Notes a header's value, up to its first `;`.
    pub(super) fn note_header(&mut self, step: usize, name: &str, value: &str) {
        let value = value.split(';').next().unwrap_or_default();
        self.met.entry(json!(value).to_string()).or_insert_with(|| (step, format!("header:{name}")));
    }

    /// What is expected of an answer's body, and where something is left out of it.
    pub(super) fn expected(&self, body: &Value) -> (Value, Vec<String>) {
        let masked = tokens::mask(body, &self.roots);
        let mut left_out = Vec::new();
        let expected = self.expected_at("", &masked, &mut left_out);
        (expected, left_out)
    }

    fn expected_at(&self, pointer: &str, masked: &Value, left_out: &mut Vec<String>) -> Value {
        match masked {
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| {
                    let pointer = below(pointer, name);
                    let member = if is_secret(name, member) {
                        left_out.push(pointer);
                        json!(MASK)
                    } else {
                        self.expected_at(&pointer, member, left_out)
                    };
                    (name.clone(), member)
                })
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .map(|(n, element)| self.expected_at(&format!("{pointer}/{n}"), element, left_out))
                .collect(),
            Value::String(text) if *text == self.admin.username => json!("${admin_username}"),
            Value::String(text) => json!(Secrets::default().text(&self.without_passwords(&spelt(text)))),
            other => other.clone(),
        }
    }

    /// What a step saves.
    pub(super) fn saves(&self, step: usize) -> Option<&Map<String, Value>> {
        self.saves.get(&step)
    }
}

/// Begins what is written for a password.
const STAND_IN: &str = "Recorded-";

/// A text in which a dollar of the client's own does not look like a variable.
fn spelt(text: &str) -> String {
    text.replace("${", "$${empty}{")
}

fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// True for a member that is secret by its name and says something.
fn is_secret(name: &str, member: &Value) -> bool {
    let harmless =
        |text: &str| is_token(text) || text.starts_with("${") || text.starts_with(STAND_IN) || text == MASK;
    let alone = Secrets::default().value(&json!({name: member}));
    !member.as_str().is_some_and(harmless) && alone[name] == MASK
}

/// A value without secrets; what stands in for one is none.
fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let member = if is_secret(name, member) { json!(MASK) } else { without_secrets(member) };
                (name.clone(), member)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.iter().map(without_secrets).collect(),
        other => Secrets::default().value(other),
    }
}

fn is_token(text: &str) -> bool {
    matches!(text, "[uuid]" | "[iso8601]" | "[epoch_ms]" | "[jwt]" | "[bytes]")
}
