//! Packing a folder: tar and gzip, paths relative to the folder, links followed.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tar::{Builder, EntryType, Header};

/// What is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PackOptions {
    /// Paths with `node_modules` or `cache/webpack` in them.
    pub(crate) skip_node_modules: bool,
    /// Links; otherwise what they lead to is packed.
    pub(crate) skip_symlinks: bool,
}

/// Packs a folder. Links that lead where `may_follow` does not allow, nowhere, or in a circle are left out, and so is
/// what is neither file nor folder.
///
/// # Errors
/// When the folder cannot be read, or holds more bytes than `largest`.
pub(crate) fn pack(
    folder: &Path,
    options: PackOptions,
    may_follow: &dyn Fn(&Path) -> bool,
    largest: u64,
) -> io::Result<Vec<u8>> {
    let tar = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut packing = Packing { tar, options, may_follow, left: largest };
    packing.folder(folder, "", &mut vec![folder.to_owned()])?;
    packing.tar.into_inner()?.finish()
}

struct Packing<'f, W: Write> {
    tar: Builder<W>,
    options: PackOptions,
    may_follow: &'f dyn Fn(&Path) -> bool,
    left: u64,
}

impl<W: Write> Packing<'_, W> {
    /// Packs what is in a folder. `name` is its path in the archive, `above` the real folders on the way.
    fn folder(&mut self, folder: &Path, name: &str, above: &mut Vec<PathBuf>) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort_unstable();
        for entry in names {
            let inner = if name.is_empty() { entry.clone() } else { format!("{name}/{entry}") };
            self.entry(&folder.join(&entry), &inner, above)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) -> io::Result<()> {
        if self.options.skip_node_modules && (name.contains("node_modules") || name.contains("cache/webpack"))
        {
            return Ok(());
        }
        let mut real = path.to_owned();
        if path.is_symlink() {
            match path.canonicalize() {
                Ok(target) if !self.options.skip_symlinks && (self.may_follow)(&target) => real = target,
                _ => return Ok(()),
            }
        }
        let metadata = fs::metadata(&real)?;
        if metadata.is_file() {
            return self.file(&real, name, &metadata);
        }
        if !metadata.is_dir() || above.contains(&real) {
            return Ok(());
        }
        let mut header = header(&metadata, EntryType::Directory, 0o755);
        self.tar.append_data(&mut header, format!("{name}/"), io::empty())?;
        above.push(real.clone());
        let packed = self.folder(&real, name, above);
        above.pop();
        packed
    }

    fn file(&mut self, path: &Path, name: &str, metadata: &Metadata) -> io::Result<()> {
        let too_large =
            || io::Error::new(io::ErrorKind::FileTooLarge, "the project is too large to be packed");
        self.left = self.left.checked_sub(metadata.len()).ok_or_else(too_large)?;
        let mode = metadata.permissions().mode() & 0o777;
        let mut header = header(metadata, EntryType::Regular, mode);
        header.set_size(metadata.len());
        // A file that grows meanwhile is cut; one that shrinks is filled up, so that the archive stays whole.
        let content = io::Read::take(io::Read::chain(File::open(path)?, io::repeat(0)), metadata.len());
        self.tar.append_data(&mut header, name, content)
    }
}

fn header(metadata: &Metadata, kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(0);
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(modified.map_or(0, |since| since.as_secs()));
    header
}
