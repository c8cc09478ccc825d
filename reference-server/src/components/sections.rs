//! The sections of components in the instance's configuration file: `PROJECT: {package: …, install: {…}}`.

use super::Components;
use super::deploy::Install;
use super::files::remove;
use super::paths::shown;
use super::section_text::{with_section, without_section};
use crate::config::FILE_NAME;
use crate::error::OperationError;
use std::collections::HashMap;
use std::fs;
use std::io;
use yaml_serde::Value as Yaml;

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

impl Components {
    /// The package references in the configuration, by project.
    pub(super) fn configured(&self) -> HashMap<String, String> {
        let path = self.root.join(FILE_NAME);
        let text = fs::read_to_string(path).unwrap_or_default();
        let Ok(Yaml::Mapping(sections)) = yaml_serde::from_str::<Yaml>(&text) else { return HashMap::new() };
        let packages = sections.iter().filter_map(|(name, section)| {
            Some((name.as_str()?.to_owned(), section.get("package")?.as_str()?.to_owned()))
        });
        packages.collect()
    }
}

impl Components {
    /// Writes a project's section into the configuration file.
    pub(super) fn write_section(
        &self,
        project: &str,
        package: &str,
        install: &Install,
    ) -> Result<(), OperationError> {
        let mut section = yaml_serde::Mapping::new();
        section.insert("package".into(), package.into());
        let mut options = yaml_serde::Mapping::new();
        if let Some(command) = &install.command {
            options.insert("command".into(), command.as_str().into());
        }
        if let Some(timeout) = install.timeout {
            options.insert("timeout".into(), whole_or_not(timeout));
        }
        if !options.is_empty() {
            section.insert("install".into(), Yaml::Mapping(options));
        }
        let mut whole = yaml_serde::Mapping::new();
        whole.insert(project.into(), Yaml::Mapping(section));
        let section = yaml_serde::to_string(&whole).map_err(OperationError::internal)?;
        self.edit_file(|text| Some(with_section(text, project, &section)))
    }

    /// Removes a project's section from the configuration file, unless the section is the server's own.
    pub(super) fn remove_section(&self, project: &str) -> Result<(), OperationError> {
        if is_core_section(project) {
            return Ok(());
        }
        self.edit_file(|text| without_section(text, project))
    }

    fn edit_file(&self, edit: impl FnOnce(&str) -> Option<String>) -> Result<(), OperationError> {
        let _alone = self.editing.lock();
        let path = self.root.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let Some(edited) = edit(&text) else { return Ok(()) };
        let mut file = tempfile::NamedTempFile::new_in(&self.root)?;
        io::Write::write_all(&mut file, edited.as_bytes())?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn whole_or_not(number: f64) -> Yaml {
    let whole = number as i64;
    if whole as f64 == number { whole.into() } else { number.into() }
}

impl Components {
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
