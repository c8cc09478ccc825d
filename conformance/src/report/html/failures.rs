//! What went wrong, each with everything needed to see why.

use super::Summary;
use crate::event::Checked;
use crate::target::{Answer, Exchange, Request};
use crate::verdict::Verdict;
use maud::{Markup, html};
use serde_json::Value;

pub(super) fn section(summary: &Summary<'_>) -> Markup {
    let shown: Vec<&&Checked> = summary
        .checks
        .iter()
        .filter(|check| !matches!(check.verdict, Verdict::Pass | Verdict::Unsupported | Verdict::NotRun))
        .collect();
    html! {
        section id="failures" {
            h2 { "What went wrong " span class="quiet" { (shown.len()) } }
            @if shown.is_empty() { p { "Nothing." } }
            @for check in shown { (one(summary, check)) }
        }
    }
}

fn one(summary: &Summary<'_>, check: &Checked) -> Markup {
    html! {
        article class={ "row " (check.verdict.word()) } id=(check.id) {
            h3 { span class={ "word " (check.verdict.word()) } { (check.verdict.word()) } " " code { (check.id) } " " (check.title) }
            @for id in &check.requirements {
                @if let Some(sentence) = summary.sentence(id) {
                    p class="sentence" { a href={ "#" (id) } { (id) } " " (sentence) }
                }
            }
            @if let Some(reason) = &check.reason { p { (reason) } }
            (super::differences(check))
            @if let Some(exchange) = &check.exchange { (exchange_of(exchange)) }
            @if let Some(curl) = &check.curl { pre class="curl" { (curl) } }
        }
    }
}

fn exchange_of(exchange: &Exchange) -> Markup {
    html! {
        details {
            summary { "Request and answer" }
            pre { (request(&exchange.request)) }
            @match (&exchange.answer, &exchange.fault) {
                (Some(answer), _) => pre { (answer_of(answer)) },
                (None, Some(fault)) => p { (fault) },
                (None, None) => {},
            }
        }
    }
}

fn request(request: &Request) -> String {
    if let Some(wire) = &request.wire {
        return wire.clone();
    }
    let body = match request.json() {
        Some(value) => pretty(&value),
        None => String::from_utf8_lossy(&request.body).into_owned(),
    };
    format!("{} {}\n{}\n{body}", request.method, request.path, headers(&request.headers))
}

fn answer_of(answer: &Answer) -> String {
    let body = match &answer.body {
        Value::String(text) => text.clone(),
        value => pretty(value),
    };
    format!("{}\n{}\n{body}", answer.status, headers(&answer.headers))
}

fn headers(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
