//! What the three searches share: the attributes asked for, paging, and where the work is done.

use crate::access;
use crate::error::{ErrorKind, OperationError};
use crate::operations::{Call, Reply, ReplyForm, Rows};
use crate::query::{Plan, Projection, RowWriter, Search, run};
use crate::store::{Database, Table, View};
use crate::value::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A search whose driver yields more records than this is taken off the threads that serve connections.
const SMALL: f64 = 200.0;

/// The attributes to show: `get_attributes`, or `None` for records as they are stored. Where a role may read only some
/// attributes, those stand in for `*` and for naming none.
pub(super) fn wanted_attributes(call: &Call, database: &Database, table: &Table) -> Option<Vec<Value>> {
    let wanted = call.body.get("get_attributes").and_then(Value::as_array);
    let is_star = |wanted: &Value| wanted.as_str() == Some("*");
    if wanted.is_some_and(|wanted| !wanted.iter().any(is_star)) {
        return wanted.map(<[Value]>::to_vec);
    }
    match (access::readable_attributes(&call.caller, database.name(), table), wanted) {
        (None, wanted) => wanted.map(<[Value]>::to_vec),
        (Some(_), wanted) if fault!("star-shows-all-to-everybody") => wanted.map(<[Value]>::to_vec),
        (Some(readable), _) => Some(readable.into_iter().map(Value::String).collect()),
    }
}

/// Fails with `unknown attribute '…'` when a name is not an attribute of the table.
///
/// # Errors
/// The text with all unknown names, as `kind`.
pub(super) fn check_known(table: &Table, names: &[String], kind: ErrorKind) -> Result<(), OperationError> {
    let mut unknown: Vec<&str> = Vec::new();
    for name in names {
        if name != "*" && !fault!("unknown-attributes-pass") && table.attribute(name).is_none() {
            unknown.push(name);
        }
    }
    match unknown.split_last() {
        None => Ok(()),
        Some((last, [])) => Err(OperationError::new(kind, format!("unknown attribute '{last}'"))),
        Some((last, others)) => {
            let and = if fault!("unknown-joined-by-commas") { ", " } else { " and " };
            Err(OperationError::new(kind, format!("unknown attribute '{}{and}{last}'", others.join(", "))))
        }
    }
}

/// The names in `get_attributes`.
pub(super) fn names_in(wanted: &[Value]) -> Vec<String> {
    wanted
        .iter()
        .filter_map(|wanted| match wanted {
            Value::String(name) => Some(name.clone()),
            Value::Number(number) => Some(crate::value::number_text(*number)),
            Value::Object(part) => part.get("name").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// The projection of an answer: the attributes asked for, or records as they are stored.
pub(super) fn projection(table: &Table, wanted: Option<&[Value]>) -> Projection {
    wanted.map_or_else(Projection::stored, |wanted| Projection::new(table, wanted))
}

/// A non-negative whole number of a request, given as a number or a numeric string.
pub(super) fn count_in(call: &Call, field: &str) -> Option<usize> {
    if fault!("limit-ignored") && field == "limit" {
        return None;
    }
    let number = match call.body.get(field)? {
        Value::Number(number) => *number,
        Value::String(text) if !fault!("limit-text-ignored") => text.trim().parse().ok()?,
        _ => return None,
    };
    let number = if fault!("offset-ignored") && field == "offset" { 0.0 } else { number };
    (number >= 0.0).then_some(number as usize)
}

/// A search that is ready to be run.
pub(super) struct Prepared {
    pub(super) database: Arc<Database>,
    pub(super) search: Search,
    pub(super) projection: Projection,
}

/// Runs a search and answers its rows.
///
/// # Errors
/// Those of planning and of the store.
pub(super) async fn answer(
    database: Arc<Database>,
    search: Search,
    projection: Projection,
    form: ReplyForm,
    streamed: bool,
) -> Result<Reply, OperationError> {
    // A snapshot must not be held across a wait, so both ends of it are in one call.
    let projection = match small_rows(&database, &search, projection, form, streamed)? {
        Small::Rows(rows) => return Ok(Reply::Rows(rows)),
        Small::No(projection) => projection,
    };
    tokio::task::spawn_blocking(move || {
        let reader = database.read()?;
        let plan = Plan::new(&search, reader.view())?;
        rows(&search, &plan, reader.view(), projection, form, streamed).map(Reply::Rows)
    })
    .await
    .map_err(OperationError::internal)?
}

/// What came of trying a search at once.
enum Small {
    Rows(Rows),
    /// It is not small; here is the projection back.
    No(Projection),
}

fn small_rows(
    database: &Database,
    search: &Search,
    projection: Projection,
    form: ReplyForm,
    streamed: bool,
) -> Result<Small, OperationError> {
    let reader = database.read()?;
    let plan = Plan::new(search, reader.view())?;
    let page = match (&plan.sort, search.limit) {
        (None, Some(limit)) if plan.filters.is_empty() => (search.offset + limit) as f64,
        _ => f64::INFINITY,
    };
    if plan.estimate.min(page) > SMALL {
        return Ok(Small::No(projection));
    }
    rows(search, &plan, reader.view(), projection, form, streamed).map(Small::Rows)
}

fn rows(
    search: &Search,
    plan: &Plan,
    view: View<'_>,
    projection: Projection,
    form: ReplyForm,
    streamed: bool,
) -> Result<Rows, OperationError> {
    let mut writer = RowWriter::new(&search.table, projection, form);
    if let Some(text) = plan.key_fault() {
        if !streamed {
            return Err(OperationError::fault(text));
        }
        // The answer has begun by the time that the index is looked at.
        writer.push_error(&format!("Error: {text}"));
        return Ok(writer.finish(streamed));
    }
    run(search, plan, view, &mut |record| {
        writer.push(record);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(writer.finish(streamed))
}

#[cfg(test)]
mod tests {
    use crate::operations::testing::Instance;

    #[tokio::test]
    async fn a_restricted_role_never_sees_more_than_it_may_read() {
        let instance = Instance::new().await;
        instance.admin(r#"{"operation":"create_table","database":"d","table":"t","primary_key":"id"}"#).await;
        instance
            .admin(r#"{"operation":"insert","database":"d","table":"t","records":[{"id":1,"open":"o","hidden":"h"}]}"#)
            .await;
        instance
            .admin(
                r#"{"operation":"add_role","role":"r","permission":{"super_user":false,"d":{"tables":{"t":{
                "read":true,"insert":false,"update":false,"delete":false,"attribute_permissions":[
                {"attribute_name":"id","read":true,"insert":false,"update":false},
                {"attribute_name":"open","read":true,"insert":false,"update":false}]}}}}}"#,
            )
            .await;
        instance
            .admin(r#"{"operation":"add_user","role":"r","username":"u","password":"p","active":true}"#)
            .await;
        let expected = r#"[{"id":1,"open":"o"}]"#;
        for selection in
            ["", r#","get_attributes":["*"]"#, r#","get_attributes":["*","hidden"]"#, r#","select":["*"]"#]
        {
            for search in [
                r#""operation":"search_by_value","attribute":"id","value":"*""#,
                r#""operation":"search_by_conditions","conditions":[{"attribute":"id","value":1}]"#,
            ] {
                let request = format!(r#"{{{search},"database":"d","table":"t"{selection}}}"#);
                assert_eq!(instance.as_user("u", &request).await, expected, "{request}");
            }
        }
        let named = r#"{"operation":"search_by_value","database":"d","table":"t","attribute":"id","value":"*","get_attributes":["id","*"]}"#;
        assert!(!instance.as_user("u", named).await.contains("\"h\""));
    }
}
