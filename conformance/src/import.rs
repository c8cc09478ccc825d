//! Turning recorded exchanges into scenarios of the suite: ids, the run's own names, no waiting for changes to settle
//! (the runner sees to that), and what each story shares with others.

use crate::layout;
use crate::scenario::{self, Scenario};
use crate::services;
use crate::target;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// Where the CSV files were when the exchanges were recorded.
const FILES: &str = "http://localhost:10327";

/// Where the store of objects was.
const STORE: &str = "127.0.0.1:10328";

/// Operations that make something, with the fields that name it.
const MAKERS: [(&str, &[&str]); 12] = [
    ("create_database", &["database", "schema"]),
    ("create_schema", &["database", "schema"]),
    ("create_table", &["database", "schema"]),
    ("add_user", &["username"]),
    ("add_role", &["role"]),
    ("alter_role", &["role"]),
    ("add_component", &["project"]),
    ("deploy_component", &["project"]),
    ("set_component_file", &["project"]),
    ("add_custom_function_project", &["project"]),
    ("deploy_custom_function_project", &["project"]),
    ("set_custom_function", &["project"]),
];

/// Operations on one database, `data` when none is named.
const IN_A_DATABASE: [&str; 16] = [
    "create_database",
    "create_schema",
    "describe_database",
    "describe_schema",
    "create_table",
    "describe_table",
    "drop_table",
    "create_attribute",
    "drop_attribute",
    "insert",
    "update",
    "upsert",
    "delete",
    "search_by_id",
    "search_by_value",
    "search_by_conditions",
];

/// Operations whose successful answers show, or change, what all users of an instance share.
const SHARED: [&str; 12] = [
    "list_users",
    "list_roles",
    "get_components",
    "read_log",
    "search_jobs_by_start_date",
    "set_status",
    "get_status",
    "clear_status",
    "get_custom_functions",
    "list_metrics",
    "cluster_status",
    "get_configuration",
];

/// Operations that restart or reconfigure an instance.
const DISRUPTIVE: [&str; 3] = ["restart", "restart_service", "set_configuration"];

/// Waits of this length let a change settle; shorter ones part time stamps, longer ones let time pass.
const SETTLING: std::ops::RangeInclusive<f64> = 0.1..=0.5;

/// Imports every recording below `from` and writes the manifest of `to`.
///
/// # Errors
/// When a file cannot be read, understood or written.
pub fn run(from: &Path, to: &Path) -> anyhow::Result<String> {
    let mut count = 0;
    for file in files(from)? {
        let category = file.strip_prefix(from)?.components().next().context("a file without a category")?;
        let category = category.as_os_str().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let document: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        let recordings = match document {
            Value::Array(recordings) => recordings,
            one => vec![one],
        };
        for recording in recordings {
            let value = convert(&category, recording).with_context(|| file.display().to_string())?;
            let id = value["id"].as_str().unwrap_or_default().to_owned();
            let scenario: Scenario = serde_json::from_value(value.clone()).with_context(|| id.clone())?;
            if let Err(problem) = scenario::check_scenario(&scenario) {
                bail!("{id}: {problem}");
            }
            let path = to.join(format!("{id}.json"));
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, layout::to_text(&value)).with_context(|| path.display().to_string())?;
            count += 1;
        }
    }
    Ok(format!("{count} scenarios imported; {}", seal(to)?))
}

/// Lays every scenario below a folder out afresh and writes the manifest.
///
/// # Errors
/// When a scenario is malformed.
pub fn seal(folder: &Path) -> anyhow::Result<String> {
    let mut scenarios = Vec::new();
    for file in files(folder)?.into_iter().filter(|file| !file.ends_with("manifest.json")) {
        let name = file.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        scenarios.push(scenario::parse(&name, &text)?);
        let laid_out = layout::to_text(&serde_json::from_str(&text)?);
        if laid_out != text {
            std::fs::write(&file, laid_out).with_context(|| file.display().to_string())?;
        }
    }
    let manifest = scenario::manifest_of(&scenarios);
    let checks: usize = manifest.categories.values().map(|counts| counts.checks).sum();
    let path = folder.join("manifest.json");
    std::fs::write(&path, layout::to_text(&serde_json::to_value(&manifest)?))
        .with_context(|| path.display().to_string())?;
    Ok(format!("{} scenarios, {checks} checks", scenarios.len()))
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn convert(category: &str, recording: Value) -> anyhow::Result<Value> {
    let name = recording["name"].as_str().context("a recording without a name")?.to_owned();
    let short = name.split_once('/').map_or(name.as_str(), |(_, short)| short);
    let names = names(&recording);
    // The files of the recordings are served by the harness.
    let text = recording.to_string().replace(FILES, "${csv_files}");
    let recording: Value = serde_json::from_str(&text)?;
    let mut scenario = Map::new();
    scenario.insert("format".into(), json!(scenario::FORMAT));
    scenario.insert("id".into(), json!(format!("{category}/{}", slug(short))));
    scenario.insert("summary".into(), recording["summary"].clone());
    scenario.insert("operations".into(), recording["operations"].clone());
    if !names.is_empty() {
        scenario.insert("names".into(), json!(names));
    }
    if let Some(users) = recording.get("users") {
        scenario.insert("users".into(), users.clone());
    }
    for (flag, set) in [("serial", is_shared(&recording)), ("disruptive", is_disruptive(&recording))] {
        if set {
            scenario.insert(flag.into(), json!(true));
        }
    }
    if takes_data(&recording) {
        scenario.insert("takes".into(), json!(["data"]));
    }
    let needs: Vec<&str> = [("${csv_files}", services::NEEDS_FILES), (STORE, services::STORE)]
        .into_iter()
        .filter(|(address, _)| text.contains(address))
        .map(|(_, need)| need)
        .collect();
    if !needs.is_empty() {
        scenario.insert("needs".into(), json!(needs));
    }
    let mut ids = HashSet::new();
    for phase in ["setup", "steps", "teardown"] {
        let mut converted = Vec::new();
        for step in recording[phase].as_array().into_iter().flatten() {
            if step["sleep"].as_f64().is_some_and(|seconds| SETTLING.contains(&seconds)) {
                continue;
            }
            converted.push(convert_step(step, phase == "steps", &names, &mut ids)?);
        }
        scenario.insert(phase.into(), Value::Array(converted));
    }
    Ok(Value::Object(scenario))
}

fn convert_step(
    step: &Value,
    compared: bool,
    names: &[String],
    ids: &mut HashSet<String>,
) -> anyhow::Result<Value> {
    let source = step.as_object().context("a step that is no object")?;
    let mut out = Map::new();
    if compared && !source.contains_key("sleep") {
        let title = step["name"].as_str().or(step["request"]["operation"].as_str()).unwrap_or("step");
        let base = slug(title);
        let mut id = base.clone();
        let mut number = 2;
        while !ids.insert(id.clone()) {
            id = format!("{base}-{number}");
            number += 1;
        }
        out.insert("id".into(), json!(id));
        let operation = operation(step);
        let requirement = operation.and_then(|name| spec::registry().operation(name)?.requirements.first());
        let requirement = requirement.map_or("HTTP-BODY-001", |requirement| requirement.id.as_str());
        out.insert("requirements".into(), json!([requirement]));
    }
    for (key, value) in source {
        let value = match key.as_str() {
            "compare" => {
                let mut rules = value.clone();
                rules.as_object_mut().map(|rules| rules.remove("headers"));
                if rules.as_object().is_some_and(Map::is_empty) {
                    continue;
                }
                rules
            }
            "request" => with_admin(value),
            "response" => announced(with_admin(value)),
            "http" => convert_http(value, names)?,
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if !compared && may_fail(step) {
        out.insert("may_fail".into(), json!(true));
    }
    if out.get("compare").is_some_and(|rules| rules["skip"] == true) && !out.contains_key("note") {
        out.insert("note".into(), json!("the answer differs from run to run"));
    }
    Ok(Value::Object(out))
}

/// A JSON body without its content type is a slip of the product: only the body is expected.
fn announced(mut response: Value) -> Value {
    let body = response["body"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let (Some(body @ Value::Object(_)), Some("")) = (body, response["content_type"].as_str()) {
        response["body"] = body;
        response.as_object_mut().map(|response| response.remove("content_type"));
    }
    response
}

/// The super user's name and credentials are those that the harness is given.
fn with_admin(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "admin" => json!("${admin_username}"),
        Value::Array(elements) => elements.iter().map(with_admin).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let name = if name == "admin" { "${admin_username}" } else { name };
                (name.to_owned(), with_admin(member))
            })
            .collect(),
        other => other.clone(),
    }
}

fn convert_http(http: &Value, names: &[String]) -> anyhow::Result<Value> {
    let mut http: Value =
        serde_json::from_str(&http.to_string().replace("YWRtaW46cGFzc3dvcmQ=", "${admin_basic}"))?;
    let kind = http["headers"]["Content-Type"].as_str().unwrap_or_default().to_owned();
    if let Some(encoded) = http["body_base64"].as_str() {
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded)?;
        let decoded = target::decode(&kind, &bytes).map(|(value, _)| value);
        if let Some(value) = decoded.filter(|value| names.iter().any(|name| value.to_string().contains(name)))
        {
            http["body_value"] = value;
            http.as_object_mut().map(|http| http.remove("body_base64"));
        }
    }
    Ok(http)
}

fn steps(recording: &Value) -> impl Iterator<Item = &Value> {
    ["setup", "steps", "teardown"]
        .into_iter()
        .flat_map(|phase| recording[phase].as_array().into_iter().flatten())
}

/// Shared databases are there already or not yet, as it happens.
fn may_fail(step: &Value) -> bool {
    let named = ["database", "schema"].iter().find_map(|field| step["request"].get(*field));
    let shared = named.is_none_or(|name| name == "data");
    let operation = operation(step).unwrap_or_default();
    shared && matches!(operation, "create_database" | "create_schema" | "drop_database" | "drop_schema")
}

fn operation(step: &Value) -> Option<&str> {
    step["request"]["operation"].as_str()
}

/// True when a step is known, or may be taken, to succeed.
fn succeeds(step: &Value) -> bool {
    step["response"]["status"].as_u64().is_none_or(|status| status < 400)
}

/// The names that a recording makes.
fn names(recording: &Value) -> Vec<String> {
    let mut names = BTreeSet::new();
    for step in steps(recording).filter(|step| succeeds(step)) {
        let Some((_, fields)) = MAKERS.iter().find(|(maker, _)| operation(step) == Some(maker)) else {
            continue;
        };
        for field in *fields {
            names.extend(step["request"][*field].as_str().filter(|name| is_own(name)).map(str::to_owned));
        }
    }
    for user in recording["users"].as_object().into_iter().flatten() {
        names.extend(user.1["username"].as_str().map(str::to_owned));
    }
    names.into_iter().collect()
}

/// A name that nobody else would use, short enough to grow.
fn is_own(name: &str) -> bool {
    !matches!(name, "data" | "system" | "super_user" | "") && !name.contains("${") && name.len() < 200
}

fn is_shared(recording: &Value) -> bool {
    steps(recording).any(|step| operation(step).is_some_and(|name| SHARED.contains(&name)) && succeeds(step))
}

fn is_disruptive(recording: &Value) -> bool {
    steps(recording).any(|step| {
        let restarts = step["request"].get("restart").is_some_and(|restart| restart != &json!(false));
        (restarts || operation(step).is_some_and(|name| DISRUPTIVE.contains(&name))) && succeeds(step)
    })
}

/// True when a step's outcome depends on the database `data`.
fn takes_data(recording: &Value) -> bool {
    steps(recording).any(|step| {
        let request = &step["request"];
        let named = ["database", "schema"].iter().find_map(|field| request.get(*field));
        let fault = step["response"]["body"]["error"].as_str().is_some_and(|text| text.starts_with('\''));
        let bulk = |name: &str| name.starts_with("drop_database") || name.starts_with("drop_schema");
        match named {
            Some(name) => name == "data",
            None => {
                operation(step)
                    .is_some_and(|name| IN_A_DATABASE.contains(&name) || (bulk(name) && succeeds(step)))
                    && !fault
                    && step["response"]["status"] != 401
            }
        }
    })
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => out.push(c),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    let trimmed: String = out.trim_end_matches('-').chars().take(60).collect();
    let trimmed = trimmed.trim_end_matches('-');
    if trimmed.is_empty() { "step".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_becomes_a_scenario() {
        let recording = json!({
            "name": "nosql/a-b", "summary": "s", "operations": ["insert"], "users": {"k": {"username": "nosql_kim", "password": "p"}},
            "setup": [{"request": {"operation": "create_database", "database": "nosql_x"}}, {"sleep": 0.3}],
            "steps": [
                {"name": "Wait, please", "sleep": 1.8},
                {"request": {"operation": "insert", "database": "nosql_x"}, "response": {"status": 200, "body": {"user": "admin"}}},
                {"request": {"operation": "create_database", "database": "bad/name"}, "response": {"status": 400, "body": {"error": "'x'"}}},
                {"name": "A Name!", "request": {"operation": "insert"}, "compare": {"headers": ["x"]}, "response": {"status": 400, "body": {"error": "'table' is required"}}},
            ],
            "teardown": [],
        });
        let value = convert("nosql", recording).unwrap();
        assert_eq!(value["names"], json!(["nosql_kim", "nosql_x"]));
        assert_eq!(value["setup"].as_array().unwrap().len(), 1);
        assert_eq!(value["steps"][0]["sleep"], json!(1.8));
        assert_eq!(value["steps"][1]["response"]["body"]["user"], "${admin_username}");
        assert_eq!(value["steps"][3]["id"], "a-name");
        assert!(value.get("takes").is_none() && value["steps"][3].get("compare").is_none());
    }

    #[test]
    fn what_is_shared_is_seen() {
        let step = |request: Value| json!({"steps": [{"request": request, "response": {"status": 200, "body": {}}}]});
        assert!(takes_data(&step(json!({"operation": "create_table", "table": "t"}))));
        assert!(!takes_data(&step(json!({"operation": "create_table", "schema": "x", "table": "t"}))));
        assert!(is_shared(&step(json!({"operation": "list_users"}))));
        assert!(is_disruptive(&step(json!({"operation": "deploy_component", "restart": true}))));
    }
}
