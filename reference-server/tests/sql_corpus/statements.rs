//! Whole statements, asked of an instance that holds the recorded tables.

use super::values_near;
use reference_server::access::Caller;
use reference_server::config::Config;
use reference_server::operations::{Reply, ReplyForm, RowContent};
use reference_server::server::Server;
use reference_server::value::{Value, object, parse_json};
use std::sync::Arc;

/// The columns of the recorded tables, in the order in which rows are recorded after a write.
const COLUMNS: [&str; 11] = ["id", "n", "m", "s", "t", "b", "x", "dt", "doc", "g", "fresh"];

/// A recorded statement.
pub struct Statement {
    /// The family it was made for.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// Whether the order of the rows counts.
    ordered: bool,
    /// The database whose table `p` it changes.
    writes: Option<String>,
    /// What came of it.
    pub recorded: Rows,
}

/// Rows, or the text of a failure.
#[derive(Debug)]
pub enum Rows {
    Some(Vec<Vec<Value>>),
    Failure(String),
}

/// A kind of statement with another answer.
pub struct Deviation {
    /// Why.
    pub reason: &'static str,
    /// Whether it covers a statement, given this program's answer.
    pub covers: fn(&Statement, &Rows) -> bool,
}

/// An instance that holds the recorded tables.
pub struct Instance {
    server: Arc<Server>,
    tables: Vec<Value>,
    _folder: tempfile::TempDir,
}

impl Instance {
    /// Starts one.
    pub async fn with_tables(tables: &[Value]) -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::open(Config::ephemeral(folder.path())).await.unwrap();
        let instance = Instance { server, tables: tables.to_vec(), _folder: folder };
        for set in tables {
            for table in ["p", "q"] {
                let request = object([
                    ("operation", Value::from("create_table")),
                    ("database", set.get("database").unwrap().clone()),
                    ("table", Value::from(table)),
                    ("primary_key", Value::from("id")),
                ]);
                instance.ask(request).await.unwrap();
                instance.fill(set, table).await;
            }
        }
        instance
    }

    async fn fill(&self, set: &Value, table: &str) {
        let request = object([
            ("operation", Value::from("insert")),
            ("database", set.get("database").unwrap().clone()),
            ("table", Value::from(table)),
            ("records", set.get(table).unwrap().clone()),
        ]);
        self.ask(request).await.unwrap();
    }

    async fn ask(&self, request: Value) -> Result<Vec<Value>, String> {
        let caller = Caller::of(self.server.access.user("admin"));
        match self.server.answer(caller, request, ReplyForm::Tree).await {
            Ok(Reply::Rows(rows)) => match rows.content {
                RowContent::Tree(rows) => Ok(rows),
                RowContent::Text(text) => match parse_json(&text) {
                    Ok(Value::Array(rows)) => Ok(rows),
                    _ => Err("rows that are none".to_owned()),
                },
            },
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error.to_value().to_json()),
        }
    }

    /// The rows of a statement.
    pub async fn sql(&self, text: &str) -> Result<Vec<Value>, String> {
        self.ask(object([("operation", Value::from("sql")), ("sql", Value::from(text))])).await
    }

    async fn answer(&self, statement: &Statement) -> Rows {
        let Some(database) = &statement.writes else {
            let names: Vec<String> = (0..9).map(|at| format!("v{at}")).collect();
            return match self.sql(&statement.text).await {
                Ok(rows) => Rows::Some(rows.iter().map(|row| cells(row, &names)).collect()),
                Err(error) => Rows::Failure(error),
            };
        };
        let result = self.sql(&statement.text).await;
        let names = COLUMNS.map(str::to_owned);
        let rows = self.sql(&format!("SELECT * FROM {database}.p ORDER BY id")).await.unwrap();
        let rows = rows.iter().map(|row| cells(row, &names)).collect();
        self.sql(&format!("DELETE FROM {database}.p")).await.unwrap();
        let set = self.tables.iter().find(|set| set.get("database").unwrap().as_str() == Some(database));
        self.fill(set.unwrap(), "p").await;
        match result {
            Ok(_) => Rows::Some(rows),
            Err(error) => Rows::Failure(error),
        }
    }
}

fn cells(row: &Value, names: &[String]) -> Vec<Value> {
    names
        .iter()
        .map(|name| match row.get(name) {
            Some(Value::Number(number)) if !number.is_finite() => Value::Null,
            Some(value) => value.clone(),
            None => Value::Null,
        })
        .collect()
}

fn read() -> (Vec<Value>, Vec<Statement>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql_corpus/statements.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().skip(1).map(|line| parse_json(line.as_bytes()).unwrap());
    let tables = lines.next().unwrap().get("tables").unwrap().as_array().unwrap().to_vec();
    let string = |line: &Value, name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
    let statements = lines.map(|line| Statement {
        kind: string(&line, "k").unwrap(),
        text: string(&line, "q").unwrap(),
        ordered: line.get("o").is_some(),
        writes: string(&line, "w"),
        recorded: match line.get("r").and_then(Value::as_array) {
            Some(rows) => Rows::Some(rows.iter().map(|row| row.as_array().unwrap().to_vec()).collect()),
            None => Rows::Failure(string(&line, "e").unwrap()),
        },
    });
    (tables, statements.collect())
}

/// Whether both are the same rows, in the same order where that counts.
fn same(statement: &Statement, ours: &Rows) -> bool {
    let (Rows::Some(recorded), Rows::Some(ours)) = (&statement.recorded, ours) else {
        return matches!((&statement.recorded, ours), (Rows::Failure(_), Rows::Failure(_)));
    };
    let width = recorded.first().map_or(0, Vec::len);
    let cut = |row: &Vec<Value>| row.iter().take(width).cloned().collect::<Vec<Value>>();
    let (mut recorded, mut ours): (Vec<_>, Vec<_>) =
        (recorded.clone(), ours.iter().map(cut).collect::<Vec<_>>());
    if !statement.ordered {
        recorded.sort_by_cached_key(|row| Value::Array(row.clone()).to_json());
        ours.sort_by_cached_key(|row| Value::Array(row.clone()).to_json());
    }
    recorded.len() == ours.len()
        && recorded
            .iter()
            .zip(&ours)
            .all(|(a, b)| values_near(&Value::Array(a.clone()), &Value::Array(b.clone()), 1e-13))
}

#[tokio::test]
async fn statements_answer_as_recorded() {
    let (tables, statements) = read();
    assert!(statements.len() >= 5000);
    let instance = Instance::with_tables(&tables).await;
    let deviations = super::deviations::STATEMENTS;
    let mut seen = vec![0; deviations.len()];
    let mut found = Vec::new();
    for statement in &statements {
        let ours = instance.answer(statement).await;
        if same(statement, &ours) {
            continue;
        }
        match deviations.iter().position(|deviation| (deviation.covers)(statement, &ours)) {
            Some(at) => seen[at] += 1,
            None => found.push(format!(
                "{} {}\n  recorded {}\n  ours     {}",
                statement.kind,
                statement.text,
                shown(&statement.recorded),
                shown(&ours)
            )),
        }
    }
    for (deviation, count) in deviations.iter().zip(seen) {
        println!("{count:5} {}", deviation.reason);
        if count == 0 {
            found.push(format!("never occurs: {}", deviation.reason));
        }
    }
    if let Ok(path) = std::env::var("SQL_CORPUS_DIFFERENCES") {
        std::fs::write(path, found.join("\n")).unwrap();
    }
    let first: Vec<&str> = found.iter().take(40).map(String::as_str).collect();
    assert!(found.is_empty(), "{} of {} differ:\n{}", found.len(), statements.len(), first.join("\n"));
}

fn shown(rows: &Rows) -> String {
    match rows {
        Rows::Some(rows) => {
            Value::Array(rows.iter().map(|row| Value::Array(row.clone())).collect()).to_json()
        }
        Rows::Failure(error) => format!("failure {error}"),
    }
}
