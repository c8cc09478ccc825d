//! The operations: what a handler gets, what it gives back, and the one table that registers them all.

pub mod analytics;
pub mod authentication;
pub mod bulk;
pub mod certificates;
pub mod clustering;
pub mod components;
pub mod configuration;
pub mod custom_functions;
pub mod databases_tables;
mod existence;
pub mod jobs;
pub mod licensing;
pub mod logs;
pub mod names;
pub mod nosql;
pub mod pipeline;
mod replicated;
pub mod replication;
pub mod sql;
pub mod system;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod users_roles;

use crate::access::Caller;
use crate::error::{ErrorKind, OperationError};
use crate::server::Server;
use crate::value::{Object, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One request on its way through the server.
pub struct Call {
    /// The running instance.
    pub server: Arc<Server>,
    /// Who asks.
    pub caller: Caller,
    /// What the contract says of the operation asked for.
    pub operation: &'static spec::Operation,
    /// The request with every field under its canonical name.
    pub body: Object,
    /// What is wrong with the request as the schemas see it, told once the caller is authorised.
    pub fault: Option<(ErrorKind, String)>,
    /// The form in which rows are wanted.
    pub form: ReplyForm,
}

/// The form in which a handler should make rows, so that the commonest answers are built without a detour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyForm {
    /// JSON text, ready to send.
    Text,
    /// Values, for the other media types.
    Tree,
}

/// What an operation answers.
#[derive(Debug)]
pub enum Reply {
    /// `{"message": text}`.
    Message(String),
    /// `{"message": text}`, and a session was begun whose id the client is to keep.
    Session {
        /// The id.
        id: String,
        /// The text.
        message: String,
    },
    /// A value as it is.
    Value(Value),
    /// The records of a search.
    Rows(Rows),
    /// A file to send under a name and then to remove.
    File {
        /// The temporary file; dropping the path removes it.
        file: tempfile::TempPath,
        /// The name offered to the client.
        name: String,
    },
}

/// The records of a search.
#[derive(Debug)]
pub struct Rows {
    /// The records.
    pub content: RowContent,
    /// The columns asked for, in order; `None` when each record shows what it has.
    pub columns: Option<Vec<String>>,
    /// True when the API streams these records (search_by_conditions): no length up front, and the binary media
    /// types use their open-ended forms.
    pub streamed: bool,
}

/// Records in the form asked for with [`ReplyForm`].
#[derive(Debug)]
pub enum RowContent {
    /// The JSON text of the whole array.
    Text(Vec<u8>),
    /// The records as values.
    Tree(Vec<Value>),
}

impl RowContent {
    /// No records yet, in the form asked for. A text is begun.
    pub fn new(form: ReplyForm) -> RowContent {
        // Room for a record of usual size.
        const ROOM: usize = 1024;
        match form {
            ReplyForm::Text => {
                let mut out = Vec::with_capacity(ROOM);
                out.push(b'[');
                RowContent::Text(out)
            }
            ReplyForm::Tree => RowContent::Tree(Vec::new()),
        }
    }

    /// The finished rows, under the columns asked for: a text, which is ended, has their names in it already.
    pub fn finish(self, streamed: bool, columns: impl FnOnce() -> Option<Vec<String>>) -> Rows {
        match self {
            RowContent::Text(mut out) => {
                out.push(b']');
                Rows { content: RowContent::Text(out), columns: None, streamed }
            }
            tree => Rows { content: tree, columns: columns(), streamed },
        }
    }
}

/// What a handler returns.
pub type Outcome = Result<Reply, OperationError>;

/// An operation's code.
pub type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;
