//! The names of units of time. `M` is months and `m` minutes; other names may be in any case.

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    /// Weeks in additions, nothing in differences.
    IsoWeek,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    /// The unit of a name.
    pub(super) fn named(name: &str) -> Option<Unit> {
        match name {
            "M" if fault!("sql-months-are-minutes") => return Some(Unit::Minute),
            "M" => return Some(Unit::Month),
            "Q" => return Some(Unit::Quarter),
            "W" => return Some(Unit::IsoWeek),
            // The day of a month is no unit to count in.
            "D" => return None,
            _ => {}
        }
        Some(match name.to_lowercase().as_str() {
            "y" | "year" | "years" => Unit::Year,
            "quarter" | "quarters" => Unit::Quarter,
            "month" | "months" => Unit::Month,
            "w" | "week" | "weeks" => Unit::Week,
            "isoweek" | "isoweeks" => Unit::IsoWeek,
            "d" | "day" | "days" => Unit::Day,
            "h" | "hour" | "hours" => Unit::Hour,
            "m" | "minute" | "minutes" => Unit::Minute,
            "s" | "second" | "seconds" => Unit::Second,
            "ms" | "millisecond" | "milliseconds" => Unit::Millisecond,
            _ => return None,
        })
    }
}
