//! list_roles, list_users, user_info: answered from the snapshot in memory.

use crate::access::refusal;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::value::Value;

pub(super) async fn list_roles(call: Call) -> Outcome {
    let directory = call.server.access.directory();
    Ok(Reply::Value(Value::Array(directory.roles().map(|role| role.record.clone()).collect())))
}

pub(super) async fn list_users(call: Call) -> Outcome {
    let directory = call.server.access.directory();
    Ok(Reply::Value(Value::Array(directory.users().into_iter().map(|user| user.listing()).collect())))
}

pub(super) async fn user_info(call: Call) -> Outcome {
    let Some(user) = &call.caller.user else {
        return Err(OperationError::new(ErrorKind::Unauthenticated, "Must login"));
    };
    if user.permission().is_none() {
        return Err(refusal::no_role(&user.username));
    }
    // Only to those who need not say who they are does it tell the user's own times (security.md 7.2).
    Ok(Reply::Value(if call.caller.by_place { user.info_with_times() } else { user.info().clone() }))
}
