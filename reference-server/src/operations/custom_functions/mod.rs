//! Custom functions: the deprecated operations on the folders that are now components.

mod functions;
mod projects;
#[cfg(test)]
mod tests;

use super::{Handler, components};

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("custom_functions_status", |call| Box::pin(projects::custom_functions_status(call))),
    ("get_custom_functions", |call| Box::pin(projects::get_custom_functions(call))),
    ("get_custom_function", |call| Box::pin(functions::get_custom_function(call))),
    ("set_custom_function", |call| Box::pin(functions::set_custom_function(call))),
    ("drop_custom_function", |call| Box::pin(functions::drop_custom_function(call))),
    ("add_custom_function_project", |call| Box::pin(components::add_component(call))),
    ("drop_custom_function_project", |call| Box::pin(projects::drop_custom_function_project(call))),
    ("package_custom_function_project", |call| Box::pin(components::package_component(call))),
    ("deploy_custom_function_project", |call| Box::pin(components::deploy_component(call))),
];

/// What is told of a project that is not there.
const NO_PROJECT: &str = "Project does not exist. Create one using 'add_custom_function_project'";
