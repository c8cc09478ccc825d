//! The nodes of a run, the table that its checks write to, and waiting for all of them to agree.

use super::terms::Found;
use crate::farm::Instance;
use crate::laws::{Fault, Refusal, blocked, unsupported};
use crate::runner::Run;
use crate::target::{Exchange, Target};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The table that the checks write to.
pub(super) const TABLE: &str = "shared";
/// How long nodes have to agree.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what must not happen is waited for.
const SILENCE: Duration = Duration::from_secs(2);
/// How long nodes are left alone before they are asked again.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
/// The number of the unit that the names of these checks belong to.
const UNIT: usize = 3_000_000;

/// An endpoint that is a node, or is to become one.
#[derive(Clone)]
pub struct Node {
    /// Its Operations API.
    pub target: Target,
    /// Where other nodes reach it (`wss://host:port`), for add_node; not needed when the nodes know each other.
    pub url: Option<String>,
    /// The server itself, when the run has started it: it may be stopped.
    pub instance: Option<Arc<dyn Instance>>,
}

impl Node {
    /// A node that the run has started.
    pub fn of(instance: Arc<dyn Instance>) -> Node {
        Node { target: instance.target().clone(), url: instance.node_url(), instance: Some(instance) }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Node { target, url, instance } = self;
        let owned = instance.is_some();
        f.debug_struct("Node").field("target", target).field("url", url).field("owned", &owned).finish()
    }
}

/// The nodes of a run.
pub(super) struct Group<'r> {
    pub(super) run: &'r Run,
    pub(super) nodes: Vec<Node>,
    /// What they call themselves.
    pub(super) names: Vec<String>,
    pub(super) database: String,
    /// How they were found.
    pub(super) found: Found,
    /// True once a record had been written to the first node before the others were joined with it.
    pub(super) has_earlier: AtomicBool,
    keys: AtomicUsize,
}

impl<'r> Group<'r> {
    pub(super) fn new(run: &'r Run, nodes: Vec<Node>) -> Group<'r> {
        let database = format!("cluster{}", run.names.suffix(UNIT));
        let (has_earlier, keys) = (AtomicBool::new(false), AtomicUsize::new(0));
        Group { run, nodes, names: Vec::new(), database, found: Found::default(), has_earlier, keys }
    }

    /// Asks the nodes for their names, and makes the table on the first.
    pub(super) async fn prepare(&mut self) -> Result<(), Refusal> {
        for node in &self.nodes {
            let exchange = node.target.operate(&json!({"operation": "cluster_status"})).await;
            match exchange.answer {
                Some(answer) if answer.status == 200 => {
                    let name = answer.body["node_name"].as_str();
                    let name = name.ok_or_else(|| blocked("cluster_status names no node_name"))?;
                    self.names.push(name.to_owned());
                }
                Some(answer) if answer.declines("cluster_status") => {
                    return Err(unsupported("a node does not offer 'cluster_status'"));
                }
                _ => return Err(blocked(format!("{} does not tell its status", node.target.address()))),
            }
        }
        self.found = self.look_around().await;
        self.make_table(0, &self.database, TABLE).await
    }

    /// Makes a table on a node.
    pub(super) async fn make_table(&self, node: usize, database: &str, table: &str) -> Result<(), Refusal> {
        let create =
            json!({"operation": "create_table", "database": database, "table": table, "primary_key": "id"});
        self.accepted(node, create).await.map(drop)
    }

    /// Waits until what is written on any node arrives on all: the first records may come with a copy of the table.
    pub(super) async fn flows(&self) -> Result<(), Refusal> {
        let describe = json!({"operation": "describe_table", "database": self.database, "table": TABLE});
        for node in 0..self.nodes.len() {
            let mut fault = self.until(node, describe.clone(), "", |table| table["name"] == TABLE).await;
            if fault.is_none() {
                let key = self.key();
                self.write(node, "insert", json!([{"id": key, "n": 1}])).await?;
                fault = self.everywhere(&[&key], "", |rows| rows[0]["n"] == 1).await;
            }
            if fault.is_some() {
                return Err(blocked(format!(
                    "nothing flows between node '{}' and the others",
                    self.names[node]
                )));
            }
        }
        Ok(())
    }

    /// The last node.
    pub(super) fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    /// How long nodes have to agree in this run.
    pub(super) fn patience(&self) -> Duration {
        PATIENCE.min(self.run.patience)
    }

    /// Waits for what must not happen.
    pub(super) async fn silence(&self) {
        tokio::time::sleep(SILENCE.min(self.run.patience)).await;
    }

    /// A key that no other check uses.
    pub(super) fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Sends an operation to a node.
    pub(super) async fn send(&self, node: usize, body: Value) -> Exchange {
        self.nodes[node].target.operate(&body).await
    }

    /// Sends an operation that has to be accepted for a check to go on, and returns its answer.
    pub(super) async fn accepted(&self, node: usize, body: Value) -> Result<Value, Refusal> {
        let exchange = self.send(node, body.clone()).await;
        match exchange.answer {
            Some(answer) if answer.status == 200 => Ok(answer.body),
            Some(answer) => {
                let text = self.run.secrets.value(&answer.body);
                Err(blocked(format!("{} was answered {} {text}", body["operation"], answer.status)))
            }
            None => Err(blocked(format!("{} was not answered", body["operation"]))),
        }
    }

    /// Writes records to the shared table of a node.
    pub(super) async fn write(&self, node: usize, how: &str, records: Value) -> Result<Value, Refusal> {
        self.accepted(
            node,
            json!({"operation": how, "database": self.database, "table": TABLE, "records": records}),
        )
        .await
    }

    /// Deletes records of the shared table of a node.
    pub(super) async fn delete(&self, node: usize, keys: &[&str]) -> Result<Value, Refusal> {
        self.accepted(
            node,
            json!({"operation": "delete", "database": self.database, "table": TABLE, "ids": keys}),
        )
        .await
    }

    /// Records of the shared table by key, in the order of the keys; without those that are not there.
    pub(super) async fn read(&self, node: usize, keys: &[&str]) -> Exchange {
        self.send(
            node,
            json!({"operation": "search_by_id", "database": self.database, "table": TABLE, "ids": keys,
            "get_attributes": ["*"]}),
        )
        .await
    }

    /// Waits until what a node answers passes; a fault when it does not in time.
    pub(super) async fn until(
        &self,
        node: usize,
        body: Value,
        sentence: &str,
        passes: impl Fn(&Value) -> bool,
    ) -> Fault {
        let started = Instant::now();
        loop {
            let exchange = self.send(node, body.clone()).await;
            if exchange.answer.as_ref().is_some_and(|answer| answer.status == 200 && passes(&answer.body)) {
                return None;
            }
            if started.elapsed() > self.patience() || self.run.stop.stopped() {
                let name = &self.names[node];
                return Some((format!("{sentence}, but not on node '{name}'"), Some(exchange)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until a search for keys of the shared table passes on every node.
    pub(super) async fn everywhere(
        &self,
        keys: &[&str],
        sentence: &str,
        passes: impl Fn(&Value) -> bool,
    ) -> Fault {
        let search = json!({"operation": "search_by_id", "database": self.database, "table": TABLE, "ids": keys,
            "get_attributes": ["*"]});
        for node in 0..self.nodes.len() {
            let fault = self.until(node, search.clone(), sentence, &passes).await;
            if fault.is_some() {
                return fault;
            }
        }
        None
    }

    /// Waits until all nodes hold the same under some keys; what they hold otherwise.
    pub(super) async fn agreement(&self, keys: &[&str]) -> Result<Value, Fault> {
        let started = Instant::now();
        loop {
            let found = join_all((0..self.nodes.len()).map(|node| self.read(node, keys))).await;
            let bodies = found.iter().map(|exchange| exchange.answer.as_ref().map(|answer| &answer.body));
            let bodies: Vec<Value> = bodies.map(|body| body.cloned().unwrap_or_default()).collect();
            if bodies.windows(2).all(|pair| pair[0] == pair[1]) && bodies[0].is_array() {
                return Ok(bodies[0].clone());
            }
            if started.elapsed() > self.patience() || self.run.stop.stopped() {
                let odd = bodies.iter().position(|body| *body != bodies[0]).unwrap_or_default();
                let sentence =
                    format!("nodes '{}' and '{}' hold different records", self.names[0], self.names[odd]);
                return Err(Some((sentence, found.into_iter().nth(odd))));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What a node says of the nodes that it knows.
    pub(super) async fn connections(&self, node: usize) -> Vec<Value> {
        let exchange = self.send(node, json!({"operation": "cluster_status"})).await;
        let body = exchange.answer.map(|answer| answer.body).unwrap_or_default();
        body["connections"].as_array().cloned().unwrap_or_default()
    }

    /// The names of the nodes that a node lists.
    pub(super) async fn known_to(&self, node: usize) -> Vec<String> {
        names_of(&self.connections(node).await)
    }

    /// Removes what the run has made, and joins or parts the nodes again as they were found, if they are to be.
    pub(super) async fn end(&self, restored: bool) {
        if restored {
            self.restore().await;
        }
        for node in 0..self.nodes.len() {
            self.send(node, json!({"operation": "drop_database", "database": self.database})).await;
        }
    }
}

/// The names of the nodes that connections lead to.
pub(super) fn names_of(connections: &[Value]) -> Vec<String> {
    connections.iter().filter_map(|connection| connection["name"].as_str().map(str::to_owned)).collect()
}
