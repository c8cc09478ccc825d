//! Cutting text into rows and cells, as it streams by.
//!
//! A cell that begins with a quote goes on to a quote that a delimiter, a line end or the end of the text follows
//! (blanks may stand between); doubled quotes in it stand for one. Any other quote is part of the text, and so is an
//! opening quote that is never closed, with everything after it. Nothing is malformed.

use super::dialect::{Dialect, LineEnd};
use std::io::{self, BufRead};

/// The most bytes a row may have: an unclosed quote makes the rest of the text one cell.
pub const LONGEST_ROW: usize = 64 << 20;

const QUOTE: u8 = b'"';

/// The cells of one row.
#[derive(Debug, Default)]
pub struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Row {
    /// The cells, in order.
    pub fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True for the row that an empty line makes: one empty cell.
    pub fn is_empty(&self) -> bool {
        self.ends.len() == 1 && self.bytes.is_empty()
    }

    /// The bytes of all cells together.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Where in a cell the scanner is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At its first byte.
    Start,
    /// In one that is not quoted.
    Plain,
    /// In a quoted one.
    Quoted,
    /// After a quote in a quoted one.
    AfterQuote,
    /// After blanks behind such a quote.
    AfterBlanks,
}

/// Cuts rows out of a text.
pub struct Scanner<R> {
    source: R,
    cutter: Cutter,
    finished: bool,
}

impl<R: BufRead> Scanner<R> {
    /// The rows of a text.
    pub fn new(source: R, dialect: Dialect) -> Scanner<R> {
        Scanner { source, cutter: Cutter::new(dialect), finished: false }
    }

    /// Reads the next row, empty ones included; false at the end.
    ///
    /// # Errors
    /// Those of the source, and a row that is longer than [`LONGEST_ROW`].
    pub fn next_row(&mut self, row: &mut Row) -> io::Result<bool> {
        row.clear();
        self.cutter.begin_cell(row);
        if self.finished {
            return Ok(false);
        }
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                self.finished = true;
                return Ok(self.cutter.finish(row));
            }
            let mut used = 0;
            let mut complete = false;
            while used < available.len() && !complete {
                used += self.cutter.plain_run(&available[used..], row);
                if let Some(&byte) = available.get(used) {
                    used += 1;
                    complete = self.cutter.take(byte, row);
                }
            }
            self.source.consume(used);
            if complete {
                return Ok(true);
            }
            if row.bytes.len() > LONGEST_ROW {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("a row of the CSV text is longer than {} MiB", LONGEST_ROW >> 20),
                ));
            }
        }
    }
}

/// The state of a scanner between two bytes.
struct Cutter {
    dialect: Dialect,
    state: State,
    /// Where the current cell begins, after its opening quote.
    start: usize,
    /// Where the current cell ends if it turns out to be closed: at its last quote.
    closing: usize,
    /// Doubled quotes are in the current cell.
    doubled: bool,
    /// A carriage return was read that may begin a line end.
    returned: bool,
}

impl Cutter {
    fn new(dialect: Dialect) -> Cutter {
        Cutter { dialect, state: State::Start, start: 0, closing: 0, doubled: false, returned: false }
    }

    fn begin_cell(&mut self, row: &Row) {
        (self.state, self.start, self.doubled) = (State::Start, row.bytes.len(), false);
    }

    /// Takes the bytes up to the next that means something; returns how many there are.
    fn plain_run(&self, bytes: &[u8], row: &mut Row) -> usize {
        if self.returned {
            return 0;
        }
        let delimiter = self.dialect.delimiter;
        let run = match self.state {
            State::Plain => {
                bytes.iter().position(|&byte| byte == delimiter || byte == b'\n' || byte == b'\r')
            }
            State::Quoted => bytes.iter().position(|&byte| byte == QUOTE),
            _ => return 0,
        };
        let run = run.unwrap_or(bytes.len());
        row.bytes.extend_from_slice(&bytes[..run]);
        run
    }

    /// Takes one byte; true when it completes the row.
    fn take(&mut self, byte: u8, row: &mut Row) -> bool {
        let outside = self.state != State::Quoted;
        match self.dialect.line_end {
            _ if !outside => {}
            LineEnd::Both if self.returned => {
                self.returned = false;
                if byte == b'\n' {
                    self.end_cell(row);
                    return true;
                }
                self.content(b'\r', row);
                // Another carriage return may begin the line end.
                return self.take(byte, row);
            }
            LineEnd::Both if byte == b'\r' => {
                self.returned = true;
                return false;
            }
            LineEnd::Feed if byte == b'\n' => {
                self.end_cell(row);
                return true;
            }
            LineEnd::Return if byte == b'\r' => {
                self.end_cell(row);
                return true;
            }
            _ => {}
        }
        if outside && byte == self.dialect.delimiter {
            self.end_cell(row);
            return false;
        }
        self.content(byte, row);
        false
    }

    /// Takes a byte that ends nothing.
    fn content(&mut self, byte: u8, row: &mut Row) {
        self.state = match (self.state, byte) {
            // The quote itself is no part of the cell.
            (State::Start, QUOTE) => {
                self.state = State::Quoted;
                return;
            }
            (State::Start | State::Plain, _) => State::Plain,
            (State::Quoted | State::AfterBlanks, QUOTE) => {
                self.closing = row.bytes.len();
                State::AfterQuote
            }
            (State::AfterQuote, QUOTE) => {
                self.doubled = true;
                State::Quoted
            }
            (State::AfterQuote | State::AfterBlanks, b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r' | b'\n') => {
                State::AfterBlanks
            }
            _ => State::Quoted,
        };
        row.bytes.push(byte);
    }

    fn end_cell(&mut self, row: &mut Row) {
        if matches!(self.state, State::AfterQuote | State::AfterBlanks) {
            self.close_quotes(row);
        }
        row.ends.push(row.bytes.len());
        self.begin_cell(row);
    }

    /// The cell ends at its last quote.
    fn close_quotes(&self, row: &mut Row) {
        row.bytes.truncate(self.closing);
        if self.doubled {
            unescape(&mut row.bytes, self.start);
        }
    }

    /// What is left at the end of the text is a row of its own, unless it is nothing at all.
    fn finish(&mut self, row: &mut Row) -> bool {
        let state = self.state;
        if self.returned {
            row.bytes.push(b'\r');
        }
        // A quote that ends the text closes its cell; a carriage return behind it makes it part of the text.
        if state == State::AfterQuote && !self.returned {
            self.close_quotes(row);
        }
        let nothing = state == State::Start && !self.returned && row.ends.is_empty();
        row.ends.push(row.bytes.len());
        !nothing
    }
}

/// Makes one quote of each two, from `start` on.
fn unescape(bytes: &mut Vec<u8>, start: usize) {
    let mut kept = start;
    let mut at = start;
    while at < bytes.len() {
        let byte = bytes[at];
        at += if byte == QUOTE && bytes.get(at + 1) == Some(&QUOTE) { 2 } else { 1 };
        bytes[kept] = byte;
        kept += 1;
    }
    bytes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn rows_of(text: &[u8], dialect: Dialect, buffer: usize) -> Vec<Vec<String>> {
        let mut scanner = Scanner::new(BufReader::with_capacity(buffer, text), dialect);
        let mut row = Row::default();
        let mut rows = Vec::new();
        while scanner.next_row(&mut row).unwrap() {
            rows.push(row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        }
        rows
    }

    fn feed(text: &str) -> Vec<Vec<String>> {
        rows_of(text.as_bytes(), Dialect { delimiter: b',', line_end: LineEnd::Feed }, 3)
    }

    #[test]
    fn quotes_close_only_before_a_delimiter_or_a_line_end() {
        assert_eq!(feed("a,\"b,\"\"c\"\"\",d\n"), [["a", "b,\"c\"", "d"]]);
        assert_eq!(feed("mid\"quote,\"  kept  \"\n"), [["mid\"quote", "  kept  "]]);
        assert_eq!(feed("\"q\"z,b\n1,\"x\"\n"), [["q\"z,b\n1,\"x"]]);
        assert_eq!(feed("\"q\" ,b\n"), [["q", "b"]]);
        assert_eq!(feed("\"q\" \n2"), [["q"], ["2"]]);
        assert_eq!(feed("1,\"open\n2,\"\"x\n"), [["1", "open\n2,\"\"x\n"]]);
        assert_eq!(feed("1,\"end\""), [["1", "end"]]);
        assert_eq!(feed("1,\"end\" "), [["1", "end\" "]]);
        assert_eq!(feed("\"a\"\"\",b"), [["a\"", "b"]]);
        assert_eq!(feed("\"\",b"), [["", "b"]]);
    }

    #[test]
    fn every_line_is_a_row_and_the_last_needs_no_end() {
        assert_eq!(feed("a\n\nb"), [vec!["a"], vec![""], vec!["b"]]);
        assert_eq!(feed("a,\n"), [["a", ""]]);
        assert_eq!(feed("a,"), [["a", ""]]);
        assert!(feed("").is_empty());
        assert_eq!(feed("a\r\n"), [["a\r"]]);
    }

    #[test]
    fn only_the_guessed_line_end_counts() {
        let both =
            |text: &str| rows_of(text.as_bytes(), Dialect { delimiter: b';', line_end: LineEnd::Both }, 1);
        assert_eq!(
            both("a;b\r\nc\n;\r;d\r\r\n\"x\"\r\n"),
            [vec!["a", "b"], vec!["c\n", "\r", "d\r"], vec!["x"]]
        );
        assert_eq!(both("\"x\"\r"), [["x\"\r"]]);
        let old = Dialect { delimiter: b',', line_end: LineEnd::Return };
        assert_eq!(rows_of(b"a,b\rc", old, 2), [vec!["a", "b"], vec!["c"]]);
    }

    proptest! {
        /// What a well-behaved writer writes is read as the `csv` crate reads it, however it comes in.
        #[test]
        fn well_formed_text_is_read_as_by_the_csv_crate(
            table in prop::collection::vec(prop::collection::vec("[a-c \",\n\r\té]{0,6}", 2..4), 0..6),
            buffer in 1usize..9,
        ) {
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let dialect = Dialect { delimiter: b',', line_end: LineEnd::Feed };
            let mut reader =
                csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_slice());
            let expected: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            prop_assert_eq!(&expected, &table);
            prop_assert_eq!(rows_of(&text, dialect, buffer), expected);
        }

        /// How the text is cut into pieces on its way makes no difference.
        #[test]
        fn pieces_make_no_difference(text in "[ab\",;\n\r ]{0,40}", buffer in 1usize..7) {
            for line_end in [LineEnd::Feed, LineEnd::Both, LineEnd::Return] {
                let dialect = Dialect { delimiter: b',', line_end };
                prop_assert_eq!(
                    rows_of(text.as_bytes(), dialect, buffer),
                    rows_of(text.as_bytes(), dialect, 1000)
                );
            }
        }
    }
}
