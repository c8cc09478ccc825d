//! Choice between values.

use super::{Function, argument};
use crate::sql::value::Js;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "IIF",
        &["IF"],
        "condition, a, b",
        (3, 3),
        "`a` when the condition is true as JavaScript sees it (not null, 0, false or empty), else `b`.",
        &[
            ("IIF(1, 'y', 'n')", "\"y\""),
            ("IF(0, 'y', 'n')", "\"n\""),
            ("IF('', 'y', 'n')", "\"n\""),
            ("IF(NULL, 'y', 'n')", "\"n\""),
        ],
        |arguments| Ok(argument(arguments, if argument(arguments, 0).truth() { 1 } else { 2 }).clone()),
    ),
    Function::new(
        "IFNULL",
        &[],
        "value, alternative",
        (2, 2),
        "The alternative when the value is null or absent, else the value.",
        &[("IFNULL(NULL, 5)", "5"), ("IFNULL(0, 5)", "0"), ("IFNULL('', 5)", "\"\"")],
        |arguments| {
            let value = argument(arguments, 0);
            let null = value.is_nullish() || (fault!("sql-zero-is-null") && !value.truth());
            Ok(argument(arguments, usize::from(null)).clone())
        },
    ),
    Function::new(
        "NULLIF",
        &["ISNULL"],
        "a, b",
        (2, 2),
        "Null when both are equal, also after conversion, else `a`.",
        &[("NULLIF(1, 2)", "1"), ("NULLIF(1, 1)", "absent"), ("NULLIF('1', 1)", "absent")],
        |arguments| {
            let (a, b) = (argument(arguments, 0), argument(arguments, 1));
            Ok(if a.loosely_equals(b) { Js::Undefined } else { a.clone() })
        },
    ),
    Function::new(
        "COALESCE",
        &[],
        "value, …",
        (0, usize::MAX),
        "The first argument that is neither null nor NaN.",
        &[("COALESCE(NULL, NULL, 3)", "3"), ("COALESCE(0 / 0, 'x')", "\"x\"")],
        |arguments| {
            let exists =
                |value: &&Js| !value.is_nullish() && !matches!(value, Js::Number(number) if number.is_nan());
            Ok(arguments.iter().find(exists).cloned().unwrap_or_default())
        },
    ),
];
