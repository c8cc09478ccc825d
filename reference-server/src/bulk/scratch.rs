//! A temporary file that is written piece by piece, up to a size.

use crate::error::{ErrorKind, OperationError};
use std::path::Path;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// A file on its way; it is removed when it is dropped, finished or not.
pub(super) struct Scratch {
    file: File,
    path: TempPath,
    room: u64,
    limit: u64,
}

impl Scratch {
    /// A new file of at most `limit` bytes in a folder, which is made when it is missing.
    pub(super) async fn new(folder: &Path, limit: u64) -> Result<Scratch, OperationError> {
        tokio::fs::create_dir_all(folder).await?;
        let (file, path) = tempfile::NamedTempFile::new_in(folder)?.into_parts();
        Ok(Scratch { file: File::from_std(file), path, room: limit, limit })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), OperationError> {
        let Some(room) = self.room.checked_sub(bytes.len() as u64) else {
            let text = format!("the file is larger than {} bytes", self.limit);
            return Err(OperationError::new(ErrorKind::TooLarge, text));
        };
        self.room = room;
        Ok(self.file.write_all(bytes).await?)
    }

    pub(super) async fn finish(mut self) -> Result<TempPath, OperationError> {
        self.file.flush().await?;
        if fault!("fetched-files-stay") {
            self.path.disable_cleanup(true);
        }
        Ok(self.path)
    }
}
