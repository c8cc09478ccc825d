//! The run as a person reads it.

use super::{RequirementState, Summary};
use crate::diff::Difference;
use crate::event::{Checked, Event};
use crate::target::Exchange;
use crate::verdict::Verdict;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The last line only.
    Quiet,
    /// What went wrong, and figures.
    #[default]
    Normal,
    /// Every check.
    Verbose,
}

/// How a report looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// How much is said.
    pub detail: Detail,
    /// With colours.
    pub color: bool,
}

impl Look {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn verdict(self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass => "32",
            Verdict::Fail | Verdict::HarnessError | Verdict::Unclean => "31;1",
            Verdict::Warn | Verdict::Known | Verdict::Flaky | Verdict::Blocked => "33",
            Verdict::Unsupported | Verdict::NotRun => "2",
        };
        self.paint(code, verdict.word())
    }
}

/// The whole report.
pub fn render(events: &[Event], look: Look) -> String {
    let summary = Summary::new(events);
    let mut out = String::new();
    if look.detail > Detail::Quiet {
        head(&summary, look, &mut out);
        checks(&summary, look, &mut out);
        table(&summary, &mut out);
        requirements(&summary, look, &mut out);
        unsupported(&summary, &mut out);
        observations(&summary, look, &mut out);
    }
    last_line(&summary, look, &mut out);
    out
}

fn head(summary: &Summary<'_>, look: Look, out: &mut String) {
    if let Some(started) = summary.started {
        let title = look.paint("1", &format!("Operations API conformance {}", started.version));
        let _ =
            writeln!(out, "{title}  {}  profile {}  seed {}", started.target, started.demand(), started.seed);
    }
    if let Some(probed) = summary.probed {
        let version = probed.version.as_deref().unwrap_or("not told");
        let _ = writeln!(
            out,
            "product version {version}; changes visible after {:.0} ms; settle {} ms",
            probed.visibility_ms, probed.settle_ms
        );
    }
    out.push('\n');
}

fn checks(summary: &Summary<'_>, look: Look, out: &mut String) {
    let worst_first =
        |check: &&&Checked| !matches!(check.verdict, Verdict::Pass | Verdict::Unsupported | Verdict::NotRun);
    if look.detail == Detail::Verbose {
        for check in summary.checks.iter().filter(|check| !worst_first(check)) {
            let _ = writeln!(out, "{:<13} {}", look.verdict(check.verdict), check.id);
        }
        out.push('\n');
    }
    for check in summary.checks.iter().filter(worst_first) {
        let _ =
            writeln!(out, "{}  {}  {}", look.verdict(check.verdict), look.paint("1", &check.id), check.title);
        for line in evidence(summary, check).lines() {
            let _ = writeln!(out, "    {line}");
        }
        out.push('\n');
    }
}

/// What a reader needs to see why a check did not pass.
pub fn evidence(summary: &Summary<'_>, check: &Checked) -> String {
    let mut out = String::new();
    for id in &check.requirements {
        if let Some(sentence) = summary.sentence(id) {
            let _ = writeln!(out, "{id}: {sentence}");
        }
    }
    if let Some(reason) = &check.reason {
        let _ = writeln!(out, "because   {reason}");
    }
    const SHOWN: usize = 5;
    for difference in check.differences.iter().take(SHOWN) {
        let _ = writeln!(out, "at        {}", difference_line(difference));
    }
    if check.differences.len() > SHOWN {
        let _ = writeln!(out, "          and {} more differences", check.differences.len() - SHOWN);
    }
    if let Some(exchange) = &check.exchange {
        request_and_answer(exchange, &mut out);
    }
    if let Some(curl) = &check.curl {
        let _ = writeln!(out, "repeat    {curl}");
    }
    out
}

fn request_and_answer(exchange: &Exchange, out: &mut String) {
    let request = &exchange.request;
    match &request.wire {
        Some(wire) => {
            let _ = writeln!(out, "sent      {}", short(&format!("{wire:?}")));
        }
        None => {
            let body = String::from_utf8(request.body.clone())
                .unwrap_or_else(|_| format!("({} bytes)", request.body.len()));
            let _ = writeln!(out, "sent      {} {} {}", request.method, request.path, short(&body));
        }
    }
    match (&exchange.answer, &exchange.fault) {
        (Some(answer), _) => {
            let kind = answer.content_type();
            let kind = if kind.is_empty() { "no content type" } else { &kind };
            let body = match &answer.body {
                Value::String(text) => format!("{text:?}"),
                body => body.to_string(),
            };
            let _ = writeln!(out, "answered  {} {kind} {}", answer.status, short(&body));
        }
        (None, Some(fault)) => {
            let _ = writeln!(out, "answered  nothing: {fault}");
        }
        (None, None) => {}
    }
}

/// A difference in one line.
pub fn difference_line(difference: &Difference) -> String {
    let show =
        |side: &Option<Value>| side.as_ref().map_or("nothing".to_owned(), |value| short(&value.to_string()));
    let place = if difference.place.is_empty() { "the whole body" } else { &difference.place };
    format!("{place}: expected {}, got {}", show(&difference.expected), show(&difference.actual))
}

fn short(text: &str) -> String {
    const LONG: usize = 600;
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}

fn table(summary: &Summary<'_>, out: &mut String) {
    let shown: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|v| {
            matches!(v, Verdict::Pass | Verdict::Fail | Verdict::Unsupported) || summary.tally.of(*v) > 0
        })
        .collect();
    let _ = write!(out, "{:<18}", "category");
    for verdict in &shown {
        let _ = write!(out, "{:>14}", verdict.word());
    }
    out.push('\n');
    let rows = summary.categories.iter().map(|(name, tally)| (*name, tally));
    for (name, tally) in rows.chain([("all", &summary.tally)]) {
        let _ = write!(out, "{name:<18}");
        for verdict in &shown {
            let _ = write!(out, "{:>14}", tally.of(*verdict));
        }
        out.push('\n');
    }
    out.push('\n');
}

fn requirements(summary: &Summary<'_>, look: Look, out: &mut String) {
    let coverage = summary.coverage();
    if coverage.is_empty() {
        return;
    }
    let count = |state| coverage.iter().filter(|c| c.state == state).count();
    let states = RequirementState::ALL.into_iter();
    let figures: Vec<String> = states.map(|state| format!("{} {}", count(state), state.word())).collect();
    let _ = writeln!(out, "{} requirements: {}", coverage.len(), figures.join(", "));
    let listed = |state: RequirementState| {
        matches!(state, RequirementState::Failed | RequirementState::Departed)
            || (look.detail == Detail::Verbose
                && matches!(state, RequirementState::Untested | RequirementState::Undecided))
    };
    for requirement in coverage.iter().filter(|c| listed(c.state)) {
        let (state, note) = (requirement.state.word(), &requirement.requirement);
        let _ = writeln!(out, "  {state:<12} {} {}: {}", note.id, note.level.word(), note.text);
    }
    out.push('\n');
}

fn unsupported(summary: &Summary<'_>, out: &mut String) {
    let mut operations: BTreeMap<&str, usize> = BTreeMap::new();
    for check in summary.checks.iter().filter(|check| check.verdict == Verdict::Unsupported) {
        *operations.entry(check.reason.as_deref().unwrap_or("not offered")).or_default() += 1;
    }
    if operations.is_empty() {
        return;
    }
    let _ = writeln!(out, "unsupported:");
    for (reason, count) in operations {
        let _ = writeln!(out, "  {count:>5}  {reason}");
    }
    out.push('\n');
}

fn observations(summary: &Summary<'_>, look: Look, out: &mut String) {
    const SHOWN: usize = 5;
    if summary.observed.is_empty() {
        return;
    }
    let _ = writeln!(out, "observed:");
    let shown = if look.detail == Detail::Verbose { usize::MAX } else { SHOWN };
    for observed in summary.observed.iter().take(shown) {
        let _ = writeln!(out, "  {}: {}", observed.place, observed.text);
    }
    if summary.observed.len() > shown {
        let _ = writeln!(out, "  and {} more (-v lists them)", summary.observed.len() - shown);
    }
    out.push('\n');
}

fn last_line(summary: &Summary<'_>, look: Look, out: &mut String) {
    if let Some(error) = summary.finished.and_then(|finished| finished.error.as_deref()) {
        let _ = writeln!(out, "{}: {error}", look.paint("31;1", "the run could not be done"));
        return;
    }
    let tally = &summary.tally;
    let seconds = summary.finished.map_or(0.0, |finished| finished.millis / 1000.0);
    let interrupted = summary.finished.is_some_and(|finished| finished.interrupted);
    let word = match summary.exit_status() {
        0 => look.paint("32;1", "conforms"),
        1 => look.paint("31;1", "does not conform"),
        _ if tally.executed() > 0 && interrupted => look.paint("31;1", "was not finished"),
        _ if tally.executed() == 0 => look.paint("31;1", "nothing was checked"),
        _ => look.paint("31;1", "the run could not be done"),
    };
    let early = if interrupted { " (stopped early)" } else { "" };
    let others: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::Pass && tally.of(*verdict) > 0)
        .map(|verdict| format!("{} {}", tally.of(verdict), verdict.word()))
        .collect();
    let others = if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) };
    let _ = writeln!(out, "{word}: {} passed{others}, in {seconds:.1} s{early}", tally.of(Verdict::Pass));
}
