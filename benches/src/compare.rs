//! Measuring one or two endpoints: the table, the rounds in turn, the results.

use crate::endpoint::Endpoint;
use crate::measure::{self, Pace, Sample, new_histogram};
use crate::records::key;
use crate::table::spread;
use crate::workload::{BULK, Scene, Source, Workload};
use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The table that is loaded first.
const TABLE: &str = "records";
/// An endpoint while it is measured.
pub struct Contestant {
    /// How reports call it.
    pub label: String,
    /// Where it is.
    pub endpoint: Endpoint,
    scene: Scene,
    next_key: Arc<AtomicU64>,
}

/// What is measured, and how thoroughly.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// The numbers of connections.
    pub connections: Vec<usize>,
    /// How many times.
    pub rounds: usize,
    /// How long each time.
    pub pace: Pace,
}

/// One workload on one endpoint with one number of connections.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Requests per second: the median of the rounds.
    pub requests_per_second: f64,
    /// Records written or read per second, where every request has as many.
    pub records_per_second: Option<f64>,
    /// The median time of a request in milliseconds, over all rounds.
    pub median_ms: f64,
    /// The time that one request in a hundred exceeds.
    pub p99_ms: f64,
    /// Requests per second of each round.
    pub rounds: Vec<f64>,
}

/// One workload with one number of connections, on all endpoints.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The workload.
    pub workload: &'static str,
    /// The number of connections.
    pub connections: usize,
    /// One measurement per endpoint.
    pub measured: Vec<Measured>,
    /// The rate of the first over that of the second: median, least and greatest of the rounds.
    pub ratio: Option<[f64; 3]>,
}

impl Contestant {
    /// An endpoint, with the database everything happens in.
    pub fn new(
        label: impl Into<String>,
        endpoint: Endpoint,
        database: &str,
        seed: u64,
        records: u64,
    ) -> Contestant {
        let scene = Scene { records, ..Scene::new(database, TABLE, seed) };
        // Far from the keys of the records that are loaded.
        let next_key = Arc::new(AtomicU64::new(records.next_multiple_of(1_000_000)));
        Contestant { label: label.into(), endpoint, scene, next_key }
    }

    /// The table that is loaded.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Makes the database and its table and loads the records; returns records per second.
    ///
    /// # Errors
    /// When the endpoint refuses.
    pub async fn prepare(&self) -> anyhow::Result<f64> {
        let mut connection = self.endpoint.connect().await?;
        let Scene { database, table, seed, records, shape } = &self.scene;
        self.endpoint
            .call(&mut connection, &json!({"operation": "create_database", "database": database}))
            .await?;
        self.create_table(table).await?;
        let describe = json!({"operation": "describe_table", "database": database, "table": table});
        measure::wait_until_visible(&self.endpoint, &mut connection, &describe).await?;
        let mut taken = 0.0;
        let mut first = 0;
        while first < *records {
            let last = (first + BULK).min(*records);
            let batch: Vec<Value> = (first..last).map(|number| shape.record(*seed, number)).collect();
            let body = json!({"operation": "insert", "database": database, "table": table, "records": batch});
            let request = self.endpoint.request(body.to_string().as_bytes());
            let started = Instant::now();
            let answer = connection.exchange(&request).await?;
            taken += started.elapsed().as_secs_f64();
            anyhow::ensure!(answer.status == 200, "loading failed: {}", String::from_utf8_lossy(answer.body));
            first = last;
        }
        Ok(*records as f64 / taken)
    }

    async fn create_table(&self, table: &str) -> anyhow::Result<()> {
        let mut connection = self.endpoint.connect().await?;
        let create = json!({"operation": "create_table", "database": self.scene.database, "table": table, "primary_key": "id"});
        self.endpoint.call(&mut connection, &create).await.map(|_| ())
    }

    /// Removes the database.
    ///
    /// # Errors
    /// When the endpoint refuses, other than for its absence.
    pub async fn clean_up(&self) -> anyhow::Result<()> {
        let mut connection = self.endpoint.connect().await?;
        let drop = json!({"operation": "drop_database", "database": self.scene.database});
        let (status, body) = self.endpoint.send(&mut connection, &drop).await?;
        let text = String::from_utf8_lossy(&body);
        anyhow::ensure!(
            status == 200 || text.contains("does not exist"),
            "database {} stays: {text}",
            self.scene.database
        );
        Ok(())
    }

    /// One round of one workload; what it wrote is taken away again.
    async fn round(&self, workload: Workload, connections: usize, pace: Pace) -> anyhow::Result<Sample> {
        let mut scene = self.scene.clone();
        if workload == Workload::BulkInsert {
            // Never the same name twice: servers with several threads may see a drop late.
            scene.table = format!("bulk_{}", self.next_key.load(Ordering::Relaxed));
            self.create_table(&scene.table).await?;
        }
        let source = Arc::new(Source::new(workload, &self.endpoint, &scene, self.next_key.clone()));
        let first_key = self.next_key.load(Ordering::Relaxed);
        let visible =
            json!({"operation": "describe_table", "database": scene.database, "table": scene.table});
        let sample = measure::run(&self.endpoint, &source, &visible, connections, pace).await?;
        match workload {
            Workload::BulkInsert => {
                let drop =
                    json!({"operation": "drop_table", "database": scene.database, "table": scene.table});
                self.endpoint.call(&mut self.endpoint.connect().await?, &drop).await?;
            }
            Workload::Insert => self.delete(first_key..self.next_key.load(Ordering::Relaxed)).await?,
            _ => {}
        }
        Ok(sample)
    }

    async fn delete(&self, keys: std::ops::Range<u64>) -> anyhow::Result<()> {
        let mut connection = self.endpoint.connect().await?;
        for first in keys.clone().step_by(BULK as usize) {
            let ids: Vec<String> = (first..(first + BULK).min(keys.end)).map(key).collect();
            let delete =
                json!({"operation": "delete", "database": self.scene.database, "table": TABLE, "ids": ids});
            self.endpoint.call(&mut connection, &delete).await?;
        }
        Ok(())
    }
}

/// Measures everything planned on every endpoint, in turn; `done` is told each line.
///
/// # Errors
/// When an endpoint does not answer as it must.
pub async fn run(
    contestants: &[Contestant],
    plan: &Plan,
    mut done: impl FnMut(&Line),
) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for &workload in &plan.workloads {
        for &connections in &plan.connections {
            let mut samples: Vec<Vec<Sample>> = contestants.iter().map(|_| Vec::new()).collect();
            for _ in 0..plan.rounds.max(1) {
                for (contestant, samples) in contestants.iter().zip(&mut samples) {
                    let sample = contestant.round(workload, connections, plan.pace).await;
                    samples.push(
                        sample.with_context(|| format!("{} on {}", workload.name(), contestant.label))?,
                    );
                }
            }
            let line = line(workload, connections, &samples)?;
            done(&line);
            lines.push(line);
        }
    }
    Ok(lines)
}

fn line(workload: Workload, connections: usize, samples: &[Vec<Sample>]) -> anyhow::Result<Line> {
    let measured =
        samples.iter().map(|samples| summary(workload, samples)).collect::<anyhow::Result<Vec<_>>>()?;
    let ratio = match samples {
        [first, second] => {
            let ratios: Vec<f64> = first.iter().zip(second).map(|(a, b)| a.rate / b.rate).collect();
            let (median, least, greatest) = spread(&ratios);
            Some([median, least, greatest])
        }
        _ => None,
    };
    Ok(Line { workload: workload.name(), connections, measured, ratio })
}

fn summary(workload: Workload, samples: &[Sample]) -> anyhow::Result<Measured> {
    let mut times: Histogram<u64> = new_histogram()?;
    for sample in samples {
        times.add(&sample.times)?;
    }
    let rounds: Vec<f64> = samples.iter().map(|sample| sample.rate).collect();
    let rate = spread(&rounds).0;
    let milliseconds = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1e6;
    Ok(Measured {
        requests_per_second: rate,
        records_per_second: workload.records().map(|records| rate * records as f64),
        median_ms: milliseconds(0.5),
        p99_ms: milliseconds(0.99),
        rounds,
    })
}
