//! The keywords of the request schemas: which were seen kept by an accepted request, and broken by a refused one.

use super::Summary;
use crate::event::KeywordSeen;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// How much was seen of some keywords.
#[derive(Clone, Copy, Default)]
struct Share {
    all: usize,
    kept: usize,
    broken: usize,
    both: usize,
}

impl Share {
    fn of<'a>(keywords: impl IntoIterator<Item = &'a KeywordSeen>) -> Share {
        keywords.into_iter().fold(Share::default(), |share, keyword| {
            let (kept, broken) = (keyword.kept > 0, keyword.broken > 0);
            Share {
                all: share.all + 1,
                kept: share.kept + usize::from(kept),
                broken: share.broken + usize::from(broken),
                both: share.both + usize::from(kept && broken),
            }
        })
    }

    fn cells(self) -> Markup {
        html! {
            td class="number" { (self.all) }
            td class="number" { (self.kept) }
            td class="number" { (self.broken) }
            td class={ "number " (if self.both == self.all { "pass" } else { "warn" }) } { (self.both) }
            td { meter min="0" max=(self.all.max(1)) value=(self.both) { (self.both) "/" (self.all) } }
        }
    }
}

pub(super) fn section(summary: &Summary<'_>) -> Markup {
    let mut operations: BTreeMap<&str, Vec<&KeywordSeen>> = BTreeMap::new();
    let mut names: BTreeMap<&str, Vec<&KeywordSeen>> = BTreeMap::new();
    for keyword in summary.covered.map(|covered| covered.keywords.as_slice()).unwrap_or_default() {
        operations.entry(&keyword.operation).or_default().push(keyword);
        names.entry(&keyword.keyword).or_default().push(keyword);
    }
    html! {
        section id="keywords" {
            h2 { "Schema keywords" }
            p class="quiet" { "Kept: an accepted request met the keyword. Broken: a request that breaks it was refused. A schema is tried when each was seen both ways." }
            @if operations.is_empty() { p { "None were tried." } }
            @else {
                (table("keyword", &names))
                h3 { "By operation" }
                (table("operation", &operations))
                (unseen(&operations))
            }
        }
    }
}

fn table(of: &str, groups: &BTreeMap<&str, Vec<&KeywordSeen>>) -> Markup {
    let whole = Share::of(groups.values().flatten().copied());
    html! {
        table class="keywords" {
            thead { tr { th { (of) } th { "there are" } th { "kept" } th { "broken" } th { "both" } th {} } }
            @for (name, keywords) in groups {
                tr class="row" { th scope="row" { code { (name) } } (Share::of(keywords.iter().copied()).cells()) }
            }
            tr { th scope="row" { "all" } (whole.cells()) }
        }
    }
}

/// The keywords that were not seen both ways.
fn unseen(operations: &BTreeMap<&str, Vec<&KeywordSeen>>) -> Markup {
    let open: Vec<&KeywordSeen> = operations
        .values()
        .flatten()
        .copied()
        .filter(|keyword| keyword.kept == 0 || keyword.broken == 0)
        .collect();
    html! {
        details {
            summary { "Not seen both ways " span class="quiet" { (open.len()) } }
            table class="keywords" {
                thead { tr { th { "operation" } th { "place" } th { "keyword" } th { "kept" } th { "broken" } } }
                @for keyword in open {
                    tr class="row" {
                        td { code { (keyword.operation) } }
                        td { code { (if keyword.place.is_empty() { "/" } else { keyword.place.as_str() }) } }
                        td { code { (keyword.keyword) } }
                        td class="number" { (keyword.kept) }
                        td class="number" { (keyword.broken) }
                    }
                }
            }
        }
    }
}
