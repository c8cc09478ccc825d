//! The matrix as stories: one for each group of operations, with users of every kind.

use super::{Cell, Column, DATABASE, ELSEWHERE, GONE, Outcome, PASSWORD, Row, TABLE, name_is_open, rows};
use crate::runner::MATRIX;
use crate::scenario::{Compare, Expected, Level, Scenario, Step, User};
use indexmap::IndexMap;
use serde_json::{Value, json};

/// The statuses of requests that were let through: all but 401 and 403.
const LET_THROUGH: [u16; 5] = [400, 404, 409, 500, 501];

/// Which story tells of a category.
fn group_of(category: &str) -> &'static str {
    match category {
        "databases-tables" | "nosql" | "sql" | "bulk" => "data",
        "users-roles" | "authentication" | "certificates" => "users",
        "components" | "custom-functions" | "configuration" | "system" | "licensing" => "instance",
        _ => "observation",
    }
}

/// The stories of the matrix.
pub fn scenarios() -> Vec<Scenario> {
    let mut groups: IndexMap<&str, Vec<Row>> = IndexMap::new();
    for row in rows() {
        groups.entry(group_of(&row.operation.category)).or_default().push(row);
    }
    let restart = restart(groups.values().flatten());
    groups.into_iter().map(|(group, rows)| story(group, &rows)).chain([restart]).collect()
}

/// The kinds of callers that the story makes a user for.
fn made() -> impl Iterator<Item = (Column, Value)> {
    Column::ALL.into_iter().filter_map(|column| Some((column, column.permission()?)))
}

fn story(group: &str, rows: &[Row]) -> Scenario {
    let usernames = made().map(|(column, _)| column.username());
    let users = made().map(|(column, _)| {
        (column.name().to_owned(), User { username: column.username(), password: PASSWORD.to_owned() })
    });
    let cells = rows.iter().flat_map(|row| row.cells.iter().map(move |cell| (row, cell)));
    Scenario {
        operations: rows.iter().map(|row| row.operation.name.clone()).collect(),
        names: [DATABASE, ELSEWHERE, GONE].map(str::to_owned).into_iter().chain(usernames).collect(),
        users: users.collect(),
        setup: setup(),
        steps: cells.filter(|(_, cell)| !cell.restarts).map(|(row, cell)| step(row, cell)).collect(),
        teardown: teardown(),
        ..Scenario::new(format!("{MATRIX}/{group}"), format!("who may call what: {group}"))
    }
}

/// What restarts the target, and time for it to come back.
fn restart<'r>(rows: impl Iterator<Item = &'r Row>) -> Scenario {
    const SECONDS: f64 = 20.0;
    let cells =
        rows.flat_map(|row| row.cells.iter().filter(|cell| cell.restarts).map(move |cell| (row, cell)));
    let (operations, steps): (Vec<_>, Vec<_>) = cells
        .map(|(row, cell)| {
            (row.operation.name.clone(), [step(row, cell), Step { sleep: Some(SECONDS), ..Step::default() }])
        })
        .unzip();
    Scenario {
        operations,
        disruptive: true,
        steps: steps.into_iter().flatten().collect(),
        ..Scenario::new(format!("{MATRIX}/restart"), "who may restart the target")
    }
}

fn setup() -> Vec<Step> {
    let mut steps = vec![
        Step::running(
            json!({"operation": "create_table", "database": DATABASE, "table": TABLE, "primary_key": "id"}),
        ),
        Step::running(
            json!({"operation": "create_table", "database": ELSEWHERE, "table": TABLE, "primary_key": "id"}),
        ),
        Step::running(json!({"operation": "insert", "database": DATABASE, "table": TABLE,
            "records": [{"id": 1, "name": "sample", "note": "hidden"}]})),
    ];
    for (column, permission) in made() {
        let username = column.username();
        let active = !matches!(column, Column::Inactive | Column::RoleGone);
        let role = json!({"operation": "add_role", "role": username, "permission": permission});
        let user = json!({"operation": "add_user", "username": username, "password": PASSWORD, "role": username,
            "active": active});
        // Products that know no cluster users refuse to make the role.
        let may_fail = column == Column::ClusterUser;
        steps.extend([role, user].map(|request| Step { may_fail, ..Step::running(request) }));
        if column == Column::RoleGone {
            steps.push(Step::running(json!({"operation": "drop_role", "id": username})));
            steps.push(Step::running(
                json!({"operation": "alter_user", "username": username, "active": true}),
            ));
        }
    }
    steps
}

fn teardown() -> Vec<Step> {
    let users = made().map(|(column, _)| json!({"operation": "drop_user", "username": column.username()}));
    let roles = made().map(|(column, _)| json!({"operation": "drop_role", "id": column.username()}));
    let databases = [DATABASE, ELSEWHERE].map(|name| json!({"operation": "drop_database", "database": name}));
    users.chain(roles).chain(databases).map(Step::running).collect()
}

fn step(row: &Row, cell: &Cell) -> Step {
    let operation = row.operation;
    let (status, body) = match &cell.outcome {
        Outcome::Allowed => (200, None),
        Outcome::Unknown(text) => (401, Some(json!({"error": text}))),
        Outcome::Refused { body, .. } => (403, Some(body.clone())),
    };
    let allowed = cell.outcome == Outcome::Allowed;
    let mut or_status = if allowed { LET_THROUGH.to_vec() } else { Vec::new() };
    if cell.column == Column::ClusterUser {
        // There may be no such user.
        or_status.push(401);
    }
    let ignore = match name_is_open(operation) && cell.outcome.to_string() == "403 super_user" {
        true => vec!["/unauthorized_access/0".to_owned()],
        false => Vec::new(),
    };
    let note = (!ignore.is_empty()).then(|| "the name in the refusal is not fixed".to_owned());
    Step {
        id: Some(format!("{}-as-{}", operation.name, cell.column.name())),
        name: Some(format!("{} as {}: {}", operation.name, cell.column.name(), cell.outcome)),
        who: Some(match cell.column {
            Column::SuperUser => "admin".to_owned(),
            Column::Nobody => "nobody".to_owned(),
            other => other.name().to_owned(),
        }),
        request: Some(cell.request.clone()),
        response: Some(Expected {
            or_status,
            // A refusal of the header may come without a type.
            content_type: (body.is_some() && cell.column != Column::Inactive)
                .then(|| "application/json".to_owned()),
            body: body.clone(),
            ..Expected::status(status)
        }),
        compare: Compare { status_only: body.is_none(), ignore, ..Compare::default() },
        requirements: cell.requirements.clone(),
        level: Level::Must,
        note,
        ..Step::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::check_scenario;
    use std::collections::HashSet;

    #[test]
    fn every_cell_is_a_check() {
        let stories = scenarios();
        let mut ids = HashSet::new();
        for story in &stories {
            check_scenario(story).unwrap_or_else(|problem| panic!("{}: {problem}", story.id));
            ids.extend(story.steps.iter().filter_map(|step| step.id.clone()));
        }
        assert_eq!(ids.len(), rows().iter().flat_map(|row| &row.cells).count());
    }
}
