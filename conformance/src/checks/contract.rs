//! Stories generated from the schemas, one per operation: every request with one fault, no credentials, unknown
//! fields, old spellings of the operation and of its fields.
//!
//! What is demanded must be known: a text that no recorded or written story has seen an operation answer is expected
//! at level SHOULD only.

use super::faults::{Evidence, expectation};
use crate::runner::CONTRACT;
use crate::scenario::{Compare, Expected, Level, Scenario, Step};
use serde_json::{Map, Value, json};
use spec::sample::SampleNames;
use spec::{AccessRole, Operation};
use std::collections::HashSet;

/// The names that the generated requests use; each run puts its own in their place.
const DATABASE: &str = "contract_data";
const TABLE: &str = "sample";
const ROLE: &str = "contract_role";
const USER: &str = "contract_user";

/// Categories whose reading operations answer a generated request with success.
const READABLE: [&str; 3] = ["databases-tables", "nosql", "users-roles"];

/// Operations whose generated requests could do harm if a target took them for valid ones.
const HARMFUL: [&str; 3] = ["restart", "restart_service", "set_configuration"];

/// Operations that list what all stories make.
const SHARED: [&str; 3] = ["describe_all", "list_users", "list_roles"];

/// The generated stories; `known` are the recorded and written ones, as evidence.
pub fn scenarios(known: &[Scenario]) -> Vec<Scenario> {
    let evidence = Evidence::new(known);
    let names = SampleNames {
        database: DATABASE.to_owned(),
        table: TABLE.to_owned(),
        primary_key: "id".to_owned(),
        attribute: "name".to_owned(),
        role: ROLE.to_owned(),
        username: USER.to_owned(),
    };
    spec::registry().operations().iter().filter_map(|operation| story(operation, &names, &evidence)).collect()
}

fn story(operation: &Operation, names: &SampleNames, evidence: &Evidence) -> Option<Scenario> {
    let valid = spec::sample::valid_request(operation, names)?;
    let mut steps = Steps { operation, steps: Vec::new(), ids: HashSet::new() };
    if operation.access.role != AccessRole::None {
        steps.nobody(&valid);
    }
    let reads =
        !operation.mutates && !operation.starts_job && READABLE.contains(&operation.category.as_str());
    if reads {
        steps.reading(&valid);
    }
    if !HARMFUL.contains(&operation.name.as_str()) {
        steps.faults(&valid, evidence);
    }
    let uses = |field: &str| valid.get(field).is_some();
    let tables = uses("database") && operation.category != "users-roles";
    let (setup, teardown) = if tables { fixture() } else { (Vec::new(), Vec::new()) };
    (!steps.steps.is_empty()).then(|| Scenario {
        operations: vec![operation.name.clone()],
        names: [DATABASE, ROLE, USER].map(str::to_owned).to_vec(),
        serial: SHARED.contains(&operation.name.as_str()),
        setup,
        steps: steps.steps,
        teardown,
        ..Scenario::new(
            format!("{CONTRACT}/{}", operation.name),
            format!("what the schema of {} says of its requests", operation.name),
        )
    })
}

/// A table with one record, and its end.
fn fixture() -> (Vec<Step>, Vec<Step>) {
    let setup = vec![
        Step::running(
            json!({"operation": "create_table", "database": DATABASE, "table": TABLE, "primary_key": "id"}),
        ),
        Step::running(
            json!({"operation": "insert", "database": DATABASE, "table": TABLE, "records": [{"id": 1, "name": "sample"}]}),
        ),
    ];
    (setup, vec![Step::running(json!({"operation": "drop_database", "database": DATABASE}))])
}

struct Steps<'a> {
    operation: &'a Operation,
    steps: Vec<Step>,
    ids: HashSet<String>,
}

impl Steps<'_> {
    fn add(&mut self, id: &str, name: String, requirements: &[&str], step: Step) {
        let mut unique = slug(id);
        let mut number = 2;
        while !self.ids.insert(unique.clone()) {
            unique = format!("{}-{number}", slug(id));
            number += 1;
        }
        let requirements = requirements.iter().map(|id| (*id).to_owned()).collect();
        self.steps.push(Step { id: Some(unique), name: Some(name), requirements, ..step });
    }

    /// Without credentials every operation is refused.
    fn nobody(&mut self, valid: &Value) {
        let step = Step {
            who: Some("nobody".to_owned()),
            request: Some(valid.clone()),
            response: Some(answer(401, json!({"error": "Must login"}))),
            ..Step::default()
        };
        self.add("nobody", "without credentials".to_owned(), &["HTTP-AUTH-002"], step);
    }

    /// A request that only reads may be sent in all its spellings.
    fn reading(&mut self, valid: &Value) {
        let own = self.operation.requirements.first().map_or("HTTP-ANSWER-001", |own| own.id.as_str());
        let step = Step {
            request: Some(valid.clone()),
            response: Some(Expected::status(200)),
            compare: Compare { status_only: true, ..Compare::default() },
            ..Step::default()
        };
        self.add("valid", "a valid request".to_owned(), &[own], step);
        let alike = |request: Value| Step {
            request: Some(request),
            same_as: Some("valid".to_owned()),
            ..Step::default()
        };
        let mut unknown = valid.clone();
        unknown["no_such_field"] = json!({"a": 1});
        self.add(
            "unknown-field",
            "an unknown field is ignored".to_owned(),
            &["DB-VALIDATION-002"],
            alike(unknown),
        );
        for alias in &self.operation.aliases {
            let mut request = valid.clone();
            request["operation"] = json!(alias.name);
            let name = format!("the same as {}", alias.name);
            self.add(&format!("as-{}", alias.name), name, &["DB-NAME-008"], alike(request));
        }
        for alias in &self.operation.field_aliases {
            let Some(request) = respelt(valid, &alias.field, &alias.alias) else {
                continue;
            };
            let requirement = if alias.alias == "schema" { "DB-NAME-001" } else { own };
            let name = format!("{} spelt {}", alias.field, alias.alias);
            self.add(&format!("{}-as-{}", alias.field, alias.alias), name, &[requirement], alike(request));
        }
    }

    /// Every request with one fault is refused, in the documented words.
    fn faults(&mut self, valid: &Value, evidence: &Evidence) {
        let mut first = None;
        for mutant in spec::mutate::one_fault_requests(self.operation, valid) {
            let Some(expected) = expectation(self.operation, &mutant, evidence) else {
                continue;
            };
            let step = Step {
                request: Some(mutant.request.clone()),
                response: Some(answer(expected.status, expected.body)),
                level: expected.level,
                compare: expected.compare,
                note: expected.note,
                ..Step::default()
            };
            let requirements: Vec<&str> = expected.requirements.iter().map(String::as_str).collect();
            self.add(&mutant.description, mutant.description.clone(), &requirements, step);
            if expected.level == Level::Must && first.is_none() {
                let id = self.steps.last().and_then(|step| step.id.clone());
                first = id.map(|id| (id, mutant.request));
            }
        }
        let Some((id, request)) = first else {
            return;
        };
        for alias in &self.operation.aliases {
            let mut request = request.clone();
            request["operation"] = json!(alias.name);
            let step = Step { request: Some(request), same_as: Some(id.clone()), ..Step::default() };
            let name = format!("{} refuses the same", alias.name);
            self.add(&format!("fault-as-{}", alias.name), name, &["DB-NAME-008"], step);
        }
    }
}

fn answer(status: u16, body: Value) -> Expected {
    let content_type = Some("application/json".to_owned());
    Expected { content_type, body: Some(body), ..Expected::status(status) }
}

/// The request with a field under another name, in its place; `None` when it is not sent.
fn respelt(request: &Value, field: &str, alias: &str) -> Option<Value> {
    let members = request.as_object()?;
    members.get(field)?;
    let renamed: Map<String, Value> = members
        .iter()
        .map(|(name, value)| (if name == field { alias.to_owned() } else { name.clone() }, value.clone()))
        .collect();
    Some(Value::Object(renamed))
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            _ if out.is_empty() || out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::check_scenario;

    fn generated() -> Vec<Scenario> {
        scenarios(&crate::scenario::embedded().unwrap().scenarios)
    }

    #[test]
    fn every_operation_has_a_sound_story() {
        let stories = generated();
        for story in &stories {
            check_scenario(story).unwrap_or_else(|problem| panic!("{}: {problem}", story.id));
        }
        let told: HashSet<&str> = stories.iter().filter_map(Scenario::only_operation).collect();
        // Of an operation that needs no credentials and takes no fields there is nothing to say.
        let telling = |operation: &&&Operation| operation.access.role != AccessRole::None;
        for operation in spec::registry().operations().iter().filter(telling) {
            assert!(told.contains(operation.name.as_str()), "nothing is generated for {}", operation.name);
        }
    }

    #[test]
    fn what_was_recorded_is_demanded_and_the_rest_recommended() {
        let stories = generated();
        let find = |id: &str| stories.iter().find(|story| story.id == id).unwrap();
        let step = |id: &str, step: &str| {
            let story = find(id);
            story.steps.iter().find(|s| s.id.as_deref() == Some(step)).unwrap_or_else(|| {
                panic!(
                    "{:?}",
                    story.steps.iter().map(|s| s.id.clone().unwrap_or_default()).collect::<Vec<_>>()
                )
            })
        };
        let missing = step("contract/insert", "records-is-left-out");
        assert_eq!(missing.level, Level::Must);
        assert_eq!(missing.response.as_ref().unwrap().body, Some(json!({"error": "'records' is required"})));
        assert_eq!(step("contract/search_by_conditions", "conditions-is-left-out").level, Level::Should);
        assert_eq!(
            step("contract/describe_database", "as-describe_schema").same_as.as_deref(),
            Some("valid")
        );
    }
}
