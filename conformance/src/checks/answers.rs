//! What must hold for every answer of a run, whatever asked for it.

use super::keywords::{self, Tried};
use crate::event::{Checked, Covered, Kind};
use crate::report::curl;
use crate::runner::{Run, Taken};
use crate::scenario::Level;
use crate::target::{Answer, Exchange, Target};
use crate::verdict::Verdict;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A rule for all answers.
struct Rule {
    id: &'static str,
    title: &'static str,
    requirements: &'static [&'static str],
    level: Level,
    /// Whether the rule says anything about this answer.
    applies: fn(&Exchange, &Answer) -> bool,
    /// What is wrong, if anything.
    fault: fn(&Exchange, &Answer) -> Option<String>,
}

/// True for the answers of operations sent in JSON and answered in the default form.
fn is_plain(exchange: &Exchange, _: &Answer) -> bool {
    let request = &exchange.request;
    request.wire.is_none()
        && request.method == "POST"
        && request.path == "/"
        && request.header("accept").is_none_or(|accept| accept.is_empty() || accept == "*/*")
}

fn is_error(exchange: &Exchange, answer: &Answer) -> bool {
    is_plain(exchange, answer) && answer.status >= 400
}

fn without_origin(exchange: &Exchange, _: &Answer) -> bool {
    exchange.request.wire.is_none() && exchange.request.header("origin").is_none()
}

fn header_like(answer: &Answer, prefix: &str) -> Option<String> {
    answer
        .headers
        .iter()
        .find(|(name, _)| name.starts_with(prefix))
        .map(|(name, value)| format!("'{name}: {value}'"))
}

const RULES: &[Rule] = &[
    Rule {
        id: "success-is-200",
        title: "a success has status 200 and no other",
        requirements: &["HTTP-ANSWER-001"],
        level: Level::Must,
        applies: is_plain,
        fault: |_, answer| {
            let fine = answer.status == 200 || answer.status >= 400;
            (!fine).then(|| format!("status {}", answer.status))
        },
    },
    Rule {
        id: "success-is-no-bare-text",
        title: "a text is answered in an object",
        requirements: &["HTTP-ANSWER-002"],
        level: Level::Must,
        applies: |exchange, answer| is_plain(exchange, answer) && answer.content_type().contains("json"),
        fault: |_, answer| answer.body.is_string().then(|| "the body is a bare string".to_owned()),
    },
    Rule {
        id: "json-has-no-parameters",
        title: "JSON is announced as application/json without parameters",
        requirements: &["HTTP-ANSWER-003"],
        level: Level::Must,
        applies: |exchange, answer| is_plain(exchange, answer) && answer.content_type().contains("json"),
        fault: |_, answer| {
            let kind = answer.content_type();
            let framed = answer.body.get("statusCode").is_some() && kind == "application/json; charset=utf-8";
            (kind != "application/json" && !framed).then(|| format!("content type '{kind}'"))
        },
    },
    Rule {
        id: "errors-are-objects",
        title: "an error is an object with a text in 'error'",
        requirements: &["HTTP-ERROR-001"],
        level: Level::Must,
        applies: |exchange, answer| {
            is_error(exchange, answer) && answer.status != 404 && answer.status != 406
        },
        fault: |_, answer| {
            let body = match &answer.body {
                // A refusal of credentials may lack its content type (HTTP-AUTH-007 is about that).
                Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
                body => body.clone(),
            };
            (!body["error"].is_string()).then(|| "no text in 'error'".to_owned())
        },
    },
    Rule {
        id: "error-status",
        title: "an error has a status that the API uses",
        requirements: &["HTTP-ERROR-002"],
        level: Level::Must,
        applies: is_error,
        fault: |_, answer| {
            let fine =
                matches!(answer.status, 400 | 401 | 403 | 404 | 406 | 409 | 413 | 415 | 431 | 500..=504);
            (!fine).then(|| format!("status {}", answer.status))
        },
    },
    Rule {
        id: "refusals-carry-both-lists",
        title: "a refusal of permission carries both lists, or is one of the texts that stand alone",
        requirements: &["HTTP-ERROR-003", "DB-PERM-001"],
        level: Level::Must,
        applies: |exchange, answer| {
            is_error(exchange, answer)
                && answer.status == 403
                && answer.error().is_some_and(|text| text.starts_with("This operation is not authorized"))
        },
        fault: |_, answer| {
            let lists = ["unauthorized_access", "invalid_schema_items"]
                .iter()
                .all(|name| answer.body[name].is_array());
            let members = answer.body.as_object().map_or(0, serde_json::Map::len);
            (!lists || members != 3).then(|| "not exactly 'error' and the two lists".to_owned())
        },
    },
    Rule {
        id: "no-www-authenticate",
        title: "a 401 does not ask a browser for credentials",
        requirements: &["HTTP-AUTH-008"],
        level: Level::Must,
        applies: |exchange, answer| is_plain(exchange, answer) && answer.status == 401,
        fault: |_, answer| header_like(answer, "www-authenticate"),
    },
    Rule {
        id: "no-cors-without-origin",
        title: "without an origin no answer names an allowed one",
        requirements: &["HTTP-CORS-005"],
        level: Level::Must,
        applies: without_origin,
        fault: |_, answer| {
            header_like(answer, "access-control-allow-origin")
                .or_else(|| header_like(answer, "access-control-allow-credentials"))
        },
    },
    Rule {
        id: "server-timing",
        title: "answers say how long the operation took",
        requirements: &["HTTP-ANSWER-004"],
        level: Level::Should,
        applies: |exchange, answer| is_plain(exchange, answer) && answer.status == 200,
        fault: |_, answer| {
            let timed = answer.header("server-timing").is_some_and(|value| {
                value.strip_prefix("db;dur=").is_some_and(|millis| millis.parse::<f64>().is_ok())
            });
            (!timed).then(|| "no 'Server-Timing: db;dur=…'".to_owned())
        },
    },
];

/// What was seen of one rule or schema.
#[derive(Clone, Debug, Default)]
struct Sightings {
    good: usize,
    bad: usize,
    first: Option<(Exchange, crate::runner::Caller, String)>,
}

/// Every answer of a run, as far as the rules care.
#[derive(Debug, Default)]
pub struct Seen(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rules: BTreeMap<&'static str, Sightings>,
    schemas: BTreeMap<String, Sightings>,
    tried: Tried,
}

impl Seen {
    /// Looks at one exchange.
    pub fn note(&self, taken: &Taken) {
        let Some(answer) = taken.answer() else {
            return;
        };
        let exchange = &taken.exchange;
        let schema_fault = by_schema(exchange, answer);
        let shown = keywords::shown(exchange, answer);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for rule in RULES.iter().filter(|rule| (rule.applies)(exchange, answer)) {
            let fault = (rule.fault)(exchange, answer);
            state.rules.entry(rule.id).or_default().count(fault, taken);
        }
        if let Some((operation, fault)) = schema_fault {
            state.schemas.entry(operation).or_default().count(fault, taken);
        }
        if let Some(shown) = shown {
            state.tried.add(shown);
        }
    }
}

impl Sightings {
    fn count(&mut self, fault: Option<String>, taken: &Taken) {
        match fault {
            None => self.good += 1,
            Some(fault) => {
                self.bad += 1;
                self.first.get_or_insert_with(|| (taken.exchange.clone(), taken.caller.clone(), fault));
            }
        }
    }
}

/// Whether a successful answer has the form that the contract gives it. `None` when the contract says nothing.
fn by_schema(exchange: &Exchange, answer: &Answer) -> Option<(String, Option<String>)> {
    if !is_plain(exchange, answer) || answer.status != 200 || !answer.content_type().contains("json") {
        return None;
    }
    let body = exchange.request.json()?;
    let operation = spec::registry().operation(body.get("operation")?.as_str()?)?;
    let validator = operation.response_validator(answer.status)?;
    let fault = validator.iter_errors(&answer.body).next().map(|error| {
        let place = error.instance_path().to_string();
        format!("{}: {error}", if place.is_empty() { "the whole body" } else { &place })
    });
    Some((operation.name.clone(), fault))
}

/// What the requests of a run tried of the schemas.
pub fn covered(run: &Run) -> Covered {
    run.seen.0.lock().unwrap_or_else(PoisonError::into_inner).tried.covered()
}

/// A verdict per rule and per operation that was answered.
pub fn over_all_answers(run: &Run) -> Vec<Checked> {
    let state = run.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut checks = Vec::new();
    for rule in RULES {
        if let Some(sightings) = state.rules.get(rule.id) {
            let requirements = rule.requirements.iter().map(|id| (*id).to_owned()).collect();
            let id = format!("answers/all#{}", rule.id);
            checks.push(verdict(run, id, rule.title.to_owned(), requirements, rule.level, None, sightings));
        }
    }
    for (name, sightings) in &state.schemas {
        let operation = spec::registry().operation(name);
        let requirements = operation.and_then(|o| o.requirements.first()).map(|r| r.id.clone());
        let id = format!("answers/{name}#schema");
        let title = format!("every 200 of {name} has the form that the contract gives it");
        let requirements = requirements.into_iter().collect();
        checks.push(verdict(run, id, title, requirements, Level::Must, Some(name.clone()), sightings));
    }
    checks
}

fn verdict(
    run: &Run,
    id: String,
    title: String,
    requirements: Vec<String>,
    level: Level,
    operation: Option<String>,
    sightings: &Sightings,
) -> Checked {
    let mut check = Checked {
        operation,
        requirements,
        level,
        verdict: Verdict::Pass,
        ..Checked::new(Kind::Answers, id, title)
    };
    if let Some((exchange, caller, fault)) = &sightings.first {
        check.differing(run.context.profile);
        check.reason =
            Some(format!("{fault} ({} of {} answers)", sightings.bad, sightings.bad + sightings.good));
        check.curl = Some(curl::line(target(run), caller, &exchange.request));
        check.exchange = Some(run.secrets.exchange(exchange));
    }
    check
}

fn target(run: &Run) -> &Target {
    &run.target
}

/// What the rules say of one answer: the check, the requirements it cites, and whether the rule is kept.
pub(crate) fn judge(taken: &Taken) -> Vec<(String, &'static [&'static str], bool)> {
    let Some(answer) = taken.answer() else { return Vec::new() };
    let rules = RULES.iter().filter(|rule| (rule.applies)(&taken.exchange, answer));
    rules
        .map(|rule| {
            let kept = (rule.fault)(&taken.exchange, answer).is_none();
            (format!("answers/all#{}", rule.id), rule.requirements, kept)
        })
        .collect()
}

/// The rules, by the ids of their checks, with the requirements they bear on.
pub(crate) fn rules() -> impl Iterator<Item = (String, &'static [&'static str])> {
    RULES.iter().map(|rule| (format!("answers/all#{}", rule.id), rule.requirements))
}

/// Every requirement that the rules bear on.
pub fn requirements() -> impl Iterator<Item = &'static str> {
    RULES.iter().flat_map(|rule| rule.requirements.iter().copied())
}
