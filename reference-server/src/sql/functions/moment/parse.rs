//! Reading of dates: epoch milliseconds, ISO 8601 in its basic and extended forms, RFC 2822, and at last whatever
//! JavaScript's `Date` takes.

use super::{Weeks, now};
use crate::sql::value::{DAY, Fields, Js, days_in_month, parse_date, valid_instant};
use crate::value::Value;
use regress::{Match, Regex};
use std::sync::LazyLock;

/// The instant of a value in epoch milliseconds; now when it is absent, NaN when it has none.
pub(super) fn instant(value: &Js) -> f64 {
    match value {
        Js::Undefined => now(),
        Js::Null | Js::Bool(_) => f64::NAN,
        Js::Number(number) | Js::Date(number) => valid_instant(*number).unwrap_or(f64::NAN),
        Js::Text(text) => text_instant(text),
        Js::Json(value) => match &**value {
            Value::Array(items) if items.is_empty() => now(),
            Value::Object(members) if members.is_empty() => now(),
            Value::Array(items) => array_instant(items).unwrap_or(f64::NAN),
            _ => f64::NAN,
        },
    }
}

fn text_instant(text: &str) -> f64 {
    if let Some(milliseconds) = groups(&MILLISECONDS_IN_WORDS, text).and_then(|found| found.number(1)) {
        return valid_instant(milliseconds).unwrap_or(f64::NAN);
    }
    if let Some(found) = iso(text) {
        return found.unwrap_or(f64::NAN);
    }
    if let Some(found) = rfc_2822(text) {
        return found.unwrap_or(f64::NAN);
    }
    parse_date(text)
}

// Patterns of this program, so that they cannot fail; one that did would match nothing.
fn compiled(pattern: &str, flags: &str) -> Option<Regex> {
    Regex::with_flags(pattern, flags).ok()
}

static MILLISECONDS_IN_WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(r"^\/?Date\((-?\d+)", "i"));

static EXTENDED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        concat!(
            r"^\s*(?:([+-]\d{6}|\d{4})-(?:(\d\d)-(\d\d)|W(\d\d)-(\d)|W(\d\d)|(\d\d\d)|(\d\d)))",
            r"(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?([+-]\d\d(?::?\d\d)?|\s*Z)?)?$"
        ),
        "",
    )
});

static BASIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        concat!(
            r"^\s*(?:([+-]\d{6}|\d{4})(?:(\d\d)(\d\d)|W(\d\d)(\d)|W(\d\d)|(\d\d\d)|(\d\d)|))",
            r"(?:[T ](\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?([+-]\d\d(?::?\d\d)?|\s*Z)?)?$"
        ),
        "",
    )
});

static RFC_2822: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        concat!(
            r"^(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s)?(\d{1,2})\s",
            r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s(\d{2,4})\s(\d\d):(\d\d)(?::(\d\d))?\s",
            r"(?:(UT|GMT|[ECMP][SD]T)|([Zz])|([+-]\d{4}))$"
        ),
        "",
    )
});

static OFFSET: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(r"Z|([+-])(\d\d)(?::?(\d\d))?", "i"));

/// What a pattern found.
struct Groups<'t> {
    text: &'t str,
    found: Match,
}

fn groups<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str) -> Option<Groups<'t>> {
    let found = LazyLock::force(pattern).as_ref()?.find(text)?;
    Some(Groups { text, found })
}

impl<'t> Groups<'t> {
    fn text(&self, group: usize) -> Option<&'t str> {
        self.found.group(group).and_then(|range| self.text.get(range))
    }

    fn number(&self, group: usize) -> Option<f64> {
        self.text(group)?.parse().ok()
    }
}

/// The minutes of the last offset in a text.
pub(super) fn offset_in(text: &str) -> Option<f64> {
    let pattern = LazyLock::force(&OFFSET).as_ref()?;
    let found = Groups { text, found: pattern.find_iter(text).last()? };
    let minutes = found.number(2).unwrap_or(0.0) * 60.0 + found.number(3).unwrap_or(0.0);
    Some(if found.text(1) == Some("-") { 0.0 - minutes } else { minutes })
}

/// `None` when the text has not the form; `Some(None)` when it has, with numbers outside the calendar.
fn iso(text: &str) -> Option<Option<f64>> {
    let found = groups(&EXTENDED, text).or_else(|| groups(&BASIC, text))?;
    let has_time = found.text(9).is_some();
    let names_a_day = found.text(3).or(found.text(5)).or(found.text(7)).is_some();
    if has_time && !names_a_day {
        // A month or a week has no time; such texts are left to JavaScript's Date.
        return None;
    }
    Some(iso_instant(&found))
}

fn iso_instant(found: &Groups<'_>) -> Option<f64> {
    let year = found.number(1)?;
    let date = if let Some(week) = found.number(4).or(found.number(6)) {
        let weekday = found.number(5).unwrap_or(1.0);
        Weeks::ISO.instant(year as i64, week as i64, weekday as i64)?
    } else if let Some(day) = found.number(7) {
        let first = Fields::instant(year, 1.0, 1.0, 0.0)?;
        let days = if super::is_leap_year(year as i64) { 366.0 } else { 365.0 };
        (1.0..=days).contains(&day).then_some(first + (day - 1.0) * DAY)?
    } else {
        let month = found.number(2).or(found.number(8)).unwrap_or(1.0);
        date_instant(year, month, found.number(3).unwrap_or(1.0))?
    };
    let fraction = found.text(12).and_then(|digits| format!("0.{digits}").parse::<f64>().ok());
    let milliseconds = (fraction.unwrap_or(0.0) * 1000.0).floor();
    let part = |group: usize| found.number(group).unwrap_or(0.0);
    let time = time_of_day(part(9), part(10), part(11), milliseconds)?;
    let offset = found.text(13).and_then(offset_in).unwrap_or(0.0);
    valid_instant(date + time - offset * 60_000.0)
}

fn date_instant(year: f64, month: f64, day: f64) -> Option<f64> {
    if !(1.0..=12.0).contains(&month) {
        return None;
    }
    let days = f64::from(days_in_month(year as i64, month as u32));
    (1.0..=days).contains(&day).then(|| Fields::instant(year, month, day, 0.0))?
}

fn time_of_day(hour: f64, minute: f64, second: f64, millisecond: f64) -> Option<f64> {
    let legal = hour < 24.0 && minute < 60.0 && second < 60.0 && millisecond < 1000.0;
    let end_of_day = hour == 24.0 && minute == 0.0 && second == 0.0 && millisecond == 0.0;
    (legal || end_of_day).then_some(((hour * 60.0 + minute) * 60.0 + second) * 1000.0 + millisecond)
}

fn rfc_2822(text: &str) -> Option<Option<f64>> {
    let text = without_comments(text);
    let found = groups(&RFC_2822, &text)?;
    Some(rfc_2822_instant(&found))
}

fn rfc_2822_instant(found: &Groups<'_>) -> Option<f64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const WEEKDAYS: &str = "SunMonTueWedThuFriSat";
    let place = |names: &str, name: &str| names.find(name).map(|at| at as f64 / 3.0);
    let year = match found.number(4)? {
        year if year <= 49.0 => 2000.0 + year,
        year if year <= 999.0 => 1900.0 + year,
        year => year,
    };
    let month = place(MONTHS, found.text(3)?)? + 1.0;
    let part = |group: usize| found.number(group).unwrap_or(0.0);
    let date = Fields::instant(year, month, part(2), 0.0)?;
    if let Some(weekday) = found.text(1) {
        let actual = Fields::of(date)?.weekday;
        if place(WEEKDAYS, weekday)? != f64::from(actual) {
            return None;
        }
    }
    let offset = match (found.text(8), found.text(10)) {
        (Some(name), _) => {
            let winter = match name.as_bytes().first() {
                Some(b'E') => -5.0,
                Some(b'C') => -6.0,
                Some(b'M') => -7.0,
                Some(b'P') => -8.0,
                _ => 0.0,
            };
            (winter + if name.as_bytes().get(1) == Some(&b'D') { 1.0 } else { 0.0 }) * 60.0
        }
        (None, Some(number)) => {
            let number: f64 = number.parse().ok()?;
            (number / 100.0).trunc() * 60.0 + number % 100.0
        }
        _ => 0.0,
    };
    let time = ((part(5) * 60.0 + part(6)) * 60.0 + part(7)) * 1000.0;
    valid_instant(date + time - offset * 60_000.0)
}

/// The text with comments in parentheses and runs of white space as single blanks.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('(') {
        let (before, after) = rest.split_at(open);
        let close = after.get(1..).and_then(|inner| inner.find(['(', ')']));
        match close {
            Some(close) if after[1 + close..].starts_with(')') => {
                out.push_str(before);
                out.push(' ');
                rest = &after[close + 2..];
            }
            _ => {
                out.push_str(before);
                out.push('(');
                rest = &after[1..];
            }
        }
    }
    out.push_str(rest);
    out.split(crate::sql::value::is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `[year, month from 0, day, hour, minute, second, millisecond]`, of which later ones may lack.
fn array_instant(items: &[Value]) -> Option<f64> {
    let part =
        |at: usize, absent: f64| items.get(at).map_or(absent, |item| Js::from(item).to_number().trunc());
    let date = date_instant(part(0, 1970.0), part(1, 0.0) + 1.0, part(2, 1.0))?;
    let time = time_of_day(part(3, 0.0), part(4, 0.0), part(5, 0.0), part(6, 0.0))?;
    valid_instant(date + time)
}
