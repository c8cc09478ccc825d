//! Reading from the store: records by key, projections, scans of keys and of indexes.

use benches::records::{key, record, team};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use reference_server::operations::ReplyForm;
use reference_server::query::{Projection, RowWriter};
use reference_server::store::{Database, KeyRange, Store, StoreError, StoreOptions, Table, TableSpec};
use reference_server::value::{Object, Value};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const RECORDS: u64 = 20_000;

/// A store with one table of records; its folder goes with it.
struct Loaded {
    database: Arc<Database>,
    table: Arc<Table>,
    _store: Store,
    _folder: tempfile::TempDir,
}

fn load() -> Result<Loaded, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), StoreOptions { no_sync: true, ..StoreOptions::default() })?;
    let database = store.create_database("bench")?;
    let table = database.write_blocking(|txn| {
        let table = txn.create_table(TableSpec::dynamic("records", "id"))?;
        for number in 0..RECORDS {
            if let Value::Object(members) = Value::from(&record(1, number)) {
                txn.put(&table, &Value::String(key(number)), &members, None)?;
            }
        }
        Ok::<_, StoreError>(table)
    })?;
    let table = database.catalog().table(&table.name).cloned().ok_or("no table")?;
    Ok(Loaded { database, table, _store: store, _folder: folder })
}

fn reading(criterion: &mut Criterion) {
    let Ok(loaded) = load() else { return eprintln!("the store cannot be loaded") };
    let Loaded { database, table, .. } = &loaded;
    let mut number = 0;
    let mut next_key = move || {
        number = (number + 7919) % RECORDS;
        Value::String(key(number))
    };
    criterion.bench_function("begin and end a read transaction", |bencher| {
        bencher.iter(|| database.read().map(|txn| txn.catalog().tables().len()));
    });
    let Ok(txn) = database.read() else { return };
    let mut group = criterion.benchmark_group("record by key");
    group.bench_function("find", |bencher| {
        bencher.iter_batched(
            &mut next_key,
            |key| txn.get(table, &key).map(|record| record.map(|record| record.updated())),
            BatchSize::SmallInput,
        );
    });
    let bio = table.attribute_id("bio");
    group.bench_function("find and read one attribute", |bencher| {
        bencher.iter_batched(
            &mut next_key,
            |key| txn.get(table, &key).map(|record| record?.attribute(bio?).map(|raw| raw.json().len())),
            BatchSize::SmallInput,
        );
    });
    for (name, names) in [("all attributes", &["*"][..]), ("three attributes", &["id", "name", "age"])] {
        let names: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
        for (form, form_name) in [(ReplyForm::Text, "text"), (ReplyForm::Tree, "values")] {
            group.bench_function(format!("find and project {name} as {form_name}"), |bencher| {
                bencher.iter_batched(
                    &mut next_key,
                    |key| {
                        let mut rows = RowWriter::new(table, Projection::new(table, &names), form);
                        if let Ok(Some(record)) = txn.get(table, &key) {
                            rows.push(&record);
                        }
                        rows.finish(false)
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();

    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("all records in key order", |bencher| {
        bencher
            .iter(|| txn.scan(table, KeyRange::all(), false).map(|scan| scan.filter(Result::is_ok).count()));
    });
    let Some(city) = table.attribute_id("city") else { return };
    group.bench_function("all entries of an index", |bencher| {
        bencher.iter(|| {
            txn.index(table, city, KeyRange::all(), false).map(|scan| scan.filter(Result::is_ok).count())
        });
    });
    group.finish();
    let Some(team_id) = table.attribute_id("team") else { return };
    criterion.bench_function("index: twenty records of one value", |bencher| {
        let value = Value::String(team(4242));
        bencher.iter(|| -> Result<usize, StoreError> {
            let mut length = 0;
            for hit in txn.index(table, team_id, KeyRange::equal(black_box(&value)), false)? {
                if let Some(record) = txn.get_encoded(table, hit?.key)? {
                    length += record.attribute(city).map_or(0, |raw| raw.json().len());
                }
            }
            Ok(length)
        });
    });
    // What a request decodes a record's members into.
    criterion.bench_function("record as values", |bencher| {
        let Ok(Some(record)) = txn.get(table, &Value::String(key(1))) else { return };
        bencher.iter(|| -> Object {
            record.attributes().map(|(id, raw)| (table.attribute_name(id).to_owned(), raw.decode())).collect()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = reading
}
criterion_main!(benches);
