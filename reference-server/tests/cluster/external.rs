//! Nodes that work with a NATS server which is not theirs (`REPLICATION_NATS_URL`).

use crate::node::{Node, converge, eventually, flowing, nats_is_there, nats_server, rows};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A NATS server as an operator would run it, with the limits it has by itself.
struct External {
    folder: TempDir,
    address: SocketAddr,
    child: Option<Child>,
}

/// What a URL cannot hold as it is.
const PASSWORD: &str = "p@ss/w:rd";

impl External {
    async fn start() -> External {
        let address = "127.0.0.1:0".parse().unwrap();
        let mut external = External { folder: tempfile::tempdir().unwrap(), address, child: None };
        external.start_again().await;
        external
    }

    /// Starts it on its data, on the port it had.
    async fn start_again(&mut self) {
        let port = match self.address.port() {
            0 => "-1".to_owned(),
            port => port.to_string(),
        };
        let folder = self.folder.path();
        let mut command = Command::new(nats_server().unwrap());
        command.args(["-a", "127.0.0.1", "-p", &port, "--user", "cluster", "--pass", PASSWORD, "-js"]);
        command.arg("-sd").arg(folder).arg("--ports_file_dir").arg(folder);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ports = folder.join(format!("nats-server_{}.ports", child.id()));
        self.child = Some(child);
        let read = || -> Option<SocketAddr> {
            let ports: Value = serde_json::from_slice(&std::fs::read(&ports).ok()?).ok()?;
            ports["nats"][0].as_str()?.strip_prefix("nats://")?.parse().ok()
        };
        eventually("the NATS server runs", async || read().is_some()).await;
        self.address = read().unwrap();
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn url(&self) -> String {
        format!("nats://cluster:p%40ss%2Fw%3Ard@{}", self.address)
    }

    async fn node(&self, name: &str) -> Node {
        Node::start(name, &[("REPLICATION_NATS_URL", &self.url())]).await
    }
}

impl Drop for External {
    fn drop(&mut self) {
        self.kill();
    }
}

fn has_no_child(node: &Node) -> bool {
    !node.folder().join("clustering").exists()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_may_share_a_nats_server() {
    if !nats_is_there() {
        return;
    }
    let mut external = External::start().await;
    let mut nodes = [external.node("node-1").await, external.node("node-2").await];
    nodes[0].join(&nodes[1]).await;
    let mut count = flowing(&[&nodes[0], &nodes[1]], "t").await;
    // More than a message may hold there.
    nodes[1].upsert("t", json!([{"id": "large", "text": "x".repeat(3 << 20)}])).await;
    count += 1;
    converge(&[&nodes[0], &nodes[1]], "t", count).await;
    nodes[1].stop();
    nodes[0].upsert("t", json!([{"id": "missed"}])).await;
    nodes[1].start_again();
    nodes[1].upsert("t", json!([{"id": "again"}])).await;
    count += 2;
    converge(&[&nodes[0], &nodes[1]], "t", count).await;
    // Writes are answered while it is down, and told when it is back.
    external.kill();
    nodes[0].upsert("t", json!([{"id": "alone"}])).await;
    for node in &nodes {
        eventually("the log says so", async || node.logged("nothing is told to other nodes") == 1).await;
        let log = std::fs::read_to_string(node.folder().join("log/hdb.log")).unwrap();
        assert!(log.contains(&format!("REPLICATION_NATS_URL at {}", external.address)), "{log}");
        assert!(!log.contains(PASSWORD) && !log.contains("p%40ss"), "{log}");
    }
    external.start_again().await;
    converge(&[&nodes[0], &nodes[1]], "t", count + 1).await;
    let dropped = json!({"operation": "drop_table", "database": "data", "table": "t", "replicated": true});
    let answer = nodes[0].ask(dropped).await;
    assert_eq!(answer["replicated"][0]["node"], "node-2", "{answer}");
    assert!(answer["replicated"][0]["message"].is_string(), "{answer}");
    assert!(nodes.iter().all(has_no_child));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_a_nats_server_from_outside_gets_on_with_others() {
    if !nats_is_there() {
        return;
    }
    let (one, other) = (External::start().await, External::start().await);
    let nodes = [one.node("node-1").await, other.node("node-2").await, Node::start("node-3", &[]).await];
    nodes[0].join(&nodes[1]).await;
    nodes[0].join(&nodes[2]).await;
    let all: Vec<&Node> = nodes.iter().collect();
    flowing(&all, "t").await;
    assert!(has_no_child(&nodes[0]) && has_no_child(&nodes[1]) && nodes[2].nats_pid().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_nats_server_no_node_is_added() {
    if !nats_is_there() {
        return;
    }
    let external = External::start().await;
    let wrong = external.url().replace("p%40ss", "wrong");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, reason) in [
        (format!("nats://{nobody}"), "REPLICATION_NATS_URL"),
        (wrong, "authorization violation"),
        (format!("tls://{}", external.address), "REPLICATION_NATS_URL is no nats:// URL"),
    ] {
        let nodes = [
            Node::start("node-1", &[("REPLICATION_NATS_URL", &url)]).await,
            Node::start("node-2", &[]).await,
        ];
        for (here, there) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
            let (status, answer) = here.try_ask(there.invitation("password")).await.unwrap_err();
            let text = answer["error"].as_str().unwrap_or_default().to_owned();
            assert!(status >= 500 && text.contains(&format!("Could not add '{}'", there.name)), "{answer}");
            assert!(text.contains(reason) && !text.contains("wrong"), "{answer}");
            assert_eq!((rows(here).await, rows(there).await), (json!([]), json!([])));
        }
    }
}
