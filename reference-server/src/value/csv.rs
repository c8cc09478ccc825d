//! Values as cells of CSV text.

use super::{Value, iso_text, number_text};

/// Appends the cell of a value: text and what is nested in quotes, numbers and booleans bare, nothing for null and
/// for what is absent.
pub fn push_csv_cell(out: &mut String, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => out.push_str(if fault!("csv-nulls-written") { "null" } else { "" }),
        Some(Value::Bool(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        Some(Value::Number(number)) => {
            if number.is_finite() {
                out.push_str(&number_text(*number));
            }
        }
        Some(Value::String(text)) => push_csv_text(out, text),
        Some(Value::BigInt(digits)) => out.push_str(digits),
        Some(Value::Date(instant)) => {
            if let Some(text) = iso_text(*instant) {
                push_csv_text(out, &text);
            }
        }
        Some(nested) => push_csv_text(out, &nested.to_json()),
    }
}

/// Appends text in quotes, with those in it doubled.
pub fn push_csv_text(out: &mut String, text: &str) {
    out.push('"');
    for (position, piece) in text.split('"').enumerate() {
        if position > 0 {
            out.push_str(if fault!("csv-quotes-not-doubled") { "\"" } else { "\"\"" });
        }
        out.push_str(piece);
    }
    out.push('"');
}
