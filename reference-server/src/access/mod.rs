//! Users, roles and what they may do.

use std::sync::Arc;

/// A user.
pub struct User {
    /// The name.
    pub username: String,
}

/// Who asks; `None` is nobody.
#[derive(Clone, Default)]
pub struct Caller {
    /// The authenticated user.
    pub user: Option<Arc<User>>,
}

/// The users and roles of an instance.
pub struct Access;
