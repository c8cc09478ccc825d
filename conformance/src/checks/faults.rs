//! What a request with one fault must be answered, and how sure that is.

use crate::scenario::{Compare, Level, Scenario};
use serde_json::{Value, json};
use spec::mutate::Mutant;
use spec::{CheckOrder, Operation, ViolationForm};
use std::collections::HashSet;

/// The sentences that recorded and written stories have seen operations answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    sentences: HashSet<(String, String)>,
}

impl Evidence {
    /// Collects every sentence of every error that a story demands.
    pub(super) fn new(known: &[Scenario]) -> Self {
        let mut sentences = HashSet::new();
        for step in known.iter().flat_map(|scenario| &scenario.steps) {
            if !step.is_check()
                || step.level != Level::Must
                || step.compare.ignore.iter().any(|p| p == "/error")
            {
                continue;
            }
            let operation = step.operation().and_then(|name| spec::registry().operation(&name));
            let text =
                step.response.as_ref().and_then(|expected| expected.body.as_ref()?.get("error")?.as_str());
            if let (Some(operation), Some(text)) = (operation, text) {
                for sentence in split(text, &operation.checks.separator) {
                    sentences.insert((operation.name.clone(), sentence.to_owned()));
                }
            }
        }
        Evidence { sentences }
    }

    /// True when an operation was seen to answer every sentence of a text.
    fn covers(&self, operation: &Operation, text: &str) -> bool {
        split(text, &operation.checks.separator)
            .all(|sentence| self.sentences.contains(&(operation.name.clone(), sentence.to_owned())))
    }
}

fn split<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(separator)
}

/// What is expected of the answer to a request with one fault.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) level: Level,
    pub(super) compare: Compare,
    pub(super) note: Option<String>,
    pub(super) requirements: Vec<String>,
}

/// Faults that are known to do lasting harm to a product: what, where, which keyword.
const HAZARDS: [(&str, &str, &str); 1] = [("create_table", "/expiration", "minimum")];

/// `None` when the contract does not say what comes of it, or when it had better not be tried.
pub(super) fn expectation(
    operation: &Operation,
    mutant: &Mutant,
    evidence: &Evidence,
) -> Option<Expectation> {
    if HAZARDS.contains(&(operation.name.as_str(), mutant.pointer.as_str(), mutant.keyword.as_str())) {
        return None;
    }
    let field = mutant.pointer.split('/').nth(1).unwrap_or_default();
    let canonical = operation.canonical_name(field);
    // Existence is reported before, or together with, such a fault.
    let about_existence = matches!(canonical, "database" | "table");
    if about_existence
        && (operation.checks.order == CheckOrder::ExistenceFirst || operation.checks.existence_joined)
    {
        return None;
    }
    let text = operation.check_text(&mutant.request)?;
    let sure = evidence.covers(operation, &text);
    let status = operation.checks.violation_status;
    let body = match operation.checks.violation_form {
        ViolationForm::Plain => json!({"error": text}),
        ViolationForm::BadRequest => json!({"statusCode": 400, "error": "Bad Request", "message": text}),
        ViolationForm::RolePermissions => return None,
    };
    // The names of a generated request mean nothing that exists, which such operations tell in the same text.
    let misses = operation.checks.existence_joined
        && operation.errors.iter().any(|error| error.kind == spec::ErrorKind::NotFound);
    let ignore = if misses { vec!["/error".to_owned()] } else { Vec::new() };
    let (level, note) = if misses {
        (Level::Must, Some("what does not exist is told in the same text".to_owned()))
    } else if sure {
        (Level::Must, None)
    } else {
        (Level::Should, Some("derived from the schema; no recorded answer shows it".to_owned()))
    };
    Some(Expectation {
        status,
        body,
        level,
        compare: Compare { ignore, ..Compare::default() },
        note,
        requirements: requirements(operation, mutant, &text),
    })
}

/// The requirements that a fault bears on: the operation's own that quotes the text, and the one for its kind.
fn requirements(operation: &Operation, mutant: &Mutant, text: &str) -> Vec<String> {
    let quoted = format!("`{text}`");
    let own = operation.requirements.iter().find(|requirement| requirement.text.contains(&quoted));
    let general = match mutant.keyword.as_str() {
        "required" | "minLength" => "DB-VALIDATION-003",
        "type" | "minItems" if text.contains("must be one of [string, number]") => "DB-VALIDATION-005",
        "type" | "enum" => "DB-VALIDATION-004",
        "integer" | "minimum" | "maximum" => "DB-VALIDATION-006",
        "pattern" if text.contains("backticks") => "DB-NAME-006",
        "maxLength" => "DB-NAME-007",
        _ => "DB-VALIDATION-001",
    };
    let is_general = matches!(operation.category.as_str(), "databases-tables" | "nosql");
    let mut found: Vec<String> = own.map(|own| own.id.clone()).into_iter().collect();
    if is_general {
        found.push(general.to_owned());
    }
    if found.is_empty() {
        found.push("HTTP-ERROR-002".to_owned());
    }
    found
}
