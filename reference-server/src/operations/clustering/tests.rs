//! Nodes in one process, without NATS servers: who knows whom.

use crate::http::Listeners;
use crate::operations::testing::Instance;
use crate::replication::link::Link;
use crate::replication::nodes;
use crate::value::{Value, parse_json};
use std::time::Duration;

/// A node that listens without TLS.
pub(crate) async fn node(name: &str) -> Instance {
    node_with(Some(name), |_| {}).await
}

async fn node_with(name: Option<&str>, adjust: impl FnOnce(&mut crate::config::Config)) -> Instance {
    let instance = Instance::with(|config| {
        config.replication.hostname = name.map(str::to_owned);
        config.replication.port = Some(0);
        adjust(config);
    });
    let instance = instance.await;
    let server = &instance.server;
    Link::begin(server, &Listeners::open(&server.config, &Listeners::default()).unwrap()).unwrap();
    instance
}

pub(crate) fn url(node: &Instance) -> String {
    match node.server.replication.link.addresses() {
        (_, Some(address)) => format!("wss://{address}"),
        (Some(address), _) => format!("ws://{address}"),
        _ => panic!("nobody listens"),
    }
}

const LOGIN: &str = r#""authorization":{"username":"admin","password":"password"}"#;

pub(crate) async fn add(at: &Instance, other: &Instance) -> String {
    at.admin(&format!(r#"{{"operation":"add_node","url":"{}","verify_tls":false,{LOGIN}}}"#, url(other)))
        .await
}

async fn ask(at: &Instance, request: &str) -> Value {
    parse_json(at.admin(request).await.as_bytes()).unwrap()
}

/// The names of the nodes that a node knows.
fn known(at: &Instance) -> Vec<String> {
    nodes::list(&at.server).into_iter().map(|node| node.name).collect()
}

/// Waits until a node knows these.
pub(crate) async fn knows(at: &Instance, expected: &[&str]) {
    let mut changes = nodes::watch(&at.server);
    let waiting = async {
        while known(at) != expected {
            changes.changed().await.unwrap();
        }
    };
    if tokio::time::timeout(Duration::from_secs(20), waiting).await.is_err() {
        panic!("known are {:?}, not {expected:?}", known(at));
    }
}

async fn rows(at: &Instance) -> Vec<String> {
    let all = r#"{"operation":"search_by_value","database":"system","table":"hdb_nodes","attribute":"name","value":"*","get_attributes":["*"]}"#;
    let rows = ask(at, all).await;
    let names =
        rows.as_array().unwrap().iter().map(|row| row.get("name").unwrap().as_str().unwrap().to_owned());
    names.collect()
}

async fn connections(at: &Instance) -> Value {
    let status = ask(at, r#"{"operation":"cluster_status"}"#).await;
    status.get("connections").cloned().unwrap()
}

#[tokio::test]
async fn two_nodes_meet_and_part() {
    let (a, b) = (node("a").await, node("b").await);
    let host = url(&b).rsplit_once(':').unwrap().0.replace("ws://", "");
    assert_eq!(add(&a, &b).await, format!(r#"{{"message":"Successfully added '{host}' to cluster"}}"#));
    assert_eq!((known(&a), known(&b)), (vec!["b".to_owned()], vec!["a".to_owned()]));
    assert_eq!(
        (rows(&a).await, rows(&b).await),
        (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned(), "b".to_owned()])
    );
    let status = a.admin(r#"{"operation":"cluster_status"}"#).await;
    assert_eq!(
        status,
        format!(
            r#"{{"type":"cluster-status","node_name":"a","is_enabled":true,"connections":[{{"name":"b","url":"{}","replicateByDefault":true,"replicates":true,"subscriptions":null,"database_sockets":[]}}]}}"#,
            url(&b)
        )
    );
    let removed = a.admin(r#"{"operation":"remove_node","hostname":"b"}"#).await;
    assert_eq!(removed, r#"{"message":"Successfully removed 'b' from cluster"}"#);
    assert!(known(&a).is_empty() && known(&b).is_empty());
    assert!(rows(&a).await.is_empty() && rows(&b).await.is_empty());
    let again = a.admin(r#"{"operation":"remove_node","hostname":"b"}"#).await;
    assert_eq!(again, r#"{"error":"Node 'b' does not exist"}"#);
    assert!(add(&a, &b).await.contains("Successfully added"));
    assert_eq!((known(&a), known(&b)), (vec!["b".to_owned()], vec!["a".to_owned()]));
}

#[tokio::test]
async fn joining_one_member_joins_all() {
    let (a, b, c) = (node("a").await, node("b").await, node("c").await);
    add(&a, &b).await;
    add(&c, &b).await;
    knows(&a, &["b", "c"]).await;
    knows(&b, &["a", "c"]).await;
    knows(&c, &["a", "b"]).await;
    ask(&a, r#"{"operation":"remove_node","hostname":"c"}"#).await;
    knows(&a, &["b"]).await;
    knows(&b, &["a"]).await;
    knows(&c, &[]).await;
}

#[tokio::test]
async fn what_fails_leaves_no_trace() {
    let (a, b) = (node("a").await, node("b").await);
    b.admin(r#"{"operation":"add_role","role":"clerk","permission":{}}"#).await;
    b.admin(r#"{"operation":"add_user","username":"kim","password":"pw","role":"clerk","active":true}"#)
        .await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = |url: &str, user: &str, password: &str| {
        format!(
            r#"{{"operation":"add_node","hostname":"b","url":"{url}","authorization":{{"username":"{user}","password":"{password}"}}}}"#
        )
    };
    for (request, reason) in [
        (at(&url(&b), "admin", "wrong"), "Login failed"),
        (at(&url(&b), "kim", "pw"), "only a super user may do this"),
        (at(&format!("ws://{free}"), "admin", "password"), "cannot be reached"),
        (format!(r#"{{"operation":"add_node","url":"{}"}}"#, url(&b)), "has not proved its name"),
        (
            format!(r#"{{"operation":"add_node","hostname":"x","url":"{}",{LOGIN}}}"#, url(&b)),
            "is called 'b'",
        ),
        (
            format!(r#"{{"operation":"add_node","url":"{}",{LOGIN}}}"#, url(&a)),
            "A node cannot be added to itself",
        ),
        (r#"{"operation":"add_node","hostname":"a"}"#.to_owned(), "A node cannot be added to itself"),
        (r#"{"operation":"add_node","url":"ftp://b"}"#.to_owned(), "'url' must be a ws:// or wss:// URL"),
        (r#"{"operation":"add_node"}"#.to_owned(), "'hostname' or 'url' is required"),
        (r#"{"operation":"update_node"}"#.to_owned(), "'hostname' is required"),
        (r#"{"operation":"remove_node"}"#.to_owned(), "'hostname' is required"),
        (r#"{"operation":"configure_cluster"}"#.to_owned(), "'connections' is required"),
        (r#"{"operation":"configure_cluster","connections":1}"#.to_owned(), "'connections' must be an array"),
    ] {
        let answer = a.admin(&request).await;
        assert!(answer.contains(r#""error":"#) && answer.contains(reason), "{request}: {answer}");
        assert!(!answer.contains("password\""), "{answer}");
    }
    assert!(rows(&a).await.is_empty() && rows(&b).await.is_empty());
}

#[tokio::test]
async fn terms_are_seen_from_either_side() {
    let (a, b) = (node("a").await, node("b").await);
    let subscription = r#"{"database":"data","table":"dog","subscribe":true,"publish":false}"#;
    let request = format!(
        r#"{{"operation":"add_node","hostname":"b","url":"{}",{LOGIN},"retain_authorization":true,"shard":2,"subscriptions":[{subscription}],"replicates":{{"sends":false}}}}"#,
        url(&b)
    );
    assert_eq!(a.admin(&request).await, r#"{"message":"Successfully added 'b' to cluster"}"#);
    let shown = connections(&a).await.to_json();
    assert!(shown.contains(r#""replicateByDefault":false,"replicates":{"sends":false,"receives":true},"subscriptions":[{"database":"data","table":"dog","publish":false,"subscribe":true}],"shard":2"#), "{shown}");
    assert!(!shown.contains("YWRtaW4"), "{shown}");
    let mirrored = connections(&b).await.to_json();
    assert!(mirrored.contains(r#""replicates":{"sends":true,"receives":false},"subscriptions":[{"database":"data","table":"dog","publish":true,"subscribe":false}]"#), "{mirrored}");
    let update = r#"{"operation":"update_node","hostname":"b","subscriptions":[{"schema":"data","table":"cat","subscribe":false,"publish":true}]}"#;
    assert_eq!(a.admin(update).await, r#"{"message":"Successfully updated 'b'"}"#);
    let mirrored = connections(&b).await.to_json();
    assert!(mirrored.contains(r#""table":"dog","publish":true"#), "{mirrored}");
    assert!(mirrored.contains(r#""table":"cat","publish":false,"subscribe":true"#), "{mirrored}");
}

#[tokio::test]
async fn configure_cluster_replaces() {
    let (a, b, c) = (node("a").await, node("b").await, node("c").await);
    add(&a, &b).await;
    let connection = format!(r#"{{"url":"{}",{LOGIN}}}"#, url(&c));
    let request =
        |connections: &str| format!(r#"{{"operation":"configure_cluster","connections":[{connections}]}}"#);
    assert_eq!(a.admin(&request(&connection)).await, r#"{"message":"Cluster successfully configured."}"#);
    assert_eq!((known(&a), known(&b), known(&c)), (vec!["c".to_owned()], vec![], vec!["a".to_owned()]));
    let broken = format!(r#"{connection},{{"hostname":"nobody","url":"ws://127.0.0.1:1"}}"#);
    assert!(a.admin(&request(&broken)).await.contains("Could not add 'nobody'"));
    assert_eq!(known(&a), ["c"]);
    a.admin(&request("")).await;
    assert!(known(&a).is_empty() && known(&c).is_empty());
}

#[tokio::test]
async fn nodes_without_names_are_called_by_where_they_are() {
    let (a, b, c) =
        (node_with(None, |_| {}).await, node_with(None, |_| {}).await, node_with(None, |_| {}).await);
    assert_eq!(add(&a, &b).await, r#"{"message":"Successfully added '127.0.0.1' to cluster"}"#);
    add(&a, &c).await;
    let third = url(&c).replace("ws://", "");
    assert_eq!(known(&a), ["127.0.0.1".to_owned(), third.clone()]);
    knows(&b, &[&third, "localhost"]).await;
    knows(&c, &["127.0.0.1", "localhost"]).await;
}

#[tokio::test]
async fn rows_deleted_by_hand_are_removals() {
    let (a, b) = (node("a").await, node("b").await);
    add(&a, &b).await;
    let delete = r#"{"operation":"delete","database":"system","table":"hdb_nodes","ids":["b"]}"#;
    assert!(a.admin(delete).await.contains("deleted"));
    assert!(known(&a).is_empty());
    knows(&b, &[]).await;
}

#[tokio::test]
async fn routes_are_followed() {
    let a = node_with(Some("a"), |config| {
        config.replication.routes =
            vec![crate::config::Route { name: "127.0.0.1".to_owned(), port: Some(1), ..Default::default() }];
    });
    let a = a.await;
    let place = url(&a);
    let b = node_with(Some("b"), |config| {
        let value = Value::from(place.as_str());
        config.replication.routes = crate::config::Route::read(&value).into_iter().collect();
    });
    let b = b.await;
    knows(&b, &["a"]).await;
    knows(&a, &["b"]).await;
}

/// With TLS, and keys that are made at once.
pub(crate) async fn secure_node(name: &str) -> Instance {
    let instance = Instance::with(|config| {
        config.replication.hostname = Some(name.to_owned());
        config.replication.secure_port = crate::config::SecurePort::Given(0);
        config.replication.enable_root_cas = false;
    });
    let instance = instance.await;
    let server = &instance.server;
    let (_, key) = crate::certificates::sample::signed("any", &[]);
    server.certificates.files().keep("privateKey", &key).unwrap();
    Link::begin(server, &Listeners::open(&server.config, &Listeners::default()).unwrap()).unwrap();
    instance
}

#[tokio::test]
async fn nodes_with_certificates_meet_and_part() {
    let (a, b, c) = (secure_node("a").await, secure_node("b").await, secure_node("c").await);
    let strict = format!(r#"{{"operation":"add_node","hostname":"b","url":"{}",{LOGIN}}}"#, url(&b));
    let refused = a.admin(&strict).await;
    assert!(refused.contains("Could not add 'b'") && rows(&b).await.is_empty(), "{refused}");
    assert!(add(&a, &b).await.contains("Successfully added"));
    assert_eq!((known(&a), known(&b)), (vec!["b".to_owned()], vec!["a".to_owned()]));
    // Without credentials, and with a look at the certificates, they know each other now.
    assert_eq!(
        a.admin(r#"{"operation":"update_node","hostname":"b","shard":3}"#).await,
        r#"{"message":"Successfully updated 'b'"}"#
    );
    add(&c, &b).await;
    knows(&a, &["b", "c"]).await;
    knows(&c, &["a", "b"]).await;
    ask(&c, r#"{"operation":"remove_node","hostname":"a"}"#).await;
    knows(&b, &["c"]).await;
    knows(&a, &[]).await;
}

#[tokio::test]
async fn the_form_before_4_4() {
    let (a, b) = (node_with(None, legacy).await, node("node2").await);
    let subscription = r#"{"schema":"dev","table":"dog","subscribe":true,"publish":true,"start_time":"2022-09-02T20:06:35.993Z"}"#;
    let request = |operation: &str| {
        format!(
            r#"{{"operation":"{operation}","node_name":"node2","url":"{}",{LOGIN},"subscriptions":[{subscription}]}}"#,
            url(&b)
        )
    };
    assert_eq!(
        a.admin(&request("add_node")).await,
        r#"{"message":"Successfully added 'node2' to manifest"}"#
    );
    for operation in ["update_node", "set_node_replication"] {
        assert_eq!(a.admin(&request(operation)).await, r#"{"message":"Successfully updated 'node2'"}"#);
    }
    let status = a.admin(r#"{"operation":"cluster_status"}"#).await;
    let port = url(&b).rsplit_once(':').unwrap().1.to_owned();
    let shown = r#"{"schema":"dev","table":"dog","publish":true,"subscribe":true,"start_time":"2022-09-02T20:06:35.993Z"}"#;
    assert_eq!(
        status,
        format!(
            r#"{{"node_name":"localhost","is_enabled":true,"connections":[{{"node_name":"node2","status":"closed","ports":{{"clustering":{port}}},"latency_ms":0,"subscriptions":[{shown}]}}]}}"#
        )
    );
    let remove = r#"{"operation":"remove_node","node_name":"node2"}"#;
    assert_eq!(a.admin(remove).await, r#"{"message":"Successfully removed 'node2' from manifest"}"#);
    assert!(known(&b).is_empty());
}

fn legacy(config: &mut crate::config::Config) {
    config.clustering.enabled = true;
    config.replication.port = None;
    config.replication.secure_port = crate::config::SecurePort::Off;
}
