//! JSON Pointers, with `*` standing for every member or element.

use serde_json::Value;

/// The reference tokens of a pointer; the empty pointer names the whole document.
pub fn parts(pointer: &str) -> Vec<String> {
    if pointer.is_empty() {
        return Vec::new();
    }
    pointer
        .strip_prefix('/')
        .unwrap_or(pointer)
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// The pointer of a member or element of what `base` names.
pub fn join(base: &str, token: &str) -> String {
    format!("{base}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// What a pointer without wildcards names.
pub fn get<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    parts(pointer).iter().try_fold(document, |node, part| match node {
        Value::Object(members) => members.get(part),
        Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// True when `pointer` is one of the places that `pattern` names.
pub fn matches(pattern: &str, pointer: &str) -> bool {
    let (pattern, pointer) = (parts(pattern), parts(pointer));
    pattern.len() == pointer.len() && pattern.iter().zip(&pointer).all(|(p, t)| p == "*" || p == t)
}

/// Calls `change` on every place that a pattern names.
pub fn visit(document: &mut Value, pattern: &str, change: &mut dyn FnMut(&mut Value)) {
    walk(document, &parts(pattern), change);
}

fn walk(node: &mut Value, rest: &[String], change: &mut dyn FnMut(&mut Value)) {
    let Some((first, rest)) = rest.split_first() else {
        change(node);
        return;
    };
    match node {
        Value::Object(members) if first == "*" => members.values_mut().for_each(|m| walk(m, rest, change)),
        Value::Object(members) => {
            if let Some(member) = members.get_mut(first) {
                walk(member, rest, change);
            }
        }
        Value::Array(elements) if first == "*" => elements.iter_mut().for_each(|e| walk(e, rest, change)),
        Value::Array(elements) => {
            if let Some(element) = first.parse::<usize>().ok().and_then(|i| elements.get_mut(i)) {
                walk(element, rest, change);
            }
        }
        _ => {}
    }
}

/// A document with the values of another one at some places.
pub fn restored(mut document: Value, other: &Value, pointers: &[String]) -> Value {
    for pointer in pointers {
        if let Some(value) = get(other, pointer) {
            visit(&mut document, pointer, &mut |place| *place = value.clone());
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_members_elements_and_escaped_names() {
        let document = json!({"a": [{"b/c": 1}], "": 5});
        assert_eq!(get(&document, "/a/0/b~1c"), Some(&json!(1)));
        assert_eq!(get(&document, ""), Some(&document));
        assert_eq!(get(&document, "/a/7"), None);
    }

    #[test]
    fn wildcards_reach_every_member() {
        let mut document = json!({"a": [{"x": 1}, {"x": 2}, {"y": 3}]});
        visit(&mut document, "/a/*/x", &mut |v| *v = json!("seen"));
        assert_eq!(document, json!({"a": [{"x": "seen"}, {"x": "seen"}, {"y": 3}]}));
        assert!(matches("/a/*/x", "/a/12/x") && !matches("/a/*", "/a/1/x"));
    }

    #[test]
    fn values_of_another_document_are_restored() {
        let (masked, other) = (json!({"a": "[time]", "b": "[time]"}), json!({"a": 1, "b": 2}));
        assert_eq!(
            restored(masked, &other, &["/a".to_owned(), "/c".to_owned()]),
            json!({"a": 1, "b": "[time]"})
        );
    }
}
