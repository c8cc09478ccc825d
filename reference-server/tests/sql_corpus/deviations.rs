//! Where this program answers otherwise than the recorded engine, on purpose.

use super::cases::{Case, Outcome};
use reference_server::sql::value::Js;

/// A kind of case with another answer.
pub struct Deviation {
    /// Why.
    pub reason: &'static str,
    /// Whether it covers a case, given this program's answer.
    pub covers: fn(&Case, &Outcome) -> bool,
}

/// Of functions.
pub static FUNCTIONS: &[Deviation] = &[
    Deviation {
        reason: "a number or boolean where a text is wanted fails there; here its text is used",
        covers: |case, ours| {
            let takes_text =
                ["INSTR", "TRIM", "LTRIM", "RTRIM", "SUBSTRING", "REPLACE", "REGEXP_LIKE", "ASCII"];
            case.outcome == Outcome::Error
                && *ours != Outcome::Error
                && takes_text.contains(&case.function.as_str())
                && !case.argument(0).is_nullish()
                && case.argument(0).as_text().is_none()
        },
    },
    Deviation {
        reason: "a null text fails there, or counts as the text null; here nothing comes of it",
        covers: |case, ours| {
            let takes_text = [
                "INSTR",
                "LENGTH",
                "LOWER",
                "UPPER",
                "TRIM",
                "LTRIM",
                "RTRIM",
                "SUBSTRING",
                "REGEXP_LIKE",
                "ASCII",
            ];
            *ours == Outcome::Absent
                && takes_text.contains(&case.function.as_str())
                && case.arguments.iter().any(Js::is_nullish)
        },
    },
    Deviation {
        reason: "a null number counts as 0 there; here nothing comes of it",
        covers: |case, ours| {
            let takes_numbers = ["ABS", "CEIL", "FLOOR", "ROUND", "SQRT", "EXP", "POWER"];
            *ours == Outcome::Absent
                && takes_numbers.contains(&case.function.as_str())
                && case.arguments.iter().any(Js::is_nullish)
        },
    },
    Deviation {
        reason: "a null date is 1970 there in the fields of dates; here it has none",
        covers: |case, ours| *ours == Outcome::Absent && case.argument(0) == Js::Null,
    },
    Deviation {
        reason: "a text that is no date becomes the text aN.aN.aN there by CAST; here nothing comes of it",
        covers: |case, ours| {
            let is_text_of_nothing = matches!(&case.outcome, Outcome::Value(value)
                if value.as_str().is_some_and(|text| text.contains("aN")));
            *ours == Outcome::Absent && case.cast.is_some() && is_text_of_nothing
        },
    },
];

/// Of functions of shapes.
pub static SHAPES: &[Deviation] = &[];

/// Of expressions over documents.
pub static DOCUMENTS: &[Deviation] = &[
    Deviation {
        reason: "a function as the result shows the inside of its engine there; here it is no value",
        covers: |case, ours| {
            let is_function = matches!(&case.outcome, Outcome::Value(value)
                if value.get("_jsonata_lambda").is_some() || value.get("_jsonata_function").is_some());
            *ours == Outcome::Absent && is_function
        },
    },
    Deviation {
        reason: "a range without brackets is malformed there; here it is one",
        covers: |case, ours| {
            let expression = case.argument(0);
            case.outcome == Outcome::Error
                && *ours != Outcome::Error
                && expression.as_text().is_some_and(|text| text.contains(".."))
        },
    },
];
