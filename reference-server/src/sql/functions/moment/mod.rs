//! Instants with an offset, as the functions of dates see them: lenient reading, calendar arithmetic that keeps to the
//! end of a month, and formats made of tokens.

mod arithmetic;
mod format;
mod legacy;
mod parse;
mod units;

pub(super) use arithmetic::Amount;
pub(super) use format::FULL;
pub(super) use legacy::legacy_text;

use crate::sql::value::{DAY, Fields, Js, days_of_date};

/// An instant as it is shown at an offset from UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Epoch milliseconds; NaN when there is none.
    instant: f64,
    /// The offset in minutes.
    offset: f64,
}

impl Moment {
    /// The moment in UTC that a value stands for: now when it is absent, none when it is null or unreadable.
    pub(super) fn of(value: &Js) -> Moment {
        Moment { instant: parse::instant(value), offset: 0.0 }
    }

    /// Epoch milliseconds; NaN when there is none.
    pub(super) fn value(self) -> Js {
        Js::Number(self.instant)
    }

    /// The fields as they are shown at the offset.
    fn fields(self) -> Option<Fields> {
        Fields::of(self.instant + (self.offset * 60_000.0).trunc())
    }

    /// The same instant shown at another offset: hours below 16, else minutes; or `±HH:mm`. `None` when no offset is
    /// given.
    pub(super) fn at_offset(self, offset: &Js) -> Option<Moment> {
        let offset = match offset {
            Js::Undefined | Js::Null => return None,
            Js::Text(text) => match parse::offset_in(text) {
                Some(minutes) => minutes,
                None => return Some(self),
            },
            other => {
                let number = other.to_number();
                if number.abs() < 16.0 { number * 60.0 } else { number }
            }
        };
        Some(Moment { offset, ..self })
    }
}

/// Now, in whole epoch milliseconds.
pub(super) fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_millis() as f64)
}

fn is_leap_year(year: i64) -> bool {
    days_of_date(year + 1, 1, 1) - days_of_date(year, 1, 1) == 366
}

/// From 1.
fn day_of_year(fields: &Fields) -> i64 {
    days_of_date(fields.year, fields.month, fields.day) - days_of_date(fields.year, 1, 1) + 1
}

/// How weeks are counted: the weekday they begin with, and the day of January that is always in the first.
#[derive(Clone, Copy)]
struct Weeks {
    first_day: i64,
    always_first: i64,
}

impl Weeks {
    const ISO: Weeks = Weeks { first_day: 1, always_first: 4 };
    const ENGLISH: Weeks = Weeks { first_day: 0, always_first: 1 };

    /// The day of the year (from 0, also negative) that the first week begins with.
    fn start(self, year: i64) -> i64 {
        let weekday = (days_of_date(year, 1, 1) + self.always_first - 1 + 4).rem_euclid(7);
        self.always_first - 1 - (weekday - self.first_day).rem_euclid(7)
    }

    fn in_year(self, year: i64) -> i64 {
        let days = if is_leap_year(year) { 366 } else { 365 };
        (days - self.start(year) + self.start(year + 1)) / 7
    }

    /// The year and week of a date.
    fn of(self, fields: &Fields) -> (i64, i64) {
        let year = fields.year;
        let week = (day_of_year(fields) - 1 - self.start(year)).div_euclid(7) + 1;
        if week < 1 {
            (year - 1, week + self.in_year(year - 1))
        } else if week > self.in_year(year) {
            (year + 1, week - self.in_year(year))
        } else {
            (year, week)
        }
    }

    /// The first instant of a weekday (from 1) of a week.
    fn instant(self, year: i64, week: i64, weekday: i64) -> Option<f64> {
        if !(1..=self.in_year(year)).contains(&week) || !(1..=7).contains(&weekday) {
            return None;
        }
        let day = days_of_date(year, 1, 1) + self.start(year) + (week - 1) * 7 + weekday - 1;
        Some(day as f64 * DAY)
    }
}
