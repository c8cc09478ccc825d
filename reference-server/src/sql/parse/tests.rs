use super::*;
use crate::sql::ast::{Expr, Item, JoinKind, Select};
use crate::sql::print::{Quotes, text_of};

fn select(sql: &str) -> Select {
    match parse(sql) {
        Ok(Statement::Select(select)) => *select,
        other => panic!("{sql}: {other:?}"),
    }
}

fn filter(condition: &str) -> Expr {
    select(&format!("SELECT a FROM d.t WHERE {condition}")).filter.unwrap()
}

fn excerpt_of(sql: &str) -> String {
    parse(sql).expect_err(sql).excerpt
}

#[test]
fn texts_come_back() {
    for (sql, text) in [
        ("1+1", "1 + 1"),
        ("2*(3+4)", "2 * (3 + 4)"),
        ("ABS(-12)", "ABS(-12)"),
        ("upper('x')", "UPPER('x')"),
        ("true", "TRUE"),
        ("NOW()", "NOW()"),
        ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("count(*)", "COUNT(*)"),
        ("cast(a as decimal(5,1))", "CAST(a AS DECIMAL(5,1))"),
        ("CONVERT(VARCHAR(3), 12345)", "CONVERT(VARCHAR(3),12345)"),
        ("tools->0->name", "tools->0->name"),
        ("a === 1", "a = 1"),
        ("a == 1", "a == 1"),
        ("[key name]", "key name"),
        ("Round(avg(x), 1)", "ROUND(AVG(x),1)"),
        ("trim( 'x' from UPPER(name) )", "TRIM('x' FROM UPPER(name))"),
        ("a like 'x' escape '!'", "a LIKE 'x' ESCAPE '!'"),
        ("date_format(d,'YYYY')", "date_format(d,'YYYY')"),
    ] {
        let select = select(&format!("SELECT {sql}"));
        let [Item::Expr { expr, .. }] = select.items.as_slice() else { panic!("{sql}") };
        assert_eq!(text_of(expr, Quotes::Single), text, "{sql}");
    }
}

#[test]
fn names_may_be_keywords_elsewhere() {
    let sql = "SELECT view.id, key, path, source, text, year, name AS title FROM D.w view WHERE key = 5";
    assert_eq!(select(sql).from.unwrap().alias.as_deref(), Some("view"));
    select("SELECT `index`, [order], [a-b] FROM `d-x`.[order] AS o WHERE `index` = 10");
    select("SELECT TOP 2 id FROM d.t ORDER BY id DESC");
    select(
        "SELECT id AS limit, trim AS go, SUM(limit) AS s, DISTINCT_ARRAY(ARRAY(go)) AS g FROM d.t AS limit LIMIT 5",
    );
    parse("UPDATE d.t SET limit = 1, a = limit + go").unwrap();
    parse("INSERT INTO d.t (limit, go) VALUES (1, 2)").unwrap();
    select("SELECT id FROM d.t a OUTER JOIN d.u b ON a.id = b.id");
    select("SELECT id -- a comment\n FROM /* another */ d.t;");
    select("/* before */ select\nid from d.t");
}

#[test]
fn joins_have_kinds() {
    let sql =
        "SELECT * FROM d.a x LEFT JOIN d.b y ON x.i = y.i FULL OUTER JOIN d.c ON c.i = x.i CROSS JOIN d.e";
    let kinds: Vec<JoinKind> = select(sql).joins.iter().map(|join| join.kind).collect();
    assert_eq!(kinds, [JoinKind::Left, JoinKind::Full, JoinKind::Inner]);
}

#[test]
fn conditions_are_flat() {
    let Expr::Any(members) = filter("a = 1 OR b = 2 AND c = 3 OR d = 4") else { panic!() };
    assert_eq!(members.len(), 3);
    for condition in [
        "id = ANY (1, 4)",
        "id > ALL (1, 2)",
        "a REGEXP '^x' AND b GLOB 'y*'",
        "arm->joints = 4",
        "name NOT LIKE 'I%'",
        "name ILIKE 'brie%'",
        "v IS NOT NULL AND w IS true",
        "k NOT BETWEEN 1 AND 2",
        "id IN (SELECT id FROM d.u)",
        "EXISTS (SELECT 1)",
        "id = ANY (SELECT id FROM d.u)",
        "id > ALL (SELECT id FROM d.u) AND a = 1",
        "a + 1 <= SOME(SELECT id FROM d.u)",
        "limit = 1 AND t.limit > 2 OR NOT go",
        "go IN (1, 2) GROUP BY limit ORDER BY go LIMIT 2",
        "name NOT LIKE '10!%' ESCAPE '!' AND b = 1",
        "TRIM(characters FROM name) = TRIM(name)",
    ] {
        filter(condition);
    }
    let Expr::Chain(left, _) = filter("arm->joints = 4") else { panic!() };
    assert!(matches!(*left, Expr::Path(..)));
}

#[test]
fn literals_of_objects_and_arrays() {
    for sql in [
        "UPDATE d.t SET spec = {base: 'E27', from: [1, {x: true}]}, tags = @['hall', 2] WHERE id = 1",
        "INSERT INTO d.t (id, o) VALUES (1, @{a: 1, 'b c': NULL}), (2, @[])",
        "INSERT INTO t (id) VALUE (-7)",
        "DELETE FROM d.t WHERE a = 'O''Neil' OR b = \"x\"",
    ] {
        parse(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[test]
fn what_does_not_fit_is_quoted() {
    for sql in [
        "hello world",
        "SELEC 1",
        "SELECT id FROM",
        "SELECT 1,",
        "SELECT 1 WHERE",
        "SELECT (1",
        "UPSERT INTO a.b",
        "DESCRIBE a.b",
        "SELECT 'abc",
        "x",
    ] {
        assert_eq!(excerpt_of(sql), sql);
    }
    for (sql, excerpt) in [
        (
            "SELECT id, name FROM some_db.some_table WHERE id = = 1 ORDER BY id",
            "...me_table WHERE id = = 1 ORDER BY id",
        ),
        ("SELECT CURRENT_TIMESTAMP() AS a", "...CT CURRENT_TIMESTAMP() AS a"),
        ("SELECT LEFT('abcdef', 2) AS a", "SELECT LEFT('abcdef', 2) AS"),
        ("SELECT REPEAT('ab', 3) AS a", "SELECT REPEAT('ab', 3) AS a"),
        ("SELECT id FROM d.stamp ORDER BY id OFFSET 2", "...d.stamp ORDER BY id OFFSET 2"),
        ("SELECT id FROM d.stamp ORDER BY id LIMIT 1,2", "... ORDER BY id LIMIT 1,2"),
        ("SELECT id FROM db.stamp_top LIMIT -1", "...db.stamp_top LIMIT -1"),
        ("SELECT COUNT(*) AS n FROM d.s HAVING COUNT(*) > 1", "...NT(*) AS n FROM d.s HAVING COUNT(*) > 1"),
        ("SELECT id AS target FROM dbx.somewhere", "SELECT id AS target FROM dbx.some"),
        (
            "SELECT f.title FROM some.film f LEFT INNER JOIN some.one d ON f.dir = d.id",
            "...OM some.film f LEFT INNER JOIN some.one ",
        ),
        ("SELECT DISTINCT FROM d.dog_of_a_long_name", "SELECT DISTINCT FROM d.dog_of_a_long"),
        ("SELECT id, FROM d.dog_of_a_long_name", "SELECT id, FROM d.dog_of_a_long"),
        (
            "SELECT id FROM dbx.somewhere WHERE index = = 1 OR a = 1",
            "...dbx.somewhere WHERE index = = 1 OR a = 1",
        ),
        ("SELECT id FROM dbx.order WHERE index = 10 AND a = 1", "SELECT id FROM dbx.order WHERE index = "),
        ("SELECT id FROM dbx.somewhere_far_away WHERE", "...where_far_away WHERE"),
        ("SELECT id FROM dbx.somewhere_far_away WHERE id =", "..._far_away WHERE id ="),
        ("INSERT INTO dbx.somewhere (id, o) VALUES (77, ['a'])", "...(id, o) VALUES (77, ['a'])"),
        ("UPDATE dbx.somewhere SET w = 1 WHERE id > 0 LIMIT 1", "... w = 1 WHERE id > 0 LIMIT 1"),
        ("DELETE FROM d.a_table_of_a_long_name LIMIT 1", "...able_of_a_long_name LIMIT 1"),
        ("SELECT n FROM some_database.day-book", "...OM some_database.day-book"),
    ] {
        assert_eq!(excerpt_of(sql), excerpt, "{sql}");
    }
    for sql in [
        "SELECT a FROM d.t WHERE b NOT REGEXP 'x'",
        "SELECT a, ROW_NUMBER() OVER (ORDER BY a) FROM d.t",
        "SELECT a FROM d.t x LEFT INNER JOIN d.u y ON x.a = y.a",
        "SELECT a FROM \"d\".\"t\"",
        "SELECT id FROM d.order",
        "SELECT n FROM d.day-book",
        "SELECT a FROM d.t LIMIT 'x'",
        "SELECT a FROM a.b.c",
        "SELECT a FROM information_schema.tables",
        "UPDATE d.t SET a = 1 WHERE id > 0 LIMIT 1",
        "UPDATE d.t x SET a = 1",
        "DELETE d.t WHERE a = 1",
        "INSERT INTO d.tea id VALUES 1",
        "SELECT open FROM d.t",
        "SELECT values FROM d.t",
        "SELECT index FROM d.t",
        "REPLACE INTO d.t (a) VALUES (1)",
        "MERGE INTO d.t USING d.u ON a = b",
        "SELECT a FROM d.t WHERE a = ?",
        "SELECT 0x10",
        "SELECT a::int FROM d.t",
        "SELECT ['a'] AS x",
        "SELECT id FROM d.dog WHERE name = ['Rex']",
        "SELECT limit FROM d.dog",
        "SELECT id FROM d.dog WHERE name LIKE 'a!%' ESCAPE id",
        "SELECT id FROM d.dog WHERE name GLOB 'a' ESCAPE '!'",
        "SELECT TRIM(LEADING 'x' FROM name) FROM d.dog",
        "SELECT TRIM('x' FROM) FROM d.dog",
    ] {
        excerpt_of(sql);
    }
}

#[test]
fn other_statements_are_known_by_their_first_word() {
    for (sql, word) in [
        ("CREATE TABLE d.other (id INT)", "create"),
        ("DROP TABLE d.t", "drop"),
        ("ALTER TABLE d.t ADD COLUMN x INT", "alter"),
        ("TRUNCATE TABLE d.t", "truncate"),
        ("CREATE DATABASE x", "create"),
        ("SHOW TABLES", "show"),
        ("USE x", "use"),
        ("BEGIN TRANSACTION", "begin"),
        ("EXPLAIN SELECT 1", "explain"),
        ("WITH t AS (SELECT 1) SELECT * FROM t", "with"),
        ("PRINT 1, 'two'", "print"),
        ("print SELECT 1", "print"),
        ("ASSERT 1", "assert"),
        ("HELP", "help"),
        ("HELP 'select'", "help"),
        ("DECLARE @x INT", "declare"),
        ("DECLARE @x AS VARCHAR(3) = 'a', @y INT = 1 + 1", "declare"),
        ("IF 1=1 SELECT 1", "if"),
        ("IF a = @['x'] PRINT 1 ELSE SELECT CASE WHEN 1 THEN 2 ELSE 3 END AS a", "if"),
        ("WHILE 1=1 SELECT @['x'] AS a", "while"),
        ("BREAK;", "break"),
    ] {
        assert_eq!(parse(sql), Ok(Statement::Other(word.to_owned())), "{sql}");
    }
}

#[test]
fn other_statements_have_forms_too() {
    for sql in [
        "PRINT",
        "PRINT 1,",
        "PRINT SELECT",
        "ASSERT",
        "HELP 1 2",
        "BREAK 1",
        "DECLARE @ INT",
        "DECLARE @x",
        "DECLARE @x INT =",
        "IF SELECT 1",
        "IF 1=1 SELEC 1",
        "IF 1 SELECT 1 ELSE x",
        "WHILE 1 1",
        "WHILE 1 SELECT 1 ELSE SELECT 2",
    ] {
        excerpt_of(sql);
    }
    excerpt_of(&"IF 1 ".repeat(20_000));
    excerpt_of(&"WHILE (".repeat(20_000));
}

#[test]
fn of_several_statements_the_first_counts() {
    assert_eq!(parse("SELECT 1 AS a; SELECT 2 AS b"), parse("SELECT 1 AS a;"));
    excerpt_of("SELECT 1; SELEC 2");
}

#[test]
fn endless_texts_end() {
    let long = format!("SELECT 1 WHERE {}1", "1 = 1 AND ".repeat(1500));
    assert!(parse(&long).is_ok());
    excerpt_of(&format!("SELECT 1 WHERE {}1 1 1", "1 = 1 AND ".repeat(1900)));
    for open in ["(", "NOT ", "- ", "ABS(", "{a: ", "@[", "CASE WHEN ", "[", "SELECT (", "1 + (", "IF(1, "] {
        excerpt_of(&format!("SELECT {}", open.repeat(20_000)));
    }
    excerpt_of(&format!("SELECT {}1", "1 + ".repeat(100_000)));
    let list = vec!["1"; 100_000].join(",");
    assert!(parse(&format!("SELECT 1 WHERE 1 IN ({list})")).is_ok());
}
