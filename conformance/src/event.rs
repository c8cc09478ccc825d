//! The one stream of events that a run produces. Every report is a pure function of it.

use crate::diff::Difference;
use crate::scenario::{Errors, Level, Profile};
use crate::target::Exchange;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run began.
    Started(Started),
    /// What the target said of itself.
    Probed(Probed),
    /// What will be run.
    Planned(Planned),
    /// A check came to its verdict.
    Checked(Box<Checked>),
    /// Something worth knowing that is no verdict.
    Observed(Observed),
    /// What the requests of the run tried of the schemas.
    Covered(Covered),
    /// The run ended.
    Finished(Finished),
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The version of this program.
    pub version: String,
    /// The endpoint.
    pub target: String,
    /// What marks the names of this run.
    pub run: String,
    /// How much is demanded.
    pub profile: Profile,
    /// How strictly errors are compared, when that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,
    /// The frozen set of requirements that is demanded, when one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// When, in seconds since 1970.
    pub at: u64,
    /// What the random programs were drawn from.
    #[serde(default)]
    pub seed: u64,
}

impl Started {
    /// What was demanded, in words: the profile, and what was chosen besides.
    pub fn demand(&self) -> String {
        let mut text = self.profile.word().to_owned();
        text.extend(self.errors.map(|errors| format!(", errors by {}", errors.word())));
        text.extend(self.set.as_ref().map(|set| format!(", requirements {set}")));
        text
    }
}

/// What the target said of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// The product's version, when it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How long, at most, a change of structure took to be visible.
    pub visibility_ms: f64,
    /// How long the run waits for such changes.
    pub settle_ms: u64,
    /// Databases that hold tables not of this run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<String>,
}

/// What will be run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Checks that exist.
    pub declared: usize,
    /// Checks that were chosen.
    pub chosen: usize,
    /// Every requirement with its level and sentence.
    pub requirements: Vec<RequirementNote>,
}

/// A requirement as reports show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequirementNote {
    /// Its id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What it says.
    pub text: String,
    /// The operation it belongs to, if to one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// What kind of check it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A step of a story.
    Scenario,
    /// Generated from the schemas.
    Contract,
    /// A step of a random program.
    Program,
    /// What holds of several writers at once, even when the target is killed meanwhile.
    History,
    /// What must hold for every answer of the run.
    Answers,
    /// Removing what a check made.
    Cleanup,
    /// An entry of the baseline in use.
    Baseline,
}

impl Kind {
    /// True for the checks that send requests of their own to judge their answers.
    pub fn asks(self) -> bool {
        self.is_declared() || self == Kind::History
    }

    /// True for the checks that a plan declares beforehand.
    pub fn is_declared(self) -> bool {
        matches!(self, Kind::Scenario | Kind::Contract | Kind::Program)
    }
}

/// A check that came to its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// `category/name#step`.
    pub id: String,
    /// What kind of check.
    pub kind: Kind,
    /// What it shows, in a few words.
    pub title: String,
    /// The operation it bears on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The requirements it bears on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// How binding the expectation is.
    pub level: Level,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the answer is not what was expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The exchange, without secrets, when it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// A command that repeats the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// How long it took.
    pub millis: f64,
}

impl Checked {
    /// A check that has come to nothing yet, of what is demanded.
    pub fn new(kind: Kind, id: impl Into<String>, title: impl Into<String>) -> Checked {
        Checked {
            id: id.into(),
            kind,
            title: title.into(),
            operation: None,
            requirements: Vec::new(),
            level: Level::Must,
            verdict: Verdict::NotRun,
            reason: None,
            differences: Vec::new(),
            exchange: None,
            curl: None,
            millis: 0.0,
        }
    }

    /// True when it holds something against the target.
    pub(crate) fn objects(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Warn)
    }
}

/// Something worth knowing that is no verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Where it was seen.
    pub place: String,
    /// What.
    pub text: String,
}

/// What the requests of a run tried of the schemas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Covered {
    /// Every keyword of every request schema.
    pub keywords: Vec<KeywordSeen>,
}

/// How often a keyword of a request schema was seen at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordSeen {
    /// The operation.
    pub operation: String,
    /// The members that lead to the value, `*` for every item.
    pub place: String,
    /// The keyword.
    pub keyword: String,
    /// Accepted requests that keep it.
    pub kept: usize,
    /// Refused requests that break it.
    pub broken: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// How many checks came to each verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// How long it took.
    pub millis: f64,
    /// True when it was stopped early.
    pub interrupted: bool,
    /// Why the run could not be done, when it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
