//! Keys to bytes and back, JSON bodies to values and back.

use benches::records::record;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use reference_server::store::keys;
use reference_server::value::{Value, parse_json, write_json};
use std::hint::black_box;
use std::time::Duration;

fn key_codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key codec");
    let cases = [
        ("number", Value::Number(-1234.5)),
        ("short string", Value::from("r00000042")),
        ("string with zeros", Value::from("a\0b\0c")),
        ("long string, shortened", Value::String("x".repeat(2000))),
        ("array", Value::Array(vec![Value::from("eu"), Value::Number(7.0), Value::Bool(true)])),
    ];
    for (name, value) in &cases {
        let mut out = Vec::with_capacity(4096);
        group.bench_function(format!("encode {name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                keys::append_key(&mut out, black_box(value))
            });
        });
        out.clear();
        keys::append_key(&mut out, value);
        if keys::is_exact(&out) {
            group.bench_function(format!("decode {name}"), |bencher| {
                bencher.iter(|| keys::decode(black_box(&out)))
            });
        }
    }
    group.finish();
}

fn json(criterion: &mut Criterion) {
    let search = serde_json::json!({"operation": "search_by_id", "database": "bench", "table": "records",
        "ids": ["r00000042"], "get_attributes": ["*"]});
    let records: Vec<serde_json::Value> = (0..1000).map(|number| record(1, number)).collect();
    let insert = serde_json::json!({"operation": "insert", "database": "bench", "table": "records", "records": records});
    for (name, body) in [("search_by_id", search), ("insert of 1000 records", insert)] {
        let text = body.to_string();
        let mut group = criterion.benchmark_group(format!("JSON of {name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("decode", |bencher| bencher.iter(|| parse_json(black_box(text.as_bytes()))));
        let Ok(value) = parse_json(text.as_bytes()) else { continue };
        let mut out = Vec::with_capacity(text.len() * 2);
        group.bench_function("encode", |bencher| {
            bencher.iter(|| {
                out.clear();
                write_json(&mut out, black_box(&value));
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = key_codec, json
}
criterion_main!(benches);
