//! The certificate operations without HTTP.

use crate::certificates::sample;
use crate::operations::testing::Instance;
use crate::value::{Value, object};
use std::path::PathBuf;

fn add(name: &str, pem: &str, key: Option<&str>, is_authority: bool) -> String {
    let mut fields = vec![
        ("operation", Value::from("add_certificate")),
        ("name", Value::from(name)),
        ("certificate", Value::from(pem)),
        ("is_authority", Value::Bool(is_authority)),
    ];
    fields.extend(key.map(|key| ("private_key", Value::from(key))));
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).to_json()
}

fn remove(name: &str) -> String {
    object([("operation", Value::from("remove_certificate")), ("name", Value::from(name))]).to_json()
}

fn keys(instance: &Instance) -> Vec<String> {
    let folder: PathBuf = instance.server.config.root_path.join("keys");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// An instance whose own certificates are made with a key that is there already.
async fn instance() -> Instance {
    let instance = Instance::new().await;
    let (_, key) = sample::signed("any", &[]);
    instance.server.certificates.files().keep("privateKey", &key).unwrap();
    instance
}

const LIST: &str = r#"{"operation":"list_certificates"}"#;

#[tokio::test]
async fn a_fresh_server_lists_its_own_two() {
    let instance = instance().await;
    let listed = instance.admin(LIST).await;
    assert_eq!(listed.matches(r#""is_self_signed":true"#).count(), 2, "{listed}");
    assert!(listed.contains(r#""name":"HarperDB-Certificate-Authority-"#), "{listed}");
    assert!(
        listed.contains(r#""uses":["https","wss"]"#)
            && listed.contains(r#""private_key_name":"privateKey.pem""#)
    );
    assert!(!listed.contains("PRIVATE KEY") && !listed.contains("__createdtime__"), "{listed}");
    assert_eq!(instance.admin(LIST).await, listed);
}

#[tokio::test]
async fn certificates_come_and_go_with_their_keys() {
    let instance = instance().await;
    let (pem, key) = sample::signed("shop.example", &["shop.example"]);
    let version = instance.server.certificates.version();
    let added = instance.admin(&add("my shop", &pem, Some(&key), false)).await;
    assert_eq!(added, r#"{"message":"Successfully added certificate: my-shop"}"#);
    assert!(instance.server.certificates.version() > version);
    assert_eq!(keys(&instance), ["my-shop.pem", "privateKey.pem"]);
    let listed = instance.admin(LIST).await;
    assert!(listed.contains(r#""name":"my shop""#) && !listed.contains("PRIVATE KEY"), "{listed}");

    // A second certificate with the same key shares the file, found by itself or given again.
    assert!(instance.admin(&add("two", &pem, None, false)).await.contains("added certificate: two"));
    assert!(instance.admin(&add("three", &pem, Some(&key), true)).await.contains("added certificate: three"));
    assert_eq!(keys(&instance), ["my-shop.pem", "privateKey.pem"]);
    assert_eq!(instance.admin(&remove("my shop")).await, r#"{"message":"Successfully removed my shop"}"#);
    assert!(instance.admin(&remove("three")).await.contains("removed three"));
    assert_eq!(keys(&instance), ["my-shop.pem", "privateKey.pem"]);
    assert!(instance.admin(&remove("two")).await.contains("removed two"));
    assert_eq!(keys(&instance), ["privateKey.pem"]);
    assert_eq!(instance.admin(&remove("two")).await, r#"{"error":"two not found"}"#);
}

#[tokio::test]
async fn replacing_brings_the_new_key_and_drops_the_old_one() {
    let instance = instance().await;
    let (first, first_key) = sample::signed("a", &[]);
    let (second, second_key) = sample::signed("b", &[]);
    instance.admin(&add("site", &first, Some(&first_key), false)).await;
    assert_eq!(keys(&instance), ["privateKey.pem", "site.pem"]);
    assert!(instance.admin(&add("site", &second, Some(&second_key), false)).await.contains("Successfully"));
    let kept = keys(&instance);
    assert_eq!(kept.len(), 2, "{kept:?}");
    let text = instance.server.certificates.files().text(&kept[1]).unwrap();
    assert_eq!(text, second_key);
    let listed = instance.admin(LIST).await;
    assert!(listed.contains("CN=b O=Shop, Inc.") && !listed.contains("CN=a O=Shop, Inc."), "{listed}");
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let instance = instance().await;
    let (pem, key) = sample::signed("a", &[]);
    let (_, other_key) = sample::signed("b", &[]);
    let before = instance.admin(LIST).await;
    for (request, error) in [
        (add("a", "hello", None, true), "'certificate' is not a valid certificate"),
        (add("a", &key, None, true), "'certificate' is not a valid certificate"),
        (add("a", &pem, None, false), "A suitable private key was not found for this certificate"),
        (add("a", &pem, Some("hello"), false), "'private_key' is not a valid private key"),
        (add("a", &pem, Some(&other_key), true), "'private_key' does not belong to the certificate"),
        (
            r#"{"operation":"add_certificate"}"#.to_owned(),
            "'name' is required. 'certificate' is required. 'is_authority' is required",
        ),
        (r#"{"operation":"remove_certificate"}"#.to_owned(), "'name' is required"),
    ] {
        let expected = object([("error", Value::from(error))]).to_json();
        assert_eq!(instance.admin(&request).await, expected);
    }
    assert_eq!(keys(&instance), ["privateKey.pem"]);
    assert_eq!(instance.admin(LIST).await, before);
    // An authority needs no key.
    let added = instance.admin(&add("ca", &pem, None, true)).await;
    assert_eq!(added, r#"{"message":"Successfully added certificate: ca"}"#);
    assert_eq!(keys(&instance), ["privateKey.pem"]);
}
