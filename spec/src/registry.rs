//! All operations and requirements, by name.
//!
//! Nothing is parsed before it is asked for: the tables of names are static, an operation's file is
//! parsed at its first use, and its schemas are compiled at the first request.

use std::sync::OnceLock;

use indexmap::IndexMap;
use serde_json::Value;

use crate::embedded::{COMMON, META, NAMES, OPERATIONS, REQUIREMENT_FILES};
use crate::file::{Requirement, RequirementsFile};
use crate::operation::Operation;
use crate::schema;

/// The contract as a whole; see [`registry`].
pub struct Registry {
    slots: Vec<OnceLock<Operation>>,
    all: OnceLock<Vec<&'static Operation>>,
    common: OnceLock<IndexMap<&'static str, Value>>,
    requirement_files: OnceLock<Vec<RequirementsFile>>,
    requirements: OnceLock<IndexMap<&'static str, &'static Requirement>>,
}

/// The one registry of the process.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry {
        slots: OPERATIONS.iter().map(|_| OnceLock::new()).collect(),
        all: OnceLock::new(),
        common: OnceLock::new(),
        requirement_files: OnceLock::new(),
        requirements: OnceLock::new(),
    })
}

impl Registry {
    /// The operation of that name or alias.
    pub fn operation(&'static self, name_or_alias: &str) -> Option<&'static Operation> {
        self.index_of(name_or_alias).map(|index| self.at(index))
    }

    /// All operations, by category and name. Parses every file.
    pub fn operations(&'static self) -> &'static [&'static Operation] {
        self.all.get_or_init(|| (0..OPERATIONS.len()).map(|index| self.at(index)).collect())
    }

    /// The names and categories of all operations, in the order of [`Registry::operations`], without
    /// parsing anything.
    pub fn names(&self) -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
        OPERATIONS.iter().map(|embedded| (embedded.name, embedded.category))
    }

    /// The place of an operation in [`Registry::operations`], by name or alias, without parsing anything.
    pub fn index_of(&self, name_or_alias: &str) -> Option<usize> {
        NAMES.binary_search_by(|(name, _)| (*name).cmp(name_or_alias)).ok().map(|at| NAMES[at].1)
    }

    fn at(&'static self, index: usize) -> &'static Operation {
        self.slots[index].get_or_init(|| Operation::parse(OPERATIONS[index].text))
    }

    /// All normative sentences: those of the files that cross operations, then those of the operations.
    pub fn requirements(&'static self) -> impl Iterator<Item = &'static Requirement> {
        self.requirement_table().values().copied()
    }

    /// The normative sentence of that id.
    pub fn requirement(&'static self, id: &str) -> Option<&'static Requirement> {
        self.requirement_table().get(id).copied()
    }

    /// The files of sentences that belong to no single operation.
    pub fn requirement_files(&'static self) -> &'static [RequirementsFile] {
        self.requirement_files.get_or_init(|| {
            REQUIREMENT_FILES.iter().map(|text| serde_json::from_str(text).expect(BUILD_CHECKED)).collect()
        })
    }

    fn requirement_table(&'static self) -> &'static IndexMap<&'static str, &'static Requirement> {
        self.requirements.get_or_init(|| {
            let across = self.requirement_files().iter().flat_map(|file| &file.requirements);
            let own = self.operations().iter().flat_map(|operation| &operation.requirements);
            across.chain(own).map(|requirement| (requirement.id.as_str(), requirement)).collect()
        })
    }

    /// A shared schema, by the name of its file without the extension. Its `$ref`s are absolute.
    pub fn common(&'static self, name: &str) -> Option<&'static Value> {
        self.common_schemas().get(name)
    }

    /// All shared schemas by name. Their `$ref`s are absolute.
    pub fn common_schemas(&'static self) -> &'static IndexMap<&'static str, Value> {
        self.common.get_or_init(|| {
            let parse = |text| serde_json::from_str(text).expect(BUILD_CHECKED);
            COMMON
                .iter()
                .map(|(name, text)| (*name, schema::with_absolute_references(parse(text), name)))
                .collect()
        })
    }

    /// The schema that operation files are written by.
    pub fn meta_schema(&self) -> Value {
        serde_json::from_str(META).unwrap_or(Value::Bool(false))
    }

    /// The operation files as they are, with their names.
    pub fn operation_texts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        OPERATIONS.iter().map(|embedded| (embedded.name, embedded.text))
    }
}

/// Why parsing an embedded file cannot fail.
pub(crate) const BUILD_CHECKED: &str = "embedded files are checked by the build script";
