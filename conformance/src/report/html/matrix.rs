//! Operations against kinds of check.

use super::Summary;
use crate::event::Kind;
use crate::verdict::Verdict;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

type Cell = BTreeMap<Verdict, usize>;

pub(super) fn section(summary: &Summary<'_>) -> Markup {
    let mut cells: BTreeMap<(&str, Kind), Cell> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for check in &summary.checks {
        if let Some(operation) = check.operation.as_deref() {
            kinds.insert(check.kind);
            *cells.entry((operation, check.kind)).or_default().entry(check.verdict).or_default() += 1;
        }
    }
    let registry = spec::registry();
    let mut categories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in registry.operations() {
        categories.entry(operation.category.as_str()).or_default().push(operation.name.as_str());
    }
    html! {
        section id="matrix" {
            h2 { "Operations" }
            table class="matrix" {
                thead { tr { th { "operation" } @for kind in &kinds { th { (word(*kind)) } } } }
                @for (category, operations) in categories {
                    tbody {
                        tr class="group" { th colspan=(kinds.len() + 1) { (category) } }
                        @for operation in operations {
                            tr class="row" {
                                th scope="row" { code { (operation) } }
                                @for kind in &kinds { (cell(cells.get(&(operation, *kind)))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A kind of check, as a column's head.
pub(super) fn word(kind: Kind) -> String {
    format!("{kind:?}").to_lowercase()
}

/// The colour of the worst verdict and how many passed.
fn cell(cell: Option<&Cell>) -> Markup {
    let Some(cell) = cell else { return html! { td class="none" { "·" } } };
    let total: usize = cell.values().sum();
    let passed = cell.get(&Verdict::Pass).copied().unwrap_or(0);
    let spoilt = cell.keys().find(|verdict| verdict.spoils());
    let class = match spoilt {
        Some(verdict) => verdict.word(),
        // Mostly declined is not green.
        None if 2 * passed >= total => Verdict::Pass.word(),
        None => cell.keys().next().map_or("none", |verdict| verdict.word()),
    };
    let told: Vec<String> =
        cell.iter().map(|(verdict, count)| format!("{count} {}", verdict.word())).collect();
    html! { td class=(class) title=(told.join(", ")) { (passed) "/" (total) } }
}
