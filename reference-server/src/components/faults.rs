//! What goes wrong with files, in the words clients know from the API.

use crate::error::OperationError;
use std::io;
use std::path::Path;

/// A path that may not be used: it leaves the project, or no file can be called that.
pub(super) fn invalid_path() -> OperationError {
    OperationError::invalid("Invalid file path")
}

/// What failed for a file, as the API tells it: `EISDIR: illegal operation on a directory, open '…'`.
pub(super) fn file_fault(error: &io::Error, call: &str, path: Option<&Path>) -> OperationError {
    let Some((code, text)) = words(error) else {
        return OperationError::internal(io::Error::new(error.kind(), error.to_string()));
    };
    let place = path.map(|path| format!(" '{}'", path.display())).unwrap_or_default();
    OperationError::fault(format!("{code}: {text}, {call}{place}"))
}

fn words(error: &io::Error) -> Option<(&'static str, &'static str)> {
    use io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::NotFound => ("ENOENT", "no such file or directory"),
        Kind::IsADirectory => ("EISDIR", "illegal operation on a directory"),
        Kind::NotADirectory => ("ENOTDIR", "not a directory"),
        Kind::AlreadyExists => ("EEXIST", "file already exists"),
        Kind::PermissionDenied => ("EACCES", "permission denied"),
        Kind::DirectoryNotEmpty => ("ENOTEMPTY", "directory not empty"),
        Kind::InvalidFilename => ("ENAMETOOLONG", "name too long"),
        Kind::StorageFull => ("ENOSPC", "no space left on device"),
        Kind::ReadOnlyFilesystem => ("EROFS", "read-only file system"),
        _ => return None,
    })
}
