//! What the reference server is taken for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on may panic")]

use conformance::{Credentials, Reach, Target, identify};
use reference_server::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_is_known() {
    let server = TestServer::start().await.unwrap();
    let admin =
        Credentials { username: server.username().to_owned(), password: server.password().to_owned() };
    let target = Target::new(&server.url(), admin, Reach::default()).unwrap();
    let book = identify::book().unwrap();
    let identity = identify::judge(&book, &identify::ask(&target, &book).await.unwrap());
    let text = identity.to_text();
    assert_eq!(identity.product.as_deref(), Some("reference-server"), "{text}");
    assert!(identity.fits[0].speaks_against == 0 && identity.fits[0].speaks_for > 10, "{text}");
    assert!(
        text.contains("behaves like the reference server") && !text.contains(server.password()),
        "{text}"
    );
    assert_eq!(identity.to_json()["product"], "reference-server");
}
