//! The run as a short Markdown summary, for the page of a build or a pull request.

use super::terminal::evidence;
use super::{RequirementState, Summary, when};
use crate::event::{Checked, Event};
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// So many failures are shown in full; the rest is counted.
const SHOWN: usize = 20;

/// The summary.
pub fn document(events: &[Event]) -> String {
    let summary = Summary::new(events);
    let mut out = String::new();
    head(&summary, &mut out);
    table(&summary, &mut out);
    requirements(&summary, &mut out);
    failures(&summary, &mut out);
    out
}

fn head(summary: &Summary<'_>, out: &mut String) {
    let sign = match summary.exit_status() {
        0 => "✅",
        1 => "❌",
        _ => "⚠️",
    };
    let _ = writeln!(out, "## {sign} Operations API conformance: {}\n", summary.outcome());
    if let Some(started) = summary.started {
        let profile = started.demand();
        let _ = writeln!(out, "`{}`, profile {profile}, {}", started.target, when::utc(started.at));
    }
    if let Some(finished) = summary.finished {
        if let Some(error) = &finished.error {
            let _ = writeln!(out, "\n**{}**", cell(error));
        }
        let early = if finished.interrupted { ", stopped early" } else { "" };
        let _ = writeln!(out, "{} checks in {:.1} s{early}", summary.tally.total(), finished.millis / 1000.0);
    }
    out.push('\n');
}

fn table(summary: &Summary<'_>, out: &mut String) {
    let shown: Vec<Verdict> =
        Verdict::ALL.into_iter().filter(|v| *v == Verdict::Pass || summary.tally.of(*v) > 0).collect();
    let words: Vec<&str> = shown.iter().map(|verdict| verdict.word()).collect();
    let _ = writeln!(out, "| category | {} |", words.join(" | "));
    let _ = writeln!(out, "| --- |{}", " ---: |".repeat(shown.len()));
    let rows = summary.categories.iter().map(|(name, tally)| (*name, tally));
    for (name, tally) in rows.chain([("**all**", &summary.tally)]) {
        let figures: Vec<String> = shown.iter().map(|verdict| tally.of(*verdict).to_string()).collect();
        let _ = writeln!(out, "| {name} | {} |", figures.join(" | "));
    }
    out.push('\n');
}

fn requirements(summary: &Summary<'_>, out: &mut String) {
    let coverage = summary.coverage();
    if coverage.is_empty() {
        return;
    }
    let count = |state| coverage.iter().filter(|row| row.state == state).count();
    let _ = writeln!(
        out,
        "{} requirements: {} proven, {} failed, {} untested.\n",
        coverage.len(),
        count(RequirementState::Proven),
        count(RequirementState::Failed),
        count(RequirementState::Untested)
    );
}

fn failures(summary: &Summary<'_>, out: &mut String) {
    let spoilt: Vec<&&Checked> = summary.checks.iter().filter(|check| check.verdict.spoils()).collect();
    for check in spoilt.iter().take(SHOWN) {
        let _ = writeln!(
            out,
            "<details><summary><b>{}</b> <code>{}</code> {}</summary>\n",
            check.verdict.word(),
            escape(&check.id),
            escape(&check.title)
        );
        let text = evidence(summary, check);
        let fence = "`".repeat(longest_run(&text).max(2) + 1);
        let _ = writeln!(out, "{fence}text\n{}\n{fence}\n</details>\n", text.trim_end());
    }
    if spoilt.len() > SHOWN {
        let _ = writeln!(out, "… and {} more.", spoilt.len() - SHOWN);
    }
}

/// The longest run of backticks: a fence has to be longer.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
