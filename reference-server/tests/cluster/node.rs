//! One node of a cluster under test.

use crate::proxy::{Link, Proxy};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Until when the link to a node that does not answer counts as down: `connected: false`.
pub const DETECTION: Duration = Duration::from_secs(10);
/// How long nats-server may outlive a server that was killed.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks.
const GLANCE: Duration = Duration::from_millis(25);

/// Whether the tests can run; says so where they cannot.
pub fn nats_is_there() -> bool {
    let is_there = nats_server().is_some();
    if !is_there {
        assert!(std::env::var_os("REQUIRE_NATS").is_none(), "nats-server is missing and REQUIRE_NATS is set");
        eprintln!("skipped: nats-server is missing");
    }
    is_there
}

/// The program of NATS servers.
pub fn nats_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.find_map(|place| Some(place.join("nats-server")).filter(|program| program.is_file()))
}

/// The names in a node's `hdb_nodes`.
pub async fn rows(node: &Node) -> Value {
    let all = json!({"operation": "search_by_value", "database": "system", "table": "hdb_nodes", "attribute": "name",
        "value": "*", "get_attributes": ["name"]});
    node.ask(all).await
}

/// How a node is set up for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    /// Without a word of where it is, which it has to guess, and not through the proxy.
    Unplaced,
    /// By TLS only.
    Secure,
    /// As before 4.4: it listens for others only once it has added one.
    Old,
}

/// A node: the program, its folder, and the proxy that others reach it through.
pub struct Node {
    pub name: String,
    pub proxy: Proxy,
    way: Way,
    folder: TempDir,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    url: String,
    port: u16,
    replication: u16,
    client: reqwest::Client,
}

impl Node {
    /// Starts a new node with further settings, in the form of environment variables.
    pub async fn start(name: &str, settings: &[(&str, &str)]) -> Node {
        let mut node = Node::new(name, Way::Plain, settings).await;
        node.start_again();
        node
    }

    /// Starts a new node that listens at all addresses and was not told where others find it.
    pub async fn start_unplaced(name: &str) -> Node {
        let mut node = Node::new(name, Way::Unplaced, &[("OPERATIONSAPI_NETWORK_HOST", "0.0.0.0")]).await;
        node.start_again();
        node
    }

    /// The same in the form before 4.4.
    pub async fn start_old(name: &str) -> Node {
        let mut node = Node::new(name, Way::Old, &[]).await;
        node.start_again();
        node
    }

    /// Starts a new node that talks to others by TLS only, and not through the proxy, which could not tell them apart.
    /// It logs why it has no connection.
    pub async fn start_secure(name: &str) -> Node {
        let mut node = Node::secure(name, &[]).await;
        node.start_again();
        node
    }

    /// The same, with further settings, and before its first start.
    pub async fn secure(name: &str, settings: &[(&str, &str)]) -> Node {
        let mut node = Node::new(name, Way::Secure, settings).await;
        node.set("LOGGING_LEVEL", "debug");
        // A key of a kind that is made at once.
        let keys = node.folder().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        std::fs::write(keys.join("privateKey.pem"), key).unwrap();
        node
    }

    /// Changes a setting from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    async fn new(name: &str, way: Way, settings: &[(&str, &str)]) -> Node {
        // Nothing here speaks TLS, but the client wants to know how it would.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Node {
            name: name.to_owned(),
            way,
            proxy: Proxy::start().await,
            folder: tempfile::tempdir().unwrap(),
            settings,
            child: None,
            url: String::new(),
            port: 0,
            replication: 0,
            client: reqwest::Client::builder().timeout(Duration::from_secs(130)).build().unwrap(),
        }
    }

    /// Starts the program on the data that is there, on the same ports.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none());
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-server"));
        command
            .env("ROOTPATH", self.folder.path())
            .env("HDB_ADMIN_USERNAME", "admin")
            .env("HDB_ADMIN_PASSWORD", "password")
            .env("OPERATIONSAPI_NETWORK_HOST", "127.0.0.1")
            .env("OPERATIONSAPI_NETWORK_PORT", self.port.to_string())
            .envs(self.settings.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::piped());
        let port = self.replication.to_string();
        match self.way {
            Way::Plain => command
                .env("REPLICATION_HOSTNAME", &self.name)
                .env("REPLICATION_PORT", port)
                .env("REPLICATION_URL", format!("ws://{}", self.proxy.address)),
            Way::Unplaced => command.env("REPLICATION_HOSTNAME", &self.name).env("REPLICATION_PORT", port),
            Way::Secure => {
                command.env("REPLICATION_HOSTNAME", &self.name).env("REPLICATION_SECUREPORT", port)
            }
            Way::Old => command
                .env("CLUSTERING_ENABLED", "true")
                .env("CLUSTERING_NODENAME", &self.name)
                .env("REPLICATION_SECUREPORT", "null"),
        };
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = |scheme: &str| {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(scheme));
            let word = word.unwrap_or_else(|| panic!("no {scheme} in {line:?}"));
            word.parse::<SocketAddr>().unwrap()
        };
        let plain = address("http://");
        self.url = format!("http://{plain}");
        self.port = plain.port();
        let scheme = match self.way {
            Way::Plain | Way::Unplaced => Some("ws://"),
            Way::Secure => Some("wss://"),
            Way::Old => None,
        };
        if let Some(scheme) = scheme {
            let replication = address(scheme);
            self.replication = replication.port();
            self.proxy.lead_to(replication);
        }
        self.child = Some(child);
    }

    /// Its root folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The process id of its nats-server; `None` when there is only that of an earlier one.
    pub fn nats_pid(&self) -> Option<u32> {
        let file = self.folder().join("clustering/nats-server.pid");
        let pid = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
        self.child.as_ref().is_none_or(|child| parent_of(pid) == Some(child.id())).then_some(pid)
    }

    /// How often it has logged something. `LOGGING_LEVEL` says what it logs.
    pub fn logged(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(self.folder().join("log/hdb.log")).unwrap_or_default();
        log.matches(text).count()
    }

    /// Where its nats-server listens.
    pub fn nats_address(&self) -> String {
        let folder = self.folder().join("clustering");
        let name = format!("nats-server_{}.ports", self.nats_pid().unwrap());
        let ports: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        ports["nats"][0].as_str().unwrap().to_owned()
    }

    /// Asks the program to end and waits for it.
    pub fn stop(&mut self) {
        let nats = self.nats_pid();
        if let Some(mut child) = self.child.take() {
            signal("TERM", child.id());
            child.wait().unwrap();
        }
        assert!(nats.is_none_or(|pid| !runs(pid)), "nats-server outlives its server");
    }

    /// Kills the program.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks for an operation; fails with the status and the answer.
    pub async fn try_ask(&self, body: Value) -> Result<Value, (u16, Value)> {
        let request = self.client.post(&self.url).basic_auth("admin", Some("password")).json(&body);
        let response = request.send().await.map_err(|error| (0, json!(error.to_string())))?;
        let status = response.status();
        let answer = response.json().await.unwrap_or(Value::Null);
        if status.is_success() { Ok(answer) } else { Err((status.as_u16(), answer)) }
    }

    /// Asks for an operation that must succeed.
    pub async fn ask(&self, body: Value) -> Value {
        let asked = body.to_string();
        let name = &self.name;
        self.try_ask(body)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?} to {}", &asked[..asked.len().min(300)]))
    }

    /// Makes this node and another members of one cluster.
    pub async fn join(&self, other: &Node) {
        self.add(other, json!({})).await;
    }

    /// Makes another node known to this one, on the terms of further fields of add_node.
    pub async fn add(&self, other: &Node, terms: Value) -> Value {
        let mut request = other.invitation("password");
        for (name, value) in terms.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.ask(request).await
    }

    /// The request that makes another node and this one members of one cluster.
    pub fn invitation(&self, password: &str) -> Value {
        json!({"operation": "add_node", "hostname": self.name, "url": self.replication_url(), "verify_tls": false,
            "authorization": {"username": "admin", "password": password}})
    }

    /// Where other nodes reach it.
    pub fn replication_url(&self) -> String {
        match self.way {
            Way::Secure => format!("wss://127.0.0.1:{}", self.replication),
            Way::Unplaced => format!("ws://127.0.0.1:{}", self.replication),
            _ => format!("ws://{}", self.proxy.address),
        }
    }

    /// Where the node is talked to by others, without the proxy.
    pub fn front(&self) -> String {
        format!("http://127.0.0.1:{}", self.replication)
    }

    pub async fn create_table(&self, table: &str) {
        self.ask(
            json!({"operation": "create_table", "database": "data", "table": table, "primary_key": "id"}),
        )
        .await;
    }

    pub async fn upsert(&self, table: &str, records: Value) -> Value {
        self.ask(json!({"operation": "upsert", "database": "data", "table": table, "records": records})).await
    }

    /// All records of a table, in the order of their keys; nothing when there is no such table.
    pub async fn records(&self, table: &str) -> Vec<Value> {
        let request = json!({"operation": "search_by_value", "database": "data", "table": table, "attribute": "id", "value": "*", "get_attributes": ["*"]});
        let mut records = match self.try_ask(request).await {
            Ok(Value::Array(records)) => records,
            _ => Vec::new(),
        };
        records.sort_by_key(|record| record["id"].to_string());
        records
    }

    /// How many records a table has.
    pub async fn count(&self, table: &str) -> usize {
        let request = json!({"operation": "search_by_value", "database": "data", "table": table, "attribute": "id", "value": "*", "get_attributes": ["id"]});
        self.try_ask(request).await.ok().and_then(|answer| Some(answer.as_array()?.len())).unwrap_or(0)
    }

    /// How many entries the history of a table has.
    pub async fn entries(&self, table: &str) -> usize {
        let request = json!({"operation": "read_audit_log", "database": "data", "table": table});
        self.ask(request).await.as_array().map_or(0, Vec::len)
    }

    /// What cluster_status says of the connection to a node for a database.
    pub async fn socket(&self, node: &str, database: &str) -> Option<Value> {
        let status = self.ask(json!({"operation": "cluster_status"})).await;
        let connection = status["connections"].as_array()?.iter().find(|one| one["name"] == node)?.clone();
        connection["database_sockets"].as_array()?.iter().find(|one| one["database"] == database).cloned()
    }

    /// Whether the node reads from another.
    pub async fn is_connected(&self, other: &Node, database: &str) -> bool {
        self.socket(&other.name, database).await.is_some_and(|socket| socket["connected"] == true)
    }

    /// Tells the node the ways to others, which it takes from its next start on.
    pub async fn set_routes(&self, routes: Value) {
        let answer = self.ask(json!({"operation": "cluster_set_routes", "routes": routes})).await;
        assert_eq!(answer["set"], routes, "{answer}");
    }

    /// The way to this node for others.
    pub fn route(&self) -> Value {
        json!({"hostname": self.name, "url": self.replication_url()})
    }

    /// Ends the program and starts it again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Changes the link from this node to another.
    pub fn link_to(&self, other: &Node, link: Link) {
        other.proxy.set(&self.name, link);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        // However often it was killed, and at whatever moment.
        let deadline = Instant::now() + ORPHAN_PATIENCE;
        let mut left = using(self.folder());
        while !left.is_empty() && Instant::now() < deadline {
            std::thread::sleep(GLANCE);
            left = using(self.folder());
        }
        left.iter().for_each(|pid| signal("KILL", *pid));
        if !std::thread::panicking() {
            assert!(left.is_empty(), "{}: nats-server outlives its server: {left:?}", self.name);
        }
    }
}

/// The processes that were started with something in a folder, and have not ended.
fn using(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    let folder = folder.to_string_lossy().into_owned();
    // A process that has ended has no arguments, even when nobody has asked for its status.
    ids.filter(|id| {
        let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&folder)
    })
    .collect()
}

/// Changes the links between two nodes, both ways.
pub fn link(a: &Node, b: &Node, link: Link) {
    a.link_to(b, link);
    b.link_to(a, link);
}

/// Starts nodes named `node-1`, … that are all members of one cluster.
pub async fn cluster(count: usize, settings: &[(&str, &str)]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for number in 1..=count {
        nodes.push(Node::start(&format!("node-{number}"), settings).await);
    }
    for node in nodes.iter().skip(1) {
        nodes[0].join(node).await;
    }
    for (one, other) in pairs(&nodes) {
        eventually("all are connected", async || {
            one.socket(&other.name, "system").await.is_some_and(|socket| socket["connected"] == true)
        })
        .await;
    }
    nodes
}

/// Makes a table on the first node, and waits until all have it and read from each other.
pub async fn share_table(nodes: &[Node], table: &str) {
    nodes[0].create_table(table).await;
    for one in nodes {
        eventually("the table is there", async || {
            let request = json!({"operation": "describe_table", "database": "data", "table": table});
            one.try_ask(request).await.is_ok()
        })
        .await;
    }
    for (one, other) in pairs(nodes) {
        eventually("the database flows", async || {
            one.socket(&other.name, "data").await.is_some_and(|socket| socket["connected"] == true)
        })
        .await;
    }
}

/// Every node with every other.
fn pairs(nodes: &[Node]) -> impl Iterator<Item = (&Node, &Node)> {
    nodes.iter().flat_map(|one| nodes.iter().map(move |other| (one, other))).filter(|(a, b)| a.name != b.name)
}

/// Makes a table that all nodes know, and waits until what each writes comes to the others one by one, and no more in
/// copies. Returns how many records that left.
pub async fn flowing(nodes: &[&Node], table: &str) -> usize {
    nodes[0].create_table(table).await;
    let written = AtomicUsize::new(0);
    for writer in nodes {
        eventually("what is written flows", async || {
            // A new record each time: of what comes in a copy the history tells nothing.
            let id = format!("mark {} of {}", written.load(Ordering::Relaxed), writer.name);
            let request =
                json!({"operation": "upsert", "database": "data", "table": table, "records": [{"id": id}]});
            if writer.try_ask(request).await.is_err() {
                return false;
            }
            let count = written.fetch_add(1, Ordering::Relaxed) + 1;
            converge(nodes, table, count).await;
            let request = json!({"operation": "read_audit_log", "database": "data", "table": table,
                "search_type": "hash_value", "search_values": [id]});
            let mut flows = true;
            for node in nodes {
                let answer = node.ask(request.clone()).await;
                flows &= answer[&id].as_array().is_some_and(|entries| !entries.is_empty());
            }
            flows
        })
        .await;
    }
    written.into_inner()
}

/// Waits until something holds.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    within(PATIENCE, what, holds).await;
}

/// Waits until something holds, no longer than given.
pub async fn within(patience: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// Waits until all nodes have the same records in a table, so many of them.
pub async fn converge(nodes: &[&Node], table: &str, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut counts = Vec::new();
        for node in nodes {
            counts.push(node.count(table).await);
        }
        if counts.iter().all(|one| *one == count) {
            let first = nodes[0].records(table).await;
            let mut same = true;
            for node in &nodes[1..] {
                same &= node.records(table).await == first;
            }
            if same {
                return;
            }
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {count} records, but {counts:?}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// Sends a signal to a process.
pub fn signal(name: &str, pid: u32) {
    Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
}

/// Whether a process runs.
pub fn runs(pid: u32) -> bool {
    stat(pid, 0).is_some_and(|state| state != "Z")
}

fn parent_of(pid: u32) -> Option<u32> {
    stat(pid, 1)?.parse().ok()
}

/// What the system tells of a process, behind its name.
fn stat(pid: u32, field: usize) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    line.rsplit(')').next()?.split_whitespace().nth(field).map(str::to_owned)
}

/// The resident memory of a process, in bytes.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1024
}
