//! Spans of time as texts: `1d`, `2 days`, `90 min`, `1.5h`.

const SECOND: f64 = 1000.0;
const DAY: f64 = 86_400.0 * SECOND;

/// Longer texts are not looked at.
const MAX_LENGTH: usize = 100;

/// The milliseconds of a span. A text without a unit counts milliseconds; `None` is no span.
pub fn span_milliseconds(text: &str) -> Option<f64> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let number_end = text.find(|c: char| !matches!(c, '-' | '.' | '0'..='9')).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    // JavaScript's numbers, but not Rust's, may not end with a point here.
    if number.ends_with('.') {
        return None;
    }
    Some(number.parse::<f64>().ok()? * unit_milliseconds(unit.trim_start_matches(' '))?)
}

fn unit_milliseconds(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0 * SECOND,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0 * SECOND,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7.0 * DAY,
        "y" | "yr" | "yrs" | "year" | "years" => 365.25 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, milliseconds) in [
            ("60", 60.0),
            ("1s", 1000.0),
            ("1.5h", 5_400_000.0),
            (".5 min", 30_000.0),
            ("-3 days", -259_200_000.0),
            ("2 Weeks", 1_209_600_000.0),
            ("1y", 31_557_600_000.0),
            ("100msecs", 100.0),
        ] {
            assert_eq!(span_milliseconds(text), Some(milliseconds), "{text}");
        }
        for text in
            ["", "soon", "1 month", "1.", "--1", "1h 5m", " 1h", "1h ", "1e3", "inf", "1.2.3", "h", "-"]
        {
            assert_eq!(span_milliseconds(text), None, "{text}");
        }
        assert_eq!(span_milliseconds(&"1".repeat(101)), None);
    }
}
