//! Two spellings of one field in one request: the loser is not even looked at.

use crate::client::{Api, on_table};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_value_of_the_losing_spelling_does_not_matter() {
    let api = Api::with_table().await;
    let both = json!({"operation": "create_table", "database": "d", "table": "u", "primary_key": "pk", "hash_attribute": 4});
    api.done(both).await;
    let described = api.done(json!({"operation": "describe_table", "database": "d", "table": "u"})).await;
    assert_eq!(described["hash_attribute"], "pk");

    api.done(on_table("insert", json!({"records": [{"id": 1, "a": "x"}]}))).await;
    let by_id = on_table("search_by_id", json!({"ids": [1], "hash_values": "x", "get_attributes": ["a"]}));
    assert_eq!(api.done(by_id).await, json!([{"a": "x"}]));
    let by_value = on_table(
        "search_by_value",
        json!({"attribute": {}, "search_attribute": "a", "value": "x", "get_attributes": ["id"]}),
    );
    assert_eq!(api.done(by_value).await, json!([{"id": 1}]));
    let delete = api.done(on_table("delete", json!({"ids": [1], "hash_values": "x"}))).await;
    assert_eq!(delete["deleted_hashes"], json!([1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_fault_is_told_once_for_each_spelling() {
    let api = Api::start().await;
    let create =
        json!({"operation": "create_table", "database": 4, "schema": 5, "table": "t", "primary_key": "id"});
    assert_eq!(
        api.refused(create).await,
        (400, "'database' must be a string. 'schema' must be a string".to_owned())
    );
    let delete = json!({"operation": "delete", "table": "t", "ids": 1, "hash_values": 2});
    assert_eq!(
        api.refused(delete).await,
        (400, "'hash_values' must be an array. 'ids' must be an array".to_owned())
    );
    // Here both spellings are fields of their own.
    let create = json!({"operation": "create_database", "database": 4, "schema": ""});
    assert_eq!(
        api.refused(create).await,
        (400, "'database' must be a string. 'schema' is not allowed to be empty".to_owned())
    );
}
