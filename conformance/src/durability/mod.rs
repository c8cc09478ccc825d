//! What was acknowledged must outlive the target: it is killed at random moments while many write, started again,
//! and a model says which records must be there. Needs a target that the harness started itself.

mod model;
mod writer;

use crate::laws::{Fault, Law, Refusal, blocked, must, stopped, told, unsupported};
use crate::runner::Run;
use crate::spawn::Spawned;
use crate::target::Exchange;
use futures_util::future::join_all;
use model::{Records, Wrong};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use writer::{Ledger, Writer, records_of, succeeded};

/// The category of these checks.
pub const CATEGORY: &str = "durability";

/// How often a target is killed unless told otherwise.
pub const KILLS: usize = 5;

/// How many writers write at once.
const WRITERS: usize = 8;

/// Requests that are acknowledged between two kills at most.
const LONGEST: usize = 120;

/// A target that acknowledges less than that in this time is killed all the same.
const PATIENCE: Duration = Duration::from_secs(10);

const LAWS: [Law; 3] = [
    must(
        "acknowledged-writes-are-there",
        "what was acknowledged is there after the target was killed and started again",
        "insert",
        &["NOSQL-WRITE-011", "NOSQL-WRITE-006"],
    ),
    must(
        "requests-are-whole",
        "of a request that the kill cut off all records are written, or none",
        "upsert",
        &["NOSQL-WRITE-011", "NOSQL-WRITE-005"],
    ),
    must(
        "searches-agree",
        "a search by another attribute than the key finds the same records after the restart",
        "search_by_value",
        &["NOSQL-SEARCH-BY-VALUE-001"],
    ),
];

/// The first fault of each law.
type Faults = [Fault; 3];

/// What came of all kills.
#[derive(Default)]
struct Tally {
    kills: usize,
    acknowledged: usize,
    cut_off: usize,
    came_through: usize,
}

/// Kills the target as often as the run says and judges what is there afterwards.
pub async fn run(run: &Run, spawned: &Spawned) {
    let started = Instant::now();
    let ledger = Ledger::new(run);
    let mut faults = Faults::default();
    let mut tally = Tally::default();
    let outcome = match ledger.open().await {
        Ok(()) => rounds(run, spawned, &ledger, &mut faults, &mut tally).await,
        Err(exchange) => Err(not_made(run, &exchange)),
    };
    ledger.close().await;
    let took = started.elapsed() / LAWS.len() as u32;
    for (law, fault) in LAWS.iter().zip(faults) {
        // A fault counts also when the rounds could not be ended.
        let tried = if fault.is_some() { Ok(fault) } else { outcome.clone().map(|()| None) };
        law.tell(run, &run.target, &format!("{CATEGORY}/kills"), tried, took);
    }
    let Tally { kills, acknowledged, cut_off, came_through } = tally;
    run.observe(
        &format!("{CATEGORY}/kills"),
        format!("killed {kills} times; {acknowledged} requests acknowledged, {cut_off} cut off, of which {came_through} had come through"),
    );
}

/// Tells why nothing is killed.
pub(crate) fn not_tried(run: &Run, reason: &str) {
    for law in LAWS {
        let tried = Err(unsupported(reason));
        law.tell(run, &run.target, &format!("{CATEGORY}/kills"), tried, Duration::ZERO);
    }
}

async fn rounds(
    run: &Run,
    spawned: &Spawned,
    ledger: &Ledger<'_>,
    faults: &mut Faults,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    let mut random = StdRng::seed_from_u64(run.seed);
    let mut writers: Vec<Writer> = (1..=WRITERS).map(|number| Writer::new(number, run.seed)).collect();
    for _ in 0..run.kills {
        if run.stop.stopped() {
            return Err(stopped());
        }
        let moment = random.random_range(1..=LONGEST);
        let delay = Duration::from_micros(random.random_range(0..3000));
        tally.acknowledged += write_until_killed(spawned, ledger, &mut writers, moment, delay).await?;
        tally.kills += 1;
        if let Err(error) = spawned.start_again().await {
            let sentence = format!("killed and started again, it does not come back: {error}");
            faults[0].get_or_insert((sentence, None));
            return Err(blocked("the target did not come back"));
        }
        judge(ledger, &mut writers, faults, tally).await?;
    }
    Ok(())
}

/// Lets all write until so many requests were acknowledged, and kills the target a little later. How many were.
async fn write_until_killed(
    spawned: &Spawned,
    ledger: &Ledger<'_>,
    writers: &mut [Writer],
    moment: usize,
    delay: Duration,
) -> Result<usize, Refusal> {
    let acknowledged = AtomicUsize::new(0);
    let work = join_all(writers.iter_mut().map(|writer| writer.work(ledger, &acknowledged)));
    let killer = async {
        let started = Instant::now();
        while acknowledged.load(Ordering::Relaxed) < moment && started.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        tokio::time::sleep(delay).await;
        spawned.kill().await;
    };
    let (last, ()) = tokio::join!(work, killer);
    match acknowledged.into_inner() {
        0 => {
            let told = last.first().map(|exchange| told(ledger.run, exchange)).unwrap_or_default();
            Err(blocked(format!("no request that writes was acknowledged: {told}")))
        }
        count => Ok(count),
    }
}

/// Looks at what is there after a restart.
async fn judge(
    ledger: &Ledger<'_>,
    writers: &mut [Writer],
    faults: &mut Faults,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    let all = all_records(ledger).await;
    if !succeeded(&all) {
        let sentence = format!("the records cannot be read after the restart: {}", told(ledger.run, &all));
        faults[0].get_or_insert((sentence, Some(all)));
        return Err(blocked("the records could not be read after the restart"));
    }
    let rows = rows(&all);
    for writer in writers {
        let found = records_of(writer.number, &rows);
        let by_attribute = ledger.search("writer", json!(writer.number)).await;
        if records_of(writer.number, &self::rows(&by_attribute)) != found {
            let sentence = format!(
                "a search by the attribute 'writer' finds others than writer {}'s {} records",
                writer.number,
                found.len()
            );
            faults[2].get_or_insert((sentence, Some(by_attribute)));
        }
        settle(writer, found, &all, faults, tally);
    }
    Ok(())
}

fn settle(writer: &mut Writer, found: Records, all: &Exchange, faults: &mut Faults, tally: &mut Tally) {
    tally.cut_off += usize::from(writer.model.is_open());
    tally.came_through += usize::from(writer.model.is_open() && *writer.model.records() != found);
    match writer.model.settle(found) {
        None => {}
        Some(Wrong::Lost(keys)) => {
            let sentence = format!(
                "records {keys:?} of writer {} are not as the last acknowledged requests left them",
                writer.number
            );
            faults[0].get_or_insert((sentence, Some(brief(all))));
        }
        Some(Wrong::Half(write, done)) => {
            let sentence = format!(
                "of the {} of {:?} by writer {}, which was cut off, only {done:?} is there",
                write.how.operation(),
                write.keys,
                writer.number
            );
            faults[1].get_or_insert((sentence, Some(brief(all))));
        }
    }
}

/// An exchange whose answer is shown in part only.
fn brief(exchange: &Exchange) -> Exchange {
    const SHOWN: usize = 5;
    let mut exchange = exchange.clone();
    if let Some(Value::Array(rows)) = exchange.answer.as_mut().map(|answer| &mut answer.body) {
        rows.truncate(SHOWN);
    }
    exchange
}

/// Every record. A target that was just started may take a moment to know its tables.
async fn all_records(ledger: &Ledger<'_>) -> Exchange {
    let patience = ledger.run.settle.longest.max(Duration::from_secs(2));
    let started = Instant::now();
    loop {
        let exchange = ledger.search("id", json!("*")).await;
        if succeeded(&exchange) || started.elapsed() > patience {
            return exchange;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn rows(exchange: &Exchange) -> Vec<Value> {
    exchange.answer.as_ref().and_then(|answer| answer.body.as_array().cloned()).unwrap_or_default()
}

fn not_made(run: &Run, exchange: &Exchange) -> Refusal {
    match &exchange.answer {
        Some(answer) if answer.declines("create_table") => {
            unsupported("the target does not offer 'create_table'")
        }
        _ => blocked(format!("there is no table to write to: {}", told(run, exchange))),
    }
}
