//! What other nodes ask of this one, on its own NATS server.

use super::engine::Engine;
use super::state::{self, Acknowledgement, Question};
use super::transfer::{self, Page};
use super::{call, copy, names, relay};
use anyhow::Context;
use async_nats::{Client, Message, Subscriber};
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

/// Begins to answer.
pub(super) async fn begin(
    engine: &Arc<Engine>,
    client: &Client,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let node = &engine.node;
    let subscribe =
        async |subject: String| client.subscribe(subject).await.context("cannot listen to requests");
    let pings = subscribe(names::ping(node)).await?;
    let acknowledgements = subscribe(names::acknowledgement(node)).await?;
    let operations = subscribe(names::operation(node)).await?;
    let copies = subscribe(names::copy(node)).await?;
    let relays = subscribe(names::relay(node)).await?;
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
        let Some(reply) = message.reply else { continue };
        if let Ok(question) = state::decode::<Question>(&message.payload) {
            for (database, mark) in question.applied {
                confirm(&engine, Acknowledgement { node: question.node.clone(), database, mark });
            }
        }
        match state::own(&engine) {
            Ok(state) => drop(client.publish(reply, state::encode(&state).into()).await),
            Err(error) => tracing::warn!("the state of the databases cannot be told: {error:#}"),
        }
    }
}

async fn take_acknowledgements(engine: Arc<Engine>, mut messages: Subscriber) {
    while let Some(message) = messages.next().await {
        if let Ok(acknowledgement) = state::decode::<Acknowledgement>(&message.payload) {
            confirm(&engine, acknowledgement);
        }
    }
}

fn confirm(engine: &Engine, acknowledgement: Acknowledgement) {
    let Acknowledgement { node, database, mark } = acknowledgement;
    let is_current = engine.told.lock().get(&database).is_some_and(|told| told.life == mark.life);
    if is_current && engine.confirmations.confirmed(&database, &node, mark.lseq) {
        engine.status.update(&node, &database, |link| link.last_commit_confirmed = Some(engine.now()));
    }
}

async fn run_operations(engine: Arc<Engine>, client: Client, mut messages: Subscriber) {
    let places = Arc::new(Semaphore::new(OPERATIONS));
    while let Some(message) = messages.next().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (guest, client) = (engine.clone(), client.clone());
        engine.serve(async move {
            call::answer(guest, client, message).await;
            drop(place);
        });
    }
}

/// Makes pages and hands them to the sender; blocks. Fails with the reason.
type Maker = fn(&Engine, &[u8], &mpsc::Sender<Page>) -> anyhow::Result<()>;

async fn hand_out(engine: Arc<Engine>, client: Client, mut messages: Subscriber, make: Maker) {
    let places = Arc::new(Semaphore::new(COPIES));
    while let Some(message) = messages.next().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (guest, client) = (engine.clone(), client.clone());
        engine.serve(async move {
            if let Err(error) = offer(guest, client, message, make).await {
                tracing::debug!("pages could not be offered: {error:#}");
            }
            drop(place);
        });
    }
}

async fn offer(engine: Arc<Engine>, client: Client, message: Message, make: Maker) -> anyhow::Result<()> {
    let reply = message.reply.context("a request that wants no answer")?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (subject, work) = transfer::offer(&client, receiver).await?;
    let making = tokio::task::spawn_blocking(move || {
        if let Err(error) = make(&engine, &message.payload, &sender) {
            // Whoever took them may have gone away, which is why.
            let _ = sender.blocking_send(Err(format!("{error:#}")));
        }
    });
    client.publish(reply, subject.into()).await?;
    work.await;
    Ok(making.await?)
}

fn begin_copy(engine: &Engine, request: &[u8], pages: &mpsc::Sender<Page>) -> anyhow::Result<()> {
    let request: CopyRequest = state::decode(request)?;
    let server = engine.server()?;
    anyhow::ensure!(engine.replicates(&request.database), "the database is not replicated");
    let is_replicated = |table: &str| engine.replicates_table(&request.database, table);
    copy::send(&server, &request.database, &is_replicated, pages)
}
