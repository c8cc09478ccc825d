//! The fixed forms of CAST to a date and of CONVERT with a style.

use crate::sql::value::Fields;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The text of an instant in a form made of `YYYY YY MM Mmm mmm DD HH mm ss SSS`; `None` when there is no instant.
pub(in crate::sql::functions) fn legacy_text(instant: f64, form: &str) -> Option<String> {
    let fields = Fields::of(instant)?;
    let month = MONTHS.get(fields.month as usize - 1).copied().unwrap_or_default();
    let mut out = String::new();
    let mut rest = form;
    let two = |number: u32| format!("{number:02}");
    while let Some(first) = rest.chars().next() {
        let pieces: [(&str, &dyn Fn() -> String); 10] = [
            ("YYYY", &|| fields.year.to_string()),
            ("YY", &|| {
                // The last two characters of the years since 1900, whatever they are.
                let years = format!("0{}", fields.year - 1900);
                years.get(years.len().saturating_sub(2)..).unwrap_or_default().to_owned()
            }),
            ("Mmm", &|| month.to_owned()),
            ("mmm", &|| month.to_lowercase()),
            ("MM", &|| two(fields.month)),
            ("DD", &|| two(fields.day)),
            ("HH", &|| two(fields.hour)),
            ("mm", &|| two(fields.minute)),
            ("SSS", &|| format!("{:03}", fields.millisecond)),
            ("ss", &|| two(fields.second)),
        ];
        match pieces.iter().find(|(token, _)| rest.starts_with(token)) {
            Some((token, text)) => {
                out.push_str(&text());
                rest = &rest[token.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    Some(out)
}
