//! create_database and drop_database.

use crate::error::{ErrorKind, OperationError};
use crate::operations::names::no_database;
use crate::operations::{Call, Outcome, Reply};
use crate::replication::dropped;
use crate::store::StoreError;

pub(super) async fn create_database(call: Call) -> Outcome {
    let name = call.database_name();
    let server = call.server.clone();
    let made = name.clone();
    let result = blocking(move || server.store.create_database(&made).map(|_| ())).await?;
    match result {
        Ok(()) if fault!("create-database-ends-in-a-stop") => {
            Ok(Reply::Message(format!("database '{name}' successfully created.")))
        }
        Ok(()) => Ok(Reply::Message(format!("database '{name}' successfully created"))),
        Err(StoreError::AlreadyExists(_)) if fault!("create-database-twice") => {
            Ok(Reply::Message(format!("database '{name}' successfully created")))
        }
        Err(StoreError::AlreadyExists(_)) => {
            Err(OperationError::new(ErrorKind::Invalid, format!("database '{name}' already exists")))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn drop_database(call: Call) -> Outcome {
    let name = call.database_name();
    let server = call.server.clone();
    if let Some(database) = server.store.database(&name)
        && dropped::matter(&server)
    {
        let time = match call.caller.done_at {
            Some(time) => time,
            // Later than everything in it.
            None => database.write(|txn| Ok::<_, OperationError>(txn.timestamp())).await?,
        };
        dropped::note_database(&server.store, &name, time).await?;
    }
    let of = name.clone();
    let is_gone =
        fault!("drop-database-not-done") || blocking(move || server.store.drop_database(&of)).await??;
    if is_gone {
        call.server.key_numbers.forget(&name);
    }
    if is_gone || fault!("drop-database-unknown-is-fine") {
        Ok(Reply::Message(format!("successfully deleted '{name}'")))
    } else {
        Err(no_database(ErrorKind::NotFound, &name))
    }
}

/// Opening and removing files takes its time; that is not for the threads that serve connections.
pub(in crate::operations) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OperationError> {
    tokio::task::spawn_blocking(work).await.map_err(OperationError::internal)
}
