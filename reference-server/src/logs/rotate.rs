//! Rotation: the file is moved aside when it is large or old enough, compressed if wanted, and removed after a time.

use crate::config::Logging;
use chrono::Utc;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// What the names of rotated files begin with.
const PREFIX: &str = "HDB-";

/// When to rotate and what becomes of the old files.
pub(super) struct Rotator {
    folder: PathBuf,
    max_size: Option<u64>,
    interval: Option<Duration>,
    retention: Option<Duration>,
    compress: bool,
    last: Instant,
}

impl Rotator {
    /// The rotation that the settings ask for; `None` when there is nothing to rotate or to remove.
    pub(super) fn new(settings: &Logging) -> Option<Rotator> {
        let rotation = &settings.rotation;
        let wanted = rotation.enabled && (rotation.max_size.is_some() || rotation.interval.is_some());
        wanted.then(|| Rotator {
            folder: rotation.path.clone().unwrap_or_else(|| settings.root.clone()),
            max_size: rotation.max_size,
            interval: rotation.interval,
            retention: rotation.retention,
            compress: rotation.compress,
            last: Instant::now(),
        })
    }

    /// Moves the file aside when it is time to; returns where.
    pub(super) fn rotate_if_due(&mut self, file: &Path, size: u64) -> io::Result<Option<PathBuf>> {
        let too_large = self.max_size.is_some_and(|most| size >= most);
        let too_old = self.interval.is_some_and(|interval| self.last.elapsed() >= interval);
        if !too_large && !too_old {
            return Ok(None);
        }
        // Also when it fails: trying again with every line would help nobody.
        self.last = Instant::now();
        if size == 0 {
            return Ok(None);
        }
        fs::create_dir_all(&self.folder)?;
        self.remove_old();
        let moved = free_name(&self.folder);
        if fs::rename(file, &moved).is_err() {
            // Another file system.
            fs::copy(file, &moved)?;
            fs::remove_file(file)?;
        }
        if !self.compress {
            return Ok(Some(moved));
        }
        let compressed = moved.with_extension("log.gz");
        let source = moved.clone();
        // On a thread of its own, as entries go on coming.
        std::thread::Builder::new().name("log-gzip".to_owned()).spawn(move || {
            if let Err(error) = compress(&source) {
                eprintln!("reference-server: cannot compress {}: {error}", source.display());
            }
        })?;
        Ok(Some(compressed))
    }

    /// Removes rotated files that have been kept long enough. One that cannot be removed is tried again next time.
    fn remove_old(&self) {
        let Some(oldest) = self.retention.and_then(|retention| SystemTime::now().checked_sub(retention))
        else {
            return;
        };
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let rotated = name.starts_with(PREFIX) && (name.ends_with(".log") || name.ends_with(".log.gz"));
            let old =
                || file.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|time| time < oldest);
            if rotated && old() {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn free_name(folder: &Path) -> PathBuf {
    let stamp = Utc::now().format("%Y-%m-%dT%H-%M-%S%.3fZ").to_string();
    let name = |number: u32| match number {
        0 => folder.join(format!("{PREFIX}{stamp}.log")),
        number => folder.join(format!("{PREFIX}{stamp}-{number}.log")),
    };
    let taken = |path: &PathBuf| path.exists() || path.with_extension("log.gz").exists();
    (0..).map(name).find(|path| !taken(path)).unwrap_or_else(|| name(0))
}

/// Puts a compressed file in the place of a rotated one; both are never missing.
fn compress(source: &Path) -> io::Result<()> {
    let part = source.with_extension("log.gz.part");
    let mut encoder = GzEncoder::new(File::create(&part)?, Compression::default());
    io::copy(&mut File::open(source)?, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::rename(&part, source.with_extension("log.gz"))?;
    fs::remove_file(source)
}
