//! Unpacking: into an empty folder, nothing outside, nothing without limit: files, folders, and links that stay inside.

use super::Limits;
use super::pax::Announced;
use crate::components::paths::{DEEPEST, LONGEST_NAME, LONGEST_PATH};
use flate2::bufread::MultiGzDecoder;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tar::{Archive, Entry, EntryType};

/// How often an archive may be compressed again.
const LAYERS: usize = 3;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// It ends too early.
    #[error("Unexpected end of data")]
    Ended,
    /// It is no tar archive.
    #[error("Invalid tar header. Maybe the tar is corrupted or it needs to be gunzipped?")]
    NoArchive,
    /// Its compression is damaged.
    #[error("unexpected end of file")]
    Damaged,
    /// It holds something that is not taken.
    #[error("The archive is refused: '{path}' {reason}")]
    Refused {
        /// The entry.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is larger than allowed.
    #[error("The archive is refused: it holds too much")]
    TooLarge,
    /// The files could not be written.
    #[error(transparent)]
    Write(io::Error),
}

impl UnpackError {
    pub(super) fn refused(path: &[u8], reason: &'static str) -> UnpackError {
        let shown: String = String::from_utf8_lossy(path).chars().take(200).collect();
        UnpackError::Refused { path: shown, reason }
    }

    /// What an error while reading the archive means.
    pub(super) fn from_reading(error: io::Error) -> UnpackError {
        let text = error.to_string();
        match error.kind() {
            _ if text.contains("deflate") || text.contains("gzip") => UnpackError::Damaged,
            io::ErrorKind::UnexpectedEof => UnpackError::Ended,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => UnpackError::Damaged,
            _ if text.contains("entire block") => UnpackError::Ended,
            _ => UnpackError::NoArchive,
        }
    }
}

/// Unpacks an archive into a folder that is empty and nobody else's.
///
/// # Errors
/// At the first entry that is not taken; what was written so far stays in the folder.
pub(crate) fn unpack(archive: impl Read, into: &Path, limits: Limits) -> Result<(), UnpackError> {
    let mut archive = Archive::new(plain(archive)?);
    let mut unpacking = Unpacking { into, limits, entries: 0, bytes: 0, links: Vec::new() };
    let mut announced = Announced::default();
    for entry in archive.entries().map_err(UnpackError::from_reading)?.raw(true) {
        let mut entry = entry.map_err(UnpackError::from_reading)?;
        unpacking.count_entry()?;
        match entry.header().entry_type() {
            EntryType::XHeader => announced.read_pax(&mut entry)?,
            EntryType::GNULongName => announced.read_long_name(&mut entry)?,
            EntryType::GNULongLink => announced.read_long_link(&mut entry)?,
            // Global attributes say nothing of the files.
            EntryType::XGlobalHeader => {}
            _ => unpacking.take(&mut entry, std::mem::take(&mut announced))?,
        }
    }
    unpacking.make_links()
}

/// The archive without the compression around it.
fn plain<'r>(archive: impl Read + 'r) -> Result<Box<dyn BufRead + 'r>, UnpackError> {
    let mut reader: Box<dyn BufRead + 'r> = Box::new(BufReader::new(archive));
    for _ in 0..LAYERS {
        if !reader.fill_buf().map_err(UnpackError::from_reading)?.starts_with(&[0x1f, 0x8b]) {
            break;
        }
        reader = Box::new(BufReader::new(MultiGzDecoder::new(reader)));
    }
    Ok(reader)
}

struct Unpacking<'f> {
    into: &'f Path,
    limits: Limits,
    entries: u64,
    bytes: u64,
    links: Vec<Link>,
}

/// A symbolic link to be made.
struct Link {
    /// Its name as the archive has it.
    raw: Vec<u8>,
    /// Where it is.
    at: PathBuf,
    /// Where it leads, seen from its folder.
    to: PathBuf,
}

impl Unpacking<'_> {
    fn count_entry(&mut self) -> Result<(), UnpackError> {
        self.entries += 1;
        if self.entries > self.limits.entries { Err(UnpackError::TooLarge) } else { Ok(()) }
    }

    fn take<R: Read>(&mut self, entry: &mut Entry<'_, R>, announced: Announced) -> Result<(), UnpackError> {
        let raw = announced.path.unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let path = checked(&raw)?;
        let target = self.into.join(&path);
        match entry.header().entry_type() {
            EntryType::Directory => make_folder(&target, &raw),
            // Old archives tell folders by the slash alone.
            EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => make_folder(&target, &raw),
            EntryType::Regular | EntryType::Continuous if path.as_os_str().is_empty() => {
                Err(UnpackError::refused(&raw, "names no file"))
            }
            EntryType::Regular | EntryType::Continuous => {
                if let Some(folder) = target.parent() {
                    make_folder(folder, &raw)?;
                }
                let mtime = announced.mtime.or(entry.header().mtime().ok().map(|time| time as f64));
                let file = self.write(entry, &target, &raw)?;
                if let Some(mtime) = mtime.and_then(time_of) {
                    // A file system that keeps no such time does no harm.
                    let _ = file.set_modified(mtime);
                }
                Ok(())
            }
            EntryType::Symlink => {
                let to = announced.link.or_else(|| entry.header().link_name_bytes().map(Cow::into_owned));
                let to = inside(&path, &to.unwrap_or_default());
                let to = to.ok_or_else(|| UnpackError::refused(&raw, "is a link out of it"))?;
                self.links.push(Link { raw, at: target, to });
                Ok(())
            }
            EntryType::Link => Err(UnpackError::refused(&raw, "is a hard link")),
            EntryType::GNUSparse => Err(UnpackError::refused(&raw, "is a sparse file")),
            _ => Err(UnpackError::refused(&raw, "is neither a file nor a folder")),
        }
    }

    /// Makes the links, now that nothing is written through them any more.
    fn make_links(mut self) -> Result<(), UnpackError> {
        // The deepest first: so none is made through another one.
        self.links.sort_by_key(|link| Reverse(link.at.components().count()));
        for Link { raw, at, to } in self.links {
            if let Some(folder) = at.parent() {
                make_folder(folder, &raw)?;
            }
            std::os::unix::fs::symlink(to, at).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => UnpackError::refused(&raw, "is there twice"),
                _ => UnpackError::Write(error),
            })?;
        }
        Ok(())
    }

    fn write<R: Read>(
        &mut self,
        entry: &mut Entry<'_, R>,
        target: &Path,
        raw: &[u8],
    ) -> Result<File, UnpackError> {
        let size = entry.header().entry_size().map_err(|_| UnpackError::NoArchive)?;
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(UnpackError::TooLarge);
        }
        if target.is_dir() {
            return Err(UnpackError::refused(raw, "is a folder as well"));
        }
        let mode = entry.header().mode().unwrap_or(0o644) & 0o777 | 0o600;
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(target)
            .map_err(UnpackError::Write)?;
        let written = copy(entry, &mut file)?;
        if written != size {
            return Err(UnpackError::Ended);
        }
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(UnpackError::Write)?;
        Ok(file)
    }
}

/// Copies a file's content, telling apart what fails: reading the archive or writing the file.
fn copy(from: &mut impl Read, into: &mut File) -> Result<u64, UnpackError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(UnpackError::from_reading(error)),
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        io::Write::write_all(into, chunk).map_err(UnpackError::Write)?;
        copied += read as u64;
    }
}

/// The path of an entry below the folder; empty for the folder itself.
fn checked(raw: &[u8]) -> Result<PathBuf, UnpackError> {
    let refused = |reason| Err(UnpackError::refused(raw, reason));
    let Ok(text) = std::str::from_utf8(raw) else { return refused("has a name that is no text") };
    if text.starts_with('/') {
        return refused("is an absolute path");
    }
    if text.contains('\0') {
        return refused("has a name with NUL in it");
    }
    if text.len() > LONGEST_PATH {
        return refused("has too long a name");
    }
    let mut path = PathBuf::new();
    for name in text.split('/').filter(|name| !name.is_empty() && *name != ".") {
        if name.split('\\').any(|part| part == "..") {
            return refused("leads out of the archive");
        }
        if name.len() > LONGEST_NAME {
            return refused("has too long a name");
        }
        path.push(name);
    }
    if path.components().count() > DEEPEST {
        return refused("lies too deep");
    }
    Ok(path)
}

/// Where a link at a path leads, when that is inside for certain: up no further than the links' own folder is deep, and
/// only down from there, where other links lead inside, too.
fn inside(at: &Path, to: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(to).ok().filter(|text| text.len() <= LONGEST_PATH)?;
    if text.is_empty() || text.starts_with('/') || text.contains(['\0', '\\']) {
        return None;
    }
    let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let up = names.iter().take_while(|name| **name == "..").count();
    let goes_up_again = names.iter().skip(up).any(|name| *name == "..");
    let depth = at.components().count().checked_sub(1)?;
    (up <= depth && !goes_up_again && !names.is_empty()).then(|| names.iter().collect())
}

fn make_folder(folder: &Path, raw: &[u8]) -> Result<(), UnpackError> {
    fs::create_dir_all(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            UnpackError::refused(raw, "is a file as well")
        }
        _ => UnpackError::Write(error),
    })
}

fn time_of(seconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}
