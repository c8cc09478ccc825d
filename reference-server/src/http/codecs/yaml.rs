//! text/yaml in block style: two spaces a level, sequences indented under their key, texts plain when that is safe.
//!
//! Written here because the emitters of the common crates put sequences at the level of their key.

use crate::value::{Value, iso_text, number_text, write_json_string};
use base64::Engine;

/// A value as one document.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = String::with_capacity(256);
    match value {
        Value::Array(items) if !items.is_empty() => push_block(&mut out, value, 0, true),
        Value::Object(members) if !members.is_empty() => push_block(&mut out, value, 0, true),
        scalar => {
            push_scalar(&mut out, scalar);
            out.push('\n');
        }
    }
    out.into_bytes()
}

/// Appends the lines of a non-empty array or object; the first without indentation when something stands before it.
fn push_block(out: &mut String, value: &Value, depth: usize, first_inline: bool) {
    let mut inline = first_inline;
    let mut line = |out: &mut String| {
        if !std::mem::take(&mut inline) {
            push_indent(out, depth);
        }
    };
    match value {
        Value::Array(items) => {
            for item in items {
                line(out);
                out.push_str("- ");
                push_member(out, item, depth, true);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                line(out);
                push_text(out, name);
                out.push(':');
                push_member(out, item, depth, false);
            }
        }
        _ => {}
    }
}

/// Appends what follows a dash or a key, to the end of its last line.
fn push_member(out: &mut String, item: &Value, depth: usize, after_dash: bool) {
    let nested = match item {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    if nested {
        if !after_dash {
            out.push('\n');
        }
        push_block(out, item, depth + 1, after_dash);
    } else {
        if !after_dash {
            out.push(' ');
        }
        push_scalar(out, item);
        out.push('\n');
    }
}

fn push_indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn push_scalar(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_nan() => out.push_str(".nan"),
        Value::Number(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 { ".inf" } else { "-.inf" })
        }
        Value::Number(number) => out.push_str(&number_text(*number)),
        Value::String(text) => push_text(out, text),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
        Value::Bytes(bytes) => {
            out.push_str("!!binary \"");
            base64::engine::general_purpose::STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::Date(instant) => out.push_str(iso_text(*instant).as_deref().unwrap_or("null")),
        Value::BigInt(digits) => out.push_str(digits),
    }
}

/// Appends a text plain, or as a JSON string, which YAML reads too.
fn push_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    let mut quoted = Vec::with_capacity(text.len() + 2);
    write_json_string(&mut quoted, text);
    for c in String::from_utf8_lossy(&quoted).chars() {
        // What YAML takes for a line break or does not print, JSON leaves as it is.
        if matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
}

/// Whether a text can stand without quotes: readers would take it neither for another kind of value nor for syntax.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let second = text.chars().nth(1);
    let starts = match first {
        '-' | '?' | ':' => second.is_some_and(|c| c != ' '),
        c => !c.is_whitespace() && !",[]{}#&*!|>'\"%@`".contains(c),
    };
    starts
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ') || c == '\u{feff}')
        && !text.contains(['\u{fffe}', '\u{ffff}'])
        && !looks_like_another_kind(text)
}

fn looks_like_another_kind(text: &str) -> bool {
    const WORDS: [&str; 6] = ["null", "~", "true", "false", "=", "<<"];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) {
        return true;
    }
    // Numbers, dates and times in every notation begin with a digit, possibly after a sign or a point.
    let unsigned = lower.trim_start_matches(['+', '-']);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    matches!(unsigned, ".inf" | ".nan")
        || (digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_hexdigit() || "xo_.:+-tz ".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use proptest::prelude::*;

    fn yaml(json: &str) -> String {
        String::from_utf8(encode(&parse_json(json.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn blocks() {
        assert_eq!(
            yaml(
                r#"[{"id":1,"name":"Ann, \"the Ace\"","n":1.5,"tags":["a","b"],"o":{"k":1}},{"id":2,"name":"Bjørn","n":null}]"#
            ),
            "- id: 1\n  name: Ann, \"the Ace\"\n  n: 1.5\n  tags:\n    - a\n    - b\n  o:\n    k: 1\n- id: 2\n  name: Bjørn\n  n: null\n"
        );
        assert_eq!(yaml(r#"{"error":"text"}"#), "error: text\n");
        assert_eq!(yaml(r#"{"a":[],"b":{},"c":[[1,2],[]]}"#), "a: []\nb: {}\nc:\n  - - 1\n    - 2\n  - []\n");
        assert_eq!(yaml("[]"), "[]\n");
    }

    #[test]
    fn texts_are_quoted_when_they_must_be() {
        for text in [
            "",
            "true",
            "Null",
            "~",
            "12",
            "-1.5e3",
            "0x1F",
            "2020-01-01",
            "a: b",
            "a #b",
            " a",
            "a ",
            "-",
            "- a",
            "[a",
            "a\nb",
            "1_000",
            ".5",
            ".INF",
            "---",
        ] {
            assert!(!is_plain(text), "{text:?}");
        }
        for text in [
            "a",
            "Ann, \"the Ace\"",
            "a:b",
            "a#b",
            "-a",
            "3 apples",
            "database 'x' does not exist",
            "9 lives",
            "no",
        ] {
            assert!(is_plain(text), "{text:?}");
        }
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
            "[-0-9a-zA-Z:# '\\[{.~]{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_reader_gets_back_what_was_written(value in any_value()) {
            let text = String::from_utf8(encode(&Value::from(&value))).unwrap();
            let read: serde_json::Value = yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            prop_assert_eq!(read, value, "{}", text);
        }
    }
}
