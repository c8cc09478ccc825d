//! Applying what another node has committed.

use super::message::Transaction;
use crate::error::OperationError;
use crate::server::Server;
use crate::store::{HistoryRecord, StoreError, View};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The node that a message was read from, which is not always the one it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
}

/// How far the stream of a peer has been read; kept in the transaction that applies the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which life of the peer's stream `stream_seq` belongs to.
    pub epoch: String,
    /// The number of the last message in the peer's stream; 0 when the message came another way (then nothing is kept of
    /// the stream).
    pub stream_seq: u64,
    /// The number of the last transaction in the history of its origin.
    pub origin_lseq: u64,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was applied, or everything in it lost against newer writes.
    Done,
    /// It had been applied before; the cursor was kept.
    Known,
    /// Transactions before it are missing: nothing was changed, a copy is needed. Holds the number of the last
    /// transaction of that origin that has been applied.
    Gap(u64),
}

/// Applies a transaction of another node, in one transaction with its history entry and the cursor. Everything is handed
/// to the database's writer when the future is first polled, so that many can be under way, in order.
///
/// # Errors
/// When the store fails; nothing is changed then.
pub async fn transaction(
    _server: &Arc<Server>,
    _database: &str,
    _from: &Peer,
    _message: Transaction,
    _cursor: Cursor,
) -> Result<Applied, OperationError> {
    Err(OperationError::internal(anyhow::anyhow!("not there yet")))
}

impl Transaction {
    /// A history entry as others are told it: one of this node (by the outbox, which fills in `previous`), or one of
    /// another (to make up for it while it is down), with the number and predecessor it has there.
    ///
    /// # Errors
    /// When the entry cannot be read.
    pub fn of(_view: View<'_>, _entry: &HistoryRecord<'_>) -> Result<Transaction, StoreError> {
        Ok(Transaction::default())
    }
}
