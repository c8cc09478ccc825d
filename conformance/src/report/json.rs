//! The run as one JSON document, and as the stream of events itself.

use super::{Coverage, Summary};
use crate::event::{Checked, Event, Finished, Observed, Probed, Started};
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the document's form.
pub const FORMAT: &str = "1.0.0";

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    exit_status: u8,
    started: Option<&'a Started>,
    probed: Option<&'a Probed>,
    declared: usize,
    chosen: usize,
    executed: usize,
    verdicts: BTreeMap<&'static str, usize>,
    requirements: Vec<Coverage>,
    observed: &'a [&'a Observed],
    checks: &'a [&'a Checked],
    finished: Option<&'a Finished>,
}

/// One document with everything in it.
///
/// # Errors
/// When a value cannot be printed as JSON, which no event holds.
pub fn document(events: &[Event]) -> serde_json::Result<String> {
    let summary = Summary::new(events);
    let document = Document {
        format: FORMAT,
        exit_status: summary.exit_status(),
        started: summary.started,
        probed: summary.probed,
        declared: summary.planned.map_or(0, |planned| planned.declared),
        chosen: summary.planned.map_or(0, |planned| planned.chosen),
        executed: summary.tally.executed(),
        verdicts: crate::verdict::Verdict::ALL.into_iter().map(|v| (v.word(), summary.tally.of(v))).collect(),
        requirements: summary.coverage(),
        observed: &summary.observed,
        checks: &summary.checks,
        finished: summary.finished,
    };
    serde_json::to_string_pretty(&document)
}

/// One event per line.
///
/// # Errors
/// When a value cannot be printed as JSON, which no event holds.
pub fn lines(events: &[Event]) -> serde_json::Result<String> {
    let mut text = String::new();
    for event in events {
        text.push_str(&serde_json::to_string(event)?);
        text.push('\n');
    }
    Ok(text)
}
