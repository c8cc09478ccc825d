//! Functions of numbers. Null gives null; other kinds are converted as JavaScript does.

use super::{Function, FunctionError, argument};
use crate::sql::value::{Js, to_int32};
use std::cmp::Ordering;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("ABS", &[], "n", (1, 1), "The absolute value.", &[("ABS(-12)", "12")], |arguments| {
        of_number(arguments, f64::abs)
    }),
    Function::new(
        "CEIL",
        &["CEILING"],
        "n",
        (1, 1),
        "The least whole number that is not smaller.",
        &[("CEIL(-1.2)", "-1"), ("CEILING(1.2)", "2")],
        |arguments| of_number(arguments, f64::ceil),
    ),
    Function::new(
        "FLOOR",
        &[],
        "n",
        (1, 1),
        "The greatest whole number that is not greater.",
        &[("FLOOR(-1.2)", "-2")],
        |arguments| of_number(arguments, f64::floor),
    ),
    Function::new(
        "ROUND",
        &[],
        "n[, places]",
        (1, 2),
        "The number rounded to so many decimals; halves go up. Negative places round to tens, hundreds and so on.",
        &[
            ("ROUND(2.5)", "3"),
            ("ROUND(-2.5)", "-2"),
            ("ROUND(2.567, 1)", "2.6"),
            ("ROUND(1250, -2)", "1300"),
            ("ROUND(1.005, 2)", "1"),
        ],
        |arguments| {
            if arguments.len() < 2 {
                return of_number(arguments, round);
            }
            of_numbers(arguments, |number, places| {
                let scale = power(10.0, places);
                round(number * scale) / scale
            })
        },
    ),
    Function::new(
        "SQRT",
        &[],
        "n",
        (1, 1),
        "The square root; absent for negative numbers.",
        &[("SQRT(2.25)", "1.5"), ("SQRT(-1)", "absent")],
        |arguments| of_number(arguments, f64::sqrt),
    ),
    Function::new(
        "EXP",
        &[],
        "n",
        (1, 1),
        "e to the power of n.",
        &[("EXP(0)", "1"), ("EXP(1)", "2.718281828459045")],
        |arguments| of_number(arguments, |number| power(std::f64::consts::E, number)),
    ),
    Function::new(
        "POWER",
        &[],
        "base, exponent",
        (2, 2),
        "The base to the power of the exponent.",
        &[("POWER(2, 10)", "1024"), ("POWER(4, 0.5)", "2")],
        |arguments| of_numbers(arguments, power),
    ),
    Function::new(
        "RANDOM",
        &[],
        "[n]",
        (0, 1),
        "A number from 0 up to but not including 1; with an argument a whole number from 0 up to but not including n.",
        &[("RANDOM(1)", "0")],
        |arguments| {
            let random: f64 = rand::random();
            if arguments.is_empty() {
                return Ok(Js::Number(random));
            }
            of_number(arguments, |number| f64::from(to_int32(random * number)))
        },
    ),
    Function::new(
        "GREATEST",
        &["MAX"],
        "a, …",
        (1, usize::MAX),
        "The greatest argument.",
        &[("GREATEST(1, 5, 3)", "5"), ("MAX('a', 'b')", "\"b\"")],
        |arguments| Ok(choose(arguments, Ordering::Greater)),
    ),
    Function::new(
        "LEAST",
        &["MIN"],
        "a, …",
        (1, usize::MAX),
        "The least argument.",
        &[("LEAST(1, 5, 3)", "1")],
        |arguments| Ok(choose(arguments, Ordering::Less)),
    ),
];

fn of_number(arguments: &[Js], compute: impl Fn(f64) -> f64) -> Result<Js, FunctionError> {
    let value = argument(arguments, 0);
    Ok(if value.is_nullish() { Js::Undefined } else { Js::Number(compute(value.to_number())) })
}

fn of_numbers(arguments: &[Js], compute: impl Fn(f64, f64) -> f64) -> Result<Js, FunctionError> {
    let (a, b) = (argument(arguments, 0), argument(arguments, 1));
    let is_null = a.is_nullish() || b.is_nullish();
    Ok(if is_null { Js::Undefined } else { Js::Number(compute(a.to_number(), b.to_number())) })
}

/// JavaScript's `Math.round`: halves go up.
pub(super) fn round(number: f64) -> f64 {
    if fault!("sql-halves-round-away") {
        return number.round();
    }
    let floor = number.floor();
    if number - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// JavaScript's `Math.pow`, which knows no power of 1 to NaN or infinity.
fn power(base: f64, exponent: f64) -> f64 {
    if exponent.is_nan() || (exponent.is_infinite() && base.abs() == 1.0) {
        return f64::NAN;
    }
    base.powf(exponent)
}

/// From left to right the argument that compares so with the one before, else the later one.
fn choose(arguments: &[Js], wanted: Ordering) -> Js {
    let better = |a: Js, b: &Js| if a.order(b) == Some(wanted) { a } else { b.clone() };
    let mut arguments = arguments.iter();
    let first = arguments.next().cloned().unwrap_or_default();
    arguments.fold(first, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_powers_are_those_of_javascript() {
        assert_eq!(round(0.49999999999999994), 0.0);
        assert_eq!(round(-0.5), 0.0);
        assert_eq!(round(4503599627370497.5), 4503599627370498.0);
        assert!(round(f64::NAN).is_nan());
        assert_eq!(round(f64::INFINITY), f64::INFINITY);
        assert!(power(1.0, f64::INFINITY).is_nan());
        assert!(power(1.0, f64::NAN).is_nan());
        assert_eq!(power(f64::NAN, 0.0), 1.0);
    }
}
