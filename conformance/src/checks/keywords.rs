//! Which keywords of the request schemas the requests of a run kept and broke.

use crate::event::{Covered, KeywordSeen};
use crate::target::{Answer, Exchange};
use serde_json::Value;
use spec::Operation;
use spec::keywords::Keyword;
use std::collections::BTreeMap;

/// How often keywords were seen kept and broken, by operation.
#[derive(Debug, Default)]
pub(super) struct Tried(BTreeMap<&'static str, BTreeMap<Keyword, [usize; 2]>>);

/// What one exchange shows: a keyword counts as kept when the request was accepted, as broken when it was refused.
pub(super) fn shown(exchange: &Exchange, answer: &Answer) -> Option<(&'static str, Vec<(Keyword, usize)>)> {
    let request: Value = exchange.request.json()?;
    let operation: &'static Operation = spec::registry().operation(request.get("operation")?.as_str()?)?;
    if is_deeper(&request, DEEPEST) {
        return None;
    }
    let met = operation.keywords_met(&request);
    let (keywords, which) = if answer.status < 400 { (met.kept, 0) } else { (met.broken, 1) };
    Some((&operation.name, keywords.into_iter().map(|keyword| (keyword, which)).collect()))
}

/// Requests that are nested deeper try a limit, not the schema.
const DEEPEST: usize = 24;

fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        Value::Object(members) => members.values().any(|member| is_deeper(member, below)),
        _ => false,
    }
}

impl Tried {
    pub(super) fn add(&mut self, (operation, keywords): (&'static str, Vec<(Keyword, usize)>)) {
        let seen = self.0.entry(operation).or_default();
        for (keyword, which) in keywords {
            if let Some(count) = seen.entry(keyword).or_default().get_mut(which) {
                *count += 1;
            }
        }
    }

    /// Every keyword there is, with what was seen of it.
    pub(super) fn covered(&self) -> Covered {
        let mut keywords = Vec::new();
        for operation in spec::registry().operations() {
            let seen = self.0.get(operation.name.as_str());
            for keyword in operation.keywords() {
                let [kept, broken] = seen.and_then(|seen| seen.get(&keyword)).copied().unwrap_or_default();
                let Keyword { place, name } = keyword;
                keywords.push(KeywordSeen {
                    operation: operation.name.clone(),
                    place,
                    keyword: name,
                    kept,
                    broken,
                });
            }
        }
        Covered { keywords }
    }
}
