//! Names of databases as names of files.

use std::path::{Path, PathBuf};

/// Names whose escaped form is longer keep only this much of it, and a hash; the file itself knows the whole name.
const LONGEST: usize = 160;

/// The file for a database: `<escaped name>.mdb`, or with a number when that path must not be used again yet.
pub(super) fn path_of(folder: &Path, name: &str, number: u32) -> PathBuf {
    let suffix = if number == 0 { String::new() } else { format!("~{number}") };
    folder.join(format!("{}{suffix}.mdb", escaped(name)))
}

/// The lock file LMDB puts beside a database file.
pub(super) fn lock_path_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// True for the files that hold databases.
pub(super) fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mdb") && path.is_file()
}

/// Lower-case letters, digits, `-` and `_` stay; every other byte becomes `%xx`, so that no file system can mix up
/// two names or give one of them a meaning.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    if out.len() > LONGEST {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        out.truncate(LONGEST);
        out.push_str(&format!("~{hash:016x}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart() {
        let long = "X".repeat(250);
        let names =
            ["data", "Data", "a.b", "a b", "a%20b", "a~1", "..", "", "\"[]'", long.as_str(), &long[1..]];
        let files: std::collections::HashSet<_> = names
            .iter()
            .map(|name| path_of(Path::new("/f"), name, 0).to_string_lossy().to_lowercase())
            .collect();
        assert_eq!(files.len(), names.len());
        assert!(files.iter().all(|file| file.len() < 255));
        assert_eq!(path_of(Path::new("/f"), "a~1", 2), Path::new("/f/a%7e1~2.mdb"));
    }
}
