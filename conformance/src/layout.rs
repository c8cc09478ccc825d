//! How scenario files are laid out: what fits stands on one line, the rest is opened up, so that a diff shows steps
//! and not single words.

use serde_json::Value;

const WIDTH: usize = 118;

/// A value as text, ending in a line feed.
pub fn to_text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out.push('\n');
    out
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let inside: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", quoted(name), one_line(member)))
                .collect();
            format!("{{ {} }}", inside.join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A string as JSON; invisible characters are written as escapes, so that every byte of a file can be seen.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in Value::from(text).to_string().chars() {
        let invisible = c.is_control()
            || matches!(u32::from(c), 0x7f..=0xa0 | 0xad | 0x200b..=0x200f | 0x2028..=0x202f | 0xfeff | 0xfffe);
        if invisible {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn write(value: &Value, indent: usize, used: usize, out: &mut String) {
    let line = one_line(value);
    let whole_step = indent > 0 && used + line.chars().count() <= WIDTH;
    match value {
        Value::Object(members) if !whole_step && !members.is_empty() => {
            out.push_str("{\n");
            for (i, (name, member)) in members.iter().enumerate() {
                let start = format!("{}{}: ", "  ".repeat(indent + 1), quoted(name));
                out.push_str(&start);
                write(member, indent + 1, start.chars().count() + 1, out);
                out.push_str(if i + 1 < members.len() { ",\n" } else { "\n" });
            }
            out.push_str(&"  ".repeat(indent));
            out.push('}');
        }
        Value::Array(elements) if !whole_step && !elements.is_empty() => {
            out.push_str("[\n");
            for (i, element) in elements.iter().enumerate() {
                let start = "  ".repeat(indent + 1);
                out.push_str(&start);
                write(element, indent + 1, start.len() + 1, out);
                out.push_str(if i + 1 < elements.len() { ",\n" } else { "\n" });
            }
            out.push_str(&"  ".repeat(indent));
            out.push(']');
        }
        _ => out.push_str(&line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_things_stand_on_one_line() {
        let value = json!({"id": "a/b", "steps": [{"request": {"operation": "x", "n": [1, 2]}}], "long": "x".repeat(120), "e": []});
        let text = to_text(&value);
        assert!(
            text.contains("  \"steps\": [{ \"request\": { \"operation\": \"x\", \"n\": [1, 2] } }],\n"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn invisible_characters_are_escaped() {
        let value = json!("a\u{feff}\u{0}\u{a0}ü");
        let text = to_text(&value);
        assert_eq!(text, "\"a\\ufeff\\u0000\\u00a0ü\"\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
