//! Reading of dates as V8's `Date.parse` does it, for a server in UTC: first the ISO form of ECMAScript; where that
//! ends, the forgiving old parser goes on, which takes words and numbers in many orders.

use super::date_tokens::{Scanner, Token, Word};
use super::dates::Fields;

/// The instant of a text in epoch milliseconds.
pub(super) fn parse(text: &str) -> Option<f64> {
    let mut reader = Reader { tokens: Scanner::new(text), ..Reader::default() };
    match reader.iso() {
        Iso::Whole => {}
        Iso::Broken => return None,
        Iso::Until(token) => reader.forgiving(token)?,
    }
    let day = reader.day.date()?;
    let time = reader.time.milliseconds()?;
    Fields::instant(f64::from(day.0), f64::from(day.1), f64::from(day.2), time - reader.zone.milliseconds())
}

/// How far the ISO form went.
enum Iso {
    /// To the end of the text.
    Whole,
    /// To a place from where no other form can go on.
    Broken,
    /// To this token.
    Until(Token),
}

#[derive(Default)]
struct Reader<'t> {
    tokens: Scanner<'t>,
    day: Day,
    time: Time,
    zone: Zone,
}

impl Reader<'_> {
    fn iso(&mut self) -> Iso {
        if let Token::Sign(sign) = self.tokens.peek() {
            let token = self.tokens.next();
            let Some(year) = self.fixed(6, 0..=999_999) else {
                return Iso::Until(token);
            };
            if sign < 0 && year == 0 {
                return Iso::Until(token);
            }
            self.day.add(sign * year);
        } else if let Some(year) = self.fixed(4, 0..=9999) {
            self.day.add(year);
        } else {
            return Iso::Until(self.tokens.next());
        }
        for range in [1..=12, 1..=31] {
            if self.tokens.skip(Token::Sign(-1)) {
                match self.fixed(2, range) {
                    Some(number) => self.day.add(number),
                    None => return Iso::Until(self.tokens.next()),
                };
            } else {
                break;
            }
        }
        match self.tokens.peek() {
            Token::End => {}
            Token::Word(Word::T, _) => {
                self.tokens.next();
                if self.iso_time().is_none() || self.tokens.peek() != Token::End {
                    return Iso::Broken;
                }
            }
            _ => return Iso::Until(self.tokens.next()),
        }
        self.day.is_iso = true;
        Iso::Whole
    }

    fn iso_time(&mut self) -> Option<()> {
        let hour = self.fixed(2, 0..=24)?;
        let most = if hour == 24 { 0 } else { 59 };
        self.time.add(hour);
        if !self.tokens.skip(Token::Symbol(':')) {
            return None;
        }
        let minute = self.fixed(2, 0..=most)?;
        self.time.add(minute);
        if self.tokens.skip(Token::Symbol(':')) {
            let second = self.fixed(2, 0..=most)?;
            self.time.add(second);
            if self.tokens.skip(Token::Symbol('.')) {
                let fraction = self.tokens.next().milliseconds()?;
                if hour == 24 && fraction > 0 {
                    return None;
                }
                self.time.add(fraction);
            }
        }
        match self.tokens.peek() {
            Token::Word(Word::Zone(0), 1) => {
                self.tokens.next();
                self.zone.set(0);
            }
            Token::Sign(sign) => {
                self.tokens.next();
                self.zone.sign = Some(sign);
                if let Token::Number(both, 4) = self.tokens.peek() {
                    self.tokens.next();
                    (self.zone.hour, self.zone.minute) = (Some(both / 100), Some(both % 100));
                    return (both / 100 < 24 && both % 100 < 60).then_some(());
                }
                self.zone.hour = Some(self.fixed(2, 0..=23)?);
                if !self.tokens.skip(Token::Symbol(':')) {
                    return None;
                }
                self.zone.minute = Some(self.fixed(2, 0..=59)?);
            }
            _ => {}
        }
        Some(())
    }

    /// Takes a number of so many digits within a range.
    fn fixed(&mut self, digits: usize, range: std::ops::RangeInclusive<i32>) -> Option<i32> {
        match self.tokens.peek() {
            Token::Number(number, length) if length == digits && range.contains(&number) => {
                self.tokens.next();
                Some(number)
            }
            _ => None,
        }
    }

    fn forgiving(&mut self, first: Token) -> Option<()> {
        let mut seen_number = self.day.count > 0;
        let mut token = first;
        while token != Token::End {
            match token {
                Token::Number(number, _) => {
                    seen_number = true;
                    self.number(number)?;
                }
                Token::Word(word, _) => self.word(word, seen_number)?,
                Token::Sign(sign) if self.zone.is_utc() || self.time.count > 0 => {
                    seen_number = true;
                    self.offset(sign)?;
                }
                Token::Sign(_) | Token::Symbol(')') if seen_number => return None,
                _ => {}
            }
            token = self.tokens.next();
        }
        Some(())
    }

    fn number(&mut self, number: i32) -> Option<()> {
        if self.tokens.skip(Token::Symbol(':')) {
            if self.tokens.skip(Token::Symbol(':')) {
                if self.time.count > 0 {
                    return None;
                }
                self.time.add(number);
                self.time.add(0);
            } else {
                self.time.add(number).then_some(())?;
                self.tokens.skip(Token::Symbol('.'));
            }
        } else if self.tokens.skip(Token::Symbol('.')) && self.time.expects(number) {
            self.time.add(number);
            let fraction = self.tokens.next().milliseconds()?;
            self.time.add_last(fraction);
        } else if self.zone.expects(number) {
            self.zone.minute = Some(number);
        } else if self.time.expects(number) {
            self.time.add_last(number);
            let ends = matches!(
                self.tokens.peek(),
                Token::End | Token::Space | Token::Word(Word::Zone(0), 1) | Token::Sign(_)
            );
            ends.then_some(())?;
        } else {
            self.day.add(number).then_some(())?;
            self.tokens.skip(Token::Sign(-1));
        }
        Some(())
    }

    fn word(&mut self, word: Word, seen_number: bool) -> Option<()> {
        match word {
            Word::HalfOfDay(offset) if self.time.count > 0 => self.time.half = Some(offset),
            Word::Month(month) => {
                self.day.named_month = Some(month);
                self.tokens.skip(Token::Sign(-1));
            }
            Word::Zone(hours) if seen_number => self.zone.set(hours),
            _ if seen_number || matches!(self.tokens.peek(), Token::Number(..)) => return None,
            _ => {}
        }
        Some(())
    }

    fn offset(&mut self, sign: i32) -> Option<()> {
        self.zone.sign = Some(sign);
        let (mut number, mut length) = (0, 0);
        if let Token::Number(n, l) = self.tokens.peek() {
            (number, length) = (n, l);
            self.tokens.next();
        }
        (self.zone.hour, self.zone.minute) = match length {
            _ if self.tokens.peek() == Token::Symbol(':') => (Some(number), None),
            1 | 2 => (Some(number), Some(0)),
            3 | 4 => (Some(number / 100), Some(number % 100)),
            _ => return None,
        };
        Some(())
    }
}

/// The numbers of a date as they come.
#[derive(Default)]
struct Day {
    numbers: [i32; 3],
    count: usize,
    named_month: Option<i32>,
    is_iso: bool,
}

impl Day {
    fn add(&mut self, number: i32) -> bool {
        let place = self.numbers.get_mut(self.count);
        self.count += usize::from(place.is_some());
        place.map(|place| *place = number).is_some()
    }

    /// Year, month and day.
    fn date(&self) -> Option<(i32, i32, i32)> {
        if self.count == 0 {
            return None;
        }
        let is_day = |number: i32| (1..=31).contains(&number);
        let at = |place: usize| if place < self.count { self.numbers[place] } else { 1 };
        let (first, second, third) = (at(0), at(1), at(2));
        let (mut year, month, day) = match self.named_month {
            None if self.is_iso || !is_day(first) => (first, second, third),
            None => (third, first, second),
            Some(month) if !is_day(first) => (first, month, second),
            Some(month) => (second, month, first),
        };
        if !self.is_iso {
            year += match year {
                0..=49 => 2000,
                50..=99 => 1900,
                _ => 0,
            };
        }
        ((1..=12).contains(&month) && is_day(day)).then_some((year, month, day))
    }
}

/// The numbers of a time as they come: hour, minute, second, millisecond.
#[derive(Default)]
struct Time {
    numbers: [i32; 4],
    count: usize,
    /// Hours that `am` or `pm` add.
    half: Option<i32>,
}

impl Time {
    fn add(&mut self, number: i32) -> bool {
        let place = self.numbers.get_mut(self.count);
        self.count += usize::from(place.is_some());
        place.map(|place| *place = number).is_some()
    }

    fn add_last(&mut self, number: i32) {
        self.add(number);
        self.count = self.numbers.len();
    }

    fn expects(&self, number: i32) -> bool {
        match self.count {
            1 | 2 => (0..60).contains(&number),
            3 => (0..1000).contains(&number),
            _ => false,
        }
    }

    fn milliseconds(&self) -> Option<f64> {
        let [mut hour, minute, second, millisecond] = self.numbers;
        if let Some(half) = self.half {
            if !(0..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + half;
        }
        let legal = hour < 24 && minute < 60 && second < 60 && millisecond < 1000;
        let end_of_day = (hour, minute, second, millisecond) == (24, 0, 0, 0);
        let sum = f64::from(hour) * 3_600_000.0 + f64::from(minute) * 60_000.0;
        (legal || end_of_day).then(|| sum + f64::from(second) * 1000.0 + f64::from(millisecond))
    }
}

/// The offset from UTC.
#[derive(Default)]
struct Zone {
    sign: Option<i32>,
    hour: Option<i32>,
    minute: Option<i32>,
}

impl Zone {
    fn set(&mut self, hours: i32) {
        self.sign = Some(if hours < 0 { -1 } else { 1 });
        self.hour = Some(hours.abs());
        self.minute = Some(0);
    }

    fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    fn expects(&self, number: i32) -> bool {
        self.hour.is_some() && self.minute.is_none() && (0..60).contains(&number)
    }

    fn milliseconds(&self) -> f64 {
        let minutes = f64::from(self.hour.unwrap_or(0)) * 60.0 + f64::from(self.minute.unwrap_or(0));
        f64::from(self.sign.unwrap_or(0)) * minutes * 60_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::iso_text;

    fn read(text: &str) -> String {
        parse(text).and_then(iso_text).unwrap_or_else(|| "none".to_owned())
    }

    #[test]
    fn the_forgiving_parser_takes_many_orders() {
        for (text, wanted) in [
            ("2001-02-03", "2001-02-03T00:00:00.000Z"),
            ("2001-02-03T04:05", "2001-02-03T04:05:00.000Z"),
            ("2001-02-03T04:05:06.7891+02:00", "2001-02-03T02:05:06.789Z"),
            ("2001-02-03T24:00", "2001-02-04T00:00:00.000Z"),
            ("2001-02-03T25:00", "none"),
            ("2001-2-3 4:05 pm", "2001-02-03T16:05:00.000Z"),
            ("Feb 3, 2001", "2001-02-03T00:00:00.000Z"),
            ("3 February 2001 10:00 EST", "2001-02-03T15:00:00.000Z"),
            ("Sat Feb 03 2001 04:05:06 GMT+0100 (Somewhere)", "2001-02-03T03:05:06.000Z"),
            ("02/03/01", "2001-02-03T00:00:00.000Z"),
            ("13/02/2001", "none"),
            ("1/2", "2001-01-02T00:00:00.000Z"),
            ("+010000-01-01", "+010000-01-01T00:00:00.000Z"),
            ("-000000-01-01", "2001-01-01T00:00:00.000Z"),
            ("2001-02-31", "2001-03-03T00:00:00.000Z"),
            ("12:30", "none"),
            ("hello", "none"),
            ("2001 hello", "none"),
            ("", "none"),
            ("5", "2001-05-01T00:00:00.000Z"),
            ("😀 5", "2001-05-01T00:00:00.000Z"),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
    }
}
