//! custom_functions_status, get_custom_functions and drop_custom_function_project.

use super::NO_PROJECT;
use crate::components::{FunctionKind, apart, name_in};
use crate::operations::existence::{Existence, joined};
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Object, Value, object, order_members};

pub(super) async fn custom_functions_status(call: Call) -> Outcome {
    Ok(Reply::Value(object([
        ("port", call.server.config.http_port.map_or(Value::Null, |port| Value::from(f64::from(port)))),
        ("directory", Value::from(call.server.components.folder().display().to_string())),
        ("is_enabled", Value::from(!fault!("functions-status-off"))),
    ])))
}

pub(super) async fn get_custom_functions(call: Call) -> Outcome {
    let components = call.server.components.clone();
    let projects = apart(move || {
        let mut projects = Object::new();
        for project in components.function_projects() {
            let functions = FunctionKind::ALL.map(|kind| {
                let names = components.functions(&project, kind).into_iter().map(Value::from);
                (kind.folder(), Value::Array(names.collect()))
            });
            projects.insert(project, object(functions));
        }
        order_members(&mut projects);
        projects
    })
    .await?;
    Ok(Reply::Value(Value::from(projects)))
}

pub(super) async fn drop_custom_function_project(call: Call) -> Outcome {
    let project =
        call.body.get("project").and_then(Value::as_str).map(name_in).unwrap_or_default().to_owned();
    let is_missing = !project.is_empty() && !call.server.components.exists(&project);
    joined(&call, &[Existence { field: "project", fault: is_missing.then_some(NO_PROJECT) }])?;
    let message = format!("Successfully deleted project: {project}");
    let components = call.server.components.clone();
    apart(move || components.remove(&project, None)).await??;
    Ok(Reply::Message(message))
}
