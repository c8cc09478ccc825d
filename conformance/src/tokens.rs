//! Values that differ on every run are compared as tokens that say what they were: `[uuid]`, `[iso8601]`,
//! `[epoch_ms]`, `[jwt]`, `[bytes]` and `[root]`.

use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// Members that hold a size in bytes.
const SIZES: [&str; 4] = ["db_size", "table_size", "db_audit_size", "size"];

/// Numbers between these read as epoch milliseconds.
const EPOCH_MS: std::ops::Range<f64> = 1.5e12..4.0e12;

static JWT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"));
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
});

#[expect(clippy::expect_used, reason = "the patterns are constants, tried by the tests below")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Replaces volatile values by their tokens. `roots` are folders that the target may name in its answers.
pub fn mask(value: &Value, roots: &[String]) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| {
                    let masked = if SIZES.contains(&name.as_str()) && member.is_number() {
                        Value::from("[bytes]")
                    } else {
                        mask(member, roots)
                    };
                    (name.clone(), masked)
                })
                .collect(),
        ),
        Value::Array(elements) => elements.iter().map(|element| mask(element, roots)).collect(),
        Value::Number(number) if number.as_f64().is_some_and(|n| n > EPOCH_MS.start && n < EPOCH_MS.end) => {
            Value::from("[epoch_ms]")
        }
        Value::String(text) => Value::String(mask_text(text, roots)),
        other => other.clone(),
    }
}

/// Replaces volatile parts of a text by their tokens.
pub fn mask_text(text: &str, roots: &[String]) -> String {
    let mut text = text.to_owned();
    for root in roots.iter().filter(|root| !root.is_empty()) {
        text = text.replace(root.as_str(), "[root]");
    }
    // The shortest of these values has 19 characters: most texts need no search.
    if text.len() < 19 {
        return text;
    }
    for (pattern, token) in [(&JWT, "[jwt]"), (&UUID, "[uuid]"), (&ISO, "[iso8601]")] {
        if let std::borrow::Cow::Owned(replaced) = pattern.replace_all(&text, token) {
            text = replaced;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_of_volatile_value_has_its_token() {
        let answer = json!({
            "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "text": "job 0f8fad5b-d9cb-469f-a165-70867728950e at 2026-11-21T08:09:10.123Z in /srv/db/backup",
            "operation_token": "eyJhbGci.eyJzdWIi.c2lnbmF0dXJl",
            "created": 1_700_000_000_000.25_f64,
            "small": 12, "db_size": 4096, "size": "big", "flag": true,
        });
        assert_eq!(
            mask(&answer, &["/srv/db".to_owned()]),
            json!({
                "id": "[uuid]", "text": "job [uuid] at [iso8601] in [root]/backup", "operation_token": "[jwt]",
                "created": "[epoch_ms]", "small": 12, "db_size": "[bytes]", "size": "big", "flag": true,
            })
        );
    }
}
