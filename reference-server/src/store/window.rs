//! How the writer brings what several clients write into the trees with one commit for many batches: each batch is
//! written to the journal, and acknowledged when it is durable there; a commit follows when a reader comes, when nobody
//! writes any more, or when enough has gathered.
//!
//! Readers and writers in turn would only make each other wait. So after a reader had to, every batch has a commit of
//! its own again for a while.

use super::changes::{Writing, make_again};
use super::environment::Environment;
use super::error::StoreError;
use super::journal::{self, Journal};
use super::room;
use super::write::WriteTxn;
use super::writer::{Job, Outcome, Writer, fail_all};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many requests that wait at the same time, or come right after one another, are worth it.
const FEWEST_AT_ONCE: usize = 2;
const FEWEST_IN_A_ROW: usize = 8;
/// How long a commit is put off while requests keep coming.
const LONGEST: Duration = Duration::from_millis(100);
/// How long it waits for another request.
const LINGER: Duration = Duration::from_millis(2);
/// How long every batch has a commit of its own after a reader had to wait for one.
const APART: Duration = Duration::from_millis(500);

type Batch = Vec<Box<dyn Job>>;

/// What became of a batch that was to join the others.
enum Joined {
    /// Everything is durable in the journal, or nothing was changed.
    Durable,
    /// It is with the others, but not in the journal: it is durable when they are committed.
    WithTheRest,
    /// It has to be done for itself.
    Not,
}

impl Writer {
    /// Counts the requests that come right after one another: this one, and when the last was done.
    pub(super) fn count_in_a_row(&mut self, last: Option<Instant>) {
        let is_next = last.is_some_and(|last| last.elapsed() < LINGER);
        self.in_a_row = if is_next { self.in_a_row + 1 } else { 0 };
    }

    /// Whether a batch is to be the first of many that share a commit.
    pub(super) fn may_gather(&self, batch: &Batch) -> bool {
        self.has_journal
            && (batch.len() >= FEWEST_AT_ONCE || self.in_a_row >= FEWEST_IN_A_ROW)
            && self.apart_until.is_none_or(|end| end <= Instant::now())
            && room::is_ample(self.environment.path())
    }

    /// Runs a batch and those that follow it, and commits them together.
    pub(super) fn run_together(&mut self, first: Batch) {
        let environment = Arc::clone(&self.environment);
        let opened = environment.write().and_then(|txn| {
            self.begin_journal(&environment, &txn)?;
            Ok(txn)
        });
        let mut txn = match opened {
            Ok(txn) => txn,
            Err(error) => {
                tracing::warn!(%error, "every batch gets a commit of its own, as there is no journal");
                self.has_journal = false;
                return self.run(first);
            }
        };
        let (with_the_rest, left) = self.gather_batches(&environment, &mut txn, first);
        let committed = environment.commit(txn, None);
        if environment.lag.is_awaited() {
            self.apart_until = Some(Instant::now() + APART);
        }
        match committed {
            Ok(()) => {
                environment.lag.end();
                self.committed(Vec::new());
                with_the_rest.into_iter().for_each(Job::acknowledge);
                self.run(left);
            }
            Err(error) => {
                tracing::debug!(%error, "a commit is made again from the journal");
                self.is_behind = true;
                let caught_up = self.catch_up();
                for batch in [with_the_rest, left] {
                    match &caught_up {
                        Ok(()) => self.run(batch),
                        Err(error) => fail_all(batch, error),
                    }
                }
            }
        }
    }

    /// Removes the journal when nothing needs it any more.
    pub(super) fn end_journal(&mut self) {
        if self.is_behind || self.journal.take().is_none() {
            return;
        }
        if let Err(error) = journal::remove(self.environment.path()) {
            tracing::warn!(%error, "a journal that is done with stays");
        }
    }

    fn begin_journal(&mut self, environment: &Environment, txn: &Writing<'_>) -> Result<(), StoreError> {
        let base = environment.base_of(txn)?;
        match &mut self.journal {
            Some(journal) => journal.begin(base)?,
            none => *none = Some(Journal::open(environment.path(), base)?),
        }
        Ok(())
    }

    /// Runs batch after batch until it is time for the commit. Returns the requests that are to be acknowledged after
    /// it, and those that have to be run then.
    fn gather_batches(
        &mut self,
        environment: &Environment,
        txn: &mut Writing<'_>,
        first: Batch,
    ) -> (Batch, Batch) {
        let end = Instant::now() + LONGEST;
        let mut batch = first;
        loop {
            let started = Instant::now();
            match self.join(environment, txn, &mut batch) {
                Joined::Durable => batch.into_iter().for_each(Job::acknowledge),
                Joined::WithTheRest => return (batch, Batch::new()),
                Joined::Not => return (Batch::new(), batch),
            }
            self.last_run = started.elapsed();
            if environment.lag.is_awaited() || end <= Instant::now() {
                return Default::default();
            }
            let Ok(next) = self.requests.recv_timeout(LINGER) else { return Default::default() };
            batch = self.gather(next);
            self.company = batch.len();
        }
    }

    fn join(&mut self, environment: &Environment, txn: &mut Writing<'_>, batch: &mut Batch) -> Joined {
        let Ok(nested) = environment.nested(txn) else { return Joined::Not };
        let mut part = WriteTxn::over(environment, Writing::listed(nested, Journal::head()));
        match self.fill(&mut part, batch) {
            Ok(Outcome::Changed) => {}
            Ok(Outcome::Unchanged) => return Joined::Durable,
            _ => return Joined::Not,
        }
        let farthest = part.farthest;
        let Ok(Some(part)) = part.into_part() else { return Joined::Not };
        let (nested, list) = part.into_parts();
        let length = list.as_ref().map_or(0, Vec::len);
        let is_written = self.write_down(list);
        if nested.commit().is_err() {
            if let (true, Some(journal)) = (is_written, &mut self.journal) {
                journal.take_back(length);
            }
            return Joined::Not;
        }
        environment.set_farthest(farthest);
        if !is_written {
            return Joined::WithTheRest;
        }
        if !environment.lag.lags() {
            environment.lag.begin();
        }
        Joined::Durable
    }

    /// Makes a batch durable in the journal; tells whether it is.
    fn write_down(&mut self, list: Option<Vec<u8>>) -> bool {
        let (Some(list), Some(journal)) = (list, &mut self.journal) else { return false };
        journal.add(list).unwrap_or_else(|error| {
            tracing::warn!(%error, "every batch gets a commit of its own, as the journal cannot be written");
            self.has_journal = false;
            false
        })
    }

    /// Brings what is only in the journal into the trees, where a commit of it had failed. Until that succeeds nothing
    /// else may be committed, and nothing is read.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        let (true, Some(journal)) = (self.is_behind, &mut self.journal) else { return Ok(()) };
        let environment = Arc::clone(&self.environment);
        let batches = journal.batches().map_err(StoreError::from);
        let caught_up = batches.and_then(|batches| environment.make_again(&batches));
        match caught_up.map_err(|error| environment.explain(error)) {
            Ok(()) => {
                self.is_behind = false;
                self.committed(Vec::new());
                environment.lag.end();
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, file = %environment.path().display(), "acknowledged writes wait in the journal");
                environment.lag.fail(error.clone());
                Err(error)
            }
        }
    }
}

impl Environment {
    /// Makes changes that a journal holds, all or none.
    pub(super) fn make_again(&self, batches: &[Vec<u8>]) -> Result<(), StoreError> {
        loop {
            let mut txn = self.write()?;
            let made = batches.iter().try_for_each(|batch| make_again(batch, &mut txn, &self.trees));
            match made.and_then(|()| self.commit(txn, None)) {
                Err(error) if error.is_map_full() => self.grow()?,
                result => return result,
            }
        }
    }
}
