//! The tree of the components folder, as `get_components` shows it.

use super::Components;
use crate::value::{Object, Value, object};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Deeper folders than these are shown without their entries.
const DEEPEST_SHOWN: usize = 128;

impl Components {
    /// The tree of all projects. Blocks.
    pub fn tree(&self) -> Value {
        let _still = self.swapping.read();
        let packages = self.configured();
        let mut entries = Vec::new();
        for name in visible_names(&self.folder) {
            let mut entry = self.top_entry(&name);
            if let Value::Object(members) = &mut entry {
                self.tell_of_project(members, &name, &packages);
            }
            entries.push(entry);
        }
        let name = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        object([("name", Value::from(name.unwrap_or_default())), ("entries", Value::from(entries))])
    }

    /// A project, file or link in the components folder. Links that lead out of it are followed only when a
    /// deployment made them.
    fn top_entry(&self, name: &str) -> Value {
        match self.base(name) {
            Ok(Some(base)) => self.entry(&self.place(name), name, &base, &mut vec![]),
            _ => folder(name, Vec::new()),
        }
    }

    fn tell_of_project(&self, members: &mut Object, name: &str, packages: &HashMap<String, String>) {
        if let Some(package) = packages.get(name) {
            members.insert("package".to_owned(), Value::from(package.as_str()));
        }
        members.insert("status".to_owned(), self.loaded.status(name));
    }

    /// A folder with its entries, or a file. `above` holds the real folders on the way, so that links in a circle
    /// end.
    fn entry(&self, path: &Path, name: &str, base: &Path, above: &mut Vec<PathBuf>) -> Value {
        let Ok(metadata) = fs::symlink_metadata(path) else { return folder(name, Vec::new()) };
        if !metadata.is_dir() && !metadata.is_symlink() {
            return file(name, &metadata);
        }
        let Ok(real) = path.canonicalize() else { return folder(name, Vec::new()) };
        let allowed = real.starts_with(base) || self.is_inside(&real);
        if !allowed || above.contains(&real) || above.len() >= DEEPEST_SHOWN {
            return folder(name, Vec::new());
        }
        above.push(real.clone());
        let names = visible_names(&real);
        let entries = names.iter().map(|name| self.entry(&real.join(name), name, base, above)).collect();
        above.pop();
        folder(name, entries)
    }
}

/// The names in a folder that listings show, in byte order: none that begin with a dot, and no `node_modules`.
pub(super) fn visible_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.') && name != "node_modules")
        .collect();
    names.sort_unstable();
    names
}

fn folder(name: &str, entries: Vec<Value>) -> Value {
    object([("name", Value::from(name)), ("entries", Value::from(entries))])
}

fn file(name: &str, metadata: &fs::Metadata) -> Value {
    object([
        ("name", Value::from(name)),
        ("mtime", Value::from(iso(metadata.modified().ok()))),
        ("size", Value::from(metadata.len() as f64)),
    ])
}

/// A file's time as the API shows it.
pub(super) fn iso(time: Option<SystemTime>) -> String {
    let time = DateTime::<Utc>::from(time.unwrap_or(SystemTime::UNIX_EPOCH));
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
