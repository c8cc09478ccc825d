//! Nodes with certificates of an authority that somebody else runs: they find each other by routes, without credentials.

use crate::authority::{Authority, serve_with};
use crate::node::{DETECTION, Node, converge, eventually, flowing, nats_is_there, within};
use crate::routes::all_meet;
use rcgen::{CrlDistributionPoint, SerialNumber};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A certificate with a number of its own, and its key.
fn signed(by: &Authority, name: &str, serial: u8, list: Option<&str>) -> (String, String) {
    by.signed_with(name, &[], |params| {
        params.serial_number = Some(SerialNumber::from_slice(&[serial]));
        let point = |place: &str| CrlDistributionPoint { uris: vec![place.to_owned()] };
        params.crl_distribution_points = list.map(point).into_iter().collect();
    })
}

async fn add_certificate(node: &Node, name: &str, (certificate, key): (String, String)) {
    let request = json!({"operation": "add_certificate", "name": name, "certificate": certificate, "private_key": key,
        "is_authority": false});
    node.ask(request).await;
}

/// Two nodes with certificates numbered like them, that know the way to each other from the next start on.
async fn two(
    authority: &Authority,
    is_known: bool,
    list: Option<&str>,
    settings: &[(&str, &str)],
) -> [Node; 2] {
    let mut nodes = [Node::secure("node-1", settings).await, Node::secure("node-2", settings).await];
    for (node, serial) in nodes.iter_mut().zip(1..) {
        node.start_again();
        if is_known {
            let request = json!({"operation": "add_certificate", "name": "authority", "certificate": authority.pem,
                "is_authority": true});
            node.ask(request).await;
        }
        add_certificate(node, "own", signed(authority, &node.name, serial, list)).await;
    }
    nodes[0].set_routes(json!([nodes[1].route()])).await;
    nodes[1].set_routes(json!([nodes[0].route()])).await;
    nodes
}

async fn revoke(node: &Node, serials: Value) {
    node.ask(json!({"operation": "update_node", "hostname": "node-2", "revoked_certificates": serials}))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_of_the_same_authority_takes_the_place_of_the_old() {
    if !nats_is_there() {
        return;
    }
    let authority = Authority::new("Their Authority");
    let mut nodes = two(&authority, true, None, &[]).await;
    nodes.iter_mut().for_each(Node::restart);
    all_meet(&nodes).await;
    let mut count = flowing(&[&nodes[0], &nodes[1]], "t").await;
    // While it runs: the old one is of no use any more.
    add_certificate(&nodes[1], "own", signed(&authority, "node-2", 22, None)).await;
    revoke(&nodes[0], json!(["02"])).await;
    for node in &nodes {
        node.upsert("t", json!([{"id": format!("new by {}", node.name)}])).await;
    }
    count += 2;
    converge(&[&nodes[0], &nodes[1]], "t", count).await;
    // And when it has come back.
    add_certificate(&nodes[1], "newer", signed(&authority, "node-2", 23, None)).await;
    nodes[1].restart();
    revoke(&nodes[0], json!(["02", "16"])).await;
    for node in &nodes {
        node.upsert("t", json!([{"id": format!("again by {}", node.name)}])).await;
    }
    count += 2;
    converge(&[&nodes[0], &nodes[1]], "t", count).await;
    // It is these certificates that are shown.
    revoke(&nodes[0], json!(["17"])).await;
    within(DETECTION, "it is cut off", async || !nodes[1].is_connected(&nodes[0], "data").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_look_into_lists_of_revoked_certificates() {
    if !nats_is_there() {
        return;
    }
    let authority = Authority::new("Their Authority");
    let list = Arc::new(Mutex::new(authority.list(2090, &[])));
    let served = list.clone();
    let place = serve_with(move |_| served.lock().unwrap().clone()).await;
    let mut nodes = two(&authority, true, Some(&place), &[]).await;
    nodes[0].set("REPLICATION_MTLS_CERTIFICATEVERIFICATION", r#"{"crl": {"cacheTtl": 0}}"#);
    nodes.iter_mut().for_each(Node::restart);
    all_meet(&nodes).await;
    let count = flowing(&[&nodes[0], &nodes[1]], "t").await;
    *list.lock().unwrap() = authority.list(2090, &[2]);
    nodes[0].restart();
    for node in &nodes {
        node.upsert("t", json!([{"id": format!("alone by {}", node.name)}])).await;
    }
    // It neither lets the other in nor goes there.
    for (node, reason) in nodes.iter().zip(["was revoked", "has not proved its name"]) {
        let before = node.logged(reason);
        eventually("it is refused", async || node.logged(reason) > before + 2).await;
    }
    for (here, there) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
        assert!(!here.is_connected(there, "data").await, "{}", here.name);
        assert_eq!(here.count("t").await, count + 1, "{}", here.name);
    }
    *list.lock().unwrap() = authority.list(2090, &[]);
    converge(&[&nodes[0], &nodes[1]], "t", count + 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authorities_of_the_machine_count_where_they_are_to() {
    if !nats_is_there() {
        return;
    }
    let authority = Authority::new("A Public Authority");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &authority.pem).unwrap();
    let place = file.path().to_string_lossy().into_owned();
    let mut nodes = two(&authority, false, None, &[("SSL_CERT_FILE", &place)]).await;
    for node in &mut nodes {
        node.set("REPLICATION_ENABLEROOTCAS", "false");
        node.restart();
    }
    for node in &nodes {
        eventually("they do not agree", async || node.logged("no way along the route") > 1).await;
        assert_eq!(crate::node::rows(node).await, json!([]));
    }
    // That is the setting's default.
    for node in &mut nodes {
        node.set("REPLICATION_ENABLEROOTCAS", "true");
        node.restart();
    }
    all_meet(&nodes).await;
    flowing(&[&nodes[0], &nodes[1]], "t").await;
}
