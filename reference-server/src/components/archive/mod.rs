//! Archives of projects: tar, with or without gzip.

mod pack;
mod pax;
#[cfg(test)]
mod tests;
mod unpack;

pub(super) use pack::{PackOptions, pack};
pub(super) use unpack::{UnpackError, unpack};

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Files and folders.
    pub(super) entries: u64,
    /// Bytes of all files together, unpacked.
    pub(super) bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { entries: 200_000, bytes: 1 << 30 }
    }
}
