//! An instance for unit tests of operations, asked without HTTP.

use super::{Reply, ReplyForm, RowContent};
use crate::access::Caller;
use crate::config::Config;
use crate::server::Server;
use crate::value::{Value, object, parse_json};
use std::sync::Arc;

/// A throw-away instance.
pub(crate) struct Instance {
    pub(crate) server: Arc<Server>,
    _folder: tempfile::TempDir,
}

impl Instance {
    pub(crate) async fn new() -> Instance {
        Instance::with(|_| {}).await
    }

    /// An instance whose configuration `adjust` may change before.
    pub(crate) async fn with(adjust: impl FnOnce(&mut Config)) -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::ephemeral(folder.path());
        adjust(&mut config);
        let server = Server::open(config).await.unwrap();
        Instance { server, _folder: folder }
    }

    /// The JSON text of the answer to the super user, errors included.
    pub(crate) async fn admin(&self, request: &str) -> String {
        self.as_user("admin", request).await
    }

    /// The JSON text of the answer to a user, errors included.
    pub(crate) async fn as_user(&self, username: &str, request: &str) -> String {
        let caller = Caller::of(self.server.access.user(username));
        let body = parse_json(request.as_bytes()).unwrap();
        match self.server.answer(caller, body, ReplyForm::Text).await {
            Ok(Reply::Message(text) | Reply::Session { message: text, .. }) => {
                object([("message", Value::from(text))]).to_json()
            }
            Ok(Reply::Value(value)) => value.to_json(),
            Ok(Reply::Rows(rows)) => match rows.content {
                RowContent::Text(text) => String::from_utf8(text).unwrap(),
                RowContent::Tree(rows) => Value::Array(rows).to_json(),
            },
            Ok(Reply::File { name, .. }) => name,
            Err(error) => error.to_value().to_json(),
        }
    }
}
