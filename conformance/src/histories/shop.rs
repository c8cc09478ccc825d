//! A table that many write to.

use crate::laws::{Refusal, blocked, unsupported};
use crate::runner::Run;
use crate::target::Exchange;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One table of a run's own.
pub(super) struct Shop<'r> {
    run: &'r Run,
    database: String,
}

const TABLE: &str = "shared";
/// How many units of their own the histories of a run may have.
const FIRST: usize = 2_000_000;

impl<'r> Shop<'r> {
    /// Makes the table and waits until it can be searched.
    pub(super) async fn open(run: &'r Run, number: usize) -> Result<Shop<'r>, Refusal> {
        let database = format!("history{}", run.names.suffix(FIRST + number));
        let shop = Shop { run, database };
        let create = json!({"operation": "create_table", "database": shop.database, "table": TABLE, "primary_key": "id"});
        let exchange = shop.send(create).await;
        match exchange.answer {
            Some(answer) if answer.status == 200 => {}
            Some(answer) if answer.declines("create_table") => {
                return Err(unsupported("the target does not offer 'create_table'"));
            }
            Some(answer) => {
                let body = run.secrets.value(&answer.body);
                return Err(blocked(format!("create_table was answered {} {body}", answer.status)));
            }
            None => return Err(blocked("create_table was not answered")),
        }
        // The attributes are known before several writers bring them along at once.
        let attributes = (0..super::WRITERS).map(|writer| (format!("w{writer}"), Value::Null));
        let mut first = serde_json::Map::from_iter(attributes);
        first.extend([
            ("id".to_owned(), json!("first")),
            ("n".to_owned(), Value::Null),
            ("writer".to_owned(), Value::Null),
        ]);
        let started = Instant::now();
        while started.elapsed() < run.settle.longest.max(Duration::from_secs(1)) {
            let exchange = shop.write("upsert", json!([first])).await;
            if exchange.answer.is_some_and(|answer| answer.status == 200) {
                shop.send(json!({"operation": "delete", "database": shop.database, "table": TABLE, "ids": ["first"]})).await;
                return Ok(shop);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(blocked("the new table could not be written to"))
    }

    async fn send(&self, body: Value) -> Exchange {
        self.run.target.operate(&body).await
    }

    /// Writes records with `insert`, `update` or `upsert`.
    pub(super) async fn write(&self, how: &str, records: Value) -> Exchange {
        self.send(json!({"operation": how, "database": self.database, "table": TABLE, "records": records}))
            .await
    }

    /// Reads attributes of records by key.
    pub(super) async fn read(&self, keys: &[&str], attributes: &[&str]) -> Exchange {
        self.send(json!({"operation": "search_by_id", "database": self.database, "table": TABLE, "ids": keys,
            "get_attributes": attributes}))
            .await
    }

    /// One record, null when it is not there.
    pub(super) async fn record(&self, key: &str) -> (Value, Exchange) {
        let exchange = self.read(&[key], &["*"]).await;
        let record = exchange.answer.as_ref().map(|answer| answer.body[0].clone()).unwrap_or_default();
        (record, exchange)
    }

    /// The keys of all records.
    pub(super) async fn keys(&self) -> (Vec<String>, Exchange) {
        let exchange = self
            .send(json!({"operation": "search_by_value", "database": self.database, "table": TABLE,
                "attribute": "id", "value": "*", "get_attributes": ["id"]}))
            .await;
        let rows =
            exchange.answer.as_ref().and_then(|answer| answer.body.as_array().cloned()).unwrap_or_default();
        (rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect(), exchange)
    }

    /// Drops the table's database.
    pub(super) async fn close(self) {
        self.send(json!({"operation": "drop_database", "database": self.database})).await;
    }
}
