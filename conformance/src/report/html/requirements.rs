//! Requirement by requirement.

use super::Summary;
use crate::report::{Coverage, RequirementState};
use maud::{Markup, html};
use std::collections::BTreeMap;

pub(super) fn section(summary: &Summary<'_>) -> Markup {
    let coverage = summary.coverage();
    let mut areas: BTreeMap<&str, Vec<&Coverage>> = BTreeMap::new();
    for row in &coverage {
        areas.entry(row.requirement.id.split('-').next().unwrap_or_default()).or_default().push(row);
    }
    html! {
        section id="requirements" {
            h2 { "Requirements " span class="quiet" { (coverage.len()) } }
            table class="areas" {
                thead { tr { th { "area" } @for state in RequirementState::ALL { th { (state.word()) } } } }
                @for (area, rows) in &areas {
                    tr { th scope="row" { a href={ "#area-" (area) } { (area) } }
                        @for state in RequirementState::ALL { td class="number" { (rows.iter().filter(|row| row.state == state).count()) } } }
                }
            }
            @for (area, rows) in &areas {
                details id={ "area-" (area) } {
                    summary { (area) " " span class="quiet" { (rows.len()) " requirements" } }
                    table class="requirements" {
                        @for row in rows { (line(row)) }
                    }
                }
            }
        }
    }
}

fn line(row: &Coverage) -> Markup {
    html! {
        tr class="row" id=(row.requirement.id) {
            td { span class={ "word " (class(row.state)) } { (row.state.word()) } }
            td { code { (row.requirement.id) } }
            td { (row.requirement.level.word()) }
            td { (row.requirement.text) }
            td class="number" { (row.checks) }
        }
    }
}

fn class(state: RequirementState) -> &'static str {
    match state {
        RequirementState::Proven => "pass",
        RequirementState::Failed => "fail",
        RequirementState::Departed => "warn",
        RequirementState::Unsupported => "unsupported",
        RequirementState::Undecided => "blocked",
        RequirementState::Untested => "not-run",
    }
}
