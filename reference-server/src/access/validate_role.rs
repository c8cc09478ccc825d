//! The checks of add_role and alter_role: everything wrong with a request is found and reported at once.

use super::refusal;
use super::schema::{Schema, TableShape};
use crate::error::OperationError;
use crate::value::{Object, Value, number_text};

/// Which of the two requests is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleRequest {
    /// add_role: the name is required, the id is not.
    Add,
    /// alter_role: the id is required, the name is not.
    Alter,
}

/// Checks a request to add or alter a role.
///
/// # Errors
/// Every fault, in the order and grouping of the API.
pub fn check_role_request(
    kind: RoleRequest,
    request: &Object,
    schema: &dyn Schema,
) -> Result<(), OperationError> {
    let mut faults = Faults::default();
    check_keys(&mut faults, request);
    check_name(&mut faults, "Role", request.get("role"), kind == RoleRequest::Add);
    check_name(&mut faults, "Id", request.get("id"), kind == RoleRequest::Alter);
    match request.get("permission") {
        None | Some(Value::Null) => faults.main("Permission can't be blank"),
        Some(Value::Object(permission)) => check_permission(&mut faults, permission, schema),
        Some(_) => faults.main("Permission must be an object"),
    }
    faults.into_result()
}

/// Whether a value can be a role's name or id.
pub fn is_role_name(value: &Value) -> bool {
    value.as_str().is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}

#[derive(Default)]
struct Faults {
    main: Vec<Value>,
    tables: Object,
}

impl Faults {
    fn main(&mut self, text: impl Into<String>) {
        self.main.push(Value::String(text.into()));
    }

    fn table(&mut self, database: &str, table: &str, faults: Vec<Value>) {
        if faults.is_empty() {
            return;
        }
        let entry =
            self.tables.entry(format!("{database}_{table}")).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(listed) = entry {
            listed.extend(faults);
        }
    }

    fn into_result(self) -> Result<(), OperationError> {
        if self.main.is_empty() && self.tables.is_empty() {
            return Ok(());
        }
        let mut members = Object::new();
        members.insert("main_permissions".to_owned(), Value::Array(self.main));
        members.insert("schema_permissions".to_owned(), Value::Object(self.tables));
        Err(OperationError::invalid("Errors in the role permissions JSON provided").with_members(members))
    }
}

fn check_keys(faults: &mut Faults, request: &Object) {
    let known = ["operation", "role", "id", "permission"];
    let foreign: Vec<String> = request
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| format!("'{name}'"))
        .collect();
    match foreign.len() {
        _ if fault!("role-keys-not-checked") => {}
        0 => {}
        1 => faults.main(format!("Invalid key in JSON body - {}", foreign[0])),
        _ => faults.main(format!("Invalid keys in JSON body - {}", foreign.join(", "))),
    }
}

fn check_name(faults: &mut Faults, label: &str, value: Option<&Value>, required: bool) {
    match value {
        None | Some(Value::Null) => {
            if required {
                faults.main(format!("{label} can't be blank"));
            }
        }
        Some(value) if is_role_name(value) => {}
        Some(_) if fault!("role-names-free") => {}
        Some(_) => faults.main(format!("{label} is invalid")),
    }
}

fn check_permission(faults: &mut Faults, permission: &Object, schema: &dyn Schema) {
    match permission.get("super_user") {
        Some(Value::Bool(true)) if permission.len() > 1 && !fault!("super-user-with-others") => {
            faults.main("Roles with 'super_user' set to true cannot have other permissions set.");
        }
        Some(Value::Bool(_)) | None => {}
        Some(value) if value.is_falsy() => {}
        Some(_) => faults.main("Value for 'super_user' permission must be a boolean"),
    }
    for (name, value) in permission {
        match name.as_str() {
            "super_user" => {}
            "structure_user" => check_structure_user(faults, value, schema),
            database if schema.has_database(database) => check_database(faults, database, value, schema),
            database => faults.main(refusal::no_database(database)),
        }
    }
}

fn check_structure_user(faults: &mut Faults, value: &Value, schema: &dyn Schema) {
    match value {
        Value::Bool(_) => {}
        Value::Array(names) => {
            for name in names.iter().map(as_name) {
                if !schema.has_database(&name) {
                    faults.main(refusal::no_database(&name));
                }
            }
        }
        _ => faults.main("Value for 'structure_user' permission must be a boolean or Array"),
    }
}

fn check_database(faults: &mut Faults, database: &str, value: &Value, schema: &dyn Schema) {
    let Some(members) = value.as_object() else {
        return faults.main(format!("Value for database '{database}' must be an object"));
    };
    let tables = match members.get("tables") {
        None | Some(Value::Null) => return,
        Some(Value::Object(tables)) => tables,
        Some(_) => {
            return faults.main(format!("Value for 'tables' of database '{database}' must be an object"));
        }
    };
    for (table, value) in tables {
        match schema.table(database, table) {
            None if fault!("role-tables-need-not-exist") => {}
            None => faults.main(refusal::no_table(database, table)),
            Some(shape) => {
                let nothing = Object::new();
                let members = value.as_object().unwrap_or(&nothing);
                let found = check_table(database, table, members, shape.as_ref());
                faults.table(database, table, found);
            }
        }
    }
}

const TABLE_FLAGS: [&str; 4] = ["read", "insert", "update", "delete"];
const ATTRIBUTE_FLAGS: [&str; 3] = ["read", "insert", "update"];

fn check_table(database: &str, table: &str, members: &Object, shape: &dyn TableShape) -> Vec<Value> {
    let mut faults = Vec::new();
    for key in members.keys().filter(|key| *key != "attribute_permissions") {
        if !TABLE_FLAGS.contains(&key.as_str()) {
            faults.push(format!("Invalid table permission key value '{key}'"));
        }
    }
    for flag in TABLE_FLAGS {
        let label = flag.to_uppercase();
        match members.get(flag) {
            None | Some(Value::Null) if fault!("role-flags-optional") => {}
            None | Some(Value::Null) => faults.push(format!("Missing table {label} permission")),
            Some(Value::Bool(_)) => {}
            Some(_) => faults.push(format!("Table {label} permission must be a boolean")),
        }
    }
    match members.get("attribute_permissions") {
        None => faults.push("Missing 'attribute_permissions' array".to_owned()),
        Some(Value::Null) => {}
        Some(Value::Array(entries)) => {
            check_attribute_entries(&mut faults, members, entries, shape, (database, table));
        }
        Some(_) => faults.push("Value for 'attribute_permissions' must be an array".to_owned()),
    }
    faults.into_iter().map(Value::String).collect()
}

fn check_attribute_entries(
    faults: &mut Vec<String>,
    flags_of_table: &Object,
    entries: &[Value],
    shape: &dyn TableShape,
    (database, table): (&str, &str),
) {
    let nothing = Object::new();
    let mut conflict = false;
    for entry in entries.iter().map(|entry| entry.as_object().unwrap_or(&nothing)) {
        for key in entry.keys() {
            // `delete` is tolerated: it means nothing on an attribute.
            if !ATTRIBUTE_FLAGS.contains(&key.as_str()) && key != "attribute_name" && key != "delete" {
                faults.push(format!("Invalid attribute permission key value '{key}'"));
            }
        }
        let name = match entry.get("attribute_name") {
            Some(name) if !name.is_falsy() => as_name(name),
            _ => {
                faults.push(
                    "Permission object in 'attribute_permission' missing an 'attribute_name'".to_owned(),
                );
                continue;
            }
        };
        if !shape.has_attribute(&name) {
            faults.push(format!("Invalid attribute '{name}' in 'attribute_permissions'"));
            continue;
        }
        for flag in ATTRIBUTE_FLAGS {
            let label = flag.to_uppercase();
            match entry.get(flag) {
                None | Some(Value::Null) => {
                    faults.push(format!("{label} attribute permission missing for '{name}'"));
                }
                Some(Value::Bool(granted)) => {
                    conflict |= *granted && matches!(flags_of_table.get(flag), Some(Value::Bool(false)));
                }
                Some(_) => {
                    faults.push(format!("{label} attribute permission for '{name}' must be a boolean"))
                }
            }
        }
    }
    if conflict && !fault!("role-conflicts-taken") {
        faults.push(format!(
            "You have a conflict with TABLE permissions for '{database}.{table}' being false and ATTRIBUTE permissions being true"
        ));
    }
}

/// A value where a name is expected, as text.
fn as_name(value: &Value) -> String {
    match value {
        Value::String(name) => name.clone(),
        Value::Number(number) => number_text(*number),
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::sample::SampleSchema;
    use super::*;
    use crate::value::parse_json;

    fn check(kind: RoleRequest, request: &str) -> String {
        let schema = SampleSchema::new(&[
            ("shop", "jars", &["id", "lid", "ml", "__createdtime__"]),
            ("shop", "urns", &["id"]),
        ]);
        let request = parse_json(request.as_bytes()).unwrap();
        match check_role_request(kind, request.as_object().unwrap(), &schema) {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                let body = error.to_value();
                format!(
                    "{} {}",
                    body.get("main_permissions").unwrap().to_json(),
                    body.get("schema_permissions").unwrap().to_json()
                )
            }
        }
    }

    fn add(permission: &str) -> String {
        check(
            RoleRequest::Add,
            &format!(r#"{{"operation":"add_role","role":"r","permission":{permission}}}"#),
        )
    }

    fn table(flags: &str) -> String {
        add(&format!(r#"{{"shop":{{"tables":{{"jars":{flags}}}}}}}"#))
    }

    #[test]
    fn required_fields_and_their_forms() {
        assert_eq!(
            check(RoleRequest::Add, "{}"),
            r#"["Role can't be blank","Permission can't be blank"] {}"#
        );
        assert_eq!(
            check(RoleRequest::Alter, "{}"),
            r#"["Id can't be blank","Permission can't be blank"] {}"#
        );
        assert_eq!(
            check(RoleRequest::Add, r#"{"role":"bad role","id":12,"permission":null,"b":1,"a":2}"#),
            r#"["Invalid keys in JSON body - 'b', 'a'","Role is invalid","Id is invalid","Permission can't be blank"] {}"#
        );
        assert_eq!(
            check(RoleRequest::Alter, r#"{"id":"x","role":"","permission":{}}"#),
            r#"["Role is invalid"] {}"#
        );
        assert_eq!(check(RoleRequest::Alter, r#"{"id":"x-1_Y","permission":{}}"#), "ok");
    }

    #[test]
    fn what_is_accepted() {
        for permission in [
            "{}",
            r#"{"super_user":false}"#,
            r#"{"super_user":null}"#,
            r#"{"super_user":true}"#,
            r#"{"shop":{}}"#,
            r#"{"shop":{"tables":{}}}"#,
            r#"{"structure_user":[]}"#,
            r#"{"structure_user":["shop"]}"#,
        ] {
            assert_eq!(add(permission), "ok", "{permission}");
        }
        let open = r#"{"read":true,"insert":true,"update":true,"delete":true,"attribute_permissions":"#;
        assert_eq!(table(&format!("{open}null}}")), "ok");
        assert_eq!(
            table(&format!(
                r#"{open}[{{"attribute_name":"__createdtime__","read":true,"insert":false,"update":false,"delete":7}}]}}"#
            )),
            "ok"
        );
    }

    #[test]
    fn main_faults() {
        assert_eq!(add("5"), r#"["Permission must be an object"] {}"#);
        assert_eq!(
            add(r#"{"super_user":true,"gone":{}}"#),
            r#"["Roles with 'super_user' set to true cannot have other permissions set.","database 'gone' does not exist"] {}"#
        );
        assert_eq!(
            add(r#"{"super_user":"yes"}"#),
            r#"["Value for 'super_user' permission must be a boolean"] {}"#
        );
        assert_eq!(
            add(r#"{"structure_user":null}"#),
            r#"["Value for 'structure_user' permission must be a boolean or Array"] {}"#
        );
        assert_eq!(
            add(r#"{"structure_user":["no1",7,"shop"]}"#),
            r#"["database 'no1' does not exist","database '7' does not exist"] {}"#
        );
        assert_eq!(add(r#"{"shop":{"tables":{"ghost":{}}}}"#), r#"["Table 'shop.ghost' does not exist"] {}"#);
        assert!(add(r#"{"shop":null}"#).starts_with(r#"["Value for database"#));
    }

    #[test]
    fn table_faults() {
        assert_eq!(
            table("{}"),
            r#"[] {"shop_jars":["Missing table READ permission","Missing table INSERT permission","Missing table UPDATE permission","Missing table DELETE permission","Missing 'attribute_permissions' array"]}"#
        );
        assert_eq!(
            table(
                r#"{"describe":true,"read":"y","insert":null,"update":true,"delete":true,"attribute_permissions":{}}"#
            ),
            r#"[] {"shop_jars":["Invalid table permission key value 'describe'","Table READ permission must be a boolean","Missing table INSERT permission","Value for 'attribute_permissions' must be an array"]}"#
        );
    }

    #[test]
    fn attribute_faults() {
        assert_eq!(
            table(
                r#"{"read":false,"insert":true,"update":true,"delete":true,"attribute_permissions":[
                {"mask":1,"read":true},{"attribute_name":"ghost"},
                {"attribute_name":"lid","read":true,"insert":"x","update":null},
                {"attribute_name":"ml","read":true,"insert":true,"update":true}]}"#
            ),
            r#"[] {"shop_jars":["Invalid attribute permission key value 'mask'","Permission object in 'attribute_permission' missing an 'attribute_name'","Invalid attribute 'ghost' in 'attribute_permissions'","INSERT attribute permission for 'lid' must be a boolean","UPDATE attribute permission missing for 'lid'","You have a conflict with TABLE permissions for 'shop.jars' being false and ATTRIBUTE permissions being true"]}"#
        );
    }
}
