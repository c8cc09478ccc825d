//! One of those who write while the target is killed, and the table that they write to.

use super::model::{How, Model, Records, Write};
use crate::runner::Run;
use crate::target::Exchange;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The table of a run's own.
pub(super) struct Ledger<'r> {
    pub(super) run: &'r Run,
    database: String,
}

const TABLE: &str = "ledger";
/// A unit of its own, beyond those of stories and histories.
const UNIT: usize = 3_000_000;

impl<'r> Ledger<'r> {
    pub(super) fn new(run: &'r Run) -> Self {
        Ledger { run, database: format!("durable{}", run.names.suffix(UNIT)) }
    }

    /// Makes the table with its attributes; what was answered instead when that cannot be done.
    pub(super) async fn open(&self) -> Result<(), Exchange> {
        let created = self.send(json!({"operation": "create_table", "primary_key": "id"})).await;
        if !succeeded(&created) {
            return Err(created);
        }
        let first = Write { number: 0, how: How::Upsert, keys: vec!["first".to_owned()] };
        let started = Instant::now();
        loop {
            // All attributes are there before several writers bring them along at once.
            let written = self.write(0, &first).await;
            if succeeded(&written) {
                let delete = Write { how: How::Delete, ..first };
                self.write(0, &delete).await;
                return Ok(());
            }
            if started.elapsed() > self.run.settle.longest.max(Duration::from_secs(1)) {
                return Err(written);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends one request of a writer.
    pub(super) async fn write(&self, writer: usize, write: &Write) -> Exchange {
        let what = match write.how {
            How::Delete => json!({"ids": write.keys}),
            _ => {
                let record = |key: &String| json!({"id": key, "writer": writer, "number": write.number, "text": text(writer, key, write.number)});
                json!({"records": write.keys.iter().map(record).collect::<Vec<_>>()})
            }
        };
        let mut body = json!({"operation": write.how.operation()});
        if let (Value::Object(body), Value::Object(what)) = (&mut body, what) {
            body.extend(what);
        }
        self.send(body).await
    }

    /// The records whose attribute has a value, `*` for any.
    pub(super) async fn search(&self, attribute: &str, value: Value) -> Exchange {
        self.send(json!({"operation": "search_by_value", "attribute": attribute, "value": value,
            "get_attributes": ["id", "writer", "number", "text"]}))
            .await
    }

    /// Drops the table's database.
    pub(super) async fn close(&self) {
        let drop = json!({"operation": "drop_database", "database": self.database});
        self.run.target.operate(&drop).await;
    }

    async fn send(&self, mut body: Value) -> Exchange {
        if let Value::Object(body) = &mut body {
            body.insert("database".to_owned(), json!(self.database));
            body.insert("table".to_owned(), json!(TABLE));
        }
        self.run.target.operate(&body).await
    }
}

/// What a request wrote to a record besides its number: enough that half of it would show.
fn text(writer: usize, key: &str, number: u64) -> String {
    format!("{writer} wrote {key} by request {number}; ").repeat(1 + (number % 40) as usize)
}

/// The records of a writer among rows that were found. What is not whole has a number that no request has.
pub(super) fn records_of(writer: usize, rows: &[Value]) -> Records {
    let own = rows.iter().filter(|row| row["writer"] == json!(writer));
    own.filter_map(|row| {
        let key = row["id"].as_str()?;
        let number = row["number"].as_u64().unwrap_or(u64::MAX);
        let whole = row["text"].as_str() == Some(&text(writer, key, number));
        Some((key.to_owned(), if whole { number } else { u64::MAX }))
    })
    .collect()
}

pub(super) fn succeeded(exchange: &Exchange) -> bool {
    exchange.answer.as_ref().is_some_and(|answer| answer.status == 200)
}

/// One of those who write.
pub(super) struct Writer {
    pub(super) number: usize,
    pub(super) model: Model,
    random: StdRng,
    requests: u64,
}

impl Writer {
    pub(super) fn new(number: usize, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        Writer { number, model: Model::default(), random, requests: 0 }
    }

    /// Writes, one request after the other, until one is not acknowledged.
    pub(super) async fn work(&mut self, ledger: &Ledger<'_>, acknowledged: &AtomicUsize) -> Exchange {
        loop {
            let write = self.draw();
            self.model.begin(write.clone());
            let exchange = ledger.write(self.number, &write).await;
            if !succeeded(&exchange) {
                return exchange;
            }
            self.model.acknowledge();
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The next request: of several records, so that half of it could be there.
    fn draw(&mut self) -> Write {
        const MOST: usize = 8;
        self.requests += 1;
        let number = self.requests;
        let many = self.random.random_range(2..=MOST);
        let fresh = (0..many).map(|n| format!("{}-{number}-{n}", self.number)).collect::<Vec<_>>();
        let (how, keys) = match self.random.random_range(0..10) {
            0..4 => (How::Insert, fresh),
            4..7 => (How::Update, self.some(many)),
            7..9 => (
                How::Upsert,
                self.some(many / 2).into_iter().chain(fresh.into_iter().skip(many / 2)).collect(),
            ),
            _ => (How::Delete, self.some(many)),
        };
        // At first there is nothing to change or to take away.
        if keys.is_empty() {
            return Write { number, how: How::Insert, keys: vec![format!("{}-{number}", self.number)] };
        }
        Write { number, how, keys }
    }

    /// Keys of records that are there, each once.
    fn some(&mut self, many: usize) -> Vec<String> {
        let keys: Vec<&String> = self.model.records().keys().collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let start = self.random.random_range(0..keys.len());
        keys.iter().cycle().skip(start).take(many.min(keys.len())).map(|key| (*key).clone()).collect()
    }
}
