//! add_role, alter_role, drop_role.

use super::{given, shown, text_of};
use crate::access::system_tables::{ROLES, USERS, all, delete, get, put, role_record, system_database};
use crate::access::validate_role::{RoleRequest, check_role_request, is_role_name};
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Outcome, Reply};
use crate::store::{CREATED_TIME, UPDATED_TIME, WriteTxn};
use crate::value::{Object, Value, object};

pub(super) async fn add_role(call: Call) -> Outcome {
    let server = &call.server;
    check_role_request(RoleRequest::Add, &call.body, &server.store)?;
    let name = text_of(&call.body, "role").unwrap_or_default().to_owned();
    let id = text_of(&call.body, "id").unwrap_or(&name).to_owned();
    let permission = call.body.get("permission").cloned().unwrap_or_default();
    let record = role_record(&id, &name, permission);
    let stored = system_database(&server.store)?
        .write(move |txn: &mut WriteTxn<'_>| -> Result<Object, OperationError> {
            let taken = |field: &str, value: &str| {
                let text = format!("A role with {field} '{value}' already exists");
                OperationError::new(ErrorKind::Conflict, text)
            };
            if all(txn.view()?, ROLES)?
                .iter()
                .any(|role| text_of(role, "role") == Some(name.as_str()) && !fault!("role-names-taken-twice"))
            {
                return Err(taken("name", &name));
            }
            if get(txn.view()?, ROLES, &Value::from(id.as_str()))?.is_some() {
                return Err(taken("id", &id));
            }
            Ok(put(txn, ROLES, record.clone())?)
        })
        .await?;
    server.access.reload(&server.store)?;
    Ok(Reply::Value(members_of(stored, ["role", "permission", "id"])))
}

pub(super) async fn alter_role(call: Call) -> Outcome {
    let server = &call.server;
    check_role_request(RoleRequest::Alter, &call.body, &server.store)?;
    let id = call.body.get("id").cloned().unwrap_or_default();
    let name = given(&call.body, "role").cloned();
    let permission = call.body.get("permission").cloned().unwrap_or_default();
    let stored = system_database(&server.store)?
        .write(move |txn: &mut WriteTxn<'_>| -> Result<Object, OperationError> {
            let Some(mut record) = get(txn.view()?, ROLES, &id)? else {
                return Err(OperationError::invalid("Invalid role id"));
            };
            if let Some(name) = &name {
                record.insert("role".to_owned(), name.clone());
            }
            if !fault!("alter-role-merges") {
                record.insert("permission".to_owned(), permission.clone());
            }
            Ok(put(txn, ROLES, record)?)
        })
        .await?;
    if !fault!("altered-roles-apply-late") {
        server.access.reload(&server.store)?;
    }
    Ok(Reply::Value(members_of(stored, ["id", "role", "permission"])))
}

/// A stored role as an answer: these members, then the times.
fn members_of(mut role: Object, first: [&str; 3]) -> Value {
    let names = first.into_iter().chain([UPDATED_TIME, CREATED_TIME]);
    Value::Object(names.filter_map(|name| Some((name.to_owned(), role.swap_remove(name)?))).collect())
}

pub(super) async fn drop_role(call: Call) -> Outcome {
    let id = match given(&call.body, "id") {
        None => return Err(bad_request("Id can't be blank")),
        Some(id) if is_role_name(id) => id.clone(),
        Some(_) => return Err(bad_request("Id is invalid")),
    };
    let server = &call.server;
    let name = system_database(&server.store)?
        .write(move |txn: &mut WriteTxn<'_>| -> Result<String, OperationError> {
            let Some(role) = get(txn.view()?, ROLES, &id)? else {
                return Err(OperationError::not_found("Role not found"));
            };
            let name = role.get("role").map(shown).unwrap_or_default();
            let has_it = |user: &Object| {
                user.get("role") == Some(&id) && matches!(user.get("active"), Some(Value::Bool(true)))
            };
            if all(txn.view()?, USERS)?.iter().any(has_it) && !fault!("roles-in-use-dropped") {
                return Err(OperationError::new(
                    ErrorKind::Conflict,
                    format!("Cannot drop role {name} as it has active user(s) tied to this role"),
                ));
            }
            delete(txn, ROLES, &id)?;
            Ok(name)
        })
        .await?;
    server.access.reload(&server.store)?;
    Ok(Reply::Message(format!("{name} successfully deleted")))
}

/// drop_role reports faults in a form of its own.
fn bad_request(message: &str) -> OperationError {
    if fault!("drop-role-blank-in-plain") {
        return OperationError::invalid(message);
    }
    let body = object([
        ("statusCode", Value::Number(400.0)),
        ("error", Value::from("Bad Request")),
        ("message", Value::from(message)),
    ]);
    OperationError::invalid(message).with_body(body)
}
