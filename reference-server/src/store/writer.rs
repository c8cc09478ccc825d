//! The one writer of a database: takes everything that waits, runs it in one LMDB transaction, commits once, and
//! acknowledges each request. When nothing waits it tidies up.

use super::environment::{Environment, StoreOptions, meta_keys, now};
use super::error::StoreError;
use super::history;
use super::journal::Journal;
use super::read::{Pairs, ReadTxn};
use super::write::WriteTxn;
use std::any::Any;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// How many requests share a commit at most.
const LARGEST_BATCH: usize = 256;
/// How long a commit waits at most for the company of the one before.
const LONGEST_WAIT: Duration = Duration::from_millis(2);
/// How many keys of a dropped table, or expired records, one idle step removes.
const IDLE_STEP: usize = 5_000;
/// How often an idle writer looks for expired records.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often the writer looks for history entries that have been kept long enough, unless they are kept for less.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// How many such entries one step removes, and how long a busy writer goes on before the next step.
const PRUNE_STEP: usize = 500;
const PRUNE_PAUSE: Duration = Duration::from_secs(1);
/// A last entry further ahead of the clock than this does not hold the times of new ones back.
pub(super) const FARTHEST_AHEAD: f64 = 60_000.0;
/// How often an idle writer tries to bring what is only in the journal into the trees.
const CATCH_UP_EVERY: Duration = Duration::from_secs(1);
/// How long after the last write an asynchronous database is synced.
const SYNC_AFTER: Duration = Duration::from_millis(500);

/// A request waiting for the writer.
pub(super) trait Job: Send {
    /// Runs the request; true when it succeeded. May be called again after a transaction was given up.
    fn run(&mut self, txn: &mut WriteTxn<'_>) -> bool;
    /// The time that its own must exceed, as it writes a record that has it.
    fn after(&self) -> f64;
    /// Makes it run later than a time.
    fn run_after(&mut self, time: f64);
    /// Tells the requester what the last run gave.
    fn acknowledge(self: Box<Self>);
    /// Tells the requester that the request failed.
    fn fail(self: Box<Self>, error: StoreError);
}

/// A request of a known type and what to do with its result.
pub(super) struct Request<T, E, F, R> {
    work: F,
    reply: R,
    result: Option<Result<T, E>>,
    after: f64,
}

impl<T, E, F, R> Request<T, E, F, R> {
    pub(super) fn new(work: F, reply: R) -> Self {
        Request { work, reply, result: None, after: 0.0 }
    }
}

impl<T, E, F, R> Job for Request<T, E, F, R>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&mut WriteTxn<'_>) -> Result<T, E> + Send,
    R: FnOnce(Result<T, E>, Option<F>) + Send,
{
    fn run(&mut self, txn: &mut WriteTxn<'_>) -> bool {
        let result = (self.work)(txn);
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn after(&self) -> f64 {
        self.after
    }

    fn run_after(&mut self, time: f64) {
        self.after = time;
    }

    fn acknowledge(self: Box<Self>) {
        let this = *self;
        // The requester gets its work back, so that it and not the one writer takes it apart.
        (this.reply)(this.result.unwrap_or_else(|| Err(StoreError::Closed.into())), Some(this.work));
    }

    fn fail(self: Box<Self>, error: StoreError) {
        (self.reply)(Err(error.into()), None);
    }
}

/// The writer thread's state.
pub(super) struct Writer {
    pub(super) environment: Arc<Environment>,
    pub(super) requests: Receiver<Box<dyn Job>>,
    /// Dropped tables whose keys are still to be removed.
    dropped: Vec<u32>,
    /// True when some record has a time to expire.
    expiring: bool,
    write_async: bool,
    unsynced: bool,
    last_timestamp: f64,
    /// How long history entries are kept, and when to look for older ones; `None` while there can be none.
    retention: Option<Duration>,
    prune_at: Option<Instant>,
    /// How many requests were done together the last time, and how long that took.
    pub(super) company: usize,
    pub(super) last_run: Duration,
    /// How many requests came right after one another.
    pub(super) in_a_row: usize,
    /// Whether a journal is worth it: what is acknowledged has to be on disk, and it can be written.
    pub(super) has_journal: bool,
    pub(super) journal: Option<Journal>,
    /// True when acknowledged writes are only in the journal, as a commit of them failed.
    pub(super) is_behind: bool,
    /// Until when every batch has a commit of its own.
    pub(super) apart_until: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        environment: Arc<Environment>,
        requests: Receiver<Box<dyn Job>>,
        options: &StoreOptions,
    ) -> Writer {
        let write_async = options.write_async && !options.no_sync;
        let (dropped, expiring, unsynced) = (Vec::new(), true, false);
        let last_timestamp = last_time(&environment);
        let (retention, prune_at) =
            (options.history_retention, options.history_retention.map(|_| Instant::now()));
        let (company, last_run) = (1, Duration::ZERO);
        Writer {
            environment,
            requests,
            dropped,
            expiring,
            write_async,
            unsynced,
            last_timestamp,
            retention,
            prune_at,
            company,
            last_run,
            in_a_row: 0,
            has_journal: !options.write_async && !options.no_sync,
            journal: None,
            is_behind: false,
            apart_until: None,
        }
    }

    /// Works until every sender of requests is gone and all they sent is done.
    pub(super) fn work(mut self) {
        match unfinished_drops(&self.environment) {
            Ok(dropped) => self.dropped = dropped,
            Err(error) => tracing::error!(%error, "dropped tables cannot be listed"),
        }
        let mut last = None;
        while let Some(first) = self.next_request() {
            let caught_up = self.catch_up();
            match (first, caught_up) {
                (Some(first), Ok(())) => {
                    self.count_in_a_row(last);
                    let batch = self.gather(first);
                    self.company = batch.len();
                    if self.may_gather(&batch) {
                        self.run_together(batch);
                    } else {
                        let started = Instant::now();
                        self.run(batch);
                        self.last_run = started.elapsed();
                    }
                    last = Some(Instant::now());
                }
                (Some(first), Err(error)) => first.fail(error),
                (None, Ok(())) => self.tidy_up(),
                (None, Err(_)) => {}
            }
        }
        if self.unsynced {
            self.sync();
        }
        self.end_journal();
    }

    /// The requests that share the first one's commit: all that wait, and, when the last commit had company, those
    /// that come about as soon as its company can have come back. Whoever writes alone never waits.
    pub(super) fn gather(&self, first: Box<dyn Job>) -> Vec<Box<dyn Job>> {
        let mut batch = vec![first];
        while batch.len() < LARGEST_BATCH {
            let Ok(request) = self.requests.try_recv() else { break };
            batch.push(request);
        }
        if batch.len() >= self.company {
            return batch;
        }
        let deadline = Instant::now() + self.last_run.min(LONGEST_WAIT);
        while batch.len() < self.company {
            let Some(patience) = deadline.checked_duration_since(Instant::now()) else { break };
            let Ok(request) = self.requests.recv_timeout(patience) else { break };
            batch.push(request);
        }
        batch
    }

    /// The next request; `Some(None)` when there is time to tidy up, `None` at the end.
    fn next_request(&mut self) -> Option<Option<Box<dyn Job>>> {
        if self.is_behind {
            return match self.requests.recv_timeout(CATCH_UP_EVERY) {
                Ok(request) => Some(Some(request)),
                Err(RecvTimeoutError::Timeout) => Some(None),
                Err(RecvTimeoutError::Disconnected) => None,
            };
        }
        let now = Instant::now();
        if !self.dropped.is_empty() || self.prune_at.is_some_and(|at| at <= now) {
            // Old history goes even when requests never stop coming.
            if self.prune_at.is_some_and(|at| at + PRUNE_PAUSE <= now) {
                self.prune();
            }
            return match self.requests.try_recv() {
                Ok(request) => Some(Some(request)),
                Err(TryRecvError::Empty) => Some(None),
                Err(TryRecvError::Disconnected) => None,
            };
        }
        let patience = if self.unsynced { Some(SYNC_AFTER) } else { self.expiring.then_some(SWEEP_EVERY) };
        let until_prune = self.prune_at.map(|at| at - now);
        match [patience, until_prune].into_iter().flatten().min() {
            None => self.requests.recv().ok().map(Some),
            Some(patience) => match self.requests.recv_timeout(patience) {
                Ok(request) => Some(Some(request)),
                Err(RecvTimeoutError::Timeout) => Some(None),
                Err(RecvTimeoutError::Disconnected) => None,
            },
        }
    }

    pub(super) fn run(&mut self, mut batch: Vec<Box<dyn Job>>) {
        // Each turn either ends the batch, takes a failed request out of it, moves one beyond the time of a record, or
        // doubles the memory map.
        while !batch.is_empty() {
            match self.attempt(&mut batch) {
                Ok(Outcome::Changed | Outcome::Unchanged) => {
                    return batch.into_iter().for_each(Job::acknowledge);
                }
                Ok(Outcome::Behind(at, time)) => batch[at].run_after(time),
                Ok(Outcome::Rejected(at)) => batch.remove(at).acknowledge(),
                Ok(Outcome::Panicked(at, message)) => {
                    tracing::error!(message, "a write panicked");
                    batch.remove(at).fail(StoreError::Panicked(message));
                }
                Err(error) if error.is_map_full() => {
                    if let Err(error) = self.environment.grow() {
                        tracing::error!(%error, "the memory map cannot grow");
                        return fail_all(batch, &error);
                    }
                }
                Err(error) => {
                    let error = self.environment.explain(error);
                    tracing::error!(%error, file = %self.environment.path().display(), "a commit failed");
                    return fail_all(batch, &error);
                }
            }
        }
    }

    fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> Result<Outcome, StoreError> {
        let environment = Arc::clone(&self.environment);
        let mut txn = WriteTxn::begin(&environment)?;
        let outcome = self.fill(&mut txn, batch)?;
        if let Outcome::Changed = outcome {
            let dropped = txn.commit()?;
            self.committed(dropped);
        }
        Ok(outcome)
    }

    /// Runs requests in a transaction, which can only be given up when one of them does not fit in. Fails when LMDB
    /// does.
    pub(super) fn fill(
        &mut self,
        txn: &mut WriteTxn<'_>,
        batch: &mut [Box<dyn Job>],
    ) -> Result<Outcome, StoreError> {
        for (at, job) in batch.iter_mut().enumerate() {
            self.last_timestamp = txn.begin_request(self.last_timestamp, job.after());
            let before = txn.changes;
            let succeeded = match catch_unwind(AssertUnwindSafe(|| job.run(txn))) {
                Ok(succeeded) => succeeded,
                Err(panic) => return Ok(Outcome::Panicked(at, message_of(&*panic))),
            };
            self.last_timestamp = self.last_timestamp.max(txn.seen);
            if let Some(time) = txn.behind.take() {
                return Ok(Outcome::Behind(at, time));
            }
            match txn.failure.take() {
                Some(error) if error.is_map_full() => return Err(error),
                // It got the failure as its own result, or should have.
                Some(error) if succeeded => return Err(error),
                Some(_) => return Ok(Outcome::Rejected(at)),
                None if !succeeded && txn.changes != before => return Ok(Outcome::Rejected(at)),
                None => {}
            }
        }
        Ok(if txn.changes == 0 { Outcome::Unchanged } else { Outcome::Changed })
    }

    /// What follows on a commit that dropped these tables.
    pub(super) fn committed(&mut self, dropped: Vec<u32>) {
        self.dropped.extend(dropped);
        self.unsynced |= self.write_async;
        self.expiring = true;
        if let Some(retention) = self.retention {
            self.prune_at.get_or_insert_with(|| Instant::now() + pause_for(retention));
        }
    }

    /// One step of the work that can wait.
    fn tidy_up(&mut self) {
        if self.unsynced {
            self.sync();
        } else if let Some(id) = self.dropped.first().copied() {
            match self.idle_step(|txn| txn.purge_table(id, IDLE_STEP)) {
                Some(false) => {}
                // Done, or to be tried again after the next start.
                Some(true) | None => drop(self.dropped.remove(0)),
            }
        } else if self.prune_at.is_some_and(|at| at <= Instant::now()) {
            self.prune();
        } else {
            match may_expire(&self.environment) {
                Ok(Expiry::Now) => {
                    self.idle_step(|txn| txn.sweep_expired(IDLE_STEP));
                }
                Ok(Expiry::Later) => {}
                Ok(Expiry::Never) => self.expiring = false,
                Err(error) => {
                    tracing::error!(%error, "expired records cannot be found");
                    self.expiring = false;
                }
            }
        }
    }

    /// Removes a step's worth of history entries that have been kept long enough, and sets the time of the next step.
    fn prune(&mut self) {
        let Some(retention) = self.retention else { return };
        let before = now() - retention.as_secs_f64() * 1000.0;
        let removed = match may_prune(&self.environment, before) {
            Ok(Pruning::Never) => {
                self.prune_at = None;
                return;
            }
            Ok(Pruning::Later) => Some(0),
            Ok(Pruning::Now) => self.idle_step(|txn| txn.delete_old_history(before, PRUNE_STEP)),
            Err(error) => {
                tracing::error!(%error, "old history entries cannot be found");
                None
            }
        };
        let is_done = removed.is_none_or(|removed| removed == 0);
        let pause = if is_done { pause_for(retention) } else { Duration::ZERO };
        self.prune_at = Some(Instant::now() + pause);
    }

    fn idle_step<T>(
        &mut self,
        mut work: impl FnMut(&mut WriteTxn<'_>) -> Result<T, StoreError>,
    ) -> Option<T> {
        loop {
            let result = WriteTxn::begin(&self.environment).and_then(|mut txn| {
                txn.begin_request(self.last_timestamp, 0.0);
                let result = work(&mut txn)?;
                txn.commit()?;
                Ok(result)
            });
            match result {
                Ok(result) => return Some(result),
                Err(error) if error.is_map_full() && self.environment.grow().is_ok() => {}
                Err(error) => {
                    tracing::error!(%error, file = %self.environment.path().display(), "tidying up failed");
                    return None;
                }
            }
        }
    }

    fn sync(&mut self) {
        self.unsynced = false;
        if let Err(error) = self.environment.sync() {
            tracing::error!(%error, file = %self.environment.path().display(), "writes could not be made durable");
        }
    }
}

/// What became of running a batch once.
pub(super) enum Outcome {
    /// Something was changed.
    Changed,
    /// Nobody changed anything.
    Unchanged,
    /// One request writes a record that has this later time: everything must run again, this one later than that.
    Behind(usize, f64),
    /// One request failed after it had changed something: the rest must run again without it.
    Rejected(usize),
    /// The code of one request panicked: likewise.
    Panicked(usize, String),
}

pub(super) fn fail_all(batch: Vec<Box<dyn Job>>, error: &StoreError) {
    batch.into_iter().for_each(|job| job.fail(error.clone()));
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Dropped tables whose keys were not all removed.
fn unfinished_drops(environment: &Environment) -> Result<Vec<u32>, StoreError> {
    let reading = environment.read()?;
    Pairs::under(&reading.txn, &environment.trees.meta, b"dropped-")?
        .map(|pair| pair.map(|(key, _)| meta_keys::number(key)))
        .collect()
}

/// Whether records expire.
enum Expiry {
    Now,
    Later,
    Never,
}

fn may_expire(environment: &Environment) -> Result<Expiry, StoreError> {
    let reader = ReadTxn::begin(environment)?;
    let view = reader.view();
    let mut expiry = Expiry::Never;
    for table in reader.catalog().tables() {
        if view.expired(table)?.next().is_some() {
            return Ok(Expiry::Now);
        }
        if view.any_expiring(table)? {
            expiry = Expiry::Later;
        }
    }
    Ok(expiry)
}

/// Whether history entries are older than a time.
enum Pruning {
    Now,
    Later,
    Never,
}

fn may_prune(environment: &Environment, before: f64) -> Result<Pruning, StoreError> {
    let reader = ReadTxn::begin(environment)?;
    let view = reader.view();
    let mut pruning = Pruning::Never;
    for table in reader.catalog().tables() {
        match view.history(table, Bound::Unbounded, Bound::Unbounded, false)?.next().transpose()? {
            Some(entry) if entry.timestamp < before => return Ok(Pruning::Now),
            Some(_) => pruning = Pruning::Later,
            None => {}
        }
    }
    Ok(pruning)
}

/// The time of the last history entry, which later ones must exceed, unless the clock was wrong then.
fn last_time(environment: &Environment) -> f64 {
    let last = environment.read().and_then(|reading| history::last_state(&reading.txn, &environment.trees));
    let likely = |time: f64| if time < now() + FARTHEST_AHEAD { time } else { 0.0 };
    match last {
        Ok((_, time)) => likely(time).max(likely(environment.farthest())),
        Err(error) => {
            tracing::error!(%error, "the time of the last history entry cannot be read");
            0.0
        }
    }
}

/// How long the writer waits until it looks again for history entries that were kept so long.
fn pause_for(retention: Duration) -> Duration {
    PRUNE_EVERY.min(retention).max(PRUNE_PAUSE)
}

/// True when a writer has something to do before anyone writes.
pub(super) fn has_unfinished_work(
    environment: &Environment,
    options: &StoreOptions,
) -> Result<bool, StoreError> {
    let pruning = match options.history_retention {
        Some(_) => may_prune(environment, f64::NEG_INFINITY)?,
        None => Pruning::Never,
    };
    Ok(!matches!(pruning, Pruning::Never)
        || !unfinished_drops(environment)?.is_empty()
        || !matches!(may_expire(environment)?, Expiry::Never))
}
