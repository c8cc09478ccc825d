//! A running instance: its configuration, its data, its users.

use crate::access::{Access, Caller};
use crate::config::Config;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Outcome, ReplyForm};
use crate::store::Store;
use crate::value::Value;
use std::sync::Arc;

/// A running instance.
pub struct Server {
    /// How it is configured.
    pub config: Config,
    /// Its databases.
    pub store: Store,
    /// Its users and roles.
    pub access: Access,
}

impl Server {
    /// Answers one decoded request body.
    ///
    /// # Errors
    /// Whatever the operation fails with, as [`OperationError`].
    pub async fn answer(self: &Arc<Self>, _caller: Caller, _body: Value, _form: ReplyForm) -> Outcome {
        Err(OperationError::new(ErrorKind::NotOffered, "no operations yet"))
    }
}
