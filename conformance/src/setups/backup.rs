//! What a backup holds: the database as it was when the operation began, whatever is written meanwhile. It is looked at
//! by another server, which finds it among its databases when it is started again.

use super::{Stage, Trial, ask, inept};
use crate::laws::{Law, Refusal, Tried, blocked, should};
use crate::runner::Run;
use crate::target::{ANSWER_TIMEOUT, Request, Target};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub(super) const LAWS: &[(Law, Trial)] = &[(
    should(
        "backup-of-one-moment",
        "a backup holds what was acknowledged before it, and nothing that was written after it began",
        "get_backup",
        &["DB-GET-BACKUP-002"],
    ),
    |stage| Box::pin(of_one_moment(stage)),
)];

const DATABASE: &str = "suite";
const TABLE: &str = "ledger";

/// Records that are there from the beginning: enough that the backup does not fit into the buffers on its way.
const FIRST: usize = 400;

/// Records that are written while the backup waits to be read.
const MEANWHILE: usize = 30;

/// How long a server may take to be there again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who writes one record after the other, each with the next number.
struct Scribe<'t> {
    target: &'t Target,
    begun: AtomicUsize,
    acknowledged: AtomicUsize,
    done: AtomicBool,
}

impl Scribe<'_> {
    async fn write(&self) -> Result<(), Refusal> {
        while !self.done.load(Ordering::Relaxed) {
            let number = self.begun.fetch_add(1, Ordering::SeqCst);
            let insert = json!({"operation": "insert", "database": DATABASE, "table": TABLE,
                "records": [{"id": number, "text": "once more"}]});
            let answer = self.target.operate(&insert).await.answer;
            if answer.is_none_or(|answer| answer.status != 200) {
                return Err(blocked("a record could not be written"));
            }
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn has_written(&self, count: usize) {
        while self.acknowledged.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A backup, and how many records were certainly in it and at most may be.
struct Taken {
    bytes: Vec<u8>,
    least: usize,
    most: usize,
}

async fn of_one_moment(stage: &Stage<'_>) -> Tried {
    stage
        .ask(json!({"operation": "create_table", "database": DATABASE, "table": TABLE, "primary_key": "id"}))
        .await?;
    let text = "as it was at first; ".repeat(200);
    let records: Vec<Value> = (0..FIRST).map(|number| json!({"id": number, "text": text})).collect();
    stage
        .ask(json!({"operation": "insert", "database": DATABASE, "table": TABLE, "records": records}))
        .await?;
    let scribe = Scribe {
        target: &stage.target,
        begun: AtomicUsize::new(FIRST),
        acknowledged: AtomicUsize::new(FIRST),
        done: AtomicBool::new(false),
    };
    let taking = async {
        let taken = take(stage, &scribe).await;
        scribe.done.store(true, Ordering::Relaxed);
        taken
    };
    let limited = tokio::time::timeout(ANSWER_TIMEOUT, taking);
    let (written, taken) = tokio::join!(scribe.write(), limited);
    written?;
    let taken = taken.map_err(|_| blocked("the backup does not end"))??;
    let numbers = restored(stage, &taken.bytes).await?;
    Ok(unlike_one_moment(&numbers, &taken).map(|sentence| (sentence, None)))
}

/// Takes a backup and reads it only when more was written.
async fn take(stage: &Stage<'_>, scribe: &Scribe<'_>) -> Result<Taken, Refusal> {
    scribe.has_written(FIRST + MEANWHILE).await;
    let least = scribe.acknowledged.load(Ordering::SeqCst);
    let admin = stage.target.admin.basic();
    let request = Request::operation(&json!({"operation": "get_backup", "database": DATABASE}), Some(admin));
    let client = reqwest::Client::builder().http1_only().no_proxy().timeout(ANSWER_TIMEOUT);
    let asked = request.fill(client.build().map_err(inept)?.post(stage.target.address()));
    let response = asked.send().await.map_err(|error| blocked(format!("get_backup: {error}")))?;
    let most = scribe.begun.load(Ordering::SeqCst);
    if response.status() != reqwest::StatusCode::OK {
        return Err(blocked(format!("get_backup was answered {}", response.status())));
    }
    scribe.has_written(most + MEANWHILE).await;
    let bytes = response.bytes().await.map_err(|error| blocked(format!("get_backup: {error}")))?;
    Ok(Taken { bytes: bytes.to_vec(), least, most })
}

/// The numbers of the records in a backup, in order, as another server finds them.
async fn restored(stage: &Stage<'_>, backup: &[u8]) -> Result<Vec<usize>, Refusal> {
    let other = stage.another(crate::runner::FRESH).await?;
    let file = Path::new(&other.root()).join("database").join(format!("{DATABASE}.mdb"));
    std::fs::write(&file, backup).map_err(|error| blocked(format!("{}: {error}", file.display())))?;
    ask(stage.run, other.target(), json!({"operation": "restart"})).await?;
    find(stage.run, other.target()).await?;
    let search = json!({"operation": "search_by_value", "database": DATABASE, "table": TABLE, "attribute": "id",
        "value": "*", "get_attributes": ["id"]});
    // Where there is no table, there are no records.
    let found = other.target().operate(&search).await.answer.map(|answer| answer.body).unwrap_or_default();
    let mut numbers: Vec<usize> = found
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| usize::try_from(row["id"].as_u64()?).ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Waits until a server that is being started again knows the database.
async fn find(run: &Run, target: &Target) -> Result<(), Refusal> {
    let started = Instant::now();
    loop {
        let known = ask(run, target, json!({"operation": "describe_all"})).await;
        if known.is_ok_and(|known| known.get(DATABASE).is_some()) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(blocked("another server does not find the backup among its databases"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn unlike_one_moment(numbers: &[usize], taken: &Taken) -> Option<String> {
    let Taken { least, most, .. } = taken;
    if let Some(gap) = numbers.iter().enumerate().find(|(at, number)| at != *number) {
        return Some(format!(
            "record {} is missing among those that were written one after the other",
            gap.0
        ));
    }
    if numbers.len() < *least {
        return Some(format!("{least} records were acknowledged before, but {} are in it", numbers.len()));
    }
    (numbers.len() > *most).then(|| {
        format!(
            "{} records are in it, but only {most} had been sent when it was there already",
            numbers.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_mixtures() {
        let taken = Taken { bytes: Vec::new(), least: 3, most: 5 };
        let wrong = |numbers: &[usize]| unlike_one_moment(numbers, &taken).is_some();
        assert!(!wrong(&[0, 1, 2]) && !wrong(&[0, 1, 2, 3, 4]));
        assert!(wrong(&[0, 1]) && wrong(&[0, 1, 2, 4]) && wrong(&[0, 1, 2, 3, 4, 5]) && wrong(&[]));
    }
}
