//! Traffic as one scenario.

use super::values::Values;
use super::{Seen, rules};
use crate::scenario::{Scenario, check_scenario};
use crate::secrets::Secrets;
use crate::target::{Answer, Credentials, Request, decode};
use crate::{import, pointer};
use anyhow::bail;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// A scenario made of traffic.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The scenario, as it is written to a file.
    pub scenario: Value,
    /// Requests that are not in it, each with the reason.
    pub left_out: Vec<String>,
}

/// The category of what is recorded.
const CATEGORY: &str = "recorded";

/// Makes a scenario of traffic. Secrets stay out of it: other passwords are put in place of those that were seen, and
/// what needs a secret that cannot be replaced is left out.
///
/// # Errors
/// When nothing is left that could be compared.
pub fn scenario(
    seen: &[Seen],
    admin: &Credentials,
    roots: Vec<String>,
    name: &str,
) -> anyhow::Result<Recorded> {
    let mut telling = Telling {
        values: Values::new(admin.clone(), roots),
        admin: admin.clone(),
        users: Map::new(),
        added: HashSet::new(),
        steps: Vec::new(),
        left_out: Vec::new(),
    };
    for (number, one) in seen.iter().enumerate() {
        if !asked_again(one, &seen[number + 1..]) {
            telling.tell(one);
        }
    }
    telling.finish(name)
}

struct Telling {
    values: Values,
    admin: Credentials,
    /// Alias → username and password.
    users: Map<String, Value>,
    /// Users that were added.
    added: HashSet<String>,
    steps: Vec<Value>,
    left_out: Vec<String>,
}

/// A job that was looked at before it was done, and again later.
fn asked_again(one: &Seen, later: &[Seen]) -> bool {
    let state = pointer::get(&one.answer.body, "/0/status").and_then(Value::as_str);
    operation(&one.request).as_deref() == Some("get_job")
        && matches!(state, Some("CREATED" | "IN_PROGRESS"))
        && later.iter().any(|next| next.request.body == one.request.body)
}

fn operation(request: &Request) -> Option<String> {
    request.json()?.get("operation")?.as_str().map(str::to_owned)
}

impl Telling {
    fn tell(&mut self, Seen { request, answer }: &Seen) {
        let body = request.json();
        let asked = body.clone().unwrap_or_default();
        self.values.note_passwords(&asked);
        let mut step = Map::new();
        match self.caller(request, answer) {
            Ok(caller) => step.extend(caller.map(|who| ("as".to_owned(), Value::from(who)))),
            Err(reason) => return self.leave_out(request, reason),
        }
        let whole = match self.question(request, body.as_ref(), &mut step) {
            Ok(whole) => whole,
            Err(reason) => return self.leave_out(request, reason),
        };
        let operation = operation(request);
        self.expect(operation.as_deref(), &asked, answer, whole, &mut step);
        let number = self.steps.len();
        self.values.note(number, "", &answer.body);
        if let Some(cookie) = answer.header("set-cookie") {
            self.values.note_header(number, "set-cookie", cookie);
        }
        if answer.status < 400 && operation.as_deref() == Some("add_user") {
            self.added.extend(asked["username"].as_str().map(str::to_owned));
        }
        self.steps.push(Value::Object(step));
    }

    /// Who asks, as a step says it; nothing for the super user.
    fn caller(&mut self, request: &Request, answer: &Answer) -> Result<Option<String>, &'static str> {
        let Some(header) = request.header("authorization") else { return Ok(Some("nobody".to_owned())) };
        if header == self.admin.basic() {
            return Ok(None);
        }
        let refused = answer.status == 401;
        if let Some(token) = header.strip_prefix("Bearer ") {
            return match self.values.variable(&json!(token)) {
                Some(variable) => Ok(Some(format!("bearer:{variable}"))),
                None if refused => Ok(Some("bearer:unknown".to_owned())),
                None => Err("it bears a token that was not made meanwhile"),
            };
        }
        let decoded = header
            .strip_prefix("Basic ")
            .and_then(|encoded| base64::engine::general_purpose::STANDARD.decode(encoded).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(credentials) = decoded.as_deref().and_then(Credentials::parse) else {
            return Err("its credentials are of an unknown form");
        };
        if !refused && !self.added.contains(&credentials.username) {
            return Err("it was asked by a user who was there before");
        }
        Ok(Some(self.alias(&credentials)))
    }

    /// What a pair of username and password is called.
    fn alias(&mut self, credentials: &Credentials) -> String {
        let password = self.values.password(&credentials.password);
        let user = json!({"username": credentials.username, "password": password});
        if let Some((alias, _)) = self.users.iter().find(|(_, known)| **known == user) {
            return alias.clone();
        }
        let alias = format!("user_{}", self.users.len() + 1);
        self.users.insert(alias.clone(), user);
        alias
    }

    /// What is asked. False when a secret is missing in it.
    fn question(
        &mut self,
        request: &Request,
        body: Option<&Value>,
        step: &mut Map<String, Value>,
    ) -> Result<bool, &'static str> {
        let mut headers = self.headers(request)?;
        let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let plain = request.method == "POST" && request.path == "/" && headers.is_empty();
        if let (true, true, Some(object @ Value::Object(_))) = (plain, kind == "application/json", body) {
            let (value, whole) = self.values.request(object);
            step.insert("request".to_owned(), value);
            return Ok(whole);
        }
        if !kind.is_empty() {
            headers.insert("Content-Type".to_owned(), json!(kind));
        }
        let mut http = json!({"method": request.method, "path": request.path, "headers": headers});
        let whole;
        if let Some(value) = body {
            let clean;
            (clean, whole) = self.values.request(value);
            http["body"] = json!(clean.to_string());
        } else if let Some((value, _)) = decode(&kind, &request.body) {
            self.values.note_passwords(&value);
            let clean;
            (clean, whole) = self.values.request(&value);
            http["body_value"] = clean;
        } else if let Ok(text) = std::str::from_utf8(&request.body) {
            let clean = self.values.text(text);
            whole = Secrets::default().text(&clean) == clean;
            if !clean.is_empty() {
                http["body"] = json!(Secrets::default().text(&clean));
            }
        } else {
            return Err("its body is of an unknown form");
        }
        step.insert("http".to_owned(), http);
        Ok(whole)
    }

    /// The headers that matter, besides those for the body and the credentials.
    fn headers(&mut self, request: &Request) -> Result<Map<String, Value>, &'static str> {
        const PLAIN: [&str; 3] =
            ["origin", "access-control-request-method", "access-control-request-headers"];
        let mut headers = Map::new();
        for (name, value) in &request.headers {
            match name.as_str() {
                "accept" if value != "*/*" && value != "application/json" => {
                    headers.insert("Accept".to_owned(), json!(value));
                }
                "cookie" => match self.values.variable(&json!(value)) {
                    Some(variable) => {
                        headers.insert("Cookie".to_owned(), json!(format!("${{{variable}}}")));
                    }
                    None => return Err("it shows a cookie that was not made meanwhile"),
                },
                other if PLAIN.contains(&other) => {
                    headers.insert(other.to_owned(), json!(value));
                }
                _ => {}
            }
        }
        Ok(headers)
    }

    /// What is expected of the answer, and what is left out of the comparison.
    fn expect(
        &self,
        operation: Option<&str>,
        asked: &Value,
        answer: &Answer,
        whole: bool,
        step: &mut Map<String, Value>,
    ) {
        let (body, hidden) = self.values.expected(&answer.body);
        let kind = answer.content_type();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let expected = json!({"status": answer.status, "content_type": kind, "body": body});
        step.insert("response".to_owned(), expected);
        if let (Some("get_job"), Some(state)) = (operation, pointer::get(&answer.body, "/0/status")) {
            step.insert("until".to_owned(), json!({"/0/status": [state]}));
        }
        let rule = match rules::of(operation, asked).filter(|_| answer.status < 400) {
            _ if !whole => Some((json!({"skip": true}), Some("a secret was left out of the request"))),
            None if !hidden.is_empty() => Some((json!({"ignore": hidden}), Some("secrets are left out"))),
            rule => rule,
        };
        if let Some((rule, note)) = rule {
            step.insert("compare".to_owned(), rule);
            step.extend(note.map(|note| ("note".to_owned(), Value::from(note))));
        }
    }

    fn leave_out(&mut self, request: &Request, reason: &str) {
        let what = operation(request).unwrap_or_else(|| format!("{} {}", request.method, request.path));
        self.left_out.push(format!("{what}: {reason}"));
    }

    fn finish(mut self, name: &str) -> anyhow::Result<Recorded> {
        let mut operations: Vec<Value> = Vec::new();
        for (number, step) in self.steps.iter_mut().enumerate() {
            if let Some(saves) = self.values.saves(number) {
                step["save"] = Value::Object(saves.clone());
            }
            let operation = &step["request"]["operation"];
            if operation.is_string() && !operations.contains(operation) {
                operations.push(operation.clone());
            }
        }
        let done = self.steps.iter().filter(|step| step["response"]["status"] == 200);
        let teardown = rules::teardown(done.map(|step| &step["request"]));
        let mut recording = json!({
            "name": name, "summary": format!("traffic that was recorded as {name}"), "operations": operations,
            "setup": [], "steps": self.steps, "teardown": teardown,
        });
        if !self.users.is_empty() {
            recording["users"] = Value::Object(self.users);
        }
        let scenario = import::convert(CATEGORY, recording)?;
        let parsed: Scenario = serde_json::from_value(scenario.clone())?;
        if let Err(problem) = check_scenario(&parsed) {
            bail!("{problem}");
        }
        Ok(Recorded { scenario, left_out: self.left_out })
    }
}
