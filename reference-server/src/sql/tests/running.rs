//! What SELECT answers beyond what the recordings show.

use super::{asked, kennel, request};
use crate::access::Caller;
use crate::config::Config;
use crate::operations::ReplyForm;
use crate::operations::testing::Instance;
use crate::server::Server;
use crate::sql::Engine;
use crate::value::parse_json;
use std::time::Duration;

const GENERIC: &str =
    r#"{"error":"There was a problem performing this search. Please check the logs and try again."}"#;

#[tokio::test]
async fn defects_of_the_recorded_engine_are_not_repeated() {
    let instance = kennel().await;
    for (sql, answer) in [
        ("SELECT id FROM d.dog WHERE NOT (age = 5)", r#"[{"id":1},{"id":4}]"#),
        ("SELECT id FROM d.dog WHERE NOT (owner = 'Kyle')", r#"[{"id":3}]"#),
        ("SELECT id FROM d.dog LIMIT 0", "[]"),
        ("SELECT id FROM d.dog WHERE NOT owner", r#"[{"id":2},{"id":4}]"#),
        ("SELECT id FROM d.dog WHERE owner IN ('Kyle', NULL)", r#"[{"id":1}]"#),
        ("SELECT id FROM d.dog WHERE name = 'O''Neil'", "[]"),
        (
            "SELECT CASE WHEN age > 6 THEN 'old' ELSE 'young' END AS a FROM d.dog WHERE id < 3",
            r#"[{"a":"old"},{"a":"young"}]"#,
        ),
        (
            "SELECT CASE age WHEN 7 THEN 1 WHEN 5 THEN 2 END AS a FROM d.dog",
            r#"[{"a":1},{"a":2},{"a":2},{"a":null}]"#,
        ),
        ("SELECT age * 2 FROM d.dog WHERE id = 1", r#"[{"age * 2":14}]"#),
        ("SELECT MEDIAN(age) FROM d.dog", r#"[{"MEDIAN(age)":6}]"#),
        ("SELECT SUM(age * 2) FROM d.dog", r#"[{"SUM(age * 2)":54}]"#),
        ("SELECT 1 AS one FROM d.dog WHERE id < 3", r#"[{"one":1},{"one":1}]"#),
        ("SELECT COUNT(1) AS n FROM d.dog", r#"[{"n":4}]"#),
        ("SELECT DISTINCT(age) FROM d.dog ORDER BY age", r#"[{"age":5},{"age":7},{"age":10}]"#),
        ("SELECT age, age AS years FROM d.dog WHERE id = 1", r#"[{"age":7,"years":7}]"#),
        ("SELECT name FROM d.dog ORDER BY UPPER(name) LIMIT 2", r#"[{"name":"Alby"},{"name":"billy"}]"#),
        ("SELECT age, COUNT(*) AS n FROM d.dog GROUP BY age HAVING n > 1", r#"[{"age":5,"n":2}]"#),
        ("SELECT age FROM d.dog GROUP BY age HAVING age = 7", r#"[{"age":7}]"#),
        (
            "SELECT age, AVG(id) AS a FROM d.dog GROUP BY age ORDER BY AVG(id) DESC LIMIT 1",
            r#"[{"age":10,"a":4}]"#,
        ),
        ("SELECT search_json('w', box) FROM d.dog WHERE id = 3", r#"[{"search_json(\"w\",box)":1}]"#),
        ("/* first */ SELECT\nid FROM d.dog WHERE id = 1", r#"[{"id":1}]"#),
        ("SELECT COUNT(*), COUNT(*) FROM d.dog", r#"[{"COUNT(*)":4,"COUNT(*):1":4}]"#),
        ("SELECT a.id FROM d.dog a FULL JOIN d.dog b ON a.id = b.age WHERE b.id = 4", r#"[{"id":null}]"#),
    ] {
        assert_eq!(asked(&instance, sql).await, answer, "{sql}");
    }
}

#[tokio::test]
async fn faults_have_their_texts() {
    let instance = kennel().await;
    for (sql, error) in [
        ("SELECT dog.id FROM d.dog x", "unknown column dog.id"),
        ("SELECT d.dog.id FROM d.dog", "unknown column d.dog"),
        ("SELECT x.* FROM d.dog", "unknown column x.*"),
        ("SELECT id FROM d.dog ORDER BY bark", "unknown column bark"),
        ("SELECT id FROM d.dog ORDER BY id NULLS FIRST", "unknown column first"),
        ("SELECT name AS a, age AS a FROM d.dog ORDER BY a", "ambiguous column reference a in order by"),
        ("SELECT COUNT(*) AS n FROM d.dog GROUP BY age", "group by column 'age' must be in select"),
        ("SELECT age, COUNT(*) FROM d.dog GROUP BY bark", "unknown column 'bark' in group by"),
        ("SELECT name, COUNT(*) FROM d.dog GROUP BY age", "select column 'name' must be in group by"),
        (
            "SELECT a.id FROM d.dog a JOIN dog b ON a.id = b.id",
            "There was an error processing your request. Check logs and try again.",
        ),
        ("UPDATE d.cat SET a = 1", "table d.cat does not exist"),
        ("DELETE FROM e.cat", "schema e does not exist"),
        ("UPDATE dog SET a = 1", "schema undefined does not exist"),
        ("UPDATE d.dog SET a = 1 WHERE bark = 2", "unknown column bark"),
    ] {
        assert_eq!(asked(&instance, sql).await, format!(r#"{{"error":"{error}"}}"#), "{sql}");
    }
    for sql in [
        "SELECT WOOF(id, 2) AS x FROM d.dog",
        "SELECT id FROM d.dog WHERE COUNT(*) > 1",
        "SELECT id FROM d.dog ORDER BY 0",
        "SELECT id FROM d.dog WHERE id IN (SELECT id FROM d.dog)",
        "SELECT id FROM d.dog WHERE id = ANY (SELECT id FROM d.dog)",
        "SELECT id FROM d.dog WHERE id >= ALL (SELECT id FROM d.dog)",
        "SELECT id FROM d.dog WHERE id <> SOME (SELECT id FROM d.dog)",
        "SELECT id FROM d.dog, d.dog x",
        "SELECT id FROM d.dog UNION SELECT id FROM d.dog",
        "SELECT SUM(COUNT(*)) FROM d.dog",
        "SELECT id FROM d.dog WHERE name REGEXP '('",
    ] {
        assert_eq!(asked(&instance, sql).await, GENERIC, "{sql}");
    }
}

#[tokio::test]
async fn words_are_what_their_place_makes_them() {
    let instance = kennel().await;
    instance.admin(r#"{"operation":"create_table","database":"d","table":"bowl","primary_key":"id"}"#).await;
    asked(&instance, "INSERT INTO d.bowl (id, limit, go) VALUES (1, 10, '50%'), (2, 20, '50 cl')").await;
    for (sql, answer) in [
        ("SELECT id AS limit FROM d.dog WHERE id = 1", r#"[{"limit":1}]"#),
        ("SELECT id AS go FROM d.dog LIMIT 1", r#"[{"go":1}]"#),
        ("SELECT id FROM d.bowl WHERE limit = 20", r#"[{"id":2}]"#),
        ("SELECT id, limit FROM d.bowl ORDER BY limit DESC LIMIT 1", r#"[{"id":2,"limit":20}]"#),
        ("SELECT id FROM d.bowl WHERE go = '50%' AND limit < 20", r#"[{"id":1}]"#),
        ("SELECT id FROM d.bowl WHERE go LIKE '50!%' ESCAPE '!'", r#"[{"id":1}]"#),
        ("SELECT id FROM d.bowl WHERE go NOT LIKE '50!%' ESCAPE '!'", r#"[{"id":2}]"#),
        ("SELECT id FROM d.bowl WHERE go LIKE '50%%' ESCAPE '%'", r#"[{"id":1}]"#),
        ("SELECT id FROM d.bowl WHERE go LIKE '50%' ESCAPE ''", r#"[{"id":1},{"id":2}]"#),
        ("SELECT id FROM d.dog WHERE name GLOB 'b*'", r#"[{"id":4}]"#),
        ("SELECT id FROM d.dog WHERE name GLOB 'B*' OR name GLOB 'pen?y'", "[]"),
        ("SELECT TRIM('P' FROM name) FROM d.dog WHERE id = 1", r#"[{"TRIM(\"P\" FROM name)":"enny"}]"#),
        ("SELECT TRIM('x' FROM 'xxhixx') AS a", r#"[{"a":"hi"}]"#),
    ] {
        assert_eq!(asked(&instance, sql).await, answer, "{sql}");
    }
}

#[tokio::test]
async fn the_star_shows_no_relationships() {
    let instance = kennel().await;
    instance
        .admin(
            r#"{"operation":"create_table","database":"d","table":"toy","primary_key":"id","attributes":[
            {"name":"id","is_primary_key":true},{"name":"dog_id"},
            {"name":"dog","type":"dog","relationship":{"from":"dog_id"}}]}"#,
        )
        .await;
    asked(&instance, "INSERT INTO d.toy (id, dog_id) VALUES (1, 2)").await;
    for (sql, answer) in [
        ("SELECT * FROM d.toy", r#"[{"id":1,"dog_id":2}]"#),
        ("SELECT t.* FROM d.toy t", r#"[{"id":1,"dog_id":2}]"#),
        ("SELECT id, dog FROM d.toy", r#"[{"id":1,"dog":null}]"#),
    ] {
        assert_eq!(asked(&instance, sql).await, answer, "{sql}");
    }
}

#[tokio::test]
async fn joins_keep_sides_and_count_names() {
    let instance = kennel().await;
    let sql = "SELECT a.id, b.id, b.name AS other FROM d.dog a LEFT JOIN d.dog b ON b.age = a.age AND b.id > a.id ORDER BY a.id";
    assert_eq!(
        asked(&instance, sql).await,
        r#"[{"id":1,"id1":null,"other":null},{"id":2,"id1":3,"other":"Alby"},{"id":3,"id1":null,"other":null},{"id":4,"id1":null,"other":null}]"#
    );
    let sql =
        "SELECT COUNT(*) AS n FROM d.dog a CROSS JOIN d.dog b JOIN d.dog c ON c.id = b.id AND c.id = a.id";
    assert_eq!(asked(&instance, sql).await, r#"[{"n":4}]"#);
    let sql = "SELECT b.id AS r FROM d.dog a RIGHT JOIN d.dog b ON a.id = b.age ORDER BY r";
    assert_eq!(asked(&instance, sql).await, r#"[{"r":1},{"r":2},{"r":3},{"r":4}]"#);
}

/// The answer of an instance that follows another engine or has another time limit.
async fn configured(change: fn(&mut Config), statements: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::ephemeral(folder.path());
    change(&mut config);
    let server = Server::open(config).await.unwrap();
    let mut answers = Vec::new();
    for sql in statements {
        let body = if sql.starts_with('{') { (*sql).to_owned() } else { request(sql) };
        let caller = Caller::of(server.access.user("admin"));
        let answer = server.answer(caller, parse_json(body.as_bytes()).unwrap(), ReplyForm::Text).await;
        answers.push(match answer {
            Ok(crate::operations::Reply::Rows(rows)) => match rows.content {
                crate::operations::RowContent::Text(text) => String::from_utf8(text).unwrap(),
                crate::operations::RowContent::Tree(_) => String::new(),
            },
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    answers
}

const TABLE: [&str; 3] = [
    r#"{"operation":"create_database","database":"d"}"#,
    r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#,
    r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1,"a":"x","line":"7"},{"id":2,"a":null,"line":7}]}"#,
];

#[tokio::test]
async fn the_later_engine_is_explicit() {
    let statements = [
        "SELECT UPPER(a) AS u, id / 0 AS q, a + 1 AS s FROM d.t WHERE id = 2",
        "SELECT SUM(id) AS s, AVG(id) AS a, MIN(id) AS lo FROM d.t WHERE id > 9",
        "SELECT MIN(a) AS lo FROM d.t",
        "SELECT id FROM d.t WHERE line IN ('7')",
        "SELECT p.id FROM d.t p JOIN d.t q ON p.a = q.a",
        "SELECT id FROM d.t LIMIT 1 OFFSET 2",
        "SELECT id FROM d.t ORDER BY id DESC LIMIT 1 OFFSET 9",
        "SELECT id FROM d.t WHERE id = 9 ORDER BY id LIMIT 1 OFFSET 1",
        "SELECT line, COUNT(*) AS n FROM d.t GROUP BY line LIMIT 1 OFFSET 2",
    ];
    let all: Vec<&str> = TABLE.iter().chain(&statements).copied().collect();
    let legacy = configured(|_| {}, &all).await.split_off(3);
    assert_eq!(
        legacy,
        [
            r#"[{"u":"NULL","q":null}]"#,
            r#"[{"s":0}]"#,
            r#"[{"lo":null}]"#,
            r#"[{"id":2}]"#,
            r#"[{"id":1},{"id":2}]"#,
            r#"[{"id":1},{"id":2}]"#,
            r#"[{"id":2},{"id":1}]"#,
            "[]",
            "[]",
        ]
    );
    let auto = configured(|config| config.sql_engine = Engine::Documented, &all).await.split_off(3);
    assert_eq!(
        auto,
        [
            r#"[{"u":null,"q":null,"s":null}]"#,
            r#"[{"s":null,"a":null,"lo":null}]"#,
            r#"[{"lo":"x"}]"#,
            r#"[{"id":1},{"id":2}]"#,
            r#"[{"id":1}]"#,
            "[]",
            "[]",
            "[]",
            "[]",
        ]
    );
}

#[tokio::test]
async fn a_statement_that_runs_away_is_stopped() {
    let many: Vec<String> = (0..300).map(|id| format!("({id}, 'x')")).collect();
    let insert = format!("INSERT INTO d.t (id, a) VALUES {}", many.join(","));
    let statements = [
        &TABLE[..2],
        &[
            insert.as_str(),
            "SELECT COUNT(*) FROM d.t a CROSS JOIN d.t b CROSS JOIN d.t c",
            "SELECT id FROM d.t WHERE id = 7",
            "UPDATE d.t SET a = 'y'",
            "SELECT DISTINCT a FROM d.t WHERE id = 7",
        ],
    ]
    .concat();
    let stopped = "The statement took longer than 0 milliseconds and was stopped";
    let answers = configured(|config| config.sql_timeout = Duration::ZERO, &statements).await.split_off(3);
    assert_eq!(answers, [stopped, r#"[{"id":7}]"#, stopped, r#"[{"a":"x"}]"#]);
}

#[tokio::test]
async fn exports_get_their_rows() {
    let instance = kennel().await;
    let admin = Caller::of(instance.server.access.user("admin"));
    let rows =
        crate::sql::select(&instance.server, &admin, "SELECT id FROM d.dog WHERE age = 7").await.unwrap();
    assert_eq!(rows.len(), 1);
    let refused = crate::sql::select(&instance.server, &admin, "DELETE FROM d.dog").await;
    assert!(refused.is_err());
    let nobody = Caller::of(None);
    assert!(crate::sql::select(&instance.server, &nobody, "SELECT 1").await.is_err());
}

#[tokio::test]
async fn long_statements_are_answered() {
    let instance: Instance = kennel().await;
    let list: Vec<String> = (0..20_000).map(|id| id.to_string()).collect();
    let sql = format!("SELECT COUNT(*) AS n FROM d.dog WHERE id IN ({})", list.join(","));
    assert_eq!(asked(&instance, &sql).await, r#"[{"n":4}]"#);
    let sql = format!("SELECT COUNT(*) AS n FROM d.dog WHERE {}id = 9", "id = 1 OR ".repeat(1500));
    assert_eq!(asked(&instance, &sql).await, r#"[{"n":1}]"#);
    let sql = format!("SELECT {}1 AS n", "1 + ".repeat(1500));
    assert_eq!(asked(&instance, &sql).await, r#"[{"n":1501}]"#);
    let sql = format!("SELECT {}1{} AS n", "(".repeat(5000), ")".repeat(5000));
    assert!(asked(&instance, &sql).await.starts_with(r#"{"error":"Invalid SQL at: "#));
}
