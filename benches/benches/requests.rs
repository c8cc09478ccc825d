//! Requests without HTTP: the check against the contract, and the whole way through the server.

use benches::records::{key, record, team};
use criterion::{Criterion, criterion_group, criterion_main};
use reference_server::access::Caller;
use reference_server::config::Config;
use reference_server::operations::ReplyForm;
use reference_server::server::Server;
use reference_server::value::Value;
use serde_json::{Value as Json, json};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const RECORDS: u64 = 5_000;

fn requests() -> Vec<(&'static str, Json)> {
    vec![
        ("user_info", json!({"operation": "user_info"})),
        (
            "search_by_id",
            json!({"operation": "search_by_id", "database": "bench", "table": "records", "ids": [key(42)], "get_attributes": ["*"]}),
        ),
        (
            "search_by_value",
            json!({"operation": "search_by_value", "database": "bench", "table": "records",
                "attribute": "team", "value": team(42), "get_attributes": ["*"]}),
        ),
        (
            "search_by_conditions",
            json!({"operation": "search_by_conditions", "database": "bench", "table": "records", "operator": "and",
                "get_attributes": ["id", "name", "age"], "conditions": [
                    {"attribute": "team", "comparator": "equals", "value": team(42)},
                    {"attribute": "age", "comparator": "greater_than", "value": 40}]}),
        ),
        ("describe_table", json!({"operation": "describe_table", "database": "bench", "table": "records"})),
        (
            "update",
            json!({"operation": "update", "database": "bench", "table": "records",
                "records": [{"id": key(42), "visits": 7}]}),
        ),
    ]
}

fn validation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check against the contract");
    for (name, request) in requests() {
        let Some(operation) = spec::registry().operation(name) else { continue };
        group.bench_function(name, |bencher| bencher.iter(|| operation.check(black_box(&request))));
    }
    let Some(operation) = spec::registry().operation("search_by_id") else { return };
    let faulty = json!({"operation": "search_by_id", "database": 7, "ids": "x"});
    group.bench_function("search_by_id with three faults", |bencher| {
        bencher.iter(|| operation.check_text(black_box(&faulty)));
    });
    group.finish();
}

/// A server with the table, and a super user to ask it.
async fn server(folder: &std::path::Path) -> anyhow::Result<(Arc<Server>, Caller)> {
    let server = Server::open(Config::ephemeral(folder)).await?;
    let caller = Caller::of(server.access.any_super_user());
    let records: Vec<Json> = (0..RECORDS).map(|number| record(1, number)).collect();
    for body in [
        json!({"operation": "create_database", "database": "bench"}),
        json!({"operation": "create_table", "database": "bench", "table": "records", "primary_key": "id"}),
        json!({"operation": "insert", "database": "bench", "table": "records", "records": records}),
    ] {
        let answer = server.answer(caller.clone(), Value::from(&body), ReplyForm::Text).await;
        answer.map_err(|error| anyhow::anyhow!("{body}: {error:?}"))?;
    }
    Ok((server, caller))
}

fn answering(criterion: &mut Criterion) {
    let (Ok(runtime), Ok(folder)) = (tokio::runtime::Runtime::new(), tempfile::tempdir()) else { return };
    let (server, caller) = match runtime.block_on(server(folder.path())) {
        Ok(ready) => ready,
        Err(error) => return eprintln!("no server: {error:#}"),
    };
    let mut group = criterion.benchmark_group("answer, without HTTP and without syncing");
    for (name, request) in requests() {
        let request = Value::from(&request);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime.block_on(server.answer(caller.clone(), black_box(request.clone()), ReplyForm::Text))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = validation, answering
}
criterion_main!(benches);
