//! Whole trees of settings from the environment: `HARPER_DEFAULT_CONFIG`, `HARPER_CONFIG` and `HARPER_SET_CONFIG`.
//!
//! All are JSON objects of the shape of the configuration file, and are written into it at every start. The first only
//! fills in what nobody else has set; the second wins over the file, and yields to single variables and flags; the
//! third wins over everything. Which of them a value comes from is kept beside the backups of the file: so a value that
//! the user changed is left to the user by the first, and a value that a variable does not name any more is taken back.

use super::change::shallow;
use super::document::{Document, at, put};
use super::file::persist;
use super::load::ConfigError;
use crate::value::{Object, Value, parse_json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file with what is kept, inside the folder `backup`.
const STATE: &str = ".harper-config-state.json";
/// The source of a value that the user has changed.
const USER: &str = "user";

/// One of the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Default,
    Merge,
    Set,
}

impl Layer {
    /// From the weakest to the strongest.
    const ALL: [Layer; 3] = [Layer::Default, Layer::Merge, Layer::Set];

    fn variable(self) -> &'static str {
        match self {
            Layer::Default => "HARPER_DEFAULT_CONFIG",
            Layer::Merge => "HARPER_CONFIG",
            Layer::Set => "HARPER_SET_CONFIG",
        }
    }
}

/// The texts of the variables, empty where they are not set.
#[derive(Clone, Debug, Default)]
pub struct LayerTexts([String; 3]);

impl LayerTexts {
    /// Keeps the text when the variable is one of the three; tells whether it is.
    pub fn take(&mut self, variable: &str, text: &str) -> bool {
        let layer = Layer::ALL.iter().zip(&mut self.0).find(|(layer, _)| layer.variable() == variable);
        layer.map(|(_, kept)| text.trim().clone_into(kept)).is_some()
    }
}

/// The path of a value, dots between its levels, and the value.
type Leaves = BTreeMap<String, Value>;

/// The variables at a start, with what is known from the starts before.
pub(super) struct Layers {
    path: PathBuf,
    leaves: [Leaves; 3],
    state: State,
    before: State,
}

/// What is kept from one start to the next.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    /// Where values come from: the name of a variable, or [`USER`].
    sources: BTreeMap<String, String>,
    /// What the file had in place of values of `HARPER_CONFIG`.
    originals: Leaves,
    /// The values by which changes of the user are told.
    written: Leaves,
}

impl Layers {
    /// # Errors
    /// When a text is no JSON object.
    pub(super) fn new(root: &Path, texts: &LayerTexts) -> Result<Layers, ConfigError> {
        let mut leaves = [Leaves::new(), Leaves::new(), Leaves::new()];
        for ((layer, text), leaves) in Layer::ALL.iter().zip(&texts.0).zip(&mut leaves) {
            // The text may hold secrets: it is not told what is wrong with it.
            let not_usable = || ConfigError::Invalid(format!("{} must be a JSON object", layer.variable()));
            match if text.is_empty() { Ok(Value::Null) } else { parse_json(text.as_bytes()) } {
                Ok(Value::Null) if text.is_empty() => {}
                Ok(tree @ Value::Object(_)) => {
                    collect(leaves, String::new(), shallow(layer.variable(), tree)?);
                }
                _ => return Err(not_usable()),
            }
        }
        let path = root.join("backup").join(STATE);
        let state = State::read(&path);
        Ok(Layers { path, leaves, before: state.clone(), state })
    }

    /// Takes back what variables do not name any more, and writes what the two weaker ones say. In a document that was
    /// made just now every value is a default.
    pub(super) fn apply(&mut self, document: &mut Document, new: bool) {
        if !new {
            self.notice_user(document);
        }
        self.release(document);
        for (path, value) in self.leaves[Layer::Default as usize].clone() {
            let there = value_at(document, &path).is_some_and(|value| !value.is_null());
            let own = self.comes_from(&path, Layer::Default);
            if own || (new || !there) && !self.state.sources.contains_key(&path) {
                self.write(document, path, value, Layer::Default);
            }
        }
        for (path, value) in self.leaves[Layer::Merge as usize].clone() {
            if self.comes_from(&path, Layer::Set) {
                continue;
            }
            let of_user = self.state.sources.get(&path).is_none_or(|source| source == USER);
            if let Some(original) = value_at(document, &path).filter(|_| !new && of_user) {
                self.state.originals.entry(path.clone()).or_insert(original.clone());
            }
            self.write(document, path, value, Layer::Merge);
        }
    }

    /// Writes what the strongest variable says.
    pub(super) fn enforce(&mut self, document: &mut Document) {
        for (path, value) in self.leaves[Layer::Set as usize].clone() {
            self.write(document, path, value, Layer::Set);
        }
    }

    /// Keeps what the next start has to know, when that is something new.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(mut self, document: &Document) -> Result<(), ConfigError> {
        let values = self
            .state
            .sources
            .keys()
            .filter_map(|path| Some((path.clone(), value_at(document, path)?.clone())));
        self.state.written = values.collect();
        if self.state == self.before {
            return Ok(());
        }
        persist(&self.path, &self.state.to_tree().to_json())
            .map_err(|error| ConfigError::Unwritable { path: self.path.clone(), error })
    }

    /// Values that are not as they were written are the user's.
    fn notice_user(&mut self, document: &Document) {
        let State { sources, written, .. } = &mut self.state;
        for (path, source) in sources.iter_mut().filter(|(_, source)| *source != Layer::Merge.variable()) {
            if value_at(document, path) != written.get(path) {
                USER.clone_into(source);
            }
        }
    }

    /// Values whose variable does not name them any more: those of `HARPER_CONFIG` become again what they were, the
    /// others go, so that defaults can take their place.
    fn release(&mut self, document: &mut Document) {
        for layer in Layer::ALL {
            let named = &self.leaves[layer as usize];
            let gone: Vec<String> = self
                .state
                .sources
                .iter()
                .filter(|(path, source)| *source == layer.variable() && !named.contains_key(*path))
                .map(|(path, _)| path.clone())
                .collect();
            for path in gone {
                self.state.sources.remove(&path);
                let levels: Vec<&str> = path.split('.').collect();
                match self.state.originals.remove(&path) {
                    Some(original) if layer == Layer::Merge => document.set(&levels, original),
                    _ => remove(document, &levels),
                }
            }
        }
    }

    fn write(&mut self, document: &mut Document, path: String, value: Value, layer: Layer) {
        document.set(&path.split('.').collect::<Vec<_>>(), value);
        self.state.sources.insert(path, layer.variable().to_owned());
    }

    fn comes_from(&self, path: &str, layer: Layer) -> bool {
        self.state.sources.get(path).is_some_and(|source| source == layer.variable())
    }
}

impl State {
    /// What is kept in a file; nothing when it cannot be read, since the configuration file tells all that counts.
    fn read(path: &Path) -> State {
        let tree = match std::fs::read(path).map(|text| parse_json(&text)) {
            Ok(Ok(Value::Object(tree))) => tree,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return State::default(),
            _ => {
                tracing::warn!("{} cannot be read and is made anew", path.display());
                return State::default();
            }
        };
        let members = |name: &str| tree.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let sources = members("sources").into_iter();
        let mut written = Leaves::new();
        for snapshot in members("snapshots").values().filter_map(Value::as_object) {
            for path in members("sources").keys() {
                let found = at(snapshot, &["config"]).and_then(Value::as_object);
                if let Some(value) = found.and_then(|tree| at(tree, &path.split('.').collect::<Vec<_>>())) {
                    written.insert(path.clone(), value.clone());
                }
            }
        }
        State {
            sources: sources.filter_map(|(path, name)| Some((path, name.as_str()?.to_owned()))).collect(),
            originals: members("originalValues").into_iter().collect(),
            written,
        }
    }

    /// The form in the file: sources and originals by their paths, and a tree of values for each variable.
    fn to_tree(&self) -> Value {
        let text = |text: &str| Value::String(text.to_owned());
        let mut snapshots = Object::new();
        for layer in Layer::ALL {
            let mut tree = Object::new();
            let own = |path: &String| self.sources.get(path).is_some_and(|source| source == layer.variable());
            for (path, value) in self.written.iter().filter(|(path, _)| own(path)) {
                put(&mut tree, &path.split('.').collect::<Vec<_>>(), value.clone());
            }
            if !tree.is_empty() {
                put(&mut snapshots, &[layer.variable(), "config"], Value::Object(tree));
            }
        }
        let sources = self.sources.iter().map(|(path, source)| (path.clone(), text(source))).collect();
        let originals = self.originals.clone().into_iter().collect();
        Value::Object(Object::from_iter([
            ("version".to_owned(), text("1.0")),
            ("sources".to_owned(), Value::Object(sources)),
            ("originalValues".to_owned(), Value::Object(originals)),
            ("snapshots".to_owned(), Value::Object(snapshots)),
        ]))
    }
}

/// The values of a tree that are no sections. Sections with a dot in one of their names count as values.
fn collect(leaves: &mut Leaves, path: String, value: Value) {
    match value {
        Value::Object(section) if section.keys().all(|key| !key.contains('.')) => {
            for (key, value) in section {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                collect(leaves, path, value);
            }
        }
        // A tree that is no section at all sets nothing.
        value if !path.is_empty() => drop(leaves.insert(path, value)),
        _ => {}
    }
}

/// Takes a value away, and the sections that have nothing else in them.
fn remove(document: &mut Document, levels: &[&str]) {
    document.remove(levels);
    if let [sections @ .., _] = levels
        && document.get(sections).and_then(Value::as_object).is_some_and(Object::is_empty)
    {
        remove(document, sections);
    }
}

fn value_at<'d>(document: &'d Document, path: &str) -> Option<&'d Value> {
    document.get(&path.split('.').collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigFile, from_environment, load, set};
    use super::*;

    const DEFAULT: &str = "HARPER_DEFAULT_CONFIG";
    const MERGE: &str = "HARPER_CONFIG";
    const SET: &str = "HARPER_SET_CONFIG";

    /// An instance that is started again and again.
    struct Instance(tempfile::TempDir);

    impl Instance {
        fn new() -> Instance {
            Instance(tempfile::tempdir().unwrap())
        }

        fn start(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
            let pairs = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            load(Config::new(self.0.path()), &from_environment(pairs))
        }

        /// The value at a path after a start, as JSON.
        fn value(&self, variables: &[(&str, &str)], path: &str) -> String {
            self.start(variables).unwrap().value(path).map_or("absent".to_owned(), Value::to_json)
        }

        /// The level of the log, of which most tests tell, after a start.
        fn level(&self, variables: &[(&str, &str)]) -> String {
            self.value(variables, "logging.level")
        }

        /// What set_configuration does.
        fn edit(&self, key: &str, value: &str) {
            let running = Config::new(self.0.path());
            let request = Object::from_iter([(key.to_owned(), Value::from(value))]);
            set(&ConfigFile::of(self.0.path()), &running, &request).unwrap();
        }

        fn state(&self) -> PathBuf {
            self.0.path().join("backup").join(STATE)
        }
    }

    fn level(level: &str) -> String {
        format!(r#"{{"logging":{{"level":"{level}"}}}}"#)
    }

    #[test]
    fn the_strongest_counts() {
        let (error, warn, debug) = (level("error"), level("warn"), level("debug"));
        let instance = Instance::new();
        let mut variables = vec![(DEFAULT, error.as_str())];
        assert_eq!(instance.level(&variables), "\"error\"");
        variables.push((MERGE, &warn));
        assert_eq!(instance.level(&variables), "\"warn\"");
        variables.push(("LOGGING_LEVEL", "trace"));
        assert_eq!(instance.level(&variables), "\"trace\"");
        variables.push((SET, &debug));
        assert_eq!(instance.level(&variables), "\"debug\"");
        instance.edit("logging_level", "fatal");
        assert_eq!(instance.level(&variables), "\"debug\"");
    }

    #[test]
    fn defaults_yield_to_what_was_there_and_to_the_user() {
        let (error, warn) = (level("error"), level("warn"));
        let instance = Instance::new();
        assert_eq!(instance.level(&[]), "\"info\"");
        assert_eq!(instance.level(&[(DEFAULT, &error)]), "\"info\"", "the file has it already");
        let app = r#"{"my-app":{"package":"a","port":9}}"#;
        assert_eq!(instance.value(&[(DEFAULT, app)], "my-app.port"), "9");
        assert_eq!(instance.value(&[(DEFAULT, r#"{"my-app":{"port":10}}"#)], "my-app"), r#"{"port":10}"#);

        let instance = Instance::new();
        assert_eq!(instance.level(&[(DEFAULT, &error)]), "\"error\"");
        assert_eq!(instance.level(&[(DEFAULT, &warn)]), "\"warn\"", "it is its own");
        instance.edit("logging_level", "fatal");
        for _ in 0..2 {
            assert_eq!(instance.level(&[(DEFAULT, &error)]), "\"fatal\"");
        }
        assert_eq!(instance.level(&[]), "\"fatal\"");
    }

    #[test]
    fn a_default_that_is_not_named_any_more_gives_way_to_that_of_the_server() {
        let instance = Instance::new();
        assert_eq!(instance.level(&[(DEFAULT, &level("error"))]), "\"error\"");
        assert_eq!(instance.level(&[]), "\"info\"");
    }

    #[test]
    fn what_was_merged_is_taken_back() {
        let instance = Instance::new();
        instance.start(&[]).unwrap();
        instance.edit("logging_level", "fatal");
        let merged = r#"{"logging":{"level":"warn"},"my-app":{"port":9}}"#;
        assert_eq!(instance.level(&[(MERGE, merged)]), "\"warn\"");
        instance.edit("logging_level", "debug");
        assert_eq!(instance.level(&[(MERGE, merged)]), "\"warn\"", "it counts at every start");
        let part = r#"{"my-app":{"port":9}}"#;
        assert_eq!(instance.level(&[(MERGE, part)]), "\"fatal\"", "as it was before");
        assert_eq!(instance.value(&[], "my-app.port"), "absent");
    }

    #[test]
    fn what_was_enforced_is_removed() {
        let instance = Instance::new();
        instance.start(&[]).unwrap();
        instance.edit("logging_level", "fatal");
        let set = r#"{"logging":{"level":"warn"},"my-app":{"port":9}}"#;
        assert_eq!(instance.level(&[(SET, set)]), "\"warn\"");
        assert_eq!(instance.level(&[(MERGE, &level("error"))]), "\"error\"", "the next one has its turn");
        assert_eq!(instance.value(&[], "my-app"), "absent");
        assert_eq!(instance.level(&[]), "\"info\"");
    }

    #[test]
    fn values_are_of_any_kind_and_checked_like_all_others() {
        let instance = Instance::new();
        let set = r#"{"http":{"corsAccessList":["https://a.example"]},"a":{"b.c":{"d":1}},"rootPath":"/elsewhere"}"#;
        let config = instance.start(&[(SET, set)]).unwrap();
        assert_eq!(config.value("http.corsAccessList").unwrap().to_json(), r#"["https://a.example"]"#);
        assert_eq!(config.value("a").unwrap().to_json(), r#"{"b.c":{"d":1}}"#);
        assert_eq!(config.root_path, instance.0.path());
        assert_eq!(config.value("rootPath").and_then(Value::as_str), instance.0.path().to_str());
        let wrong = instance.start(&[(SET, r#"{"http":{"cors":"perhaps"}}"#)]).unwrap_err().to_string();
        assert_eq!(wrong, "HarperDB config file validation error: 'http.cors' must be a boolean");
        for text in ["{", "[]", "1", "null", "\"secret\""] {
            let wrong = instance.start(&[(MERGE, text)]).unwrap_err().to_string();
            assert_eq!(wrong, "HARPER_CONFIG must be a JSON object");
        }
        assert_eq!(instance.value(&[(SET, set)], "http.cors"), "true", "nothing came of all that");
    }

    #[test]
    fn only_what_has_changed_is_written_and_a_broken_state_does_no_harm() {
        let instance = Instance::new();
        instance.start(&[(SET, " ")]).unwrap();
        assert!(!instance.state().exists());
        let set = level("warn");
        instance.start(&[(SET, &set)]).unwrap();
        let written = std::fs::metadata(instance.state()).unwrap().modified().unwrap();
        instance.start(&[(SET, &set)]).unwrap();
        assert_eq!(std::fs::metadata(instance.state()).unwrap().modified().unwrap(), written);
        std::fs::write(instance.state(), "{").unwrap();
        assert_eq!(instance.level(&[(SET, &set)]), "\"warn\"");
        assert_eq!(instance.value(&[], "logging.level"), "\"info\"");
    }
}
