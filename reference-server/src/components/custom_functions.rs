//! Custom functions, the older view of the same folders: `PROJECT/routes/NAME.js` and `PROJECT/helpers/NAME.js`.

use super::Components;
use super::tree::visible_names;
use crate::error::OperationError;
use std::fs;
use std::path::PathBuf;

/// The folder a function is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// `routes`.
    Routes,
    /// `helpers`.
    Helpers,
}

impl FunctionKind {
    /// Both kinds, in the order of listings.
    pub const ALL: [FunctionKind; 2] = [FunctionKind::Routes, FunctionKind::Helpers];

    /// The name of the folder.
    pub fn folder(self) -> &'static str {
        match self {
            FunctionKind::Routes => "routes",
            FunctionKind::Helpers => "helpers",
        }
    }

    /// The kind whose folder is called that.
    pub fn named(name: &str) -> Option<FunctionKind> {
        FunctionKind::ALL.into_iter().find(|kind| kind.folder() == name)
    }

    /// The path of a function below its project.
    pub fn file(self, name: &str) -> String {
        format!("{}/{name}.js", self.folder())
    }
}

impl Components {
    /// The projects that are folders themselves, hidden ones and links left out, in order. Blocks.
    pub fn function_projects(&self) -> Vec<String> {
        let _still = self.swapping.read();
        let is_folder =
            |name: &String| fs::symlink_metadata(self.place(name)).is_ok_and(|file| file.is_dir());
        visible_names(&self.folder).into_iter().filter(is_folder).collect()
    }

    /// The names of a project's functions of a kind, in order. Blocks.
    pub fn functions(&self, project: &str, kind: FunctionKind) -> Vec<String> {
        let Ok(folder) = self.function_folder(project, kind) else { return Vec::new() };
        let is_file = |name: &String| folder.join(name).symlink_metadata().is_ok_and(|file| file.is_file());
        let scripts = visible_names(&folder).into_iter().filter(|name| name.ends_with(".js"));
        let mut names: Vec<String> = scripts
            .filter(is_file)
            .map(|name| name.split(".js").next().unwrap_or_default().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether there is such a function. Blocks.
    pub fn function_exists(&self, project: &str, kind: FunctionKind, name: &str) -> bool {
        let path = self.resolve(project, &kind.file(name), super::paths::Purpose::Read);
        path.is_ok_and(|path| path.exists())
    }

    fn function_folder(&self, project: &str, kind: FunctionKind) -> Result<PathBuf, OperationError> {
        self.resolve(project, kind.folder(), super::paths::Purpose::Read)
    }
}
