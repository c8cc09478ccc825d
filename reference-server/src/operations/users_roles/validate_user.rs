//! The checks of add_user, alter_user and drop_user, in the API's words.

use super::given;
use crate::access::validate_role::is_role_name;
use crate::error::OperationError;
use crate::value::{Object, Value};

/// A checked request to add a user.
#[derive(Debug)]
pub(super) struct NewUser {
    pub username: String,
    pub password: String,
    pub role: String,
    pub active: bool,
}

/// A checked request to alter a user.
pub(super) struct Changes {
    /// The user as named, which may be nobody.
    pub username: Value,
    pub password: Option<String>,
    pub role: Option<Value>,
    pub active: Option<bool>,
}

/// Names that cannot be given to users. The text is that of another check, and is kept.
const RESERVED: &str = "Username You cannot create tables within the system schema";

/// Checks a request to add a user.
///
/// # Errors
/// All faults in one text.
pub(super) fn check_new_user(body: &Object) -> Result<NewUser, OperationError> {
    let mut faults: Vec<&str> = Vec::new();
    let mut blank = |field, fault| {
        let value = given(body, field);
        if value.is_none() {
            faults.push(fault);
        }
        value
    };
    let username = blank("username", "Username can't be blank");
    let password = blank("password", "Password can't be blank");
    let role = blank("role", "Role can't be blank");
    let active = blank("active", "Active can't be blank");
    match username.map(Value::as_str) {
        Some(Some("")) => faults.push("Username can't be blank"),
        Some(Some("system")) if !fault!("system-user-taken") => faults.push(RESERVED),
        Some(None) => faults.push("Username must be a string"),
        _ => {}
    }
    match password.map(Value::as_str) {
        Some(Some("")) => faults.push("Password can't be blank"),
        Some(None) => faults.push("Password must be a string"),
        _ => {}
    }
    if role.is_some_and(|role| !is_role_name(role)) {
        faults.push("Role is invalid");
    }
    if active.is_some_and(|active| active.as_bool().is_none()) && !fault!("active-as-text") {
        faults.push("Active must be a boolean");
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    if faults.is_empty() {
        Ok(NewUser {
            username: text(username),
            password: text(password),
            role: text(role),
            active: active.and_then(Value::as_bool).unwrap_or(false),
        })
    } else {
        Err(OperationError::invalid(faults.join(if fault!("user-faults-joined-by-stops") {
            ". "
        } else {
            ","
        })))
    }
}

/// Checks a request to alter a user.
///
/// # Errors
/// The first fault. Most are reported as the server's own, as the API has it.
pub(super) fn check_changes(body: &Object) -> Result<Changes, OperationError> {
    let is_empty = |value: &Value| matches!(value, Value::String(text) if text.is_empty());
    let username = given(body, "username").filter(|name| !is_empty(name));
    let username = username.ok_or_else(|| OperationError::fault("username is required"))?.clone();
    let [password, role, active] = ["password", "role", "active"].map(|field| given(body, field));
    if [password, role, active].into_iter().flatten().all(is_empty) {
        return Err(OperationError::fault(
            "nothing to update, must supply active, role or password to update",
        ));
    }
    let password = match password {
        None => None,
        Some(Value::String(password)) if password.trim().is_empty() && !fault!("blank-passwords-taken") => {
            return Err(OperationError::fault("password cannot be an empty string"));
        }
        Some(Value::String(password)) => Some(password.clone()),
        Some(_) => return Err(OperationError::invalid("password must be a string")),
    };
    let active = match active {
        None => None,
        Some(Value::Bool(active)) => Some(*active),
        Some(_) => return Err(OperationError::fault("active must be true or false")),
    };
    if role.is_some_and(is_empty) {
        return Err(OperationError::fault("If role is specified, it cannot be empty."));
    }
    Ok(Changes { username, password, role: role.cloned(), active })
}

/// Checks a request to drop a user; returns the name given.
///
/// # Errors
/// The fault.
pub(super) fn check_dropped(body: &Object) -> Result<Value, OperationError> {
    match given(body, "username") {
        None => Err(OperationError::invalid("Username can't be blank")),
        Some(Value::String(name)) if name == "system" => Err(OperationError::invalid(RESERVED)),
        Some(name) => Ok(name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::value::parse_json;

    fn body(text: &str) -> Object {
        parse_json(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn new_users() {
        let faults =
            |text: &str| check_new_user(&body(text)).err().map(|error| error.message).unwrap_or_default();
        assert_eq!(
            faults("{}"),
            "Username can't be blank,Password can't be blank,Role can't be blank,Active can't be blank"
        );
        assert_eq!(
            faults(r#"{"username":null,"password":"x","role":"two words","active":"no"}"#),
            "Username can't be blank,Role is invalid,Active must be a boolean"
        );
        assert_eq!(
            faults(r#"{"username":"system","password":"x","role":"r","active":true}"#),
            "Username You cannot create tables within the system schema"
        );
        assert_eq!(
            faults(r#"{"username":"","password":"","role":"","active":""}"#),
            "Username can't be blank,Password can't be blank,Role is invalid,Active must be a boolean"
        );
        assert_eq!(
            faults(r#"{"username":7,"password":[1],"role":8,"active":1}"#),
            "Username must be a string,Password must be a string,Role is invalid,Active must be a boolean"
        );
        assert_eq!(faults(r#"{"username":"a b/ü@","password":" ","role":"r-1_A","active":false,"x":1}"#), "");
    }

    #[test]
    fn changes() {
        let fault = |text: &str| {
            let error = check_changes(&body(text)).err().unwrap();
            (error.kind == ErrorKind::Fault, error.message)
        };
        let own = |text: &str| (true, text.to_owned());
        for text in ["{}", r#"{"active":true}"#, r#"{"username":"","active":true}"#] {
            assert_eq!(fault(text), own("username is required"));
        }
        for text in [r#"{"username":"u"}"#, r#"{"username":"u","password":"","role":"","active":""}"#] {
            assert_eq!(fault(text), own("nothing to update, must supply active, role or password to update"));
        }
        assert_eq!(fault(r#"{"username":"u","password":"   "}"#), own("password cannot be an empty string"));
        assert_eq!(
            fault(r#"{"username":"u","password":"","active":true}"#),
            own("password cannot be an empty string")
        );
        assert_eq!(fault(r#"{"username":"u","active":0}"#), own("active must be true or false"));
        assert_eq!(
            fault(r#"{"username":"u","role":"","active":true}"#),
            own("If role is specified, it cannot be empty.")
        );
        assert_eq!(
            fault(r#"{"username":"u","password":12}"#),
            (false, "password must be a string".to_owned())
        );
        assert!(check_changes(&body(r#"{"username":"u","password":null,"active":false}"#)).is_ok());
    }
}
