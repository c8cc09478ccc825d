//! Bodies and requests that make no sense: a documented 4xx, and the instance goes on.

use crate::client::{Api, on_table};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bodies_that_are_not_requests() {
    let api = Api::with_table().await;
    for (body, text) in [
        (r#"{"a":"\ud800","__proto__":1}"#, "Object contains forbidden prototype property"),
        (r#"{"operation":7}"#, "Operation '7' not found"),
        ("[1]", "Request body must include an 'operation' property."),
        ("5", "Invalid JSON."),
    ] {
        let (status, answer) = api.text(body).await;
        assert_eq!((status, answer), (400, json!({"error": text}).to_string()), "{body}");
    }
    for body in [
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(1_000_000),
        "{\"operation\":\"describe_all\",\"x\":\"\u{1}\"}".to_owned(),
        r#"{"operation":"describe_all"} {}"#.to_owned(),
    ] {
        assert_eq!(api.text(body).await.0, 400);
    }
    api.done(json!({"operation": "describe_all"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn huge_requests_are_answered() {
    let api = Api::with_table().await;
    let long = "x".repeat(2_000_000);
    api.done(on_table("insert", json!({"records": [{"id": 1, "v": long}]}))).await;
    let search =
        on_table("search_by_value", json!({"attribute": "v", "value": long, "get_attributes": ["id"]}));
    assert_eq!(api.done(search).await, json!([{"id": 1}]));
    assert_eq!(api.refused(on_table("insert", json!({"records": [{"id": long}]}))).await.0, 500);
    assert_eq!(
        api.refused(on_table("insert", json!({"records": [{"id": 2, long.as_str(): 1}]}))).await.0,
        400
    );
    let described = api.done(json!({"operation": "describe_table", "database": "d", "table": "t"})).await;
    assert_eq!(described["record_count"], 1);
}
