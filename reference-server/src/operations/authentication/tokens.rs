//! create_authentication_tokens, refresh_operation_token.

use super::text;
use crate::access::tokens::{Life, TokenWish};
use crate::access::{AuthError, User};
use crate::config::span_milliseconds;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Value, object};
use std::sync::Arc;

pub(super) async fn create_authentication_tokens(call: Call) -> Outcome {
    let access = &call.server.access;
    let wish = TokenWish {
        role: text(&call.body, "role").map(str::to_owned),
        operation_life: call.body.get("expires_in").map(life).transpose()?,
    };
    let user = token_user(&call).await?;
    let tokens = access.issue_tokens(&call.server.store, &user, wish).await?;
    Ok(Reply::Value(object([
        ("operation_token", Value::String(tokens.operation)),
        ("refresh_token", Value::String(tokens.refresh)),
    ])))
}

/// Whose tokens are wanted: those of the name and password given, or else the caller's own.
async fn token_user(call: &Call) -> Result<Arc<User>, OperationError> {
    match (text(&call.body, "username"), text(&call.body, "password")) {
        (None, None) => Ok(Arc::clone(call.caller.known()?)),
        (Some(username), Some(password)) => {
            call.server.access.verify_password(username, password).await.map_err(|_| invalid_credentials())
        }
        _ if fault!("half-credentials-are-the-caller") => Ok(Arc::clone(call.caller.known()?)),
        _ => Err(invalid_credentials()),
    }
}

fn invalid_credentials() -> OperationError {
    OperationError::new(ErrorKind::Unauthenticated, "invalid credentials")
}

fn life(value: &Value) -> Result<Life, OperationError> {
    let life = match value {
        Value::Number(seconds) => Some(Life::seconds(*seconds)),
        Value::String(span) => span_milliseconds(span).map(Life::milliseconds),
        _ => None,
    };
    life.ok_or_else(|| OperationError::invalid("'expires_in' must be a time span"))
}

pub(super) async fn refresh_operation_token(call: Call) -> Outcome {
    let token = text(&call.body, "refresh_token").unwrap_or_default();
    match call.server.access.refresh_operation_token(token).await? {
        Ok(token) => Ok(Reply::Value(object([("operation_token", Value::String(token))]))),
        // The caller is known; it is the token that is not good any more.
        Err(AuthError::TokenExpired) => Err(OperationError::forbidden(AuthError::TokenExpired.to_string())),
        Err(error) => Err(error.into()),
    }
}
