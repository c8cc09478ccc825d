//! Users and roles as they are in memory: a snapshot made from the system tables, replaced as a whole after every
//! change.

use super::permission::Permission;
use crate::value::{Object, Value, object};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Where a user's record keeps the hash of the refresh token made last.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";

/// A user.
pub struct User {
    /// The name.
    pub username: String,
    /// Whether the user may do anything at all.
    pub active: bool,
    /// What the user may do; `None` when the role is gone.
    pub role: Option<Arc<Role>>,
    /// The password's hash.
    pub(super) password: Arc<str>,
    /// The hash of the refresh token made last.
    pub(super) refresh_token: Option<Arc<str>>,
    created: Value,
    updated: Value,
    info: Value,
}

/// A role.
#[derive(Debug)]
pub struct Role {
    /// The key; users refer to it.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it allows.
    pub permission: Permission,
    /// The record as the API shows it.
    pub record: Value,
}

impl fmt::Debug for User {
    /// Only the name: the password's hash must not find its way into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("username", &self.username).finish_non_exhaustive()
    }
}

impl User {
    /// What the user may do; `None` when there is no role or it says nothing.
    pub fn permission(&self) -> Option<&Permission> {
        self.role.as_ref().map(|role| &role.permission).filter(|permission| permission.is_usable())
    }

    /// Whether the user may do everything.
    pub fn is_super_user(&self) -> bool {
        self.permission().is_some_and(|permission| permission.super_user)
    }

    /// Who a token names that is not among the users any more: somebody without a role.
    pub(super) fn gone(username: &str) -> User {
        User {
            username: username.to_owned(),
            active: true,
            role: None,
            password: Arc::default(),
            refresh_token: None,
            created: Value::Null,
            updated: Value::Null,
            info: Value::Null,
        }
    }

    /// What user_info answers.
    pub fn info(&self) -> &Value {
        &self.info
    }

    /// The same with the user's own times.
    pub fn info_with_times(&self) -> Value {
        match &self.info {
            Value::Object(members) => self.with_times(members.clone()),
            other => other.clone(),
        }
    }

    /// The user's entry in list_users: with the whole role, the rights on internal tables included.
    pub fn listing(&self) -> Value {
        let mut entry = Object::new();
        entry.insert("username".to_owned(), Value::from(self.username.as_str()));
        entry.insert("active".to_owned(), Value::Bool(self.active));
        if let Some(role) = &self.role {
            entry.insert("role".to_owned(), role.listing());
        }
        self.with_times(entry)
    }

    fn with_times(&self, mut members: Object) -> Value {
        members.insert("__updatedtime__".to_owned(), self.updated.clone());
        members.insert("__createdtime__".to_owned(), self.created.clone());
        Value::Object(members)
    }
}

impl Role {
    /// Makes a role of its stored record; `None` when the record has no name or key.
    pub fn read(record: &Object) -> Option<Role> {
        let id = record.get("id")?.as_str()?.to_owned();
        let name = record.get("role")?.as_str()?.to_owned();
        let raw = record.get("permission").unwrap_or(&Value::Null);
        let time = |field: &str| record.get(field).cloned().unwrap_or(Value::Null);
        let shown = object([
            ("permission", raw.clone()),
            ("role", Value::from(name.as_str())),
            ("id", Value::from(id.as_str())),
            ("__updatedtime__", time("__updatedtime__")),
            ("__createdtime__", time("__createdtime__")),
        ]);
        Some(Role { id, name, permission: Permission::read(raw), record: shown })
    }

    /// The record with the rights on the internal tables, which list_users alone shows.
    fn listing(&self) -> Value {
        let mut shown = self.record.clone();
        if let Value::Object(members) = &mut shown
            && let Some(Value::Object(permission)) = members.get_mut("permission")
        {
            let tables = super::INTERNAL_TABLES.iter().map(|table| {
                let rights = object([
                    ("read", Value::Bool(self.permission.super_user)),
                    ("insert", Value::Bool(false)),
                    ("update", Value::Bool(false)),
                    ("delete", Value::Bool(false)),
                    ("attribute_permissions", Value::Array(Vec::new())),
                ]);
                ((*table).to_owned(), rights)
            });
            let system = object([("tables", Value::Object(tables.collect()))]);
            if !fault!("roles-not-listed-whole") {
                permission.insert(super::SYSTEM.to_owned(), system);
            }
        }
        shown
    }
}

/// All users and roles at one moment.
#[derive(Debug, Default)]
pub struct Directory {
    users: HashMap<String, Arc<User>>,
    roles: BTreeMap<String, Arc<Role>>,
}

impl Directory {
    /// Makes the snapshot of the stored records. A record that is not a user or a role is left out; it never breaks
    /// the others.
    pub fn read(users: &[Object], roles: &[Object]) -> Directory {
        let roles: BTreeMap<String, Arc<Role>> =
            roles.iter().filter_map(Role::read).map(|role| (role.id.clone(), Arc::new(role))).collect();
        let users = users
            .iter()
            .filter_map(|record| read_user(record, &roles))
            .map(|user| (user.username.clone(), Arc::new(user)))
            .collect();
        Directory { users, roles }
    }

    /// A user.
    pub fn user(&self, username: &str) -> Option<&Arc<User>> {
        self.users.get(username)
    }

    /// All users, by name.
    pub fn users(&self) -> Vec<&Arc<User>> {
        let mut users: Vec<_> = self.users.values().collect();
        users.sort_by(|a, b| a.username.cmp(&b.username));
        users
    }

    /// A role by its key.
    pub fn role(&self, id: &str) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// All roles, by key.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values()
    }

    /// The roles of that name. Names are meant to be unique, but renaming can break that.
    pub fn roles_named(&self, name: &str) -> Vec<&Arc<Role>> {
        self.roles.values().filter(|role| role.name == name).collect()
    }

    /// Whether there are no users at all.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

fn read_user(record: &Object, roles: &BTreeMap<String, Arc<Role>>) -> Option<User> {
    let username = record.get("username")?.as_str()?.to_owned();
    let active = matches!(record.get("active"), Some(Value::Bool(true)));
    let role = record.get("role").and_then(Value::as_str).and_then(|id| roles.get(id)).cloned();
    let mut info = Object::new();
    info.insert("active".to_owned(), Value::Bool(active));
    info.insert("username".to_owned(), Value::from(username.as_str()));
    if let Some(role) = &role {
        info.insert("role".to_owned(), role.record.clone());
    }
    let field = |name: &str| record.get(name).cloned().unwrap_or(Value::Null);
    Some(User {
        username,
        active,
        role,
        password: record.get("password").and_then(Value::as_str).unwrap_or_default().into(),
        refresh_token: record.get(REFRESH_TOKEN).and_then(Value::as_str).map(Arc::from),
        created: field("__createdtime__"),
        updated: field("__updatedtime__"),
        info: Value::Object(info),
    })
}

#[cfg(test)]
pub(super) mod sample {
    use super::{Directory, User};
    use crate::value::{Object, parse_json};
    use std::sync::Arc;

    fn record(text: &str) -> Object {
        parse_json(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    /// A directory of one user, `kim`, with that permission.
    pub fn user_with(permission: &str) -> Arc<User> {
        let roles = [record(&format!(r#"{{"id":"r","role":"r","permission":{permission}}}"#))];
        let users = [record(r#"{"username":"kim","password":"","role":"r","active":true}"#)];
        Arc::clone(Directory::read(&users, &roles).user("kim").unwrap())
    }

    /// A user whose role is gone.
    pub fn user_without_role() -> Arc<User> {
        let users = [record(r#"{"username":"kim","password":"","role":"gone","active":true}"#)];
        Arc::clone(Directory::read(&users, &[]).user("kim").unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn record(text: &str) -> Object {
        parse_json(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn users_get_their_roles() {
        let roles = [record(
            r#"{"__createdtime__":1,"__updatedtime__":2,"id":"r1","role":"clerk","permission":{"super_user":false}}"#,
        )];
        let users = [
            record(
                r#"{"username":"kim","password":"h","hash_function":"argon2id","role":"r1","active":true,"__createdtime__":3,"__updatedtime__":4}"#,
            ),
            record(r#"{"username":"ada","password":"h","role":"gone","active":false}"#),
            record(r#"{"username":7}"#),
        ];
        let directory = Directory::read(&users, &roles);
        let names: Vec<&str> = directory.users().iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, ["ada", "kim"]);
        let kim = directory.user("kim").unwrap();
        assert_eq!(
            kim.info().to_json(),
            r#"{"active":true,"username":"kim","role":{"permission":{"super_user":false},"role":"clerk","id":"r1","__updatedtime__":2,"__createdtime__":1}}"#
        );
        let listing = kim.listing().to_json();
        assert!(listing.contains(r#""system":{"tables":{"hdb_user":{"read":false"#), "{listing}");
        assert!(!listing.contains("password") && !listing.contains("hash"), "{listing}");
        assert!(!directory.user("ada").unwrap().listing().to_json().contains("role"));
    }

    #[test]
    fn a_role_without_permission_object_is_none() {
        let roles = [record(r#"{"id":"r","role":"r","permission":"super_user"}"#)];
        let users = [record(r#"{"username":"kim","password":"h","role":"r","active":true}"#)];
        let directory = Directory::read(&users, &roles);
        assert!(directory.user("kim").unwrap().permission().is_none());
    }
}
