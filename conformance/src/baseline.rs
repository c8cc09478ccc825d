//! Known divergences of a product: checks that may fail, each with the reason. They still run; an entry whose checks
//! no longer fail is stale and fails the run, so that a list never outlives what it excuses.

use crate::event::{Checked, Event, Kind};
use crate::verdict::Verdict;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The lists that come with the program: name and text.
const SHIPPED: &[(&str, &str)] = &[("harper-5.0.0", include_str!("../baselines/harper-5.0.0.toml"))];

/// The version of the files' form.
const FORMAT: &str = "1.0.0";

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not TOML of the right form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// It is of another version.
    #[error("it has format {0}; this program knows {FORMAT}")]
    Format(String),
    /// An entry gives no reason.
    #[error("the entry for '{0}' gives no reason")]
    NoReason(String),
    /// A pattern that is none.
    #[error("'{0}' is no pattern of check ids")]
    Pattern(String),
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    /// Of what product.
    #[serde(default)]
    product: String,
    /// In which version.
    #[serde(default)]
    version: String,
    #[serde(default, rename = "known")]
    entries: Vec<FileEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    /// The check's id; `*` stands for any letters but `#`.
    check: String,
    /// The requirements that are not met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requirements: Vec<String>,
    /// Why it fails.
    reason: String,
    /// Where that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// One known divergence.
#[derive(Debug)]
struct Entry {
    check: String,
    requirements: Vec<String>,
    reason: String,
    pattern: Regex,
    matched: AtomicUsize,
    excused: AtomicUsize,
}

/// A list of known divergences, in use.
#[derive(Debug, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
}

impl Baseline {
    /// The names of the lists that come with the program.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A list that comes with the program.
    pub fn by_name(name: &str) -> Option<Result<Baseline, BaselineError>> {
        SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| Baseline::parse(text))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`BaselineError`] when it is malformed.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let file: File = toml::from_str(text)?;
        if file.format != FORMAT {
            return Err(BaselineError::Format(file.format));
        }
        let entries = file.entries.into_iter().map(|entry| {
            if entry.reason.trim().is_empty() {
                return Err(BaselineError::NoReason(entry.check));
            }
            let pattern = regex::escape(&entry.check).replace(r"\*", "[^#]*");
            let pattern = Regex::new(&format!("^{pattern}$"))
                .map_err(|_| BaselineError::Pattern(entry.check.clone()))?;
            let FileEntry { check, requirements, reason, .. } = entry;
            Ok(Entry {
                check,
                requirements,
                reason,
                pattern,
                matched: AtomicUsize::new(0),
                excused: AtomicUsize::new(0),
            })
        });
        Ok(Baseline { entries: entries.collect::<Result<_, _>>()? })
    }

    /// Turns the failure of a listed check into a known one.
    pub(crate) fn judge(&self, check: &mut Checked) {
        for entry in self.entries.iter().filter(|entry| entry.pattern.is_match(&check.id)) {
            match check.verdict {
                Verdict::Fail | Verdict::Warn | Verdict::Flaky | Verdict::Blocked => {
                    entry.matched.fetch_add(1, Ordering::Relaxed);
                    entry.excused.fetch_add(1, Ordering::Relaxed);
                    check.verdict = Verdict::Known;
                    let because =
                        check.reason.take().map(|reason| format!(" ({reason})")).unwrap_or_default();
                    check.reason = Some(format!("known: {}{because}", entry.reason));
                    return;
                }
                Verdict::Pass => {
                    entry.matched.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }

    /// A failing check for every entry whose checks all passed.
    pub(crate) fn stale(&self) -> Vec<Checked> {
        let stale = self.entries.iter().enumerate().filter(|(_, entry)| {
            entry.matched.load(Ordering::Relaxed) > 0 && entry.excused.load(Ordering::Relaxed) == 0
        });
        stale
            .map(|(number, entry)| {
                let id = format!("baseline/known#{}", number + 1);
                let title = format!("'{}' fails, as the baseline says", entry.check);
                let reason = format!(
                    "it passes: the entry is stale, remove it from the baseline (it says: {})",
                    entry.reason
                );
                Checked {
                    verdict: Verdict::Fail,
                    reason: Some(reason),
                    ..Checked::new(Kind::Baseline, id, title)
                }
            })
            .collect()
    }

    /// True when there is nothing on the list.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The requirements that entries name, each with the pattern of its entry.
    pub fn requirements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .flat_map(|entry| entry.requirements.iter().map(|id| (entry.check.as_str(), id.as_str())))
    }

    /// The checks that an entry is about, among those given: its pattern, and how many it fits.
    pub fn fitting<'a>(&'a self, ids: &'a [String]) -> impl Iterator<Item = (&'a str, usize)> {
        self.entries.iter().map(|entry| {
            let fitting = ids.iter().filter(|id| entry.pattern.is_match(id)).count();
            (entry.check.as_str(), fitting)
        })
    }

    /// The patterns on the list, in order.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.check.as_str())
    }
}

/// The smallest list that makes a run succeed: one entry per failed check, and one with `*` where every check of a
/// story failed.
pub fn write(events: &[Event]) -> Result<String, toml::ser::Error> {
    let version = events.iter().find_map(|event| match event {
        Event::Probed(probed) => probed.version.clone(),
        _ => None,
    });
    let mut stories: BTreeMap<&str, (usize, Vec<&Checked>)> = BTreeMap::new();
    for event in events {
        let Event::Checked(check) = event else { continue };
        if matches!(check.kind, Kind::Cleanup | Kind::Baseline) {
            continue;
        }
        let story = check.id.split('#').next().unwrap_or_default();
        let (all, failed) = stories.entry(story).or_default();
        *all += 1;
        if matches!(check.verdict, Verdict::Fail | Verdict::Flaky | Verdict::Blocked | Verdict::Known) {
            failed.push(check);
        }
    }
    let mut entries = Vec::new();
    for (story, (all, failed)) in stories {
        if failed.len() == all && all > 1 {
            let reason = failed.first().map(|check| why(check)).unwrap_or_default();
            let requirements = requirements_of(&failed);
            entries.push(FileEntry { check: format!("{story}#*"), requirements, reason, source: None });
        } else {
            entries.extend(failed.into_iter().map(|check| FileEntry {
                check: check.id.clone(),
                requirements: check.requirements.clone(),
                reason: why(check),
                source: None,
            }));
        }
    }
    let file = File {
        format: FORMAT.to_owned(),
        product: String::new(),
        version: version.unwrap_or_default(),
        entries,
    };
    toml::to_string_pretty(&file)
}

/// The requirements of several checks, each once.
fn requirements_of(checks: &[&Checked]) -> Vec<String> {
    let all: BTreeSet<&String> = checks.iter().flat_map(|check| &check.requirements).collect();
    all.into_iter().cloned().collect()
}

/// A first reason, for somebody to better.
fn why(check: &Checked) -> String {
    let reason = check.reason.as_deref().map(|reason| reason.trim_start_matches("known: ").to_owned());
    let difference = || check.differences.first().map(crate::report::terminal::difference_line);
    reason.or_else(difference).unwrap_or_else(|| "it failed when the list was written".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]
mod tests {
    use super::*;

    const LIST: &str = r#"
        format = "1.0.0"
        [[known]]
        check = "nosql/own-*#two"
        reason = "a defect"
    "#;

    fn checked(id: &str, verdict: Verdict) -> Checked {
        Checked { verdict, ..Checked::new(Kind::Scenario, id, "") }
    }

    #[test]
    fn a_listed_failure_is_known_and_a_listed_pass_is_stale() {
        let list = Baseline::parse(LIST).unwrap();
        let mut listed = checked("nosql/own-a#two", Verdict::Fail);
        list.judge(&mut listed);
        assert_eq!(listed.verdict, Verdict::Known);
        let mut other = checked("nosql/own-a#three", Verdict::Fail);
        list.judge(&mut other);
        assert_eq!(other.verdict, Verdict::Fail);
        assert!(list.stale().is_empty());

        let list = Baseline::parse(LIST).unwrap();
        let mut passing = checked("nosql/own-a#two", Verdict::Pass);
        list.judge(&mut passing);
        assert_eq!(passing.verdict, Verdict::Pass);
        assert_eq!(list.stale().len(), 1);
        let mut warned = checked("nosql/own-b#two", Verdict::Warn);
        list.judge(&mut warned);
        assert_eq!(warned.verdict, Verdict::Known, "what is only recommended may be listed as well");
        assert_eq!(list.stale().len(), 0);
        assert!(Baseline::parse(LIST).unwrap().stale().is_empty(), "what was not run says nothing");
    }

    #[test]
    fn what_is_written_excuses_exactly_what_failed() {
        let run = |verdicts: &[(&str, Verdict)]| -> Vec<Event> {
            verdicts.iter().map(|(id, verdict)| Event::Checked(Box::new(checked(id, *verdict)))).collect()
        };
        let text = write(&run(&[
            ("a/one#x", Verdict::Fail),
            ("a/one#y", Verdict::Pass),
            ("a/two#x", Verdict::Fail),
            ("a/two#y", Verdict::Blocked),
        ]))
        .unwrap();
        let list = Baseline::parse(&text).unwrap();
        assert_eq!(list.patterns().collect::<Vec<_>>(), ["a/one#x", "a/two#*"]);
    }

    #[test]
    fn shipped_lists_are_well_formed() {
        for name in Baseline::shipped() {
            Baseline::by_name(name).unwrap().unwrap();
        }
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let text = "format = \"1.0.0\"\n[[known]]\ncheck = \"a\"\nreason = \" \"";
        assert!(matches!(Baseline::parse(text), Err(BaselineError::NoReason(_))));
    }
}
