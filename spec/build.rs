//! Checks every file under `schemas/` and embeds its text.
//!
//! A file that does not fit stops the build with its name, so nothing has to be checked when a server
//! starts: the crate only parses what is asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

#[path = "src/file.rs"]
#[allow(dead_code)]
mod file;

use file::{AREAS, CATEGORIES, OperationFile, Requirement, RequirementsFile};

fn main() -> ExitCode {
    let schemas = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../schemas");
    println!("cargo::rerun-if-changed={}", schemas.display());
    println!("cargo::rerun-if-changed=src/file.rs");

    let mut build = Build { schemas, ..Build::default() };
    build.read_common();
    build.read_requirements();
    build.read_operations();
    build.check_references();
    for problem in &build.problems {
        println!("cargo::error={problem}");
    }
    if !build.problems.is_empty() {
        return ExitCode::FAILURE;
    }
    let target = PathBuf::from(env("OUT_DIR")).join("embedded.rs");
    match fs::write(&target, build.generate()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}: {error}", target.display());
            ExitCode::FAILURE
        }
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[derive(Default)]
struct Build {
    schemas: PathBuf,
    problems: Vec<String>,
    operations: Vec<(PathBuf, OperationFile)>,
    requirement_files: Vec<PathBuf>,
    common: BTreeMap<String, (PathBuf, Value)>,
    /// Requirement id → the file that has it.
    requirement_ids: BTreeMap<String, String>,
    /// `$ref` → a file that has it.
    references: BTreeMap<String, String>,
}

impl Build {
    fn problem(&mut self, path: &Path, text: impl std::fmt::Display) {
        let name = self.shown(path);
        self.problems.push(format!("{name}: {text}"));
    }

    fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.schemas).unwrap_or(path);
        format!("schemas/{}", inside.display())
    }

    fn parse<T: serde::de::DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let parsed = fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problem(path, error);
                None
            }
        }
    }

    fn read_common(&mut self) {
        for path in json_files(&self.schemas.join("common")) {
            let Some(value) = self.parse::<Value>(&path) else { continue };
            self.note_references(&path, &value);
            self.common.insert(stem(&path), (path, value));
        }
    }

    fn read_requirements(&mut self) {
        for path in json_files(&self.schemas.join("requirements")) {
            let Some(file) = self.parse::<RequirementsFile>(&path) else { continue };
            if let Some(stray) = file.requirements.iter().find(|one| one.area() != file.area) {
                self.problem(&path, format!("{} is not of the area {}", stray.id, file.area));
            }
            self.note_requirements(&path, &file.requirements);
            self.requirement_files.push(path);
        }
    }

    fn read_operations(&mut self) {
        let root = self.schemas.join("operations");
        for folder in entries(&root).into_iter().filter(|path| path.is_dir()) {
            let category = stem(&folder);
            if !CATEGORIES.contains(&category.as_str()) {
                self.problem(&folder, "not a category");
            }
            for path in json_files(&folder) {
                let Some(file) = self.parse::<OperationFile>(&path) else { continue };
                if file.category != category {
                    self.problem(
                        &path,
                        format!("category is {:?}, the folder is {category:?}", file.category),
                    );
                }
                if file.name != stem(&path) {
                    self.problem(&path, format!("name is {:?}", file.name));
                }
                self.note_requirements(&path, &file.requirements);
                self.check_operation(&path, &file);
                self.operations.push((path, file));
            }
        }
        self.operations.sort_by_key(|(_, file)| {
            (CATEGORIES.iter().position(|one| *one == file.category), file.name.clone())
        });
        self.check_names();
    }

    fn check_operation(&mut self, path: &Path, file: &OperationFile) {
        self.note_references(path, &file.request);
        for (status, schema) in &file.responses {
            if status.parse::<u16>().is_err() {
                self.problem(path, format!("{status:?} is not a status"));
            }
            self.note_references(path, schema);
        }
        let mut ids: Vec<_> = file.errors.iter().map(|error| &error.id).collect();
        ids.sort();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            self.problem(path, format!("two errors have the id {:?}", pair[0]));
        }
        let properties = file.request.get("properties").and_then(Value::as_object);
        for alias in &file.field_aliases {
            if !properties.is_some_and(|properties| properties.contains_key(&alias.field)) {
                self.problem(path, format!("the request has no field {:?} to have an alias", alias.field));
            }
            if alias.field == alias.alias {
                self.problem(path, format!("{:?} is an alias of itself", alias.field));
            }
        }
    }

    fn check_names(&mut self) {
        let mut taken: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut problems = Vec::new();
        for (path, file) in &self.operations {
            let names = std::iter::once(&file.name).chain(file.aliases.iter().map(|alias| &alias.name));
            for name in names {
                if let Some(other) = taken.insert(name.clone(), path.clone()) {
                    problems.push((path.clone(), format!("{name:?} is taken by {}", self.shown(&other))));
                }
            }
        }
        for (path, problem) in problems {
            self.problem(&path, problem);
        }
    }

    fn note_requirements(&mut self, path: &Path, requirements: &[Requirement]) {
        for requirement in requirements {
            let id = &requirement.id;
            let parts: Vec<&str> = id.split('-').collect();
            let number = parts.last().copied().unwrap_or_default();
            let well_formed = parts.len() >= 2
                && AREAS.contains(&parts[0])
                && number.len() == 3
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
            if !well_formed {
                self.problem(path, format!("{id:?} is not a requirement id (AREA-OPERATION-NNN)"));
            }
            if let Some(other) = self.requirement_ids.insert(id.clone(), self.shown(path)) {
                self.problem(path, format!("the requirement {id} is also in {other}"));
            }
        }
    }

    fn note_references(&mut self, path: &Path, schema: &Value) {
        match schema {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(target) if name == "$ref" => {
                            let target = match target.strip_prefix('#') {
                                Some(inside) if path.parent().is_some_and(|one| one.ends_with("common")) => {
                                    format!("common/{}.json#{inside}", stem(path))
                                }
                                _ => target.clone(),
                            };
                            let shown = self.shown(path);
                            self.references.entry(target).or_insert(shown);
                        }
                        _ => self.note_references(path, member),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.note_references(path, item)),
            _ => {}
        }
    }

    fn check_references(&mut self) {
        for (target, place) in std::mem::take(&mut self.references) {
            let (file, pointer) = target.split_once('#').unwrap_or((&target, ""));
            let found = file
                .strip_prefix("common/")
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|name| self.common.get(name))
                .and_then(|(_, value)| value.pointer(pointer));
            if found.is_none() {
                self.problems.push(format!("{place}: nothing is at {target:?}"));
            }
        }
    }

    fn generate(&self) -> String {
        let mut text = String::from("pub(crate) static OPERATIONS: &[EmbeddedOperation] = &[\n");
        let mut names = BTreeMap::new();
        for (index, (path, file)) in self.operations.iter().enumerate() {
            names.insert(file.name.as_str(), index);
            names.extend(file.aliases.iter().map(|alias| (alias.name.as_str(), index)));
            let _ = writeln!(
                text,
                "    EmbeddedOperation {{ name: {:?}, category: {:?}, text: include_str!({:?}) }},",
                file.name,
                file.category,
                path.display().to_string()
            );
        }
        text.push_str("];\npub(crate) static NAMES: &[(&str, usize)] = &[\n");
        for (name, index) in names {
            let _ = writeln!(text, "    ({name:?}, {index}),");
        }
        text.push_str("];\npub(crate) static COMMON: &[(&str, &str)] = &[\n");
        for (name, (path, _)) in &self.common {
            let _ = writeln!(text, "    ({name:?}, include_str!({:?})),", path.display().to_string());
        }
        text.push_str("];\npub(crate) static REQUIREMENT_FILES: &[&str] = &[\n");
        for path in &self.requirement_files {
            let _ = writeln!(text, "    include_str!({:?}),", path.display().to_string());
        }
        text.push_str("];\n");
        text
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|one| one == "json")).collect()
}
