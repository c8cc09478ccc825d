//! login, logout.

use super::text;
use crate::access::AuthError;
use crate::access::sessions::{log_in, log_out};
use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};

pub(super) async fn login(call: Call) -> Outcome {
    let server = &call.server;
    let settings = &server.config.authentication;
    if !settings.enable_sessions {
        return Err(OperationError::fault("No session for login"));
    }
    let (Some(username), Some(password)) = (text(&call.body, "username"), text(&call.body, "password"))
    else {
        return Err(AuthError::LoginFailed.into());
    };
    let user = server.access.verify_password(username, password).await?;
    let present = call.caller.session.as_deref();
    let new = log_in(&server.store, present, &user.username, settings.cookie_expires).await?;
    let message = "Login successful".to_owned();
    Ok(match new {
        Some(id) => Reply::Session { id, message },
        None => Reply::Message(message),
    })
}

pub(super) async fn logout(call: Call) -> Outcome {
    if !call.server.config.authentication.enable_sessions {
        return Err(OperationError::fault("No session for logout"));
    }
    if let Some(session) = &call.caller.session {
        log_out(&call.server.store, session).await?;
    }
    Ok(Reply::Message("Logout successful".to_owned()))
}
