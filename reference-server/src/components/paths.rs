//! Where the paths of requests lead. Nothing a client names lies outside the components folder: `..`, absolute
//! paths, and links that were there before are all followed here and nowhere else.
//!
//! The one way out is documented: a project deployed from `file:FOLDER` is a link to that folder, and the
//! configuration says so.

use super::Components;
use super::faults::{file_fault, invalid_path};
use super::reference::Reference;
use crate::error::OperationError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The longest name of a file or folder, in bytes.
pub const LONGEST_NAME: usize = 255;
/// The longest path below a project, in bytes.
pub(super) const LONGEST_PATH: usize = 2048;
/// How many folders may lie in each other.
pub(super) const DEEPEST: usize = 64;

/// What is to be done at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Read it.
    Read,
    /// Write it, or make a folder.
    Write,
    /// Remove it; a link at the end is what is removed.
    Remove,
}

/// The names in a path of a request; empty ones and `.` do not count.
pub(super) fn segments(path: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let fits = |name: &&str| name.len() <= LONGEST_NAME && *name != ".." && !name.contains('\0');
    let allowed = names.iter().all(fits) && names.len() <= DEEPEST && path.len() <= LONGEST_PATH;
    allowed.then_some(names)
}

/// A project and a path below it as one text, the way messages show it: `P/a/b`.
pub(super) fn shown(project: &str, file: &str) -> String {
    let mut text = project.to_owned();
    for name in file.split('/').filter(|name| !name.is_empty() && *name != ".") {
        text.push('/');
        text.push_str(name);
    }
    if file.ends_with('/') {
        text.push('/');
    }
    text
}

impl Components {
    /// The folder of a project as it lies in the components folder, which may be a link or not be there.
    pub(super) fn place(&self, project: &str) -> PathBuf {
        self.folder.join(project)
    }

    /// The real folder of a project; `None` when there is no such project.
    ///
    /// # Errors
    /// When it is a link out of the components folder that no deployment made.
    pub(super) fn base(&self, project: &str) -> Result<Option<PathBuf>, OperationError> {
        let place = self.place(project);
        let metadata = match fs::symlink_metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_fault(&error, "lstat", Some(&place))),
        };
        let Ok(real) = place.canonicalize() else { return Ok(None) };
        if !metadata.is_symlink() || self.is_inside(&real) || self.is_deployed_link(project, &real) {
            return Ok(Some(real));
        }
        Err(invalid_path())
    }

    /// The real path of a file of a project, for a purpose. What does not exist yet is named below what does.
    ///
    /// # Errors
    /// `Invalid file path` when it would lie outside, or cannot be a file's name.
    pub(super) fn resolve(
        &self,
        project: &str,
        file: &str,
        purpose: Purpose,
    ) -> Result<PathBuf, OperationError> {
        let names = segments(file).ok_or_else(invalid_path)?;
        let base = match self.base(project)? {
            Some(base) => base,
            // A link that leads nowhere must not be written through.
            None if self.place(project).is_symlink() => return Err(invalid_path()),
            None => self.place(project),
        };
        let mut path = base.clone();
        for (index, name) in names.iter().enumerate() {
            let next = path.join(name);
            let is_last = index + 1 == names.len();
            if !next.is_symlink() || (is_last && purpose == Purpose::Remove) {
                path = next;
                continue;
            }
            path = match next.canonicalize() {
                Ok(real) if real.starts_with(&base) || self.is_inside(&real) => real,
                Ok(_) => return Err(invalid_path()),
                // It leads nowhere: there is nothing to be read.
                Err(_) if purpose == Purpose::Read => next,
                Err(_) => return Err(invalid_path()),
            };
        }
        if file.ends_with('/') && !names.is_empty() && purpose != Purpose::Remove {
            path.push("");
        }
        Ok(path)
    }

    /// Whether a real path lies in the components folder.
    pub(super) fn is_inside(&self, real: &Path) -> bool {
        self.folder.canonicalize().is_ok_and(|folder| real.starts_with(folder))
    }

    /// Whether the configuration says that the project is a link to that folder.
    fn is_deployed_link(&self, project: &str, real: &Path) -> bool {
        match self.configured().get(project).map(|package| Reference::of(package)) {
            Some(Reference::File(folder)) => folder.canonicalize().is_ok_and(|folder| folder == real),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_paths() {
        assert_eq!(segments("/a//./b/").unwrap(), ["a", "b"]);
        assert!(segments("/").unwrap().is_empty());
        for path in ["..", "a/../b", "a\0b", &"x".repeat(256), &"a/".repeat(65), &"abc/".repeat(600)] {
            assert!(segments(path).is_none(), "{path:?}");
        }
    }

    #[test]
    fn paths_are_shown_joined() {
        assert_eq!(shown("p", "a/b.txt"), "p/a/b.txt");
        assert_eq!(shown("p", "/a//b.txt"), "p/a/b.txt");
        assert_eq!(shown("p", "a/"), "p/a/");
        assert_eq!(shown("p", "."), "p");
    }
}
