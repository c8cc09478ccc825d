//! What a role may not read appears in no answer, and a permission taken away never shows more.

use super::grants::{CHOICES, DATABASES, Grants, PLACES};
use super::probes::{Probe, probes};
use super::{Choices, PROPERTIES, SHRINKS, Trial, case};
use crate::diff::Difference;
use crate::event::Checked;
use crate::report::curl;
use crate::runner::{Caller, Run};
use crate::scenario::{Compare, Expected, Level, Scenario, Step, User};
use crate::target::{Credentials, Exchange, Fault, Request};
use crate::verdict::Verdict;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const ROLE: &str = "property_role";
const USER: &str = "property_user";
const PASSWORD: &str = "pw-property-1";

/// What is checked: the step, what it says, what it bears on, and how binding that is.
const CHECKS: [(&str, &str, &[&str], Level); 4] = [
    (
        "hidden-values",
        "what a role may not read appears in no answer, in no media type",
        &["NOSQL-PERM-001", "NOSQL-PERM-004", "NOSQL-PERM-010", "DB-PERM-009"],
        Level::Must,
    ),
    (
        "hidden-names",
        "tables and attributes without any right are described to nobody",
        &["DB-PERM-009", "DB-PERM-010", "NOSQL-PERM-004"],
        Level::Must,
    ),
    (
        "taken-away",
        "a permission taken away never shows more",
        &["USER-ALTER-ROLE-002", "NOSQL-PERM-004"],
        Level::Must,
    ),
    (
        "hidden-use",
        "what a role may not read it may not search, sort, group or join by either",
        &["NOSQL-PERM-007", "NOSQL-PERM-008"],
        Level::Should,
    ),
];

/// The story: its setup makes the fixture and one user whose role each case changes.
pub(super) fn scenario() -> Scenario {
    let mut setup = Vec::new();
    for place in PLACES {
        let names = json!({"database": place.database_name(), "table": place.table});
        let with = |operation: &str, more: Value| {
            let mut request = json!({"operation": operation});
            for fields in [&names, &more] {
                if let (Some(request), Some(fields)) = (request.as_object_mut(), fields.as_object()) {
                    request.extend(fields.clone());
                }
            }
            Step::running(request)
        };
        let record = |number: usize| -> Value {
            let fields = place.attributes.iter().enumerate();
            fields.map(|(at, name)| ((*name).to_owned(), json!(place.secret(at, number)))).collect()
        };
        setup.push(with("create_table", json!({"primary_key": place.attributes[0]})));
        setup.push(with("insert", json!({"records": [record(0), record(1)]})));
    }
    setup.push(Step::running(json!({"operation": "add_role", "role": ROLE, "permission": {}})));
    setup.push(Step::running(
        json!({"operation": "add_user", "username": USER, "password": PASSWORD, "role": ROLE, "active": true}),
    ));
    let mut teardown = vec![
        Step::running(json!({"operation": "drop_user", "username": USER})),
        Step::running(json!({"operation": "drop_role", "id": ROLE})),
    ];
    teardown.extend(
        DATABASES.iter().map(|name| Step::running(json!({"operation": "drop_database", "database": name}))),
    );
    Scenario {
        operations: ["search_by_value", "search_by_conditions", "sql", "describe_all"]
            .map(str::to_owned)
            .to_vec(),
        names: DATABASES.into_iter().chain([ROLE, USER]).map(str::to_owned).collect(),
        users: [("user".to_owned(), User { username: USER.to_owned(), password: PASSWORD.to_owned() })]
            .into(),
        note: Some("tried with random cases; the steps only say what is checked".to_owned()),
        setup,
        steps: CHECKS
            .iter()
            .map(|(id, title, requirements, level)| declared(id, title, requirements, *level))
            .collect(),
        teardown,
        ..Scenario::new(
            format!("{PROPERTIES}/permissions"),
            "random permissions: what a role may not read it never sees",
        )
    }
}

fn declared(id: &str, title: &str, requirements: &[&str], level: Level) -> Step {
    Step {
        id: Some(id.to_owned()),
        name: Some(title.to_owned()),
        who: Some("user".to_owned()),
        request: Some(json!({"operation": "describe_all"})),
        response: Some(Expected::status(200)),
        compare: Compare { status_only: true, ..Compare::default() },
        requirements: requirements.iter().map(|id| (*id).to_owned()).collect(),
        level,
        ..Step::default()
    }
}

/// What is wrong with a case.
#[derive(Clone, Debug)]
struct Wrong {
    /// The check that it is about.
    check: &'static str,
    /// The permission of the role.
    permission: Value,
    what: String,
    exchange: Exchange,
}

/// Tries random cases until one is wrong, and makes that one small.
pub(super) async fn judge(run: &Run, suffix: &str, declared: Vec<Checked>) -> Vec<Checked> {
    let started = Instant::now();
    let trial = Trial { run, suffix };
    let mut found: Vec<(u32, Wrong)> = Vec::new();
    let mut broken = None;
    for number in 0..run.cases {
        if run.stop.stopped() {
            break;
        }
        let Some(tree) = case(run.seed, number, 2 * CHOICES) else { continue };
        match search(tree, &trial, &found).await {
            Ok(wrong) => found.extend(wrong.into_iter().map(|wrong| (number, wrong))),
            Err(reason) => {
                broken = Some(reason);
                break;
            }
        }
    }
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    let share = declared.len().max(1) as f64;
    let report = |mut check: Checked| {
        check.millis = millis / share;
        let wrong = found.iter().find(|(_, wrong)| check.id.ends_with(&format!("#{}", wrong.check)));
        match (wrong, &broken) {
            (Some((number, wrong)), _) => tell(&trial, &mut check, *number, wrong),
            (None, Some(reason)) => {
                check.verdict = Verdict::Blocked;
                check.reason = Some(reason.clone());
            }
            (None, None) if run.stop.stopped() => check.verdict = Verdict::NotRun,
            (None, None) => check.verdict = Verdict::Pass,
        }
        check
    };
    declared.into_iter().map(report).collect()
}

fn tell(trial: &Trial<'_>, check: &mut Checked, number: u32, wrong: &Wrong) {
    let run = trial.run;
    check.differing(run.context.profile);
    check.reason = Some(format!(
        "{} (case {number} of seed {}, made as small as possible; the role's permission: {})",
        wrong.what, run.seed, wrong.permission
    ));
    check.differences = vec![Difference {
        place: "body".to_owned(),
        expected: None,
        actual: wrong.exchange.answer.as_ref().map(|answer| run.secrets.value(&answer.body)),
    }];
    check.curl = Some(curl::line(&run.target, &Caller::User(trial.credentials()), &wrong.exchange.request));
    check.exchange = Some(run.secrets.exchange(&wrong.exchange));
}

/// Tries a case; one that is wrong in a way not seen yet is made smaller as long as it stays wrong in that way.
async fn search(
    mut tree: impl ValueTree<Value = Choices> + Send,
    trial: &Trial<'_>,
    known: &[(u32, Wrong)],
) -> Result<Vec<Wrong>, String> {
    let all = attempt(&tree.current(), trial).await?;
    let fresh: Vec<Wrong> =
        all.into_iter().filter(|wrong| !known.iter().any(|(_, other)| other.check == wrong.check)).collect();
    let Some(mut smallest) = fresh.first().cloned() else { return Ok(fresh) };
    let mut going = tree.simplify();
    let mut tries = 0;
    while going && tries < SHRINKS && !trial.run.stop.stopped() {
        tries += 1;
        let wrong = attempt(&tree.current(), trial).await?;
        going = match wrong.into_iter().find(|wrong| wrong.check == smallest.check) {
            Some(wrong) => {
                smallest = wrong;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    let others = fresh.into_iter().skip(1).filter(|wrong| wrong.check != smallest.check);
    Ok(std::iter::once(smallest.clone()).chain(others).collect())
}

/// What is wrong with one case: with a role, and with the same role after something was taken from it.
async fn attempt(choices: &Choices, trial: &Trial<'_>) -> Result<Vec<Wrong>, String> {
    let (first, second) = choices.split_at(choices.len().min(CHOICES));
    let more = Grants::of(first);
    let less = more.and(&Grants::of(second));
    let mut wrong = Vec::new();
    let before = trial.seen_by(&more, &mut wrong).await?;
    let after = trial.seen_by(&less, &mut wrong).await?;
    for ((probe, known), (_, now)) in before.iter().zip(&after) {
        let Some(new) = now.words.difference(&known.words).next() else { continue };
        wrong.push(Wrong {
            check: "taken-away",
            permission: trial.permission(&less),
            what: format!(
                "'{new}' was not in the answer to {} before, when the role had {}",
                probe.body,
                trial.permission(&more)
            ),
            exchange: now.exchange.clone(),
        });
    }
    Ok(wrong)
}

/// What an answer showed.
struct Sight {
    words: BTreeSet<String>,
    exchange: Exchange,
}

impl Trial<'_> {
    /// A name of the fixture as it is in this run.
    fn renamed(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    fn permission(&self, grants: &Grants) -> Value {
        grants.permission(|name| self.renamed(name))
    }

    fn credentials(&self) -> Credentials {
        Credentials { username: self.renamed(USER), password: PASSWORD.to_owned() }
    }

    /// Gives the role these grants, asks everything, and notes what is wrong with the answers.
    async fn seen_by(&self, grants: &Grants, wrong: &mut Vec<Wrong>) -> Result<Vec<(Probe, Sight)>, String> {
        self.give(grants).await?;
        let hidden = hidden_values(grants);
        let unseen = hidden_names(grants);
        let mut sights = Vec::new();
        for probe in probes() {
            let sight = self.ask(&probe).await?;
            let mut note = |check: &'static str, what: String| {
                if !wrong.iter().any(|known| known.check == check) {
                    let permission = self.permission(grants);
                    wrong.push(Wrong { check, permission, what, exchange: sight.exchange.clone() });
                }
            };
            if let Some(word) = sight.words.intersection(&hidden).next() {
                note("hidden-values", format!("'{word}' may not be read, yet the answer shows it"));
            }
            if let Some(word) = sight.words.intersection(&unseen).next() {
                note(
                    "hidden-names",
                    format!("the role has no right on '{word}', yet the answer tells of it"),
                );
            }
            let status = sight.exchange.answer.as_ref().map_or(0, |answer| answer.status);
            let offered = !matches!(status, 0 | 406 | 501) && !declined(&sight.exchange, &probe);
            if offered && status != 403 && probe.must_be_refused(grants) {
                note(
                    "hidden-use",
                    format!("the request uses what may not be read, yet was answered {status}"),
                );
            }
            sights.push((probe, sight));
        }
        Ok(sights)
    }

    /// Changes the role and waits until that can be seen.
    async fn give(&self, grants: &Grants) -> Result<(), String> {
        let permission = self.permission(grants);
        let request = json!({"operation": "alter_role", "id": self.renamed(ROLE), "permission": permission});
        let exchange = self.run.target.operate(&request).await;
        let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
        if status != 200 {
            let body = exchange.answer.map(|answer| answer.body.to_string()).unwrap_or_default();
            return Err(format!("alter_role was answered {status} {body} for {permission}"));
        }
        let started = Instant::now();
        while started.elapsed() < self.run.settle.longest {
            let authorization = Some(self.credentials().basic());
            let info = Request::operation(&json!({"operation": "user_info"}), authorization);
            let answer = self.run.target.send(info).await.answer;
            if answer.is_some_and(|answer| answer.body["role"]["permission"] == permission) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn ask(&self, probe: &Probe) -> Result<Sight, String> {
        let text = DATABASES
            .iter()
            .fold(probe.body.to_string(), |text, name| text.replace(name, &self.renamed(name)));
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut request = Request::operation(&body, Some(self.credentials().basic()));
        request.headers.push(("Accept".to_owned(), probe.accept.to_owned()));
        let exchange = self.run.target.send(request).await;
        if let Some(fault @ Fault::Connect(_)) = &exchange.fault {
            return Err(fault.to_string());
        }
        let mut words = BTreeSet::new();
        if let Some(answer) = &exchange.answer {
            words_in(&answer.body.to_string(), &mut words);
            words_in(answer.text.as_deref().unwrap_or_default(), &mut words);
        }
        // What the request names itself is no news.
        let mut said = BTreeSet::new();
        words_in(&text, &mut said);
        words.retain(|word| !said.contains(word));
        Ok(Sight { words, exchange })
    }
}

fn declined(exchange: &Exchange, probe: &Probe) -> bool {
    let operation = probe.body["operation"].as_str().unwrap_or_default();
    exchange.answer.as_ref().is_some_and(|answer| answer.declines(operation))
}

/// All words of the fixture in a text: they begin with `zq` and no other words do.
fn words_in(text: &str, words: &mut BTreeSet<String>) {
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut rest = part;
        while let Some(at) = rest.find("zq") {
            let word = &rest[at..];
            // Words may stand against each other; the next one begins at the next mark.
            let end = word[2..].find("zq").map_or(word.len(), |next| next + 2);
            words.insert(word[..end].to_owned());
            rest = &word[end..];
        }
    }
}

/// The values that a role may not read.
fn hidden_values(grants: &Grants) -> BTreeSet<String> {
    let attributes = PLACES.into_iter().flat_map(|place| (0..3).map(move |attribute| (place, attribute)));
    attributes
        .filter(|(place, attribute)| !grants.reads(*place, *attribute))
        .flat_map(|(place, attribute)| [0, 1].map(|record| place.secret(attribute, record)))
        .collect()
}

/// The tables and attributes that a role may not know of.
fn hidden_names(grants: &Grants) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for place in PLACES {
        if !grants.sees(place) {
            names.insert(place.table.to_owned());
        }
        // Whoever sees a table is told the name of its primary key.
        let first = if grants.sees(place) { 1 } else { 0 };
        let unseen = (first..3).filter(|attribute| !grants.sees_attribute(place, *attribute));
        names.extend(unseen.map(|attribute| place.attributes[attribute].to_owned()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::check_scenario;

    #[test]
    fn the_story_is_sound() {
        check_scenario(&scenario()).unwrap();
    }

    #[test]
    fn words_are_found_wherever_they_stand() {
        let mut words = BTreeSet::new();
        words_in(r#"{"zqared":"zqsecret0x1x0qzqsecret0x2x1q"},zqapple-1"#, &mut words);
        let found: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(found, ["zqapple", "zqared", "zqsecret0x1x0q", "zqsecret0x2x1q"]);
    }

    #[test]
    fn without_rights_everything_is_hidden() {
        let none = Grants::of(&[]);
        assert_eq!(hidden_values(&none).len(), 18);
        assert_eq!(hidden_names(&none).len(), 12);
        let all = Grants { structure: [true, true], ..none };
        assert!(hidden_values(&all).is_empty() && hidden_names(&all).is_empty());
    }
}
