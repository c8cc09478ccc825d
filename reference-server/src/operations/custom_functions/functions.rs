//! get_custom_function, set_custom_function and drop_custom_function.

use super::NO_PROJECT;
use crate::components::{Encoding, FunctionKind, apart, is_project_name, name_in};
use crate::error::OperationError;
use crate::operations::existence::{Existence, joined};
use crate::operations::{Call, Outcome, Reply};
use crate::value::Value;

const NO_FILE: &str = "File does not exist";
/// What the API says when a function cannot even be looked for.
const NOT_SOUGHT: &str = "Error validating request, check the log for more details";

pub(super) async fn get_custom_function(call: Call) -> Outcome {
    let (function, components) = (Function::existing(&call)?, call.server.components.clone());
    let read = apart(move || components.read_file(&function.project, &function.file())).await??;
    Ok(Reply::Message(Encoding::Utf8.text_of(&read.content)))
}

pub(super) async fn set_custom_function(call: Call) -> Outcome {
    joined(&call, &[project_existence(&call)])?;
    let (function, components) = (Function::of(&call)?, call.server.components.clone());
    let message = format!(
        "Successfully updated custom function: {}{}",
        function.name,
        if fault!("function-message-without-ending") { "" } else { ".js" }
    );
    let content = call.body.get("function_content").and_then(Value::as_str).unwrap_or_default().to_owned();
    apart(move || components.write_file(&function.project, &function.file(), Some(content.as_bytes())))
        .await??;
    Ok(Reply::Message(message))
}

pub(super) async fn drop_custom_function(call: Call) -> Outcome {
    let (function, components) = (Function::existing(&call)?, call.server.components.clone());
    let message = format!("Successfully deleted custom function: {}.js", function.name);
    if !fault!("function-not-dropped") {
        apart(move || components.remove(&function.project, Some(&function.file()))).await??;
    }
    Ok(Reply::Message(message))
}

/// The function a request is about.
struct Function {
    project: String,
    kind: FunctionKind,
    name: String,
}

impl Function {
    /// The function of a request whose fields have been checked.
    fn of(call: &Call) -> Result<Function, OperationError> {
        let name = name_of(call, "file").unwrap_or_default();
        let project = name_of(call, "project").unwrap_or_default();
        let kind = call.body.get("type").and_then(Value::as_str).and_then(FunctionKind::named);
        match kind {
            Some(kind) if is_project_name(&project) && !name.is_empty() && !name.contains("..") => {
                Ok(Function { project, kind, name })
            }
            _ => Err(OperationError::invalid("Invalid file path")),
        }
    }

    /// The function of a request, which must be there.
    fn existing(call: &Call) -> Result<Function, OperationError> {
        joined(call, &[project_existence(call), file_existence(call)])?;
        Function::of(call)
    }

    fn file(&self) -> String {
        self.kind.file(&self.name)
    }
}

fn project_existence(call: &Call) -> Existence {
    let project = name_of(call, "project").filter(|project| !project.is_empty());
    let is_missing = project.is_some_and(|project| !call.server.components.exists(&project));
    Existence { field: "project", fault: is_missing.then_some(NO_PROJECT) }
}

fn file_existence(call: &Call) -> Existence {
    let fault = match name_of(call, "file").filter(|name| !name.is_empty()) {
        None => None,
        Some(_) if name_of(call, "project").is_none() || name_of(call, "type").is_none() => Some(NOT_SOUGHT),
        Some(name) => {
            let project = name_of(call, "project").unwrap_or_default();
            let kind = call.body.get("type").and_then(Value::as_str).and_then(FunctionKind::named);
            let found = is_project_name(&project)
                && kind.is_some_and(|kind| call.server.components.function_exists(&project, kind, &name));
            (!found).then_some(NO_FILE)
        }
    };
    Existence { field: "file", fault }
}

/// The name that counts in a field, when it is text.
fn name_of(call: &Call, field: &str) -> Option<String> {
    call.body.get(field).and_then(Value::as_str).map(|path| name_in(path).to_owned())
}
