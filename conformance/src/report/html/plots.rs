//! How long checks took, by category: a box from the first to the third quarter, a line at the median, whiskers from
//! the 5th to the 95th percentile, on a logarithmic scale.

use super::Summary;
use crate::event::Checked;
use crate::verdict::Verdict;
use maud::{Markup, html};
use std::collections::BTreeMap;

const LEFT: f64 = 150.0;
const WIDTH: f64 = 560.0;
const ROW: f64 = 24.0;
/// The scale's ends, in milliseconds.
const SCALE: (f64, f64) = (0.1, 10_000.0);

pub(super) fn section(summary: &Summary<'_>) -> Markup {
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for check in
        summary.checks.iter().filter(|check| !matches!(check.verdict, Verdict::NotRun | Verdict::Unsupported))
    {
        if check.millis > 0.0 {
            times.entry(check.id.split('/').next().unwrap_or_default()).or_default().push(check.millis);
        }
    }
    let height = ROW * (times.len() as f64 + 1.5);
    let marks = [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];
    html! {
        section id="times" {
            h2 { "Times" }
            p class="quiet" { "Milliseconds from request to whole answer: box = middle half, line = median, whiskers = 5 % to 95 %." }
            svg viewBox=(format!("0 0 {} {height}", LEFT + WIDTH + 60.0)) role="img" aria-label="times of checks by category" {
                @for mark in marks {
                    line class="grid" x1=(at(mark)) x2=(at(mark)) y1="0" y2=(height - ROW) {}
                    text class="scale" x=(at(mark)) y=(height - 6.0) { (mark) }
                }
                @for (row, (category, values)) in times.iter_mut().enumerate() { (plot(row, category, values)) }
            }
            details {
                summary { "The slowest" }
                table { @for check in slowest(summary) {
                    tr class="row" { td { code { (check.id) } } td class="number" { (format!("{:.0} ms", check.millis)) } }
                } }
            }
        }
    }
}

/// The checks that took longest.
fn slowest<'a>(summary: &Summary<'a>) -> Vec<&'a Checked> {
    const SHOWN: usize = 20;
    let mut checks: Vec<&Checked> =
        summary.checks.iter().copied().filter(|check| check.millis > 0.0).collect();
    checks.sort_by(|a, b| b.millis.total_cmp(&a.millis));
    checks.truncate(SHOWN);
    checks
}

fn plot(row: usize, category: &str, values: &mut [f64]) -> Markup {
    values.sort_by(f64::total_cmp);
    let [low, first, median, third, high] =
        [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(values, share));
    let middle = ROW * (row as f64 + 0.7);
    let title =
        format!("{category}: {} checks, median {median:.1} ms, 95 % under {high:.1} ms", values.len());
    html! {
        g {
            title { (title) }
            text class="name" x=(LEFT - 8.0) y=(middle + 4.0) { (category) }
            line class="whisker" x1=(at(low)) x2=(at(high)) y1=(middle) y2=(middle) {}
            rect class="box" x=(at(first)) y=(middle - 7.0) width=(round((at(third) - at(first)).max(1.5))) height="14" {}
            line class="median" x1=(at(median)) x2=(at(median)) y1=(middle - 7.0) y2=(middle + 7.0) {}
        }
    }
}

/// Where a time stands on the scale.
fn at(millis: f64) -> f64 {
    let (least, most) = SCALE;
    let share = (millis.clamp(least, most) / least).log10() / (most / least).log10();
    round(LEFT + share * WIDTH)
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// A quantile of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}
