//! Users and roles.

mod list;
mod roles;
mod users;
mod validate_user;

use super::Handler;
use crate::access::system_tables::{ROLES, all};
use crate::error::{ErrorKind, OperationError};
use crate::store::View;
use crate::value::{Object, Value, number_text};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("list_roles", |call| Box::pin(list::list_roles(call))),
    ("add_role", |call| Box::pin(roles::add_role(call))),
    ("alter_role", |call| Box::pin(roles::alter_role(call))),
    ("drop_role", |call| Box::pin(roles::drop_role(call))),
    ("list_users", |call| Box::pin(list::list_users(call))),
    ("user_info", |call| Box::pin(list::user_info(call))),
    ("add_user", |call| Box::pin(users::add_user(call))),
    ("alter_user", |call| Box::pin(users::alter_user(call))),
    ("drop_user", |call| Box::pin(users::drop_user(call))),
];

/// The id of the one role of that name; `missing` is the failure when there is none.
fn role_id_of(view: View<'_>, name: &str, missing: String) -> Result<String, OperationError> {
    let roles = all(view, ROLES)?;
    let mut named = roles.iter().filter(|role| text_of(role, "role") == Some(name));
    let Some(role) = named.next() else { return Err(OperationError::not_found(missing)) };
    if named.next().is_some() {
        return Err(OperationError::new(
            ErrorKind::Conflict,
            format!(
                "Multiple {name} roles found.  Roles must have unique 'role' value. Please update and try again."
            ),
        ));
    }
    Ok(text_of(role, "id").unwrap_or_default().to_owned())
}

fn text_of<'r>(record: &'r Object, field: &str) -> Option<&'r str> {
    record.get(field).and_then(Value::as_str)
}

/// A value in the words of a message.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(*number),
        other => other.to_json(),
    }
}

/// A field that is there: null counts as absent.
fn given<'b>(body: &'b Object, field: &str) -> Option<&'b Value> {
    body.get(field).filter(|value| !value.is_null())
}
