//! The tolerance audit: what comparisons leave out, by kind and with the reason that the scenario gives.

use crate::scenario::{Level, Scenario, Step, Suite};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A way in which a comparison is less than exact, and what that means.
pub const KINDS: [(&str, &str); 10] = [
    ("ignore", "values at some places may be anything, but must be there"),
    ("unordered", "lists at some places may come in any order"),
    ("keys-only", "only the names of the body's members are compared"),
    ("status-only", "only status, media type and headers are compared"),
    ("subset", "further members may be there"),
    ("other-status", "other statuses do as well; the body is then not compared"),
    ("pattern", "a header must match a pattern"),
    ("no-body", "no body is expected, so none is compared"),
    ("recommended", "a difference warns only (SHOULD or MAY)"),
    ("taken-only", "the step is taken and not compared"),
];

/// The steps of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerated {
    /// How many steps there are.
    pub steps: usize,
    /// How often each reason is given, in the words of the scenarios.
    pub reasons: BTreeMap<String, usize>,
    /// Steps without a reason.
    pub without: Vec<String>,
}

/// What is tolerated in a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many steps are compared.
    pub compared: usize,
    /// How many of them exactly.
    pub exact: usize,
    /// The rest, by kind.
    pub kinds: BTreeMap<&'static str, Tolerated>,
}

/// Looks at every step of a suite.
pub fn audit(suite: &Suite) -> Audit {
    let mut audit = Audit::default();
    for scenario in &suite.scenarios {
        for step in &scenario.steps {
            let kinds = kinds_of(step);
            if step.is_check() {
                audit.compared += 1;
                audit.exact += usize::from(kinds.is_empty());
            }
            for kind in kinds {
                audit.kinds.entry(kind).or_default().count(scenario, step);
            }
        }
    }
    audit
}

fn kinds_of(step: &Step) -> Vec<&'static str> {
    let compare = &step.compare;
    if !step.is_check() {
        let taken = step.request.is_some() || step.http.is_some() || step.wire.is_some();
        return if taken { vec!["taken-only"] } else { Vec::new() };
    }
    let expected = step.response.as_ref();
    let pattern = expected
        .is_some_and(|expected| expected.headers.values().flatten().any(|value| value.starts_with('~')));
    let bodiless = expected.is_some_and(|expected| expected.body.is_none() && expected.text.is_none());
    [
        ("ignore", !compare.ignore.is_empty()),
        ("unordered", !compare.unordered.is_empty()),
        ("keys-only", compare.keys_only),
        ("status-only", compare.status_only),
        ("subset", compare.subset),
        ("other-status", expected.is_some_and(|expected| !expected.or_status.is_empty())),
        ("pattern", pattern),
        ("no-body", bodiless && !compare.status_only),
        ("recommended", step.level != Level::Must),
    ]
    .into_iter()
    .filter_map(|(kind, applies)| applies.then_some(kind))
    .collect()
}

impl Tolerated {
    fn count(&mut self, scenario: &Scenario, step: &Step) {
        self.steps += 1;
        match step.note.as_ref().or(scenario.note.as_ref()) {
            Some(note) => *self.reasons.entry(note.clone()).or_default() += 1,
            None => self.without.push(scenario.check_id(step)),
        }
    }
}

impl Audit {
    /// The audit as a person reads it; with `all` every reason and every step without one.
    pub fn to_text(&self, all: bool) -> String {
        let mut out = format!("{} compared steps, {} of them exactly\n", self.compared, self.exact);
        for (kind, meaning) in KINDS {
            let Some(found) = self.kinds.get(kind) else { continue };
            let reasons = found.steps - found.without.len();
            let _ = writeln!(out, "{:>6}  {kind:<14}{meaning}; {reasons} with a reason", found.steps);
            if all {
                let mut reasons: Vec<(&String, &usize)> = found.reasons.iter().collect();
                reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
                for (reason, count) in reasons {
                    let _ = writeln!(out, "{count:>12}  {reason}");
                }
                for id in &found.without {
                    let _ = writeln!(out, "              without a reason: {id}");
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_stay_few_and_have_their_reasons() {
        let audit = audit(&crate::suite().unwrap());
        let steps = |kind: &str| audit.kinds.get(kind).map_or(0, |found| found.steps);
        // They may become fewer, not more: a suite that tolerates more over time proves less.
        assert!(audit.exact * 100 > audit.compared * 55, "{} of {}", audit.exact, audit.compared);
        assert!(steps("ignore") * 8 < audit.compared, "{}", audit.to_text(false));
        assert!(steps("other-status") * 20 < audit.compared, "{}", audit.to_text(false));
        assert!(steps("status-only") * 8 < audit.compared, "{}", audit.to_text(false));
    }
}
