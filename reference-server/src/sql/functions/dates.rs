//! Functions of dates and times. Everything is computed in UTC.

use super::moment::{Amount, FULL, Moment, now};
use super::{Function, FunctionError, argument};
use crate::sql::value::{Fields, Js, parse_date};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "CURRENT_DATE",
        &["CURDATE"],
        "",
        (0, 0),
        "Today in UTC, as `YYYY-MM-DD`.",
        &[("LENGTH(CURRENT_DATE())", "10")],
        |_| Ok(formatted_now("YYYY-MM-DD")),
    ),
    Function::new(
        "CURRENT_TIME",
        &[],
        "",
        (0, 0),
        "The time of day in UTC, as `HH:mm:ss.SSS`.",
        &[("LENGTH(CURRENT_TIME())", "12")],
        |_| Ok(formatted_now("HH:mm:ss.SSS")),
    ),
    Function::new(
        "NOW",
        &["GETDATE", "CURRENT_TIMESTAMP"],
        "",
        (0, 0),
        "Epoch milliseconds of this instant.",
        &[("NOW() > 1600000000000", "true")],
        |_| Ok(Js::Number(now())),
    ),
    Function::new(
        "GET_SERVER_TIME",
        &[],
        "",
        (0, 0),
        "This instant in the server's zone, which is UTC, as `YYYY-MM-DDTHH:mm:ss.SSSZZ`.",
        &[("LENGTH(GET_SERVER_TIME())", "28")],
        |_| Ok(formatted_now(FULL)),
    ),
    Function::new(
        "DATE",
        &[],
        "[date]",
        (0, 1),
        "The date as `YYYY-MM-DDTHH:mm:ss.SSS+0000`; of this instant when none is given.",
        &[
            ("DATE(981173106789)", "\"2001-02-03T04:05:06.789+0000\""),
            ("DATE('2001-02-03T10:00:00+02:00')", "\"2001-02-03T08:00:00.000+0000\""),
            ("DATE('someday')", "\"Invalid date\""),
        ],
        |arguments| Ok(Js::from(Moment::of(argument(arguments, 0)).format(FULL))),
    ),
    Function::new(
        "DATE_ADD",
        &[],
        "date, count, unit",
        (1, 3),
        "Epoch milliseconds of the date so many units later. Units: years y, quarters Q, months M, weeks w, days d, \
         hours h, minutes m, seconds s, milliseconds ms. Months and years keep to the last day of the month.",
        &[
            ("DATE_ADD('2001-01-31', 1, 'months')", "983318400000"),
            ("DATE_ADD('2001-01-31', 1, 'd')", "980985600000"),
            ("DATE_ADD('2001-01-31', 1, 'Q')", "988588800000"),
            ("DATE_ADD('2001-01-31', 1, 'moons')", "980899200000"),
        ],
        |arguments| Ok(Moment::of(argument(arguments, 0)).plus(amount(arguments)).value()),
    ),
    Function::new(
        "DATE_SUB",
        &[],
        "date, count, unit",
        (1, 3),
        "Epoch milliseconds of the date so many units earlier; units as for `DATE_ADD`.",
        &[("DATE_SUB('2001-03-31', 1, 'M')", "983318400000")],
        |arguments| Ok(Moment::of(argument(arguments, 0)).plus(amount(arguments).negated()).value()),
    ),
    Function::new(
        "DATE_DIFF",
        &[],
        "a, b[, unit]",
        (0, 3),
        "The time from `b` to `a`: in milliseconds, or in units with their fraction.",
        &[
            ("DATE_DIFF('2001-01-02', '2001-01-01')", "86400000"),
            ("DATE_DIFF('2002-07-01', '2001-01-01', 'years')", "1.5"),
            ("DATE_DIFF('2001-01-01', '2001-01-20', 'weeks')", "-2.7142857142857144"),
        ],
        |arguments| {
            let moment = |at| Moment::of(argument(arguments, at));
            Ok(moment(0).since(moment(1), argument(arguments, 2)))
        },
    ),
    Function::new(
        "DATE_FORMAT",
        &[],
        "date, format",
        (1, 2),
        "The date by a format of tokens: YYYY YY Q M MM MMM MMMM D DD Do DDD d ddd dddd w W E H HH h hh m mm s ss SSS \
         A a X x Z ZZ, and `[text]`.",
        &[
            ("DATE_FORMAT('2001-02-03T04:05:06Z', 'dddd, MMMM Do YYYY')", "\"Saturday, February 3rd 2001\""),
            ("DATE_FORMAT(981158400000, 'X')", "\"981158400\""),
            ("DATE_FORMAT('2001-02-03', '[on] D/M')", "\"on 3/2\""),
        ],
        |arguments| {
            let format = argument(arguments, 1);
            let format = if format.truth() { format.to_text() } else { "".into() };
            Ok(Js::from(Moment::of(argument(arguments, 0)).format(&format)))
        },
    ),
    Function::new(
        "EXTRACT",
        &[],
        "date, part",
        (2, 2),
        "A part of the date as text of fixed width: year, month, day, hour, minute, second or millisecond.",
        &[
            ("EXTRACT('2001-11-26T15:13:42.041Z', 'hour')", "\"15\""),
            ("EXTRACT('2001-02-03', 'month')", "\"02\""),
            ("EXTRACT('2001-11-26T15:13:42.041Z', 'millisecond')", "\"041\""),
            ("EXTRACT('2001-02-03', 'moon')", "absent"),
        ],
        extract,
    ),
    Function::new(
        "OFFSET_UTC",
        &[],
        "date, offset",
        (2, 2),
        "The date as `YYYY-MM-DDTHH:mm:ss.SSS` at an offset from UTC: hours below 16, else minutes.",
        &[
            ("OFFSET_UTC(981173106789, 240)", "\"2001-02-03T08:05:06.789+0400\""),
            ("OFFSET_UTC(981173106789, 10)", "\"2001-02-03T14:05:06.789+1000\""),
            ("OFFSET_UTC(981173106789, -90)", "\"2001-02-03T02:35:06.789-0130\""),
        ],
        |arguments| {
            let moment = Moment::of(argument(arguments, 0)).at_offset(argument(arguments, 1));
            let moment = moment.ok_or_else(|| FunctionError::new("an offset is required"))?;
            Ok(Js::from(moment.format(FULL)))
        },
    ),
    Function::new(
        "YEAR",
        &[],
        "date",
        (1, 1),
        "The year of the date as a number.",
        &[("YEAR('2001-02-03')", "2001"), ("YEAR('someday')", "absent")],
        |arguments| Ok(field(arguments, |fields| fields.year as f64)),
    ),
    Function::new(
        "MONTH",
        &[],
        "date",
        (1, 1),
        "The month of the date as a number from 1.",
        &[("MONTH('2001-02-03')", "2")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.month))),
    ),
    Function::new(
        "DAY",
        &["DAYOFMONTH"],
        "date",
        (1, 1),
        "The day of the month as a number.",
        &[("DAY('2001-02-03')", "3")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.day))),
    ),
    Function::new(
        "HOUR",
        &[],
        "date",
        (1, 1),
        "The hour of the date as a number.",
        &[("HOUR('2001-02-03T04:05:06Z')", "4")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.hour))),
    ),
    Function::new(
        "MINUTE",
        &[],
        "date",
        (1, 1),
        "The minute of the date as a number.",
        &[("MINUTE('2001-02-03T04:05:06Z')", "5")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.minute))),
    ),
    Function::new(
        "SECOND",
        &[],
        "date",
        (1, 1),
        "The second of the date as a number.",
        &[("SECOND('2001-02-03T04:05:06Z')", "6")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.second))),
    ),
    Function::new(
        "DAYOFWEEK",
        &["WEEKDAY"],
        "date",
        (1, 1),
        "The day of the week as a number; Sunday is 0.",
        &[("DAYOFWEEK('2001-11-26')", "1")],
        |arguments| Ok(field(arguments, |fields| f64::from(fields.weekday))),
    ),
];

fn formatted_now(format: &str) -> Js {
    Js::from(Moment::of(&Js::Undefined).format(format))
}

fn amount(arguments: &[Js]) -> Amount {
    Amount::of(argument(arguments, 1), argument(arguments, 2))
}

fn extract(arguments: &[Js]) -> Result<Js, FunctionError> {
    let part = argument(arguments, 1);
    let Some(part) = part.as_text() else {
        return Err(FunctionError::new("the part of a date must be a text"));
    };
    let format = match part.to_lowercase().as_str() {
        "year" => "YYYY",
        "month" => "MM",
        "day" => "DD",
        "hour" => "HH",
        "minute" => "mm",
        "second" => "ss",
        "millisecond" => "SSS",
        _ => return Ok(Js::Undefined),
    };
    Ok(Js::from(Moment::of(argument(arguments, 0)).format(format)))
}

/// A field of a date as JavaScript's `Date` reads it; NaN when it is none.
fn field(arguments: &[Js], pick: impl Fn(&Fields) -> f64) -> Js {
    let instant = match argument(arguments, 0) {
        Js::Undefined => return Js::Number(f64::NAN),
        Js::Null => return Js::Undefined,
        Js::Text(text) => parse_date(&with_dashes(text)),
        value @ Js::Json(_) => parse_date(&value.to_text()),
        other => other.to_number(),
    };
    Js::Number(Fields::of(instant).map_or(f64::NAN, |fields| pick(&fields)))
}

/// `YYYY.MM.DD HH:mm:ss…`, the form of CAST to DATETIME, with dashes so that it can be read.
fn with_dashes(text: &str) -> String {
    let form = b"dddd.dd.dd dd:dd:dd";
    let fits = text.len() >= form.len()
        && text.bytes().zip(form).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            form => byte == *form,
        });
    if fits { text.replacen('.', "-", 2) } else { text.to_owned() }
}
