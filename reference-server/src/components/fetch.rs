//! Fetching packages from elsewhere with the machine's own `npm`, or with its `git` when there is no `npm`.

use super::Components;
use super::process::{Ended, RunError, run};
use super::reference::repository;
use crate::error::OperationError;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long fetching may take.
const LIMIT: Duration = Duration::from_mins(5);
/// How much of a program's complaint is told.
const LONGEST_COMPLAINT: usize = 4000;

impl Components {
    /// Fetches a package into a folder: an archive, or a folder with its files.
    pub(super) fn download(&self, reference: &str, into: &Path) -> Result<PathBuf, OperationError> {
        let packed = self.npm_pack(reference, into);
        let (ended, repository) = match (packed, repository(reference)) {
            (Err(RunError::Missing), Some((url, version))) => {
                let checkout = into.join("checkout");
                (self.git_clone(&url, version.as_deref(), &checkout), Some(checkout))
            }
            (packed, _) => (packed, None),
        };
        let failed = |why: &str| {
            let why: String = why.chars().take(LONGEST_COMPLAINT).collect();
            Err(OperationError::fault(format!("Failed to download package {reference}: {why}")))
        };
        match (ended, repository) {
            (Ok(Ended { code: Some(0), .. }), Some(checkout)) => Ok(checkout),
            (Ok(Ended { code: Some(0), .. }), None) => match archive_in(into) {
                Some(archive) => Ok(archive),
                None => failed("npm left no archive"),
            },
            (Ok(ended), _) => failed(&ended.stderr),
            (Err(RunError::Missing), Some(_)) => failed("neither npm nor git is installed"),
            (Err(RunError::Missing), None) => failed("npm is not installed"),
            (Err(error), _) => failed(&error.to_string()),
        }
    }

    /// Scripts of the package are not run: this server executes no component code.
    fn npm_pack(&self, reference: &str, into: &Path) -> Result<Ended, RunError> {
        let mut command = self.command(&self.tools.npm, into);
        command.args(["pack", "--ignore-scripts", "--", reference]);
        run(command, LIMIT)
    }

    /// Links in the repository become plain files, so that none leads anywhere.
    fn git_clone(&self, url: &str, version: Option<&str>, into: &Path) -> Result<Ended, RunError> {
        let folder = into.parent().unwrap_or(into);
        let mut command = self.command(&self.tools.git, folder);
        command.env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
        command.args(["-c", "core.symlinks=false", "clone", "--quiet"]);
        if version.is_none() {
            command.args(["--depth", "1"]);
        }
        command.args(["--", url]).arg(into);
        let cloned = run(command, LIMIT)?;
        if cloned.code != Some(0) {
            return Ok(cloned);
        }
        if let Some(version) = version {
            let mut command = self.command(&self.tools.git, into);
            command.args(["-c", "core.symlinks=false", "-c", "advice.detachedHead=false", "checkout"]);
            command.args(["--quiet", version, "--"]);
            let checked_out = run(command, LIMIT)?;
            if checked_out.code != Some(0) {
                return Ok(checked_out);
            }
        }
        fs::remove_dir_all(into.join(".git"))?;
        Ok(cloned)
    }

    /// A command in a folder, with the instance's SSH keys.
    pub(super) fn command(&self, program: &OsStr, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Some(ssh) = self.ssh.command() {
            command.env("GIT_SSH_COMMAND", ssh);
        }
        command
    }
}

/// The archive that npm left in a folder.
fn archive_in(folder: &Path) -> Option<PathBuf> {
    let mut paths = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|ending| ending == "tgz") && !path.is_symlink())
}
