//! Making up for a node that is down: what it told others before, those have in their histories, and tell it.

use super::apply::{self, Applied, Cursor, Peer};
use super::audience::Audience;
use super::engine::Engine;
use super::message::{TableDefinition, Transaction};
use super::nodes::NodeRecord;
use super::state::{self, Mark};
use super::transfer::{Page, Pages};
use super::{names, nodes, progress};
use crate::error::OperationError;
use crate::store::{Database, StoreError};
use anyhow::Context;
use async_nats::Client;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a node has been down when others are asked for its changes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether others have more.
const GLANCE: Duration = Duration::from_secs(1);
/// How many bytes of messages are read from a snapshot at once.
const READ_BYTES: usize = 4 << 20;

/// A request for what a node has of the transactions of another.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    database: String,
    origin: String,
    /// How far the one who asks has come.
    after: Mark,
}

/// Looks again and again whether somebody knows more of a node that is down.
pub(super) async fn keep(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(GLANCE).await;
        let Ok(server) = engine.server() else { return };
        if !server.config.replication.fail_over {
            continue;
        }
        let down = nodes::list(&server).into_iter().filter(|node| {
            node.replicates.receives
                && engine.status.down_since(&node.name).is_some_and(|since| since.elapsed() >= PATIENCE)
        });
        let down: Vec<_> = down.collect();
        drop(server);
        for node in down {
            if let Err(error) = make_up_for(&engine, &node.name).await {
                tracing::debug!(node = node.name, "its changes could not be had from others: {error:#}");
            }
        }
    }
}

/// Takes what anybody has of a node's transactions beyond what is known here.
async fn make_up_for(engine: &Arc<Engine>, origin: &str) -> anyhow::Result<()> {
    let server = engine.server()?;
    for database in server.store.databases() {
        let name = database.name();
        let Some(own) = progress::applied(&database, origin)? else { continue };
        let best = engine.peers.all().into_iter().filter_map(|(node, client, state)| {
            let mark = state.databases.get(name)?.applied.get(origin)?;
            (mark.life == own.life && mark.lseq > own.lseq).then_some((mark.lseq, node, client))
        });
        let Some((_, node, client)) = best.max_by_key(|(lseq, ..)| *lseq) else { continue };
        engine.status.relays(&node, name, origin);
        fetch(engine, &client, &node, name, origin, own).await?;
    }
    Ok(())
}

async fn fetch(
    engine: &Arc<Engine>,
    client: &Client,
    node: &str,
    database: &str,
    origin: &str,
    after: Mark,
) -> anyhow::Result<()> {
    let server = engine.server()?;
    let request = Request { database: database.to_owned(), origin: origin.to_owned(), after };
    let answer = client
        .request(names::Request::Relay.subject(node, &engine.node), state::encode(&request).into())
        .await?;
    let mut pages = Pages::new(client, String::from_utf8_lossy(&answer.payload).into_owned());
    let from = Peer { name: node.to_owned() };
    while let Some(page) = pages.next().await? {
        let message = Transaction::decode(&page)?;
        let cursor = Cursor { origin_lseq: message.lseq, ..Cursor::default() };
        let applied = apply::transaction(&server, database, &from, message, cursor).await;
        let applied = applied.map_err(OperationError::into_cause)?;
        anyhow::ensure!(!matches!(applied, Applied::Gap(_)), "they do not follow what is here");
    }
    Ok(())
}

/// Makes the pages that a request asks for: a transaction each.
pub(super) fn begin(
    engine: &Engine,
    asker: &NodeRecord,
    request: &[u8],
    pages: &mpsc::Sender<Page>,
) -> anyhow::Result<()> {
    let request: Request = state::decode(request)?;
    let server = engine.server()?;
    let database = server.store.database(&request.database).context("there is no such database")?;
    anyhow::ensure!(engine.replicates(&request.database), "the database is not replicated");
    anyhow::ensure!(Audience::of(asker) == Audience::Member, "node '{}' may not read all of it", asker.name);
    let mut scanned = 0;
    loop {
        let read = read(&database, &request, scanned)?;
        for page in read.pages {
            // Nobody wants them any more.
            if pages.blocking_send(Ok(page)).is_err() {
                return Ok(());
            }
        }
        match read.scanned {
            Some(number) => scanned = number,
            None => return Ok(()),
        }
    }
}

/// What one snapshot gave.
struct Read {
    pages: Vec<Vec<u8>>,
    /// How far the history was looked at; `None` when that was all.
    scanned: Option<u64>,
}

fn read(database: &Database, request: &Request, scanned: u64) -> Result<Read, StoreError> {
    let reader = database.read()?;
    let view = reader.view();
    let (mut pages, mut bytes) = (Vec::new(), 0);
    for entry in view.history_after(scanned)? {
        let entry = entry?;
        let is_wanted = entry.origin.is_some_and(|origin| {
            origin.node == request.origin
                && origin.epoch == request.after.life
                && origin.number > request.after.lseq
        });
        let table = view.catalog().tables().find(|table| table.id == entry.table).filter(|_| is_wanted);
        let Some(table) = table else { continue };
        // Each tells what it followed there, so that the other sees what was lost here.
        let transaction = Transaction::of(view, &entry)?;
        let page = Transaction { tables: vec![TableDefinition::brief(table)], ..transaction }.encode();
        bytes += page.len();
        pages.push(page);
        if bytes >= READ_BYTES {
            return Ok(Read { pages, scanned: Some(entry.number) });
        }
    }
    Ok(Read { pages, scanned: None })
}
