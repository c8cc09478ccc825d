//! Making the rows of a period and storing them.

use super::rows::{self, Row};
use super::{ANALYTICS, HOSTNAMES, RAW_ANALYTICS, node_id};
use crate::access::system_tables::{find, system_database};
use crate::error::OperationError;
use crate::licensing::{self, Consumption};
use crate::server::Server;
use crate::store::{HistoryEntry, KeyRange, StoreError, WriteTxn};
use crate::system::usage::Usage;
use crate::value::{Object, Value};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// How long rows are kept, and what they were made of, in milliseconds.
const KEPT: f64 = 365.0 * 86_400_000.0;
const RAW_KEPT: f64 = 3_600_000.0;
/// How many rows that are too old are removed at a time.
const REMOVED_AT_ONCE: usize = 1000;
/// What sets the ids of rows of one moment apart: enough for a double to tell.
const STEP: f64 = 1.0 / 1024.0;

/// A stretch of time, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// When it ended.
    pub(super) end: f64,
    /// How long it was.
    pub(super) length: f64,
}

/// What was measured until the last rows.
pub struct Aggregator {
    since: Instant,
    usage: Usage,
    busy: f64,
    last_id: f64,
}

impl Aggregator {
    /// Measures from now on.
    pub fn new() -> Aggregator {
        Aggregator { since: Instant::now(), usage: Usage::now(), busy: 0.0, last_id: 0.0 }
    }

    /// Makes the rows of the time since the last ones and stores them.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn aggregate(&mut self, server: &Arc<Server>) -> Result<(), OperationError> {
        let latency = task_latency().await;
        let end = now();
        let length = self.since.elapsed().as_secs_f64() * 1000.0;
        self.since = Instant::now();
        let period = Period { end: end.floor(), length };
        let usage = Usage::now();
        let used = usage.since(std::mem::replace(&mut self.usage, usage));
        let (busy, threads) = busy();
        let worked = (busy - std::mem::replace(&mut self.busy, busy)).max(0.0);
        let readings = server.meters.take();
        let requests = rows::of_requests(&readings, &server.meters.take_statuses(), period);
        let process = rows::of_process(used, worked, threads, latency, period);
        let measuring = server.clone();
        let databases = tokio::task::spawn_blocking(move || rows::of_databases(&measuring));
        let databases = databases.await.map_err(OperationError::internal)?;
        let rows: Vec<Row> = requests.iter().cloned().chain(process).chain(databases).collect();
        self.store(server, rows, requests, period).await?;
        let consumption = Consumption::of(&readings, used.processor());
        licensing::consume(&server.store, consumption).await
    }

    async fn store(
        &mut self,
        server: &Server,
        rows: Vec<Row>,
        raw: Vec<Row>,
        period: Period,
    ) -> Result<(), OperationError> {
        let hostname = server.config.hostname.clone();
        let node = f64::from(node_id(&hostname));
        // Clocks may be set back; ids always grow.
        let first = now().max(self.last_id + STEP);
        self.last_id = first + STEP * rows.len() as f64;
        let rows: Vec<Object> = rows
            .into_iter()
            .zip(0_u32..)
            .map(|(mut row, number)| {
                let time = Value::Number(first + STEP * f64::from(number));
                row.insert("id".to_owned(), Value::Array(vec![time, Value::Number(node)]));
                row
            })
            .collect();
        let report = Object::from_iter([
            ("id".to_owned(), Value::Number(first)),
            ("time".to_owned(), Value::Number(period.end)),
            ("period".to_owned(), Value::Number(period.length)),
            ("threadId".to_owned(), Value::Number(0.0)),
            ("metrics".to_owned(), Value::Array(raw.into_iter().map(Value::Object).collect())),
        ]);
        let host = Object::from_iter([
            ("id".to_owned(), Value::Number(node)),
            ("hostname".to_owned(), Value::from(hostname)),
        ]);
        let system = system_database(&server.store)?;
        let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
            for row in &rows {
                put(txn, ANALYTICS, row)?;
            }
            put(txn, RAW_ANALYTICS, &report)?;
            put(txn, HOSTNAMES, &host)?;
            let oldest = Value::Array(vec![Value::Number(period.end - KEPT)]);
            remove_before(txn, ANALYTICS, &oldest)?;
            remove_before(txn, RAW_ANALYTICS, &Value::Number(period.end - RAW_KEPT))
        });
        Ok(written.await?)
    }
}

impl Default for Aggregator {
    fn default() -> Self {
        Aggregator::new()
    }
}

fn put(txn: &mut WriteTxn<'_>, table: &str, record: &Object) -> Result<(), StoreError> {
    let table = find(txn.catalog().table(table), table)?;
    let key = record.get("id").cloned().unwrap_or_default();
    txn.put(&table, &key, record, None)?;
    txn.log_history(&table, HistoryEntry::new("insert", None))
}

fn remove_before(txn: &mut WriteTxn<'_>, table: &str, oldest: &Value) -> Result<(), StoreError> {
    let table = find(txn.catalog().table(table), table)?;
    let range = KeyRange::new(Bound::Unbounded, Bound::Excluded(oldest));
    let view = txn.view()?;
    let mut keys = Vec::new();
    for record in view.scan(&table, range, false)?.take(REMOVED_AT_ONCE) {
        keys.extend(record?.attribute(crate::store::PRIMARY_KEY).map(|key| key.decode()));
    }
    for key in keys {
        txn.delete(&table, &key)?;
    }
    txn.log_history(&table, HistoryEntry::new("delete", None))
}

/// How many milliseconds the threads that serve have been at work, and how many threads they are.
fn busy() -> (f64, usize) {
    let metrics = Handle::current().metrics();
    let workers = metrics.num_workers();
    let busy =
        (0..workers).map(|worker| metrics.worker_total_busy_duration(worker).as_secs_f64()).sum::<f64>();
    (busy * 1000.0, workers)
}

/// How many milliseconds a task waits for its turn.
async fn task_latency() -> f64 {
    let begun = Instant::now();
    let ran = tokio::spawn(async move { begun.elapsed() }).await;
    ran.map_or(0.0, |waited| waited.as_secs_f64() * 1000.0)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as f64 / 1000.0
}
