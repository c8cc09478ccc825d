//! Starting a job, running it, noting how it ends.

use super::INTERRUPTED;
use super::record::{self, Ended};
use crate::error::{ErrorBody, ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::server::Server;
use crate::value::{Value, object};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// What a job that went well has to tell.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Its message; without one it only says that it has completed.
    pub message: Option<String>,
    /// The object it gives back.
    pub result: Option<Value>,
}

impl Done {
    /// A job whose message is `text`.
    pub fn with_message(text: impl Into<String>) -> Done {
        Done { message: Some(text.into()), result: None }
    }

    /// A job that gives back an object.
    pub fn with_result(result: Value) -> Done {
        Done { message: None, result: Some(result) }
    }
}

/// A job about to begin: its record is written, its work is not known yet.
#[must_use]
pub struct Start {
    server: Arc<Server>,
    id: String,
    number: u64,
    place: OwnedSemaphorePermit,
}

impl Start {
    /// Writes the record of a job for a request that is found right; when this returns it is durable and the job
    /// counts as begun.
    ///
    /// # Errors
    /// When the record cannot be written, or too many jobs wait.
    pub async fn of(call: &Call) -> Result<Start, OperationError> {
        let server = call.server.clone();
        let place = server.jobs.places.clone().try_acquire_owned().map_err(|_| too_many())?;
        let id = Uuid::new_v4().to_string();
        let created = chrono::Utc::now().timestamp_millis() as f64;
        record::begin(&server.store, &id, call, created).await?;
        let number = server.jobs.next_number();
        Ok(Start { server, id, number, place })
    }

    /// Lets the work begin and answers the request. Work that blocks belongs on threads for that.
    pub fn run(self, work: impl Future<Output = Result<Done, OperationError>> + Send + 'static) -> Reply {
        let answer = object([
            (
                "message",
                Value::String(format!(
                    "{} job with id {}",
                    if fault!("job-started-text") { "Started" } else { "Starting" },
                    self.id
                )),
            ),
            ("job_id", Value::from(self.id.as_str())),
        ]);
        tokio::spawn(self.carry_out(work));
        Reply::Value(answer)
    }

    async fn carry_out(self, work: impl Future<Output = Result<Done, OperationError>> + Send + 'static) {
        let Start { server, id, number, place } = self;
        let thread = format!("job/{number}");
        let mut stopping = server.jobs.stopping.subscribe();
        let done = async {
            // Never closed, so there is always a turn to come.
            let _turn = server.jobs.turns.acquire().await;
            tracing::info!(notify = true, thread, "Starting job: {id}");
            // As a task of its own, so that work that panics ends the job and nothing else.
            let mut task = Task(tokio::spawn(work));
            (&mut task.0).await.unwrap_or_else(|panic| Err(OperationError::internal(panic)))
        };
        let outcome = tokio::select! {
            outcome = done => outcome,
            _ = stopping.wait_for(|stopping| *stopping) => Err(OperationError::fault(INTERRUPTED)),
        };
        let ended = match outcome {
            Ok(done) => {
                let completed = format!("Successfully completed job: {id}");
                tracing::info!(notify = true, thread, "{completed}");
                Ended::Complete { message: done.message.unwrap_or(completed), result: done.result }
            }
            Err(error) => {
                let cause = error.cause.as_ref().map(|cause| format!(": {cause:#}")).unwrap_or_default();
                tracing::error!(thread, "There was an error running {id} job: {error}{cause}");
                Ended::Failed(message_of(&error))
            }
        };
        if let Err(error) = record::end(&server.store, &id, ended).await {
            tracing::error!(thread, ?error, "the end of job {id} could not be noted");
        }
        drop(place);
    }
}

/// A task that ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a job whose work needs nothing of the call but what it has taken from it already.
///
/// # Errors
/// As [`Start::of`].
pub async fn start(
    call: &Call,
    work: impl Future<Output = Result<Done, OperationError>> + Send + 'static,
) -> Outcome {
    Ok(Start::of(call).await?.run(work))
}

/// The message of a failed job: the text, or the whole body where there is more than text.
fn message_of(error: &OperationError) -> Value {
    match error.body {
        ErrorBody::Message => Value::from(error.message.as_str()),
        _ => error.to_value(),
    }
}

fn too_many() -> OperationError {
    OperationError::new(ErrorKind::Fault, "Too many jobs are waiting; try again later")
}
