//! Strict loading: a file that says anything unknown, names a step twice, or claims a newer format is refused, and
//! the number of scenarios and checks must be the one that the manifest declares.

use super::{FORMAT, Scenario, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not the format.
    #[error("{file}: {message}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// More or fewer than declared.
    #[error("the manifest declares {declared} {what} in {category}, {loaded} were loaded")]
    Count {
        /// Scenarios or checks.
        what: &'static str,
        /// Of which category.
        category: String,
        /// According to the manifest.
        declared: usize,
        /// According to the files.
        loaded: usize,
    },
}

/// How many scenarios and checks there are, category by category. Checked in, so that a file lost by accident is
/// noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The counts by category.
    pub categories: BTreeMap<String, Counts>,
}

/// How many of a category there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Stories.
    pub scenarios: usize,
    /// Compared steps.
    pub checks: usize,
}

/// The scenarios, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// The stories.
    pub scenarios: Vec<Scenario>,
    /// What the manifest declares.
    pub manifest: Manifest,
}

/// The scenarios built into this program.
///
/// # Errors
/// [`LoadError`] when one is malformed or the counts differ from the manifest.
pub fn embedded() -> Result<Suite, LoadError> {
    let mut scenarios = Vec::with_capacity(FILES.len());
    for (file, text) in FILES {
        scenarios.push(parse(file, text)?);
    }
    let manifest: Manifest = serde_json::from_str(MANIFEST)
        .map_err(|error| LoadError::File { file: "manifest.json".into(), message: error.to_string() })?;
    let loaded = manifest_of(&scenarios);
    let categories: HashSet<_> = manifest.categories.keys().chain(loaded.categories.keys()).collect();
    for category in categories {
        let counts = |m: &Manifest| m.categories.get(category).copied().unwrap_or_default();
        let (declared, found) = (counts(&manifest), counts(&loaded));
        for (what, declared, loaded) in
            [("scenarios", declared.scenarios, found.scenarios), ("checks", declared.checks, found.checks)]
        {
            if declared != loaded {
                return Err(LoadError::Count { what, category: category.clone(), declared, loaded });
            }
        }
    }
    Ok(Suite { scenarios, manifest })
}

/// Counts scenarios and checks.
pub fn manifest_of(scenarios: &[Scenario]) -> Manifest {
    let mut manifest = Manifest::default();
    for scenario in scenarios {
        let counts = manifest.categories.entry(scenario.category().to_owned()).or_default();
        counts.scenarios += 1;
        counts.checks += scenario.checks().count();
    }
    manifest
}

/// Reads one scenario; `file` is its path below the folder of scenarios.
///
/// # Errors
/// [`LoadError`] when it is malformed.
pub fn parse(file: &str, text: &str) -> Result<Scenario, LoadError> {
    let wrong = |message: String| LoadError::File { file: file.to_owned(), message };
    let scenario: Scenario = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    check_scenario(&scenario).map_err(wrong)?;
    let expected = format!("{}.json", scenario.id);
    if file != expected {
        return Err(wrong(format!("a scenario with the id '{}' belongs in {expected}", scenario.id)));
    }
    Ok(scenario)
}

/// Checks what the types alone cannot.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_scenario(scenario: &Scenario) -> Result<(), String> {
    if !readable(&scenario.format) {
        return Err(format!("format {} is not one this program reads ({FORMAT})", scenario.format));
    }
    let slug = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    match scenario.id.split_once('/') {
        Some((category, name)) if slug(category) && slug(name) => {}
        _ => return Err(format!("'{}' is no id of the form category/name", scenario.id)),
    }
    let mut ids = HashSet::new();
    for step in &scenario.steps {
        check_step(scenario, step)?;
        if step.sleep.is_some() {
            continue;
        }
        match &step.id {
            Some(id) if !slug(id) => return Err(format!("'{id}' is no step id")),
            Some(id) if !ids.insert(id.clone()) => return Err(format!("two steps have the id '{id}'")),
            Some(_) => {}
            None => return Err(format!("step '{}' has no id", step.title())),
        }
        if step.is_check() && scenario.requirements_of(step).next().is_none() {
            return Err(format!("step '{}' cites no requirement", step.title()));
        }
        if step.compare.skip && step.note.is_none() {
            return Err(format!("step '{}' is not compared and no note says why", step.title()));
        }
    }
    for step in scenario.setup.iter().chain(&scenario.teardown) {
        check_step(scenario, step)?;
    }
    if !scenario.steps.iter().any(|step| step.is_check() || step.compare.skip) {
        return Err("no step is compared".to_owned());
    }
    Ok(())
}

fn check_step(scenario: &Scenario, step: &Step) -> Result<(), String> {
    let kinds = [step.request.is_some(), step.http.is_some(), step.wire.is_some(), step.sleep.is_some()];
    if kinds.iter().filter(|kind| **kind).count() != 1 {
        return Err(format!("step '{}' needs one of request, http, wire or sleep", step.title()));
    }
    if let Some(http) = &step.http {
        let bodies = [http.body.is_some(), http.body_base64.is_some(), http.body_value.is_some()];
        if bodies.iter().filter(|body| **body).count() > 1 {
            return Err(format!("step '{}' has more than one body", step.title()));
        }
    }
    if step.response.is_some() && step.same_as.is_some() {
        return Err(format!("step '{}' has both a response and same_as", step.title()));
    }
    if let Some(id) =
        step.same_as.as_ref().filter(|id| !scenario.steps.iter().any(|s| s.id.as_ref() == Some(id)))
    {
        return Err(format!("step '{}' is compared with '{id}', which is no step", step.title()));
    }
    match step.who.as_deref() {
        None | Some("admin" | "nobody") => Ok(()),
        Some(who) if who.starts_with("bearer:") || scenario.users.contains_key(who) => Ok(()),
        Some(who) => Err(format!("step '{}' acts as '{who}', who is not among the users", step.title())),
    }
}

/// True for every format of this program's major version that is not newer than [`FORMAT`].
fn readable(format: &str) -> bool {
    let parse = |text: &str| -> Option<Vec<u64>> { text.split('.').map(|part| part.parse().ok()).collect() };
    match (parse(format), parse(FORMAT)) {
        (Some(theirs), Some(ours)) => theirs.len() == 3 && theirs[0] == ours[0] && theirs <= ours,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn minimal() -> Value {
        json!({"format": "1.0.0", "id": "nosql/one", "summary": "s", "requirements": ["DB-X-001"],
            "steps": [{"id": "a", "request": {"operation": "describe_all"}, "response": {"status": 200}}]})
    }

    fn outcome(change: impl FnOnce(&mut Value)) -> Result<Scenario, String> {
        let mut scenario = minimal();
        change(&mut scenario);
        parse("nosql/one.json", &scenario.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plain_scenario_loads() {
        let scenario = outcome(|_| ()).unwrap();
        assert_eq!(scenario.checks().map(|(_, id)| id).collect::<Vec<_>>(), ["nosql/one#a"]);
    }

    #[test]
    fn anything_doubtful_is_refused() {
        let refused = |change: fn(&mut Value), part: &str| {
            let error = outcome(change).expect_err(part);
            assert!(error.contains(part), "{error}");
        };
        refused(|s| s["surprise"] = json!(1), "unknown field `surprise`");
        refused(|s| s["steps"][0]["compare"] = json!({"ignroe": []}), "unknown field `ignroe`");
        refused(|s| s["format"] = json!("1.1.0"), "format 1.1.0");
        refused(|s| s["format"] = json!("2.0.0"), "format 2.0.0");
        refused(|s| s["id"] = json!("nosql/two"), "belongs in nosql/two.json");
        refused(|s| s["id"] = json!("Nosql"), "no id of the form");
        refused(|s| s["requirements"] = json!([]), "cites no requirement");
        refused(|s| s["steps"][0]["as"] = json!("kim"), "not among the users");
        refused(|s| s["steps"][0]["sleep"] = json!(1), "needs one of");
        refused(|s| s["steps"][0]["id"] = json!(null), "has no id");
        refused(|s| s["steps"][0]["compare"] = json!({"skip": true}), "no note says why");
        refused(|s| s["steps"] = json!([s["steps"][0], s["steps"][0]]), "two steps have the id 'a'");
        refused(|s| s["steps"][0]["response"] = json!(null), "no step is compared");
    }

    #[test]
    fn the_built_in_scenarios_are_the_declared_ones() {
        let suite = embedded().unwrap();
        let ids: HashSet<_> = suite.scenarios.iter().map(|scenario| &scenario.id).collect();
        assert_eq!(ids.len(), suite.scenarios.len());
    }
}
