//! Reading the stream of another node and applying it, many messages under way at once and all in order.

use super::answers::CopyRequest;
use super::apply::{self, Applied, Cursor};
use super::engine::Engine;
use super::message::Transaction;
use super::nodes::{NodeRecord, Subscription};
use super::state::{self, Acknowledgement, DatabaseState, Mark, State};
use super::streams::Part;
use super::transfer::Pages;
use super::{copy, names, progress};
use crate::error::OperationError;
use anyhow::Context;
use async_nats::Client;
use async_nats::jetstream::consumer::pull::{Batch, Config};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::{self, Message};
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many messages, and bytes of them, are asked for at once.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 4 << 20;
/// How long such a request waits for messages.
const BATCH_WAIT: Duration = Duration::from_secs(5);
/// How long the server keeps a consumer that nobody asks.
const CONSUMER_LIFE: Duration = Duration::from_secs(60);
/// How many messages, and bytes of them, may still be being applied when more are asked for.
const UNDER_WAY: usize = 128;
const UNDER_WAY_BYTES: usize = 4 << 20;
/// After how many applied messages the origin is told at the latest.
const ACKNOWLEDGE_AFTER: usize = 64;
/// The pause after a failure, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Reads one database of one node.
pub(super) struct Reader {
    pub(super) engine: Arc<Engine>,
    pub(super) client: Client,
    pub(super) record: Arc<NodeRecord>,
    pub(super) database: String,
    /// What the node says of itself.
    pub(super) states: watch::Receiver<Arc<State>>,
}

/// Why reading ended without a failure.
enum Ending {
    /// Something was missed.
    Gap,
    /// The stream is another one now.
    Anew,
}

/// Where to begin.
#[derive(Debug)]
enum Place {
    /// With the first message there is.
    First,
    /// Behind a message.
    After(u64),
    /// With transactions of this time, in epoch milliseconds; those before are not missed.
    Since(f64),
}

/// What became of a message that was handed to the store.
struct Outcome {
    /// The number in the history of its origin, its time and its size.
    lseq: u64,
    time: f64,
    bytes: usize,
    has_writes: bool,
    result: Result<Applied, OperationError>,
}

type UnderWay = FuturesOrdered<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

impl Reader {
    /// Goes on until it is aborted.
    pub(super) async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.read().await {
                Ok(Ending::Anew) => pause = FIRST_PAUSE,
                Ok(Ending::Gap) => match self.copy().await {
                    Ok(()) => pause = FIRST_PAUSE,
                    Err(error) => self.failed("no copy could be taken", &error, &mut pause),
                },
                Err(error) => self.failed("reading begins anew", &error, &mut pause),
            }
            self.update(|link| link.connected = false);
            tokio::time::sleep(pause).await;
        }
    }

    fn failed(&self, what: &str, error: &anyhow::Error, pause: &mut Duration) {
        let (node, database) = (&self.record.name, &self.database);
        tracing::info!(node, database, "{what}: {error:#}");
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }

    fn update(&self, change: impl FnOnce(&mut super::LinkStatus)) {
        self.engine.status.update(&self.record.name, &self.database, change);
    }

    /// What the node says of the database, once its stream is there.
    async fn state(&self) -> anyhow::Result<DatabaseState> {
        let mut states = self.states.clone();
        let is_there = |state: &Arc<State>| {
            state.databases.get(&self.database).is_some_and(|state| !state.epoch.is_empty())
        };
        let state = states.wait_for(is_there).await.context("the connection ended")?;
        state.databases.get(&self.database).cloned().context("the database is gone")
    }

    async fn read(&self) -> anyhow::Result<Ending> {
        let state = self.state().await?;
        let place = match self.place(&state)? {
            Some(place) => place,
            None if self.was_dropped(&state)? => return self.wait_for_another(&state).await,
            None if self.begins_with_a_copy() => return Ok(Ending::Gap),
            None => self.first_place(&state).await?,
        };
        let mut run = Run {
            reader: self,
            consumer: self.consumer(&state, &place).await?,
            state,
            since: if let Place::Since(time) = place { Some(time) } else { None },
            position: if let Place::After(number) = place { number } else { 0 },
            delivered: 0,
            heard: true,
            parts: Vec::new(),
            began: self.engine.now(),
            next_part: 0,
            under_way: UnderWay::new(),
            bytes: 0,
            unacknowledged: 0,
            acknowledge: None,
        };
        self.update(|link| link.connected = true);
        run.go().await
    }

    /// The place that reading has come to; `None` at the first meeting.
    fn place(&self, state: &DatabaseState) -> anyhow::Result<Option<Place>> {
        let server = self.engine.server()?;
        let Some(database) = server.store.database(&self.database) else { return Ok(None) };
        let applied = progress::applied(&database, &self.record.name)?;
        if applied.is_none_or(|mark| mark.life != state.life) {
            return Ok(None);
        }
        let cursor = progress::cursor(&database, &self.record.name)?;
        Ok(Some(match cursor {
            Some(cursor) if cursor.epoch == state.epoch => Place::After(cursor.stream_seq),
            _ => Place::First,
        }))
    }

    /// Whether the database was dropped here after its changes had been taken from that node: drops stay where they
    /// are made, and so does what they leave.
    fn was_dropped(&self, state: &DatabaseState) -> anyhow::Result<bool> {
        let server = self.engine.server()?;
        let is_gone = server.store.database(&self.database).is_none();
        Ok(is_gone && progress::shared(&server.store, &self.database)?.contains(&state.life))
    }

    /// Waits until the node has made the database anew, or this one has.
    async fn wait_for_another(&self, state: &DatabaseState) -> anyhow::Result<Ending> {
        let mut states = self.states.clone();
        while self.was_dropped(state)? {
            states.changed().await.context("the connection ended")?;
            let is_same = |said: &Arc<State>| {
                said.databases.get(&self.database).is_some_and(|said| said.life == state.life)
            };
            if !is_same(&states.borrow_and_update()) {
                break;
            }
        }
        Ok(Ending::Anew)
    }

    fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        let all = self.record.subscriptions.iter().flatten();
        all.filter(|one| one.database == self.database && one.subscribe)
    }

    fn start_time(&self) -> Option<f64> {
        let times = self.subscriptions().filter_map(|one| one.start_time);
        self.record.start_time.or_else(|| times.min_by(f64::total_cmp))
    }

    fn begins_with_a_copy(&self) -> bool {
        self.start_time().is_none() && !self.record.legacy
    }

    /// Where to begin without a copy: at a time, or with what comes from now on.
    async fn first_place(&self, state: &DatabaseState) -> anyhow::Result<Place> {
        self.make_database(state).await?;
        if let Some(time) = self.start_time() {
            return Ok(Place::Since(time));
        }
        let mark = Transaction {
            origin: self.record.name.clone(),
            epoch: state.life.clone(),
            lseq: state.lseq,
            timestamp: 0.0,
            ..Transaction::default()
        };
        let cursor = self.cursor(state, state.message, state.lseq);
        let server = self.engine.server()?;
        apply::transaction(&server, &self.database, &self.from(), mark, cursor)
            .await
            .map_err(OperationError::into_cause)?;
        Ok(Place::After(state.message))
    }

    /// Makes the database where it is missing.
    async fn make_database(&self, state: &DatabaseState) -> anyhow::Result<()> {
        let (server, name) = (self.engine.server()?, self.database.clone());
        if server.store.database(&name).is_none() {
            let store = server.clone();
            tokio::task::spawn_blocking(move || store.store.create_database(&name)).await??;
        }
        progress::note_shared(&server.store, &self.database, &state.life)
            .await
            .map_err(OperationError::into_cause)
    }

    fn from(&self) -> apply::Peer {
        apply::Peer { name: self.record.name.clone() }
    }

    fn cursor(&self, state: &DatabaseState, message: u64, lseq: u64) -> Cursor {
        Cursor { epoch: state.epoch.clone(), stream_seq: message, origin_lseq: lseq }
    }

    /// Takes the whole database; reading goes on behind what was in the stream before.
    async fn copy(&self) -> anyhow::Result<()> {
        let state = self.state().await?;
        let (node, database) = (&self.record.name, &self.database);
        tracing::info!(node, database, "a copy is taken");
        let request = state::encode(&CopyRequest { database: database.clone() });
        let answer = self
            .client
            .request(names::Request::Copy.subject(node, &self.engine.node), request.into())
            .await
            .context("no answer")?;
        let pages = Pages::new(&self.client, String::from_utf8_lossy(&answer.payload).into_owned());
        let server = self.engine.server()?;
        let cursor = self.cursor(&state, state.message, state.lseq);
        copy::take(&server, database, &self.from(), cursor, |table, time| self.is_due(table, time), pages)
            .await?;
        progress::note_shared(&server.store, database, &state.life).await.map_err(OperationError::into_cause)
    }

    async fn consumer(&self, state: &DatabaseState, place: &Place) -> anyhow::Result<Consumer<Config>> {
        let deliver_policy = match place {
            Place::First | Place::Since(_) => DeliverPolicy::All,
            Place::After(number) => DeliverPolicy::ByStartSequence { start_sequence: number + 1 },
        };
        let config = Config {
            deliver_policy,
            ack_policy: AckPolicy::None,
            memory_storage: true,
            inactive_threshold: CONSUMER_LIFE,
            ..Config::default()
        };
        let context = jetstream::new(self.client.clone());
        context.create_consumer_on_stream(config, &state.stream).await.context("cannot read the stream")
    }

    /// Whether a table is to be taken.
    fn is_wanted(&self, table: &str) -> bool {
        self.engine.replicates_table(&self.database, table)
            && (self.record.subscriptions.is_none() || self.subscriptions().any(|one| one.table == table))
    }

    /// Whether a change of a table is to be applied here: of some only those from a time on are.
    fn is_due(&self, table: &str, time: f64) -> bool {
        let of_table = self.subscriptions().filter(|one| one.table == table).map(|one| one.start_time);
        let mut starts = of_table.chain([self.record.start_time]).flatten();
        self.is_wanted(table) && starts.all(|start| start <= time)
    }

    /// Leaves of a message what is to be applied here.
    fn sift(&self, message: &mut Transaction) {
        let time = message.timestamp;
        message.writes.retain(|write| self.is_due(&write.table, time));
        message.tables.retain(|table| self.is_wanted(&table.name));
    }
}

/// Reading from one consumer.
struct Run<'r> {
    reader: &'r Reader,
    consumer: Consumer<Config>,
    state: DatabaseState,
    /// Set until a transaction of this time has arrived.
    since: Option<f64>,
    /// The number of the last message that arrived.
    position: u64,
    /// How many messages the consumer has delivered.
    delivered: u64,
    /// Whether a message has arrived since the node spoke of itself.
    heard: bool,
    /// The parts of a message so far, and which one comes next; 0 for none.
    parts: Vec<u8>,
    /// When this began, in epoch milliseconds.
    began: f64,
    next_part: usize,
    under_way: UnderWay,
    bytes: usize,
    /// How many messages were applied since the origin was told, and what it is to be told.
    unacknowledged: usize,
    acknowledge: Option<u64>,
}

impl Run<'_> {
    async fn go(&mut self) -> anyhow::Result<Ending> {
        let mut states = self.reader.states.clone();
        // What was said before is in `state`.
        states.borrow_and_update();
        loop {
            // What was asked for is taken as it comes, or it would be given up.
            while self.bytes > UNDER_WAY_BYTES || self.under_way.len() > UNDER_WAY {
                let Some(outcome) = self.under_way.next().await else { break };
                if let Some(ending) = self.applied(outcome).await? {
                    return Ok(ending);
                }
            }
            let request =
                self.consumer.batch().max_messages(BATCH).max_bytes(BATCH_BYTES).expires(BATCH_WAIT);
            let mut batch = request.messages().await.context("cannot ask for messages")?;
            if let Some(ending) = self.take(&mut batch, &mut states).await? {
                return Ok(ending);
            }
        }
    }

    /// Takes the messages of a batch; `None` when there may be more.
    async fn take(
        &mut self,
        batch: &mut Batch,
        states: &mut watch::Receiver<Arc<State>>,
    ) -> anyhow::Result<Option<Ending>> {
        loop {
            tokio::select! {
                biased;
                Some(outcome) = self.under_way.next(), if !self.under_way.is_empty() => {
                    if let Some(ending) = self.applied(outcome).await? {
                        return Ok(Some(ending));
                    }
                }
                message = batch.next() => match message {
                    Some(Ok(message)) => self.arrived(message).await?,
                    Some(Err(error)) if is_full(&*error) => return Ok(None),
                    Some(Err(error)) => anyhow::bail!("the consumer is lost: {error}"),
                    None => return Ok(None),
                },
                changed = states.changed() => {
                    changed.context("the connection ended")?;
                    let said = states.borrow_and_update().databases.get(&self.reader.database).cloned();
                    if let Some(ending) = self.compare(said).await? {
                        return Ok(Some(ending));
                    }
                }
            }
        }
    }

    /// Looks whether what the node says of itself fits what has been read.
    async fn compare(&mut self, said: Option<DatabaseState>) -> anyhow::Result<Option<Ending>> {
        let Some(said) = said.filter(|said| !said.epoch.is_empty()) else { return Ok(None) };
        if said.epoch != self.state.epoch || said.life != self.state.life {
            return Ok(Some(Ending::Anew));
        }
        // Nothing has come for a while, nothing is left in the stream, and yet there was more.
        let was_quiet = !std::mem::take(&mut self.heard);
        let is_quiet =
            was_quiet && self.under_way.is_empty() && self.parts.is_empty() && self.since.is_none();
        if is_quiet && self.state.message == said.message && self.state.lseq == said.lseq {
            let server = self.reader.engine.server()?;
            let Some(database) = server.store.database(&self.reader.database) else {
                return Ok(Some(Ending::Anew));
            };
            let applied = progress::applied(&database, &self.reader.record.name)?;
            let applied = applied.filter(|mark| mark.life == said.life).map_or(0, |mark| mark.lseq);
            if applied < said.lseq {
                // Or what is left does not come.
                let is_all = self.has_everything(said.message).await?;
                return Ok(Some(if is_all { Ending::Gap } else { Ending::Anew }));
            }
        }
        self.state = said;
        Ok(None)
    }

    /// Whether all that the stream has must have arrived: its last message has, or the rest was removed from it.
    async fn has_everything(&mut self, last: u64) -> anyhow::Result<bool> {
        Ok(self.position >= last || self.consumer.get_info().await?.num_pending == 0)
    }

    async fn arrived(&mut self, message: Message) -> anyhow::Result<()> {
        let info = message.info().map_err(|error| anyhow::anyhow!(error))?;
        let (number, delivered) = (info.stream_sequence, info.consumer_sequence);
        anyhow::ensure!(
            delivered == self.delivered + 1,
            "messages were lost on the way: {delivered} came after {}, number {number} after {}",
            self.delivered,
            self.position
        );
        (self.delivered, self.position, self.heard) = (delivered, number, true);
        let headers = message.headers.clone().unwrap_or_default();
        let part = Part::of(&headers).context("a part of a message that cannot be understood")?;
        if part.at == 1 {
            (self.next_part, self.parts) = (1, Vec::new());
        }
        if part.at != self.next_part {
            // The rest of what was cut off.
            return Ok(());
        }
        self.next_part = if part.at == part.of { 0 } else { part.at + 1 };
        let body = if part == Part::WHOLE {
            message.payload.to_vec()
        } else {
            self.parts.extend_from_slice(&message.payload);
            anyhow::ensure!(self.parts.len() <= super::message::LARGEST_MESSAGE, "a message is too long");
            if part.at < part.of {
                return Ok(());
            }
            std::mem::take(&mut self.parts)
        };
        let mut transaction = Transaction::decode(&body)?;
        let bytes = body.len();
        drop(body);
        if let Some(since) = self.since {
            // Nothing of what was before is missed; `sift` leaves nothing of it.
            transaction.previous = 0;
            // What only tells of tables, or of what is gone, may be of any time.
            if !transaction.writes.is_empty() && transaction.timestamp >= since {
                self.since = None;
            }
        }
        if fault!("missed-writes-lost") && transaction.timestamp < self.began {
            transaction.writes.clear();
        }
        self.reader.sift(&mut transaction);
        self.hand_over(transaction, number, bytes)
    }

    /// Gives a message to the store; what became of it is told in the order of messages.
    fn hand_over(&mut self, message: Transaction, number: u64, bytes: usize) -> anyhow::Result<()> {
        let (lseq, time) = (message.lseq, message.timestamp);
        let has_writes = !message.writes.is_empty();
        let cursor = self.reader.cursor(&self.state, number, lseq);
        let (server, database) = (self.reader.engine.server()?, self.reader.database.clone());
        anyhow::ensure!(server.store.database(&database).is_some(), "the database was dropped");
        let from = self.reader.from();
        let mut work = Box::pin(async move {
            let result = apply::transaction(&server, &database, &from, message, cursor).await;
            Outcome { lseq, time, bytes, has_writes, result }
        });
        self.bytes += bytes;
        // Polled here, so that the store gets the messages in their order.
        match work.as_mut().now_or_never() {
            Some(outcome) => self.under_way.push_back(Box::pin(std::future::ready(outcome))),
            None => self.under_way.push_back(work),
        }
        Ok(())
    }

    async fn applied(&mut self, outcome: Outcome) -> anyhow::Result<Option<Ending>> {
        self.bytes = self.bytes.saturating_sub(outcome.bytes);
        if let Applied::Gap(last) = outcome.result.map_err(OperationError::into_cause)? {
            let (node, database) = (&self.reader.record.name, &self.reader.database);
            tracing::info!(node, database, last, lseq = outcome.lseq, "transactions are missing");
            return Ok(Some(Ending::Gap));
        }
        if outcome.has_writes {
            let now = self.reader.engine.now();
            self.reader.update(|link| {
                link.last_received_remote = Some(outcome.time);
                link.last_received_local = Some(now);
            });
        }
        self.acknowledge = Some(outcome.lseq);
        self.unacknowledged += 1;
        if self.under_way.is_empty() || self.unacknowledged >= ACKNOWLEDGE_AFTER {
            self.tell_origin().await?;
        }
        Ok(None)
    }

    async fn tell_origin(&mut self) -> anyhow::Result<()> {
        self.unacknowledged = 0;
        let Some(lseq) = self.acknowledge.take() else { return Ok(()) };
        let mark = Mark { life: self.state.life.clone(), lseq };
        let message = state::encode(&Acknowledgement { database: self.reader.database.clone(), mark });
        let subject = names::Request::Acknowledge.subject(&self.reader.record.name, &self.reader.engine.node);
        self.reader.client.publish(subject, message.into()).await.context("cannot acknowledge")
    }
}

/// Whether a batch has ended as its messages were many bytes.
fn is_full(error: &(dyn std::error::Error + Send + Sync)) -> bool {
    error.to_string().contains("MaxBytes")
}
