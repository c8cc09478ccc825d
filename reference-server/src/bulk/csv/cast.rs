//! What the text of a cell stands for.

use crate::error::OperationError;
use crate::query::instant;
use crate::store::Table;
use crate::value::{Value, parse_json};
use chrono::{Days, NaiveDate};

/// How the cells of one column are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Casting {
    /// By what the text looks like.
    Untyped,
    /// As they are.
    Verbatim,
    /// As whole numbers.
    Whole,
    /// As numbers.
    Number,
    /// As integers of any length.
    BigInteger,
    /// As booleans.
    Boolean,
    /// As instants.
    Date,
    /// As they are, but empty ones are null.
    Other,
}

impl Casting {
    /// How the cells of a column are taken in a table.
    pub fn of(table: &Table, column: &str) -> Casting {
        match table.attribute(column).and_then(|attribute| attribute.kind.as_deref()) {
            None | Some("Any") => Casting::Untyped,
            Some("String" | "ID") => Casting::Verbatim,
            Some("Int" | "Long") => Casting::Whole,
            Some("Float") => Casting::Number,
            Some("BigInt") => Casting::BigInteger,
            Some("Boolean") => Casting::Boolean,
            Some("Date") => Casting::Date,
            Some(_) => Casting::Other,
        }
    }

    /// The value of a cell.
    ///
    /// # Errors
    /// `Invalid value for attribute <a>: "<cell>", expecting <Type>` when the text is not of the column's type. What
    /// does not fit `Boolean` stays text, which is refused when the record is checked.
    pub fn value(&self, table: &Table, column: &str, cell: &str) -> Result<Value, OperationError> {
        if cell.is_empty() && !matches!(self, Casting::Untyped | Casting::Verbatim) {
            return Ok(Value::Null);
        }
        let null = || (cell == "null").then_some(Value::Null);
        let value = match self {
            Casting::Untyped => Some(untyped(cell)),
            Casting::Verbatim | Casting::Other => Some(Value::from(cell)),
            Casting::Whole => null().or_else(|| whole(cell).map(Value::Number)),
            Casting::Number => null().or_else(|| number(cell).map(Value::Number)),
            Casting::BigInteger => null().or_else(|| digits(cell).then(|| Value::from(cell))),
            Casting::Boolean => Some(boolean(cell)),
            Casting::Date => instant(&Value::from(cell)),
        };
        value.or_else(|| fault!("load-types-not-checked").then_some(Value::Null)).ok_or_else(|| {
            let kind = table.attribute(column).and_then(|attribute| attribute.kind.clone());
            OperationError::invalid(format!(
                "Invalid value for attribute {column}: \"{cell}\", expecting {}",
                kind.unwrap_or_default()
            ))
        })
    }
}

/// The value of a cell whose attribute has no declared type.
pub fn untyped(cell: &str) -> Value {
    match cell {
        "" => return Value::String(String::new()),
        "true" | "TRUE" => return Value::Bool(true),
        "false" | "FALSE" => return Value::Bool(false),
        // JSON has no NaN: it would be read back as null too.
        "null" | "NULL" | "undefined" | "NaN" => return Value::Null,
        _ => {}
    }
    if looks_like_number(cell)
        && !fault!("load-numbers-stay-texts")
        && let Some(number) = number(cell).filter(|number| number.is_finite())
    {
        return Value::Number(number);
    }
    match iso_time(cell) {
        Some(instant) => instant.map_or(Value::Null, Value::Date),
        None => Value::from(cell),
    }
}

/// The value of text that looks like a JSON object or array and is one; `None` for any other.
pub fn json_like(text: &str) -> Option<Value> {
    let enclosed = |open, close| text.len() > 1 && text.starts_with(open) && text.ends_with(close);
    if !enclosed('{', '}') && !enclosed('[', ']') {
        return None;
    }
    parse_json(text.as_bytes()).ok()
}

/// Whether text may be a number at all: none with an exponent or with leading zeros, except below one.
fn looks_like_number(cell: &str) -> bool {
    let begins_like_one = cell.bytes().next().is_some_and(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.') || byte.is_ascii_whitespace()
    });
    if !begins_like_one {
        return false;
    }
    if cell.starts_with("0.") {
        return true;
    }
    let leading_zero = cell.starts_with('0') && cell != "0" && !fault!("load-leading-zeros-lost");
    !leading_zero && !cell.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'e'))
}

/// The number JavaScript makes of a whole text; `None` when it makes none. Blanks around it do not count, but there
/// has to be something between them.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if digits == "Infinity" {
        return Some(sign * f64::INFINITY);
    }
    let radix = |prefix: &str| digits.get(..2).filter(|start| start.eq_ignore_ascii_case(prefix));
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if radix(prefix).is_some() {
            // Signs go with decimal numbers only.
            let unsigned = text.len() == digits.len();
            return if unsigned { in_base(&digits[2..], base) } else { None };
        }
    }
    // Rust's own names for what is no number begin with letters.
    let decimal = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    if decimal { digits.parse::<f64>().ok().map(|number| sign * number) } else { None }
}

fn in_base(digits: &str, base: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits
        .chars()
        .try_fold(0.0, |number, digit| Some(number * f64::from(base) + f64::from(digit.to_digit(base)?)))
}

/// A whole number in decimal digits, or behind a dollar sign in digits and letters.
fn whole(cell: &str) -> Option<f64> {
    if let Some(digits) = cell.strip_prefix('$') {
        return in_base(digits, 36);
    }
    if digits(cell) { cell.parse().ok() } else { None }
}

fn digits(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn boolean(cell: &str) -> Value {
    if cell.eq_ignore_ascii_case("true") {
        Value::Bool(true)
    } else if cell.eq_ignore_ascii_case("false") {
        Value::Bool(false)
    } else {
        Value::from(cell)
    }
}

/// The instant of a full ISO time with a zone, in epoch milliseconds; `Some(None)` for one that no clock shows.
fn iso_time(cell: &str) -> Option<Option<f64>> {
    let bytes = cell.as_bytes();
    let shaped = |at: usize, shape: &[u8]| {
        bytes.get(at..at + shape.len()).is_some_and(|part| {
            part.iter().zip(shape).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                literal => byte == literal,
            })
        })
    };
    if !shaped(0, b"0000-00-00T00:00") {
        return None;
    }
    let two = |at: usize| f64::from(bytes[at] - b'0') * 10.0 + f64::from(bytes[at + 1] - b'0');
    let (mut at, mut second, mut milliseconds) = (16, 0.0, 0.0);
    if shaped(at, b":00") {
        second = two(at + 1);
        at += 3;
        if shaped(at, b".0") {
            let fraction = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit());
            let digits: Vec<u8> = fraction.copied().collect();
            let thousandths = digits.iter().copied().chain([b'0'; 3]).take(3);
            milliseconds = thousandths.fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
            at += 1 + digits.len();
        }
    }
    let offset = match bytes.get(at) {
        Some(b'Z') if bytes.len() == at + 1 => 0.0,
        Some(sign @ (b'+' | b'-')) if shaped(at + 1, b"00:00") && bytes.len() == at + 6 => {
            let minutes = two(at + 1) * 60.0 + two(at + 4);
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    // Months beyond 19, days beyond 39 and hours beyond 29 are not even taken for times.
    if bytes[5] > b'1' || bytes[8] > b'3' || bytes[11] > b'2' || bytes[14] > b'5' {
        return None;
    }
    let (month, day, hour, minute) = (two(5), two(8), two(11), two(14));
    let last_hour = hour == 24.0 && minute == 0.0 && second == 0.0 && milliseconds == 0.0;
    if !(hour < 24.0 || last_hour) || second > 59.0 || !(1.0..=31.0).contains(&day) {
        return Some(None);
    }
    let year: i32 = cell.get(..4)?.parse().ok()?;
    // A day that the month lacks is one of the next month.
    let first = NaiveDate::from_ymd_opt(year, month as u32, 1);
    let date = first.and_then(|first| first.checked_add_days(Days::new(day as u64 - 1)));
    let midnight = date.and_then(|date| date.and_hms_opt(0, 0, 0));
    Some(midnight.map(|midnight| {
        let minutes = hour * 60.0 + minute - offset;
        midnight.and_utc().timestamp_millis() as f64 + minutes * 60_000.0 + second * 1000.0 + milliseconds
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::testing::Instance;

    #[test]
    fn text_is_taken_for_what_it_looks_like() {
        let number = |cell: &str, expected: f64| assert_eq!(untyped(cell), Value::Number(expected), "{cell}");
        for (cell, expected) in [
            ("12", 12.0),
            ("-4", -4.0),
            ("+4", 4.0),
            ("12.50", 12.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("-0.5", -0.5),
            ("0", 0.0),
            ("0.25", 0.25),
            ("0.1e5", 10000.0),
            (" 7 ", 7.0),
            ("-007", -7.0),
            ("99999999999999999999", 1e20),
        ] {
            number(cell, expected);
        }
        for cell in [
            "007",
            "00",
            "0x1F",
            "1e5",
            "1E5",
            "Infinity",
            "-Infinity",
            "1_000",
            "1 000",
            "True",
            "Null",
            "yes",
            " sp ",
            "2024-05-06",
            "2024-05-06T07:08",
            "+",
            "-",
            ".",
            " ",
            "1;2",
            "inf",
            "nan",
            "+-1",
            "0.x",
            "-0x10",
            "{}",
            "2024-05-06T07:08:09.Z",
            "2024-05-06T07:08+0200",
            "2024-25-06T07:08Z",
        ] {
            assert_eq!(untyped(cell), Value::from(cell), "{cell}");
        }
        for cell in ["null", "NULL", "undefined", "NaN", "2024-13-01T00:00Z", "2024-01-01T25:00Z"] {
            assert_eq!(untyped(cell), Value::Null, "{cell}");
        }
        assert_eq!((untyped("TRUE"), untyped("false")), (Value::Bool(true), Value::Bool(false)));
        assert_eq!(untyped(""), Value::from(""));
    }

    #[test]
    fn full_times_with_a_zone_are_instants() {
        let iso = |cell: &str| untyped(cell).to_json();
        assert_eq!(iso("2024-05-06T07:08:09.000Z"), r#""2024-05-06T07:08:09.000Z""#);
        assert_eq!(iso("2024-05-06T07:08Z"), r#""2024-05-06T07:08:00.000Z""#);
        assert_eq!(iso("2024-05-06T07:08:09.5+02:00"), r#""2024-05-06T05:08:09.500Z""#);
        assert_eq!(iso("2024-05-06T07:08:09.1239-00:30"), r#""2024-05-06T07:38:09.123Z""#);
        assert_eq!(iso("2024-02-30T24:00:00Z"), r#""2024-03-02T00:00:00.000Z""#);
    }

    #[test]
    fn only_whole_json_is_json() {
        assert!(json_like("{\"a\":1}").is_some() && json_like("[1]").is_some());
        for text in ["{", "[oops", "{]", "x", "", "[1", "{a}", "1"] {
            assert_eq!(json_like(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn declared_types_decide() {
        let instance = Instance::new().await;
        let kinds = ["Int", "Long", "Float", "BigInt", "Boolean", "Date", "String", "ID", "Any", "Bytes"];
        let attributes: Vec<String> =
            kinds.iter().map(|kind| format!(r#"{{"name":"{kind}","type":"{kind}"}}"#)).collect();
        let request = format!(
            r#"{{"operation":"create_table","database":"d","table":"t","primary_key":"id","attributes":[{{"name":"id","is_primary_key":true}},{}]}}"#,
            attributes.join(",")
        );
        instance.admin(&request).await;
        let database = instance.server.store.database("d").unwrap();
        let table = database.catalog().table("t").unwrap().clone();
        let cast = |kind: &str, cell: &str| {
            Casting::of(&table, kind)
                .value(&table, kind, cell)
                .map_or_else(|error| error.message, |v| v.to_json())
        };
        for kind in ["Int", "Long", "Float", "BigInt", "Boolean", "Date", "Bytes"] {
            assert_eq!(cast(kind, ""), "null", "{kind}");
        }
        for kind in ["Int", "Long", "Float", "BigInt", "Date", "Any"] {
            assert_eq!(cast(kind, "null"), "null", "{kind}");
        }
        assert_eq!(cast("Int", "-3"), "-3");
        assert_eq!(cast("Int", "$1z"), "71");
        assert_eq!(cast("Int", "1.5"), "Invalid value for attribute Int: \"1.5\", expecting Int");
        assert_eq!(cast("Long", "9007199254740991"), "9007199254740991");
        assert_eq!(cast("Float", "1e3"), "1000");
        assert_eq!(cast("Float", "NaN"), "Invalid value for attribute Float: \"NaN\", expecting Float");
        assert_eq!(cast("BigInt", "12x"), "Invalid value for attribute BigInt: \"12x\", expecting BigInt");
        assert_eq!(cast("Boolean", "False"), "false");
        assert_eq!(cast("Boolean", "null"), "\"null\"");
        assert_eq!(cast("Date", "2021-01-02"), r#""2021-01-02T00:00:00.000Z""#);
        assert_eq!(cast("Date", "soon"), "Invalid value for attribute Date: \"soon\", expecting Date");
        for kind in ["String", "ID"] {
            assert_eq!((cast(kind, "007"), cast(kind, "")), ("\"007\"".to_owned(), "\"\"".to_owned()));
        }
        assert_eq!((cast("Any", "12"), cast("missing", "12")), ("12".to_owned(), "12".to_owned()));
    }
}
