//! Permissions, where the recorded product has holes that are not copied.

use super::{kennel, request};
use crate::operations::testing::Instance;

/// A user `kim` who may read `id`, `name` and `age`, update `name`, and delete.
async fn with_kim() -> Instance {
    let instance = kennel().await;
    instance
        .admin(
            r#"{"operation":"add_role","role":"walker","permission":{"d":{"tables":{"dog":{
            "read":true,"insert":false,"update":true,"delete":true,"attribute_permissions":[
            {"attribute_name":"id","read":true,"insert":false,"update":false},
            {"attribute_name":"name","read":true,"insert":false,"update":true},
            {"attribute_name":"age","read":true,"insert":false,"update":false}]}}}}}"#,
        )
        .await;
    instance
        .admin(r#"{"operation":"add_user","username":"kim","password":"pw","role":"walker","active":true}"#)
        .await;
    instance
}

#[tokio::test]
async fn rows_may_be_counted_without_reading_all_attributes() {
    let instance = with_kim().await;
    for (sql, answer) in [
        ("SELECT COUNT(*) AS n FROM d.dog", r#"[{"n":4}]"#),
        ("SELECT * FROM d.dog WHERE id = 1", r#"[{"id":1,"name":"Penny","age":7}]"#),
        ("SELECT age AS owner FROM d.dog WHERE id = 1 ORDER BY owner", r#"[{"owner":7}]"#),
        (
            "UPDATE d.dog SET name = UPPER(name) WHERE age = 7",
            r#"{"message":"updated 1 of 1 records","update_hashes":[1],"skipped_hashes":[]}"#,
        ),
    ] {
        assert_eq!(instance.as_user("kim", &request(sql)).await, answer, "{sql}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_not_looked_at_either() {
    let instance = with_kim().await;
    for sql in [
        "SELECT id FROM d.dog WHERE owner = 'Kyle'",
        "SELECT name FROM d.dog ORDER BY owner",
        "SELECT name, COUNT(*) AS n FROM d.dog GROUP BY name HAVING MAX(owner) > 'A'",
        "SELECT COUNT(*) AS n FROM d.dog GROUP BY owner",
        "SELECT a.id FROM d.dog a JOIN d.dog b ON a.id = b.owner",
        "SELECT ROUND(AVG(LEN(owner))) AS x FROM d.dog",
        "SELECT id FROM d.dog WHERE name IN ('x', owner)",
        "UPDATE d.dog SET name = 'x' WHERE owner = 'Kyle'",
        "UPDATE d.dog SET name = owner",
        "DELETE FROM d.dog WHERE owner = 'Kyle'",
    ] {
        let answer = instance.as_user("kim", &request(sql)).await;
        assert!(answer.contains("\"Attribute 'owner' does not exist on 'd.dog'\""), "{sql}: {answer}");
    }
    let sql = "UPDATE d.dog SET age = 1 WHERE id = 1";
    let answer = instance.as_user("kim", &request(sql)).await;
    assert!(answer.contains(r#"{"attribute_name":"age","required_permissions":["update"]}"#), "{answer}");
}

/// A user `lea` with some flags on `d.dog`.
async fn with_lea(flags: &str) -> Instance {
    let instance = kennel().await;
    let permission = format!(r#"{{"d":{{"tables":{{"dog":{{{flags}}}}}}}}}"#);
    instance
        .admin(&format!(r#"{{"operation":"add_role","role":"groomer","permission":{permission}}}"#))
        .await;
    let user = r#"{"operation":"add_user","username":"lea","password":"pw","role":"groomer","active":true}"#;
    let answer = instance.admin(user).await;
    assert!(answer.contains("successfully added"), "{answer}");
    instance
}

#[tokio::test]
async fn deleting_needs_no_flag_of_an_attribute() {
    let flags = r#""read":true,"insert":false,"update":true,"delete":true,"attribute_permissions":[
        {"attribute_name":"id","read":false,"insert":false,"update":true},
        {"attribute_name":"__createdtime__","read":true,"insert":false,"update":false},
        {"attribute_name":"age","read":false,"insert":false,"update":true}]"#;
    let instance = with_lea(flags).await;
    let asked = async |sql: &str| instance.as_user("lea", &request(sql)).await;
    for (sql, deleted) in [
        ("DELETE FROM d.dog WHERE id = 1", "1 of 1 record"),
        ("DELETE FROM d.dog WHERE age = 10 AND __createdtime__ > 0", "1 of 1 record"),
    ] {
        let answer = asked(sql).await;
        assert!(answer.contains(&format!("{deleted} successfully deleted")), "{sql}: {answer}");
    }
    let answer = asked("DELETE FROM d.dog WHERE name = 'Alby'").await;
    assert!(answer.contains("\"Attribute 'name' does not exist on 'd.dog'\""), "{answer}");
    // What an UPDATE looks at has to be readable.
    let answer = asked("UPDATE d.dog SET age = 1 WHERE id = 2").await;
    assert!(answer.contains(r#"{"attribute_name":"id","required_permissions":["read"]}"#), "{answer}");
}

#[tokio::test]
async fn a_table_joined_to_itself_is_refused_once() {
    let instance =
        with_lea(r#""read":false,"insert":true,"update":false,"delete":false,"attribute_permissions":[]"#)
            .await;
    let sql = "SELECT a.id FROM d.dog AS a INNER JOIN d.dog AS b ON a.id = b.id";
    assert_eq!(
        instance.as_user("lea", &request(sql)).await,
        r#"{"error":"This operation is not authorized due to role restrictions and/or invalid database items","unauthorized_access":[{"schema":"d","table":"dog","required_table_permissions":["read"],"required_attribute_permissions":[]}],"invalid_schema_items":[]}"#
    );
    let flags = r#""read":true,"insert":true,"update":false,"delete":false,"attribute_permissions":[
        {"attribute_name":"id","read":true,"insert":true,"update":false},
        {"attribute_name":"name","read":false,"insert":true,"update":false},
        {"attribute_name":"age","read":false,"insert":true,"update":false}]"#;
    let instance = with_lea(flags).await;
    let sql = "SELECT b.name, a.age FROM d.dog AS a INNER JOIN d.dog AS b ON a.id = b.id AND a.name = b.age";
    let lacking = |name: &str| format!(r#"{{"attribute_name":"{name}","required_permissions":["read"]}}"#);
    let answer = instance.as_user("lea", &request(sql)).await;
    let entry = format!(
        r#""unauthorized_access":[{{"schema":"d","table":"dog","required_table_permissions":[],"required_attribute_permissions":[{},{}]}}]"#,
        lacking("name"),
        lacking("age")
    );
    assert!(answer.contains(&entry), "{answer}");
}

#[tokio::test]
async fn a_table_without_a_database_is_checked_too() {
    let instance = with_kim().await;
    instance.admin(r#"{"operation":"create_table","table":"log","primary_key":"id"}"#).await;
    let answer = instance.as_user("kim", &request("INSERT INTO log (id) VALUES (1)")).await;
    assert!(answer.contains("database 'data' does not exist"), "{answer}");
    let answer = instance.admin(&request("INSERT INTO log (id) VALUES (1)")).await;
    assert!(answer.contains("inserted 1 of 1"), "{answer}");
}

#[tokio::test]
async fn syntax_is_looked_at_before_permissions() {
    let instance = with_kim().await;
    let answer = instance.as_user("kim", &request("SELECT FROM WHERE d.secret")).await;
    assert!(answer.contains("Invalid SQL at"), "{answer}");
    let answer = instance.as_user("kim", &request("DROP TABLE d.dog")).await;
    assert_eq!(answer, r#"{"error":"Operation 'drop' not found"}"#);
}
