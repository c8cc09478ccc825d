//! The text of a configuration file: YAML that is changed in place, so that comments and the order of keys stay.
//!
//! Only the lines of what changes are written again. Whether that came out right is checked by reading the result:
//! where it did not (flow style, texts over several lines, anchors), the whole tree is printed anew below the comment
//! the file begins with.

use super::lines;
use crate::value::{Object, Value};
use yaml_serde::Value as Yaml;

/// A configuration file's text with the tree it stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    text: String,
    tree: Object,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// Why it is not a YAML mapping.
    pub fn parse(text: &str) -> Result<Document, String> {
        Ok(Document { text: text.to_owned(), tree: parse_tree(text)? })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text stands for.
    pub fn tree(&self) -> &Object {
        &self.tree
    }

    /// The value at the end of a path of keys.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        at(&self.tree, path)
    }

    /// Sets the value at the end of a path. Sections that are missing are added at the end of theirs; what stands in
    /// the way and is no section is replaced by one. An empty path is left alone.
    pub fn set(&mut self, path: &[&str], value: Value) {
        if path.is_empty() || self.get(path) == Some(&value) {
            return;
        }
        let mut tree = self.tree.clone();
        put(&mut tree, path, value);
        let edited = lines::set(&self.text, &tree, path);
        self.replace(edited, tree);
    }

    /// Takes the value at the end of a path away; tells whether there was one.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let mut tree = self.tree.clone();
        if !take(&mut tree, path) {
            return false;
        }
        let edited = lines::remove(&self.text, &tree, path);
        self.replace(edited, tree);
        true
    }

    fn replace(&mut self, edited: Option<String>, tree: Object) {
        let right = edited.filter(|text| parse_tree(text).as_ref() == Ok(&tree));
        self.text = right.unwrap_or_else(|| lines::whole(&self.text, &tree));
        self.tree = tree;
    }
}

/// The value at the end of a path of keys.
pub fn at<'t>(tree: &'t Object, path: &[&str]) -> Option<&'t Value> {
    let (last, sections) = path.split_last()?;
    let mut section = tree;
    for key in sections {
        section = section.get(*key)?.as_object()?;
    }
    section.get(*last)
}

/// Puts a value at the end of a path, making sections on the way.
pub fn put(tree: &mut Object, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => drop(tree.insert((*last).to_owned(), value)),
        [first, rest @ ..] => {
            let section = tree.entry((*first).to_owned()).or_insert_with(|| Value::Object(Object::new()));
            if !matches!(section, Value::Object(_)) {
                *section = Value::Object(Object::new());
            }
            if let Value::Object(section) = section {
                put(section, rest, value);
            }
        }
    }
}

fn take(tree: &mut Object, path: &[&str]) -> bool {
    match path {
        [] => false,
        [last] => tree.shift_remove(*last).is_some(),
        [first, rest @ ..] => match tree.get_mut(*first) {
            Some(Value::Object(section)) => take(section, rest),
            _ => false,
        },
    }
}

fn parse_tree(text: &str) -> Result<Object, String> {
    let yaml: Yaml = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    match value_of(&yaml)? {
        Value::Object(tree) => Ok(tree),
        Value::Null => Ok(Object::new()),
        _ => Err("it holds something else than keys and values".to_owned()),
    }
}

fn value_of(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(*flag),
        Yaml::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(value_of).collect::<Result<_, _>>()?),
        Yaml::Mapping(members) => {
            let mut object = Object::new();
            for (key, value) in members {
                object.insert(key_of(key)?, value_of(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => value_of(&tagged.value)?,
    })
}

fn key_of(key: &Yaml) -> Result<String, String> {
    match value_of(key)? {
        Value::String(text) => Ok(text),
        Value::Array(_) | Value::Object(_) => Err("a key is neither text nor number".to_owned()),
        scalar => Ok(scalar.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use proptest::prelude::*;

    const FILE: &str = "\
# The configuration of one instance.
http:
  port: 9926 # where applications answer
  cors: true
  corsAccessList:
    - '*'

# How much is told.
logging:
  level: info
  rotation:
    maxSize: 64M   # then a new file
    interval: null
threads: 4
tls:
  - certificate: a.pem
    privateKey: a.key
";

    fn json(text: &str) -> Value {
        parse_json(text.as_bytes()).unwrap()
    }

    fn changed(path: &[&str], value: &str) -> String {
        let mut document = Document::parse(FILE).unwrap();
        document.set(path, json(value));
        assert_eq!(Document::parse(document.text()).unwrap().tree(), document.tree());
        document.text().to_owned()
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let text = changed(&["http", "port"], "9930");
        assert_eq!(text, FILE.replace("9926", "9930"));
        let text = changed(&["logging", "rotation", "maxSize"], "\"8M\"");
        assert_eq!(text, FILE.replace("maxSize: 64M   # then", "maxSize: 8M # then"));
        let text = changed(&["http", "corsAccessList"], r#"["https://a.example","true"]"#);
        assert_eq!(text, FILE.replace("    - '*'\n", "    - https://a.example\n    - 'true'\n"));
        let text = changed(&["http", "corsAccessList"], "[]");
        assert_eq!(text, FILE.replace("corsAccessList:\n    - '*'\n", "corsAccessList: []\n"));
    }

    #[test]
    fn new_keys_go_to_the_end_of_their_section() {
        let text = changed(&["http", "timeout"], "95000.5");
        assert_eq!(text, FILE.replace("    - '*'\n", "    - '*'\n  timeout: 95000.5\n"));
        let text = changed(&["logging", "rotation", "compress"], "true");
        assert_eq!(text, FILE.replace("interval: null\n", "interval: null\n    compress: true\n"));
        let text = changed(&["my-app", "install", "command"], "\"npm ci: now\"");
        assert_eq!(text, format!("{FILE}my-app:\n  install:\n    command: 'npm ci: now'\n"));
    }

    #[test]
    fn what_stands_in_the_way_becomes_a_section() {
        let text = changed(&["threads", "count"], "2");
        assert_eq!(text, FILE.replace("threads: 4\n", "threads:\n  count: 2\n"));
        let text = changed(&["threads"], "8");
        assert_eq!(text, FILE.replace("threads: 4", "threads: 8"));
        let text = changed(&["tls", "certificate"], "null");
        assert!(text.ends_with("tls:\n  certificate: null\n"), "{text}");
    }

    #[test]
    fn sections_are_removed_with_their_lines_only() {
        let mut document = Document::parse(FILE).unwrap();
        assert!(document.remove(&["tls"]) && !document.remove(&["tls"]));
        assert!(document.remove(&["http", "corsAccessList"]));
        assert!(!document.remove(&["http", "none", "deeper"]));
        let expected = FILE
            .replace("  corsAccessList:\n    - '*'\n", "")
            .replace("tls:\n  - certificate: a.pem\n    privateKey: a.key\n", "");
        assert_eq!(document.text(), expected);
        for key in ["level", "rotation"] {
            document.remove(&["logging", key]);
        }
        assert_eq!(document.get(&["logging"]), Some(&json("{}")));
        assert!(
            document.text().contains("# How much is told.\nlogging: {}\nthreads: 4\n"),
            "{}",
            document.text()
        );
    }

    #[test]
    fn other_styles_are_understood_and_the_first_comment_stays() {
        for text in [
            "# kept\nhttp: {port: 1, cors: true}\nother: 1\n",
            "# kept\n---\n\"http\":\n    port: 1 # here\nother: |\n  port: 2\n  # no comment\n",
            "# kept\nhttp:\n  'port' : 1\nother: [1,\n2]\n",
            "# kept\nbase: &base\n  port: 1\nhttp: *base\n",
            "# kept\r\nhttp:\r\n  port: 1\r\n",
        ] {
            let mut document = Document::parse(text).unwrap();
            let others = document.tree().keys().cloned().collect::<Vec<_>>();
            document.set(&["http", "port"], Value::Number(7.0));
            let read = Document::parse(document.text()).unwrap();
            assert_eq!(read.get(&["http", "port"]), Some(&Value::Number(7.0)), "{}", document.text());
            assert_eq!(read.tree().keys().cloned().collect::<Vec<_>>(), others);
            assert!(document.text().starts_with("# kept"), "{}", document.text());
        }
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for text in ["- a\n", "text", "a: b: c", "a: [", "? [1]\n: 2\n"] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
        for text in ["", "# only a comment\n", "null\n"] {
            assert!(Document::parse(text).unwrap().tree().is_empty());
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_filter("a number", |n| !n.is_nan()).prop_map(Value::Number),
            any::<i32>().prop_map(|n| Value::Number(f64::from(n))),
            prop_oneof![".*", "[ -~]*", "(null|~|true|no|1e3|0x1F|1_000|- a|a: b|# c|'|\")[ \n]?"]
                .prop_map(Value::String),
        ];
        scalar.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[a-z#: -]{1,6}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever is set is read back, next to everything that was there.
        #[test]
        fn edits_are_what_they_say(
            edits in prop::collection::vec((prop::collection::vec("[a-c]{1,2}|[ -~]{1,4}", 1..4), prop::option::of(value())), 1..6),
        ) {
            let mut document = Document::parse(FILE).unwrap();
            for (path, value) in edits {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                match value {
                    Some(value) => {
                        document.set(&path, value.clone());
                        prop_assert_eq!(document.get(&path), Some(&value));
                    }
                    None => {
                        document.remove(&path);
                        prop_assert_eq!(document.get(&path), None);
                    }
                }
                let read = Document::parse(document.text());
                prop_assert_eq!(read.as_ref().map(Document::tree), Ok(document.tree()), "{}", document.text());
            }
        }
    }
}
