//! Operations run at another node.

use super::answers::Asked;
use super::audience::Audience;
use super::engine::Engine;
use super::nodes::NodeRecord;
use super::transfer::whole;
use super::{CallError, names, wire};
use crate::access::Caller;
use crate::error::OperationError;
use crate::operations::{Reply, ReplyForm, RowContent};
use crate::value::{Object, Value, object};
use async_nats::{Client, Request};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a node that is just being connected is waited for.
const CONNECTING: Duration = Duration::from_secs(3);

/// The member of an operation that tells when the node that sends it has done it itself, see [`Caller::done_at`].
pub const DONE_AT: &str = "done_at";

/// Runs an operation at another node.
pub(super) async fn call(
    engine: &Arc<Engine>,
    node: &str,
    mut operation: Object,
) -> Result<Value, CallError> {
    // Whoever gets it must not send it on.
    operation.shift_remove("replicated");
    let connected = tokio::time::timeout(CONNECTING, engine.peers.connected(node)).await;
    let client = connected.map_err(|_| CallError::Unreachable(node.to_owned()))?;
    match tokio::time::timeout(PATIENCE, ask(engine, &client, node, operation)).await {
        Ok(Ok(answer)) => result(answer),
        Ok(Err(error)) => {
            tracing::debug!(node, "an operation could not be run: {error:#}");
            Err(CallError::Unreachable(node.to_owned()))
        }
        Err(_) => Err(CallError::TimedOut(node.to_owned())),
    }
}

async fn ask(engine: &Engine, client: &Client, node: &str, operation: Object) -> anyhow::Result<Value> {
    let (payload, beside) =
        whole::send(client, &names::inbox(&engine.node), wire::pack(&Value::Object(operation))).await?;
    if let Some(work) = beside {
        engine.serve(work);
    }
    let request = Request::new().payload(payload).timeout(None);
    let answer = client.send_request(names::Request::Operate.subject(node, &engine.node), request).await?;
    let answer = whole::receive(client, &names::offers(&engine.node), &answer.payload).await?;
    Ok(wire::unpack(&answer)?)
}

/// What the answer of another node says.
fn result(answer: Value) -> Result<Value, CallError> {
    let Value::Object(mut members) = answer else {
        return Err(CallError::Failed("the answer cannot be understood".to_owned()));
    };
    match (members.shift_remove("ok"), members.shift_remove("error")) {
        (Some(value), _) => Ok(value),
        (None, Some(Value::String(text))) => Err(CallError::Failed(text)),
        _ => Err(CallError::Failed("the answer cannot be understood".to_owned())),
    }
}

/// Answers a request of another node.
pub(super) async fn answer(engine: Arc<Engine>, client: Client, asked: Asked) {
    let Asked { asker, payload, reply: Some(reply) } = asked else { return };
    let answer = match run(&engine, &client, &asker, &payload).await {
        Ok(value) => object([("ok", value)]),
        Err(text) => object([("error", Value::String(text))]),
    };
    match whole::send(&client, &names::offers(&asker.name), wire::pack(&answer)).await {
        Ok((payload, beside)) => {
            if client.publish(reply, payload).await.is_ok()
                && let Some(work) = beside
            {
                work.await;
            }
        }
        Err(error) => tracing::debug!("an answer could not be sent: {error:#}"),
    }
}

async fn run(engine: &Engine, client: &Client, asker: &NodeRecord, payload: &[u8]) -> Result<Value, String> {
    let text = |error: anyhow::Error| format!("{error:#}");
    let body = whole::receive(client, &names::inbox(&asker.name), payload).await.map_err(text)?;
    let mut body = wire::unpack(&body).map_err(|error| error.to_string())?;
    let done_at = match &mut body {
        Value::Object(members) => members.shift_remove(DONE_AT).and_then(|time| time.as_number()),
        _ => None,
    };
    let operation = body.get("operation").and_then(Value::as_str).unwrap_or_default();
    if !Audience::of(asker).runs(operation) {
        return Err(format!(
            "node '{}' may not run '{operation}' here, as only some tables, or none, are sent to it",
            asker.name
        ));
    }
    let server = engine.server().map_err(text)?;
    let user = server.access.any_super_user().ok_or("this node has no super user")?;
    let caller = Caller { done_at: done_at.filter(|time| time.is_finite()), ..Caller::of(Some(user)) };
    let answer = server.answer(caller, body, ReplyForm::Tree).await;
    answer.and_then(value_of).map_err(|error| {
        if let Some(cause) = &error.cause {
            tracing::error!("an operation of another node failed: {cause:#}");
        }
        error.message
    })
}

/// An answer as a value.
fn value_of(reply: Reply) -> Result<Value, OperationError> {
    match reply {
        Reply::Message(message) | Reply::Session { message, .. } => {
            Ok(object([("message", Value::String(message))]))
        }
        Reply::Value(value) => Ok(value),
        Reply::Rows(rows) => match rows.content {
            RowContent::Tree(rows) => Ok(Value::Array(rows)),
            RowContent::Text(text) => crate::value::parse_json(&text)
                .map_err(|error| OperationError::internal(anyhow::anyhow!(error))),
        },
        Reply::File { .. } => Err(OperationError::invalid("Files are not sent between nodes")),
    }
}
