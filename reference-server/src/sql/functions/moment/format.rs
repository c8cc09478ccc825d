//! Texts of moments by formats made of tokens.

use super::{Moment, Weeks, day_of_year};
use crate::sql::value::Fields;
use regress::Regex;
use std::sync::LazyLock;

/// The format that functions with a fixed result use.
pub(in crate::sql::functions) const FULL: &str = "YYYY-MM-DDTHH:mm:ss.SSSZZ";

const DEFAULT: &str = "YYYY-MM-DDTHH:mm:ss[Z]";
const INVALID: &str = "Invalid date";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(\[[^\[]*\])|(\\)?([Hh]mm(ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[o|w]?|W[o|W]?|Qo?|N{1,5}|",
        r"YYYYYY|YYYYY|YYYY|YY|y{2,4}|yo?|gg(ggg?)?|GG(GGG?)?|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?|.)"
    ))
    .ok()
});

static LONG_TOKENS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\[[^\[]*\])|(\\)?(LTS|LT|LL?L?L?|l{1,4})").ok());

impl Moment {
    /// The text of the moment in a format; `Invalid date` when there is none.
    pub(in crate::sql::functions) fn format(self, format: &str) -> String {
        let Some(fields) = self.fields() else {
            return INVALID.to_owned();
        };
        let format = if format.is_empty() { DEFAULT } else { format };
        let format = with_long_tokens_spelled_out(format);
        let mut out = String::new();
        let Some(tokens) = LazyLock::force(&TOKENS).as_ref() else {
            return out;
        };
        for token in tokens.find_iter(&format) {
            let token = format.get(token.range()).unwrap_or_default();
            match self.token(token, &fields) {
                Some(text) => out.push_str(&text),
                None => out.push_str(&literal(token)),
            }
        }
        out
    }

    fn token(self, token: &str, fields: &Fields) -> Option<String> {
        let (year, month, day) = (fields.year, i64::from(fields.month), i64::from(fields.day));
        let (hour, minute, second) = (fields.hour, fields.minute, fields.second);
        let milliseconds = i64::from(fields.millisecond);
        let weekday = i64::from(fields.weekday);
        let quarter = (month + 2) / 3;
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let month_name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
        let weekday_name = WEEKDAYS.get(weekday as usize).copied().unwrap_or_default();
        let is_common_era = year > 0;
        let era_year = if is_common_era { year } else { 1 - year };
        let english = || Weeks::ENGLISH.of(fields);
        let iso = || Weeks::ISO.of(fields);
        Some(match token {
            "Y" if year > 9999 => format!("+{year}"),
            "Y" | "YYYY" => padded(year, 4),
            "YY" => padded(year % 100, 2),
            "YYYYY" => padded(year, 5),
            "YYYYYY" if year >= 0 => format!("+{}", padded(year, 6)),
            "YYYYYY" => padded(year, 6),
            "y" => era_year.to_string(),
            "yo" => ordinal(era_year),
            "yy" | "yyy" | "yyyy" => padded(era_year, token.len()),
            "N" | "NN" | "NNN" | "NNNNN" => if is_common_era { "AD" } else { "BC" }.to_owned(),
            "NNNN" => if is_common_era { "Anno Domini" } else { "Before Christ" }.to_owned(),
            "Q" => quarter.to_string(),
            "Qo" => ordinal(quarter),
            "M" => month.to_string(),
            "MM" => padded(month, 2),
            "Mo" => ordinal(month),
            "MMM" => start(month_name, 3),
            "MMMM" => month_name.to_owned(),
            "D" => day.to_string(),
            "DD" => padded(day, 2),
            "Do" => ordinal(day),
            "DDD" => day_of_year(fields).to_string(),
            "DDDD" => padded(day_of_year(fields), 3),
            "DDDo" => ordinal(day_of_year(fields)),
            "d" | "e" => weekday.to_string(),
            "do" => ordinal(weekday),
            "dd" => start(weekday_name, 2),
            "ddd" => start(weekday_name, 3),
            "dddd" => weekday_name.to_owned(),
            "E" => if weekday == 0 { 7 } else { weekday }.to_string(),
            "w" => english().1.to_string(),
            "ww" => padded(english().1, 2),
            "wo" => ordinal(english().1),
            "W" => iso().1.to_string(),
            "WW" => padded(iso().1, 2),
            "Wo" => ordinal(iso().1),
            "gg" => padded(english().0 % 100, 2),
            "gggg" | "ggggg" => padded(english().0, token.len()),
            "GG" => padded(iso().0 % 100, 2),
            "GGGG" | "GGGGG" => padded(iso().0, token.len()),
            "A" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            "a" => if hour < 12 { "am" } else { "pm" }.to_owned(),
            "H" => hour.to_string(),
            "HH" => padded(i64::from(hour), 2),
            "h" => twelve.to_string(),
            "hh" => padded(i64::from(twelve), 2),
            "k" => if hour == 0 { 24 } else { hour }.to_string(),
            "kk" => padded(if hour == 0 { 24 } else { i64::from(hour) }, 2),
            "hmm" => format!("{twelve}{minute:02}"),
            "hmmss" => format!("{twelve}{minute:02}{second:02}"),
            "Hmm" => format!("{hour}{minute:02}"),
            "Hmmss" => format!("{hour}{minute:02}{second:02}"),
            "m" => minute.to_string(),
            "mm" => padded(i64::from(minute), 2),
            "s" => second.to_string(),
            "ss" => padded(i64::from(second), 2),
            "S" => (milliseconds / 100).to_string(),
            "SS" => padded(milliseconds / 10, 2),
            _ if token.len() >= 3 && token.bytes().all(|byte| byte == b'S') => {
                let scale = 10_i64.pow(token.len().min(9) as u32 - 3);
                padded(milliseconds * scale, token.len())
            }
            "X" => whole(self.instant / 1000.0),
            "x" => whole(self.instant),
            "z" => "UTC".to_owned(),
            "zz" => "Coordinated Universal Time".to_owned(),
            "Z" => self.offset_text(":"),
            "ZZ" => self.offset_text(""),
            _ => return None,
        })
    }

    fn offset_text(self, separator: &str) -> String {
        let minutes = self.offset.abs();
        let sign = if self.offset < 0.0 { '-' } else { '+' };
        let (hours, minutes) = ((minutes / 60.0).trunc() as i64, minutes.trunc() as i64 % 60);
        format!("{sign}{}{separator}{}", padded(hours, 2), padded(minutes, 2))
    }
}

/// A token that is none stands for itself, without the signs that kept it from being one.
fn literal(token: &str) -> String {
    if token.starts_with('[') && token.chars().count() > 1 {
        let inner = token.strip_prefix('[').unwrap_or(token);
        return inner.strip_suffix(']').unwrap_or(inner).to_owned();
    }
    token.replace('\\', "")
}

fn with_long_tokens_spelled_out(format: &str) -> String {
    let Some(tokens) = LazyLock::force(&LONG_TOKENS).as_ref() else {
        return format.to_owned();
    };
    // No long token stands for text with another one.
    tokens.replace_all_with(format, |found| {
        let token = format.get(found.range()).unwrap_or_default();
        long_form(token).unwrap_or(token).to_owned()
    })
}

fn long_form(token: &str) -> Option<&'static str> {
    Some(match token {
        "LTS" => "h:mm:ss A",
        "LT" => "h:mm A",
        "L" => "MM/DD/YYYY",
        "LL" => "MMMM D, YYYY",
        "LLL" => "MMMM D, YYYY h:mm A",
        "LLLL" => "dddd, MMMM D, YYYY h:mm A",
        "l" => "M/D/YYYY",
        "ll" => "MMM D, YYYY",
        "lll" => "MMM D, YYYY h:mm A",
        "llll" => "ddd, MMM D, YYYY h:mm A",
        _ => return None,
    })
}

fn start(name: &str, letters: usize) -> String {
    name.chars().take(letters).collect()
}

fn padded(number: i64, digits: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0digits$}", number.unsigned_abs())
}

fn whole(number: f64) -> String {
    format!("{}", number.floor() + 0.0)
}

fn ordinal(number: i64) -> String {
    let suffix = match (number / 10 % 10, number % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
