//! What this node commits goes into its stream: the history is the queue, and what the stream says of itself is the
//! place in it. Nobody waits for the outbox; commits only wake it.

use super::audience::Excerpt;
use super::definitions::{self, News};
use super::engine::Engine;
use super::message::{LARGEST_PART, TableDefinition, Transaction};
use super::names::{self, StreamName};
use super::{progress, streams};
use crate::error::OperationError;
use crate::store::{Database, SYSTEM_DATABASE, StoreError, WriteTxn};
use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use streams::Part;
use tokio::sync::oneshot;

/// How many entries are taken from the history at once at most, and how many bytes of messages, the first entry apart.
const TAKEN: usize = 256;
const TAKEN_BYTES: usize = 4 << 20;
/// How many messages, and bytes of them, may be without an answer.
const IN_FLIGHT: usize = 256;
const IN_FLIGHT_BYTES: usize = 8 << 20;
/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(250);

/// A database, and the one node that its stream is for.
pub(super) type Key = (String, Option<String>);

/// How far the stream of a database has come; others are told when they ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Which life of the stream it is.
    pub(super) epoch: String,
    /// Which life of the database.
    pub(super) life: String,
    /// The number of the last message.
    pub(super) message: u64,
    /// The number of the last transaction.
    pub(super) lseq: u64,
}

/// A message ready to be sent.
struct Ready {
    subject: String,
    transaction: Transaction,
    body: Vec<u8>,
}

/// What one look into the history brought.
#[derive(Default)]
struct Taken {
    /// How far the history was looked at.
    scanned: u64,
    /// Set when entries were removed before they were told: those up to this number.
    lost: Option<u64>,
    news: Vec<News>,
    ready: Vec<Ready>,
}

/// Keeps the stream of a database filled.
#[derive(Clone)]
pub(super) struct Outbox {
    pub(super) engine: Arc<Engine>,
    pub(super) context: jetstream::Context,
    pub(super) database: Arc<Database>,
    /// What is told, where that is not everything.
    pub(super) excerpt: Option<Excerpt>,
}

impl Outbox {
    /// The stream it fills.
    fn stream(&self) -> StreamName<'_> {
        let reader = self.excerpt.as_ref().map(|excerpt| excerpt.reader.as_str());
        StreamName { node: &self.engine.node, database: self.database.name(), reader }
    }

    fn key(&self) -> Key {
        (self.database.name().to_owned(), self.excerpt.as_ref().map(|excerpt| excerpt.reader.clone()))
    }

    /// Goes on until it is aborted.
    pub(super) async fn run(self) {
        loop {
            if let Err(error) = self.fill().await {
                tracing::debug!(database = self.database.name(), "the outbox begins anew: {error:#}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Begins at the place the stream tells, and goes on until something fails.
    async fn fill(&self) -> anyhow::Result<()> {
        let life = progress::life(&self.database).await?;
        let life = self.excerpt.as_ref().map_or(life.clone(), |excerpt| excerpt.life(&life));
        let retention = self.engine.retention();
        let own = streams::open(&self.context, self.stream(), &life, retention).await?;
        let lseq = own.last_lseq.unwrap_or(0);
        let mut sender = Sender {
            outbox: self,
            told: Told { epoch: own.epoch, life, message: own.last_message, lseq },
            expected: own.last_message,
            chain: lseq,
            in_flight: FuturesOrdered::new(),
            bytes: 0,
        };
        sender.tell();
        let mut commits = self.database.commits();
        let mut wishes = self.engine.wishes(self.key());
        let mut scanned = lseq;
        loop {
            while let Ok(done) = wishes.try_recv() {
                sender.grant(done).await?;
            }
            commits.borrow_and_update();
            let taken = self.take(scanned, sender.chain, &sender.told.life).await?;
            scanned = taken.scanned;
            let is_empty = taken.ready.is_empty() && taken.news.is_empty() && taken.lost.is_none();
            sender.send_all(taken).await?;
            if is_empty {
                sender.settle().await?;
                tokio::select! {
                    changed = commits.changed() => changed.context("the database is closed")?,
                    Some(done) = wishes.recv() => sender.grant(done).await?,
                }
            }
        }
    }

    async fn take(&self, scanned: u64, chain: u64, life: &str) -> anyhow::Result<Taken> {
        let outbox = self.clone();
        let life = life.to_owned();
        let taken = tokio::task::spawn_blocking(move || take(&outbox, scanned, chain, &life));
        Ok(taken.await??)
    }
}

/// Takes what follows a number from the history; `chain` is the number of the transaction told last.
fn take(outbox: &Outbox, scanned: u64, chain: u64, life: &str) -> Result<Taken, StoreError> {
    let Outbox { engine, database, excerpt, .. } = outbox;
    let name = database.name();
    let is_told = |table: &str| {
        let is_in = excerpt.as_ref().is_none_or(|excerpt| excerpt.tables.contains(table));
        is_in && engine.replicates_table(name, table)
    };
    let is_system = name == SYSTEM_DATABASE;
    let reader = database.read_committed()?;
    let view = reader.view();
    let purged = view.history_purged()?;
    let mut taken = Taken { scanned: scanned.max(purged), ..Taken::default() };
    taken.lost = (purged > scanned).then_some(purged);
    if !is_system {
        taken.news = definitions::untold(view, excerpt.as_ref())?;
    }
    let (mut bytes, mut previous) = (0, chain.max(taken.lost.unwrap_or(0)));
    for entry in view.history_after(taken.scanned)? {
        let entry = entry?;
        if taken.ready.len() >= TAKEN || bytes >= TAKEN_BYTES {
            break;
        }
        taken.scanned = entry.number;
        let Some(table) = view.catalog().tables().find(|table| table.id == entry.table) else { continue };
        if entry.origin.is_some()
            || !is_told(&table.name)
            || (fault!("sql-stays-here") && entry.user == Some(""))
        {
            continue;
        }
        let transaction = Transaction {
            origin: engine.node.clone(),
            epoch: life.to_owned(),
            previous,
            tables: vec![TableDefinition::brief(table)],
            ..Transaction::of(view, &entry)?
        };
        let subject = outbox.stream().table_subject(&table.name);
        previous = entry.number;
        let body = transaction.encode();
        bytes += body.len();
        taken.ready.push(Ready { subject, transaction, body });
    }
    Ok(taken)
}

/// A message that was sent, until it is answered.
struct Sent {
    lseq: u64,
    bytes: usize,
    /// Whether it is the last part of its transaction.
    is_last: bool,
    ack: Result<PublishAck, async_nats::jetstream::context::PublishError>,
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Sent> + Send>>;

/// The place in the stream, and what is on its way there.
struct Sender<'o> {
    outbox: &'o Outbox,
    told: Told,
    /// The number of the last message that was sent.
    expected: u64,
    /// The number of the last transaction that was sent.
    chain: u64,
    in_flight: FuturesOrdered<Answer>,
    bytes: usize,
}

impl Sender<'_> {
    async fn send_all(&mut self, taken: Taken) -> anyhow::Result<()> {
        if let Some(lost) = taken.lost {
            let database = self.outbox.database.name();
            tracing::warn!(database, "history was removed before the other nodes had it");
            self.chain = self.chain.max(lost);
            self.mark().await?;
        }
        if !taken.news.is_empty() {
            let tables = taken.news.iter().map(|news| news.definition.clone()).collect();
            // By the clock of the database, which is past the time of every drop here.
            let timestamp = self.outbox.database.write(|txn| Ok::<_, OperationError>(txn.timestamp())).await;
            let timestamp = timestamp.map_err(OperationError::into_cause)?;
            let message = Transaction { tables, timestamp, ..self.bare(self.chain) };
            let body = message.encode();
            self.send(self.outbox.stream().kind_subject(names::SCHEMA), &message, body).await?;
            self.settle().await?;
            self.note(taken.news).await?;
        }
        for ready in taken.ready {
            let Ready { subject, transaction, body } = ready;
            self.send(subject, &transaction, body).await?;
            self.chain = transaction.lseq;
        }
        Ok(())
    }

    /// Says how far the stream has come, to somebody who wishes it.
    async fn grant(&mut self, done: oneshot::Sender<()>) -> anyhow::Result<()> {
        self.mark().await?;
        self.settle().await?;
        // Who wished it may have gone.
        let _ = done.send(());
        Ok(())
    }

    /// Says how far the stream has come.
    async fn mark(&mut self) -> anyhow::Result<()> {
        let mark = self.bare(self.chain);
        let body = mark.encode();
        self.send(self.outbox.stream().kind_subject(names::MARK), &mark, body).await
    }

    /// A message without writes.
    fn bare(&self, lseq: u64) -> Transaction {
        Transaction {
            origin: self.outbox.engine.node.clone(),
            epoch: self.told.life.clone(),
            lseq,
            previous: lseq,
            timestamp: self.outbox.engine.now(),
            ..Transaction::default()
        }
    }

    async fn note(&mut self, news: Vec<News>) -> anyhow::Result<()> {
        let noted = self.outbox.database.write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
            Ok(definitions::note_told(txn, &news)?)
        });
        noted.await.context("cannot note what was told")
    }

    async fn send(
        &mut self,
        subject: String,
        transaction: &Transaction,
        body: Vec<u8>,
    ) -> anyhow::Result<()> {
        let body = Bytes::from(body);
        let of = body.len().div_ceil(LARGEST_PART).max(1);
        for at in 1..=of {
            let bytes = body.slice((at - 1) * LARGEST_PART..body.len().min(at * LARGEST_PART));
            while self.in_flight.len() >= IN_FLIGHT || self.bytes + bytes.len() > IN_FLIGHT_BYTES {
                if !self.answered().await? {
                    break;
                }
            }
            let length = bytes.len();
            let mut message = PublishMessage::build()
                .payload(bytes)
                .expected_last_sequence(self.expected)
                .header(streams::LSEQ, transaction.lseq.to_string().as_str())
                .header(streams::PREVIOUS, transaction.previous.to_string().as_str());
            if of > 1 {
                message = message.header(streams::PART, Part { at, of }.text().as_str());
            }
            let sent = self.outbox.context.send_publish(subject.clone(), message).await?;
            self.expected += 1;
            self.bytes += length;
            self.in_flight.push_back(answer(sent, transaction.lseq, length, at == of));
            self.outbox.engine.status.sending(self.outbox.database.name(), transaction.timestamp);
        }
        Ok(())
    }

    /// Waits for the oldest answer; false when none is due.
    async fn answered(&mut self) -> anyhow::Result<bool> {
        let Some(sent) = self.in_flight.next().await else { return Ok(false) };
        let ack = sent.ack?;
        anyhow::ensure!(!ack.duplicate, "the stream knew a new message");
        self.bytes = self.bytes.saturating_sub(sent.bytes);
        if sent.is_last {
            self.told.message = ack.sequence;
            self.told.lseq = self.told.lseq.max(sent.lseq);
            let now = self.outbox.engine.now();
            self.outbox.engine.status.sent(self.outbox.database.name(), now);
        }
        if sent.is_last && (self.in_flight.is_empty() || self.in_flight.len().is_multiple_of(32)) {
            self.tell();
        }
        Ok(true)
    }

    /// Waits for all answers.
    async fn settle(&mut self) -> anyhow::Result<()> {
        while self.answered().await? {}
        self.tell();
        self.outbox.engine.status.idle(self.outbox.database.name());
        Ok(())
    }

    /// Lets others know how far the stream has come.
    fn tell(&self) {
        self.outbox.engine.told.lock().insert(self.outbox.key(), self.told.clone());
    }
}

fn answer(sent: PublishAckFuture, lseq: u64, bytes: usize, is_last: bool) -> Answer {
    let ack = sent.into_future();
    Box::pin(async move { Sent { lseq, bytes, is_last, ack: ack.await } })
}
