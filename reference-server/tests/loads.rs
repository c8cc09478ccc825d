//! Loads that are cut short: the server is killed in the middle of one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program itself, with data that outlives it.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(root: &Path) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .env("ROOTPATH", root)
            .env("HDB_ADMIN_USERNAME", "admin")
            .env("HDB_ADMIN_PASSWORD", "password")
            .env("OPERATIONSAPI_NETWORK_HOST", "127.0.0.1")
            .env("OPERATIONSAPI_NETWORK_PORT", "0")
            .env("OPERATIONSAPI_NETWORK_DOMAINSOCKET", "null")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address");
        Program { url: url.to_owned(), child }
    }

    /// Ends it without a chance to do anything.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    // Nothing here speaks TLS, but the client wants to know how it would.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap()
}

async fn ask(client: &reqwest::Client, url: &str, body: Value) -> Value {
    let response = client.post(url).basic_auth("admin", Some("password")).json(&body).send().await.unwrap();
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_load_leaves_whole_rows_and_a_job_that_says_so() {
    const ROWS: usize = 400_000;
    let root = tempfile::tempdir().unwrap();
    let csv = root.path().join("rows.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    writeln!(file, "id,a,b").unwrap();
    for row in 0..ROWS {
        writeln!(file, "{row},first {row},second {row}").unwrap();
    }
    file.into_inner().unwrap();
    let client = client();
    let program = Program::start(root.path());
    let url = program.url.clone();
    for table in ["t", "other"] {
        let made = json!({"operation": "create_table", "database": "d", "table": table, "primary_key": "id"});
        ask(&client, &url, made).await;
    }
    let load = json!({"operation": "csv_file_load", "database": "d", "table": "t", "file_path": csv});
    let job = ask(&client, &url, load).await["job_id"].as_str().unwrap().to_owned();
    // Writes of others go on meanwhile, and count when they are acknowledged.
    let mut acknowledged = 0;
    loop {
        let insert = json!({"operation": "insert", "database": "d", "table": "other", "records": [{"id": acknowledged}]});
        assert_eq!(ask(&client, &url, insert).await["message"], "inserted 1 of 1 records");
        acknowledged += 1;
        let table =
            ask(&client, &url, json!({"operation": "describe_table", "database": "d", "table": "t"})).await;
        if table["record_count"].as_u64().unwrap() > 0 {
            break;
        }
    }
    let seen = ask(&client, &url, json!({"operation": "get_job", "id": job})).await;
    assert_eq!(seen[0]["status"], "IN_PROGRESS", "the load was over too soon: {seen}");
    program.kill();

    let program = Program::start(root.path());
    let url = program.url.clone();
    let job = ask(&client, &url, json!({"operation": "get_job", "id": job})).await;
    assert_eq!(job[0]["status"], "ERROR");
    assert!(job[0]["message"].as_str().unwrap().contains("stopped before this job had ended"), "{job}");
    let other =
        ask(&client, &url, json!({"operation": "describe_table", "database": "d", "table": "other"})).await;
    assert!(other["record_count"].as_u64().unwrap() >= acknowledged);
    let table =
        ask(&client, &url, json!({"operation": "describe_table", "database": "d", "table": "t"})).await;
    let count = table["record_count"].as_u64().unwrap() as usize;
    assert!(count > 0 && count < ROWS, "{count}");
    // The rows that are there are the first ones, each of them whole.
    let last = json!({"operation": "search_by_id", "database": "d", "table": "t",
        "ids": [0, count - 1, count], "get_attributes": ["id", "a", "b"]});
    assert_eq!(
        ask(&client, &url, last).await,
        json!([{"id": 0, "a": "first 0", "b": "second 0"},
            {"id": count - 1, "a": format!("first {}", count - 1), "b": format!("second {}", count - 1)}])
    );
}
