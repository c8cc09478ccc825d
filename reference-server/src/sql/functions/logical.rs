//! Choice between values.

use super::{Family, Function, argument};
use crate::sql::value::Js;

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "IIF",
        aliases: &["IF"],
        family: Family::Logical,
        signature: "condition, a, b",
        arity: (3, 3),
        doc: "`a` when the condition is true as JavaScript sees it (not null, 0, false or empty), else `b`.",
        examples: &[
            ("IIF(1, 'y', 'n')", "\"y\""),
            ("IF(0, 'y', 'n')", "\"n\""),
            ("IF('', 'y', 'n')", "\"n\""),
            ("IF(NULL, 'y', 'n')", "\"n\""),
        ],
        call: |arguments| Ok(argument(arguments, if argument(arguments, 0).truth() { 1 } else { 2 }).clone()),
    },
    Function {
        name: "IFNULL",
        aliases: &[],
        family: Family::Logical,
        signature: "value, alternative",
        arity: (2, 2),
        doc: "The alternative when the value is null or absent, else the value.",
        examples: &[("IFNULL(NULL, 5)", "5"), ("IFNULL(0, 5)", "0"), ("IFNULL('', 5)", "\"\"")],
        call: |arguments| Ok(argument(arguments, usize::from(argument(arguments, 0).is_nullish())).clone()),
    },
    Function {
        name: "NULLIF",
        aliases: &["ISNULL"],
        family: Family::Logical,
        signature: "a, b",
        arity: (2, 2),
        doc: "Null when both are equal, also after conversion, else `a`.",
        examples: &[("NULLIF(1, 2)", "1"), ("NULLIF(1, 1)", "absent"), ("NULLIF('1', 1)", "absent")],
        call: |arguments| {
            let (a, b) = (argument(arguments, 0), argument(arguments, 1));
            Ok(if a.loosely_equals(b) { Js::Undefined } else { a.clone() })
        },
    },
    Function {
        name: "COALESCE",
        aliases: &[],
        family: Family::Logical,
        signature: "value, …",
        arity: (0, usize::MAX),
        doc: "The first argument that is neither null nor NaN.",
        examples: &[("COALESCE(NULL, NULL, 3)", "3"), ("COALESCE(0 / 0, 'x')", "\"x\"")],
        call: |arguments| {
            let exists =
                |value: &&Js| !value.is_nullish() && !matches!(value, Js::Number(number) if number.is_nan());
            Ok(arguments.iter().find(exists).cloned().unwrap_or_default())
        },
    },
];
