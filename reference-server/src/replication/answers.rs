//! What other nodes ask of this one, on its own NATS server.

use super::audience::Audience;
use super::engine::Engine;
use super::names::Request;
use super::nodes::{self, NodeRecord};
use super::state::{self, Acknowledgement, Question};
use super::transfer::{self, Page};
use super::{call, copy, names, relay};
use anyhow::Context;
use async_nats::{Client, Message, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// How many operations of other nodes run at once, and how many copies are handed out.
const OPERATIONS: usize = 64;
const COPIES: usize = 4;
/// How many pages are made ahead of those that are taken.
const AHEAD: usize = 2;

/// A request for a copy of a database.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(super) struct CopyRequest {
    pub(super) database: String,
}

/// A request of another node. Who asks is told by the subject, where nobody else may ask.
pub(super) struct Asked {
    /// Who asks.
    pub(super) asker: NodeRecord,
    /// What was sent.
    pub(super) payload: Bytes,
    /// Where the answer goes.
    pub(super) reply: Option<Subject>,
}

impl Asked {
    /// The request in a message; `None` when it is of no node that is known, or its answer were not for that node.
    fn of(engine: &Engine, message: Message) -> Option<Asked> {
        let server = engine.server().ok()?;
        let digest = names::asker(&message.subject);
        let asker = nodes::list(&server).into_iter().find(|node| names::digest(&node.name) == digest)?;
        let inbox = names::inbox(&asker.name);
        let is_its_own =
            |reply: &Subject| reply.strip_prefix(&inbox).is_some_and(|rest| rest.starts_with('.'));
        if message.reply.as_ref().is_some_and(|reply| !is_its_own(reply)) {
            return None;
        }
        Some(Asked { asker, payload: message.payload, reply: message.reply })
    }
}

/// Begins to answer.
pub(super) async fn begin(
    engine: &Arc<Engine>,
    client: &Client,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let node = &engine.node;
    let subscribe = async |request: Request| {
        client.subscribe(request.subjects(node)).await.context("cannot listen to requests")
    };
    let pings = subscribe(Request::Ping).await?;
    let acknowledgements = subscribe(Request::Acknowledge).await?;
    let operations = subscribe(Request::Operate).await?;
    let copies = subscribe(Request::Copy).await?;
    let relays = subscribe(Request::Relay).await?;
    client.flush().await.context("cannot listen to requests")?;
    tasks.spawn(answer_pings(engine.clone(), client.clone(), pings));
    tasks.spawn(take_acknowledgements(engine.clone(), acknowledgements));
    tasks.spawn(run_operations(engine.clone(), client.clone(), operations));
    tasks.spawn(hand_out(engine.clone(), client.clone(), copies, begin_copy));
    tasks.spawn(hand_out(engine.clone(), client.clone(), relays, relay::begin));
    Ok(())
}

async fn answer_pings(engine: Arc<Engine>, client: Client, mut pings: Subscriber) {
    while let Some(message) = pings.next().await {
        let Some(Asked { asker, payload, reply: Some(reply) }) = Asked::of(&engine, message) else {
            continue;
        };
        if let Ok(question) = state::decode::<Question>(&payload) {
            for (database, mark) in question.applied {
                confirm(&engine, &asker, Acknowledgement { database, mark });
            }
        }
        match state::own(&engine, &asker) {
            Ok(state) => drop(client.publish(reply, state::encode(&state).into()).await),
            Err(error) => tracing::warn!("the state of the databases cannot be told: {error:#}"),
        }
    }
}

async fn take_acknowledgements(engine: Arc<Engine>, mut messages: Subscriber) {
    while let Some(message) = messages.next().await {
        let Some(asked) = Asked::of(&engine, message) else { continue };
        if let Ok(acknowledgement) = state::decode::<Acknowledgement>(&asked.payload) {
            confirm(&engine, &asked.asker, acknowledgement);
        }
    }
}

fn confirm(engine: &Engine, asker: &NodeRecord, acknowledgement: Acknowledgement) {
    let Acknowledgement { database, mark } = acknowledgement;
    let reader = (Audience::of(asker) != Audience::Member).then(|| asker.name.clone());
    let told = engine.told.lock().get(&(database.clone(), reader)).cloned();
    let is_current = told.is_some_and(|told| told.life == mark.life);
    if is_current && engine.confirmations.confirmed(&database, &asker.name, mark.lseq) {
        engine.status.update(&asker.name, &database, |link| link.last_commit_confirmed = Some(engine.now()));
    }
}

async fn run_operations(engine: Arc<Engine>, client: Client, mut messages: Subscriber) {
    let places = Arc::new(Semaphore::new(OPERATIONS));
    while let Some(message) = messages.next().await {
        let Some(asked) = Asked::of(&engine, message) else { continue };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (guest, client) = (engine.clone(), client.clone());
        engine.serve(async move {
            call::answer(guest, client, asked).await;
            drop(place);
        });
    }
}

/// Makes pages and hands them to the sender; blocks. Fails with the reason.
type Maker = fn(&Engine, &NodeRecord, &[u8], &mpsc::Sender<Page>) -> anyhow::Result<()>;

async fn hand_out(engine: Arc<Engine>, client: Client, mut messages: Subscriber, make: Maker) {
    let places = Arc::new(Semaphore::new(COPIES));
    while let Some(message) = messages.next().await {
        let Some(asked) = Asked::of(&engine, message) else { continue };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (guest, client) = (engine.clone(), client.clone());
        engine.serve(async move {
            if let Err(error) = offer(guest, client, asked, make).await {
                tracing::debug!("pages could not be offered: {error:#}");
            }
            drop(place);
        });
    }
}

async fn offer(engine: Arc<Engine>, client: Client, asked: Asked, make: Maker) -> anyhow::Result<()> {
    let reply = asked.reply.context("a request that wants no answer")?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (subject, work) = transfer::offer(&client, &names::offers(&asked.asker.name), receiver).await?;
    let making = tokio::task::spawn_blocking(move || {
        if let Err(error) = make(&engine, &asked.asker, &asked.payload, &sender) {
            // Whoever took them may have gone away, which is why.
            let _ = sender.blocking_send(Err(format!("{error:#}")));
        }
    });
    client.publish(reply, subject.into()).await?;
    work.await;
    Ok(making.await?)
}

fn begin_copy(
    engine: &Engine,
    asker: &NodeRecord,
    request: &[u8],
    pages: &mpsc::Sender<Page>,
) -> anyhow::Result<()> {
    let request: CopyRequest = state::decode(request)?;
    let server = engine.server()?;
    anyhow::ensure!(engine.replicates(&request.database), "the database is not replicated");
    let audience = Audience::of(asker);
    anyhow::ensure!(audience.reads_of(&request.database), "node '{}' may not read it", asker.name);
    let mut excerpts = audience.excerpts(&asker.name).into_iter();
    let excerpt = excerpts.find(|(database, _)| *database == request.database).map(|(_, excerpt)| excerpt);
    let is_replicated = |table: &str| {
        engine.replicates_table(&request.database, table) && audience.reads(&request.database, table)
    };
    copy::send(&server, &request.database, excerpt.as_ref(), &is_replicated, pages)
}
