//! What set_configuration does to the file: keys in any case, joined by `_`, each with a value.

use super::cast::cast;
use super::defaults::fill_nulls;
use super::document::{Document, at};
use super::file::{Backup, ConfigFile};
use super::load::ConfigError;
use super::{Config, keys, schema};
use crate::value::{Object, Value, number_text};

/// Keys of components may not lead deeper than this.
const MOST_LEVELS: usize = 8;
/// Values may not nest more deeply than this.
const MOST_DEPTH: usize = 32;

/// Sets the known keys of a request in the configuration file; the others are ignored (CONF-SET-CONFIGURATION-001 to
/// 007). `running` is the configuration in force. Blocks.
///
/// # Errors
/// What is wrong with the resulting tree; nothing is written then. Or when the file cannot be read or written.
pub fn set(file: &ConfigFile, running: &Config, request: &Object) -> Result<(), ConfigError> {
    file.change(Backup::Keep, |document| {
        let before = document.clone();
        for (name, value) in request {
            change(document, running, name, value)?;
        }
        if *document == before {
            return Ok(());
        }
        schema::validate(document.tree()).map_err(ConfigError::Invalid)?;
        fill_nulls(document, running);
        Ok(())
    })
}

fn change(document: &mut Document, running: &Config, name: &str, value: &Value) -> Result<(), ConfigError> {
    let Some(path) = keys::path_of(name) else {
        // Components have settings of their own, which nobody else knows.
        let levels: Vec<&str> = name.split('_').collect();
        let of_component = name.ends_with("_package") || name.ends_with("_port");
        if of_component && levels.len() <= MOST_LEVELS && levels.iter().all(|level| !level.is_empty()) {
            document.set(&levels, shallow(name, cast(value))?);
        }
        return Ok(());
    };
    free_port(document, running, path, value);
    let value = shallow(path, cast(value))?;
    match path {
        "databases" => set_databases(document, value),
        "rootPath" => {
            let trimmed = value.as_str().map(|text| text.strip_suffix('/').unwrap_or(text).to_owned());
            document.set(&["rootPath"], trimmed.map_or(value, Value::from));
        }
        _ => {
            let levels: Vec<&str> = path.split('.').collect();
            // A bare number of threads is the count of a section that is made now.
            if path.starts_with("threads.")
                && let Some(Value::Number(count)) = document.get(&["threads"]).cloned()
            {
                document.set(&["threads", "count"], Value::Number(count));
            }
            document.set(&levels, value);
        }
    }
    Ok(())
}

/// A secure port that is given as text and is the plain port in force takes its place.
fn free_port(document: &mut Document, running: &Config, path: &str, value: &Value) {
    let plain: &[&str] = match path {
        "http.securePort" => &["http", "port"],
        "operationsApi.network.securePort" => &["operationsApi", "network", "port"],
        _ => return,
    };
    if let (Some(Value::Number(port)), Value::String(text)) = (at(&running.tree, plain), value)
        && number_text(*port) == *text
    {
        document.set(plain, Value::Null);
    }
}

fn set_databases(document: &mut Document, value: Value) {
    let sections: Vec<Object> = match value {
        Value::Object(section) => vec![section],
        Value::Array(items) => items.into_iter().filter_map(|item| item.as_object().cloned()).collect(),
        _ => return,
    };
    for (database, settings) in sections.into_iter().flatten() {
        let Value::Object(settings) = settings else { continue };
        for (key, value) in settings {
            match (key.as_str(), value) {
                ("tables", Value::Object(tables)) => {
                    for (table, settings) in tables {
                        for (key, value) in settings.as_object().cloned().unwrap_or_default() {
                            document.set(&["databases", &database, "tables", &table, &key], value);
                        }
                    }
                }
                (key, value) => document.set(&["databases", &database, key], value),
            }
        }
    }
}

pub(super) fn shallow(name: &str, value: Value) -> Result<Value, ConfigError> {
    if depth(&value) > MOST_DEPTH {
        return Err(ConfigError::Invalid(format!("The value of '{name}' is nested too deeply")));
    }
    Ok(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
