//! install_node_modules, which answers before npm is done.

use super::flag;
use crate::components::is_project_name;
use crate::operations::{Call, Outcome, Reply};
use crate::value::{Object, Value, object};

const WARNING: &str = "install_node_modules is deprecated. Dependencies are automatically installed on deploy, and install_node_modules can lead to inconsistent behavior";

pub(super) async fn install_node_modules(call: Call) -> Outcome {
    let projects = call.body.get("projects").and_then(Value::as_array).unwrap_or_default();
    let projects: Vec<String> = projects.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let nothing_yet = || object([("npm_output", Value::Null), ("npm_error", Value::Null)]);
    let mut answer: Object = projects.iter().map(|project| (project.clone(), nothing_yet())).collect();
    answer.insert("warning".to_owned(), Value::from(WARNING));
    if !flag(&call, "dry_run") {
        let components = call.server.components.clone();
        // Nobody waits for it: the answer says nothing of its outcome.
        std::thread::Builder::new().name("component".to_owned()).spawn(move || {
            for project in projects.iter().filter(|project| is_project_name(project)) {
                components.install_modules(project);
            }
        })?;
    }
    Ok(Reply::Value(Value::from(answer)))
}
