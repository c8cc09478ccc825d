//! Whether a caller may do what a request asks for.
//!
//! The request is judged in its canonical form: aliases are resolved and the database is known, so that the check and
//! the operation look at the same table however it was named. What cannot be decided because the request does not
//! name a table is left to validation, which refuses it.

use super::attributes::UsedAttributes;
use super::permission::{Permission, Right, StructureUser};
use super::refusal::{self, Refusal};
use super::rights::{TableUse, check_use, sees_database, sees_table};
use super::schema::Schema;
use super::{INTERNAL_TABLES, SYSTEM, User, WRITABLE_INTERNAL_TABLES};
use crate::error::{ErrorKind, OperationError};
use crate::value::{Object, Value, number_text};
use std::borrow::Cow;

/// Who may call an operation, as the contract says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleNeeded {
    /// Nobody in particular; credentials are not needed.
    None,
    /// Any user with a role.
    Any,
    /// A super user.
    SuperUser,
    /// A super user, or a structure user of every database.
    StructureUser,
    /// A super user, or a structure user of the request's database.
    StructureUserDatabase,
    /// Rights on the request's table decide.
    Table,
    /// Everybody, to see what they have rights on.
    Describe,
    /// The statement decides; its tables are checked when it is known.
    Statement,
}

/// What the contract says of the access to one operation.
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// The operation.
    pub operation: &'a str,
    /// The name a refusal shows.
    pub function: Cow<'a, str>,
    /// Who may call it.
    pub role: RoleNeeded,
    /// The rights needed on the table, in the order a refusal lists them.
    pub rights: Vec<Right>,
    /// The fields of the request that name attributes.
    pub attribute_fields: Vec<&'a str>,
    /// Whether it changes structures, so that structure users of the database pass whatever is there already.
    pub structure_users_too: bool,
    /// Whether the request's `action` narrows the rights needed, as loading data does.
    pub action_decides: bool,
}

/// Judges one request.
///
/// # Errors
/// The refusal, in the API's words.
pub fn check(
    rule: &Rule<'_>,
    user: Option<&User>,
    body: &Object,
    schema: &dyn Schema,
) -> Result<(), OperationError> {
    if rule.role == RoleNeeded::None {
        return Ok(());
    }
    let Some(user) = user else {
        return Err(OperationError::new(ErrorKind::Unauthenticated, "Must login"));
    };
    let permission = user.permission().ok_or_else(|| refusal::no_role(&user.username))?;
    // What is no name at all means the default database too, wherever validation should let it pass.
    let database = match body.get("database") {
        Some(Value::String(_) | Value::Number(_)) => name_in(body, "database"),
        _ => Some(Cow::Borrowed(super::DEFAULT_DATABASE)),
    };
    let request = Request { rule, permission, body, schema, database: database.as_deref() };
    if request.database == Some(SYSTEM)
        && !fault!("system-not-protected")
        && request.check_system()? == Verdict::Allowed
    {
        return Ok(());
    }
    if permission.super_user {
        return Ok(());
    }
    match rule.role {
        RoleNeeded::None | RoleNeeded::Any | RoleNeeded::Statement => Ok(()),
        RoleNeeded::SuperUser if fault!("super-user-operations-open") => Ok(()),
        RoleNeeded::SuperUser => Err(refusal::super_user_only(&rule.function)),
        RoleNeeded::StructureUser if permission.structure_user == StructureUser::All => Ok(()),
        RoleNeeded::StructureUser if fault!("structure-operations-open") => Ok(()),
        RoleNeeded::StructureUser => Err(refusal::super_user_only(&rule.function)),
        RoleNeeded::StructureUserDatabase => request.check_structure(),
        RoleNeeded::Table => request.check_table(),
        RoleNeeded::Describe if fault!("describe-not-checked") => Ok(()),
        RoleNeeded::Describe => request.check_describe(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Undecided,
}

struct Request<'a> {
    rule: &'a Rule<'a>,
    permission: &'a Permission,
    body: &'a Object,
    schema: &'a dyn Schema,
    /// The database meant; `None` for an empty name, which validation refuses.
    database: Option<&'a str>,
}

impl Request<'_> {
    fn table(&self) -> Option<Cow<'_, str>> {
        name_in(self.body, "table")
    }

    /// The rights the request needs on its table.
    fn rights(&self) -> Vec<Right> {
        let action = self.body.get("action").and_then(Value::as_str);
        match action.and_then(Right::named) {
            Some(right) if self.rule.action_decides && self.rule.rights.contains(&right) => vec![right],
            None if self.rule.action_decides && fault!("load-default-needs-insert-only") => {
                vec![Right::Insert]
            }
            _ => self.rule.rights.clone(),
        }
    }

    fn check_structure(&self) -> Result<(), OperationError> {
        match &self.permission.structure_user {
            StructureUser::No if fault!("function-name-not-told") => {
                Err(refusal::super_user_only(self.rule.operation))
            }
            StructureUser::No => Err(refusal::super_user_only(&self.rule.function)),
            StructureUser::All => Ok(()),
            listed if self.database.is_some_and(|database| listed.covers(database)) => Ok(()),
            StructureUser::Databases(_) if fault!("structure-list-ignored") => Ok(()),
            StructureUser::Databases(_) => Err(self.other_database()),
        }
    }

    fn other_database(&self) -> OperationError {
        refusal::other_database(self.rule.operation, self.database.unwrap_or("undefined"))
    }

    fn check_table(&self) -> Result<(), OperationError> {
        let Some(database) = self.database else { return Ok(()) };
        if self.rule.structure_users_too {
            match &self.permission.structure_user {
                structure_user if structure_user.covers(database) => return Ok(()),
                StructureUser::Databases(_) if !self.has_rights_on_table(database) => {
                    return Err(self.other_database());
                }
                _ => {}
            }
        }
        let Some(table) = self.table() else { return Ok(()) };
        let rights = self.rights();
        let attributes = UsedAttributes::of(self.body, &self.rule.attribute_fields);
        let attribute_rights: &[Right] = if self.rule.attribute_fields.is_empty() { &[] } else { &rights };
        let wanted =
            TableUse { database, table: &table, rights: &rights, attributes: &attributes, attribute_rights };
        check_use(self.permission, self.schema, &wanted)?.into_result()
    }

    fn has_rights_on_table(&self, database: &str) -> bool {
        let Some(table) = self.table() else { return false };
        let flags = self.permission.table(database, &table);
        flags.is_some_and(|flags| self.rights().iter().all(|right| flags.has(*right)))
    }

    fn check_describe(&self) -> Result<(), OperationError> {
        let Some(database) = self.database else { return Ok(()) };
        match self.rule.operation {
            "describe_all" => Ok(()),
            "describe_database" => {
                if sees_database(self.permission, self.schema, database) {
                    return Ok(());
                }
                Err(Refusal::default().missing(refusal::no_database(database)).into_error())
            }
            _ => match self.table() {
                Some(table) if !sees_table(self.permission, self.schema, database, &table) => {
                    Err(Refusal::default().missing(refusal::no_table(database, &table)).into_error())
                }
                _ => Ok(()),
            },
        }
    }

    /// The rules of the server's own database, which hold for super users too.
    fn check_system(&self) -> Result<Verdict, OperationError> {
        let operation = self.rule.operation;
        let super_user = self.permission.super_user;
        let table = self.table();
        match operation {
            "insert" | "update" | "upsert" | "delete"
                if super_user
                    && table.as_deref().is_some_and(|table| WRITABLE_INTERNAL_TABLES.contains(&table)) =>
            {
                Ok(Verdict::Allowed)
            }
            "update" | "upsert" | "delete" | "drop_table" | "drop_attribute" | "drop_database" => {
                Err(refusal::system_protected())
            }
            "create_table" if super_user || self.permission.structure_user.covers(SYSTEM) => {
                Err(refusal::system_protected())
            }
            _ if self.rule.role == RoleNeeded::Table => {
                let Some(table) = table else { return Ok(Verdict::Allowed) };
                let rights = self.rights();
                if rights == [Right::Read] {
                    check_system_reading(super_user, &table)?;
                    Ok(Verdict::Allowed)
                } else {
                    Err(Refusal::default().table(SYSTEM, &table, &rights).into_error())
                }
            }
            _ if self.rule.role == RoleNeeded::Describe && operation != "describe_all" && !super_user => {
                Err(refusal::system_metadata())
            }
            _ => Ok(Verdict::Undecided),
        }
    }
}

fn check_system_reading(super_user: bool, table: &str) -> Result<(), OperationError> {
    if !INTERNAL_TABLES.contains(&table) {
        return Err(Refusal::default().missing(refusal::no_table(SYSTEM, table)).into_error());
    }
    if super_user {
        return Ok(());
    }
    Err(Refusal::default().table(SYSTEM, table, &[Right::Read]).into_error())
}

/// Judges the tables of one statement together: what is wrong with tables is reported before, and instead of, what is
/// wrong with their attributes.
///
/// # Errors
/// The refusal, in the API's words.
pub fn check_tables(user: &User, schema: &dyn Schema, uses: &[TableUse<'_>]) -> Result<(), OperationError> {
    let permission = user.permission().ok_or_else(|| refusal::no_role(&user.username))?;
    let mut tables = Refusal::default();
    let mut attributes = Refusal::default();
    for wanted in uses {
        if wanted.database == SYSTEM {
            check_system_use(permission.super_user, wanted)?;
        } else if !permission.super_user {
            let table_alone = TableUse { attributes: &[], ..*wanted };
            let refused = check_use(permission, schema, &table_alone)?;
            if refused.is_empty() {
                attributes.merge(check_use(permission, schema, wanted)?);
            } else {
                tables.merge(refused);
            }
        }
    }
    if tables.is_empty() { attributes.into_result() } else { tables.into_result() }
}

fn check_system_use(super_user: bool, wanted: &TableUse<'_>) -> Result<(), OperationError> {
    if wanted.rights.iter().any(|right| matches!(right, Right::Update | Right::Delete)) {
        return Err(refusal::system_protected());
    }
    if wanted.rights.contains(&Right::Insert) {
        return Err(Refusal::default().table(SYSTEM, wanted.table, wanted.rights).into_error());
    }
    check_system_reading(super_user, wanted.table)
}

/// The name a field holds. A number stands for its text; anything else is not a name, and validation says so.
fn name_in<'a>(body: &'a Object, field: &str) -> Option<Cow<'a, str>> {
    match body.get(field)? {
        Value::String(name) if !name.is_empty() => Some(Cow::Borrowed(name)),
        Value::Number(number) => Some(Cow::Owned(number_text(*number))),
        _ => None,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
