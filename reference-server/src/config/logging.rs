//! `logging.*`: the server's log and how long histories are kept.

use crate::logs::Level;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `logging.*`, without `auditLog`.
#[derive(Clone, Debug)]
pub struct Logging {
    /// `level`: the least grave level that is written.
    pub level: Level,
    /// `root`: the folder of the log.
    pub root: PathBuf,
    /// `path`: the file, when it is not `hdb.log` in that folder.
    pub path: Option<PathBuf>,
    /// `file`: whether there is a file at all.
    pub file: bool,
    /// `stdStreams`: whether entries go to the standard streams, too.
    pub std_streams: bool,
    /// `rotation.*`.
    pub rotation: Rotation,
    /// `auditRetention`: how long history entries are kept; `None` is for ever.
    pub audit_retention: Option<Duration>,
    /// `auditAuthEvents.logFailed`: whether refused credentials are logged.
    pub log_failed: bool,
    /// `auditAuthEvents.logSuccessful`: whether accepted credentials are logged.
    pub log_successful: bool,
}

/// `logging.rotation.*`.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `enabled`.
    pub enabled: bool,
    /// `maxSize` in bytes: the file is put aside when it is this large.
    pub max_size: Option<u64>,
    /// `interval`: the file is put aside when it is this old.
    pub interval: Option<Duration>,
    /// `retention`: files put aside are removed when they are this old.
    pub retention: Option<Duration>,
    /// `compress`: whether files put aside are compressed.
    pub compress: bool,
    /// `path`: where files are put aside; the log's own folder without.
    pub path: Option<PathBuf>,
}

impl Logging {
    /// The defaults of an instance whose files are under a folder.
    pub fn new(root_path: &Path) -> Logging {
        Logging {
            level: Level::Warn,
            root: root_path.join("log"),
            path: None,
            file: true,
            std_streams: false,
            rotation: Rotation {
                enabled: true,
                max_size: Some(64_000_000),
                interval: None,
                retention: None,
                compress: false,
                path: None,
            },
            audit_retention: Some(Duration::from_hours(72)),
            log_failed: false,
            log_successful: false,
        }
    }

    /// The file.
    pub fn file_path(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| self.root.join("hdb.log"))
    }
}

/// A level's name.
pub(super) fn level(text: &str) -> Result<Level, String> {
    let known = "notify, fatal, error, warn, info, debug, trace";
    Level::of(text).ok_or_else(|| format!("'{text}' is none of {known}"))
}

/// A number of bytes such as `64M`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let unit = match text.chars().last() {
        Some('G') => 1e9,
        Some('M') => 1e6,
        Some('K') => 1e3,
        _ => return Err(format!("'{text}' is not a number of G, M or K, such as 64M")),
    };
    let number = text[..text.len() - 1].parse::<f64>().ok().filter(|number| *number > 0.0);
    number.map(|number| (number * unit) as u64).ok_or_else(|| format!("'{text}' is not a size such as 64M"))
}

/// A time between rotations such as `1D`, `12H` or `30M`, which are minutes.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let unit = match text.chars().last() {
        Some('D') => 86_400.0,
        Some('H') => 3_600.0,
        Some('M') => 60.0,
        _ => return Err(format!("'{text}' is not a number of D, H or M, such as 1D")),
    };
    let number = text[..text.len() - 1].parse::<f64>().ok().filter(|number| *number > 0.0);
    number
        .and_then(|number| Duration::try_from_secs_f64(number * unit).ok())
        .ok_or_else(|| format!("'{text}' is not a time such as 1D"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_intervals() {
        assert_eq!((size("64M"), size("1.5K"), size("2G")), (Ok(64_000_000), Ok(1500), Ok(2_000_000_000)));
        for text in ["", "64", "M", "-1M", "64m", "NaNM", "é"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(
            (interval("1D"), interval("30M")),
            (Ok(Duration::from_hours(24)), Ok(Duration::from_mins(30)))
        );
        for text in ["", "1", "0H", "1W", "xH", "1e300D"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels() {
        assert_eq!(level("notify"), Ok(Level::Notify));
        assert!(level("WARN").is_err());
        assert!(Level::Trace < Level::Warn && Level::Warn < Level::Fatal && Level::Fatal < Level::Notify);
    }
}
