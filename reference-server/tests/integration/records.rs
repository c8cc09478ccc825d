//! Records as they come back: order of members, dates, keys.

use crate::client::{Api, on_table};
use serde_json::{Value, json};

/// The names of the members of the first record, in order.
async fn names(api: &Api, key: Value) -> Vec<String> {
    let records = api.done(on_table("search_by_value", json!({"attribute": "id", "value": key}))).await;
    records[0].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn stored_records_show_what_was_sent_first_and_stamps_after_it() {
    let api = Api::with_table().await;
    api.done(on_table("insert", json!({"records": [{"id": 1, "b": 1, "a": 2}]}))).await;
    assert_eq!(names(&api, json!(1)).await, ["id", "b", "a", "__updatedtime__", "__createdtime__"]);

    api.done(on_table("update", json!({"records": [{"id": 1, "c": 3, "b": 4}]}))).await;
    assert_eq!(names(&api, json!(1)).await, ["id", "c", "b", "__updatedtime__", "a", "__createdtime__"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn created_times_stay_and_updated_times_go_on() {
    let api = Api::with_table().await;
    let times = || async {
        let request = on_table(
            "search_by_id",
            json!({"ids": [1], "get_attributes": ["__createdtime__", "__updatedtime__"]}),
        );
        let record = api.done(request).await[0].clone();
        (record["__createdtime__"].as_f64().unwrap(), record["__updatedtime__"].as_f64().unwrap())
    };
    api.done(on_table("insert", json!({"records": [{"id": 1, "__createdtime__": 5, "__updatedtime__": 6}]})))
        .await;
    let (created, updated) = times().await;
    assert_eq!(created, updated);
    assert!(created > 1e12);
    for operation in ["update", "upsert"] {
        api.done(on_table(operation, json!({"records": [{"id": 1, "__createdtime__": 7, "v": operation}]})))
            .await;
        let (created_again, updated_again) = times().await;
        assert_eq!(created_again, created);
        assert!(updated_again > updated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dates_stay_within_the_calendar() {
    let api = Api::start().await;
    let table = json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id",
        "attributes": [{"name": "id", "type": "Int"}, {"name": "at", "type": "Date", "indexed": true}]});
    api.done(table).await;
    api.done(on_table("insert", json!({"records": [{"id": 1, "at": 253_402_300_800_000_i64}]}))).await;
    let search = on_table("search_by_id", json!({"ids": [1], "get_attributes": ["at"]}));
    assert_eq!(api.done(search).await, json!([{"at": "+010000-01-01T00:00:00.000Z"}]));
    for (value, shown) in
        [(json!(1e20), "100000000000000000000"), (json!("NaN"), "\"NaN\""), (json!("inf"), "\"inf\"")]
    {
        assert_eq!(
            api.refused(on_table("insert", json!({"records": [{"id": 2, "at": value}]}))).await,
            (400, format!("Value {shown} in property at must be a Date"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn keys_that_are_too_long_are_refused_in_arrays_too() {
    let api = Api::with_table().await;
    let longest = json!("x".repeat(1978));
    api.done(on_table("insert", json!({"records": [{"id": longest}]}))).await;
    for key in [json!("x".repeat(1979)), json!(["x".repeat(1979)]), json!(vec![1; 1000])] {
        let (status, text) =
            api.refused(on_table("insert", json!({"records": [{"id": 1}, {"id": key}]}))).await;
        assert_eq!(status, 500);
        assert!(text.starts_with("Primary key size is too large: "), "{text}");
    }
    let all = on_table("search_by_value", json!({"attribute": "id", "value": "*", "get_attributes": ["id"]}));
    assert_eq!(api.done(all).await, json!([{"id": longest}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn all_faults_of_a_record_are_told_at_once() {
    let api = Api::start().await;
    let table = json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id",
        "attributes": [{"name": "id"}, {"name": "n", "type": "Int"}, {"name": "sum", "computed": true},
            {"name": "must", "nullable": false}]});
    api.done(table).await;
    assert_eq!(
        api.refused(on_table("insert", json!({"records": [{"id": 1, "n": "x", "sum": 1}]}))).await,
        (
            400,
            "Value \"x\" in property n must be an integer (from -2147483648 to 2147483647). \
             Computed property sum may not be directly assigned a value. \
             Property must is required (and not does not allow null values)"
                .to_owned()
        )
    );
}
