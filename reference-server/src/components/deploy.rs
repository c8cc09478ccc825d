//! Deploying: what is to become a project is prepared beside the others and then takes its place at once, so that a
//! deployment that fails changes nothing and one that succeeds is never seen half done.

use super::archive::{Limits, UnpackError, unpack};
use super::faults::file_fault;
use super::files::remove;
use super::reference::Reference;
use super::{Components, template};
use crate::error::OperationError;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The beginning of the names of folders in which deployments are prepared. Listings hide what begins with a dot.
pub(super) const STAGE: &str = ".deploying-";

/// What a project is made of.
#[derive(Clone, Debug)]
pub enum Source {
    /// An archive, tar or tar.gz.
    Archive(Vec<u8>),
    /// A package reference.
    Package(String),
}

/// How a project's dependencies are installed.
#[derive(Clone, Debug, Default)]
pub struct Install {
    /// `install_command`.
    pub command: Option<String>,
    /// `install_timeout`, in milliseconds.
    pub timeout: Option<f64>,
}

/// A project's content, ready to take its place.
enum Prepared {
    /// A folder in a stage of its own, which is removed with it.
    Folder { content: PathBuf, stage: TempDir },
    /// A link to a folder elsewhere.
    Link(PathBuf),
}

impl Components {
    /// Deploys a project: replaces what there was, remembers its package, installs its dependencies. Blocks, maybe
    /// for minutes.
    ///
    /// # Errors
    /// When the source cannot be had, which changes nothing, or when its dependencies cannot be installed, which
    /// leaves the files.
    pub fn deploy(&self, project: &str, source: &Source, install: &Install) -> Result<(), OperationError> {
        let lock = self.lock_of(project);
        let _alone = lock.lock();
        let prepared = match source {
            Source::Archive(bytes) => self.unpacked(bytes.as_slice())?,
            Source::Package(package) => self.fetched(package, true)?,
        };
        self.put_in_place(project, prepared)?;
        if let Source::Package(package) = source {
            self.write_section(project, package, install)?;
        }
        self.install(project, install)?;
        self.loaded.deployed(project);
        Ok(())
    }

    /// Makes a new project from a template, or from the built-in one. Blocks, maybe for minutes.
    ///
    /// # Errors
    /// Whatever goes wrong; the project is not there then.
    pub fn add(
        &self,
        project: &str,
        template: Option<&str>,
        install: &Install,
    ) -> Result<(), OperationError> {
        let lock = self.lock_of(project);
        let _alone = lock.lock();
        if self.exists(project) {
            return Err(OperationError::invalid("Project already exists"));
        }
        let prepared = match template {
            Some(reference) => self.fetched(reference, false)?,
            None => self.templated(project)?,
        };
        self.put_in_place(project, prepared)?;
        // The built-in template depends on nothing.
        let done = match (template, &install.command) {
            (None, None) => Ok(()),
            _ => self.install(project, install),
        };
        done.inspect_err(|_| {
            let _ = remove(&self.place(project));
        })
    }

    fn templated(&self, project: &str) -> Result<Prepared, OperationError> {
        let stage = self.stage()?;
        let content = stage.path().join("content");
        template::write(project, &content)?;
        Ok(Prepared::Folder { content, stage })
    }

    fn unpacked(&self, archive: impl Read) -> Result<Prepared, OperationError> {
        let stage = self.stage()?;
        let content = stage.path().join("content");
        fs::create_dir(&content)?;
        unpack(archive, &content, Limits::default()).map_err(refusal)?;
        Ok(Prepared::Folder { content: only_folder_in(&content)?.unwrap_or(content), stage })
    }

    /// What a package reference names. Folders are linked where `links` says so, and copied elsewhere.
    fn fetched(&self, package: &str, links: bool) -> Result<Prepared, OperationError> {
        let path = match Reference::of(package) {
            Reference::File(path) => path,
            Reference::Remote(reference) => return self.downloaded(&reference),
        };
        let metadata = fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OperationError::fault(format!(
                "File path specified in package identifier does not exist: {}",
                path.display()
            )),
            _ => file_fault(&error, "stat", Some(&path)),
        })?;
        let unfit = |what: &str| {
            Err(OperationError::fault(format!(
                "File path specified in package identifier {what}: {}",
                path.display()
            )))
        };
        if metadata.is_file() {
            let archive = File::open(&path).map_err(|error| file_fault(&error, "open", Some(&path)))?;
            return self.unpacked(archive);
        }
        if !metadata.is_dir() {
            return unfit("is not a file or directory");
        }
        let real = path.canonicalize()?;
        if self.folder.canonicalize()?.starts_with(&real) {
            return unfit("holds the components folder");
        }
        if links {
            return Ok(Prepared::Link(real));
        }
        self.copied(&real)
    }

    /// A copy of a folder, made by packing and unpacking it.
    fn copied(&self, folder: &Path) -> Result<Prepared, OperationError> {
        let inside = |real: &Path| real.starts_with(folder);
        let packed = super::archive::pack(folder, Default::default(), &inside, Limits::default().bytes)?;
        let stage = self.stage()?;
        let content = stage.path().join("content");
        fs::create_dir(&content)?;
        unpack(packed.as_slice(), &content, Limits::default()).map_err(refusal)?;
        Ok(Prepared::Folder { content, stage })
    }

    fn downloaded(&self, reference: &str) -> Result<Prepared, OperationError> {
        let stage = self.stage()?;
        let fetched = self.download(reference, stage.path())?;
        if fetched.is_file() {
            return self.unpacked(File::open(fetched)?);
        }
        Ok(Prepared::Folder { content: fetched, stage })
    }

    /// A new folder beside the projects, removed when it is dropped.
    fn stage(&self) -> Result<TempDir, OperationError> {
        fs::create_dir_all(&self.folder)?;
        Ok(tempfile::Builder::new().prefix(STAGE).tempdir_in(&self.folder)?)
    }

    /// Puts content into a project's place. What was there goes into a stage first, and comes back when the
    /// content cannot take its place.
    fn put_in_place(&self, project: &str, prepared: Prepared) -> Result<(), OperationError> {
        let place = self.place(project);
        let aside = self.stage()?;
        let (content, _stage) = match prepared {
            Prepared::Folder { content, stage } => (content, stage),
            Prepared::Link(target) => {
                let stage = self.stage()?;
                let link = stage.path().join("link");
                std::os::unix::fs::symlink(target, &link)?;
                (link, stage)
            }
        };
        let old = aside.path().join("old");
        let _still = self.swapping.write();
        let replaced = match fs::rename(&place, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        if let Err(error) = fs::rename(&content, &place) {
            if replaced && let Err(error) = fs::rename(&old, &place) {
                tracing::error!(project, %error, "a component could not be brought back");
            }
            return Err(error.into());
        }
        Ok(())
    }
}

/// The one folder in a folder that holds nothing else.
fn only_folder_in(folder: &Path) -> Result<Option<PathBuf>, OperationError> {
    let mut entries = fs::read_dir(folder)?;
    let first = entries.next().transpose()?;
    let is_alone = entries.next().is_none();
    let first = first.map(|entry| entry.path()).filter(|path| is_alone && path.is_dir());
    Ok(first)
}

/// What is told of an archive that was not unpacked. A damaged one is the documented fault, a refused one the
/// request's.
fn refusal(error: UnpackError) -> OperationError {
    match error {
        UnpackError::Write(error) => error.into(),
        UnpackError::Refused { .. } | UnpackError::TooLarge => OperationError::invalid(error.to_string()),
        _ => OperationError::fault(error.to_string()),
    }
}
