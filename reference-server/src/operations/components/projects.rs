//! get_components, package_component and drop_component.

use super::{flag, optional, text};
use crate::components::{apart, is_project_name, name_in};
use crate::error::OperationError;
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Value, object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) async fn get_components(call: Call) -> Outcome {
    let components = call.server.components.clone();
    Ok(Reply::Value(apart(move || components.tree()).await?))
}

pub(in crate::operations) async fn package_component(call: Call) -> Outcome {
    let project = name_in(&text(&call, "project")).to_owned();
    let (no_modules, no_links) = (flag(&call, "skip_node_modules"), flag(&call, "skip_symlinks"));
    let components = call.server.components.clone();
    let packed = project.clone();
    let payload = apart(move || -> Result<String, OperationError> {
        Ok(STANDARD.encode(components.package(&packed, no_modules, no_links)?))
    })
    .await??;
    Ok(Reply::Value(object([
        (if fault!("package-without-project") { "name" } else { "project" }, Value::from(project)),
        ("payload", Value::from(payload)),
    ])))
}

pub(super) async fn drop_component(call: Call) -> Outcome {
    let (project, file) = (text(&call, "project"), optional(&call, "file"));
    if !is_project_name(&project) {
        return Err(OperationError::invalid("Invalid file path"));
    }
    let restarts = call.body.get("restart") == Some(&Value::Bool(true));
    let components = call.server.components.clone();
    let dropped = apart(move || components.drop_component(&project, file.as_deref())).await??;
    if restarts {
        call.server.restarts.wish(None);
    }
    let restarting = if restarts { ", restarting HarperDB" } else { "" };
    Ok(Reply::Message(format!(
        "{} dropped: {dropped}{restarting}",
        if fault!("component-not-dropped") { "Successful" } else { "Successfully" }
    )))
}
