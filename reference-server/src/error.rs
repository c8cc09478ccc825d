//! What an operation fails with. Nothing here knows of HTTP: `http::errors` holds the one table from kinds to statuses.

use crate::value::{Object, Value};
use std::fmt;

/// The kinds of failure a client can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is at fault.
    Invalid,
    /// Who is asking could not be established.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// Something the request names does not exist.
    NotFound,
    /// Something the request would make exists already, or is in use.
    Conflict,
    /// The body is larger than the server takes.
    TooLarge,
    /// The body's media type is not one the server reads.
    UnsupportedMedia,
    /// A documented failure that the API reports as the server's own (search validation, key limits).
    Fault,
    /// The operation is in the contract but this server does not offer it yet.
    NotOffered,
    /// It was done here, but others have not confirmed it in time.
    Unconfirmed,
    /// Something broke inside; the text for the client is generic and the cause is logged.
    Internal,
}

/// What the answer holds besides or instead of the message.
#[derive(Clone, Debug, Default)]
pub enum ErrorBody {
    /// `{"error": message}`.
    #[default]
    Message,
    /// `{"error": message, …}` with further members.
    Members(Object),
    /// A body of its own.
    Whole(Value),
}

/// A failed operation: its kind, the text for the client, and what only the log may see.
#[derive(Debug)]
pub struct OperationError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The text for the client.
    pub message: String,
    /// The rest of the answer.
    pub body: ErrorBody,
    /// The private cause, for the log.
    pub cause: Option<anyhow::Error>,
}

impl OperationError {
    /// Why it came to this, for the log: the private cause, or else what the client is told.
    pub fn into_cause(self) -> anyhow::Error {
        self.cause.unwrap_or_else(|| anyhow::anyhow!(self.message))
    }

    /// A failure with a message of its own.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        OperationError { kind, message: message.into(), body: ErrorBody::Message, cause: None }
    }

    /// A fault of the request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Something named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// The caller may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    /// A documented failure reported with the server's own status.
    pub fn fault(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fault, message)
    }

    /// Something broke inside: the cause goes to the log, a generic text to the client.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        OperationError {
            kind: ErrorKind::Internal,
            message: "An internal error occurred; the server's log has the details".to_owned(),
            body: ErrorBody::Message,
            cause: Some(cause.into()),
        }
    }

    /// The same failure with further members beside `error`.
    pub fn with_members(mut self, members: Object) -> Self {
        self.body = ErrorBody::Members(members);
        self
    }

    /// The same failure with a body of its own.
    pub fn with_body(mut self, body: Value) -> Self {
        self.body = ErrorBody::Whole(body);
        self
    }

    /// The body of the answer.
    pub fn to_value(&self) -> Value {
        let error = || ("error".to_owned(), Value::String(self.message.clone()));
        match &self.body {
            ErrorBody::Message => Value::Object([error()].into_iter().collect()),
            ErrorBody::Members(members) => {
                Value::Object(std::iter::once(error()).chain(members.clone()).collect())
            }
            ErrorBody::Whole(body) => body.clone(),
        }
    }
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OperationError {}

impl From<std::io::Error> for OperationError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}
