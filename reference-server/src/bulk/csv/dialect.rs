//! Guessing how a CSV text is written, from its beginning.

use super::rows::{Row, Scanner};

/// The delimiters that are tried, in this order.
const DELIMITERS: [u8; 6] = [b',', b'\t', b'|', b';', 0x1e, 0x1f];
/// How many rows are looked at to find the delimiter.
const ROWS_TRIED: usize = 10;
/// How much text is looked at to find the line end.
const LINE_END_SAMPLE: usize = 1 << 20;
/// Fewer cells in a row than this, on the average, and it was not the delimiter.
const FEWEST_CELLS: f64 = 1.99;

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    Feed,
    /// A carriage return and a line feed.
    Both,
    /// A carriage return.
    Return,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: u8,
    /// What stands between rows.
    pub line_end: LineEnd,
}

impl Dialect {
    /// The dialect of a text that begins so.
    pub fn guess(beginning: &[u8]) -> Dialect {
        let line_end = line_end(&beginning[..beginning.len().min(LINE_END_SAMPLE)]);
        let mut best: Option<Trial> = None;
        let most = if fault!("load-commas-only") { 1 } else { DELIMITERS.len() };
        for delimiter in DELIMITERS.into_iter().take(most) {
            let trial = try_delimiter(beginning, Dialect { delimiter, line_end });
            let better = match &best {
                None => true,
                Some(best) => trial.unevenness <= best.unevenness && trial.cells > best.cells,
            };
            if better && trial.cells > FEWEST_CELLS {
                best = Some(trial);
            }
        }
        Dialect { delimiter: best.map_or(b',', |best| best.delimiter), line_end }
    }
}

/// What a delimiter makes of the first rows.
struct Trial {
    delimiter: u8,
    /// By how much the numbers of cells of neighbouring rows differ, in all.
    unevenness: usize,
    /// How many cells a row has on the average.
    cells: f64,
}

fn try_delimiter(beginning: &[u8], dialect: Dialect) -> Trial {
    let mut scanner = Scanner::new(beginning, dialect);
    let mut row = Row::default();
    let mut counts: Vec<usize> = Vec::with_capacity(ROWS_TRIED);
    for _ in 0..ROWS_TRIED {
        // A row too long to be one shows no delimiter.
        if !scanner.next_row(&mut row).unwrap_or(false) {
            break;
        }
        if !row.is_empty() {
            counts.push(row.len());
        }
    }
    let unevenness = counts.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
    let cells = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
    Trial { delimiter: dialect.delimiter, unevenness, cells }
}

/// The line end of a text, told from what is outside quotes.
fn line_end(text: &[u8]) -> LineEnd {
    let mut returns = 0usize;
    let mut followed = 0usize;
    let mut last_was_return = false;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'"'
            && let Some(end) = rest.iter().position(|&byte| byte == b'"')
        {
            rest = &rest[end + 1..];
            continue;
        }
        match byte {
            b'\n' if returns == 0 => return LineEnd::Feed,
            b'\n' if last_was_return => followed += 1,
            b'\r' => returns += 1,
            _ => {}
        }
        last_was_return = byte == b'\r';
    }
    match returns {
        0 => LineEnd::Feed,
        // Half of the pieces between carriage returns begin with a line feed.
        _ if 2 * followed > returns => LineEnd::Both,
        _ => LineEnd::Return,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(text: &str) -> char {
        char::from(Dialect::guess(text.as_bytes()).delimiter)
    }

    #[test]
    fn the_most_even_delimiter_with_most_cells_wins() {
        assert_eq!(delimiter("id,a\n1,2\n"), ',');
        assert_eq!(delimiter("id;city;pop\n1;Graz, Styria;291\n2;Linz;205\n"), ';');
        assert_eq!(delimiter("id\tcity\n3\tWels\n"), '\t');
        assert_eq!(delimiter("id|n\n1|2"), '|');
        assert_eq!(delimiter("id\u{1f}n\n1\u{1f}2"), '\u{1f}');
        assert_eq!(delimiter("lonely"), ',');
        // A quote inside a cell protects nothing.
        assert_eq!(delimiter("id,\"a;b;c\"\n1,\"x;y;z\"\n"), ';');
        assert_eq!(delimiter("\n\nid;a\n"), ';');
        assert_eq!(delimiter(""), ',');
    }

    #[test]
    fn the_line_end_is_told_from_what_is_outside_quotes() {
        let guess = |text: &str| line_end(text.as_bytes());
        assert_eq!(guess("a,b"), LineEnd::Feed);
        assert_eq!(guess("a\r\nb\r\n"), LineEnd::Both);
        assert_eq!(guess("a\nb\r\n"), LineEnd::Feed);
        assert_eq!(guess("a\rb\rc"), LineEnd::Return);
        assert_eq!(guess("\"x\ny\",b\r\n\"x\ny\",b\r\n"), LineEnd::Both);
        assert_eq!(guess("a\r\n1\r2\r\n"), LineEnd::Both);
        assert_eq!(guess("a\r\n1\r2\r3\r4\r5"), LineEnd::Return);
        assert_eq!(guess("\"open\nx\r\n"), LineEnd::Feed);
    }
}
