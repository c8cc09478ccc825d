//! Functions of texts. Lengths and positions count UTF-16 units.

use super::{Function, FunctionError, argument};
use crate::sql::value::{Js, is_space, patterns::Pattern, to_int32};
use std::borrow::Cow;
use std::cell::RefCell;

/// What TRIM is called where it names the characters.
pub const TRIM_FROM: &str = "TRIM FROM";

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "CONCAT",
        &[],
        "a, …",
        (0, usize::MAX),
        "The texts of the arguments joined; null counts as empty.",
        &[
            ("CONCAT('a', 'b', 1)", "\"ab1\""),
            ("CONCAT('p', NULL, 'q')", "\"pq\""),
            ("CONCAT(true, 'x')", "\"truex\""),
            ("CONCAT()", "\"\""),
        ],
        |arguments| Ok(joined(arguments.iter(), "")),
    ),
    Function::new(
        "CONCAT_WS",
        &[],
        "separator, a, …",
        (0, usize::MAX),
        "The texts of the arguments joined with a separator; null is left out.",
        &[("CONCAT_WS('-', 'a', 'b', 1)", "\"a-b-1\""), ("CONCAT_WS(', ', 'x', NULL, 'y')", "\"x, y\"")],
        concat_ws,
    ),
    Function::new(
        "INSTR",
        &[],
        "text, part",
        (2, 2),
        "The place of the first occurrence of a part, from 1; 0 when there is none. Letters are told apart by case.",
        &[("INSTR('foobar', 'bar')", "4"), ("INSTR('Foobar', 'foo')", "0")],
        |arguments| {
            let Some([text, part]) = texts(arguments) else {
                return Ok(Js::Undefined);
            };
            let place = text.find(&*part).map_or(0, |at| 1 + length(&text[..at]));
            Ok(Js::Number(place as f64))
        },
    ),
    Function::new(
        "LENGTH",
        &["LEN"],
        "text",
        (1, 1),
        "The length of a text (or list); absent for numbers.",
        &[("LEN('hello')", "5"), ("LENGTH('héllo')", "5"), ("LENGTH('😀')", "2"), ("LENGTH(5)", "absent")],
        |arguments| {
            Ok(match argument(arguments, 0) {
                Js::Text(text) => Js::Number(length(text) as f64),
                Js::Json(value) => {
                    value.as_array().map_or(Js::Undefined, |items| Js::Number(items.len() as f64))
                }
                _ => Js::Undefined,
            })
        },
    ),
    Function::new(
        "LOWER",
        &["LCASE"],
        "text",
        (1, 1),
        "The text in small letters.",
        &[("LOWER('ÄB1')", "\"äb1\""), ("LOWER(NULL)", "absent")],
        |arguments| Ok(of_text(arguments, |text| text.to_lowercase())),
    ),
    Function::new(
        "UPPER",
        &["UCASE"],
        "text",
        (1, 1),
        "The text in capitals.",
        &[("UPPER('straße')", "\"STRASSE\""), ("UPPER(5)", "\"5\"")],
        |arguments| Ok(of_text(arguments, |text| text.to_uppercase())),
    ),
    Function::new(
        "TRIM",
        &[],
        "text",
        (1, 1),
        "The text without white space at both ends.",
        &[("TRIM('  a b  ')", "\"a b\"")],
        |arguments| Ok(of_text(arguments, |text| text.trim_matches(is_space).to_owned())),
    ),
    Function::new(
        TRIM_FROM,
        &[],
        "characters, text",
        (2, 2),
        "The text without any of the characters at both ends. It is written `TRIM(characters FROM text)`.",
        &[("TRIM('x' FROM 'xxhixx')", "\"hi\""), ("TRIM('.!' FROM '!.a.b.')", "\"a.b\"")],
        |arguments| {
            let Some([characters, text]) = texts(arguments) else {
                return Ok(Js::Undefined);
            };
            Ok(Js::text(text.trim_matches(|c| characters.contains(c))))
        },
    ),
    Function::new(
        "LTRIM",
        &[],
        "text",
        (1, 1),
        "The text without blanks at its start.",
        &[("LTRIM('  a ')", "\"a \"")],
        |arguments| Ok(of_text(arguments, |text| text.trim_start_matches(' ').to_owned())),
    ),
    Function::new(
        "RTRIM",
        &[],
        "text",
        (1, 1),
        "The text without blanks at its end.",
        &[("RTRIM(' a  ')", "\" a\"")],
        |arguments| Ok(of_text(arguments, |text| text.trim_end_matches(' ').to_owned())),
    ),
    Function::new(
        "SUBSTRING",
        &["SUBSTR", "MID"],
        "text, position[, length]",
        (2, 3),
        "The part of a text from a position on, counted from 1; positions of 0 and below count from the end.",
        &[
            ("SUBSTRING('abcdef', 2, 3)", "\"bcd\""),
            ("SUBSTR('abcdef', 3)", "\"cdef\""),
            ("MID('abcdef', 10, 2)", "\"\""),
            ("SUBSTR('abcdef', 0)", "\"f\""),
            ("SUBSTR('abcdef', -2)", "\"def\""),
        ],
        substring,
    ),
    Function::new(
        "REPLACE",
        &[],
        "text, old, new",
        (3, 3),
        "The text with every occurrence of `old` replaced, as it stands; letters are told apart by case.",
        &[
            ("REPLACE('banana', 'an', 'AN')", "\"bANANa\""),
            ("REPLACE('a.b.c', '.', '-')", "\"a-b-c\""),
            ("REPLACE('abc', '', '-')", "\"a-b-c\""),
        ],
        replace,
    ),
    Function::new(
        "REGEXP_LIKE",
        &[],
        "text, pattern[, flags]",
        (2, 3),
        "Whether a JavaScript regular expression occurs in a text; `i` ignores case.",
        &[("REGEXP_LIKE('abc', '^A', 'i')", "true"), ("REGEXP_LIKE('abc', '^A')", "false")],
        regexp_like,
    ),
    Function::new(
        "CHAR",
        &[],
        "code, …",
        (0, usize::MAX),
        "The text of UTF-16 units.",
        &[("CHAR(65)", "\"A\"")],
        |arguments| {
            let units: Vec<u16> = arguments.iter().map(|code| to_int32(code.to_number()) as u16).collect();
            Ok(Js::from(String::from_utf16_lossy(&units)))
        },
    ),
    Function::new(
        "ASCII",
        &[],
        "text",
        (1, 1),
        "The first UTF-16 unit of a text; absent when it is empty.",
        &[("ASCII('A')", "65"), ("ASCII('')", "absent")],
        |arguments| {
            let text = argument(arguments, 0);
            let unit = if text.is_nullish() { None } else { text.to_text().encode_utf16().next() };
            Ok(unit.map_or(Js::Undefined, |unit| Js::Number(f64::from(unit))))
        },
    ),
];

fn length(text: &str) -> usize {
    if text.is_ascii() || fault!("sql-lengths-in-bytes") { text.len() } else { text.encode_utf16().count() }
}

/// The texts of the first arguments; `None` when one is null.
fn texts<const N: usize>(arguments: &[Js]) -> Option<[Cow<'_, str>; N]> {
    let arguments = arguments.first_chunk::<N>()?;
    (!arguments.iter().any(Js::is_nullish)).then(|| arguments.each_ref().map(Js::to_text))
}

fn of_text(arguments: &[Js], change: impl Fn(&str) -> String) -> Js {
    match texts::<1>(arguments) {
        Some([text]) => Js::from(change(&text)),
        None => Js::Undefined,
    }
}

fn joined<'a>(values: impl Iterator<Item = &'a Js>, separator: &str) -> Js {
    let texts: Vec<Cow<'_, str>> =
        values.map(|value| if value.is_nullish() { Cow::Borrowed("") } else { value.to_text() }).collect();
    Js::from(texts.join(separator))
}

fn concat_ws(arguments: &[Js]) -> Result<Js, FunctionError> {
    let mut present = arguments.iter().filter(|value| !value.is_nullish());
    let separator = match present.next() {
        Some(separator) if separator.truth() => separator.to_text(),
        _ => Cow::Borrowed(""),
    };
    Ok(joined(present, &separator))
}

fn substring(arguments: &[Js]) -> Result<Js, FunctionError> {
    let text = argument(arguments, 0);
    if text.is_nullish() {
        return Ok(Js::Undefined);
    }
    let text = text.to_text();
    let whole = |number: f64| if number.is_nan() { 0.0 } else { number.trunc() };
    let size = length(&text) as f64;
    let first = if fault!("sql-positions-from-zero") { 0.0 } else { 1.0 };
    let start = whole(argument(arguments, 1).to_number() - first);
    let start = if start < 0.0 { (size + start).max(0.0) } else { start.min(size) };
    let count = match argument(arguments, 2) {
        Js::Undefined => size,
        count => whole(count.to_number()),
    };
    let end = (start + count).min(size);
    if end <= start {
        return Ok(Js::text(""));
    }
    let (start, end) = (start as usize, end as usize);
    if text.is_ascii() {
        return Ok(Js::text(text.get(start..end).unwrap_or_default()));
    }
    let units: Vec<u16> = text.encode_utf16().skip(start).take(end - start).collect();
    Ok(Js::from(String::from_utf16_lossy(&units)))
}

fn replace(arguments: &[Js]) -> Result<Js, FunctionError> {
    let text = argument(arguments, 0);
    let text = if text.truth() { text.to_text() } else { Cow::Borrowed("") };
    let (old, new) = (argument(arguments, 1), argument(arguments, 2));
    if old.is_nullish() || new.is_nullish() {
        return Ok(Js::Undefined);
    }
    let (old, new) = (old.to_text(), new.to_text());
    if old.is_empty() {
        // The empty text is found between any two characters, not at the ends.
        let parts: Vec<String> = text.chars().map(String::from).collect();
        return Ok(Js::from(parts.join(&new)));
    }
    if fault!("sql-replace-first-only") {
        return Ok(Js::from(text.replacen(&*old, &new, 1)));
    }
    Ok(Js::from(text.replace(&*old, &new)))
}

fn regexp_like(arguments: &[Js]) -> Result<Js, FunctionError> {
    let (text, pattern) = (argument(arguments, 0), argument(arguments, 1));
    let text = if text.truth() { text.to_text() } else { Cow::Borrowed("") };
    let pattern = if matches!(pattern, Js::Undefined) { Cow::Borrowed("") } else { pattern.to_text() };
    let flags = match argument(arguments, 2) {
        Js::Undefined => Cow::Borrowed(""),
        flags => flags.to_text(),
    };
    with_pattern(&pattern, &flags, |pattern| pattern.matches_text(&text)).map(Js::Bool)
}

thread_local! {
    /// The last regular expression of this thread: one statement asks for the same one row by row.
    static LAST: RefCell<Option<(String, String, Pattern)>> = const { RefCell::new(None) };
}

fn with_pattern(pattern: &str, flags: &str, ask: impl Fn(&Pattern) -> bool) -> Result<bool, FunctionError> {
    LAST.with(|last| {
        let mut last = last.borrow_mut();
        if let Some((known, known_flags, ready)) = &*last
            && (known.as_str(), known_flags.as_str()) == (pattern, flags)
        {
            return Ok(ask(ready));
        }
        let ready = Pattern::regexp(pattern, flags).map_err(|error| FunctionError::new(error.to_string()))?;
        let answer = ask(&ready);
        *last = Some((pattern.to_owned(), flags.to_owned(), ready));
        Ok(answer)
    })
}
