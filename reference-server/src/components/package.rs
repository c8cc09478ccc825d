//! Packing a project for the client.

use super::Components;
use super::archive::{PackOptions, pack};
use super::paths::segments;
use crate::error::OperationError;
use std::path::PathBuf;

/// The most bytes that are packed into one answer.
const LARGEST: u64 = 512 << 20;

impl Components {
    /// Packs a project, or a package of that name that the instance has installed. Blocks.
    ///
    /// # Errors
    /// `Unable to locate project 'P'`, or what the file system says.
    pub fn package(
        &self,
        project: &str,
        skip_node_modules: bool,
        skip_symlinks: bool,
    ) -> Result<Vec<u8>, OperationError> {
        let _still = self.swapping.read();
        let folder = match self.base(project)? {
            Some(folder) => Some(folder),
            None => self.installed(project),
        };
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            return Err(OperationError::fault(format!("Unable to locate project '{project}'")));
        };
        let may_follow = |real: &std::path::Path| real.starts_with(&folder) || self.is_inside(real);
        let options = PackOptions { skip_node_modules, skip_symlinks };
        Ok(pack(&folder, options, &may_follow, LARGEST)?)
    }

    /// A package in the instance's own `node_modules`.
    fn installed(&self, project: &str) -> Option<PathBuf> {
        let name = segments(project).filter(|names| names.len() == 1)?.first().copied()?;
        let modules = self.root.join("node_modules").canonicalize().ok()?;
        let folder = modules.join(name).canonicalize().ok()?;
        folder.starts_with(&self.root.canonicalize().ok()?).then_some(folder)
    }
}
