//! The form of answers: negotiation, each media type, streamed results, files.

use super::raw::Response;
use super::{ADMIN, Instance, post};
use std::io::Read;

const SEARCH: &str = r#"{"operation":"search_by_value","database":"d","table":"t","attribute":"id","value":"*","get_attributes":["id","name","n","tags","o"]}"#;
const CONDITIONS: &str = r#"{"operation":"search_by_conditions","database":"d","table":"t","conditions":[{"attribute":"id","comparator":"greater_than","value":0}],"get_attributes":["id","name","n","tags","o"]}"#;
const ROWS: &str = r#"[{"id":1,"name":"Ann, \"the Ace\"","n":1.5,"tags":["a","b"],"o":{"k":1}},{"id":2,"name":"Bjørn","n":null,"tags":null,"o":null}]"#;

async fn with_records() -> Instance {
    let instance = Instance::start().await;
    for request in [
        r#"{"operation":"create_database","database":"d"}"#,
        r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#,
        r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1,"name":"Ann, \"the Ace\"","n":1.5,"tags":["a","b"],"o":{"k":1}},{"id":2,"name":"Bjørn","n":null}]}"#,
    ] {
        let response = instance.operation(request).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
    instance
}

async fn ask(instance: &Instance, body: &str, accept: &str) -> Response {
    instance.exchange(&post(body, &[("Authorization", ADMIN), ("Accept", accept)])).await
}

#[tokio::test]
async fn json_is_the_default() {
    let instance = with_records().await;
    for accept in ["", "*/*", "APPLICATION/JSON", "text/html, */*;q=0.8", "text/csv, */*"] {
        let response = ask(&instance, SEARCH, accept).await;
        assert_eq!((response.status, response.text()), (200, ROWS), "{accept}");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    let response = ask(&instance, CONDITIONS, "*/*").await;
    assert_eq!(response.text(), ROWS);
    assert_eq!(response.header("transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn csv_is_a_download() {
    let instance = with_records().await;
    let table = "\"id\",\"name\",\"n\",\"tags\",\"o\"\n1,\"Ann, \"\"the Ace\"\"\",1.5,\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"k\"\":1}\"\n2,\"Bjørn\",,,";
    for body in [SEARCH, CONDITIONS] {
        let response = ask(&instance, body, "text/csv").await;
        assert_eq!(response.text(), table);
        assert_eq!(response.header("content-type"), Some("text/csv"));
        assert_eq!(response.header("content-disposition"), Some("attachment; filename=\"data.csv\""));
        assert_eq!(response.header("transfer-encoding"), Some("chunked"));
    }
    let response = ask(&instance, r#"{"operation":"frobnicate"}"#, "text/csv").await;
    assert_eq!((response.status, response.text()), (400, "\"error\"\n\"Operation 'frobnicate' not found\""));
}

#[tokio::test]
async fn yaml_and_event_streams() {
    let instance = with_records().await;
    let response = ask(&instance, SEARCH, "text/yaml").await;
    assert_eq!(
        response.text(),
        "- id: 1\n  name: Ann, \"the Ace\"\n  n: 1.5\n  tags:\n    - a\n    - b\n  o:\n    k: 1\n\
         - id: 2\n  name: Bjørn\n  n: null\n  tags: null\n  o: null\n"
    );
    let response = ask(&instance, SEARCH, "text/event-stream").await;
    assert_eq!(response.text(), format!("data: {ROWS}\n\n"));
}

#[tokio::test]
async fn binary_types_stream_openly() {
    let instance = with_records().await;
    let cbor = ask(&instance, SEARCH, "application/cbor").await.body;
    assert_eq!(cbor[0], 0x82);
    let cbor = ask(&instance, CONDITIONS, "application/json, application/cbor").await.body;
    assert_eq!((cbor[0], cbor[cbor.len() - 1]), (0x9f, 0xff));
    let rows: serde_json::Value = cbor4ii::serde::from_slice(&cbor).unwrap();
    assert_eq!(rows, serde_json::from_str::<serde_json::Value>(ROWS).unwrap());

    let packed = ask(&instance, SEARCH, "application/x-msgpack").await.body;
    let rows: serde_json::Value = rmp_serde::from_slice(&packed).unwrap();
    assert_eq!(rows, serde_json::from_str::<serde_json::Value>(ROWS).unwrap());
    let sequence = ask(&instance, CONDITIONS, "application/x-msgpack").await.body;
    assert_eq!(sequence, packed[1..], "the same documents without the array around them");
}

#[tokio::test]
async fn a_406_comes_after_the_operation_and_replaces_its_outcome() {
    let instance = with_records().await;
    let insert = r#"{"operation":"insert","database":"d","table":"t","records":[{"id":9}]}"#;
    let response = ask(&instance, insert, "image/png").await;
    assert_eq!(response.status, 406);
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(response.json()["statusCode"], 406);
    let search =
        r#"{"operation":"search_by_id","database":"d","table":"t","ids":[9],"get_attributes":["id"]}"#;
    assert_eq!(instance.operation(search).await.text(), r#"[{"id":9}]"#);
    for body in ["{", "{}", r#"{"operation":"frobnicate"}"#] {
        assert_eq!(ask(&instance, body, "text/*").await.status, 406, "{body}");
    }
    assert_eq!(instance.exchange(&post(insert, &[("Accept", "text/html")])).await.status, 406);
}

#[tokio::test]
async fn requests_in_binary_types() {
    let instance = with_records().await;
    for (content_type, hex) in [
        (
            "application/cbor",
            "a4696f7065726174696f6e66757073657274686461746162617365616465\
             7461626c656174677265636f72647381a262696463626f78616a41ff",
        ),
        (
            "application/x-msgpack",
            "84a96f7065726174696f6ea6757073657274a86461746162617365a164a57461626c65a174\
             a77265636f72647391 82a26964a3626f78 a16ac401ff",
        ),
    ] {
        let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
            .collect();
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: test\r\nAuthorization: {ADMIN}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        )
        .into_bytes();
        request.extend_from_slice(&bytes);
        let response = instance.exchange(&request).await;
        assert_eq!(
            (response.status, &response.json()["upserted_hashes"][0]),
            (200, &"box".into()),
            "{content_type}"
        );
        let search =
            r#"{"operation":"search_by_id","database":"d","table":"t","ids":["box"],"get_attributes":["j"]}"#;
        let shown = instance.operation(search).await;
        assert_eq!(shown.text(), r#"[{"j":{"type":"Buffer","data":[255]}}]"#, "{content_type}");
    }
}

#[tokio::test]
async fn backups_are_sent_as_files() {
    let instance = with_records().await;
    let backup = r#"{"operation":"get_backup","database":"d"}"#;
    let plain = ask(&instance, backup, "*/*").await;
    assert_eq!(plain.header("content-type"), Some("application/octet-stream"));
    assert_eq!(plain.header("content-disposition"), Some("attachment; filename=\"d\""));
    assert_eq!(plain.header("transfer-encoding"), Some("chunked"));
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.body.len() > 4096);
    let headers = [("Authorization", ADMIN), ("Accept-Encoding", "br, gzip")];
    let packed = instance.exchange(&post(backup, &headers)).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), plain.body.len());
}
