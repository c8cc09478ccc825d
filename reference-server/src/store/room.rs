//! Whether there is so much room that no commit can want for it.

use rustix::process::{Resource, getrlimit};
use std::path::Path;

/// No transaction of LMDB has more changed pages than these bytes hold (131,072 pages).
const MOST_CHANGED: u64 = 512 << 20;

/// Whether a file may grow by the changes of any one transaction, as far as its volume and the limits of this process
/// go.
pub(super) fn is_ample(file: &Path) -> bool {
    let on_volume = rustix::fs::statvfs(file)
        .is_ok_and(|volume| volume.f_bavail.saturating_mul(volume.f_frsize) >= MOST_CHANGED);
    let is_allowed = || match getrlimit(Resource::Fsize).current {
        None => true,
        Some(limit) => {
            std::fs::metadata(file).is_ok_and(|file| file.len().saturating_add(MOST_CHANGED) <= limit)
        }
    };
    on_volume && is_allowed()
}
