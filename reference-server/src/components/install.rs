//! Installing the dependencies of a project.

use super::Components;
use super::deploy::Install;
use super::process::{Ended, RunError, run};
use crate::error::OperationError;
use crate::value::number_text;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long installing may take when the request does not say, in milliseconds.
const DEFAULT_TIMEOUT: f64 = 300_000.0;
/// How long it may take at most, in milliseconds.
const LONGEST_TIMEOUT: f64 = 3_600_000.0;
/// The code of a shell that finds no program.
const NOT_FOUND: i32 = 127;

impl Components {
    /// Installs what a project's `package.json` asks for, unless it brought its modules along. Blocks, maybe for
    /// minutes.
    pub(super) fn install(&self, project: &str, install: &Install) -> Result<(), OperationError> {
        let Some(folder) = self.base(project)? else { return Ok(()) };
        let Ok(text) = fs::read_to_string(folder.join("package.json")) else { return Ok(()) };
        if folder.join("node_modules").exists() {
            return Ok(());
        }
        let installing = Installing { components: self, project, folder: &folder, install };
        if let Some(command) = &install.command {
            return installing.with_command(command);
        }
        let package: Json = serde_json::from_str(&text)
            .map_err(|_| OperationError::fault(format!("The package.json of {project} is no valid JSON")))?;
        installing.with_manager(&package)
    }

    /// Runs `npm install` in a project, whatever is there already; failures are logged.
    pub fn install_modules(&self, project: &str) {
        let Ok(Some(folder)) = self.base(project) else { return };
        let lock = self.lock_of(project);
        let _alone = lock.lock();
        if !folder.join("package.json").is_file() {
            return;
        }
        let installing =
            Installing { components: self, project, folder: &folder, install: &Install::default() };
        if let Err(error) = installing.with_npm() {
            tracing::warn!(project, error = %error.message, "cannot install the modules of a component");
        }
    }
}

struct Installing<'i> {
    components: &'i Components,
    project: &'i str,
    folder: &'i Path,
    install: &'i Install,
}

impl Installing<'_> {
    /// The command of the request, as a shell understands it.
    fn with_command(&self, text: &str) -> Result<(), OperationError> {
        let mut command = self.components.command("/bin/sh".as_ref(), self.folder);
        command.arg("-c").arg(text);
        let ended = self.run(command, text)?;
        self.succeeded(&ended, &format!("using custom install command: {text}"))
    }

    /// The package manager that the project names, and npm otherwise.
    fn with_manager(&self, package: &Json) -> Result<(), OperationError> {
        let manager = package.pointer("/devEngines/packageManager");
        let name = manager.and_then(|manager| manager.get("name")).and_then(Json::as_str);
        let Some(name) = name.filter(|name| ["npm", "pnpm", "yarn", "bun"].contains(name)) else {
            return self.with_npm();
        };
        let mut command = self.components.command(name.as_ref(), self.folder);
        command.args(["install", "--ignore-scripts"]);
        let ended = self.run(command, &format!("{name} install"))?;
        let outcome = self.succeeded(&ended, &format!("using {name}"));
        let on_fail = manager.and_then(|manager| manager.get("onFail")).and_then(Json::as_str);
        if outcome.is_err() && matches!(on_fail, Some("warn" | "ignore")) {
            return self.with_npm();
        }
        outcome
    }

    fn with_npm(&self) -> Result<(), OperationError> {
        let mut command = self.components.command(&self.components.tools.npm, self.folder);
        // Scripts of packages are not run: this server executes no component code.
        command.args(["install", "--force", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let ended = self.run(command, "npm install --force")?;
        self.succeeded(&ended, "using npm default")
    }

    /// Runs a command; a program that is not there ends as a shell would.
    fn run(&self, command: Command, shown: &str) -> Result<Ended, OperationError> {
        let timeout = self.install.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let limit = Duration::from_millis(timeout.clamp(0.0, LONGEST_TIMEOUT) as u64);
        match run(command, limit) {
            Ok(ended) => Ok(ended),
            Err(RunError::Missing) => {
                Ok(Ended { code: Some(NOT_FOUND), stderr: "it is not installed".to_owned() })
            }
            Err(RunError::TimedOut) => Err(OperationError::fault(format!(
                "Command`{shown}` timed out after {}ms",
                number_text(timeout)
            ))),
            Err(RunError::Failed(error)) => Err(error.into()),
        }
    }

    fn succeeded(&self, ended: &Ended, how: &str) -> Result<(), OperationError> {
        if ended.code == Some(0) {
            return Ok(());
        }
        let project = self.project;
        tracing::warn!(project, code = ended.code, errors = ended.stderr.trim(), "installing failed");
        let code = ended.code.map_or_else(|| "null".to_owned(), |code| code.to_string());
        Err(OperationError::fault(format!(
            "Failed to install dependencies for {project} {how}. Exit code: {code}"
        )))
    }
}
