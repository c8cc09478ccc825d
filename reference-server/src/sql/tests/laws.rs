//! What holds for all conditions: indexes change nothing but the time it takes, and SQL finds what the searches find.

use super::asked;
use crate::operations::testing::Instance;
use crate::value::{Value, object, parse_json};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Values of every kind, a few of them alike to other kinds.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "-5",
    "3",
    "3.5",
    "10",
    "1e21",
    r#""""#,
    r#""3""#,
    r#""a""#,
    r#""Abc""#,
    r#""abd""#,
    r#""é""#,
    r#""日本""#,
    r#""true""#,
    r#"[3,"a"]"#,
    "[]",
    "[[3]]",
    r#"{"x":1}"#,
    r#""2001-02-03""#,
];

/// Two tables with the same records: in one every attribute is indexed, in the other only the key, of which there is
/// a copy.
async fn tables() -> Instance {
    let instance = Instance::new().await;
    instance.admin(r#"{"operation":"create_database","database":"d"}"#).await;
    instance
        .admin(r#"{"operation":"create_table","database":"d","table":"dynamic","primary_key":"id"}"#)
        .await;
    instance
        .admin(
            r#"{"operation":"create_table","database":"d","table":"plain","primary_key":"id","attributes":[
            {"name":"id","is_primary_key":true},{"name":"k"},{"name":"a"},{"name":"b"}]}"#,
        )
        .await;
    let keys = ["1", "2", "7", "-3", "4.5", r#""1""#, r#""k1""#, r#""K2""#, r#""x""#];
    let mut records = Vec::new();
    for (position, a) in VALUES.iter().enumerate() {
        for (distance, key) in keys.iter().enumerate() {
            let key = match key.strip_prefix('"') {
                Some(text) => format!(r#""{position}{text}"#),
                None => format!("{key}{position:02}"),
            };
            let b = VALUES[(position + 3 * distance) % VALUES.len()];
            let record = match distance {
                8 => format!(r#"{{"id":{key},"k":{key},"b":{b}}}"#),
                _ => format!(r#"{{"id":{key},"k":{key},"a":{a},"b":{b}}}"#),
            };
            records.push(parse_json(record.as_bytes()).unwrap());
        }
    }
    for table in ["dynamic", "plain"] {
        let request = object([
            ("operation", Value::from("insert")),
            ("database", Value::from("d")),
            ("table", Value::from(table)),
            ("records", Value::Array(records.clone())),
        ]);
        let answer = instance.admin(&request.to_json()).await;
        assert!(answer.contains("inserted 198 of 198"), "{answer}");
    }
    instance
}

fn literal() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "0", "3", "-5", "3.5", "10", "1", "100", "''", "'3'", "'a'", "'Abc'", "'abd'", "'é'", "'日本'",
        "'true'", "true", "'1k1'", "'9'", "703",
    ])
    .prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let column = || prop::sample::select(vec!["a", "b", "id"]);
    let operator = prop::sample::select(vec!["=", "==", "!=", "<", "<=", ">", ">="]);
    let pattern =
        prop::sample::select(vec!["a%", "AB%", "%b%", "3%", "_", "%", "t%", "1%", "é%", "", "[a-z]%"]);
    let leaf = prop_oneof![
        4 => (column(), operator.clone(), literal()).prop_map(|(c, o, l)| format!("{c} {o} {l}")),
        1 => (literal(), operator, column()).prop_map(|(l, o, c)| format!("{l} {o} {c}")),
        2 => (column(), literal(), literal(), any::<bool>())
            .prop_map(|(c, a, b, not)| format!("{c} {}BETWEEN {a} AND {b}", if not { "NOT " } else { "" })),
        2 => (column(), prop::collection::vec(literal(), 1..4), any::<bool>())
            .prop_map(|(c, l, not)| format!("{c} {}IN ({})", if not { "NOT " } else { "" }, l.join(", "))),
        2 => (column(), pattern, any::<bool>())
            .prop_map(|(c, p, not)| format!("{c} {}LIKE '{p}'", if not { "NOT " } else { "" })),
        1 => (column(), any::<bool>()).prop_map(|(c, not)| format!("{c} IS {}NULL", if not { "NOT " } else { "" })),
        1 => column().prop_map(|c| c.to_owned()),
        1 => (column(), column()).prop_map(|(a, b)| format!("{a} = {b}")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" AND ")),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|any| format!("({})", any.join(" OR "))),
            1 => inner.prop_map(|not| format!("NOT ({not})")),
        ]
    })
}

/// The condition over the copy of the key, which has no index.
fn over_copies(condition: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in condition.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '\'' {
            word.push(c);
        } else {
            out.push_str(if word == "id" { "k" } else { &word });
            out.push(c);
            word.clear();
        }
    }
    out
}

fn run<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    runner.run(&strategy, test).unwrap();
}

#[test]
fn indexes_change_no_answer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let instance = runtime.block_on(tables());
    run(400, condition(), |condition| {
        let indexed = format!("SELECT id FROM d.dynamic WHERE {condition}");
        let scanned = format!("SELECT id FROM d.plain WHERE {}", over_copies(&condition));
        let (indexed, scanned) =
            runtime.block_on(async { (asked(&instance, &indexed).await, asked(&instance, &scanned).await) });
        prop_assert_eq!(indexed, scanned, "{}", condition);
        Ok(())
    });
}

#[test]
fn searches_find_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let instance = runtime.block_on(tables());
    let comparators = prop::sample::select(vec![
        ("=", "equals"),
        (">", "greater_than"),
        (">=", "greater_than_equal"),
        ("<", "less_than"),
        ("<=", "less_than_equal"),
    ]);
    // Values on whose order both agree.
    let values = prop::sample::select(vec![
        ("3", "3"),
        ("3.5", "3.5"),
        ("-5", "-5"),
        ("'a'", r#""a""#),
        ("'abd'", r#""abd""#),
    ]);
    run(
        100,
        (comparators, values, prop::sample::select(vec!["a", "b"])),
        |(comparator, value, attribute)| {
            let class = if value.0.starts_with('\'') { "SEARCH" } else { "NUMBER" };
            let sql = format!(
                "SELECT id, {attribute} AS v FROM d.dynamic WHERE {attribute} {} {}",
                comparator.0, value.0
            );
            let search = format!(
                r#"{{"operation":"search_by_conditions","database":"d","table":"dynamic","get_attributes":["id","{attribute}"],
            "conditions":[{{"attribute":"{attribute}","comparator":"{}","value":{}}}]}}"#,
                comparator.1, value.1
            );
            let (sql, search) =
                runtime.block_on(async { (asked(&instance, &sql).await, instance.admin(&search).await) });
            let found = |text: &str, name: &str| {
                let rows = parse_json(text.as_bytes()).unwrap();
                let same_kind = |row: &&Value| match row.get(name) {
                    Some(Value::Number(_)) => class == "NUMBER",
                    Some(Value::String(_)) => class != "NUMBER",
                    _ => false,
                };
                let mut keys: Vec<String> = rows
                    .as_array()
                    .unwrap_or_default()
                    .iter()
                    .filter(same_kind)
                    .map(|row| row.get("id").map(Value::to_json).unwrap_or_default())
                    .collect();
                keys.sort();
                keys
            };
            prop_assert_eq!(found(&sql, "v"), found(&search, attribute), "{:?} {:?}", comparator, value);
            Ok(())
        },
    );
}
