//! The sections of components in the instance's configuration file: `PROJECT: {package: …, install: {…}}`.

use super::deploy::{Install, Source};
use super::files::remove;
use super::paths::shown;
use super::{Components, is_project_name};
use crate::config::{Backup, ConfigError};
use crate::error::OperationError;
use crate::value::{Object, Value};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::Arc;

/// The sections that are the server's own and never a component's.
const CORE: [&str; 19] = [
    "analytics",
    "authentication",
    "clustering",
    "componentsRoot",
    "customFunctions",
    "databases",
    "http",
    "ignoreScripts",
    "license",
    "localStudio",
    "logging",
    "mqtt",
    "node",
    "operationsApi",
    "replication",
    "rootPath",
    "storage",
    "threads",
    "tls",
];

/// Whether a section of that name is the server's own.
pub fn is_core_section(name: &str) -> bool {
    CORE.contains(&name)
}

/// The package of a section.
fn source_in(section: &Value) -> Option<Source> {
    Some(Source::Package(section.get("package")?.as_str()?.to_owned()))
}

/// The options for installing in a section.
fn install_in(section: &Value) -> Install {
    let option = |name: &str| section.get("install").and_then(|options| options.get(name));
    Install {
        command: option("command").and_then(Value::as_str).map(str::to_owned),
        timeout: option("timeout").and_then(Value::as_number),
    }
}

impl Components {
    /// The package references in the configuration, by project.
    pub(super) fn configured(&self) -> HashMap<String, String> {
        let document = self.config_file.read().unwrap_or_default();
        let packages = document
            .tree()
            .iter()
            .filter_map(|(name, section)| Some((name.clone(), section.get("package")?.as_str()?.to_owned())));
        packages.collect()
    }

    /// Fetches the packages of the configuration whose projects are not there, as a start does. Goes on by itself;
    /// what cannot be had is logged.
    ///
    /// # Errors
    /// When no thread can be made for it.
    pub fn restore(self: &Arc<Self>) -> io::Result<()> {
        let document = self.config_file.read().unwrap_or_default();
        let missing: Vec<(String, Source, Install)> = document
            .tree()
            .iter()
            .filter(|(project, _)| is_project_name(project) && !is_core_section(project))
            .filter(|(project, _)| !self.place(project).exists())
            .filter_map(|(project, section)| {
                Some((project.clone(), source_in(section)?, install_in(section)))
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let components = self.clone();
        let fetch = move || {
            for (project, source, install) in missing {
                if let Err(error) = components.deploy(&project, &source, &install) {
                    tracing::error!(project, error = %error.message, "cannot fetch a component's package");
                }
            }
        };
        std::thread::Builder::new().name("component".to_owned()).spawn(fetch).map(drop)
    }

    /// Writes a project's section into the configuration file.
    pub(super) fn write_section(
        &self,
        project: &str,
        package: &str,
        install: &Install,
    ) -> Result<(), OperationError> {
        let mut section = Object::new();
        section.insert("package".to_owned(), Value::from(package));
        let command = install.command.as_deref().map(|command| ("command".to_owned(), Value::from(command)));
        let timeout = install.timeout.map(|timeout| ("timeout".to_owned(), Value::from(timeout)));
        let options: Object = command.into_iter().chain(timeout).collect();
        if !options.is_empty() {
            section.insert("install".to_owned(), Value::from(options));
        }
        let changed = self.config_file.change(Backup::Drop, |document| -> Result<(), ConfigError> {
            document.set(&[project], Value::from(section));
            Ok(())
        });
        changed.map_err(OperationError::internal)
    }

    /// Removes a project's section from the configuration file, unless the section is the server's own.
    fn remove_section(&self, project: &str) -> Result<(), OperationError> {
        if is_core_section(project) {
            return Ok(());
        }
        let changed = self.config_file.change(Backup::Drop, |document| -> Result<(), ConfigError> {
            document.remove(&[project]);
            Ok(())
        });
        changed.map_err(OperationError::internal)
    }

    /// Drops a project, or one file or folder of it, and in either case the project's section of the configuration
    /// and what the instance installed for it. Tells what was dropped, as it is shown. Blocks.
    ///
    /// # Errors
    /// A path that leads out, or what the file system says.
    pub fn drop_component(&self, project: &str, file: Option<&str>) -> Result<String, OperationError> {
        self.remove(project, file)?;
        remove(&self.root.join("node_modules").join(project))?;
        self.forget_dependency(project)?;
        self.remove_section(project)?;
        Ok(file.map_or_else(|| project.to_owned(), |file| shown(project, file)))
    }

    /// Takes a project out of the dependencies in the instance's own `package.json`.
    fn forget_dependency(&self, project: &str) -> Result<(), OperationError> {
        let path = self.root.join("package.json");
        let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
        let Ok(mut package) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(()) };
        let dependencies = package.get_mut("dependencies").and_then(serde_json::Value::as_object_mut);
        if dependencies.and_then(|dependencies| dependencies.shift_remove(project)).is_some() {
            let text = serde_json::to_string_pretty(&package).map_err(OperationError::internal)?;
            fs::write(&path, text)?;
        }
        Ok(())
    }
}
