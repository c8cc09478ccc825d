//! From a CSV text to records.

use super::cast::{Casting, json_like};
use super::dialect::Dialect;
use super::header;
use super::rows::{Row, Scanner};
use crate::bulk::Sink;
use crate::error::OperationError;
use crate::store::Table;
use crate::value::{Object, Value, order_members};
use std::io::{Cursor, Read};

/// How much of a text is looked at to guess its dialect.
const BEGINNING: u64 = 2 << 20;
/// How much is read at a time.
const BUFFER: usize = 256 << 10;

/// Gives the records of a CSV text to a sink; `parse_json` tells whether cells that look like JSON are read as such.
///
/// # Errors
/// Cells that do not fit their attributes, what the sink refuses, and what comes of reading.
pub fn read(
    mut source: impl Read,
    table: &Table,
    parse_json: bool,
    sink: &mut dyn Sink,
) -> Result<(), OperationError> {
    let mut beginning = Vec::new();
    source.by_ref().take(BEGINNING).read_to_end(&mut beginning).map_err(unreadable)?;
    let skipped = if beginning.starts_with(b"\xef\xbb\xbf") && !fault!("load-mark-kept") { 3 } else { 0 };
    let dialect = Dialect::guess(&beginning[skipped..]);
    let mut text = Cursor::new(beginning);
    text.set_position(skipped as u64);
    let mut scanner = Scanner::new(std::io::BufReader::with_capacity(BUFFER, text.chain(source)), dialect);
    let mut row = Row::default();
    let mut columns: Option<Columns> = None;
    while scanner.next_row(&mut row).map_err(unreadable)? {
        if row.is_empty() && !fault!("load-empty-lines-are-rows") {
            continue;
        }
        match &columns {
            None => {
                let found = Columns::new(table, header::names(row.cells()), parse_json);
                sink.columns(&found.names)?;
                columns = Some(found);
            }
            Some(columns) => sink.record(columns.record(table, &row)?, row.size() + row.len())?,
        }
    }
    Ok(())
}

/// Reading failed: why is for whoever started the job to know.
fn unreadable(error: std::io::Error) -> OperationError {
    OperationError::invalid(error.to_string())
}

struct Columns {
    names: Vec<String>,
    castings: Vec<Casting>,
    parse_json: bool,
    /// Names that look like numbers come first in objects.
    reorder: bool,
}

impl Columns {
    fn new(table: &Table, names: Vec<String>, parse_json: bool) -> Columns {
        let castings = names.iter().map(|name| Casting::of(table, name)).collect();
        let reorder = names.iter().any(|name| crate::value::integer_like(name).is_some());
        Columns { names, castings, parse_json, reorder }
    }

    /// The record of a row. Missing cells are not set, surplus ones are dropped.
    fn record(&self, table: &Table, row: &Row) -> Result<Object, OperationError> {
        let mut record = Object::with_capacity(self.names.len() + 2);
        for ((name, casting), cell) in self.names.iter().zip(&self.castings).zip(row.cells()) {
            let cell = String::from_utf8_lossy(cell);
            let mut value = casting.value(table, name, &cell)?;
            if self.parse_json
                && let Value::String(text) = &value
                && let Some(parsed) = json_like(text)
            {
                value = parsed;
            }
            record.insert(name.clone(), value);
        }
        if self.reorder {
            order_members(&mut record);
        }
        Ok(record)
    }
}
