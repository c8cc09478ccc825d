//! Searches that meet something unusual.

use crate::client::{Api, on_table};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_path_to_nothing_is_not_found() {
    let api = Api::with_table().await;
    api.done(on_table("insert", json!({"records": [{"id": 1, "a": 5}]}))).await;
    let search = |attribute: Value| {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn long_keys_and_values_come_in_order_too() {
    let api = Api::with_table().await;
    let long = |tail: usize| format!("{}{tail}", "x".repeat(700));
    let records: Vec<Value> =
        [3, 1, 8, 0, 5, 2].iter().map(|tail| json!({"id": long(*tail), "v": long(9 - tail)})).collect();
    api.done(on_table("insert", json!({"records": records}))).await;
    let others = json!([{"id": "a", "v": "a"}, {"id": "x".repeat(700), "v": ["x", long(7), "z", "～"]}, {"id": "z", "v": "z"}]);
    api.done(on_table("insert", json!({"records": others}))).await;

    let tails = |found: Value| -> Vec<String> {
        let tail = |record: &Value| record["id"].as_str().unwrap().trim_start_matches('x').to_owned();
        found.as_array().unwrap().iter().map(tail).collect()
    };
    let all = |more: Value| {
        let mut request = json!({"attribute": "id", "value": "*", "get_attributes": ["id"]});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        on_table("search_by_value", request)
    };
    assert_eq!(tails(api.done(all(json!({}))).await), ["a", "", "0", "1", "2", "3", "5", "8", "z"]);
    let backwards = all(json!({"desc": true, "offset": 2, "limit": 4}));
    assert_eq!(tails(api.done(backwards).await), ["5", "3", "2", "1"]);

    let by_value = |comparator: &str, value: Value, limit: usize| {
        on_table(
            "search_by_conditions",
            json!({"conditions": [{"attribute": "v", "comparator": comparator, "value": value}],
                "get_attributes": ["id"], "limit": limit}),
        )
    };
    let from = by_value("greater_than_equal", json!(long(2)), 5);
    // The array has an entry of 7 among them, and others after it: it comes once.
    assert_eq!(tails(api.done(from).await), ["5", "3", "", "2", "1"]);
    let between = by_value("between", json!([long(5), long(8)]), 9);
    assert_eq!(tails(api.done(between).await), ["3", "", "2", "1"]);
    assert_eq!(tails(api.done(by_value("equals", json!(long(9)), 9)).await), ["0"]);
    assert_eq!(tails(api.done(by_value("less_than", json!(long(3)), 9)).await), ["a", "", "8"]);
}
