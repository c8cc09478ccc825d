//! Taking a whole database from another node.

use super::apply::{Cursor, Peer};
use super::transfer::{Page, Pages};
use crate::server::Server;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Makes the pages of a copy: what the database holds, and how far it has come with every node, this one included.
/// Blocks; ends when nobody takes the pages any more.
///
/// # Errors
/// When the database cannot be read.
pub fn send(_server: &Arc<Server>, _database: &str, _pages: &mpsc::Sender<Page>) -> anyhow::Result<()> {
    anyhow::bail!("copies are not made yet")
}

/// Puts the pages of a copy into a database, made if it is missing; newer records stay. With the last page `cursor`
/// becomes the place in the stream of the node they come from.
///
/// # Errors
/// When the pages end early or cannot be stored; what was stored stays.
pub async fn take(
    _server: &Arc<Server>,
    _database: &str,
    _from: &Peer,
    _cursor: Cursor,
    mut pages: Pages,
) -> anyhow::Result<()> {
    while pages.next().await?.is_some() {}
    anyhow::bail!("copies are not taken yet")
}
