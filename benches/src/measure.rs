//! Running a workload over some connections for some time.

use crate::endpoint::Endpoint;
use crate::workload::{Source, Turn};
use anyhow::Context;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long a connection waits for a change of the schema to be visible to it.
const SETTLE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub measured: Duration,
}

impl Pace {
    /// A measurement with a warm-up in proportion.
    pub fn seconds(seconds: f64) -> Pace {
        let measured = Duration::from_secs_f64(seconds.max(0.05));
        Pace { warm_up: (measured / 4).max(Duration::from_millis(100)), measured }
    }
}

/// What one measurement gave.
#[derive(Clone)]
pub struct Sample {
    /// How many requests were answered in the time measured.
    pub requests: u64,
    /// Requests per second.
    pub rate: f64,
    /// How long each took, in nanoseconds.
    pub times: Histogram<u64>,
}

/// Measures a workload. Every connection first waits until `table` can be seen on it.
///
/// # Errors
/// When a connection breaks or an answer is wrong: what then were measured would mean nothing.
pub async fn run(
    endpoint: &Endpoint,
    source: &Arc<Source>,
    visible: &Value,
    connections: usize,
    pace: Pace,
) -> anyhow::Result<Sample> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut connection = endpoint.connect().await?;
        wait_until_visible(endpoint, &mut connection, visible).await?;
        opened.push(connection);
    }
    let from = Instant::now() + pace.warm_up;
    let until = from + pace.measured;
    let mut tasks = JoinSet::new();
    for (at, mut connection) in opened.into_iter().enumerate() {
        let mut turn: Turn = source.turn(at);
        tasks.spawn(async move {
            let mut times = new_histogram()?;
            loop {
                turn.advance();
                let sent = Instant::now();
                if sent >= until {
                    return anyhow::Ok(times);
                }
                let answer = connection.exchange(turn.request()).await.context("a connection broke")?;
                let received = Instant::now();
                turn.check(answer.status, answer.body)?;
                if received >= from && received < until {
                    let taken = u64::try_from((received - sent).as_nanos()).unwrap_or(u64::MAX);
                    times.saturating_record(taken);
                }
            }
        });
    }
    let mut times = new_histogram()?;
    while let Some(finished) = tasks.join_next().await {
        times.add(finished.context("a connection's task ended")??)?;
    }
    let requests = times.len();
    Ok(Sample { requests, rate: requests as f64 / pace.measured.as_secs_f64(), times })
}

/// Waits until an operation succeeds on a connection: servers with several threads may show a new table late.
///
/// # Errors
/// When it still fails after some seconds.
pub async fn wait_until_visible(
    endpoint: &Endpoint,
    connection: &mut crate::client::Connection,
    visible: &Value,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE;
    loop {
        match endpoint.call(connection, visible).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// A histogram for times up to two minutes, with three digits.
pub fn new_histogram() -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, 120_000_000_000, 3).context("a histogram cannot be made")
}
