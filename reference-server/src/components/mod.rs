//! Components: projects that are files in a folder, packed, deployed, read and written as such.
//!
//! Every folder in the components folder is a project. This server keeps, packs and deploys components but runs none
//! of their code: neither resources and routes nor the install scripts of packages. (A command that a super user
//! gives as `install_command` is run.)
//!
//! Everything here blocks; callers run it through [`apart`].

mod archive;
mod custom_functions;
mod deploy;
mod encoding;
mod faults;
mod fetch;
mod files;
mod install;
mod names;
mod package;
mod paths;
mod process;
mod reference;
mod sections;
mod ssh;
mod ssh_config;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod tree;

pub use custom_functions::FunctionKind;
pub use deploy::{Install, Source};
pub use encoding::{Encoding, base64_bytes};
pub use files::ReadFile;
pub use names::{is_project_name, name_in, project_of};
pub use sections::is_core_section;
pub use ssh::SshKeys;
pub use ssh_config::Host;

use crate::config::ConfigFile;
use crate::error::OperationError;
use parking_lot::{Mutex, RwLock};
use process::Tools;
use status::Loaded;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read as one answer, in bytes: the default of `operationsApi.componentFile.maxSize`.
const LARGEST_FILE: u64 = 5_242_880;

/// The components of an instance.
pub struct Components {
    /// `componentsRoot`.
    folder: PathBuf,
    /// `rootPath`.
    root: PathBuf,
    /// Where packages are remembered.
    config_file: Arc<ConfigFile>,
    /// The SSH keys for fetching packages.
    pub ssh: SshKeys,
    loaded: Loaded,
    tools: Tools,
    largest_file: u64,
    /// Held while a project's folder is replaced, so that nobody sees it missing.
    swapping: RwLock<()>,
    /// One lock for each project, held while it is deployed.
    deploying: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Components {
    /// The components in `folder` of the instance in `root`. Everything there counts as loaded.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, root: &Path, config_file: Arc<ConfigFile>) -> std::io::Result<Components> {
        fs::create_dir_all(folder)?;
        let components = Components {
            folder: folder.to_owned(),
            root: root.to_owned(),
            config_file,
            ssh: SshKeys::new(root.join("ssh")),
            loaded: Loaded::default(),
            tools: Tools::default(),
            largest_file: LARGEST_FILE,
            swapping: RwLock::default(),
            deploying: Mutex::default(),
        };
        components.clear_stages();
        components.load_all();
        Ok(components)
    }

    /// The components folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Counts everything in the components folder as loaded, as a start does.
    fn load_all(&self) {
        self.loaded.started(tree::visible_names(&self.folder));
    }

    /// The components that were loaded, by name, with their status.
    pub fn statuses(&self) -> Vec<(String, crate::value::Value)> {
        self.loaded.names().into_iter().map(|name| (name.clone(), self.loaded.status(&name))).collect()
    }

    /// Removes what deployments left behind that were cut short.
    fn clear_stages(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(deploy::STAGE)
                && let Err(error) = files::remove(&entry.path())
            {
                tracing::warn!(%error, "cannot remove the rest of a deployment");
            }
        }
    }

    /// The lock of a project.
    fn lock_of(&self, project: &str) -> Arc<Mutex<()>> {
        self.deploying.lock().entry(project.to_owned()).or_default().clone()
    }
}

/// Runs work that may take minutes on a thread of its own: it goes on when nobody waits for it any more, and holds up
/// neither the threads that serve nor the end of the server.
///
/// # Errors
/// When the work panicked or no thread could be made.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OperationError> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let worker = std::thread::Builder::new().name("component".to_owned());
    worker.spawn(move || {
        // Nobody may be waiting any more.
        let _ = tell.send(work());
    })?;
    told.await.map_err(OperationError::internal)
}
