//! INSERT, UPDATE and DELETE beyond what the recordings show.

use super::{asked, kennel};
use crate::operations::testing::Instance;

#[tokio::test]
async fn keys_of_all_kinds_are_inserted() {
    let instance = kennel().await;
    assert_eq!(
        asked(&instance, "INSERT INTO d.dog (id, name) VALUES (-7, 'minus'), ('7', 'text'), (1.5, 'half')")
            .await,
        r#"{"message":"inserted 3 of 3 records","inserted_hashes":[-7,"7",1.5],"skipped_hashes":[]}"#
    );
    assert_eq!(
        asked(&instance, "INSERT INTO d.dog (name) VALUES ('keyless')").await,
        r#"{"message":"inserted 1 of 1 records","inserted_hashes":[5],"skipped_hashes":[]}"#
    );
    assert_eq!(
        asked(&instance, "INSERT INTO d.dog (id, name) VALUES (0 / 0, 'no number')").await,
        r#"{"message":"inserted 1 of 1 records","inserted_hashes":[6],"skipped_hashes":[]}"#
    );
    assert_eq!(asked(&instance, "SELECT name FROM d.dog WHERE id = 5").await, r#"[{"name":"keyless"}]"#);
    assert_eq!(
        asked(&instance, "INSERT INTO d.dog (id, o) VALUES (9, {a: [1, {b: NULL}], `c d`: 0/0})").await,
        r#"{"message":"inserted 1 of 1 records","inserted_hashes":[9],"skipped_hashes":[]}"#
    );
    assert_eq!(
        asked(&instance, "SELECT o FROM d.dog WHERE id = 9").await,
        r#"[{"o":{"a":[1,{"b":null}],"c d":null}}]"#
    );
}

#[tokio::test]
async fn bad_inserts_write_nothing() {
    let instance = kennel().await;
    let failed =
        r#"{"error":"There was a problem performing this insert. Please check the logs and try again."}"#;
    for sql in [
        "INSERT INTO d.dog VALUES (9, 'x')",
        "INSERT INTO d.dog (id, name) VALUES (9, 'x'), (10)",
        "INSERT INTO d.dog (id) VALUES (name)",
        "INSERT INTO d.dog (id) VALUES ((SELECT 1))",
        "INSERT INTO d.dog (id) SELECT id FROM d.dog",
        "INSERT INTO d.dog (id) VALUES (COUNT(*))",
    ] {
        assert_eq!(asked(&instance, sql).await, failed, "{sql}");
    }
    assert_eq!(asked(&instance, "SELECT COUNT(*) AS n FROM d.dog").await, r#"[{"n":4}]"#);
}

#[tokio::test]
async fn updates_see_the_old_values() {
    let instance = kennel().await;
    assert_eq!(
        asked(&instance, "UPDATE d.dog SET age = id, id_was = age, tags->x = 1").await,
        r#"{"error":"Invalid SQL at: ..., id_was = age, tags->x = 1. Please ensure your SQL is valid. Try adding backticks to reserved words and schema table references."}"#
    );
    assert_eq!(
        asked(&instance, "UPDATE d.dog SET age = id, was = age, half = owner / 2 WHERE age < 8").await,
        r#"{"message":"updated 3 of 3 records","update_hashes":[1,2,3],"skipped_hashes":[]}"#
    );
    assert_eq!(
        asked(&instance, "SELECT age, was, name, half FROM d.dog WHERE id = 2").await,
        r#"[{"age":2,"was":5,"name":"Harper","half":null}]"#
    );
    assert_eq!(
        asked(&instance, "UPDATE d.dog SET id = 77, age = 1 WHERE id = 4").await,
        r#"{"message":"updated 0 of 1 records","update_hashes":[],"skipped_hashes":[77]}"#
    );
    assert_eq!(asked(&instance, "SELECT age FROM d.dog WHERE id = 4").await, r#"[{"age":10}]"#);
}

#[tokio::test]
async fn increments_at_the_same_time_are_all_counted() {
    let instance = std::sync::Arc::new(kennel().await);
    let one = |instance: std::sync::Arc<Instance>| async move {
        asked(&instance, "UPDATE d.dog SET age = age + 1 WHERE id = 1").await
    };
    let tasks: Vec<_> = (0..40).map(|_| tokio::spawn(one(instance.clone()))).collect();
    for task in tasks {
        assert!(task.await.unwrap().contains("updated 1 of 1"));
    }
    assert_eq!(asked(&instance, "SELECT age FROM d.dog WHERE id = 1").await, r#"[{"age":47}]"#);
}

#[tokio::test]
async fn writes_are_in_the_history() {
    let instance = kennel().await;
    asked(&instance, "UPDATE d.dog SET age = 8 WHERE id = 1").await;
    asked(&instance, "DELETE FROM d.dog WHERE id IN (2, 3)").await;
    let history = instance
        .admin(r#"{"operation":"read_audit_log","database":"d","table":"dog","search_type":"hash_value","search_values":[1,2,3]}"#)
        .await;
    for part in [r#""operation":"update""#, r#""operation":"delete""#, r#""user_name":"admin""#] {
        assert!(history.contains(part), "{part} is not in {history}");
    }
}

#[tokio::test]
async fn declared_types_are_held() {
    let instance = kennel().await;
    instance
        .admin(
            r#"{"operation":"create_table","database":"d","table":"gem","primary_key":"id",
            "attributes":[{"name":"id","is_primary_key":true},{"name":"title","type":"String"},{"name":"carat","type":"Float"}]}"#,
        )
        .await;
    let faults = r#"{"error":"Value 5 in property title must be a string. Value \"heavy\" in property carat must be a number"}"#;
    assert_eq!(asked(&instance, "INSERT INTO d.gem (id, title, carat) VALUES (1, 5, 'heavy')").await, faults);
    asked(&instance, "INSERT INTO d.gem (id, title, carat) VALUES (1, 'Ruby', 2.5)").await;
    assert_eq!(asked(&instance, "UPDATE d.gem SET title = 5, carat = 'heavy' WHERE id = 1").await, faults);
    assert_eq!(asked(&instance, "SELECT * FROM d.gem").await, r#"[{"id":1,"title":"Ruby","carat":2.5}]"#);
}
