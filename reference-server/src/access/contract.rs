//! Access as the contract of each operation states it.

use super::authorise::{RoleNeeded, Rule, check};
use super::permission::Right;
use super::rights;
use super::{Caller, Permission, SYSTEM, User};
use crate::error::OperationError;
use crate::operations::Call;
use crate::operations::bulk::is_by_statement;
use crate::store::{Store, Table};
use crate::value::Value;
use spec::{Access as Stated, AccessRole, Operation, TablePermission};
use std::borrow::Cow;

/// Judges one request, which is in its canonical form.
///
/// # Errors
/// The refusal, in the API's words.
pub fn authorise(call: &Call) -> Result<(), OperationError> {
    let user = call.caller.user.as_deref();
    // The commonest case: only the server's own database has rules for super users.
    let names_system = || call.body.get("database").and_then(Value::as_str) == Some(SYSTEM);
    if user.is_some_and(User::is_super_user) && !names_system() {
        return Ok(());
    }
    let mut rule = rule_of(call.operation);
    // The rights that a statement needs are told before that exports are for super users.
    if matches!(call.operation.name.as_str(), "export_local" | "export_to_s3") && is_by_statement(&call.body)
    {
        rule.role = RoleNeeded::Statement;
    }
    check(&rule, user, &call.body, &call.server.store)
}

/// Where searches name attributes, in the order refusals list them. Whatever a search's contract names, all of them
/// are looked at: what a role may not read, it may not search or sort by either.
const SEARCH_FIELDS: [&str; 6] =
    ["attribute", "search_attribute", "conditions", "get_attributes", "select", "sort"];

/// The rule of an operation's contract.
pub fn rule_of(operation: &Operation) -> Rule<'_> {
    let Stated { role, table_permissions, attributes_from, also, .. } = &operation.access;
    let rights: Vec<Right> = table_permissions.iter().map(|permission| right(*permission)).collect();
    let attribute_fields = match rights.as_slice() {
        [Right::Read] => SEARCH_FIELDS.to_vec(),
        _ => attributes_from.iter().map(String::as_str).collect(),
    };
    Rule {
        operation: &operation.name,
        function: match &operation.internal_name {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(camel_case(&operation.name)),
        },
        role: role_needed(*role),
        rights,
        attribute_fields,
        structure_users_too: *also == Some(AccessRole::StructureUserDatabase)
            && operation.category == "databases-tables",
        action_decides: operation.category == "bulk",
    }
}

fn role_needed(role: AccessRole) -> RoleNeeded {
    match role {
        AccessRole::None => RoleNeeded::None,
        AccessRole::Any => RoleNeeded::Any,
        AccessRole::SuperUser => RoleNeeded::SuperUser,
        AccessRole::StructureUser => RoleNeeded::StructureUser,
        AccessRole::StructureUserDatabase => RoleNeeded::StructureUserDatabase,
        AccessRole::Table => RoleNeeded::Table,
        AccessRole::Describe => RoleNeeded::Describe,
        AccessRole::Sql => RoleNeeded::Statement,
    }
}

fn right(permission: TablePermission) -> Right {
    match permission {
        TablePermission::Read => Right::Read,
        TablePermission::Insert => Right::Insert,
        TablePermission::Update => Right::Update,
        TablePermission::Delete => Right::Delete,
    }
}

/// `add_certificate` → `addCertificate`, which is how internal names are made.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

fn permission_of(caller: &Caller) -> Option<&Permission> {
    caller.user.as_ref().and_then(|user| user.permission())
}

/// Whether a caller may know that a database exists.
pub fn sees_database(caller: &Caller, store: &Store, database: &str) -> bool {
    permission_of(caller).is_some_and(|permission| rights::sees_database(permission, store, database))
}

/// The attributes of a table that a caller may read, in the order to show them; `None` means all of them. This is
/// what `*` stands for, and what a search shows that names no attributes.
pub fn readable_attributes(caller: &Caller, database: &str, table: &Table) -> Option<Vec<String>> {
    match permission_of(caller) {
        None => Some(Vec::new()),
        Some(permission) => rights::readable_attributes(permission, table, database, &table.name),
    }
}

/// How a caller sees a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Not at all.
    Hidden,
    /// With all its attributes.
    All,
    /// With these attributes.
    Attributes(Vec<String>),
}

impl Visibility {
    /// Whether an attribute is among what is seen.
    pub fn shows(&self, attribute: &str) -> bool {
        match self {
            Visibility::Hidden => false,
            Visibility::All => true,
            Visibility::Attributes(names) => names.iter().any(|name| name == attribute),
        }
    }
}

/// How a caller sees a table and its attributes.
pub fn visible_attributes(caller: &Caller, database: &str, table: &Table) -> Visibility {
    let Some(permission) = permission_of(caller) else { return Visibility::Hidden };
    if !rights::is_visible(permission, database, &table.name) {
        return Visibility::Hidden;
    }
    match rights::visible_attributes(permission, table, database, &table.name) {
        None => Visibility::All,
        Some(names) => Visibility::Attributes(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_names_follow_the_operations() {
        assert_eq!(camel_case("add_ssh_key"), "addSshKey");
        assert_eq!(camel_case("restart"), "restart");
    }

    #[test]
    fn every_operation_that_works_on_a_table_names_its_rights() {
        for operation in spec::registry().operations() {
            let rule = rule_of(operation);
            let needs_rights = rule.role == RoleNeeded::Table;
            assert_eq!(needs_rights, !rule.rights.is_empty(), "{}", operation.name);
        }
    }
}
