//! Values as set_configuration, environment variables and flags give them: text that means something else becomes it.

use crate::value::{Value, parse_json};

/// What a value means: numeric text is a number, `true` and `false` in any case are booleans, text in the form of an
/// object or array is parsed, `null` and `undefined` are null. Everything else stays.
pub fn cast(value: &Value) -> Value {
    match value {
        Value::String(text) => cast_text(text),
        other => other.clone(),
    }
}

/// What a text means, see [`cast`].
pub fn cast_text(text: &str) -> Value {
    if let Some(number) = number_of(text) {
        return Value::Number(number);
    }
    match text.to_ascii_lowercase().as_str() {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        "null" | "undefined" => return Value::Null,
        _ => {}
    }
    let bracketed = |open, close| text.starts_with(open) && text.ends_with(close);
    if (bracketed('{', '}') || bracketed('[', ']'))
        && let Ok(parsed) = parse_json(text.as_bytes())
    {
        return parsed;
    }
    Value::String(text.to_owned())
}

/// Numeric text: decimal or hexadecimal, blanks around it do no harm.
fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    // What Rust takes for a number beyond JavaScript's notion of one are words.
    let numeric = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if !numeric || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_what_they_mean() {
        for (text, json) in [
            ("90000", "90000"),
            (" 60.5 ", "60.5"),
            ("-1e3", "-1000"),
            ("FALSE", "false"),
            ("True", "true"),
            ("undefined", "null"),
            ("null", "null"),
            (r#"["a",1]"#, r#"["a",1]"#),
            (r#"{"user":null}"#, r#"{"user":null}"#),
            ("[not json]", r#""[not json]""#),
            ("{", r#""{""#),
            ("1d", r#""1d""#),
            ("inf", r#""inf""#),
            ("1e999", r#""1e999""#),
            ("e", r#""e""#),
            ("", r#""""#),
        ] {
            assert_eq!(cast_text(text).to_json(), json, "{text}");
        }
        assert_eq!(cast(&Value::Bool(true)), Value::Bool(true));
        assert_eq!(cast(&Value::Null), Value::Null);
    }
}
