//! The configuration file on disk: read, and changed by one at a time.

use super::document::Document;
use super::load::ConfigError;
use crate::value::iso_text;
use parking_lot::Mutex;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The configuration file's name inside the root folder.
pub const FILE_NAME: &str = "harperdb-config.yaml";

/// What happens to the old file when a changed one takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backup {
    /// It is copied to the folder `backup`.
    Keep,
    /// It is gone.
    Drop,
}

/// The configuration file of an instance.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    backups: PathBuf,
    turn: Mutex<()>,
}

impl ConfigFile {
    /// The file of the instance under `root`; it need not exist yet.
    pub fn of(root: &Path) -> ConfigFile {
        ConfigFile { path: root.join(FILE_NAME), backups: root.join("backup"), turn: Mutex::new(()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it exists.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Its content; nothing when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read or is no YAML mapping.
    pub fn read(&self) -> Result<Document, ConfigError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
            Err(error) => return Err(ConfigError::Unreadable { path: self.path.clone(), error }),
        };
        Document::parse(&text).map_err(|error| ConfigError::Malformed { path: self.path.clone(), error })
    }

    /// Lets `work` change the content and writes it when it did: whole or not at all. Blocks.
    ///
    /// # Errors
    /// What `work` fails with, and nothing is written then; or when the file cannot be read or written.
    pub fn change<T, E: From<ConfigError>>(
        &self,
        backup: Backup,
        work: impl FnOnce(&mut Document) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.turn.lock();
        let before = self.read()?;
        let mut after = before.clone();
        let result = work(&mut after)?;
        if after != before {
            let read = Document::parse(after.text());
            if let Some(error) = match read {
                Ok(read) => (read.tree() != after.tree()).then(|| "it would say something else".to_owned()),
                Err(error) => Some(error),
            } {
                return Err(ConfigError::Unprintable { path: self.path.clone(), error }.into());
            }
            let written = match backup {
                Backup::Keep if !fault!("old-settings-not-kept") => self.keep_old(),
                Backup::Keep | Backup::Drop => Ok(()),
            };
            written
                .and_then(|()| persist(&self.path, after.text()))
                .map_err(|error| ConfigError::Unwritable { path: self.path.clone(), error })?;
        }
        Ok(result)
    }

    /// Copies the file to the backup folder, under the time of now.
    fn keep_old(&self) -> io::Result<()> {
        let mut old = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        fs::create_dir_all(&self.backups)?;
        let mut now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64;
        loop {
            let time = iso_text(now).unwrap_or_default().replace(':', "-");
            let copy = self.backups.join(format!("{time}-{FILE_NAME}.bak"));
            match File::options().write(true).create_new(true).open(copy) {
                // Another change of the same millisecond.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => now += 1.0,
                copy => return io::copy(&mut old, &mut copy?).map(drop),
            }
        }
    }
}

/// Writes a file, in a folder that is made if need be: whole or not at all.
pub(super) fn persist(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn backups(file: &ConfigFile) -> Vec<String> {
        let names = fs::read_dir(&file.backups).into_iter().flatten();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn changes_are_written_and_the_old_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = ConfigFile::of(folder.path());
        let set = |backup, value: f64| {
            file.change(backup, |document| -> Result<(), ConfigError> {
                document.set(&["http", "port"], Value::Number(value));
                Ok(())
            })
        };
        set(Backup::Keep, 1.0).unwrap();
        assert!(file.exists() && backups(&file).is_empty());
        set(Backup::Keep, 1.0).unwrap();
        assert!(backups(&file).is_empty(), "nothing changed");
        set(Backup::Drop, 2.0).unwrap();
        assert!(backups(&file).is_empty());
        for value in [3.0, 4.0] {
            set(Backup::Keep, value).unwrap();
        }
        let names = backups(&file);
        assert_eq!(names.len(), 2);
        assert!(names.iter().all(|name| name.ends_with("Z-harperdb-config.yaml.bak") && !name.contains(':')));
        assert_eq!(file.read().unwrap().get(&["http", "port"]), Some(&Value::Number(4.0)));
    }

    #[test]
    fn refused_changes_leave_everything() {
        let folder = tempfile::tempdir().unwrap();
        let file = ConfigFile::of(folder.path());
        fs::write(file.path(), "a: 1 # one\n").unwrap();
        let refused = file.change(Backup::Keep, |document| -> Result<(), ConfigError> {
            document.set(&["a"], Value::Null);
            Err(ConfigError::Invalid("no".to_owned()))
        });
        assert!(refused.is_err() && backups(&file).is_empty());
        let nested = (0..300).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let unreadable = file.change(Backup::Keep, |document| -> Result<(), ConfigError> {
            document.set(&["a"], nested.clone());
            Ok(())
        });
        assert!(matches!(unreadable, Err(ConfigError::Unprintable { .. })) && backups(&file).is_empty());
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "a: 1 # one\n");
    }
}
