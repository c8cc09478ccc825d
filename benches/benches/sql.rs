//! SQL against what it is built on: a record by its key against `search_by_id`, groups of a whole table against a
//! plain scan of it.

use benches::records::{key, record};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use reference_server::access::Caller;
use reference_server::config::Config;
use reference_server::operations::ReplyForm;
use reference_server::server::Server;
use reference_server::store::{KeyRange, StoreError, TableSpec};
use reference_server::value::{Value, parse_json};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const RECORDS: u64 = 50_000;

/// An instance with one table of records; its folder goes with it.
struct Loaded {
    runtime: Runtime,
    server: Arc<Server>,
    caller: Caller,
    _folder: tempfile::TempDir,
}

impl Loaded {
    fn new() -> Result<Loaded, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let runtime = Runtime::new()?;
        let server = runtime.block_on(Server::open(Config::ephemeral(folder.path())))?;
        let database = server.store.create_database("bench")?;
        database.write_blocking(|txn| {
            let table = txn.create_table(TableSpec::dynamic("records", "id"))?;
            for number in 0..RECORDS {
                if let Value::Object(members) = Value::from(&record(1, number)) {
                    txn.put(&table, &Value::String(key(number)), &members, None)?;
                }
            }
            Ok::<_, StoreError>(())
        })?;
        let caller = Caller::of(server.access.user("admin"));
        Ok(Loaded { runtime, server, caller, _folder: folder })
    }

    fn ask(&self, request: &str) -> usize {
        let Ok(body) = parse_json(request.as_bytes()) else { return 0 };
        let answer = self.server.answer(self.caller.clone(), body, ReplyForm::Text);
        match self.runtime.block_on(answer) {
            Ok(reply) => {
                usize::from(matches!(black_box(reply), reference_server::operations::Reply::Rows(_)))
            }
            Err(error) => {
                eprintln!("{request}: {error}");
                0
            }
        }
    }
}

fn sql(criterion: &mut Criterion) {
    let Ok(loaded) = Loaded::new() else { return eprintln!("the instance cannot be loaded") };
    let mut number = 0;
    let mut next_key = move || {
        number = (number + 7919) % RECORDS;
        key(number)
    };
    let mut group = criterion.benchmark_group("one record by its key");
    group.bench_function("search_by_id", |bencher| {
        bencher.iter(|| {
            loaded.ask(&format!(
                r#"{{"operation":"search_by_id","database":"bench","table":"records","ids":["{}"],"get_attributes":["*"]}}"#,
                next_key()
            ))
        });
    });
    group.bench_function("sql", |bencher| {
        bencher.iter(|| {
            let sql = format!("SELECT * FROM bench.records WHERE id = '{}'", next_key());
            loaded.ask(&format!(r#"{{"operation":"sql","sql":"{sql}"}}"#))
        });
    });
    group.bench_function("sql: parsing alone", |bencher| {
        bencher.iter(|| {
            reference_server::sql::parse::parse(&format!(
                "SELECT * FROM bench.records WHERE id = '{}'",
                next_key()
            ))
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("a whole table");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("plain scan in the store", |bencher| {
        let Some(database) = loaded.server.store.database("bench") else { return };
        let Some(table) = database.catalog().table("records").cloned() else { return };
        bencher.iter(|| {
            let reader = database.read().ok()?;
            let records = reader.scan(&table, KeyRange::all(), false).ok()?;
            Some(records.filter_map(Result::ok).map(|record| record.updated()).sum::<f64>())
        });
    });
    group.bench_function("sql: groups with COUNT and AVG", |bencher| {
        bencher.iter(|| {
            loaded.ask(
                r#"{"operation":"sql","sql":"SELECT city, COUNT(*) AS n, AVG(age) AS a FROM bench.records GROUP BY city"}"#,
            )
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    targets = sql
}
criterion_main!(benches);
