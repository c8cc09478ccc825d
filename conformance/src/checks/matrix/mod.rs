//! Who may call what: every operation by every kind of role, generated from the schemas.
//!
//! A cell says how a request must be answered. The requests are such that nothing comes of them where they are
//! allowed: they lack something, name what does not exist, or touch only what the story made. Where they are refused
//! that is no matter, since permission is looked at first.

mod expected;
mod requests;
mod stories;

pub use stories::scenarios;

use serde_json::{Value, json};
use spec::{AccessRole, Operation};
use std::fmt;

/// The names that the generated requests use; each run puts its own in their place.
const DATABASE: &str = "matrix_data";
const ELSEWHERE: &str = "matrix_elsewhere";
const GONE: &str = "matrix_gone";
const TABLE: &str = "sample";
/// The attribute that restricted roles may not see.
const HIDDEN: &str = "note";
const PASSWORD: &str = "pw-matrix-1";

/// Kinds of callers: the columns of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// No credentials.
    Nobody,
    /// Right credentials of an inactive user.
    Inactive,
    /// A user whose role was dropped.
    RoleGone,
    /// A role without any permission.
    NoPermissions,
    /// A role that is `cluster_user`, where the product still takes such roles.
    ClusterUser,
    /// Read permission on the table.
    Reader,
    /// All permissions on the table.
    Table,
    /// All permissions on the table, but not on every attribute; the request uses one of the others.
    Attribute,
    /// `structure_user: true`.
    StructureAll,
    /// `structure_user` with the request's database.
    StructureHere,
    /// `structure_user` with another database.
    StructureElsewhere,
    /// `super_user: true`.
    SuperUser,
}

impl Column {
    /// All columns, in the order they are shown.
    pub const ALL: [Column; 12] = [
        Column::Nobody,
        Column::Inactive,
        Column::RoleGone,
        Column::NoPermissions,
        Column::ClusterUser,
        Column::Reader,
        Column::Table,
        Column::Attribute,
        Column::StructureAll,
        Column::StructureHere,
        Column::StructureElsewhere,
        Column::SuperUser,
    ];

    /// A short name, which ids of checks hold too.
    pub fn name(self) -> &'static str {
        match self {
            Column::Nobody => "nobody",
            Column::Inactive => "inactive",
            Column::RoleGone => "role-gone",
            Column::NoPermissions => "no-permissions",
            Column::ClusterUser => "cluster-user",
            Column::Reader => "reader",
            Column::Table => "table",
            Column::Attribute => "attribute",
            Column::StructureAll => "structure-all",
            Column::StructureHere => "structure-here",
            Column::StructureElsewhere => "structure-elsewhere",
            Column::SuperUser => "super-user",
        }
    }

    /// The name of the story's user of this kind.
    fn username(self) -> String {
        format!("matrix_{}", self.name().replace('-', "_"))
    }

    /// What the role of this kind says; `None` for those that have no role of their own.
    fn permission(self) -> Option<Value> {
        let flags = |all: bool, attributes: Value| json!({"read": true, "insert": all, "update": all, "delete": all, "attribute_permissions": attributes});
        let on_table = |rights: Value| json!({DATABASE: {"tables": {TABLE: rights}}});
        let attribute = |name: &str, open: bool| json!({"attribute_name": name, "read": open, "insert": open, "update": open});
        match self {
            Column::Nobody | Column::SuperUser => None,
            Column::Inactive | Column::RoleGone | Column::NoPermissions => Some(json!({})),
            Column::ClusterUser => Some(json!({"cluster_user": true})),
            Column::Reader => Some(on_table(flags(false, json!([])))),
            Column::Table => Some(on_table(flags(true, json!([])))),
            Column::Attribute => {
                Some(on_table(flags(true, json!([attribute("name", true), attribute(HIDDEN, false)]))))
            }
            Column::StructureAll => Some(json!({"structure_user": true})),
            Column::StructureHere => Some(json!({"structure_user": [DATABASE]})),
            Column::StructureElsewhere => Some(json!({"structure_user": [ELSEWHERE]})),
        }
    }
}

/// How a request must be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It gets past authentication and authorization, whatever comes then.
    Allowed,
    /// 401 with this text.
    Unknown(&'static str),
    /// 403 with this body.
    Refused {
        /// In a word.
        why: &'static str,
        /// The body.
        body: Value,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Allowed => f.write_str("allowed"),
            Outcome::Unknown("Must login") => f.write_str("401 login"),
            Outcome::Unknown(_) => f.write_str("401 inactive"),
            Outcome::Refused { why, .. } => write!(f, "403 {why}"),
        }
    }
}

/// One operation for one kind of caller.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The kind of caller.
    pub column: Column,
    /// How the request must be answered.
    pub outcome: Outcome,
    /// The request.
    pub request: Value,
    /// True when being allowed restarts the target, which no request avoids: such cells are a story of their own.
    pub restarts: bool,
    /// The requirements it bears on.
    pub requirements: Vec<String>,
}

/// One operation for all kinds of callers.
#[derive(Clone, Debug)]
pub struct Row {
    /// The operation.
    pub operation: &'static Operation,
    /// A cell for every column, in their order.
    pub cells: Vec<Cell>,
}

/// Allowed to those who may, nothing keeps these from restarting the target.
const RESTARTING: [&str; 1] = ["restart"];

/// The whole matrix, a row for each operation.
pub fn rows() -> Vec<Row> {
    spec::registry().operations().iter().copied().map(row).collect()
}

fn row(operation: &'static Operation) -> Row {
    let cell = |column: Column| {
        let outcome = expected::outcome(operation, column);
        let restarts = RESTARTING.contains(&operation.name.as_str()) && outcome == Outcome::Allowed;
        Cell {
            column,
            request: requests::request(operation, column),
            requirements: expected::requirements(operation, column, &outcome),
            restarts,
            outcome,
        }
    };
    Row { operation, cells: Column::ALL.map(cell).to_vec() }
}

/// Whether the name in the refusal is not part of the contract.
fn name_is_open(operation: &Operation) -> bool {
    operation.access.note.as_deref().is_some_and(|note| note.contains("name in the refusal is not fixed"))
}

/// Whether an operation works on the records of one table.
fn is_about_records(operation: &Operation) -> bool {
    matches!(operation.access.role, AccessRole::Table | AccessRole::Sql)
}

/// The matrix as a table to read.
pub fn to_text() -> String {
    let rows = rows();
    let heads: Vec<String> = std::iter::once("operation".to_owned())
        .chain(Column::ALL.iter().map(|column| column.name().to_owned()))
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.cells.iter().map(|cell| {
            let mark = if cell.restarts { " *" } else { "" };
            format!("{}{mark}", cell.outcome)
        });
        std::iter::once(row.operation.name.clone()).chain(cells).collect::<Vec<_>>()
    });
    let table: Vec<Vec<String>> = std::iter::once(heads).chain(lines).collect();
    let width = |at: usize| table.iter().filter_map(|line| line.get(at)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=Column::ALL.len()).map(width).collect();
    let mut text = String::new();
    for line in &table {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text.push_str(LEGEND);
    text
}

const LEGEND: &str = "
allowed         the request gets past authentication and authorization
401 login       Must login
401 inactive    Cannot complete request: User is inactive
403 no role     User {name} has no role or permissions.
403 super_user  Operation '{function}' is restricted to 'super_user' roles
403 structure   User does not have access to perform '{operation}' against schema '{database}'
403 database    database '{database}' does not exist
403 table       Table '{database}.{table}' does not exist
403 rights      required_table_permissions names what the role lacks
403 attribute   Attribute '{attribute}' does not exist on '{database}.{table}'
*               tried only where the target may be restarted (--with fresh)
A cluster_user that the product refuses to make counts as refused everywhere.
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_cell_is_empty() {
        let rows = rows();
        assert_eq!(rows.len(), spec::registry().operations().len());
        for row in &rows {
            let columns: HashSet<Column> = row.cells.iter().map(|cell| cell.column).collect();
            assert_eq!(columns.len(), Column::ALL.len(), "{}", row.operation.name);
            for cell in &row.cells {
                let place = format!("{} {}", row.operation.name, cell.column.name());
                assert_eq!(cell.request["operation"], row.operation.name, "{place}");
                assert!(!cell.requirements.is_empty(), "{place} cites nothing");
                for id in &cell.requirements {
                    assert!(spec::registry().requirement(id).is_some(), "{place} cites {id}");
                }
            }
        }
        let restarting = rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.restarts).count();
        assert_eq!(restarting, 1);
    }

    #[test]
    fn the_table_can_be_read() {
        let text = to_text();
        let line =
            |name: &str| text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_default();
        assert_eq!(text.lines().count(), 1 + spec::registry().operations().len() + LEGEND.lines().count());
        for (name, cells) in [
            (
                "login",
                "allowed 401_inactive allowed allowed allowed allowed allowed allowed allowed allowed allowed allowed",
            ),
            (
                "insert",
                "401_login 401_inactive 403_no_role 403_database 403_database 403_rights allowed 403_attribute allowed allowed 403_database allowed",
            ),
            (
                "drop_table",
                "401_login 401_inactive 403_no_role 403_super_user 403_super_user 403_super_user 403_super_user 403_super_user allowed allowed 403_structure allowed",
            ),
            (
                "drop_database",
                "401_login 401_inactive 403_no_role 403_super_user 403_super_user 403_super_user 403_super_user 403_super_user allowed 403_super_user 403_super_user allowed",
            ),
        ] {
            let shown: Vec<String> = line(name)
                .split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .skip(1)
                .map(|cell| cell.replace(' ', "_"))
                .collect();
            assert_eq!(shown.join(" "), cells, "{name}");
        }
    }
}
