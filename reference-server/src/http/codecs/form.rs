//! application/x-www-form-urlencoded: the members of an object, or the positions of an array, as names. The API
//! lists the type without saying more; values other than text appear as JSON.

use crate::value::Value;

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    match value {
        Value::Object(members) => members.iter().for_each(|(name, item)| push_pair(&mut out, name, item)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(position, item)| push_pair(&mut out, &position.to_string(), item));
        }
        scalar => push_pair(&mut out, "value", scalar),
    }
    out.into_bytes()
}

fn push_pair(out: &mut String, name: &str, value: &Value) {
    if !out.is_empty() {
        out.push('&');
    }
    push_escaped(out, name);
    out.push('=');
    match value {
        Value::String(text) => push_escaped(out, text),
        other => push_escaped(out, &other.to_json()),
    }
}

fn push_escaped(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    #[test]
    fn members_become_pairs() {
        let value = parse_json(r#"{"error":"no: ü & more","n":[1]}"#.as_bytes()).unwrap();
        assert_eq!(encode(&value), b"error=no%3A+%C3%BC+%26+more&n=%5B1%5D");
        assert_eq!(encode(&Value::Array(vec![Value::Null])), b"0=null");
    }
}
