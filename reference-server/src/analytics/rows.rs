//! The rows of one period.

use super::aggregate::Period;
use super::histogram::Distribution;
use super::meters::Reading;
use crate::server::Server;
use crate::store::{Database, StoreError};
use crate::system::usage::{Memory, Usage};
use crate::value::{Object, Value};

/// A row, its id excepted.
pub(super) type Row = Object;

fn row<const N: usize>(metric: &str, members: [(&str, Value); N]) -> Row {
    let mut row = Object::new();
    row.insert("metric".to_owned(), Value::from(metric));
    row.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
    row
}

fn number(number: impl Into<f64>) -> Value {
    Value::Number(number.into())
}

/// What requests did: how long they took, whether they succeeded, what was sent, and what they read and wrote.
pub(super) fn of_requests(readings: &[Reading], statuses: &[(u16, u64)], period: Period) -> Vec<Row> {
    let mut rows = Vec::new();
    for reading in readings {
        let path = reading.operation.name.as_str();
        let count = reading.taken.count();
        rows.push(distribution("duration", path, &reading.taken, 1000.0, period));
        rows.push(distribution("bytes-sent", path, &reading.sent, 1.0, period));
        rows.push(shares("success", Some(path), reading.succeeded, count, period));
        if reading.is_of_records() {
            let (metric, bytes) = match reading.operation.mutates {
                true => ("db-write", reading.received),
                false => ("db-read", reading.sent.sum()),
            };
            rows.push(row(
                metric,
                [
                    ("period", number(period.length)),
                    ("path", Value::from(path)),
                    ("mean", number(bytes as f64 / count.max(1) as f64)),
                    ("count", number(count as f64)),
                    ("time", number(period.end)),
                ],
            ));
        }
    }
    let all: u64 = statuses.iter().map(|(_, count)| count).sum();
    for (status, count) in statuses {
        rows.push(shares(&format!("response_{status}"), None, *count, all, period));
    }
    rows
}

/// `scale` is how many of the distribution's units make one of the row's.
fn distribution(metric: &str, path: &str, numbers: &Distribution, scale: f64, period: Period) -> Row {
    let quantile = |share: f64| number(numbers.quantile(share) / scale);
    row(
        metric,
        [
            ("period", number(period.length)),
            ("path", Value::from(path)),
            ("method", Value::from("POST")),
            ("type", Value::from("operation")),
            ("mean", number(numbers.mean() / scale)),
            ("count", number(numbers.count() as f64)),
            ("p1", quantile(0.01)),
            ("p10", quantile(0.1)),
            ("p25", quantile(0.25)),
            ("median", quantile(0.5)),
            ("p75", quantile(0.75)),
            ("p90", quantile(0.9)),
            ("p95", quantile(0.95)),
            ("p99", quantile(0.99)),
            ("p999", quantile(0.999)),
            ("time", number(period.end)),
        ],
    )
}

fn shares(metric: &str, path: Option<&str>, total: u64, count: u64, period: Period) -> Row {
    let mut shares = row(metric, [("period", number(period.length))]);
    if let Some(path) = path {
        for (name, value) in [("path", path), ("method", "POST"), ("type", "operation")] {
            shares.insert(name.to_owned(), Value::from(value));
        }
    }
    for (name, value) in [
        ("total", total as f64),
        ("count", count as f64),
        ("ratio", total as f64 / count.max(1) as f64),
        ("time", period.end),
    ] {
        shares.insert(name.to_owned(), number(value));
    }
    shares
}

/// What the process used. `busy` are the milliseconds its serving threads were at work, `latency` those that a task
/// waited for its turn.
pub(super) fn of_process(usage: Usage, busy: f64, threads: usize, latency: f64, period: Period) -> Vec<Row> {
    let memory = Memory::now();
    let share = |busy: f64, of: f64| (busy / of.max(1.0) * 100.0).round() / 100.0;
    let capacity = period.length * threads.max(1) as f64;
    let busy = busy.min(capacity);
    let active = busy / threads.max(1) as f64;
    let memory_members = [
        ("rss", memory.resident),
        ("heapTotal", memory.heap_total),
        ("heapUsed", memory.heap),
        ("external", memory.files),
        ("arrayBuffers", 0.0),
    ];
    let mut main = row(
        "main-thread-utilization",
        [
            ("idle", number(period.length - active)),
            ("active", number(active)),
            ("taskQueueLatency", number(latency)),
            ("time", number(period.end)),
        ],
    );
    let mut used = row("memory", [("period", number(period.length)), ("threadId", number(0.0))]);
    for (name, bytes) in memory_members {
        main.insert(name.to_owned(), number(bytes));
        used.insert(name.to_owned(), number(bytes));
    }
    used.insert("count".to_owned(), number(1.0));
    used.insert("time".to_owned(), number(period.end));
    let resources = row(
        "resource-usage",
        [
            ("userCPUTime", number(usage.user)),
            ("systemCPUTime", number(usage.system)),
            ("minorPageFault", number(usage.minor_faults)),
            ("majorPageFault", number(usage.major_faults)),
            ("fsRead", number(usage.read)),
            ("fsWrite", number(usage.written)),
            ("voluntaryContextSwitches", number(usage.voluntary_switches)),
            ("involuntaryContextSwitches", number(usage.involuntary_switches)),
            ("time", number(period.end)),
            ("period", number(period.length)),
            ("cpuUtilization", number(share(usage.processor(), period.length))),
        ],
    );
    let utilization = row(
        "utilization",
        [
            ("period", number(period.length)),
            ("idle", number(capacity - busy)),
            ("active", number(busy)),
            ("utilization", number(busy / capacity.max(1.0))),
            ("count", number(threads as f64)),
            ("time", number(period.end)),
        ],
    );
    let processor = row(
        "cpu-usage",
        [
            ("period", number(period.length)),
            ("path", Value::from("user")),
            ("mean", number(usage.processor() / 1000.0)),
            ("count", number(1.0)),
            ("time", number(period.end)),
        ],
    );
    vec![main, resources, utilization, processor, used]
}

/// How large the databases and their tables are, and how full their volumes.
pub(super) fn of_databases(server: &Server) -> Vec<Row> {
    let mut rows = Vec::new();
    for database in server.store.databases() {
        // One that is dropped meanwhile is left out.
        if let Err(error) = of_database(server, &database, &mut rows) {
            tracing::debug!(database = database.name(), "not measured: {error}");
        }
    }
    rows
}

fn of_database(server: &Server, database: &Database, rows: &mut Vec<Row>) -> Result<(), StoreError> {
    let name = || Value::from(database.name());
    let (size, history) = (database.size() as f64, database.history_size() as f64);
    let reader = database.read()?;
    let mut used = 0.0;
    for table in reader.catalog().clone().tables() {
        let size = reader.view().table_size(table)? as f64;
        used += size;
        let members =
            [("database", name()), ("table", Value::from(table.name.as_str())), ("size", number(size))];
        rows.push(row("table-size", members));
    }
    rows.push(row(
        "database-size",
        [
            ("database", name()),
            ("size", number(size)),
            ("used", number(used)),
            ("free", number((size - used).max(0.0))),
            ("audit", number(history)),
        ],
    ));
    if let Ok(volume) = rustix::fs::statvfs(&server.config.root_path) {
        let bytes = |blocks: u64| number(blocks as f64 * volume.f_frsize as f64);
        rows.push(row(
            "storage-volume",
            [
                ("database", name()),
                ("available", bytes(volume.f_bavail)),
                ("free", bytes(volume.f_bfree)),
                ("size", bytes(volume.f_blocks)),
            ],
        ));
    }
    Ok(())
}
