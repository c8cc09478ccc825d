//! Rows made and read.

use crate::analytics::aggregate::Aggregator;
use crate::analytics::meters::Sample;
use crate::operations::testing::Instance;
use serde_json::{Value as Json, json};
use std::time::Duration;

async fn ask(instance: &Instance, operation: &str, more: &str) -> Json {
    let answer = instance.admin(&format!(r#"{{"operation":"{operation}"{more}}}"#)).await;
    serde_json::from_str(&answer).unwrap()
}

/// An instance whose rows were made twice.
async fn measured() -> Instance {
    let instance = Instance::new().await;
    instance.admin(r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#).await;
    let mut aggregator = Aggregator::new();
    for operation in ["insert", "search_by_id"] {
        let operation = spec::registry().index_of(operation).unwrap();
        for status in [200, 200, 400] {
            let taken = Duration::from_millis(2);
            instance.server.meters.count(operation, Sample { status, taken, received: 100, sent: 50 });
        }
        aggregator.aggregate(&instance.server).await.unwrap();
    }
    instance
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_listed_by_kind() {
    let instance = measured().await;
    let builtin = ask(&instance, "list_metrics", "").await;
    assert_eq!(builtin.as_array().unwrap().len(), 6);
    assert_eq!(ask(&instance, "list_metrics", r#","metric_types":["builtin"]"#).await, builtin);
    for none in [r#","metric_types":[]"#, r#","metric_types":["other",5]"#] {
        assert_eq!(ask(&instance, "list_metrics", none).await, json!([]));
    }
    let custom = ask(&instance, "list_metrics", r#","metric_types":["custom"]"#).await;
    let expected = [
        "bytes-sent",
        "cpu-usage",
        "db-read",
        "db-write",
        "duration",
        "memory",
        "response_200",
        "response_400",
        "success",
    ];
    assert_eq!(custom, json!(expected));
    for wrong in [r#","metric_types":5"#, r#","metric_types":"builtin""#, r#","metric_types":null"#] {
        let answer = ask(&instance, "list_metrics", wrong).await;
        assert_eq!(answer["error"], "'metric_types' must be an array", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_described_by_their_newest_row() {
    let instance = measured().await;
    for (metric, members) in [
        ("table-size", "metric database table size"),
        ("database-size", "metric database size used free audit"),
        ("storage-volume", "metric database available free size"),
        (
            "main-thread-utilization",
            "metric idle active taskQueueLatency time rss heapTotal heapUsed external arrayBuffers",
        ),
        (
            "resource-usage",
            "metric userCPUTime systemCPUTime minorPageFault majorPageFault fsRead fsWrite voluntaryContextSwitches involuntaryContextSwitches time period cpuUtilization",
        ),
        ("utilization", "metric period idle active utilization count time"),
        ("duration", "metric period path method type mean count p1 p10 p25 median p75 p90 p95 p99 p999 time"),
    ] {
        let described = ask(&instance, "describe_metric", &format!(r#","metric":"{metric}""#)).await;
        let described = described["attributes"].as_array().unwrap();
        assert_eq!(described[0], json!({"name": "node", "type": "string"}));
        let mut found: Vec<(&str, &str)> = described[1..]
            .iter()
            .map(|attribute| (attribute["name"].as_str().unwrap(), attribute["type"].as_str().unwrap()))
            .collect();
        let texts = ["metric", "database", "table", "path", "method", "type"];
        let kind = |name: &str| if texts.contains(&name) { "string" } else { "number" };
        let mut expected: Vec<(&str, &str)> = members.split(' ').map(|name| (name, kind(name))).collect();
        expected.push(("id", "object"));
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{metric}");
    }
    for unknown in ["", r#","metric":"nothing""#, r#","metric":5"#, r#","metric":null"#] {
        assert_eq!(ask(&instance, "describe_metric", unknown).await, json!({}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_picked_by_metric_window_and_conditions() {
    let instance = measured().await;
    let usage = r#","metric":"resource-usage""#;
    let all = ask(&instance, "get_analytics", usage).await;
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 2);
    let ids: Vec<f64> = all.iter().map(|row| row["id"].as_f64().unwrap()).collect();
    assert!(ids[0] < ids[1] && all[0]["node"] == "localhost" && all[0]["cpuUtilization"].is_number());
    for (window, rows) in [
        (format!(r#","end_time":{}"#, ids[1]), vec![ids[0]]),
        (format!(r#","start_time":{}"#, ids[1]), vec![ids[1]]),
        (format!(r#","start_time":{},"end_time":{}"#, ids[0], ids[1]), vec![ids[0]]),
        (r#","start_time":1600000000000,"end_time":1600000060000"#.to_owned(), vec![]),
    ] {
        let picked =
            ask(&instance, "get_analytics", &format!(r#"{usage},"get_attributes":["metric"]{window}"#)).await;
        let rows: Vec<Json> =
            rows.into_iter().map(|id| json!({"metric": "resource-usage", "id": id})).collect();
        assert_eq!(picked, json!(rows), "{window}");
    }
    let keys = |row: &Json| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let starred = ask(&instance, "get_analytics", &format!(r#"{usage},"get_attributes":["*"]"#)).await;
    assert!(
        !keys(&starred[0]).contains(&"node".to_owned()) && keys(&starred[0]).len() + 1 == keys(&all[0]).len()
    );
    let none = ask(&instance, "get_analytics", &format!(r#"{usage},"get_attributes":["nothing"]"#)).await;
    assert_eq!(keys(&none[0]), ["id"]);
    for (conditions, count) in [
        (r#"[{"attribute":"table","value":"t"}]"#, 2),
        (
            r#"[{"search_attribute":"table","search_type":"equals","search_value":"t"},{"attribute":"node","comparator":"equals","value":"localhost"}]"#,
            2,
        ),
        (r#"[{"attribute":"node","comparator":"equals","value":"elsewhere"}]"#, 0),
        (
            r#"[{"operator":"or","conditions":[{"attribute":"table","value":"t"},{"attribute":"table","value":"hdb_user"}]}]"#,
            4,
        ),
        ("[]", 2 * 18),
    ] {
        let rows =
            ask(&instance, "get_analytics", &format!(r#","metric":"table-size","conditions":{conditions}"#))
                .await;
        let found = rows.as_array().unwrap().len();
        assert!(found == count || (conditions == "[]" && found >= count), "{conditions}: {found}");
    }
    for (more, fault) in [
        ("", "Search condition for metric must have a value"),
        (r#","metric":"x","conditions":5"#, "'conditions' must be an array"),
        (r#","metric":"x","get_attributes":"id""#, "'get_attributes' must be an array"),
    ] {
        assert_eq!(ask(&instance, "get_analytics", more).await["error"], fault);
    }
    for nothing in [r#","start_time":0"#, r#","metric":"plat-leak-rate""#, r#","metric":5"#] {
        assert_eq!(ask(&instance, "get_analytics", nothing).await, json!([]), "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_measured() {
    let instance = measured().await;
    let of = |metric: &str| format!(r#","metric":"{metric}""#);
    let durations = ask(&instance, "get_analytics", &of("duration")).await;
    assert_eq!((&durations[0]["path"], &durations[0]["count"]), (&json!("insert"), &json!(3)));
    let median = durations[0]["median"].as_f64().unwrap();
    assert!((1.7..2.3).contains(&median), "{median}");
    let success = ask(&instance, "get_analytics", &of("success")).await;
    assert_eq!(
        (&success[1]["path"], &success[1]["total"], &success[1]["count"]),
        (&json!("search_by_id"), &json!(2), &json!(3))
    );
    let written = ask(&instance, "get_analytics", &of("db-write")).await;
    assert_eq!((written.as_array().unwrap().len(), &written[0]["mean"]), (1, &json!(100)));
}
