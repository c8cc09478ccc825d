//! Instants as JavaScript's `Date` sees them: calendar fields in UTC, texts, and reading of texts.

use super::date_parse;
use crate::value::LAST_INSTANT;

/// Milliseconds of a day.
pub(crate) const DAY: f64 = 86_400_000.0;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The calendar fields of an instant, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The year; may be negative.
    pub year: i64,
    /// From 1 to 12.
    pub month: u32,
    /// From 1 to 31.
    pub day: u32,
    /// From 0 to 23.
    pub hour: u32,
    /// From 0 to 59.
    pub minute: u32,
    /// From 0 to 59.
    pub second: u32,
    /// From 0 to 999.
    pub millisecond: u32,
    /// From 0 (Sunday) to 6.
    pub weekday: u32,
}

impl Fields {
    /// The fields of an instant in epoch milliseconds; `None` outside JavaScript's calendar.
    pub(crate) fn of(instant: f64) -> Option<Fields> {
        let instant = valid_instant(instant)? as i64;
        let (days, rest) = (instant.div_euclid(DAY as i64), instant.rem_euclid(DAY as i64));
        let (year, month, day) = date_of_days(days);
        let part = |unit: i64, count: i64| (rest / unit % count) as u32;
        Some(Fields {
            year,
            month,
            day,
            hour: part(3_600_000, 24),
            minute: part(60_000, 60),
            second: part(1000, 60),
            millisecond: part(1, 1000),
            weekday: (days + 4).rem_euclid(7) as u32,
        })
    }

    /// The instant of a date and of milliseconds since its midnight; `None` outside JavaScript's calendar. The month
    /// counts from 1 and may lie outside the year, the day outside the month.
    pub(crate) fn instant(year: f64, month: f64, day: f64, milliseconds: f64) -> Option<f64> {
        if !(year.abs() < 400_000.0 && month.abs() < 10_000_000.0 && day.is_finite()) {
            return None;
        }
        let months = year.trunc() as i64 * 12 + month.trunc() as i64 - 1;
        let first = days_of_date(months.div_euclid(12), months.rem_euclid(12) as u32 + 1, 1);
        valid_instant((first as f64 + day.trunc() - 1.0) * DAY + milliseconds)
    }
}

/// A whole instant that JavaScript's calendar has.
pub(crate) fn valid_instant(instant: f64) -> Option<f64> {
    (instant.abs() <= LAST_INSTANT).then(|| instant.trunc() + 0.0)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, carried on backwards.
pub(crate) fn days_of_date(year: i64, month: u32, day: u32) -> i64 {
    // Years are counted from March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = i64::from((month + 9) % 12);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The date of a day since 1970-01-01.
fn date_of_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days of a month.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    let next = if month >= 12 { days_of_date(year + 1, 1, 1) } else { days_of_date(year, month + 1, 1) };
    (next - days_of_date(year, month, 1)) as u32
}

/// The text of a `Date`: `Sat Feb 03 2001 04:05:06 GMT+0000 (Coordinated Universal Time)`, or `Invalid Date`.
pub fn date_text(instant: f64) -> String {
    let Some(fields) = Fields::of(instant) else {
        return "Invalid Date".to_owned();
    };
    let sign = if fields.year < 0 { "-" } else { "" };
    format!(
        "{} {} {:02} {sign}{:04} {:02}:{:02}:{:02} GMT+0000 (Coordinated Universal Time)",
        WEEKDAYS[fields.weekday as usize % 7],
        MONTHS[(fields.month as usize + 11) % 12],
        fields.day,
        fields.year.abs(),
        fields.hour,
        fields.minute,
        fields.second
    )
}

/// The instant a text stands for, as `new Date(text)` reads it on a server in UTC; NaN when it stands for none.
pub fn parse_date(text: &str) -> f64 {
    date_parse::parse(text).and_then(valid_instant).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::iso_text;

    #[test]
    fn fields_agree_with_the_text_of_instants() {
        for instant in [0.0, -1.0, 981_173_106_789.0, -62_198_755_200_000.0, 951_827_696_789.0, 4e15, -4e15] {
            let fields = Fields::of(instant).unwrap();
            let text = iso_text(instant).unwrap();
            let end = format!(
                "-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                fields.month, fields.day, fields.hour, fields.minute, fields.second, fields.millisecond
            );
            assert!(text.ends_with(&end), "{text} {fields:?}");
            let midnight = instant - instant.rem_euclid(DAY);
            let back = Fields::instant(
                fields.year as f64,
                f64::from(fields.month),
                f64::from(fields.day),
                instant - midnight,
            );
            assert_eq!(back, Some(instant));
        }
        assert_eq!(Fields::of(f64::NAN), None);
        assert_eq!(Fields::of(8.65e15), None);
        assert_eq!(days_in_month(2000, 2), 29);
        assert_eq!(days_in_month(2001, 12), 31);
        assert_eq!(Fields::instant(2001.0, 14.0, 1.0, 0.0), Fields::instant(2002.0, 2.0, 1.0, 0.0));
    }

    #[test]
    fn the_text_of_a_date() {
        let text = "Sat Feb 03 2001 04:05:06 GMT+0000 (Coordinated Universal Time)";
        assert_eq!(date_text(981_173_106_789.0), text);
        assert_eq!(parse_date(text), 981_173_106_000.0);
        assert_eq!(date_text(f64::NAN), "Invalid Date");
    }
}
