//! What a stream of events amounts to.

use crate::event::{Checked, Covered, Event, Finished, Observed, Planned, Probed, RequirementNote, Started};
use crate::scenario::Level;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many checks came to each verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally(BTreeMap<Verdict, usize>);

impl Tally {
    /// How many came to one verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// How many said something about the target.
    pub fn executed(&self) -> usize {
        [Verdict::Pass, Verdict::Fail, Verdict::Warn, Verdict::Known, Verdict::Flaky]
            .into_iter()
            .map(|v| self.of(v))
            .sum()
    }

    fn add(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }
}

/// What a run says about one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequirementState {
    /// A check passed and none failed.
    Proven,
    /// A check failed.
    Failed,
    /// It is not followed: it is recommended only, or the baseline says so.
    Departed,
    /// Only checks of something that the target does not offer.
    Unsupported,
    /// Checks exist, but none came to say anything.
    Undecided,
    /// No check of this run bears on it.
    Untested,
}

impl RequirementState {
    /// All of them, in the order that reports tell them in.
    pub const ALL: [RequirementState; 6] = [
        RequirementState::Proven,
        RequirementState::Failed,
        RequirementState::Departed,
        RequirementState::Unsupported,
        RequirementState::Undecided,
        RequirementState::Untested,
    ];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            RequirementState::Proven => "proven",
            RequirementState::Failed => "failed",
            RequirementState::Departed => "not followed",
            RequirementState::Unsupported => "unsupported",
            RequirementState::Undecided => "undecided",
            RequirementState::Untested => "untested",
        }
    }
}

/// A requirement and what a run says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The requirement.
    #[serde(flatten)]
    pub requirement: RequirementNote,
    /// What became of it.
    pub state: RequirementState,
    /// How many checks cite it.
    pub checks: usize,
}

/// What a stream of events amounts to.
#[derive(Clone, Debug, Default)]
pub struct Summary<'a> {
    /// How the run began.
    pub started: Option<&'a Started>,
    /// What the target said of itself.
    pub probed: Option<&'a Probed>,
    /// What was to be run.
    pub planned: Option<&'a Planned>,
    /// Every check, in the order of ids.
    pub checks: Vec<&'a Checked>,
    /// What is worth knowing besides.
    pub observed: Vec<&'a Observed>,
    /// What was tried of the schemas.
    pub covered: Option<&'a Covered>,
    /// How the run ended.
    pub finished: Option<&'a Finished>,
    /// All verdicts.
    pub tally: Tally,
    /// The verdicts by category.
    pub categories: BTreeMap<&'a str, Tally>,
}

impl<'a> Summary<'a> {
    /// Reads a stream of events.
    pub fn new(events: &'a [Event]) -> Self {
        let mut summary = Summary::default();
        for event in events {
            match event {
                Event::Started(started) => summary.started = Some(started),
                Event::Probed(probed) => summary.probed = Some(probed),
                Event::Planned(planned) => summary.planned = Some(planned),
                Event::Checked(check) => summary.checks.push(check),
                Event::Observed(observed) => summary.observed.push(observed),
                Event::Covered(covered) => summary.covered = Some(covered),
                Event::Finished(finished) => summary.finished = Some(finished),
            }
        }
        summary.checks.sort_by(|a, b| a.id.cmp(&b.id));
        for check in &summary.checks {
            summary.tally.add(check.verdict);
            let category = check.id.split('/').next().unwrap_or_default();
            summary.categories.entry(category).or_default().add(check.verdict);
        }
        summary
    }

    /// The words for how the run ended.
    pub fn outcome(&self) -> &'static str {
        match self.exit_status() {
            0 => "conforms",
            1 => "does not conform",
            _ => "could not be done",
        }
    }

    /// 0: every required check passed and at least one ran; 1: something failed; 2: the run could not be done, or not
    /// to its end and nothing had failed by then.
    pub fn exit_status(&self) -> u8 {
        let could_not = self.finished.is_none_or(|finished| finished.error.is_some());
        let executed = self.checks.iter().filter(|check| check.kind.asks());
        let told =
            executed.filter(|check| !matches!(check.verdict, Verdict::Unsupported | Verdict::NotRun)).count();
        let cut_off = self.finished.is_some_and(|finished| finished.interrupted);
        if could_not || told == 0 || (cut_off && self.tally.of(Verdict::Fail) == 0) {
            2
        } else if self.checks.iter().any(|check| check.verdict.spoils()) {
            1
        } else {
            0
        }
    }

    /// Requirement by requirement.
    pub fn coverage(&self) -> Vec<Coverage> {
        let mut by_id: BTreeMap<&str, Tally> = BTreeMap::new();
        for check in &self.checks {
            for id in &check.requirements {
                by_id.entry(id).or_default().add(check.verdict);
            }
        }
        let none = Tally::default();
        let notes = self.planned.map(|planned| planned.requirements.as_slice()).unwrap_or_default();
        notes
            .iter()
            .map(|requirement| {
                let tally = by_id.get(requirement.id.as_str()).unwrap_or(&none);
                let failed = [Verdict::Fail, Verdict::Flaky].into_iter().any(|v| tally.of(v) > 0);
                let warned = requirement.level != Level::Must && tally.of(Verdict::Warn) > 0;
                let departed = warned || tally.of(Verdict::Known) > 0;
                let state = match tally.total() {
                    0 => RequirementState::Untested,
                    _ if failed => RequirementState::Failed,
                    _ if departed => RequirementState::Departed,
                    _ if tally.of(Verdict::Pass) > 0 => RequirementState::Proven,
                    n if tally.of(Verdict::Unsupported) == n => RequirementState::Unsupported,
                    _ => RequirementState::Undecided,
                };
                Coverage { requirement: requirement.clone(), state, checks: tally.total() }
            })
            .collect()
    }

    /// What a requirement says.
    pub fn sentence(&self, id: &str) -> Option<&'a str> {
        self.planned?.requirements.iter().find(|note| note.id == id).map(|note| note.text.as_str())
    }
}
