//! What each cell must be answered, from what the schemas say of access.

use super::{Column, DATABASE, HIDDEN, Outcome, TABLE, is_about_records};
use serde_json::{Value, json};
use spec::{AccessRole, Level, Operation, TablePermission};

const NOT_AUTHORIZED: &str =
    "This operation is not authorized due to role restrictions and/or invalid database items";
const INACTIVE: &str = "Cannot complete request: User is inactive";
const MUST_LOGIN: &str = "Must login";

/// How requirements say that only a super user is served.
const REFUSING: [&str; 2] = ["lacks super_user", "Another user than a super user MUST be refused"];

/// How the request of a kind of caller must be answered.
pub(super) fn outcome(operation: &Operation, column: Column) -> Outcome {
    let role = operation.access.role;
    match column {
        Column::Inactive => return Outcome::Unknown(INACTIVE),
        _ if role == AccessRole::None => return Outcome::Allowed,
        Column::Nobody => return Outcome::Unknown(MUST_LOGIN),
        Column::RoleGone => return no_role(column),
        Column::SuperUser => return Outcome::Allowed,
        _ => {}
    }
    match role {
        AccessRole::None | AccessRole::Any => Outcome::Allowed,
        AccessRole::SuperUser => super_user_only(operation),
        AccessRole::StructureUser if column == Column::StructureAll => Outcome::Allowed,
        AccessRole::StructureUser => super_user_only(operation),
        AccessRole::StructureUserDatabase => match column {
            Column::StructureAll | Column::StructureHere => Outcome::Allowed,
            Column::StructureElsewhere => other_database(operation),
            _ => super_user_only(operation),
        },
        AccessRole::Describe => describe(operation, column),
        AccessRole::Table | AccessRole::Sql => records(operation, column),
    }
}

fn describe(operation: &Operation, column: Column) -> Outcome {
    let blind = matches!(column, Column::NoPermissions | Column::ClusterUser | Column::StructureElsewhere);
    match operation.name.as_str() {
        "describe_database" if blind => hidden_database(),
        "describe_table" if blind => missing("table", format!("Table '{DATABASE}.{TABLE}' does not exist")),
        _ => Outcome::Allowed,
    }
}

fn records(operation: &Operation, column: Column) -> Outcome {
    match column {
        Column::StructureAll | Column::StructureHere | Column::Table => Outcome::Allowed,
        Column::StructureElsewhere if operation.name == "create_attribute" => other_database(operation),
        Column::Reader => {
            let lacking: Vec<&str> = needed(operation).into_iter().filter(|right| *right != "read").collect();
            if lacking.is_empty() { Outcome::Allowed } else { lacks(&lacking) }
        }
        // Attributes of loaded rows are looked at when they are known, in the job; deleting looks at none.
        Column::Attribute if operation.category == "bulk" || operation.name == "delete" => Outcome::Allowed,
        Column::Attribute => {
            missing("attribute", format!("Attribute '{HIDDEN}' does not exist on '{DATABASE}.{TABLE}'"))
        }
        _ => hidden_database(),
    }
}

/// The rights that the request of the matrix needs on its table.
fn needed(operation: &Operation) -> Vec<&'static str> {
    match operation.category.as_str() {
        // The statement is a SELECT, and the loads say `insert`.
        "sql" => vec!["read"],
        "bulk" => vec!["insert"],
        _ => operation
            .access
            .table_permissions
            .iter()
            .map(|permission| match permission {
                TablePermission::Read => "read",
                TablePermission::Insert => "insert",
                TablePermission::Update => "update",
                TablePermission::Delete => "delete",
            })
            .collect(),
    }
}

fn refused(why: &'static str, unauthorized: Vec<Value>, invalid: Vec<Value>) -> Outcome {
    let body = json!({
        "error": NOT_AUTHORIZED,
        "unauthorized_access": unauthorized,
        "invalid_schema_items": invalid,
    });
    Outcome::Refused { why, body }
}

fn missing(why: &'static str, text: String) -> Outcome {
    refused(why, Vec::new(), vec![json!(text)])
}

fn hidden_database() -> Outcome {
    missing("database", format!("database '{DATABASE}' does not exist"))
}

fn no_role(column: Column) -> Outcome {
    let username = column.username();
    let text = format!("User {username} has no role or permissions.  Please assign the user a valid role.");
    refused("no role", vec![json!(text)], Vec::new())
}

fn super_user_only(operation: &Operation) -> Outcome {
    let function = operation.internal_name.as_deref().unwrap_or(&operation.name);
    let text = format!("Operation '{function}' is restricted to 'super_user' roles");
    refused("super_user", vec![json!(text)], Vec::new())
}

fn other_database(operation: &Operation) -> Outcome {
    let name = &operation.name;
    let text = format!("User does not have access to perform '{name}' against schema '{DATABASE}'");
    refused("structure", vec![json!(text)], Vec::new())
}

fn lacks(rights: &[&str]) -> Outcome {
    let table = json!({
        "schema": DATABASE,
        "table": TABLE,
        "required_table_permissions": rights,
        "required_attribute_permissions": [],
    });
    refused("rights", vec![table], Vec::new())
}

/// What a cell bears on: the general requirement for its outcome, and the operation's own if it has one.
pub(super) fn requirements(operation: &Operation, column: Column, outcome: &Outcome) -> Vec<String> {
    let general: &[&str] = match (outcome, column) {
        (Outcome::Unknown(MUST_LOGIN), _) => &["HTTP-AUTH-002"],
        (Outcome::Unknown(_), _) => &["HTTP-AUTH-005"],
        (Outcome::Allowed, Column::SuperUser) => &["DB-PERM-002"],
        (Outcome::Allowed, Column::StructureAll | Column::StructureHere) if is_about_records(operation) => {
            &["DB-PERM-006"]
        }
        (Outcome::Allowed, Column::StructureAll) => &["DB-PERM-003"],
        (Outcome::Allowed, Column::StructureHere) => &["DB-PERM-004"],
        (Outcome::Allowed, _) => &["HTTP-ORDER-005"],
        (Outcome::Refused { why, .. }, _) => match *why {
            "no role" => &["USER-DROP-ROLE-005"],
            "structure" => &["DB-PERM-005", "DB-PERM-001"],
            "database" => &["DB-PERM-009", "DB-PERM-001"],
            "table" => &["DB-PERM-010", "DB-PERM-001"],
            "rights" => &["NOSQL-PERM-001", "NOSQL-PERM-002"],
            "attribute" => &["NOSQL-PERM-004", "NOSQL-PERM-007"],
            _ => &["DB-PERM-001", "DB-PERM-007"],
        },
    };
    let own = operation.requirements.iter().filter(|requirement| {
        let super_user = matches!(outcome, Outcome::Refused { why: "super_user", .. });
        let says_so = REFUSING.iter().any(|words| requirement.text.contains(words));
        super_user && requirement.level == Level::Must && says_so
    });
    general.iter().map(|id| (*id).to_owned()).chain(own.map(|own| own.id.clone())).collect()
}
