//! Two runs side by side: which checks changed their verdict, which stopped being run, which are new.

use crate::event::{Checked, Event};
use crate::report::Summary;
use crate::verdict::Verdict;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A run as far as a comparison needs it.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// Where it ran.
    pub target: String,
    verdicts: BTreeMap<String, (Verdict, f64)>,
}

/// Why a report cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Neither form of report.
    #[error("it is neither a JSON report nor a stream of events: {0}")]
    Form(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Document {
    started: Option<crate::event::Started>,
    checks: Vec<Checked>,
}

impl Side {
    /// Reads a report written with `--report json=FILE` or `--report events=FILE`.
    ///
    /// # Errors
    /// [`ReadError`] when it is neither.
    pub fn read(text: &str) -> Result<Side, ReadError> {
        if let Ok(document) = serde_json::from_str::<Document>(text) {
            let target = document.started.map(|started| started.target).unwrap_or_default();
            return Ok(Side::new(target, document.checks.iter()));
        }
        let events: Vec<Event> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        Ok(Side::of(&events))
    }

    /// The run that a stream of events tells of.
    pub fn of(events: &[Event]) -> Side {
        let summary = Summary::new(events);
        let target = summary.started.map(|started| started.target.clone()).unwrap_or_default();
        Side::new(target, summary.checks.iter().copied())
    }

    fn new<'c>(target: String, checks: impl Iterator<Item = &'c Checked>) -> Side {
        let verdicts = checks.map(|check| (check.id.clone(), (check.verdict, check.millis))).collect();
        Side { target, verdicts }
    }
}

/// What changed from one run to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Checks that passed, or said nothing, and now spoil the run: id, before, after.
    pub worse: Vec<(String, Verdict, Verdict)>,
    /// Checks that spoilt the run and no longer do.
    pub better: Vec<(String, Verdict, Verdict)>,
    /// Other changes of verdict.
    pub other: Vec<(String, Verdict, Verdict)>,
    /// Checks that said something and now are not run, or no longer exist.
    pub stopped: Vec<String>,
    /// Checks that are new.
    pub new: Vec<(String, Verdict)>,
    /// Checks with the same verdict.
    pub same: usize,
    /// Milliseconds spent in checks that both ran: before, after.
    pub millis: (f64, f64),
}

/// Compares two runs.
pub fn compare(before: &Side, after: &Side) -> Comparison {
    let mut comparison = Comparison::default();
    for (id, (was, took)) in &before.verdicts {
        match after.verdicts.get(id) {
            None if silent(*was) => {}
            None => comparison.stopped.push(id.clone()),
            Some((is, _)) if !silent(*was) && silent(*is) => comparison.stopped.push(id.clone()),
            Some((is, takes)) => {
                comparison.millis.0 += took;
                comparison.millis.1 += takes;
                let change = (id.clone(), *was, *is);
                match (was.spoils(), is.spoils()) {
                    _ if was == is => comparison.same += 1,
                    (false, true) => comparison.worse.push(change),
                    (true, false) => comparison.better.push(change),
                    _ => comparison.other.push(change),
                }
            }
        }
    }
    let fresh = after.verdicts.iter().filter(|(id, _)| !before.verdicts.contains_key(*id));
    comparison.new = fresh.map(|(id, (verdict, _))| (id.clone(), *verdict)).collect();
    comparison
}

/// True for verdicts that say nothing of the target.
fn silent(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::NotRun | Verdict::Unsupported)
}

impl Comparison {
    /// 1 when something got worse or stopped being checked, or a new check fails; otherwise 0.
    pub fn exit_status(&self) -> u8 {
        let new_failures = self.new.iter().any(|(_, verdict)| verdict.spoils());
        u8::from(!self.worse.is_empty() || !self.stopped.is_empty() || new_failures)
    }

    /// As a person reads it.
    pub fn to_text(&self, before: &Side, after: &Side) -> String {
        let mut out = format!("A  {}  {} checks\n", before.target, before.verdicts.len());
        let _ = writeln!(out, "B  {}  {} checks\n", after.target, after.verdicts.len());
        for (title, changes) in [("worse", &self.worse), ("better", &self.better), ("changed", &self.other)] {
            if !changes.is_empty() {
                let _ = writeln!(out, "{title}:");
                for (id, was, is) in changes {
                    let _ = writeln!(out, "  {} → {}  {id}", was.word(), is.word());
                }
            }
        }
        if !self.stopped.is_empty() {
            let _ = writeln!(out, "no longer checked:");
            self.stopped.iter().for_each(|id| {
                let _ = writeln!(out, "  {id}");
            });
        }
        if !self.new.is_empty() {
            let _ = writeln!(out, "new:");
            for (id, verdict) in self.new.iter().filter(|(_, verdict)| verdict.spoils()) {
                let _ = writeln!(out, "  {}  {id}", verdict.word());
            }
            let fine = self.new.iter().filter(|(_, verdict)| !verdict.spoils()).count();
            let _ = writeln!(out, "  and {fine} that do not fail");
        }
        let _ = writeln!(
            out,
            "{} alike, {} worse, {} better, {} otherwise changed, {} no longer checked, {} new; {:.1} s against {:.1} s",
            self.same,
            self.worse.len(),
            self.better.len(),
            self.other.len(),
            self.stopped.len(),
            self.new.len(),
            self.millis.0 / 1000.0,
            self.millis.1 / 1000.0
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(verdicts: &[(&str, Verdict)]) -> Side {
        let verdicts = verdicts.iter().map(|(id, verdict)| ((*id).to_owned(), (*verdict, 1.0))).collect();
        Side { target: "t".to_owned(), verdicts }
    }

    #[test]
    fn every_change_is_told_once() {
        use Verdict::{Blocked, Fail, NotRun, Pass, Unsupported, Warn};
        let before = side(&[
            ("same", Pass),
            ("broke", Pass),
            ("mended", Fail),
            ("gone", Pass),
            ("declined", Pass),
            ("quiet", Unsupported),
            ("moved", Fail),
        ]);
        let after = side(&[
            ("same", Pass),
            ("broke", Fail),
            ("mended", Warn),
            ("declined", NotRun),
            ("moved", Blocked),
            ("new", Fail),
        ]);
        let found = compare(&before, &after);
        assert_eq!(found.worse, [("broke".to_owned(), Pass, Fail)]);
        assert_eq!(found.better, [("mended".to_owned(), Fail, Warn)]);
        assert_eq!(found.other, [("moved".to_owned(), Fail, Blocked)]);
        assert_eq!(found.stopped, ["declined", "gone"]);
        assert_eq!(found.new, [("new".to_owned(), Fail)]);
        assert_eq!((found.same, found.exit_status()), (1, 1));
        assert_eq!(compare(&before, &before).exit_status(), 0);
    }
}
