//! SSH keys for fetching packages: `ssh/NAME.key`, one block each in `ssh/config`, and `ssh/known_hosts`, all
//! readable by their owner only. The text of a key goes into its file and nowhere else.

use super::ssh_config::{Host, block, host_of, with_block, without_block};
use crate::error::OperationError;
use parking_lot::Mutex;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The public keys by which github.com identifies itself, so that its first use asks nobody.
const GITHUB: &str = "\
github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=
";

/// The keys of an instance.
#[derive(Debug)]
pub struct SshKeys {
    folder: PathBuf,
    changing: Mutex<()>,
}

impl SshKeys {
    /// The keys kept in `folder`, which is made when it is needed.
    pub(super) fn new(folder: PathBuf) -> SshKeys {
        SshKeys { folder, changing: Mutex::default() }
    }

    /// Adds a key for a host.
    ///
    /// # Errors
    /// When there is a key of that name already.
    pub fn add(
        &self,
        name: &str,
        key: &str,
        host: Host<'_>,
        known_hosts: Option<&str>,
    ) -> Result<(), OperationError> {
        let _alone = self.changing.lock();
        let path = self.key_file(name);
        if path.exists() {
            return Err(OperationError::invalid(format!("SSH key '{name}' already exists")));
        }
        look_at(name, key);
        let config = with_block(&self.text("config")?.unwrap_or_default(), name, &block(name, host, &path));
        let known = self.text("known_hosts")?.unwrap_or_default();
        let known = more_known_hosts(&known, host.hostname, known_hosts.unwrap_or_default());
        self.write(&path, key)?;
        self.write(&self.folder.join("config"), &config)?;
        self.write(&self.folder.join("known_hosts"), &known)
    }

    /// Replaces a key's text and, when they are given, the names of its host.
    ///
    /// # Errors
    /// When there is no key of that name.
    pub fn update(
        &self,
        name: &str,
        key: &str,
        host: Option<&str>,
        hostname: Option<&str>,
        known_hosts: Option<&str>,
    ) -> Result<(), OperationError> {
        let _alone = self.changing.lock();
        let path = self.existing(name)?;
        look_at(name, key);
        self.write(&path, key)?;
        if host.is_some() || hostname.is_some() {
            let config = self.text("config")?.unwrap_or_default();
            let (old_host, old_hostname) = host_of(&config, name).unwrap_or_default();
            let host = Host { host: host.unwrap_or(&old_host), hostname: hostname.unwrap_or(&old_hostname) };
            let config = with_block(&config, name, &block(name, host, &path));
            self.write(&self.folder.join("config"), &config)?;
        }
        if let Some(more) = known_hosts.filter(|more| !more.is_empty()) {
            let known = self.text("known_hosts")?.unwrap_or_default();
            self.write(&self.folder.join("known_hosts"), &joined(&known, more))?;
        }
        Ok(())
    }

    /// Deletes a key and its block; the known hosts stay.
    ///
    /// # Errors
    /// When there is no key of that name.
    pub fn delete(&self, name: &str) -> Result<(), OperationError> {
        let _alone = self.changing.lock();
        let path = self.existing(name)?;
        let config = without_block(&self.text("config")?.unwrap_or_default(), name);
        self.write(&self.folder.join("config"), &config)?;
        Ok(fs::remove_file(path)?)
    }

    /// The names of all keys, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, OperationError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(".key")).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Replaces the known hosts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_known_hosts(&self, text: &str) -> Result<(), OperationError> {
        let _alone = self.changing.lock();
        self.write(&self.folder.join("known_hosts"), text)
    }

    /// The known hosts; `None` before there were any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn known_hosts(&self) -> Result<Option<String>, OperationError> {
        self.text("known_hosts")
    }

    /// What `GIT_SSH_COMMAND` is to be for these keys; `None` when there are none.
    pub(super) fn command(&self) -> Option<String> {
        let any = self.names().is_ok_and(|names| !names.is_empty());
        let quoted = |file: &str| quoted(&self.folder.join(file));
        any.then(|| format!("ssh -F {} -o UserKnownHostsFile={}", quoted("config"), quoted("known_hosts")))
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    fn existing(&self, name: &str) -> Result<PathBuf, OperationError> {
        let path = self.key_file(name);
        if path.exists() {
            Ok(path)
        } else {
            Err(OperationError::invalid(format!("SSH key '{name}' does not exist")))
        }
    }

    fn text(&self, file: &str) -> Result<Option<String>, OperationError> {
        match fs::read(self.folder.join(file)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file beside and renames it, so that it is whole and private at every moment.
    fn write(&self, path: &Path, text: &str) -> Result<(), OperationError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Tells the log of a text that will not do as a key. It is taken all the same: `ssh` knows more kinds than are
/// known here.
fn look_at(name: &str, key: &str) {
    if ssh_key::PrivateKey::from_openssh(key).is_err() && !key.contains("PRIVATE KEY-----") {
        tracing::warn!(name, "the text of an SSH key is no private key");
    }
}

fn more_known_hosts(known: &str, hostname: &str, more: &str) -> String {
    let mut text = known.to_owned();
    if hostname == "github.com" && !known.contains("github.com") && !more.contains("github.com") {
        text = joined(&text, GITHUB);
    }
    joined(&text, more)
}

/// Two texts of whole lines.
fn joined(text: &str, more: &str) -> String {
    let between = if text.is_empty() || text.ends_with('\n') || more.is_empty() { "" } else { "\n" };
    format!("{text}{between}{more}")
}

/// A path as one word of a shell's command.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
