//! Where this program answers otherwise than the recorded engine, on purpose.

use super::cases::{Case, Outcome};
use super::statements::{Deviation as StatementDeviation, Rows};
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

/// Of statements.
pub static STATEMENTS: &[StatementDeviation] = &[
    StatementDeviation {
        reason: "a function of texts over a null (or a number) fails there; here nothing comes of it",
        covers: |statement, ours| {
            matches!((&statement.recorded, ours), (Rows::Failure(error), Rows::Some(_))
                if error.contains("of null (reading") || error.contains("of undefined (reading")
                    || error.contains("split is not a function"))
        },
    },
    StatementDeviation {
        reason: "rows are found by the order of stored kinds (false, true, numbers, texts) where a column is compared \
                 with a literal of another kind, as the product's indexes do; there the comparison converts",
        covers: |statement, ours| {
            let text = format!(" {} ", statement.text.replace(['(', ')'], " "));
            let compares = ["x", "b", "g", "t", "s", "dt", "n", "m"].iter().any(|column| {
                ["<", "<=", ">", ">="].iter().any(|operator| {
                    text.contains(&format!(" {column} {operator} "))
                        || text.contains(&format!(" {operator} {column} "))
                })
            });
            compares && matches!(ours, Rows::Some(_)) && !statement.text.contains("JOIN")
        },
    },
    StatementDeviation {
        reason: "an OFFSET past the end gives all rows, as in the product before 5.2; there it gives none",
        covers: |statement, _| {
            statement.text.contains("OFFSET")
                && matches!(&statement.recorded, Rows::Some(rows) if rows.is_empty())
        },
    },
    StatementDeviation {
        reason: "GROUP_CONCAT leaves null out, as documented; there it joins the text null",
        covers: |statement, _| statement.text.contains("GROUP_CONCAT("),
    },
    StatementDeviation {
        reason: "a quartile of no values is nothing; there it is an empty list",
        covers: |statement, _| statement.text.contains("QUART"),
    },
    StatementDeviation {
        reason: "a sum over a function tests the kind of what the function is given there; here of what it gives",
        covers: |statement, _| {
            statement.text.split("SUM(").skip(1).any(|after| {
                let name = after.split('(').next().unwrap_or_default();
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            })
        },
    },
    StatementDeviation {
        reason: "values of the missing side of an outer join do not take part in aggregates; there they spoil some",
        covers: |statement, _| statement.kind == "joinedGroups" && statement.text.contains("LEFT JOIN"),
    },
    StatementDeviation {
        reason: "MAX and MIN pass over null wherever it stands; there a first null decides the kind of the rest",
        covers: |statement, _| {
            statement.kind == "joinedGroups"
                && (statement.text.contains("MAX(") || statement.text.contains("MIN("))
        },
    },
    StatementDeviation {
        reason: "every row without a partner is in a RIGHT or FULL join with several conditions; there one may lack",
        covers: |statement, ours| {
            matches!((&statement.recorded, ours), (Rows::Some(theirs), Rows::Some(ours)) if theirs.len() < ours.len())
                && statement.text.contains(" OUTER JOIN ")
                && statement.text.contains(" AND ")
        },
    },
    StatementDeviation {
        reason: "NOT of an unknown OR or AND is unknown; there the OR has become a value before",
        covers: |statement, _| {
            statement.text.contains("NOT (")
                && (statement.text.contains(" OR ") || statement.text.contains(" AND "))
        },
    },
    StatementDeviation {
        reason: "a function over the average of nulls alone gives nothing; there it is 0 for one null",
        covers: |statement, _| statement.kind == "groups" && statement.text.contains("ROUND(AVG("),
    },
];
