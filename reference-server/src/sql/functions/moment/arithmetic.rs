//! Adding to moments and measuring between them.

use super::Moment;
use super::units::Unit;
use crate::sql::functions::math::round;
use crate::sql::value::{DAY, Fields, Js, days_in_month};
use regress::Regex;
use std::sync::LazyLock;

/// An amount of time, in the three measures that do not convert into each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::sql::functions) struct Amount {
    months: f64,
    days: f64,
    milliseconds: f64,
}

impl Amount {
    /// So many of a unit. A number and a unit in the wrong order are put right; unknown units make nothing.
    pub(in crate::sql::functions) fn of(count: &Js, unit: &Js) -> Amount {
        let unit_is_number = !matches!(unit, Js::Null) && !unit.to_number().is_nan();
        let (count, unit) = if unit_is_number { (unit, count) } else { (count, unit) };
        let mut amount = Amount::default();
        let number = count.to_number();
        if !number.is_nan() {
            let unit = match unit {
                Js::Text(name) if !name.is_empty() => Unit::named(name),
                unit if unit.truth() => None,
                _ => Some(Unit::Millisecond),
            };
            if let Some(unit) = unit {
                amount.add(number, unit);
            }
        } else if let Js::Text(text) = count {
            amount = clock(text).or_else(|| iso(text)).unwrap_or_default();
        }
        amount
    }

    fn add(&mut self, count: f64, unit: Unit) {
        match unit {
            Unit::Year => self.months += count * 12.0,
            Unit::Quarter => self.months += count * 3.0,
            Unit::Month => self.months += count,
            Unit::Week | Unit::IsoWeek => self.days += count * 7.0,
            Unit::Day => self.days += count,
            Unit::Hour => self.milliseconds += count * 3_600_000.0,
            Unit::Minute => self.milliseconds += count * 60_000.0,
            Unit::Second => self.milliseconds += count * 1000.0,
            Unit::Millisecond => self.milliseconds += count,
        }
    }

    /// The opposite amount.
    pub(in crate::sql::functions) fn negated(self) -> Amount {
        Amount { months: -self.months, days: -self.days, milliseconds: -self.milliseconds }
    }
}

static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(-|\+)?(?:(\d*)[. ])?(\d+):(\d+)(?::(\d+)(\.\d*)?)?$").ok());

static ISO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = r"(?:([-+]?[0-9,.]*)Y)?(?:([-+]?[0-9,.]*)M)?(?:([-+]?[0-9,.]*)W)?(?:([-+]?[0-9,.]*)D)?";
    let time = r"(?:T(?:([-+]?[0-9,.]*)H)?(?:([-+]?[0-9,.]*)M)?(?:([-+]?[0-9,.]*)S)?)?";
    Regex::new(&format!("^(-|\\+)?P{date}{time}$")).ok()
});

/// `[-][days.]hours:minutes[:seconds[.fraction]]`
fn clock(text: &str) -> Option<Amount> {
    let found = LazyLock::force(&CLOCK).as_ref()?.find(text)?;
    let part = |group: usize| found.group(group).and_then(|range| text.get(range));
    let number = |group: usize| part(group).and_then(|part| part.parse::<f64>().ok()).unwrap_or(0.0);
    let mut amount = Amount::default();
    for (group, unit) in [(2, Unit::Day), (3, Unit::Hour), (4, Unit::Minute), (5, Unit::Second)] {
        amount.add(number(group), unit);
    }
    amount.add(round(number(6) * 1000.0), Unit::Millisecond);
    Some(if part(1) == Some("-") { amount.negated() } else { amount })
}

/// `[-]P1Y2M3W4DT5H6M7S`
fn iso(text: &str) -> Option<Amount> {
    let found = LazyLock::force(&ISO).as_ref()?.find(text)?;
    let part = |group: usize| found.group(group).and_then(|range| text.get(range));
    let mut amount = Amount::default();
    let units = [Unit::Year, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];
    for (place, unit) in units.into_iter().enumerate() {
        let number = part(place + 2).and_then(|part| part.replace(',', ".").parse().ok());
        amount.add(number.unwrap_or(0.0), unit);
    }
    Some(if part(1) == Some("-") { amount.negated() } else { amount })
}

/// Rounded to a whole number, halves away from zero.
fn round_away(number: f64) -> f64 {
    if number < 0.0 { -round(-number) } else { round(number) }
}

impl Moment {
    /// The moment so much later. Months keep to the last day of a shorter month; fractions of months and days are
    /// rounded.
    pub(in crate::sql::functions) fn plus(self, amount: Amount) -> Moment {
        let instant = self.instant_plus(amount).unwrap_or(f64::NAN);
        Moment { instant, ..self }
    }

    fn instant_plus(self, amount: Amount) -> Option<f64> {
        let mut instant = self.instant;
        let months = round_away(amount.months);
        if months != 0.0 {
            let fields = Fields::of(instant)?;
            let midnight = (instant / DAY).floor() * DAY;
            let month = f64::from(fields.month) + months;
            if month.abs() > 1e9 {
                return None;
            }
            let year = fields.year + (month as i64 - 1).div_euclid(12);
            let in_year = (month as i64 - 1).rem_euclid(12) as u32 + 1;
            let day = fields.day.min(days_in_month(year, in_year));
            instant = Fields::instant(year as f64, f64::from(in_year), f64::from(day), instant - midnight)?;
        }
        crate::sql::value::valid_instant(instant + round_away(amount.days) * DAY + amount.milliseconds)
    }

    /// The time from another moment to this one, as a number of a unit with its fraction; in milliseconds when the
    /// unit is none. NaN when one of them is no moment.
    pub(in crate::sql::functions) fn since(self, other: Moment, unit: &Js) -> Js {
        if self.instant.is_nan() || other.instant.is_nan() {
            return Js::Number(f64::NAN);
        }
        let unit = unit.as_text().and_then(Unit::named).unwrap_or(Unit::Millisecond);
        let difference = self.instant - other.instant;
        let months = || months_between(self.instant, other.instant);
        let number = match unit {
            Unit::Year => months().map(|months| months / 12.0),
            Unit::Quarter => months().map(|months| months / 3.0),
            Unit::Month => months(),
            Unit::Week => Some(difference / (7.0 * DAY)),
            Unit::Day => Some(difference / DAY),
            Unit::Hour => Some(difference / 3_600_000.0),
            Unit::Minute => Some(difference / 60_000.0),
            Unit::Second => Some(difference / 1000.0),
            Unit::IsoWeek | Unit::Millisecond => Some(difference),
        };
        Js::Number(number.unwrap_or(f64::NAN))
    }
}

/// Months from `b` to `a`: whole ones by the calendar, and the fraction of the adjoining month.
fn months_between(a: f64, b: f64) -> Option<f64> {
    let (from, to) = (Fields::of(a)?, Fields::of(b)?);
    if from.day < to.day {
        // The longer of the two months is counted from.
        return months_between(b, a).map(|months| 0.0 - months);
    }
    let whole = (to.year - from.year) as f64 * 12.0 + f64::from(to.month) - f64::from(from.month);
    let month = |count: f64| {
        let amount = Amount { months: count, ..Amount::default() };
        Moment { instant: a, offset: 0.0 }.instant_plus(amount)
    };
    let anchor = month(whole)?;
    let fraction = if b < anchor {
        (b - anchor) / (anchor - month(whole - 1.0)?)
    } else {
        (b - anchor) / (month(whole + 1.0)? - anchor)
    };
    Some(0.0 - (whole + fraction))
}
