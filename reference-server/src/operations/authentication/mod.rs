//! Tokens and sessions.

mod sessions;
#[cfg(test)]
mod tests;
mod tokens;

use super::Handler;
use crate::value::{Object, Value};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("create_authentication_tokens", |call| Box::pin(tokens::create_authentication_tokens(call))),
    ("refresh_operation_token", |call| Box::pin(tokens::refresh_operation_token(call))),
    ("login", |call| Box::pin(sessions::login(call))),
    ("logout", |call| Box::pin(sessions::logout(call))),
];

/// A text of the request that says something; absent, null and empty ones do not.
fn text<'b>(body: &'b Object, field: &str) -> Option<&'b str> {
    body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}
