//! Whether an answer is the expected one, and where not.

use crate::diff::{Difference, Rules, differences};
use crate::pointer;
use crate::scenario::{Compare, Errors, Expected, Profile};
use crate::target::Answer;
use crate::tokens;
use serde_json::{Value, json};

/// What a comparison depends on besides the two sides.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// How much is demanded.
    pub profile: Profile,
    /// How strictly errors are compared.
    pub errors: Errors,
    /// Folders that the target may name.
    pub roots: Vec<String>,
    /// The expected answers are another target's, so that values that no two runs share say nothing.
    pub others: bool,
}

/// What stands in place of a value that does not matter.
const IGNORED: &str = "[ignored]";

/// All differences between an answer and what was expected of it.
pub fn compare(expected: &Expected, answer: &Answer, rules: &Compare, context: &Context) -> Vec<Difference> {
    let mut found = Vec::new();
    let otherwise = expected.or_status.contains(&answer.status);
    if expected.status != answer.status && !otherwise {
        found.push(Difference::new("status", expected.status, answer.status));
    }
    if expected.status >= 400 && context.errors == Errors::Status {
        return found;
    }
    if let Some(kind) = expected.content_type.as_ref().filter(|_| !otherwise) {
        let actual = answer.content_type();
        let plain = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if plain(kind) != plain(&actual) {
            found.push(Difference::new("content-type", plain(kind), plain(&actual)));
        }
    }
    for (name, value) in &expected.headers {
        let actual = answer.header(name);
        if !header_fits(value.as_deref(), actual) {
            found.push(Difference {
                place: format!("header {name}"),
                expected: value.clone().map(Value::from),
                actual: actual.map(Value::from),
            });
        }
    }
    if rules.status_only || otherwise {
        return found;
    }
    if let Some(form) = expected.form.filter(|form| Some(*form) != answer.form) {
        found.push(Difference::new("form", json!(form), json!(answer.form)));
    }
    if let Some(text) = &expected.text {
        let masked = tokens::mask_text(answer.text.as_deref().unwrap_or_default(), &context.roots);
        if *text != masked {
            found.push(text_difference(text, &masked));
        }
    }
    match &expected.body {
        Some(body) => found.extend(body_differences(body, expected.status, answer, rules, context)),
        None => found.extend(unwelcome(&answer.body, rules)),
    }
    found
}

/// What is where nothing may be.
fn unwelcome(actual: &Value, rules: &Compare) -> impl Iterator<Item = Difference> {
    rules.absent.iter().filter_map(|place| {
        let value = pointer::get(actual, place)?;
        Some(Difference { place: place.clone(), expected: None, actual: Some(value.clone()) })
    })
}

/// `~` begins a pattern.
fn header_fits(expected: Option<&str>, actual: Option<&str>) -> bool {
    match (expected.and_then(|value| value.strip_prefix('~')), actual) {
        (Some(pattern), Some(actual)) => {
            regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(actual))
        }
        (Some(_), None) => false,
        (None, actual) => expected == actual,
    }
}

fn body_differences(
    body: &Value,
    status: u16,
    answer: &Answer,
    rules: &Compare,
    context: &Context,
) -> Vec<Difference> {
    let masked = tokens::mask(&answer.body, &context.roots);
    let exact = if context.others { &[] } else { rules.exact.as_slice() };
    let actual = pointer::restored(masked, &answer.body, exact);
    if context.errors == Errors::Kind && status >= 400 && body.get("error").is_some() {
        return error_shape(&actual);
    }
    if rules.keys_only {
        return differences(&outline(body), &outline(&actual), Rules::default());
    }
    let (mut body, mut actual) = (body.clone(), actual);
    for pattern in &rules.ignore {
        for side in [&mut body, &mut actual] {
            pointer::visit(side, pattern, &mut |value| *value = Value::from(IGNORED));
        }
    }
    let mut found = differences(&body, &actual, Rules { unordered: &rules.unordered, subset: rules.subset });
    found.extend(unwelcome(&actual, rules));
    found
}

/// Where wording does not count, an error must only be recognisable as one.
fn error_shape(body: &Value) -> Vec<Difference> {
    if body.get("error").is_some_and(Value::is_string) {
        return Vec::new();
    }
    vec![Difference {
        place: "/error".to_owned(),
        expected: Some(Value::from("a text")),
        actual: body.get("error").cloned(),
    }]
}

/// The names of an object's members, or the kind of another value.
fn outline(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.keys().map(|name| (name.clone(), Value::Null)).collect(),
        other => Value::from(kind_of(other)),
    }
}

/// The JSON kind of a value, in words.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Long texts are shown around the first place where they part.
fn text_difference(expected: &str, actual: &str) -> Difference {
    const AROUND: usize = 40;
    let same = expected.chars().zip(actual.chars()).take_while(|(e, a)| e == a).count();
    let excerpt = |text: &str| {
        let from = same.saturating_sub(AROUND);
        let shown: String = text.chars().skip(from).take(3 * AROUND).collect();
        let start = if from > 0 { "…" } else { "" };
        let end = if text.chars().count() > from + 3 * AROUND { "…" } else { "" };
        format!("{start}{shown}{end}")
    };
    Difference::new(format!("text from character {same}"), excerpt(expected), excerpt(actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Answer::new(status, headers, body.to_string().as_bytes())
    }

    fn expected(status: u16, body: Value) -> Expected {
        serde_json::from_value(json!({"status": status, "content_type": "application/json", "body": body}))
            .unwrap()
    }

    fn places(e: &Expected, a: &Answer, rules: Value, profile: Profile) -> Vec<String> {
        let rules: Compare = serde_json::from_value(rules).unwrap();
        places_at(e, a, &rules, profile.errors())
    }

    fn places_at(e: &Expected, a: &Answer, rules: &Compare, errors: Errors) -> Vec<String> {
        let context = Context { errors, ..Context::default() };
        compare(e, a, rules, &context).into_iter().map(|d| d.place).collect()
    }

    #[test]
    fn status_media_type_headers_and_body_are_compared() {
        let want = expected(200, json!({"id": "[uuid]", "n": [1, 2]}));
        let good = answer(200, &json!({"n": [1, 2], "id": "0f8fad5b-d9cb-469f-a165-70867728950e"}));
        assert_eq!(places(&want, &good, json!({}), Profile::Full), [""; 0]);
        let bad = answer(404, &json!({"id": "x", "n": [2, 1]}));
        assert_eq!(places(&want, &bad, json!({}), Profile::Full), ["status", "/id", "/n/0", "/n/1"]);
        assert_eq!(
            places(&want, &bad, json!({"unordered": ["/n"], "ignore": ["/id"]}), Profile::Full),
            ["status"]
        );
        assert_eq!(places(&want, &bad, json!({"status_only": true}), Profile::Full), ["status"]);
        let mut wants_header = want.clone();
        wants_header.headers.insert("x-absent".into(), None);
        wants_header.headers.insert("server".into(), Some("HarperDB".into()));
        assert_eq!(places(&wants_header, &good, json!({}), Profile::Full), ["header server"]);
    }

    #[test]
    fn an_ignored_member_must_still_be_there() {
        let want = expected(200, json!({"a": 1, "b": 2}));
        let rules = json!({"ignore": ["/a"]});
        assert_eq!(
            places(&want, &answer(200, &json!({"a": 9, "b": 2})), rules.clone(), Profile::Full),
            [""; 0]
        );
        assert_eq!(places(&want, &answer(200, &json!({"b": 2})), rules, Profile::Full), ["/a"]);
    }

    #[test]
    fn only_names_matter_when_only_names_are_asked_for() {
        let want = expected(200, json!({"a": 1, "b": [1]}));
        let rules = json!({"keys_only": true});
        assert_eq!(
            places(&want, &answer(200, &json!({"b": null, "a": {}})), rules.clone(), Profile::Full),
            [""; 0]
        );
        assert_eq!(
            places(&want, &answer(200, &json!({"b": null, "c": {}})), rules, Profile::Full),
            ["/a", "/c"]
        );
    }

    #[test]
    fn the_core_profile_asks_only_for_the_shape_of_an_error() {
        let want = expected(400, json!({"error": "'table' is required"}));
        let other = answer(400, &json!({"error": "no table", "hint": 1}));
        assert_eq!(places(&want, &other, json!({}), Profile::Core), [""; 0]);
        assert_eq!(places(&want, &other, json!({}), Profile::Full), ["/error", "/hint"]);
        assert_eq!(places(&want, &answer(400, &json!("no")), json!({}), Profile::Core), ["/error"]);
        assert_eq!(places(&want, &answer(500, &json!({"error": ""})), json!({}), Profile::Core), ["status"]);
    }

    #[test]
    fn errors_are_compared_at_three_levels() {
        let want = expected(404, json!({"error": "table 't' does not exist", "unauthorized_access": []}));
        let at = |answer: &Answer| {
            [Errors::Status, Errors::Kind, Errors::Wording]
                .map(|errors| places_at(&want, answer, &Compare::default(), errors).len())
        };
        assert_eq!(at(&answer(404, &want.body.clone().unwrap())), [0, 0, 0]);
        assert_eq!(
            at(&answer(404, &json!({"error": "no such table", "unauthorized_access": []}))),
            [0, 0, 1]
        );
        assert_eq!(at(&answer(404, &json!({"detail": 1}))), [0, 1, 3]);
        assert_eq!(at(&answer(400, &want.body.clone().unwrap())), [1, 1, 1]);
        let html = Answer::new(404, vec![("content-type".into(), "text/html".into())], b"<p>no</p>");
        assert_eq!(at(&html), [0, 2, 2]);
        // What succeeds is compared as ever.
        let want = expected(200, json!({"a": 1}));
        assert_eq!(
            places_at(&want, &answer(200, &json!({"a": 2})), &Compare::default(), Errors::Status),
            ["/a"]
        );
    }

    #[test]
    fn absence_other_statuses_and_header_patterns() {
        let mut want = expected(200, json!({"a": 1}));
        let rules = json!({"subset": true, "absent": ["/system"]});
        assert_eq!(
            places(&want, &answer(200, &json!({"a": 1, "b": 2})), rules.clone(), Profile::Full),
            [""; 0]
        );
        assert_eq!(
            places(&want, &answer(200, &json!({"a": 1, "system": {}})), rules, Profile::Full),
            ["/system"]
        );
        want.or_status = vec![400];
        assert_eq!(places(&want, &answer(400, &json!({"error": "x"})), json!({}), Profile::Full), [""; 0]);
        want.headers.insert("content-type".into(), Some("~^application/json".into()));
        want.headers.insert("keep-alive".into(), Some("~timeout=[0-9]+".into()));
        assert_eq!(
            places(&want, &answer(200, &json!({"a": 1})), json!({}), Profile::Full),
            ["header keep-alive"]
        );
    }

    #[test]
    fn texts_are_compared_to_the_letter() {
        let mut want = expected(200, json!({"a": 1}));
        want.body = None;
        want.text = Some(r#"{"a":1,"b":1e21}"#.into());
        let exact = Answer::new(
            200,
            vec![("content-type".into(), "application/json".into())],
            br#"{"a":1,"b":1e21}"#,
        );
        assert_eq!(places(&want, &exact, json!({}), Profile::Full), [""; 0]);
        assert_eq!(
            places(&want, &answer(200, &json!({"a": 1, "b": 1})), json!({}), Profile::Full),
            ["text from character 12"]
        );
    }
}
