//! What the operations on logs answer, asked without HTTP.

use crate::operations::testing::Instance;
use crate::value::{Value, parse_json};

async fn with_history() -> Instance {
    let instance = Instance::new().await;
    for request in [
        r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#,
        r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1,"v":"a"},{"id":"2","v":"b"}]}"#,
        r#"{"operation":"update","database":"d","table":"t","records":[{"id":1,"v":"c"},{"id":99}]}"#,
        r#"{"operation":"upsert","database":"d","table":"t","records":[{"id":"2","w":1},{"id":3}]}"#,
        r#"{"operation":"delete","database":"d","table":"t","ids":[1,77]}"#,
        r#"{"operation":"delete","database":"d","table":"t","ids":[77]}"#,
    ] {
        let answer = instance.admin(request).await;
        assert!(!answer.contains("error"), "{answer}");
    }
    instance
}

async fn asked(instance: &Instance, request: &str) -> Value {
    parse_json(instance.admin(request).await.as_bytes()).unwrap()
}

/// An entry in short: `operation keys | records | original records`, without times.
fn short(entry: &Value) -> String {
    assert_eq!(entry.get("user_name").and_then(Value::as_str), Some("admin"));
    assert!(entry.get("timestamp").unwrap().as_number().is_some());
    let records = |name: &str| {
        let Some(Value::Array(records)) = entry.get(name) else { return "none".to_owned() };
        let records = records.iter().map(|record| match record {
            Value::Object(members) => {
                let members = members.iter().filter(|(name, _)| !name.starts_with("__"));
                members
                    .map(|(name, value)| format!("{name}={}", value.to_json()))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            other => other.to_json(),
        });
        records.collect::<Vec<_>>().join(", ")
    };
    let operation = entry.get("operation").unwrap().as_str().unwrap();
    let keys = entry.get("hash_values").unwrap().to_json();
    format!("{operation} {keys} | {} | {}", records("records"), records("original_records"))
}

fn shorts(entries: &Value) -> Vec<String> {
    entries.as_array().unwrap().iter().map(short).collect()
}

const ALL: [&str; 4] = [
    r#"insert [1,"2"] | id=1 v="a", id="2" v="b" | none"#,
    r#"update [1] | id=1 v="c" | id=1 v="a""#,
    r#"upsert ["2",3] | id="2" w=1 v="b", id=3 | id="2" v="b", null"#,
    r#"delete [1] | none | id=1 v="c""#,
];

#[tokio::test]
async fn histories_are_read_whole_and_in_windows() {
    let instance = with_history().await;
    let all = asked(&instance, r#"{"operation":"read_transaction_log","database":"d","table":"t"}"#).await;
    assert_eq!(shorts(&all), ALL);
    let same = asked(&instance, r#"{"operation":"read_audit_log","schema":"d","table":"t"}"#).await;
    assert_eq!(same, all);
    let time = |at: usize| all.as_array().unwrap()[at].get("timestamp").unwrap().to_json();
    let window = |from: usize, to: usize| {
        let (from, to) = (time(from), time(to));
        let log = format!(
            r#"{{"operation":"read_transaction_log","database":"d","table":"t","from":{from},"to":"{to}"}}"#
        );
        let audit = format!(
            r#"{{"operation":"read_audit_log","database":"d","table":"t","search_type":"timestamp","search_values":[{from},{to}]}}"#
        );
        (log, audit)
    };
    for (from, to) in [(0, 3), (1, 2), (2, 1), (1, 1)] {
        let (log, audit) = window(from, to);
        let expected = ALL.get(from..to).unwrap_or_default();
        assert_eq!(shorts(&asked(&instance, &log).await), expected, "{log}");
        assert_eq!(shorts(&asked(&instance, &audit).await), expected, "{audit}");
    }
    let limited = r#"{"operation":"read_transaction_log","database":"d","table":"t","limit":"2"}"#;
    assert_eq!(shorts(&asked(&instance, limited).await), ALL[..2]);
    let none = r#"{"operation":"read_audit_log","schema":"d","table":"t","search_type":"timestamp"}"#;
    assert_eq!(asked(&instance, none).await, all);
}

#[tokio::test]
async fn histories_are_found_by_user_and_by_key() {
    let instance = with_history().await;
    let search = async |kind: &str, values: &str| {
        let request = format!(
            r#"{{"operation":"read_audit_log","schema":"d","table":"t","search_type":"{kind}","search_values":{values}}}"#
        );
        asked(&instance, &request).await
    };
    let users = search("username", r#"["nobody","admin"]"#).await;
    assert_eq!(users.as_object().unwrap().keys().collect::<Vec<_>>(), ["admin"]);
    assert_eq!(shorts(users.get("admin").unwrap()), ALL);
    assert_eq!(search("username", "[]").await.to_json(), "{}");
    let records = search("hash_value", r#"["2",1,3,"1",77]"#).await;
    assert_eq!(records.as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "2", "3", "77"]);
    assert_eq!(
        shorts(records.get("2").unwrap()),
        [r#"insert ["2"] | id="2" v="b" | none"#, r#"upsert ["2"] | id="2" w=1 v="b" | id="2" v="b""#]
    );
    // The later of two values with one name counts: here the text, which is nobody's key.
    assert_eq!(shorts(records.get("1").unwrap()), [""; 0]);
    let one = search("hash_value", "[1]").await;
    assert_eq!(shorts(one.get("1").unwrap()), [r#"insert [1] | id=1 v="a" | none"#, ALL[1], ALL[3]]);
    assert_eq!(search("hash_value", "[null]").await.to_json(), r#"{"error":"An id is required"}"#);
    assert_eq!(search("colour", "[1]").await.to_json(), r#"{"error":"Invalid searchType 'colour'"}"#);
    assert_eq!(search("username", "5").await.to_json(), r#"{"error":"'search_values' must be an array"}"#);
    assert_eq!(search("hash_value", "null").await.to_json(), r#"{"error":"'search_values' is required"}"#);
    assert_eq!(
        search("timestamp", r#"["soon"]"#).await.to_json(),
        r#"{"error":"'search_values' must hold numbers of milliseconds"}"#
    );
}

#[tokio::test]
async fn missing_members_and_names() {
    let instance = with_history().await;
    for (request, expected) in [
        (r#"{"operation":"read_audit_log","table":"t"}"#, "database is required"),
        (r#"{"operation":"read_audit_log","database":"d"}"#, "table is required"),
        (r#"{"operation":"read_audit_log","schema":"x","table":"t"}"#, "database 'x' does not exist"),
        (r#"{"operation":"read_transaction_log","schema":"d","table":"x"}"#, "Table 'd.x' does not exist"),
        (r#"{"operation":"read_log","from":"2021-02-30"}"#, "'from' date '2021-02-30' is invalid."),
        (r#"{"operation":"read_log","log_name":"install.log"}"#, "'log_name' 'install.log' does not exist."),
    ] {
        assert_eq!(
            asked(&instance, request).await.get("error").and_then(Value::as_str),
            Some(expected),
            "{request}"
        );
    }
}

#[tokio::test]
async fn system_histories_show_no_passwords() {
    let instance = Instance::new().await;
    let system = instance.server.store.database("system").unwrap();
    let written = system.write(|txn| -> Result<(), crate::store::StoreError> {
        let users = txn.catalog().table("hdb_user").unwrap().clone();
        let users = txn.set_table_options(&users, true, None)?;
        let user = parse_json(br#"{"username":"u","password":"secret","active":true}"#).unwrap();
        txn.put(&users, &Value::from("u"), user.as_object().unwrap(), None)?;
        txn.log_history(&users, crate::store::HistoryEntry::new("insert", Some("admin")))
    });
    written.await.unwrap();
    let shown =
        instance.admin(r#"{"operation":"read_audit_log","schema":"system","table":"hdb_user"}"#).await;
    assert!(shown.contains(r#""username":"u""#) && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn histories_kept_for_other_nodes_are_not_shown() {
    let instance = Instance::new().await;
    let system = instance.server.store.database("system").unwrap();
    let logged = system.write(|txn| -> Result<(), crate::store::StoreError> {
        let users = txn.catalog().table("hdb_user").unwrap().clone();
        txn.set_logged(&users, true).map(drop)
    });
    logged.await.unwrap();
    let add = r#"{"operation":"add_user","username":"u","password":"p","role":"super_user","active":true}"#;
    assert!(instance.admin(add).await.contains("successfully"));
    let reader = system.read().unwrap();
    let users = reader.catalog().table("hdb_user").unwrap();
    assert_eq!(reader.view().history_of_record(users, &Value::from("u")).unwrap().len(), 1);
    let request = |rest: &str| {
        format!(r#"{{"operation":"read_audit_log","schema":"system","table":"hdb_user"{rest}}}"#)
    };
    let by_key = request(r#","search_type":"hash_value","search_values":["u"]"#);
    let by_user = request(r#","search_type":"username","search_values":["admin"]"#);
    assert_eq!(instance.admin(&request("")).await, "[]");
    assert_eq!(instance.admin(&by_key).await, r#"{"u":[]}"#);
    assert_eq!(instance.admin(&by_user).await, "{}");
    let transactions = r#"{"operation":"read_transaction_log","schema":"system","table":"hdb_user"}"#;
    assert_eq!(instance.admin(transactions).await, "[]");
}
