//! Licences signed, read, installed and used up.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value as Json, json};

const HEADER: &str = r#"{"typ":"Harper-License","alg":"EdDSA"}"#;

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn payload(id: &str) -> Json {
    json!({"id": id, "level": 1, "region": "eu", "reads": 100, "writes": 10, "readBytes": 1000, "writeBytes": 1000,
        "realTimeMessages": 1, "realTimeBytes": 1, "expiration": "2999-01-01"})
}

fn signed(header: &str, payload: &str) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = pair().sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn key() -> PublicKey {
    PublicKey::read(&STANDARD.encode(pair().public_key().as_ref()))
}

#[test]
fn a_licence_is_read_when_form_signature_and_content_are_right() {
    let good = signed(HEADER, &payload("b1").to_string());
    assert_eq!(Block::read(&good, Some(&key())).unwrap().id(), "b1");
    let der = [
        &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..],
        pair().public_key().as_ref(),
    ]
    .concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
    assert!(Block::read(&good, Some(&PublicKey::read(&pem))).is_ok());
    assert!(Block::read(&format!("{good}=="), None).is_ok(), "padding does no harm");
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let other = PublicKey::read(&STANDARD.encode(other.public_key().as_ref()));
    let fault = |text: &str, key: Option<&PublicKey>| Block::read(text, key).unwrap_err();
    for key in [other, PublicKey::read("nonsense"), PublicKey::read("")] {
        assert_eq!(fault(&good, Some(&key)), Fault::Content("its signature is wrong".to_owned()));
    }
    for text in ["", "a", "a.b", "a.b.c.d", "..", "!.!.!", &good.replacen('.', "", 1)] {
        assert_eq!(fault(text, None), Fault::Form, "{text}");
    }
    for (header, text, told) in [
        (
            r#"{"typ":"JWT","alg":"EdDSA"}"#,
            payload("b").to_string(),
            "'typ' of its header must be 'Harper-License'",
        ),
        (r#"{"typ":"Harper-License"}"#, payload("b").to_string(), "'alg' of its header must be 'EdDSA'"),
        (HEADER, "[]".to_owned(), "its payload is not a JSON object"),
        ("x", payload("b").to_string(), "its header is not a JSON object"),
    ] {
        assert_eq!(fault(&signed(header, &text), Some(&key())), Fault::Content(told.to_owned()));
    }
    for (name, value, told) in [
        ("id", json!(5), "'id' must be a string"),
        ("region", Json::Null, "'region' must be a string"),
        ("level", json!([]), "'level' must be a number"),
        ("writes", json!("many"), "'writes' must be a number"),
        ("cpuTime", json!("some"), "'cpuTime' must be a number"),
        ("expiration", json!("soon"), "'expiration' must be an ISO date"),
    ] {
        let mut payload = payload("b");
        payload[name] = value;
        assert_eq!(fault(&signed(HEADER, &payload.to_string()), None), Fault::Content(told.to_owned()));
    }
}

fn block(reads: f64, used: f64, expiration: &str) -> Object {
    Object::from_iter([
        ("reads".to_owned(), Value::Number(reads)),
        ("usedReads".to_owned(), Value::Number(used)),
        ("expiration".to_owned(), Value::from(expiration)),
    ])
}

#[test]
fn the_earliest_block_is_used_up_first() {
    let mut blocks = [
        block(10.0, 4.0, "2999-01-01"),
        block(10.0, 0.0, "2001-01-01"),
        block(5.0, 0.0, "2999-01-01T00:00:00.000Z"),
    ];
    let mut used = Consumption::default();
    used.0[0] = 8.0;
    let mut counted = || {
        spend(&mut blocks, used, 1.9e12);
        blocks.iter().map(|block| block["usedReads"].as_number().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(counted(), [10.0, 0.0, 2.0]);
    assert_eq!(counted(), [10.0, 0.0, 10.0], "what no block is left for counts to the last");
    spend(&mut [], used, 0.0);
}

mod operations {
    use super::*;
    use crate::analytics::aggregate::Aggregator;
    use crate::analytics::meters::Sample;
    use crate::config::Config;
    use crate::operations::testing::Instance;
    use std::time::Duration;

    async fn instance(key: Option<String>) -> Instance {
        Instance::with(|config: &mut Config| config.licence_key = key).await
    }

    async fn ask(instance: &Instance, request: Json) -> Json {
        serde_json::from_str(&instance.admin(&request.to_string()).await).unwrap()
    }

    fn install(text: &str) -> Json {
        json!({"operation": "install_usage_license", "license": text})
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn licences_are_installed_listed_and_used() {
        let key = STANDARD.encode(pair().public_key().as_ref());
        let instance = instance(Some(key)).await;
        let unlicensed = ask(&instance, json!({"operation": "registration_info"})).await;
        assert_eq!(
            unlicensed,
            json!({"registered": false, "version": env!("CARGO_PKG_VERSION"), "ram_allocation": 512, "license_expiration_date": null})
        );
        assert_eq!(ask(&instance, json!({"operation": "get_usage_licenses"})).await, json!([]));
        let first = signed(HEADER, &payload("b1").to_string());
        let done = json!({"message": "Successfully installed usage license"});
        assert_eq!(ask(&instance, install(&first)).await, done);
        assert_eq!(ask(&instance, install(&first)).await["error"], "License 'b1' is installed already");
        let mut wrong = signed(HEADER, &payload("b2").to_string());
        wrong.replace_range(wrong.len() - 4.., "AAAA");
        assert_eq!(
            ask(&instance, install(&wrong)).await["error"],
            "'license' is not valid: its signature is wrong"
        );
        for (license, fault) in [
            (json!("a.b"), "'license' must be three base64url parts joined by dots"),
            (json!(5), "'license' must be a string"),
            (json!(""), "'license' is not allowed to be empty"),
        ] {
            let answer =
                ask(&instance, json!({"operation": "install_usage_license", "license": license})).await;
            assert_eq!(answer["error"], fault);
        }
        let registered = ask(&instance, json!({"operation": "registration_info"})).await;
        assert_eq!(
            (&registered["registered"], &registered["license_expiration_date"]),
            (&json!(true), &json!("2999-01-01"))
        );
        let read = spec::registry().index_of("search_by_id").unwrap();
        for _ in 0..3 {
            instance
                .server
                .meters
                .count(read, Sample { status: 200, taken: Duration::ZERO, received: 9, sent: 20 });
        }
        Aggregator::new().aggregate(&instance.server).await.unwrap();
        let listed = ask(&instance, json!({"operation": "get_usage_licenses"})).await;
        let block = &listed[0];
        assert_eq!(
            (&block["id"], &block["usedReads"], &block["usedReadBytes"], &block["usedWrites"]),
            (&json!("b1"), &json!(3), &json!(60), &json!(0))
        );
        assert!(block["usedCpuTime"].is_number() && block.get("license_key").is_none());
        let of = |region: &str| json!({"operation": "get_usage_licenses", "region": region});
        assert_eq!(ask(&instance, of("eu")).await, listed);
        assert_eq!(ask(&instance, of("us")).await, json!([]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn old_licences_and_fingerprints() {
        let instance = instance(None).await;
        let fingerprint = ask(&instance, json!({"operation": "get_fingerprint"})).await;
        assert_eq!(fingerprint["message"].as_str().unwrap().len(), 32);
        assert_eq!(ask(&instance, json!({"operation": "get_fingerprint"})).await, fingerprint);
        let set = |key: &str| json!({"operation": "set_license", "key": key, "company": "Example"});
        assert_eq!(ask(&instance, set("something")).await["error"], "'key' is not a valid license");
        let key = signed(HEADER, &payload("old").to_string());
        assert_eq!(ask(&instance, set(&key)).await, json!({"message": "Successfully set license"}));
        assert_eq!(ask(&instance, set(&key)).await, json!({"message": "Successfully set license"}));
        let listed = ask(&instance, json!({"operation": "get_usage_licenses"})).await.to_string();
        assert!(listed.contains("Example") && !listed.contains(&key));
        let missing = ask(&instance, json!({"operation": "set_license"})).await;
        assert_eq!(missing["error"], "'key' is required. 'company' is required");
    }
}
