//! Who is let in.

use super::dial::{Target, post};
use super::handshake::message;
use super::pipes::Pipe;
use super::{leave, members};
use crate::config::node_url;
use crate::operations::clustering::tests::{add, knows, node, secure_node, url};
use crate::operations::testing::Instance;
use crate::replication::nodes::edit;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// A message from one node to another: what it is refused with, if it is.
async fn refusal(from: &Instance, to: &Instance, kind: &str) -> Option<String> {
    let target = Target {
        url: node_url(&url(to)).unwrap(),
        name: "any".to_owned(),
        verify: false,
        authorization: None,
    };
    post(&from.server, &target, &message(kind, [])).await.err().map(|error| error.text)
}

async fn serial(node: &Instance) -> String {
    let link = &node.server.replication.link;
    let offer = link.tls.offer(&node.server).await.unwrap();
    let certificate = crate::certificates::Certificate::of(offer.proof.certified.cert.clone()).unwrap();
    super::tls::serial_of(&certificate).to_uppercase()
}

#[tokio::test]
async fn revoked_certificates_are_refused() {
    let (a, b) = (secure_node("a").await, secure_node("b").await);
    add(&a, &b).await;
    assert_eq!(refusal(&b, &a, "members").await, None);
    // A connection that uses the certificate, and one that does not.
    let mut ends = Vec::new();
    for used in [super::identify::plain_serial(&serial(&b).await), "1".to_owned()] {
        let place = a.server.replication.link.pipes.enter(Pipe { node: "b".to_owned(), serial: Some(used) });
        let ((near, one), (other, far)) = (duplex(8), duplex(8));
        tokio::spawn(place.run(one, other));
        ends.push((near, far));
    }
    let revoke = |serials: &str| {
        format!(r#"{{"operation":"update_node","hostname":"b","revoked_certificates":[{serials}]}}"#)
    };
    a.admin(&revoke(&format!("\"00:{}\"", serial(&b).await))).await;
    let refused = refusal(&b, &a, "members").await.unwrap();
    assert!(refused.contains("revoked"), "{refused}");
    let [(using, _), (not_using, far)] = ends.as_mut_slice() else { panic!() };
    let mut byte = [0];
    assert_eq!(using.read(&mut byte).await.unwrap(), 0);
    not_using.write_all(b"x").await.unwrap();
    assert_eq!(far.read(&mut byte).await.unwrap(), 1);
    // Nor does the one who has revoked it connect there.
    let there = a.server.replication.link.nodes.find("b").unwrap();
    let refused = members::talk(&a.server, &there).await.unwrap_err().text;
    assert!(refused.contains("Revoked"), "{refused}");
    a.admin(&revoke("")).await;
    assert_eq!(refusal(&b, &a, "members").await, None);
}

#[tokio::test]
async fn certificates_of_the_same_authority_are_not_enough() {
    let (a, b, c) = (secure_node("a").await, secure_node("b").await, secure_node("c").await);
    add(&a, &b).await;
    // The authority of b vouches for c, whom nobody has added.
    let (b_server, c_server) = (&b.server, &c.server);
    c_server.certificates.proof(&c_server.store, "c").await.unwrap();
    let request = c_server.certificates.request(&c_server.store, "c").unwrap();
    let signed = b_server.certificates.sign(&b_server.store, &request, "c").unwrap().unwrap();
    c_server.certificates.keep_signed(&c_server.store, "c", &signed).await.unwrap();
    for other in [&a, &b] {
        for kind in ["hello", "join", "members", "credentials", "leave", "removed"] {
            let refused = refusal(&c, other, kind).await.unwrap();
            assert!(refused.contains("node 'c' is not known here"), "{kind}: {refused}");
        }
    }
    knows(&a, &["b"]).await;
}

#[tokio::test]
async fn names_alone_prove_nothing_where_there_is_tls() {
    let (a, b) = (secure_node("a").await, secure_node("b").await);
    add(&a, &b).await;
    // It says that it is `a`, but its certificate is its own.
    let other = secure_node("a").await;
    let refused = refusal(&other, &b, "members").await.unwrap();
    assert!(refused.contains("has not proved its name"), "{refused}");
}

#[tokio::test]
async fn who_was_removed_while_it_was_away_learns_of_it() {
    let (a, b) = (node("a").await, node("b").await);
    add(&a, &b).await;
    edit(&a.server, |book| book.remove("b", book.now)).await.unwrap();
    let there = b.server.replication.link.nodes.find("a").unwrap();
    let refused = members::talk(&b.server, &there).await.unwrap_err();
    assert!(refused.removed.is_some() && refused.text.contains("was removed here"), "{}", refused.text);
    knows(&b, &[]).await;
    // It may come back when somebody wants it to.
    assert!(add(&b, &a).await.contains("Successfully added"));
    leave(&b.server).await.unwrap();
    knows(&a, &[]).await;
}
