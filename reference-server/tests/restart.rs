//! Restarts: of the program under load, of an embedded instance, and those that cannot be done.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use reference_server::TestServer;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The program itself, with a throw-away instance.
struct Program {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    url: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .arg("--ephemeral")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = Program::url_of(&mut lines);
        Program { child, lines, url }
    }

    fn url_of(lines: &mut std::io::Lines<BufReader<std::process::ChildStdout>>) -> String {
        let line = lines.next().expect("a line").unwrap();
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        url.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned()
    }

    /// Waits until the next program serves.
    fn wait_for_the_next(&mut self) -> String {
        Program::url_of(&mut self.lines)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        // Asked, not killed: it removes its folder.
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    // Nothing here speaks TLS, but the client wants to know how it would.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap()
}

async fn ask(client: &reqwest::Client, url: &str, body: Value) -> Result<Value, reqwest::Error> {
    let response = client.post(url).basic_auth("admin", Some("password")).json(&body).send().await?;
    response.error_for_status()?.json().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_fails_no_request() {
    let mut program = Program::start(&[]);
    let (client, url) = (client(), program.url.clone());
    let pid = program.child.id();
    create_table(&client, &url).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            // Half of them keep their connections, half use a new one each time.
            let client = if writer % 2 == 0 {
                client.clone()
            } else {
                reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
            };
            let (url, stop) = (url.clone(), stop.clone());
            tokio::spawn(async move {
                let mut written = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let id = format!("{writer}-{}", written.len());
                    let records = json!([{"id": id}]);
                    let request =
                        json!({"operation": "insert", "database": "d", "table": "t", "records": records});
                    let answer = ask(&client, &url, request).await;
                    let answer = answer.unwrap_or_else(|error| panic!("{id} failed: {error:?}"));
                    assert_eq!(answer["inserted_hashes"], json!([id]));
                    written.push(id);
                }
                written
            })
        })
        .collect();
    for round in 0..4 {
        let before = records(&client, &url).await;
        let (request, message) = match round % 2 {
            0 => (json!({"operation": "restart"}), "Restarting HarperDB. This may take up to 60 seconds."),
            _ => (
                json!({"operation": "restart_service", "service": "http_workers"}),
                "Restarting http_workers",
            ),
        };
        let answer = ask(&client, &url, request).await.unwrap();
        assert_eq!(answer["message"], message);
        assert_eq!(program.wait_for_the_next(), url, "the address stays");
        if let Some(job) = answer.get("job_id") {
            let request = json!({"operation": "search_by_id", "database": "system", "table": "hdb_job", "ids": [job], "get_attributes": ["*"]});
            let record = ask(&client, &url, request).await.unwrap();
            assert_eq!(record[0]["status"], "COMPLETE", "{record}");
        }
        // The load goes on with the next program.
        while records(&client, &url).await <= before {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap().len();
    }
    assert_eq!(records(&client, &url).await, written, "every acknowledged record is there");
    assert_eq!(program.child.id(), pid);
    assert!(program.child.try_wait().unwrap().is_none(), "it is the same process");
}

async fn create_table(client: &reqwest::Client, url: &str) {
    let request = json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id"});
    ask(client, url, request).await.unwrap();
}

async fn records(client: &reqwest::Client, url: &str) -> usize {
    let request = json!({"operation": "search_by_value", "database": "d", "table": "t", "search_attribute": "id", "search_value": "*", "get_attributes": ["id"]});
    ask(client, url, request).await.unwrap().as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_count_after_the_restart_and_variables_win() {
    let mut program = Program::start(&["--LOGGING_LEVEL", "info"]);
    let (client, url) = (client(), program.url.clone());
    let set = json!({"operation": "set_configuration", "logging_level": "error", "logging_auditRetention": "9d", "authentication_authorizeLocal": true});
    ask(&client, &url, set).await.unwrap();
    let nobody = |client: reqwest::Client, url: String| async move {
        client.post(url).json(&json!({"operation": "describe_all"})).send().await.unwrap().status().as_u16()
    };
    assert_eq!(nobody(client.clone(), url.clone()).await, 401, "not in force yet");
    let shown = ask(&client, &url, json!({"operation": "get_configuration"})).await.unwrap();
    assert_eq!(shown["logging"]["level"], "error");
    ask(&client, &url, json!({"operation": "restart"})).await.unwrap();
    program.wait_for_the_next();
    let shown = ask(&client, &url, json!({"operation": "get_configuration"})).await.unwrap();
    assert_eq!(
        (&shown["logging"]["level"], &shown["logging"]["auditRetention"]),
        (&json!("info"), &json!("9d"))
    );
    assert_eq!(nobody(client.clone(), url.clone()).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_program_may_listen_elsewhere() {
    let mut program = Program::start(&[]);
    let (client, url) = (client(), program.url.clone());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    ask(&client, &url, json!({"operation": "set_configuration", "operationsApi_network_port": port}))
        .await
        .unwrap();
    // The port is taken: this one stays, and says so in the job.
    let answer =
        ask(&client, &url, json!({"operation": "restart_service", "service": "http"})).await.unwrap();
    let job = json!({"operation": "search_by_id", "database": "system", "table": "hdb_job", "ids": [answer["job_id"]], "get_attributes": ["*"]});
    loop {
        let record = ask(&client, &url, job.clone()).await.unwrap();
        if record[0]["status"] == "ERROR" {
            break;
        }
        assert_eq!(record[0]["status"], "IN_PROGRESS");
        tokio::task::yield_now().await;
    }
    drop(free);
    ask(&client, &url, json!({"operation": "restart"})).await.unwrap();
    let next = program.wait_for_the_next();
    assert_eq!(next, format!("http://127.0.0.1:{port}"));
    ask(&client, &next, json!({"operation": "describe_all"})).await.unwrap();
    let refused = ask(&client, &url, json!({"operation": "describe_all"})).await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_instance_restarts_within_its_process() {
    let server = TestServer::start().await.unwrap();
    let (client, url) = (client(), server.url());
    create_table(&client, &url).await;
    let insert = json!({"operation": "insert", "database": "d", "table": "t", "records": [{"id": "kept"}]});
    ask(&client, &url, insert).await.unwrap();
    ask(&client, &url, json!({"operation": "set_status", "status": "moored"})).await.unwrap();
    let set = json!({"operation": "set_configuration", "componentsRoot": server.root().join("elsewhere")});
    ask(&client, &url, set).await.unwrap();
    ask(&client, &url, json!({"operation": "restart"})).await.unwrap();
    // Whoever comes meanwhile waits for the next instance, where status values are gone.
    loop {
        let status = ask(&client, &url, json!({"operation": "get_status"})).await.unwrap();
        if status == json!([]) {
            break;
        }
    }
    assert_eq!(records(&client, &url).await, 1);
}
