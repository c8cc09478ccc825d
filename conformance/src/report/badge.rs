//! A badge: one small picture that says how the last run ended.

use super::Summary;
use crate::event::Event;
use crate::verdict::Verdict;
use maud::html;

const LABEL: &str = "Operations API";
/// The mean width of a letter at eleven pixels.
const LETTER: f64 = 6.6;

/// The picture, as SVG.
pub fn document(events: &[Event]) -> String {
    let summary = Summary::new(events);
    let (text, color) = words(&summary);
    let (left, right) = (width(LABEL), width(&text));
    let whole = left + right;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(whole) height="20" role="img" aria-label={ (LABEL) ": " (text) } {
            title { (LABEL) ": " (text) }
            clipPath id="round" { rect width=(whole) height="20" rx="3" fill="#fff" {} }
            g clip-path="url(#round)" {
                rect width=(left) height="20" fill="#444d56" {}
                rect x=(left) width=(right) height="20" fill=(color) {}
            }
            g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" {
                text x=(left / 2.0) y="14" { (LABEL) }
                text x=(left + right / 2.0) y="14" { (text) }
            }
        }
    }
    .into_string()
}

/// What the badge says: the profile with the share of checks that passed among those that say something.
fn words(summary: &Summary<'_>) -> (String, &'static str) {
    let profile = summary.started.map_or("", |started| started.profile.word());
    let (passed, executed) = (summary.tally.of(Verdict::Pass), summary.tally.executed());
    match summary.exit_status() {
        0 => (format!("{profile} {passed}/{executed}"), "#1a7f4b"),
        1 => (format!("{profile} {passed}/{executed}"), "#c4232b"),
        _ => ("not run".to_owned(), "#6a737d"),
    }
}

fn width(text: &str) -> f64 {
    (text.chars().count() as f64 * LETTER).round() + 10.0
}
