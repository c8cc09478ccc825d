//! Exports: the rows of a search in a file.
//!
//! Rows go to a temporary file as they are found; only the complete file gets its name, or is sent.

use super::blocking::Stopped;
use crate::error::OperationError;
use crate::operations::nosql::RowsOf;
use crate::value::{Object, Value, push_csv_cell, push_csv_text, write_json};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How much is written at a time.
const BUFFER: usize = 256 << 10;

/// The form of an exported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON array.
    Json,
    /// A header and lines.
    Csv,
}

impl Format {
    /// The format of a name.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }

    /// Its name, which is also the extension of files.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }
}

/// Where the rows of an export come from.
pub enum Rows {
    /// From a search.
    Search(RowsOf),
    /// They are here already.
    Here(Vec<Value>),
}

/// Writes rows to a new temporary file in a folder. Blocks.
///
/// # Errors
/// Those of the search, and when the file cannot be written.
pub fn write_file(
    folder: &Path,
    rows: &Rows,
    format: Format,
    stopped: &Stopped,
) -> Result<NamedTempFile, OperationError> {
    let file = new_file(folder)?;
    let mut writer = RowFile {
        file: BufWriter::with_capacity(BUFFER, file.as_file()),
        format,
        rows: 0,
        line: Vec::new(),
        columns: Vec::new(),
    };
    let mut count = 0u32;
    let mut goes_on = || {
        count = count.wrapping_add(1);
        if count.is_multiple_of(1024) { stopped.check() } else { Ok(()) }
    };
    match rows {
        Rows::Search(search) => search.each(&mut |row| {
            goes_on()?;
            match format {
                Format::Json => writer.json(|out| row.write_json(out)),
                Format::Csv => writer.csv(&row.to_value()),
            }
        })?,
        Rows::Here(rows) => {
            for row in rows {
                goes_on()?;
                match format {
                    Format::Json => writer.json(|out| write_json(out, row))?,
                    Format::Csv => writer.csv(row)?,
                }
            }
        }
    }
    writer.finish()?;
    Ok(file)
}

/// A new temporary file, which will be as readable as any other.
fn new_file(folder: &Path) -> Result<NamedTempFile, OperationError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".export-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder).map_err(|error| cannot_write(folder, &error))
}

/// Gives a complete file its name, in place of any that has it. Blocks.
///
/// # Errors
/// When that cannot be done.
pub fn keep(file: NamedTempFile, path: &Path) -> Result<(), OperationError> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| cannot_write(path, &error.error))?;
    Ok(())
}

/// The file an export is to become, and its folder, which there must be.
///
/// # Errors
/// The documented texts for folders that are missing or none.
pub fn target(path: &str, filename: &str, format: Format) -> Result<(PathBuf, String), OperationError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let folder = if path.is_empty() { Path::new("/") } else { Path::new(path) };
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            let text = format!("path '{path}' is not a directory, please supply a valid folder path");
            return Err(OperationError::invalid(text));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OperationError::invalid(format!("path '{path}' does not exist")));
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(OperationError::invalid(format!("access to path '{path}' is denied")));
        }
        Err(error) => return Err(OperationError::invalid(error.to_string())),
    }
    let file = format!("{path}/{filename}.{}", format.extension());
    // The name may lead into another folder.
    let folder = Path::new(&file).parent().map_or_else(|| folder.to_owned(), Path::to_owned);
    Ok((folder, file))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> OperationError {
    OperationError::invalid(format!("cannot write to '{}': {error}", path.display()))
}

struct RowFile<W: Write> {
    file: W,
    format: Format,
    rows: u64,
    line: Vec<u8>,
    /// The members of the first row, of which the others show the values.
    columns: Vec<String>,
}

impl<W: Write> RowFile<W> {
    fn json(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), OperationError> {
        self.line.clear();
        self.line.push(if self.rows == 0 { b'[' } else { b',' });
        write(&mut self.line);
        self.rows += 1;
        Ok(self.file.write_all(&self.line)?)
    }

    fn csv(&mut self, row: &Value) -> Result<(), OperationError> {
        let empty = Object::new();
        let row = row.as_object().unwrap_or(&empty);
        let mut line = String::with_capacity(self.line.capacity());
        if self.rows == 0 {
            self.columns = row.keys().cloned().collect();
            let most = if fault!("export-csv-without-header") { 0 } else { usize::MAX };
            for (position, name) in self.columns.iter().enumerate().take(most) {
                separate(&mut line, position);
                push_csv_text(&mut line, name);
            }
        }
        line.push('\n');
        for (position, name) in self.columns.iter().enumerate() {
            separate(&mut line, position);
            push_csv_cell(&mut line, row.get(name));
        }
        self.rows += 1;
        self.file.write_all(line.as_bytes())?;
        self.line = line.into_bytes();
        Ok(())
    }

    fn finish(mut self) -> Result<(), OperationError> {
        if self.format == Format::Json {
            let end: &[u8] = match self.rows {
                0 if fault!("export-of-nothing-empty") => b"",
                0 => b"[]",
                _ => b"]",
            };
            self.file.write_all(end)?;
        }
        Ok(self.file.flush()?)
    }
}

fn separate(line: &mut String, position: usize) {
    if position > 0 {
        line.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

    fn text(json: &str, format: Format) -> String {
        let Value::Array(rows) = parse_json(json.as_bytes()).unwrap() else { panic!("no array") };
        let folder = tempfile::tempdir().unwrap();
        let file = write_file(folder.path(), &Rows::Here(rows), format, &Stopped::default()).unwrap();
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn json_is_one_compact_array() {
        let rows = r#"[{"a":1,"b":[1,{"c":null}]},{"a":"x"}]"#;
        assert_eq!(text(rows, Format::Json), rows);
        assert_eq!(text("[]", Format::Json), "[]");
    }

    #[test]
    fn csv_has_the_columns_of_the_first_row_and_no_end() {
        assert_eq!(
            text(r#"[{"id":1,"t":"a \"b\"","n":null},{"id":2,"ok":true,"n":[1]},{}]"#, Format::Csv),
            "\"id\",\"t\",\"n\"\n1,\"a \"\"b\"\"\",\n2,,\"[1]\"\n,,"
        );
        assert_eq!(text("[]", Format::Csv), "");
    }

    #[test]
    fn files_get_their_name_when_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let (into, file) = target(&format!("{path}/"), "twice.csv", Format::Csv).unwrap();
        assert_eq!(
            (into.as_path(), file.as_str()),
            (folder.path(), format!("{path}/twice.csv.csv").as_str())
        );
        std::fs::write(&file, "old").unwrap();
        let written = write_file(&into, &Rows::Here(Vec::new()), Format::Json, &Stopped::default()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
        keep(written, Path::new(&file)).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]");
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
        let told = |path: &str| target(path, "x", Format::Json).unwrap_err().message;
        assert_eq!(told("/no/such"), "path '/no/such' does not exist");
        assert_eq!(
            told(&file),
            format!("path '{file}' is not a directory, please supply a valid folder path")
        );
    }
}
