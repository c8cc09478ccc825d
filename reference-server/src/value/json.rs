//! JSON text as a JavaScript engine prints it: number text above all.

use super::Value;
use chrono::{DateTime, Datelike, Utc};
use std::io::Write;

/// Appends the JSON text of `value`.
pub fn write_json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, *number),
        Value::String(text) => write_json_string(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_json(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (position, (name, item)) in members.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_json_string(out, name);
                out.push(b':');
                write_json(out, item);
            }
            out.push(b'}');
        }
        Value::Bytes(bytes) => {
            out.extend_from_slice(br#"{"type":"Buffer","data":["#);
            for (position, byte) in bytes.iter().enumerate() {
                let comma = if position > 0 { "," } else { "" };
                let _ = write!(out, "{comma}{byte}");
            }
            out.extend_from_slice(b"]}");
        }
        Value::Date(instant) => match iso_text(*instant) {
            Some(text) => write_json_string(out, &text),
            None => out.extend_from_slice(b"null"),
        },
        Value::BigInt(digits) => out.extend_from_slice(digits.as_bytes()),
    }
}

/// Appends `text` as a JSON string.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    // Writing to a Vec cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// The text JavaScript prints for a number; `null` for NaN and the infinities, as `JSON.stringify` does.
pub fn number_text(number: f64) -> String {
    let mut out = Vec::new();
    write_number(&mut out, number);
    String::from_utf8(out).unwrap_or_default()
}

/// Whole numbers up to here are printed digit by digit, and quickly.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn write_number(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
    } else if number.abs() <= WHOLE && number.fract() == 0.0 {
        // Also -0, which prints as 0. Writing to a Vec cannot fail.
        let _ = serde_json::to_writer(out, &(number as i64));
    } else {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    }
}

/// The last instant of JavaScript's calendar, in epoch milliseconds; its negative is the first.
pub const LAST_INSTANT: f64 = 8.64e15;

/// Days, and years, in the calendar's period of 400 years.
const PERIOD: (i64, i64) = (146_097, 400);

/// ISO 8601 text with milliseconds and `Z` of an instant in epoch milliseconds; `None` outside the calendar. Years
/// beyond four digits have six and a sign.
pub fn iso_text(instant: f64) -> Option<String> {
    if instant.is_nan() || instant.abs() > LAST_INSTANT {
        return None;
    }
    // chrono's calendar ends before JavaScript's, so it is asked about the same day of an early period.
    let milliseconds = instant.trunc() as i64;
    let periods = milliseconds.div_euclid(PERIOD.0 * 86_400_000);
    let moment: DateTime<Utc> =
        DateTime::from_timestamp_millis(milliseconds - periods * PERIOD.0 * 86_400_000)?;
    let year = i64::from(moment.year()) + periods * PERIOD.1;
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
    };
    Some(format!("{year}{}", moment.format("-%m-%dT%H:%M:%S%.3fZ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_javascript() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.0, "0"),
            (-17.0, "-17"),
            (-9_007_199_254_740_992.0, "-9007199254740992"),
            (9_007_199_254_740_994.0, "9007199254740994"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::INFINITY, "null"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn dates_print_as_iso_text() {
        assert_eq!(Value::Date(0.0).to_json(), r#""1970-01-01T00:00:00.000Z""#);
        assert_eq!(Value::Date(f64::NAN).to_json(), "null");
        assert_eq!(Value::Date(253_402_300_800_000.0).to_json(), r#""+010000-01-01T00:00:00.000Z""#);
        assert_eq!(Value::Date(-62_198_755_200_000.0).to_json(), r#""-000001-01-01T00:00:00.000Z""#);
        assert_eq!(Value::Date(8.64e15).to_json(), r#""+275760-09-13T00:00:00.000Z""#);
        assert_eq!(Value::Date(-8.64e15).to_json(), r#""-271821-04-20T00:00:00.000Z""#);
        assert_eq!(Value::Date(8.65e15).to_json(), "null");
        assert_eq!(Value::Date(-1.5).to_json(), r#""1969-12-31T23:59:59.999Z""#);
        assert_eq!(Value::Date(951_827_696_789.0).to_json(), r#""2000-02-29T12:34:56.789Z""#);
    }

    #[test]
    fn bytes_print_as_a_buffer() {
        assert_eq!(Value::Bytes(vec![1, 255]).to_json(), r#"{"type":"Buffer","data":[1,255]}"#);
    }
}
