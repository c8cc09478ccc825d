//! CAST and CONVERT. They are not in the registry, since their syntax is their own; see [`cast`].

use super::FunctionError;
use super::moment::legacy_text;
use crate::sql::value::{Js, parse_date, to_int32};
use crate::value::parse_json;

/// What a type of CAST means, for the documentation.
#[derive(Debug)]
pub struct TypeDoc {
    /// The names it has.
    pub names: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Calls and the JSON text of their results, as for functions.
    pub examples: &'static [(&'static str, &'static str)],
}

const fn type_doc(
    names: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
) -> TypeDoc {
    TypeDoc { names, doc, examples }
}

/// The types of CAST and CONVERT.
pub static TYPES: &[TypeDoc] = &[
    type_doc(
        "INT, INTEGER, SMALLINT, BIGINT",
        "The number cut to a whole one of 32 bits; 0 when it is none.",
        &[
            ("CAST('12.7' AS INT)", "12"),
            ("CAST(-3.9 AS INTEGER)", "-3"),
            ("CAST('12abc' AS INT)", "0"),
            ("CAST(3000000000 AS BIGINT)", "-1294967296"),
            ("CAST(true AS SMALLINT)", "1"),
        ],
    ),
    type_doc(
        "FLOAT, NUMBER, DECIMAL, NUMERIC",
        "The number; `(p)` rounds to p significant digits, `(p, s)` then to s decimals; absent when it is none.",
        &[
            ("CAST('5.456' AS DECIMAL(5, 1))", "5.5"),
            ("CAST('1e3' AS FLOAT)", "1000"),
            ("CAST(1234.5 AS NUMBER(2))", "1200"),
            ("CAST('abc' AS FLOAT)", "absent"),
        ],
    ),
    type_doc(
        "STRING, VARCHAR, NVARCHAR",
        "The text; `(n)` cuts it.",
        &[("CAST(12 AS STRING)", "\"12\""), ("CAST(12345 AS VARCHAR(3))", "\"123\"")],
    ),
    type_doc(
        "CHAR, NCHAR",
        "The text, by `(n)` cut or filled with blanks to that length.",
        &[("CAST(123 AS CHAR(5))", "\"123  \"")],
    ),
    type_doc(
        "BOOLEAN",
        "JavaScript's truth: false for null, 0 and the empty text only.",
        &[
            ("CAST(0 AS BOOLEAN)", "false"),
            ("CAST('' AS BOOLEAN)", "false"),
            ("CAST('false' AS BOOLEAN)", "true"),
        ],
    ),
    type_doc(
        "JSON",
        "The value that a text holds; malformed text is an error.",
        &[("CAST('{\"a\":1}' AS JSON)", "{\"a\":1}")],
    ),
    type_doc(
        "DATE, DATETIME",
        "The date as `YY.MM.DD`, or as `YYYY.MM.DD HH:mm:ss.SSS`.",
        &[
            ("CAST('2020-01-02' AS DATE)", "\"20.01.02\""),
            ("CAST('2020-01-02' AS DATETIME)", "\"2020.01.02 00:00:00.000\""),
        ],
    ),
    type_doc("MONEY", "The number to the hundredth.", &[("CAST('5.25' AS MONEY)", "5.25")]),
    type_doc("any other", "The value as it is.", &[("CAST(5 AS TEXT)", "5")]),
];

/// `CAST(value AS type(sizes))` and `CONVERT(type(sizes), value, style)`.
///
/// # Errors
/// Malformed JSON text, sizes beyond 100 digits, an unknown style.
pub fn cast(value: &Js, type_name: &str, sizes: &[u32], style: Option<f64>) -> Result<Js, FunctionError> {
    let type_name = type_name.to_ascii_uppercase();
    let is_date = matches!(type_name.as_str(), "DATE" | "DATETIME" | "DATETIME2");
    let style = style.filter(|style| *style != 0.0);
    if is_date || style.is_some() {
        if value.is_nullish() {
            return Ok(Js::Undefined);
        }
        let instant = instant_of(value);
        if is_date {
            let form = if type_name == "DATE" { "YY.MM.DD" } else { "YYYY.MM.DD HH:mm:ss.SSS" };
            if let Some(style) = style {
                style_form(style)?;
            }
            return Ok(dated(instant, form));
        }
        if let Some(style) = style {
            return plain_cast(&dated(instant, style_form(style)?), &type_name, sizes);
        }
    }
    plain_cast(value, &type_name, sizes)
}

fn plain_cast(value: &Js, type_name: &str, sizes: &[u32]) -> Result<Js, FunctionError> {
    let size = sizes.first().map(|size| *size as usize);
    Ok(match type_name {
        "INT" | "INTEGER" | "SMALLINT" | "BIGINT" | "SERIAL" | "SMALLSERIAL" | "BIGSERIAL" => {
            let number = value.to_number();
            let number = if fault!("sql-cast-rounds") { number.round() } else { number };
            Js::Number(f64::from(to_int32(number)))
        }
        "FLOAT" | "NUMBER" | "DECIMAL" | "NUMERIC" => return decimal(value.to_number(), sizes),
        "STRING" | "VARCHAR" | "NVARCHAR" => match size.filter(|size| *size > 0) {
            Some(size) => Js::from(cut(&value.to_text(), size)),
            None => Js::text(value.to_text()),
        },
        "CHAR" | "CHARACTER" | "NCHAR" => match size {
            Some(size) => Js::from(padded(&value.to_text(), size)?),
            None => Js::text(value.to_text()),
        },
        "BOOLEAN" => Js::Bool(value.truth()),
        "MONEY" => {
            let number = value.to_number();
            Js::Number(f64::from(to_int32(number)) + number * 100.0 % 100.0 / 100.0)
        }
        "JSON" => match value {
            Js::Null | Js::Json(_) | Js::Date(_) => value.clone(),
            Js::Undefined => return Err(FunctionError::new("Cannot convert string to JSON")),
            other => parse_json(other.to_text().as_bytes())
                .map(Js::from)
                .map_err(|_| FunctionError::new("Cannot convert string to JSON"))?,
        },
        _ => value.clone(),
    })
}

fn cut(text: &str, size: usize) -> String {
    let units: Vec<u16> = text.encode_utf16().take(size).collect();
    String::from_utf16_lossy(&units)
}

fn padded(text: &str, size: usize) -> Result<String, FunctionError> {
    const LONGEST: usize = 1 << 24;
    if size > LONGEST {
        return Err(FunctionError::new("Invalid string length"));
    }
    let mut out = cut(text, size);
    let units = out.encode_utf16().count();
    out.extend(std::iter::repeat_n(' ', size.saturating_sub(units)));
    Ok(out)
}

fn decimal(number: f64, sizes: &[u32]) -> Result<Js, FunctionError> {
    let mut number = number;
    for (place, size) in sizes.iter().take(2).enumerate() {
        let least = if place == 0 { 1 } else { 0 };
        if !(least..=100).contains(size) && number.is_finite() {
            return Err(FunctionError::new("the number of digits must be between 1 and 100"));
        }
        number = if place == 0 { to_digits(number, *size) } else { to_decimals(number, *size) };
    }
    Ok(Js::Number(number))
}

/// The number rounded to so many significant digits, halves away from zero.
fn to_digits(number: f64, digits: u32) -> f64 {
    rounded(number, |exponent| i64::from(digits) - 1 - exponent)
}

/// The number rounded to so many decimals, halves away from zero. From 10²¹ on numbers stay as they are.
fn to_decimals(number: f64, decimals: u32) -> f64 {
    if number.abs() >= 1e21 { number } else { rounded(number, |_| i64::from(decimals)) }
}

/// Rounds the exact decimal expansion of a number: `decimals` says how many decimals stay, given the place of the
/// first digit. Formatting rounds halves to even, JavaScript away from zero, so halves are found in all digits.
fn rounded(number: f64, decimals: impl Fn(i64) -> i64) -> f64 {
    if !number.is_finite() || number == 0.0 {
        return number;
    }
    // No double has more than 767 significant digits.
    let exact = format!("{:.770e}", number.abs());
    let Some((mantissa, exponent)) = exact.split_once('e') else {
        return number;
    };
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let kept = exponent + 1 + decimals(exponent);
    if kept < 0 {
        return 0.0;
    }
    let kept = (kept as usize).min(digits.len());
    let mut head = digits.get(..kept).unwrap_or_default().to_vec();
    let mut exponent = exponent;
    if digits.get(kept).is_some_and(|next| *next >= 5) {
        let nines = head.iter().rev().take_while(|digit| **digit == 9).count();
        let end = head.len() - nines;
        head[end..].fill(0);
        match head[..end].last_mut() {
            Some(last) => *last += 1,
            None => {
                head.insert(0, 1);
                exponent += 1;
            }
        }
    }
    let text: String = head.iter().map(|digit| char::from(b'0' + digit)).collect();
    let places = text.len() as i64;
    let magnitude: f64 = format!("{text}e{}", exponent + 1 - places).parse().unwrap_or(0.0);
    magnitude.copysign(number)
}

/// The instant of a value that is converted to a date: eight digits are year, month and day.
fn instant_of(value: &Js) -> f64 {
    match value {
        Js::Text(text) => {
            let bytes = text.as_bytes();
            let has_eight_digits = bytes.windows(8).any(|digits| digits.iter().all(u8::is_ascii_digit));
            if has_eight_digits && bytes.len() >= 8 {
                let number = |from: usize, to: usize| {
                    text.get(from..to).map_or(f64::NAN, |part| Js::text(part).to_number())
                };
                return crate::sql::value::Fields::instant(number(0, 4), number(4, 6), number(6, 8), 0.0)
                    .unwrap_or(f64::NAN);
            }
            parse_date(text)
        }
        Js::Json(_) => parse_date(&value.to_text()),
        other => other.to_number(),
    }
}

fn dated(instant: f64, form: &str) -> Js {
    legacy_text(instant, form).map_or(Js::Undefined, Js::from)
}

fn style_form(style: f64) -> Result<&'static str, FunctionError> {
    Ok(match style as i64 {
        1 => "MM/DD/YY",
        2 => "YY.MM.DD",
        3 => "DD/MM/YY",
        4 => "DD.MM.YY",
        5 => "DD-MM-YY",
        6 => "DD mmm YY",
        7 => "Mmm DD,YY",
        8 | 108 => "HH:mm:ss",
        10 => "MM-DD-YY",
        11 => "YY/MM/DD",
        12 => "YYMMDD",
        101 => "MM/DD/YYYY",
        102 => "YYYY.MM.DD",
        103 => "DD/MM/YYYY",
        104 => "DD.MM.YYYY",
        105 => "DD-MM-YYYY",
        106 => "DD mmm YYYY",
        107 => "Mmm DD,YYYY",
        110 => "MM-DD-YYYY",
        111 => "YYYY/MM/DD",
        112 => "YYYYMMDD",
        _ => return Err(FunctionError(format!("The CONVERT style {style} is not realized yet."))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_as_in_javascript() {
        for (number, digits, wanted) in [
            (2.5, 1, 3.0),
            (1.25, 2, 1.3),
            (1234.5, 2, 1200.0),
            (99.9, 2, 100.0),
            (0.00015, 1, 0.0001),
            (-2.5, 1, -3.0),
        ] {
            assert_eq!(to_digits(number, digits), wanted, "{number} {digits}");
        }
        for (number, decimals, wanted) in [
            (1.005, 2, 1.0),
            (2.5, 0, 3.0),
            (0.5, 0, 1.0),
            (0.4, 0, 0.0),
            (-1.45, 1, -1.4),
            (1e22, 2, 1e22),
            (9.99, 1, 10.0),
            (0.001, 1, 0.0),
        ] {
            assert_eq!(to_decimals(number, decimals), wanted, "{number} {decimals}");
        }
    }

    #[test]
    fn styles_and_dates() {
        let day = Js::text("2020-01-02");
        let converted = |style: f64| cast(&day, "STRING", &[], Some(style)).unwrap();
        assert_eq!(converted(1.0), Js::text("01/02/20"));
        assert_eq!(converted(6.0), Js::text("02 jan 20"));
        assert_eq!(converted(107.0), Js::text("Jan 02,2020"));
        assert_eq!(converted(112.0), Js::text("20200102"));
        assert_eq!(converted(8.0), Js::text("00:00:00"));
        assert!(cast(&day, "STRING", &[], Some(9.0)).is_err());
        assert_eq!(cast(&Js::text("x"), "DATE", &[], None).unwrap(), Js::Undefined);
        assert!(cast(&Js::from(1.0), "FLOAT", &[0], None).is_err());
        assert!(cast(&Js::from(1.0), "CHAR", &[u32::MAX], None).is_err());
    }
}
