//! Which breakages break what a requirement demands, judged by its sentence and by a step that bears on it. A breakage
//! that speaks of what the sentence speaks of comes first; one that breaks just anything comes last.

use super::Breakage;
use crate::runner::Sight;
use crate::scenario::Scenario;
use crate::target::Answer;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Breakages of at least this relevance speak of the requirement's own subject.
pub const SPECIFIC: u8 = 40;

macro_rules! patterns {
    ($($name:ident = $pattern:literal;)+) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($pattern));)+
    };
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants; the table of evidence is made with all of them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

patterns! {
    QUOTED = r#"`([^`]+)`|["\u{201c}]([^"\u{201d}]+)["\u{201d}]"#;
    STATUS = r"\b([1-5][0-9][0-9])\b";
    REFUSED = r"(?i)refus|\b40[0-9]\b|\b41[0-9]\b|must be reported|must get the|malformed|be checked|is required|not allowed|unknown|must fail";
    ALLOWED = r"(?i)be accepted|must accept|may accept|be allowed|be honoured|must work|\bsucceeds?\b|must answer 200|must take|be served|must authenticate|no effect|be ignored|must mean|must count as|be different|a server may|must act as";
    ORDERED = r"(?i)\border(ed)?\b|\bsort|\bfirst\b|\blast\b|ascending|descending|revers|in turn|pipelined";
    FOUND = r"(?i)\bfind|return|match|\bhold\b|\bhold for|\binclude|\ball\b|every|\bkeep|\blist|look at|\bscore|satisf|compar|conver|\bstar\b|\bstay|\bbe shown|\bbegin with|come as";
    EXCLUDED = r"(?i)\bonly\b|never|exclud|\blimit|no other|skip|not return|nothing else|leave out|without regard|at most|exactly|for strings|no conversion|not be|be left|vanish|absent|expire";
    NULL = r"(?i)\bnull\b|\babsence\b|\black";
    CASE = r"(?i)\bcase\b";
    NUMBERS = r"(?i)\bnumbers?\b|integer|fraction|double|digits|float|\bcounts?\b|\bbytes\b|milliseconds|estimate|seconds";
    BOOLEANS = r"(?i)\btrue\b|\bfalse\b|boolean|exactly when";
    TEXTS = r"(?i)\bstrings?\b|\btexts?\b|\bname[sd]?\b|iso|date|hash|uuid|characters";
    FAULTS = r"(?i)joined|\border\b|all faults|faults must";
    TYPE = r"(?i)content[- ]type|media type|`text/|`application/|html|json";
    BODY = r"(?i)\bbody\b|object|wrapped|document|form\b";
    CLOSED = r"(?i)closed?\b|connection|\bkeep";
    WRITES = r"(?i)create|remove|store|add\b|delete|drop|chang|written|write|merge|replace|set\b|stay|visible|stamp|become|\bnew\b|insert|update|upsert|keep|gone|\bgo\b|expire|restart|grow|extend";
    RIGHTS = r"(?i)\b403\b|permission|\brole\b|\bright|structure.?user|super.?user|caller";
    LOGIN = r"(?i)\b401\b|credential|anonymous|login|password|token|authenticat|active";
    NEGATED = r"(?i)\bnot carry|\bneither|\bno answer|\bwithout `?content|without .origin|must not have|and not otherwise";
    BINARY = r"(?i)cbor|messagepack|msgpack|definite|sequence|csv|line feed|quotes";
    FOLDED = r"(?i)names differing only in case|case sensitive";
    MEDIA = r"(?i)cbor|messagepack|msgpack|content.?type";
    FRESH = r"(?i)visible|at once|next request|grows?|counted";
}

/// Names of headers that sentences speak of without quoting them.
const HEADERS: [&str; 14] = [
    "content-type",
    "content-disposition",
    "content-encoding",
    "server-timing",
    "connection",
    "keep-alive",
    "vary",
    "www-authenticate",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-credentials",
    "access-control-max-age",
    "set-cookie",
];

/// Headers of requests that may be ignored.
const ASKED: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-type",
    "expect",
    "origin",
    "transfer-encoding",
];

/// What a sentence quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    QUOTED
        .captures_iter(text)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)))
        .map(|part| part.as_str())
}

/// Words that may be names of members: quoted, or in a quoted object.
fn names(text: &str) -> BTreeSet<String> {
    quoted(text)
        .flat_map(|part| part.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')))
        .filter(|name| !name.is_empty() && !name.chars().all(|c| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// True when an answer says what a sentence quotes; braces stand for values.
fn says(text: &str, answer: &Answer) -> bool {
    let shown = answer.body.to_string();
    quoted(text).filter(|part| part.contains(' ')).any(|part| {
        let part = part.replace('"', "\\\"");
        let longest = part.split(['{', '}']).step_by(2).max_by_key(|piece| piece.len()).unwrap_or_default();
        longest.len() > 3 && shown.contains(longest)
    })
}

fn members(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| members(element, found)),
        Value::Object(map) => {
            for (name, member) in map {
                found.insert(name.clone());
                members(member, found);
            }
        }
        _ => {}
    }
}

/// Breakages of what came to one step, the more relevant the higher the number.
pub fn of_answers(text: &str, sight: &Sight<'_>) -> Vec<(u8, Breakage)> {
    let Some(answer) = sight.taken.answer() else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |relevant: bool, score: u8, breakage: Breakage| {
        if relevant {
            found.push((score, breakage));
        }
    };
    let refused = answer.status >= 400;
    let says = says(text, answer);
    add(refused && REFUSED.is_match(text), if says { 80 } else { 76 }, Breakage::Accepted);
    add(!refused && ALLOWED.is_match(text), 73, Breakage::Refused);
    add(says, 79, Breakage::Message);
    add(refused && FAULTS.is_match(text), 82, Breakage::FirstFault);
    let lower = text.to_ascii_lowercase();
    for name in HEADERS {
        let spoken =
            lower.contains(name) || (name.starts_with("access-control") && lower.contains("access-control-"));
        if spoken {
            let negated = NEGATED.is_match(text);
            add(negated && answer.header(name).is_none(), 83, Breakage::HeaderMore(name.to_owned()));
            add(true, 82, Breakage::HeaderMissing(name.to_owned()));
            add(true, 81, Breakage::HeaderDiffers(name.to_owned()));
        }
    }
    let mut present = BTreeSet::new();
    members(&answer.body, &mut present);
    for name in names(text).intersection(&present).filter(|name| *name != "error" && *name != "message") {
        add(true, 75, Breakage::MemberMissing(name.clone()));
        add(true, 74, Breakage::MemberDiffers(name.clone()));
    }
    add(ORDERED.is_match(text), 70, Breakage::Reversed);
    add(NULL.is_match(text), 66, Breakage::NullsMissing);
    add(NULL.is_match(text), 65, Breakage::NullsFilled);
    add(CASE.is_match(text), 66, Breakage::CaseLost);
    add(BINARY.is_match(text), 68, Breakage::FormDiffers);
    add(BINARY.is_match(text), 61, Breakage::BytesDiffer);
    add(CLOSED.is_match(text), 71, Breakage::ConnectionDiffers);
    add(CLOSED.is_match(text) || ORDERED.is_match(text), 69, Breakage::AnswerMissing);
    add(EXCLUDED.is_match(text), 64, Breakage::RecordMore);
    add(EXCLUDED.is_match(text), 63, Breakage::MemberMore);
    add(FOUND.is_match(text), 62, Breakage::RecordMissing);
    add(FOUND.is_match(text) || EXCLUDED.is_match(text), 61, Breakage::RecordTwice);
    add(BOOLEANS.is_match(text), 60, Breakage::BooleansFlipped);
    add(NUMBERS.is_match(text), 59, Breakage::NumbersDiffer);
    add(NUMBERS.is_match(text), 58, Breakage::NumbersAsTexts);
    let status = STATUS.captures_iter(text).any(|found| found[1] == answer.status.to_string());
    add(status, 57, Breakage::Status);
    add(text.contains("without parameters"), 85, Breakage::Parameters);
    if text.contains("neither header") {
        add(true, 83, Breakage::HeaderMore("access-control-allow-origin".to_owned()));
    }
    add(TYPE.is_match(text), 56, Breakage::ContentType);
    add(FOUND.is_match(text), 55, Breakage::NothingFound);
    add(TEXTS.is_match(text), 54, Breakage::TextsDiffer);
    add(BODY.is_match(text), 53, Breakage::Flattened);
    add(BODY.is_match(text), 52, Breakage::Empty);
    add(BODY.is_match(text), 51, Breakage::BytesDiffer);
    // Whatever the sentence says.
    add(refused, 30, Breakage::Accepted);
    add(!refused, 29, Breakage::Refused);
    add(true, 28, Breakage::RecordMissing);
    add(true, 27, Breakage::RecordMore);
    add(true, 26, Breakage::NumbersDiffer);
    add(true, 25, Breakage::TextsDiffer);
    add(true, 24, Breakage::Message);
    add(true, 23, Breakage::Status);
    add(true, 22, Breakage::Empty);
    found
}

/// Breakages that stand between the suite and the target, for a check of a story.
pub fn of_stories(
    text: &str,
    operation: Option<&str>,
    scenario: &Scenario,
    status: u16,
) -> Vec<(u8, Breakage)> {
    let mut found = Vec::new();
    let names = names(text);
    let mut ran: BTreeSet<&'static str> = BTreeSet::new();
    let mut sent: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let mut headers: BTreeSet<String> = BTreeSet::new();
    let mut media = false;
    for step in scenario.setup.iter().chain(&scenario.steps) {
        if let Some(http) = &step.http {
            headers.extend(http.headers.keys().map(|name| name.to_ascii_lowercase()));
            media |= http.body_value.is_some() || http.body_base64.is_some();
        }
        let known = step.operation().and_then(|name| spec::registry().operation(&name));
        let Some(known) = known else { continue };
        ran.insert(known.name.as_str());
        if let Some(Value::Object(members)) = &step.request {
            let members = members.keys().filter(|name| *name != "operation");
            sent.extend(members.map(|name| (known.name.as_str(), known.canonical_name(name).to_owned())));
        }
    }
    let own = |name: &str| operation.is_none_or(|operation| operation == name);
    let vain = text.contains("MUST be ignored")
        || text.contains("as if it were absent")
        || text.contains("no effect");
    for (operation, member) in sent {
        if names.contains(&member) && !vain {
            // Without what it needs an operation is refused, which is another thing than doing it wrongly.
            let needed = matches!(member.as_str(), "database" | "table") || is_required(operation, &member);
            let score = match (own(operation), status >= 400, needed) {
                (_, _, true) => 58,
                (true, false, _) => 92,
                (true, true, _) => 77,
                (false, ..) => 74,
            };
            found.push((score, Breakage::Ignored(format!("{operation}.{member}"))));
        }
    }
    for name in ran {
        let names_it = names.contains(name);
        if WRITES.is_match(text) && spec::registry().operation(name).is_some_and(|known| known.mutates) {
            let score = match (own(name), names_it) {
                (true, _) if operation.is_some() => 90,
                (_, true) => 90,
                _ => 50,
            };
            found.push((score, Breakage::NotDone(name.to_owned())));
        }
    }
    let lower = text.to_ascii_lowercase();
    for name in ASKED {
        if headers.contains(name) && (lower.contains(name) || (name == "accept" && lower.contains("q"))) {
            found.push((91, Breakage::HeaderIgnored(name.to_owned())));
        }
    }
    if status == 403 && RIGHTS.is_match(text) {
        found.push((88, Breakage::Forgiving));
    }
    if status == 401 && LOGIN.is_match(text) {
        found.push((88, Breakage::Anybody));
    }
    if FOLDED.is_match(text) {
        found.push((89, Breakage::NamesFolded));
    }
    if media && MEDIA.is_match(text) {
        found.push((87, Breakage::AlwaysJson));
    }
    if FRESH.is_match(text) {
        found.push((86, Breakage::Stale));
    }
    found
}

fn is_required(operation: &str, member: &str) -> bool {
    let known = spec::registry().operation(operation);
    let required = known.and_then(|known| known.request.get("required")?.as_array());
    required.is_some_and(|names| names.iter().any(|name| name == member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted() {
        let text = r#"A `limit` MUST be refused with 400 and `'limit' must be a number`; {"error"} and "x"."#;
        assert_eq!(quoted(text).count(), 4);
        assert!(names(text).contains("limit"));
        let answer = Answer::new(
            400,
            vec![("content-type".into(), "application/json".into())],
            br#"{"error":"'limit' must be a number"}"#,
        );
        assert!(says(text, &answer));
        assert!(!says("`limit` is `some other text`", &answer));
    }
}
