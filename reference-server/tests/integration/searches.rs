//! Searches that meet something unusual.

use crate::client::{Api, on_table};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_path_to_nothing_is_not_found() {
    let api = Api::with_table().await;
    api.done(on_table("insert", json!({"records": [{"id": 1, "a": 5}]}))).await;
    let search = |attribute: serde_json::Value| {
        on_table(
            "search_by_conditions",
            json!({"conditions": [{"attribute": attribute, "value": 5}], "get_attributes": ["id"]}),
        )
    };
    assert_eq!(
        api.refused(search(json!(["a", "b"]))).await,
        (404, "a,b is not a defined attribute".to_owned())
    );
    assert_eq!(api.refused(search(json!(["x"]))).await, (404, "x is not a defined attribute".to_owned()));
    assert_eq!(api.refused(search(json!("x"))).await, (400, "unknown attribute 'x'".to_owned()));
    assert_eq!(api.done(search(json!(["a"]))).await, json!([{"id": 1}]));
}
