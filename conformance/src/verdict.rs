//! The words in which the suite judges, and nothing else.

use serde::{Deserialize, Serialize};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The target does what the requirement says.
    Pass,
    /// It does not.
    Fail,
    /// It departs from something that is recommended only.
    Warn,
    /// It says, validly, that it does not offer this.
    Unsupported,
    /// It does not, as the baseline in use says.
    Known,
    /// Something that had to come first went wrong.
    Blocked,
    /// It failed once and passed when repeated.
    Flaky,
    /// The harness itself is at fault.
    HarnessError,
    /// What a check made could not be removed.
    Unclean,
    /// The run ended before it was its turn.
    NotRun,
}

impl Verdict {
    /// Every verdict, in the order of reports.
    pub const ALL: [Verdict; 10] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Unsupported,
        Verdict::Known,
        Verdict::Blocked,
        Verdict::Flaky,
        Verdict::HarnessError,
        Verdict::Unclean,
        Verdict::NotRun,
    ];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Unsupported => "unsupported",
            Verdict::Known => "known",
            Verdict::Blocked => "blocked",
            Verdict::Flaky => "flaky",
            Verdict::HarnessError => "harness-error",
            Verdict::Unclean => "unclean",
            Verdict::NotRun => "not-run",
        }
    }

    /// True when a run with this verdict in it cannot succeed.
    pub fn spoils(self) -> bool {
        !matches!(self, Verdict::Pass | Verdict::Warn | Verdict::Unsupported | Verdict::Known)
    }
}
