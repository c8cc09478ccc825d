//! add_user, alter_user, drop_user.

use super::validate_user::{check_changes, check_dropped, check_new_user};
use super::{role_id_of, shown};
use crate::access::passwords::HASH_FUNCTION;
use crate::access::system_tables::{USERS, delete, get, put, system_database, user_record};
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{View, WriteTxn};
use crate::value::{Value, object};

pub(super) async fn add_user(call: Call) -> Outcome {
    let server = &call.server;
    let new = check_new_user(&call.body)?;
    let (username, role) = (new.username.clone(), new.role);
    let check = move |view: View<'_>| -> Result<String, OperationError> {
        let id = role_id_of(view, &role, format!("{role} role not found"))?;
        if get(view, USERS, &Value::from(username.as_str()))?.is_some() && !fault!("users-added-twice") {
            return Err(OperationError::new(ErrorKind::Conflict, format!("User {username} already exists")));
        }
        Ok(id)
    };
    let system = system_database(&server.store)?;
    // Hashing is dear: a request that is going to fail does not get that far.
    check(system.read()?.view())?;
    let hash = server.access.hash_password(new.password).await?;
    let (username, active) = (new.username.clone(), new.active);
    system
        .write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
            let role = check(txn.view()?)?;
            put(txn, USERS, user_record(&username, &hash, &role, active))?;
            Ok(())
        })
        .await?;
    server.access.reload(&server.store)?;
    Ok(Reply::Message(format!("{} successfully added", new.username)))
}

pub(super) async fn alter_user(call: Call) -> Outcome {
    let server = &call.server;
    let changes = check_changes(&call.body)?;
    let role = changes.role.as_ref().map(shown);
    let check = move |view: View<'_>| -> Result<Option<String>, OperationError> {
        let missing = |role: &str| format!("Update failed.  Requested '{role}' role not found.");
        role.as_ref().map(|role| role_id_of(view, role, missing(role))).transpose()
    };
    let system = system_database(&server.store)?;
    check(system.read()?.view())?;
    let hash = match changes.password {
        Some(password) => Some(server.access.hash_password(password).await?),
        None => None,
    };
    let (username, active) = (changes.username.clone(), changes.active);
    let (time, altered) = system
        .write(move |txn: &mut WriteTxn<'_>| -> Result<(f64, bool), OperationError> {
            let role = check(txn.view()?)?;
            let Some(mut user) = get(txn.view()?, USERS, &username)? else {
                return Ok((txn.timestamp(), false));
            };
            if let Some(role) = role {
                user.insert("role".to_owned(), Value::String(role));
            }
            if let Some(active) = active.filter(|_| !fault!("activity-not-changed")) {
                user.insert("active".to_owned(), Value::Bool(active));
            }
            if let Some(hash) = hash.as_ref().filter(|_| !fault!("passwords-not-changed")) {
                user.insert("password".to_owned(), Value::from(hash.as_str()));
                user.insert("hash_function".to_owned(), Value::from(HASH_FUNCTION));
            }
            put(txn, USERS, user)?;
            Ok((txn.timestamp(), true))
        })
        .await?;
    server.access.reload(&server.store)?;
    let (updated, skipped) =
        if altered { (vec![changes.username], Vec::new()) } else { (Vec::new(), vec![changes.username]) };
    Ok(Reply::Value(object([
        ("message", Value::String(format!("updated {} of 1 records", updated.len()))),
        ("txn_time", Value::Number(time)),
        ("update_hashes", Value::Array(updated)),
        ("skipped_hashes", Value::Array(skipped)),
    ])))
}

pub(super) async fn drop_user(call: Call) -> Outcome {
    let server = &call.server;
    let username = check_dropped(&call.body)?;
    let name = shown(&username);
    let dropped = system_database(&server.store)?
        .write(move |txn: &mut WriteTxn<'_>| delete(txn, USERS, &username))
        .await?;
    if !dropped && !fault!("drop-user-unknown-is-fine") {
        return Err(OperationError::not_found(format!("User {name} does not exist")));
    }
    if !fault!("dropped-users-stay") {
        server.access.reload(&server.store)?;
    }
    Ok(Reply::Message(format!("{name} successfully deleted")))
}
