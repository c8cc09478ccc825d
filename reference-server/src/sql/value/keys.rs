//! Texts by which GROUP BY, DISTINCT, COUNT(DISTINCT) and joins tell values apart.

use super::Js;

/// Appends the text that a group, or a single equality of a join, is found by. 1 and `'1'` share one; so do absent,
/// null and the text `null`.
pub fn push_group_key(out: &mut String, value: &Js) {
    match value {
        Js::Text(text) => out.push_str(text),
        Js::Undefined => out.push_str("null"),
        other => out.push_str(&other.to_text()),
    }
    out.push('`');
}

/// Appends the text that DISTINCT compares a column by: as groups, but null and absent are like the empty text.
pub fn push_distinct_key(out: &mut String, value: &Js) {
    if !value.is_nullish() {
        out.push_str(&value.to_text());
    }
    out.push('`');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(push: fn(&mut String, &Js), values: &[Js]) -> String {
        let mut out = String::new();
        values.iter().for_each(|value| push(&mut out, value));
        out
    }

    #[test]
    fn keys_are_texts() {
        assert_eq!(key(push_group_key, &[Js::from(1.0), Js::Null]), "1`null`");
        assert_eq!(key(push_group_key, &[Js::from("1")]), key(push_group_key, &[Js::from(1.0)]));
        assert_eq!(key(push_distinct_key, &[Js::Null, Js::Undefined, Js::text("")]), "```");
    }
}
