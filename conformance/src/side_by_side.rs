//! The same requests on two live endpoints: where the second answers otherwise than the first.

use crate::event::{Checked, Event};
use crate::report::Summary;
use crate::report::terminal::{difference_line, evidence};
use crate::runner::{Options, Sink, Stop};
use crate::scenario::Names;
use crate::secrets::MASK;
use crate::services::Services;
use crate::target::Target;
use crate::verdict::Verdict;
use crate::{Report, probe, run_with, tokens};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

/// What two endpoints answered.
#[derive(Debug)]
pub struct Differing {
    /// The run on the first, held against the scenarios.
    pub first: Report,
    /// The run on the second, held against the first's answers.
    pub second: Report,
}

/// Runs the chosen checks on both, one after the other, under the same names.
pub async fn run(first: Target, second: Target, options: Options, sink: Sink, stop: Stop) -> Differing {
    let names = options.names.clone().unwrap_or_else(Names::random);
    // Both are told the same addresses.
    let both_here = first.is_here() && second.is_here();
    let services = match options.services {
        None if both_here => Services::here(0).await.ok().map(Arc::new),
        given => given,
    };
    let options = Options { names: Some(names), services, ..options };
    let roots = probe::roots(&first).await;
    let first = run_with(first, options.clone(), Arc::clone(&sink), stop.clone()).await;
    let mut model = first.answers.clone();
    // The second has folders of its own.
    model.values_mut().for_each(|answer| answer.body = tokens::mask(&answer.body, &roots));
    let model = Arc::new(model);
    let options = Options { model: Some(model), ..options };
    let second = run_with(second, options, sink, stop).await;
    Differing { first, second }
}

impl Differing {
    /// 0: they answer alike; 1: they do not; 2: a run could not be done.
    pub fn exit_status(&self) -> u8 {
        let broken = [&self.first, &self.second].into_iter().any(|report| report.exit_status() == 2);
        match (broken, self.differing().next()) {
            (true, _) => 2,
            (false, Some(_)) => 1,
            (false, None) => 0,
        }
    }

    fn differing(&self) -> impl Iterator<Item = &Checked> {
        self.second.events.iter().filter_map(|event| match event {
            Event::Checked(check)
                if matches!(check.verdict, Verdict::Fail | Verdict::Warn | Verdict::Flaky)
                    && self.first.answers.contains_key(&check.id)
                    && !is_of_secrets_only(check) =>
            {
                Some(&**check)
            }
            _ => None,
        })
    }

    /// As a person reads it; with the exchanges when `verbose`.
    pub fn to_text(&self, verbose: bool) -> String {
        let (first, second) = (Summary::new(&self.first.events), Summary::new(&self.second.events));
        let mut out = String::new();
        for (letter, summary) in [("A", &first), ("B", &second)] {
            let address = summary.started.map_or("", |started| started.target.as_str());
            let version = summary.probed.and_then(|probed| probed.version.as_deref()).unwrap_or("not told");
            let _ = writeln!(out, "{letter}  {address}  version {version}");
            if let Some(error) = summary.finished.and_then(|finished| finished.error.as_deref()) {
                let _ = writeln!(out, "   could not be done: {error}");
            }
        }
        out.push('\n');
        let mut count = 0_usize;
        for check in self.differing() {
            count += 1;
            let _ = writeln!(out, "{}  {}", check.id, check.title);
            if verbose {
                evidence(&second, check).lines().for_each(|line| {
                    let _ = writeln!(out, "    {line}");
                });
            } else {
                for difference in check.differences.iter().take(3) {
                    let line =
                        difference_line(difference).replace(": expected ", ": A ").replace(", got ", ", B ");
                    let _ = writeln!(out, "    {line}");
                }
            }
        }
        let of_secrets = self.second.events.iter().filter(|event| match event {
            Event::Checked(check) => is_of_secrets_only(check),
            _ => false,
        });
        let alike = second.tally.of(Verdict::Pass) + of_secrets.count();
        let _ = writeln!(out, "{alike} answers alike, {count} different");
        out
    }
}

/// True when both answers have a secret in the same place: salted hashes and tokens are never the same twice.
fn is_of_secrets_only(check: &Checked) -> bool {
    let hidden = Some(Value::from(MASK));
    !check.differences.is_empty()
        && check.differences.iter().all(|found| found.expected == hidden && found.actual == hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Difference;
    use crate::event::Kind;

    #[test]
    fn two_secrets_in_one_place_are_alike() {
        let of = |differences: Vec<Difference>| Checked {
            differences,
            ..Checked::new(Kind::Scenario, "a/b#c", "")
        };
        let secret = Difference::new("/0/password", MASK, MASK);
        assert!(is_of_secrets_only(&of(vec![secret.clone()])));
        assert!(!is_of_secrets_only(&of(vec![secret.clone(), Difference::new("/0/role", "a", "b")])));
        let absent = Difference { actual: None, ..secret };
        assert!(!is_of_secrets_only(&of(vec![absent])));
        assert!(!is_of_secrets_only(&of(Vec::new())));
    }
}
