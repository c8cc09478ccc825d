//! How much of the memory maps is resident, and letting go of it.
//!
//! Pages of a database that were read or written stay in the process's resident memory until the system wants them
//! back. That costs nothing as long as there is memory to spare, but a load that touches every page of a large
//! database looks as if it needed all of it, and is judged by that where memory is limited.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many changes are made between two looks at the memory. Each may bring in a few pages, and the system maps the
/// pages around each with it: some ten megabytes until the next look.
const LOOK_EVERY: u32 = 128;
/// How much of files may be resident at such a look.
const MOST_RESIDENT: u64 = 48 << 20;

/// While there is one of these, the writer of its database keeps the memory of this process low.
#[must_use]
pub struct LowMemory(#[allow(dead_code, reason = "it only has to be there")] Arc<()>);

/// Who wishes for low memory, and when the writer is to look next.
#[derive(Default)]
pub(super) struct Thrift {
    wishes: Arc<()>,
    changes: AtomicU32,
}

impl Thrift {
    /// A wish, for as long as it is kept.
    pub(super) fn wish(&self) -> LowMemory {
        LowMemory(self.wishes.clone())
    }

    /// Counts a change that the writer made and, when that is wished for, lets go of the resident pages of the file
    /// when they have become many. Only the writer may ask: nobody else moves the maps.
    #[inline]
    pub(super) fn changed(&self, file: &Path) {
        if Arc::strong_count(&self.wishes) > 1 {
            self.look(file);
        }
    }

    fn look(&self, file: &Path) {
        let changes = self.changes.fetch_add(1, Ordering::Relaxed);
        if !changes.is_multiple_of(LOOK_EVERY) || resident_file_bytes() < MOST_RESIDENT {
            return;
        }
        if let Err(error) = release(file) {
            tracing::debug!(%error, "the pages of {} stay resident", file.display());
        }
    }
}

/// The bytes of files that are resident in this process; 0 where that cannot be told.
fn resident_file_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Gives the resident pages of a file's read-only maps back to the system's cache. The caller makes sure that the
/// maps stay where they are meanwhile.
#[cfg(target_os = "linux")]
pub(super) fn release(file: &Path) -> io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    for line in std::fs::read_to_string("/proc/self/maps")?.lines() {
        let Some((start, end)) = shared_map_of(line, &file) else { continue };
        // SAFETY: this is a map of a file that is shared and read-only, as the line says, and stays where it is, as
        // the caller says: nothing but the file is in its pages, which come back from there when they are touched.
        #[allow(unsafe_code)]
        let done = unsafe {
            libc::madvise(start as *mut libc::c_void, end.saturating_sub(start), libc::MADV_DONTNEED)
        };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Other systems are left to themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn release(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The addresses of a line of the list of maps, when it is a shared read-only map of the file.
#[cfg(target_os = "linux")]
fn shared_map_of(line: &str, file: &Path) -> Option<(usize, usize)> {
    let mut fields = line.splitn(6, ' ');
    let (addresses, rights) = (fields.next()?, fields.next()?);
    let path = fields.nth(3)?.trim_start();
    if rights != "r--s" || Path::new(path) != file {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_shared_read_only_maps_of_the_file_are_found() {
        let file = Path::new("/data/a b.mdb");
        let line = |rights: &str, path: &str| {
            format!("7f00-8f00 {rights} 00000000 fe:00 123                        {path}")
        };
        assert_eq!(shared_map_of(&line("r--s", "/data/a b.mdb"), file), Some((0x7f00, 0x8f00)));
        assert_eq!(shared_map_of(&line("rw-s", "/data/a b.mdb"), file), None);
        assert_eq!(shared_map_of(&line("r--p", "/data/a b.mdb"), file), None);
        assert_eq!(shared_map_of(&line("r--s", "/data/a b.mdb-lock"), file), None);
        assert_eq!(shared_map_of("7f00-8f00 r--s 00000000 00:00 0", file), None);
    }

    #[test]
    fn this_process_has_resident_files() {
        assert!(resident_file_bytes() > 0);
    }
}
