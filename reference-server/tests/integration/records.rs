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

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn stamps_are_right_whatever_their_type() {
    let api = Api::start().await;
    let of = |name: &str, kind: &str, stamp: &str| json!({"name": name, "type": kind, stamp: true});
    api.done(json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id",
        "attributes": [{"name": "id"}, of("made", "Long", "assignCreatedTime"), of("changed", "Int", "assignUpdatedTime"),
            {"name": "also", "assignUpdatedTime": true}]}))
        .await;
    for operation in ["insert", "update", "upsert"] {
        api.done(on_table(operation, json!({"records": [{"id": 1, "made": "never"}]}))).await;
    }
    let stamps = json!({"ids": [1], "get_attributes": ["made", "changed", "also"]});
    let record = api.done(on_table("search_by_id", stamps)).await[0].clone();
    assert!(["made", "changed", "also"].iter().all(|name| record[name].as_f64() > Some(1e12)), "{record}");
    let table = api.done(on_table("describe_table", json!({}))).await;
    let also = json!({"attribute": "also", "assigned_updated_time": true});
    assert!(table["attributes"].as_array().unwrap().contains(&also), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn texts_are_dates_as_javascript_reads_them() {
    let api = Api::start().await;
    api.done(json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id",
        "attributes": [{"name": "id", "type": "Int"}, {"name": "at", "type": "Date"}]}))
        .await;
    let shown = async |text: &str| {
        api.done(on_table("upsert", json!({"records": [{"id": 1, "at": text}]}))).await;
        let search = on_table("search_by_id", json!({"ids": [1], "get_attributes": ["at"]}));
        api.done(search).await[0]["at"].as_str().unwrap_or_default().to_owned()
    };
    for text in
        ["June 5, 2021", "2021/06/05", "6/5/2021", "Sat, 05 Jun 2021 00:00:00 GMT", "2021-06-04T24:00:00Z"]
    {
        assert_eq!(shown(text).await, "2021-06-05T00:00:00.000Z", "{text}");
    }
    assert_eq!(shown("2021").await, "2021-01-01T00:00:00.000Z");
    let refused = api.refused(on_table("upsert", json!({"records": [{"id": 1, "at": "soon"}]}))).await;
    assert!(refused.1.contains("must be a Date"), "{}", refused.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn keys_begin_anew_with_a_database() {
    let api = Api::start().await;
    let table = json!({"operation": "create_table", "database": "d", "table": "t", "primary_key": "id",
        "attributes": [{"name": "id", "type": "Int"}]});
    for first in [1, 2_147_483_645, 1] {
        api.done(table.clone()).await;
        let inserted = api.done(on_table("insert", json!({"records": [{}]}))).await;
        assert_eq!(inserted["inserted_hashes"], json!([1]));
        api.done(on_table("insert", json!({"records": [{"id": first + 1}, {}]}))).await;
        api.done(json!({"operation": "drop_database", "database": "d"})).await;
    }
}
