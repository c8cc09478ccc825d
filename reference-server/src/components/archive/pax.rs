//! The headers that give the next entry a longer name. They are read here, and not by the `tar` crate, because there
//! their size has no limit.

use super::unpack::UnpackError;
use std::io::Read;
use tar::PaxExtensions;

/// The largest such header, in bytes.
const LARGEST: u64 = 1 << 20;

/// What the headers before an entry say of it.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// Its path.
    pub(super) path: Option<Vec<u8>>,
    /// Where it leads, when it is a link.
    pub(super) link: Option<Vec<u8>>,
    /// When it was changed, in seconds since 1970.
    pub(super) mtime: Option<f64>,
}

impl Announced {
    /// Reads the content of a GNU header with a long name.
    pub(super) fn read_long_name(&mut self, content: impl Read) -> Result<(), UnpackError> {
        self.path = Some(name(content)?);
        Ok(())
    }

    /// Reads the content of a GNU header with where a link leads.
    pub(super) fn read_long_link(&mut self, content: impl Read) -> Result<(), UnpackError> {
        self.link = Some(name(content)?);
        Ok(())
    }

    /// Reads the content of a PAX header.
    pub(super) fn read_pax(&mut self, content: impl Read) -> Result<(), UnpackError> {
        let content = limited(content)?;
        for extension in PaxExtensions::new(&content) {
            let extension = extension.map_err(|_| UnpackError::NoArchive)?;
            let value = extension.value_bytes();
            match extension.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"mtime" => self.mtime = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                b"size" => return Err(UnpackError::TooLarge),
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(UnpackError::refused(value, "is a sparse file"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A name that ends with zero bytes.
fn name(content: impl Read) -> Result<Vec<u8>, UnpackError> {
    let mut name = limited(content)?;
    while name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn limited(content: impl Read) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    content.take(LARGEST + 1).read_to_end(&mut bytes).map_err(UnpackError::from_reading)?;
    if bytes.len() as u64 > LARGEST { Err(UnpackError::TooLarge) } else { Ok(bytes) }
}
