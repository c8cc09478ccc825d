//! The run as one self-contained page: readable without scripts, in light and dark, with nothing fetched from elsewhere.

mod failures;
mod keywords;
mod matrix;
mod plots;
mod requirements;

use super::Summary;
use super::terminal::difference_line;
use crate::event::Event;
use crate::verdict::Verdict;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
const FILTER: &str = include_str!("filter.js");

/// The page.
pub fn document(events: &[Event]) -> String {
    let summary = Summary::new(events);
    let title = title(&summary);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(&summary))
                nav {
                    a href="#failures" { "What went wrong" }
                    a href="#matrix" { "Operations" }
                    a href="#requirements" { "Requirements" }
                    a href="#keywords" { "Schemas" }
                    a href="#times" { "Times" }
                    a href="#checks" { "All checks" }
                    label class="filter" { "Filter " input type="search" id="filter" placeholder="id, operation, text" disabled; }
                }
                main {
                    (failures::section(&summary))
                    (matrix::section(&summary))
                    (requirements::section(&summary))
                    (keywords::section(&summary))
                    (plots::section(&summary))
                    (checks(&summary))
                }
                script { (PreEscaped(FILTER)) }
            }
        }
    };
    page.into_string()
}

fn title(summary: &Summary<'_>) -> String {
    let target = summary.started.map_or("", |started| started.target.as_str());
    format!("Operations API conformance: {target}")
}

/// How a run ended, in two words.
/// The class and the words of how it ended.
fn outcome(summary: &Summary<'_>) -> (&'static str, &'static str) {
    let class = if summary.exit_status() == 0 { "pass" } else { "fail" };
    (class, summary.outcome())
}

fn head(summary: &Summary<'_>) -> Markup {
    let (class, words) = outcome(summary);
    let tally = &summary.tally;
    let total = tally.total().max(1);
    html! {
        header {
            h1 { "Operations API conformance" }
            p { span class={ "outcome " (class) } { (words) } }
            @if let Some(error) = summary.finished.and_then(|finished| finished.error.as_deref()) {
                p class="error" { (error) }
            }
            dl {
                @if let Some(started) = summary.started {
                    dt { "Endpoint" } dd { code { (started.target) } }
                    dt { "Profile" } dd { (started.demand()) }
                    dt { "Suite" } dd { (started.version) ", run " (started.run) ", " (super::when::utc(started.at)) }
                }
                @if let Some(probed) = summary.probed {
                    dt { "Product version" } dd { (probed.version.as_deref().unwrap_or("not told")) }
                }
                @if let Some(finished) = summary.finished {
                    dt { "Took" } dd { (format!("{:.1} s", finished.millis / 1000.0)) @if finished.interrupted { ", stopped early" } }
                }
            }
            div class="bar" role="img" aria-label="share of each verdict" {
                @for verdict in Verdict::ALL.into_iter().filter(|v| tally.of(*v) > 0) {
                    span class=(verdict.word()) style={ "flex-grow:" (tally.of(verdict)) } title={ (tally.of(verdict)) " " (verdict.word()) } {}
                }
            }
            ul class="tally" {
                @for verdict in Verdict::ALL.into_iter().filter(|v| tally.of(*v) > 0) {
                    li { span class={ "key " (verdict.word()) } {} " " (tally.of(verdict)) " " (verdict.word())
                        " (" (format!("{:.1}", 100.0 * tally.of(verdict) as f64 / total as f64)) " %)" }
                }
            }
        }
    }
}

/// Every check, by category, folded.
fn checks(summary: &Summary<'_>) -> Markup {
    html! {
        section id="checks" {
            h2 { "All checks" }
            @for (category, tally) in &summary.categories {
                details {
                    summary { (category) " " span class="quiet" { (tally.total()) " checks, " (tally.of(Verdict::Pass)) " passed" } }
                    table class="checks" {
                        @for check in summary.checks.iter().filter(|check| check.id.split('/').next() == Some(category)) {
                            tr class="row" {
                                td { span class={ "word " (check.verdict.word()) } { (check.verdict.word()) } }
                                td { code { (check.id) } }
                                td { (check.title) @if let Some(reason) = &check.reason { span class="quiet" { ": " (reason) } } }
                                td class="number" { (format!("{:.1} ms", check.millis)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The places where an answer is not what was expected, as a list.
fn differences(check: &crate::event::Checked) -> Markup {
    html! {
        @if !check.differences.is_empty() {
            ul class="differences" {
                @for difference in &check.differences { li { code { (difference_line(difference)) } } }
            }
        }
    }
}
