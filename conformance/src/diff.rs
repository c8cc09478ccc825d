//! The smallest difference of two values: the deepest places where they part, by pointer.

use crate::pointer;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// One place where an answer is not what was expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// `status`, `content-type`, `header NAME`, `form`, `closed`, or a pointer into the body.
    pub place: String,
    /// What was expected there; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub expected: Option<Value>,
    /// What is there; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub actual: Option<Value>,
}

/// `null` is a value here: a member that is absent is not one that is null.
mod present {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

impl Difference {
    /// A difference between two things that are both there.
    pub fn new(place: impl Into<String>, expected: impl Into<Value>, actual: impl Into<Value>) -> Self {
        Difference { place: place.into(), expected: Some(expected.into()), actual: Some(actual.into()) }
    }
}

/// Where order and further members do not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// Patterns of arrays compared as sets.
    pub unordered: &'a [String],
    /// Members that are not expected do no harm.
    pub subset: bool,
}

/// All deepest differences, in document order; empty when the values are equal.
pub fn differences(expected: &Value, actual: &Value, rules: Rules<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(expected, actual, "", rules, &mut found);
    found
}

/// True when two values are the same JSON: members in any order, numbers by value.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), _, _) => a == b,
        (_, _, Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

fn walk(expected: &Value, actual: &Value, place: &str, rules: Rules<'_>, found: &mut Vec<Difference>) {
    match (expected, actual) {
        (Value::Object(e), Value::Object(a)) => {
            for (name, expected) in e {
                let place = pointer::join(place, name);
                match a.get(name) {
                    Some(actual) => walk(expected, actual, &place, rules, found),
                    None => found.push(Difference { place, expected: Some(expected.clone()), actual: None }),
                }
            }
            for (name, actual) in a.iter().filter(|(name, _)| !rules.subset && !e.contains_key(*name)) {
                let place = pointer::join(place, name);
                found.push(Difference { place, expected: None, actual: Some(actual.clone()) });
            }
        }
        (Value::Array(e), Value::Array(a)) => {
            if rules.unordered.iter().any(|pattern| pointer::matches(pattern, place)) {
                sets(e, a, place, rules, found);
            } else {
                lists(e, a, place, rules, found);
            }
        }
        _ if same(expected, actual) => {}
        _ => found.push(Difference {
            place: place.to_owned(),
            expected: Some(expected.clone()),
            actual: Some(actual.clone()),
        }),
    }
}

/// Arrays in order: what is alike at both ends is passed over, so that one element too many is one difference.
fn lists(e: &[Value], a: &[Value], place: &str, rules: Rules<'_>, found: &mut Vec<Difference>) {
    if e.len() == a.len() {
        for (i, (expected, actual)) in e.iter().zip(a).enumerate() {
            walk(expected, actual, &pointer::join(place, &i.to_string()), rules, found);
        }
        return;
    }
    let alike = |x: &Value, y: &Value| differences_at(x, y, place, rules).is_empty();
    let front = e.iter().zip(a).take_while(|(x, y)| alike(x, y)).count();
    let back = e[front..].iter().rev().zip(a[front..].iter().rev()).take_while(|(x, y)| alike(x, y)).count();
    pair_up(&e[front..e.len() - back], &a[front..a.len() - back], front, place, rules, found);
}

fn differences_at(e: &Value, a: &Value, place: &str, rules: Rules<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(e, a, &pointer::join(place, "*"), rules, &mut found);
    found
}

/// Arrays as sets: equal elements cancel out, the rest is paired in order of appearance.
fn sets(e: &[Value], a: &[Value], place: &str, rules: Rules<'_>, found: &mut Vec<Difference>) {
    let mut left: Vec<(usize, &Value)> = a.iter().enumerate().collect();
    let mut missing = Vec::new();
    for expected in e {
        match left.iter().position(|(_, actual)| differences_at(expected, actual, place, rules).is_empty()) {
            Some(at) => {
                left.remove(at);
            }
            None => missing.push(expected),
        }
    }
    // Pair the remaining ones with what resembles them most: the smallest difference is the most telling.
    for expected in missing {
        let nearest = left
            .iter()
            .enumerate()
            .map(|(at, (_, actual))| (differences_at(expected, actual, place, rules).len(), at))
            .filter(|_| expected.is_object())
            .min();
        match nearest {
            Some((_, at)) => {
                let (i, actual) = left.remove(at);
                walk(expected, actual, &pointer::join(place, &i.to_string()), rules, found);
            }
            None => found.push(Difference {
                place: pointer::join(place, "-"),
                expected: Some(expected.clone()),
                actual: None,
            }),
        }
    }
    for (i, actual) in left {
        let place = pointer::join(place, &i.to_string());
        found.push(Difference { place, expected: None, actual: Some(actual.clone()) });
    }
}

fn pair_up(
    e: &[Value],
    a: &[Value],
    from: usize,
    place: &str,
    rules: Rules<'_>,
    found: &mut Vec<Difference>,
) {
    for i in 0..e.len().max(a.len()) {
        let place = pointer::join(place, &(from + i).to_string());
        match (e.get(i), a.get(i)) {
            (Some(expected), Some(actual)) => walk(expected, actual, &place, rules, found),
            (expected, actual) => {
                found.push(Difference { place, expected: expected.cloned(), actual: actual.cloned() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn places(expected: &Value, actual: &Value, unordered: &[&str]) -> Vec<String> {
        let unordered: Vec<String> = unordered.iter().map(|p| (*p).to_owned()).collect();
        let rules = Rules { unordered: &unordered, subset: false };
        differences(expected, actual, rules).into_iter().map(|d| d.place).collect()
    }

    #[test]
    fn the_deepest_place_is_named() {
        let expected = json!({"a": [{"b": 1, "c": [1, 2]}], "x": null});
        assert_eq!(places(&expected, &json!({"x": null, "a": [{"c": [1, 2.0], "b": 1.0}]}), &[]), [""; 0]);
        assert_eq!(places(&expected, &json!({"a": [{"b": 1, "c": [1, 3]}], "x": null}), &[]), ["/a/0/c/1"]);
        assert_eq!(places(&expected, &json!({"a": [{"b": 1, "c": [1, 2]}]}), &[]), ["/x"]);
        assert_eq!(places(&json!([1, 2, 3]), &json!([1, 9, 2, 3]), &[]), ["/1"]);
        assert_eq!(places(&json!(true), &json!(1), &[]), [""]);
        assert_eq!(places(&json!(9007199254740993_u64), &json!(9007199254740992_u64), &[]), [""]);
    }

    #[test]
    fn sets_ignore_order_but_not_number() {
        let expected = json!([{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 2, "v": 2}]);
        assert_eq!(
            places(&expected, &json!([{"id": 2, "v": 2}, {"v": 2, "id": 2}, {"id": 1, "v": 1}]), &[""]),
            [""; 0]
        );
        assert_eq!(
            places(&expected, &json!([{"id": 2, "v": 2}, {"id": 1, "v": 5}, {"id": 2, "v": 2}]), &[""]),
            ["/1/v"]
        );
        assert_eq!(places(&expected, &json!([{"id": 2, "v": 2}, {"id": 1, "v": 1}]), &[""]), ["/-"]);
        assert_eq!(places(&json!({"a": [["x", "y"]]}), &json!({"a": [["y", "x"]]}), &["/a/*"]), [""; 0]);
    }

    #[test]
    fn a_subset_allows_more_members() {
        let rules = Rules { unordered: &[], subset: true };
        assert!(differences(&json!([{"a": 1}]), &json!([{"a": 1, "b": 2}]), rules).is_empty());
        assert_eq!(differences(&json!({"a": 1}), &json!({"b": 1}), rules)[0].place, "/a");
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c~/ü]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::vec(("[a-c~/*0]{0,3}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn leaves(value: &Value, place: &str, out: &mut Vec<String>) {
        match value {
            Value::Array(e) if !e.is_empty() => {
                e.iter().enumerate().for_each(|(i, e)| leaves(e, &format!("{place}/{i}"), out));
            }
            Value::Object(m) if !m.is_empty() => {
                m.iter().for_each(|(name, m)| leaves(m, &pointer::join(place, name), out));
            }
            _ => out.push(place.to_owned()),
        }
    }

    fn set(value: &mut Value, place: &str, new: Value) {
        if place.is_empty() {
            *value = new;
        } else if let Some(slot) = value.pointer_mut(place) {
            *slot = new;
        }
    }

    proptest! {
        #[test]
        fn equal_values_have_no_difference(value in values()) {
            prop_assert!(differences(&value, &value, Rules::default()).is_empty());
            prop_assert!(same(&value, &value));
        }

        #[test]
        fn a_changed_leaf_is_always_found(value in values(), choice in any::<prop::sample::Index>()) {
            let mut all = Vec::new();
            leaves(&value, "", &mut all);
            let place = choice.get(&all).clone();
            let mut changed = value.clone();
            set(&mut changed, &place, json!("something else"));
            let found = differences(&value, &changed, Rules::default());
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].place, &place);
            // As a set, the place may be named differently, but the change is seen.
            let everywhere: Vec<String> = (0..6).map(|n| "/*".repeat(n)).collect();
            let as_sets = differences(&value, &changed, Rules { unordered: &everywhere, subset: false });
            prop_assert!(!as_sets.is_empty());
            prop_assert!(!same(&value, &changed));
        }

        #[test]
        fn a_shuffled_set_is_equal(elements in prop::collection::vec(values(), 0..8).prop_shuffle()) {
            let mut sorted = elements.clone();
            sorted.sort_by_key(ToString::to_string);
            let unordered = [String::new()];
            let rules = Rules { unordered: &unordered, subset: false };
            prop_assert!(differences(&Value::Array(elements), &Value::Array(sorted), rules).is_empty());
        }
    }
}
