//! Who asks, and why that may not be known.

use super::User;
use crate::error::{ErrorKind, OperationError};
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Default)]
pub struct Caller {
    /// The authenticated user; `None` is nobody.
    pub user: Option<Arc<User>>,
    /// The session the request belongs to, whether or not anybody is logged in to it.
    pub session: Option<Arc<str>>,
    /// Why the request's credentials do not do, for operations that need none to say when they want some after all.
    pub refused: Option<AuthError>,
    /// The user is not proven but implied by the place that the request comes from.
    pub by_place: bool,
    /// When the node that asks has done the same, in epoch milliseconds; `None` when no node does.
    pub done_at: Option<f64>,
}

impl Caller {
    /// A caller without a session.
    pub fn of(user: Option<Arc<User>>) -> Caller {
        Caller { user, ..Caller::default() }
    }

    /// The user, if there is one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn known(&self) -> Result<&Arc<User>, AuthError> {
        self.user.as_ref().ok_or(self.refused.unwrap_or(AuthError::MustLogin))
    }
}

/// Why credentials do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There are none.
    #[error("Must login")]
    MustLogin,
    /// The name or the password is wrong; which one is not said.
    #[error("Login failed")]
    LoginFailed,
    /// The user may not do anything.
    #[error("Cannot complete request: User is inactive")]
    Inactive,
    /// The client's certificate was revoked, or whether it was could not be found out.
    #[error("Certificate revoked or verification failed")]
    Revoked,
    /// The token is not one of ours, not for this, or no longer good; which one is not said.
    #[error("invalid token")]
    InvalidToken,
    /// The token's time is over.
    #[error("token expired")]
    TokenExpired,
}

impl From<AuthError> for OperationError {
    fn from(error: AuthError) -> Self {
        OperationError::new(ErrorKind::Unauthenticated, error.to_string())
    }
}
