//! Sessions: who is logged in to a browser's cookie.
//!
//! Their ids are always the server's own. They live in a table of the server's own database that nobody can read.

use super::system_tables::{find, get, system_database};
use crate::error::OperationError;
use crate::store::{Store, StoreError, WriteTxn};
use crate::value::{Object, Value};
use std::time::Duration;
use uuid::Uuid;

/// The table of sessions.
pub const SESSIONS: &str = "hdb_session";

const ID: &str = "id";
const USER: &str = "user";

/// A session there is.
#[derive(Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is logged in.
    pub username: Option<String>,
}

/// The session of an id; `None` when the server has not made it, or its time is over.
///
/// # Errors
/// When the table cannot be read.
pub fn find_session(store: &Store, id: &str) -> Result<Option<Session>, OperationError> {
    if Uuid::try_parse(id).is_err() {
        return Ok(None);
    }
    let system = system_database(store)?;
    let reader = system.read()?;
    let record = get(reader.view(), SESSIONS, &Value::from(id))?;
    Ok(record.map(|record| Session { username: record.get(USER).and_then(Value::as_str).map(str::to_owned) }))
}

/// Logs a user in to the request's session, or to a new one when it belongs to none: then the new id is returned.
/// The session is stored when this returns. A new one lasts as long as its cookie does.
///
/// # Errors
/// When it cannot be stored.
pub async fn log_in(
    store: &Store,
    session: Option<&str>,
    username: &str,
    life: Option<Duration>,
) -> Result<Option<String>, OperationError> {
    let (present, username) = (session.map(str::to_owned), username.to_owned());
    let new = Uuid::new_v4().to_string();
    let id = new.clone();
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<bool, StoreError> {
        if let Some(id) = &present
            && set_user(txn, id, Some(&username))?
        {
            return Ok(false);
        }
        let expires = life.map(|life| txn.timestamp() + life.as_secs_f64() * 1000.0);
        let table = find(txn.catalog().table(SESSIONS), SESSIONS)?;
        txn.put(&table, &Value::from(id.as_str()), &record(&id, Some(&username)), expires)?;
        Ok(true)
    });
    Ok(written.await?.then_some(new))
}

/// Logs whoever it is out of a session, which stays.
///
/// # Errors
/// When it cannot be stored.
pub async fn log_out(store: &Store, session: &str) -> Result<(), OperationError> {
    if fault!("logout-keeps-session") {
        return Ok(());
    }
    let id = session.to_owned();
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| set_user(txn, &id, None));
    written.await.map(|_| ()).map_err(|error: StoreError| error.into())
}

/// Changes the user of a session; tells whether there is one.
fn set_user(txn: &mut WriteTxn<'_>, id: &str, username: Option<&str>) -> Result<bool, StoreError> {
    let table = find(txn.catalog().table(SESSIONS), SESSIONS)?;
    let key = Value::from(id);
    let Some(expires) = txn.get(&table, &key)?.map(|session| session.expires_at()) else { return Ok(false) };
    txn.put(&table, &key, &record(id, username), expires)?;
    Ok(true)
}

fn record(id: &str, username: Option<&str>) -> Object {
    let user = username.map_or(Value::Null, Value::from);
    Object::from_iter([(ID.to_owned(), Value::from(id)), (USER.to_owned(), user)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::testing::Instance;

    fn of(username: Option<&str>) -> Option<Session> {
        Some(Session { username: username.map(str::to_owned) })
    }

    #[tokio::test]
    async fn from_login_to_logout() {
        let instance = Instance::new().await;
        let store = &instance.server.store;
        let id = log_in(store, None, "kim", None).await.unwrap().unwrap();
        assert_eq!(find_session(store, &id).unwrap(), of(Some("kim")));
        assert_eq!(log_in(store, Some(&id), "ada", None).await.unwrap(), None);
        assert_eq!(find_session(store, &id).unwrap(), of(Some("ada")));
        log_out(store, &id).await.unwrap();
        assert_eq!(find_session(store, &id).unwrap(), of(None));
    }

    #[tokio::test]
    async fn ids_from_outside_are_not_adopted() {
        let instance = Instance::new().await;
        let store = &instance.server.store;
        let foreign = "00000000-0000-4000-8000-00000000abcd";
        let id = log_in(store, Some(foreign), "kim", None).await.unwrap().unwrap();
        assert_ne!(id, foreign);
        log_out(store, foreign).await.unwrap();
        assert_eq!(find_session(store, foreign).unwrap(), None);
        assert_eq!(find_session(store, "no uuid").unwrap(), None);
    }

    #[tokio::test]
    async fn sessions_end_with_their_cookies() {
        let instance = Instance::new().await;
        let store = &instance.server.store;
        let id = log_in(store, None, "kim", Some(Duration::ZERO)).await.unwrap().unwrap();
        assert_eq!(find_session(store, &id).unwrap(), None);
        let id = log_in(store, None, "kim", Some(Duration::from_secs(60))).await.unwrap().unwrap();
        log_in(store, Some(&id), "ada", None).await.unwrap();
        let reader = system_database(store).unwrap();
        let reader = reader.read().unwrap();
        let table = find(reader.catalog().table(SESSIONS), SESSIONS).unwrap();
        let session = reader.get(&table, &Value::from(id.as_str())).unwrap().unwrap();
        assert!(session.expires_at().is_some());
    }

    #[tokio::test]
    async fn nobody_reads_them() {
        let instance = Instance::new().await;
        log_in(&instance.server.store, None, "kim", None).await.unwrap();
        let answer = instance
            .admin(r#"{"operation":"search_by_value","database":"system","table":"hdb_session","attribute":"user","value":"*"}"#)
            .await;
        assert!(answer.contains("Table 'system.hdb_session' does not exist"), "{answer}");
    }
}
