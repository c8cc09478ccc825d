//! add_component and deploy_component, also under their names as custom functions.

use super::{optional, text};
use crate::components::{
    Install, Source, apart, base64_bytes, is_core_section, is_project_name, name_in, project_of,
};
use crate::error::OperationError;
use crate::operations::existence::{Existence, joined};
use crate::operations::replicated::wanted_nodes;
use crate::operations::{Call, Outcome, Reply};
use crate::system::{job, rolling};
use crate::value::{Value, object};

const ADDING_FAILED: &str = "Error adding custom function project, check the log for more details";
const BAD_NAME: &str = "Project name can only contain alphanumeric, dash and underscores characters";

pub(in crate::operations) async fn add_component(call: Call) -> Outcome {
    let project = name_in(&text(&call, "project")).to_owned();
    let is_taken = !project.is_empty() && call.server.components.exists(&project);
    joined(&call, &[Existence { field: "project", fault: is_taken.then_some("Project already exists") }])?;
    let (template, install) = (optional(&call, "template"), install_options(&call));
    let components = call.server.components.clone();
    let added = project.clone();
    let outcome = apart(move || components.add(&added, template.as_deref(), &install)).await?;
    match outcome {
        Ok(()) => Ok(Reply::Message(format!("Successfully added project: {project}"))),
        Err(error) => {
            let cause = error.cause.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::error!(project, error = %error.message, cause, "cannot add a project");
            Err(OperationError::fault(ADDING_FAILED))
        }
    }
}

pub(in crate::operations) async fn deploy_component(call: Call) -> Outcome {
    let project = project(&call)?;
    let source = source(&call)?;
    if matches!(source, Source::Package(_)) && is_core_section(&project) {
        let text = format!("'{project}' is a section of the server's own configuration, no component's");
        return Err(OperationError::invalid(text));
    }
    let (restart, install) = (Restart::of(&call), install_options(&call));
    let components = call.server.components.clone();
    let deployed = project.clone();
    apart(move || components.deploy(&deployed, &source, &install)).await??;
    restart.answer(&call, &project).await
}

/// The project to deploy: the one named, or the one that the package stands for.
fn project(call: &Call) -> Result<String, OperationError> {
    let project = match optional(call, "project") {
        Some(project) => name_in(&project).to_owned(),
        None => project_of(&text(call, "package")),
    };
    if is_project_name(&project) { Ok(project) } else { Err(OperationError::invalid(BAD_NAME)) }
}

fn source(call: &Call) -> Result<Source, OperationError> {
    let payload = optional(call, "payload").filter(|payload| !payload.is_empty());
    match (payload, optional(call, "package")) {
        (None, None) => Err(OperationError::fault("Either payload or package must be provided")),
        (Some(_), Some(_)) => Err(OperationError::fault("Both payload and package cannot be provided")),
        (Some(payload), None) => Ok(Source::Archive(base64_bytes(&payload))),
        (None, Some(package)) => Ok(Source::Package(package)),
    }
}

fn install_options(call: &Call) -> Install {
    let timeout = match call.body.get("install_timeout") {
        Some(Value::Number(number)) => Some(*number),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    Install { command: optional(call, "install_command"), timeout: timeout.filter(|time| time.is_finite()) }
}

/// What is to be restarted once the component is there.
#[derive(Clone, Copy)]
enum Restart {
    Nothing,
    Workers,
    Rolling,
}

impl Restart {
    fn of(call: &Call) -> Restart {
        match call.body.get("restart") {
            Some(Value::Bool(true)) => Restart::Workers,
            Some(Value::String(text)) if text == "rolling" => Restart::Rolling,
            _ => Restart::Nothing,
        }
    }

    async fn answer(self, call: &Call, project: &str) -> Outcome {
        let deployed = format!("Successfully deployed: {project}");
        let restarting = format!("{deployed}, restarting HarperDB");
        match self {
            Restart::Nothing => Ok(Reply::Message(deployed)),
            Restart::Workers => {
                call.server.restarts.wish(None);
                Ok(Reply::Message(restarting))
            }
            Restart::Rolling => Ok(Reply::Value(object([
                ("message", Value::from(restarting)),
                ("restartJobId", restart_job(call).await?),
            ]))),
        }
    }
}

/// Begins a job as the operation `restart_service` does, and tells its id.
async fn restart_job(call: &Call) -> Result<Value, OperationError> {
    let Some(operation) = spec::registry().operation("restart_service") else {
        return Err(OperationError::internal(anyhow::anyhow!("the contract has no restart_service")));
    };
    const SERVICE: &str = "http";
    let body = [("operation", Value::from("restart_service")), ("service", Value::from(SERVICE))];
    let body = body.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
    let nodes = wanted_nodes(call);
    let (server, caller) = (call.server.clone(), call.caller.clone());
    let id = job::begin(&Call { server, caller, operation, body, fault: None, form: call.form }).await?;
    rolling::restart(&call.server, nodes, SERVICE, &id);
    Ok(Value::from(id))
}
