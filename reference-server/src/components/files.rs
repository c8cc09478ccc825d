//! Reading, writing and removing the files of projects.

use super::Components;
use super::faults::{file_fault, invalid_path};
use super::paths::{Purpose, segments, shown};
use super::tree::iso;
use crate::error::{ErrorKind, OperationError};
use std::fs;
use std::io;
use std::path::Path;

/// A file that was read.
#[derive(Debug)]
pub struct ReadFile {
    /// Its content.
    pub content: Vec<u8>,
    /// When it was made, in ISO 8601.
    pub birthtime: String,
    /// When it was last changed, in ISO 8601.
    pub mtime: String,
}

impl Components {
    /// Reads a file of a project. Blocks.
    ///
    /// # Errors
    /// `Component file not found 'P/F'`, `EISDIR…` for folders, a file that is too large, a path that leads out.
    pub fn read_file(&self, project: &str, file: &str) -> Result<ReadFile, OperationError> {
        let path = self.resolve(project, file, Purpose::Read)?;
        let _still = self.swapping.read();
        let metadata = fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                OperationError::fault(format!("Component file not found '{}'", shown(project, file)))
            }
            _ => file_fault(&error, "stat", Some(&path)),
        })?;
        if !metadata.is_file() {
            return Err(OperationError::fault("EISDIR: illegal operation on a directory, read"));
        }
        if metadata.len() > self.largest_file {
            let text = format!("Component file '{}' is too large", shown(project, file));
            return Err(OperationError::new(ErrorKind::TooLarge, text));
        }
        let content = fs::read(&path).map_err(|error| file_fault(&error, "open", Some(&path)))?;
        Ok(ReadFile {
            content,
            birthtime: iso(metadata.created().or_else(|_| metadata.modified()).ok()),
            mtime: iso(metadata.modified().ok()),
        })
    }

    /// Writes a file of a project, making the folders on the way; without `content` it makes a folder. Blocks.
    ///
    /// # Errors
    /// A path that leads out, or what the file system says.
    pub fn write_file(
        &self,
        project: &str,
        file: &str,
        content: Option<&[u8]>,
    ) -> Result<(), OperationError> {
        let path = self.resolve(project, file, Purpose::Write)?;
        let _still = self.swapping.read();
        let Some(content) = content else {
            return fs::create_dir_all(&path).map_err(|error| file_fault(&error, "mkdir", Some(&path)));
        };
        if let Some(folder) = path.parent() {
            make_folder_of_file(folder)?;
        }
        if path.exists() && !path.is_file() && !path.is_dir() {
            // A pipe or a device would hold the server up.
            return Err(invalid_path());
        }
        fs::write(&path, content).map_err(|error| file_fault(&error, "open", Some(&path)))
    }

    /// Removes a file or folder of a project, or the project. What is not there does no harm. Blocks.
    ///
    /// # Errors
    /// A path that leads out, or what the file system says.
    pub fn remove(&self, project: &str, file: Option<&str>) -> Result<(), OperationError> {
        let names = segments(file.unwrap_or_default()).ok_or_else(invalid_path)?;
        if names.is_empty() {
            let lock = self.lock_of(project);
            let _alone = lock.lock();
            let _still = self.swapping.write();
            return remove(&self.place(project));
        }
        let path = self.resolve(project, file.unwrap_or_default(), Purpose::Remove)?;
        let _still = self.swapping.read();
        remove(&path)
    }

    /// Whether there is something called that in the components folder.
    pub fn exists(&self, project: &str) -> bool {
        // Only what could be a project's name is looked for.
        segments(project).is_some_and(|names| names.len() == 1) && self.place(project).exists()
    }
}

fn make_folder_of_file(folder: &Path) -> Result<(), OperationError> {
    match fs::create_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // A file is where the folder should be.
            Err(file_fault(&io::ErrorKind::NotADirectory.into(), "scandir", Some(folder)))
        }
        Err(error) => Err(file_fault(&error, "stat", Some(folder))),
    }
}

/// Removes a file, a folder with all in it, or a link without its target.
pub(super) fn remove(path: &Path) -> Result<(), OperationError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !is_absence(&error) => Err(file_fault(&error, "rm", Some(path))),
        _ => Ok(()),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
