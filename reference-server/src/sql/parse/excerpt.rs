//! Where a statement cannot be understood, and how that place is quoted.

use sqlparser::tokenizer::{Location, TokenWithSpan};

/// A fault of syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the answer quotes of the statement.
    pub excerpt: String,
}

/// How much is quoted on either side, in UTF-16 units.
const SIDE: usize = 20;

impl SyntaxError {
    /// The text of the answer.
    pub fn message(&self) -> String {
        format!("Invalid SQL at: {}. {}", self.excerpt, super::ADVICE)
    }

    /// The fault at a place of the statement; at its end when the place is not known.
    pub(super) fn at(sql: &str, tokens: &[TokenWithSpan], place: Option<Location>) -> SyntaxError {
        let start = place.and_then(|place| offset_of(sql, place)).unwrap_or(sql.len());
        let token = tokens.iter().find(|token| Some(token.span.start) == place);
        let end =
            token.and_then(|token| offset_of(sql, token.span.end)).unwrap_or(start).clamp(start, sql.len());
        SyntaxError { excerpt: excerpt(sql, start, end) }
    }
}

/// The last units before a token, then the token and what follows.
fn excerpt(sql: &str, start: usize, end: usize) -> String {
    let before: Vec<u16> = sql[..start].encode_utf16().collect();
    let token_length = sql[start..end].encode_utf16().count();
    let after: Vec<u16> = sql[start..].encode_utf16().take(SIDE).collect();
    let shown = &before[before.len().saturating_sub(SIDE)..];
    let mut text = String::new();
    if before.len() > SIDE {
        text.push_str("...");
    }
    text.push_str(&String::from_utf16_lossy(shown));
    if !fault!("sql-excerpt-one-sided") {
        text.push_str(&String::from_utf16_lossy(&after));
    }
    if token_length > SIDE {
        text.push_str("...");
    }
    text.retain(|c| c != '\n' && c != '\r');
    text
}

/// The byte at which a place of the statement lies. Columns count characters, from one.
pub(super) fn offset_of(sql: &str, place: Location) -> Option<usize> {
    if place.line == 0 {
        return None;
    }
    let mut line = 1;
    let mut column = 1;
    for (offset, character) in sql.char_indices() {
        if (line, column) == (place.line, place.column) {
            return Some(offset);
        }
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    ((line, column) == (place.line, place.column)).then_some(sql.len())
}

/// The place that a message of the parser names at its end.
pub(super) fn place_in(message: &str) -> Option<Location> {
    let (_, place) = message.rsplit_once("Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let digits = |text: &str| -> Option<u64> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    Some(Location { line: digits(line)?, column: digits(column)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_quoted() {
        let sql = "SELECT id, name FROM some_db.some_table WHERE id = = 1 ORDER BY id";
        let at = sql.find("= 1").unwrap();
        assert_eq!(excerpt(sql, at, at + 1), "...me_table WHERE id = = 1 ORDER BY id");
        assert_eq!(excerpt("SELECT 1,", 9, 9), "SELECT 1,");
        assert_eq!(excerpt("SELEC\n1", 0, 5), "SELEC1");
        let long = "SELECT a_name_of_more_than_twenty x";
        assert_eq!(excerpt(long, 7, 33), "SELECT a_name_of_more_than_...");
    }

    #[test]
    fn places_are_found() {
        let place = |line, column| Location { line, column };
        assert_eq!(offset_of("ab\ncd", place(2, 1)), Some(3));
        assert_eq!(offset_of("é\nb", place(2, 2)), Some(4));
        assert_eq!(offset_of("ab", place(9, 1)), None);
        assert_eq!(place_in("Expected: x, found: y at Line: 3, Column: 14"), Some(place(3, 14)));
        assert_eq!(place_in("nothing"), None);
    }
}
