//! Putting a configuration together: defaults, then the file, then the environment, then flags.

use super::Config;
use super::file::FILE_NAME;
use super::settings::{SETTINGS, Setting};
use std::path::{Path, PathBuf};
use yaml_serde::Value as Yaml;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {error}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no YAML mapping.
    #[error("{path} is not a YAML mapping: {error}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A setting's value is not one.
    #[error("{name}: {fault}")]
    Setting {
        /// The setting, as it was given.
        name: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl From<ConfigError> for crate::error::OperationError {
    fn from(error: ConfigError) -> Self {
        Self::internal(error)
    }
}

/// Completes `config` from its root folder's file, if there is one, and from `given`: the text of a setting from the
/// environment or a flag, by its name.
///
/// # Errors
/// When the file or a value cannot be used.
pub fn load(mut config: Config, given: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let file = read_file(&config.root_path.join(FILE_NAME))?;
    for setting in SETTINGS {
        if setting.in_file
            && let Some(text) = file.as_ref().and_then(|file| text_at(file, setting.key))
        {
            apply(setting, setting.key, &mut config, &text)?;
        }
        if let Some(text) = given(setting.name) {
            apply(setting, setting.name, &mut config, &text)?;
        }
    }
    Ok(config)
}

fn apply(setting: &Setting, name: &str, config: &mut Config, text: &str) -> Result<(), ConfigError> {
    setting.apply(config, text).map_err(|fault| ConfigError::Setting { name: name.to_owned(), fault })
}

fn read_file(path: &Path) -> Result<Option<Yaml>, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ConfigError::Unreadable { path: path.to_owned(), error }),
    };
    let malformed = |error: String| ConfigError::Malformed { path: path.to_owned(), error };
    match yaml_serde::from_str(&text).map_err(|error| malformed(error.to_string()))? {
        Yaml::Null => Ok(None),
        file @ Yaml::Mapping(_) => Ok(Some(file)),
        _ => Err(malformed("it holds something else".to_owned())),
    }
}

/// The text of a value in the file; lists with commas between their members.
fn text_at(file: &Yaml, key: &str) -> Option<String> {
    let mut value = file;
    for level in key.split('.') {
        value = value.get(level)?;
    }
    scalar_text(value).or_else(|| {
        let members: Option<Vec<String>> = value.as_sequence()?.iter().map(scalar_text).collect();
        Some(members?.join(","))
    })
}

fn scalar_text(value: &Yaml) -> Option<String> {
    match value {
        Yaml::Null => Some("null".to_owned()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_environment_beat_the_file_which_beats_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let text = "operationsApi:\n  network:\n    port: 1234\n    corsAccessList:\n      - https://a.example\n      - https://b.example\nauthentication:\n  cacheTTL: 5\n";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let given = |name: &str| (name == "OPERATIONSAPI_NETWORK_PORT").then(|| "4321".to_owned());
        let config = load(Config::new(folder.path()), given).unwrap();
        assert_eq!(config.network.port, Some(4321));
        assert_eq!(config.network.cors_access_list, ["https://a.example", "https://b.example"]);
        assert_eq!(config.authentication.cache_ttl.as_millis(), 5);
        assert_eq!(config.network.keep_alive_timeout.as_millis(), 30_000);
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let given = |name: &str| (name == "AUTHENTICATION_AUTHORIZELOCAL").then(|| "yes".to_owned());
        let error = load(Config::new(folder.path()), given).unwrap_err();
        assert_eq!(error.to_string(), "AUTHENTICATION_AUTHORIZELOCAL: 'yes' is neither true nor false");
        std::fs::write(folder.path().join(FILE_NAME), "- a\n").unwrap();
        assert!(load(Config::new(folder.path()), |_| None).is_err());
    }
}
