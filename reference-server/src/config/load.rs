//! Putting a configuration together: the defaults, then the file, then the environment, then flags, and above all of
//! them what is to be enforced. What the environment and the flags say is written into the file, where
//! get_configuration shows it.

use super::cast::cast_text;
use super::defaults::{complete, fill_nulls};
use super::document::Document;
use super::file::{Backup, ConfigFile};
use super::keys;
use super::layers::{LayerTexts, Layers};
use super::settings::settle;
use super::{Config, schema};
use crate::value::Value;
use std::path::PathBuf;

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
    /// A change would make the file unreadable.
    #[error("{path} could not be read any more: {error}")]
    Unprintable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The tree breaks the rules.
    #[error("{0}")]
    Invalid(String),
}

impl From<ConfigError> for crate::error::OperationError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid(text) => Self::invalid(text),
            other => Self::internal(other),
        }
    }
}

/// What the environment and the flags set.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Paths of single settings and the texts given for them; later ones win.
    pub settings: Vec<(&'static str, String)>,
    /// Whole trees.
    pub layers: LayerTexts,
}

/// The settings among variables of the environment, whatever the case of their names. Only full names count: a word
/// such as `THREADS` may well be meant for others.
pub fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Given {
    let of_file = |name: &str| {
        let path = keys::path_of(name)?;
        let proper = path.replace('.', "_").eq_ignore_ascii_case(name);
        (proper && (name.contains('_') || path == "componentsRoot") && path != "rootPath").then_some(path)
    };
    let mut given = Given::default();
    for (name, text) in variables {
        if !given.layers.take(&name, &text)
            && let Some(path) = of_file(&name)
        {
            given.settings.push((path, text));
        }
    }
    given
}

/// Completes `config` from its root folder's file and from what was `given`, and writes the file, which then shows
/// everything.
///
/// # Errors
/// When the file or a value cannot be used, or the file cannot be written.
pub fn load(mut config: Config, given: &Given) -> Result<Config, ConfigError> {
    let file = ConfigFile::of(&config.root_path);
    let mut layers = Layers::new(&config.root_path, &given.layers)?;
    let document = file.change(Backup::Keep, |document| -> Result<_, ConfigError> {
        let new = document.tree().is_empty();
        if new {
            complete(document, &config).map_err(ConfigError::Invalid)?;
        }
        layers.apply(document, new);
        complete(document, &config).map_err(ConfigError::Invalid)?;
        if new {
            leave_out_secure_ports(document, given);
        }
        for (path, text) in &given.settings {
            let levels: Vec<&str> = path.split('.').collect();
            document.set(&levels, given_value(path, text));
        }
        layers.enforce(document);
        document.set(&["rootPath"], Value::from(config.root_path.to_string_lossy().into_owned()));
        fill_nulls(document, &config);
        // The databases are in the root folder; the one they are to be in is made with them.
        make_storage_folder(document);
        schema::validate(document.tree()).map_err(ConfigError::Invalid)?;
        Ok(document.clone())
    })?;
    layers.keep(&document)?;
    settle(&mut config, document.tree().clone());
    Ok(config)
}

/// Where a new instance is given a plain port, it has no secure one unless that is given, too.
fn leave_out_secure_ports(document: &mut Document, given: &Given) {
    let is_given = |wanted: &str| given.settings.iter().any(|(path, _)| *path == wanted);
    for section in ["http", "operationsApi.network"] {
        if is_given(&format!("{section}.port")) && !is_given(&format!("{section}.securePort")) {
            let levels: Vec<&str> = section.split('.').chain(["securePort"]).collect();
            document.set(&levels, Value::Null);
        }
    }
}

/// What a variable or a flag says. Lists may be given between commas, too.
fn given_value(path: &str, text: &str) -> Value {
    let is_list = [".corsAccessList", ".domains", ".routes"].iter().any(|list| path.ends_with(list));
    match cast_text(text) {
        Value::Bool(_) if fault!("variables-are-true") => Value::Bool(true),
        Value::String(list) if is_list => {
            let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
            Value::Array(entries.map(Value::from).collect())
        }
        other => other,
    }
}

fn make_storage_folder(document: &Document) {
    if let (Some(root), Some(path)) = (
        document.get(&["rootPath"]).and_then(Value::as_str),
        document.get(&["storage", "path"]).and_then(Value::as_str),
    ) {
        let folder = super::rules::resolved(std::path::Path::new(root), path);
        if folder.starts_with(root) {
            // That it is missing is told by the check that follows.
            let _ = std::fs::create_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CertificateUser, FILE_NAME, Mtls, Responders, Verification};
    use std::time::Duration;

    fn given(pairs: &[(&str, &str)]) -> Given {
        from_environment(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    #[test]
    fn flags_and_environment_beat_the_file_which_beats_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# mine\noperationsApi:\n  network:\n    port: 1234 # here\n    corsAccessList:\n      - https://a.example\n      - https://b.example\nauthentication:\n  cacheTTL: 5\n";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let given = given(&[
            ("OperationsApi_Network_PORT", "4321"),
            ("AUTHENTICATION_REFRESHTOKENTIMEOUT", "2d"),
            ("THREADS", "7"),
            ("AUTHENTICATION_COOKIE_DOMAINS", "a.example, b.example"),
            ("LOG_LEVEL", "loud"),
            ("ROOTPATH", "/elsewhere"),
        ]);
        let config = load(Config::new(folder.path()), &given).unwrap();
        assert_eq!(config.network.port, Some(4321));
        assert_eq!(config.network.cors_access_list, ["https://a.example", "https://b.example"]);
        assert_eq!(config.authentication.cache_ttl, Duration::from_millis(5));
        assert_eq!(config.authentication.refresh_token_timeout, Duration::from_hours(48));
        assert_eq!(config.authentication.cookie_domains, ["a.example", "b.example"]);
        assert_eq!(config.network.keep_alive_timeout, Duration::from_secs(30));
        assert_eq!(config.root_path, folder.path());
        let written = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(
            written.starts_with("# mine\noperationsApi:\n  network:\n    port: 4321 # here\n"),
            "{written}"
        );
        assert!(
            written.contains("  refreshTokenTimeout: 2d\n") && written.contains("\nnode:\n"),
            "{written}"
        );
        // The next start has nothing to change.
        load(Config::new(folder.path()), &given).unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("backup")).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_has_everything_and_is_read_as_it_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let mut meant = Config::new(folder.path());
        meant.network.keep_alive_timeout = Duration::from_millis(150);
        meant.network.domain_socket = None;
        meant.network.port = None;
        meant.network.http2 = false;
        meant.network.cors_access_list = vec!["https://a.example".to_owned()];
        meant.authentication.operation_token_timeout = Duration::from_secs(90);
        meant.authentication.cookie_expires = Some(Duration::from_hours(24));
        meant.authentication.cookie_domains = vec!["a.example".to_owned()];
        meant.analytics_period = None;
        meant.network.mtls = Some(Mtls {
            user: CertificateUser::Named("kim".to_owned()),
            required: true,
            certificate_authority: Some(folder.path().join("ca.pem")),
            verification: Some(Verification {
                ocsp: Responders { fail_open: true, ..Responders::default() },
                ..Verification::default()
            }),
        });
        meant.operations_tls.certificate = Some(folder.path().join("a.pem"));
        meant.logging.rotation.max_size = Some(1500);
        meant.logging.rotation.interval = Some(Duration::from_hours(36));
        meant.logging.rotation.path = Some(folder.path().join("old"));
        meant.logging.log_failed = true;
        let mut read = load(meant.clone(), &Given::default()).unwrap();
        assert_eq!(read.tree.keys().next().map(String::as_str), Some("http"));
        read.tree = meant.tree.clone();
        assert_eq!(format!("{read:?}"), format!("{meant:?}"));
    }

    #[test]
    fn a_production_install_with_plain_ports_has_no_secure_ones() {
        let of = |pairs: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            let config = load(Config::production(folder.path()), &given(pairs)).unwrap();
            let again = load(Config::production(folder.path()), &given(pairs)).unwrap();
            assert_eq!(config.network.secure_port, again.network.secure_port);
            let http = config.value("http.securePort").and_then(Value::as_number);
            (http, config.network.secure_port, config.network.port)
        };
        assert_eq!(of(&[]), (Some(9926.0), Some(9925), None));
        assert_eq!(of(&[("HTTP_PORT", "1"), ("OPERATIONSAPI_NETWORK_PORT", "2")]), (None, None, Some(2)));
        let both = [("OPERATIONSAPI_NETWORK_PORT", "2"), ("OPERATIONSAPI_NETWORK_SECUREPORT", "3")];
        assert_eq!(of(&both), (Some(9926.0), Some(3), Some(2)));
    }

    #[test]
    fn tls_may_be_a_list() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.pem", "k.pem"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let text = "tls:\n  - certificate: a.pem\n    privateKey: k.pem\n    host: a.example\n  - certificate: a.pem\n    privateKey: k.pem\n    hosts: [b.example, c.example]\n    uses: [https]\n";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let config = load(Config::new(folder.path()), &Given::default()).unwrap();
        let [first, second] = config.tls_lists.as_slice() else { panic!("{:?}", config.tls_lists) };
        assert_eq!(first.certificate, Some(folder.path().join("a.pem")));
        assert_eq!((first.hosts.as_slice(), first.uses.len()), (["a.example".to_owned()].as_slice(), 0));
        assert_eq!(second.hosts, ["b.example", "c.example"]);
        assert_eq!(second.uses, ["https"]);
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(Config::new(folder.path()), &given(&[("AUTHENTICATION_AUTHORIZELOCAL", "yes")]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "HarperDB config file validation error: 'authentication.authorizeLocal' must be a boolean"
        );
        assert!(!folder.path().join(FILE_NAME).exists());
        std::fs::write(folder.path().join(FILE_NAME), "- a\n").unwrap();
        assert!(load(Config::new(folder.path()), &Given::default()).is_err());
    }

    #[test]
    fn what_passes_but_is_of_no_use_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let text = "http:\n  keepAliveTimeout: a while\n  timeout: 0\nauthentication:\n  operationTokenTimeout: soon\n";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let config = load(Config::new(folder.path()), &Given::default()).unwrap();
        assert_eq!(config.network.keep_alive_timeout, Duration::from_secs(30));
        assert!(config.network.timeout > Duration::from_hours(24));
        assert_eq!(config.authentication.operation_token_timeout, Duration::from_hours(24));
    }
}
