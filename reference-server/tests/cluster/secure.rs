//! Nodes that prove their names by certificates, and those that do not get in.

use crate::node::{DETECTION, Node, converge, eventually, flowing, nats_is_there, rows, within};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use serde_json::{Value, json};

/// The certificates that a node keeps.
async fn certificates(node: &Node) -> Vec<Value> {
    let answer = node.ask(json!({"operation": "list_certificates"})).await;
    answer.as_array().cloned().unwrap_or_default()
}

/// The serial numbers of all certificates in a node's name that it has the key of.
async fn serials(node: &Node) -> Vec<Value> {
    let own = certificates(node).await.into_iter().filter(|one| {
        one["is_authority"] != true
            && one["details"]["subject"].as_str().is_some_and(|subject| subject.contains(&node.name))
    });
    own.map(|one| one["details"]["serial_number"].clone()).collect()
}

/// Asks a node as one that shows a certificate which this node's own authority has signed.
async fn asked_by(node: &Node, name: &str, upgrade: bool) -> (u16, Value) {
    let authority = certificates(node)
        .await
        .into_iter()
        .find(|one| one["is_authority"] == true && one["is_self_signed"] == true);
    let authority = authority.unwrap()["certificate"].as_str().unwrap().to_owned();
    let key = std::fs::read_to_string(node.folder().join("keys/privateKey.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&authority, KeyPair::from_pem(&key).unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let own_key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&own_key, &issuer).unwrap();
    let pem = format!("{}{}", certificate.pem(), own_key.serialize_pem());
    let client = reqwest::Client::builder()
        .identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
        .danger_accept_invalid_certs(true)
        .http1_only()
        .build()
        .unwrap();
    let url = node.replication_url().replace("wss://", "https://");
    let request = match upgrade {
        true => client.get(url).header("connection", "upgrade").header("upgrade", "nats"),
        false => client.post(url).json(&json!({"type": "hello"})),
    };
    let response = request.header("x-node-name", name).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

async fn two() -> [Node; 2] {
    [Node::start_secure("node-1").await, Node::start_secure("node-2").await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_ends_its_connections_and_gets_no_others() {
    if !nats_is_there() {
        return;
    }
    let nodes = two().await;
    nodes[0].join(&nodes[1]).await;
    let all = [&nodes[0], &nodes[1]];
    let marks = flowing(&all, "t").await;
    let revoke = async |serials: Vec<Value>| {
        let request =
            json!({"operation": "update_node", "hostname": "node-2", "revoked_certificates": serials});
        nodes[0].ask(request).await;
    };
    let serials = serials(&nodes[1]).await;
    assert!(!serials.is_empty(), "{:?}", certificates(&nodes[1]).await);
    revoke(serials).await;
    for (here, there) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
        within(DETECTION, "the connection has ended", async || {
            here.socket(&there.name, "data").await.is_some_and(|socket| socket["connected"] == false)
        })
        .await;
    }
    nodes[0].upsert("t", json!([{"id": "here"}])).await;
    nodes[1].upsert("t", json!([{"id": "there"}])).await;
    // It comes again and is told.
    eventually("it is refused", async || {
        nodes[1].logged("refused with 403: this certificate was revoked") >= 3
    })
    .await;
    for node in all {
        assert_eq!(node.count("t").await, marks + 1, "{}", node.name);
    }
    revoke(Vec::new()).await;
    converge(&all, "t", marks + 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_the_same_authority_lets_nobody_in_who_is_not_known() {
    if !nats_is_there() {
        return;
    }
    let nodes = two().await;
    nodes[0].join(&nodes[1]).await;
    for (upgrade, accepted) in [(false, 200), (true, 101)] {
        let (status, answer) = asked_by(&nodes[0], "node-9", upgrade).await;
        assert_eq!(status, 403, "{answer}");
        assert!(
            answer["error"].as_str().is_some_and(|text| text.contains("node 'node-9' is not known")),
            "{answer}"
        );
        // It is not the certificate as such.
        assert_eq!(asked_by(&nodes[0], "node-2", upgrade).await.0, accepted);
    }
    assert!(!rows(&nodes[0]).await.to_string().contains("node-9"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_leave_nothing_behind() {
    if !nats_is_there() {
        return;
    }
    let nodes = two().await;
    let refused = nodes[0].try_ask(nodes[1].invitation("wrong")).await.unwrap_err();
    assert!(
        refused.1["error"].as_str().is_some_and(|text| text.contains("Could not add 'node-2'")),
        "{refused:?}"
    );
    for node in &nodes {
        assert_eq!(rows(node).await, json!([]), "{}", node.name);
    }
    nodes[0].join(&nodes[1]).await;
    flowing(&[&nodes[0], &nodes[1]], "t").await;
}
