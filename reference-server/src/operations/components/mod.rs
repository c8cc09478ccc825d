//! Components: their files, archives and deployments, and the SSH keys for fetching them.

mod deploy;
mod files;
mod modules;
mod projects;
mod ssh_keys;
#[cfg(test)]
mod tests;

pub(super) use deploy::{add_component, deploy_component};
pub(super) use projects::package_component;

use super::{Call, Handler};
use crate::value::Value;

/// The handlers of this category.
pub const HANDLERS: &[(&str, Handler)] = &[
    ("add_component", |call| Box::pin(deploy::add_component(call))),
    ("deploy_component", |call| Box::pin(deploy::deploy_component(call))),
    ("package_component", |call| Box::pin(projects::package_component(call))),
    ("drop_component", |call| Box::pin(projects::drop_component(call))),
    ("get_components", |call| Box::pin(projects::get_components(call))),
    ("get_component_file", |call| Box::pin(files::get_component_file(call))),
    ("set_component_file", |call| Box::pin(files::set_component_file(call))),
    ("install_node_modules", |call| Box::pin(modules::install_node_modules(call))),
    ("add_ssh_key", |call| Box::pin(ssh_keys::add_ssh_key(call))),
    ("update_ssh_key", |call| Box::pin(ssh_keys::update_ssh_key(call))),
    ("delete_ssh_key", |call| Box::pin(ssh_keys::delete_ssh_key(call))),
    ("list_ssh_keys", |call| Box::pin(ssh_keys::list_ssh_keys(call))),
    ("set_ssh_known_hosts", |call| Box::pin(ssh_keys::set_ssh_known_hosts(call))),
    ("get_ssh_known_hosts", |call| Box::pin(ssh_keys::get_ssh_known_hosts(call))),
];

/// A field's text; empty when it is absent.
fn text(call: &Call, field: &str) -> String {
    optional(call, field).unwrap_or_default()
}

/// A field's text, when it is given.
fn optional(call: &Call, field: &str) -> Option<String> {
    call.body.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// A boolean field, which may also be the texts `true` and `false`.
fn flag(call: &Call, field: &str) -> bool {
    match call.body.get(field) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}
