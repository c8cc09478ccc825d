//! Functions of many rows, one row at a time.

use super::Engine;
use super::ast::Aggregate;
use super::value::{Js, operators};
use crate::value::Value;
use std::cmp::Ordering;
use std::collections::HashSet;

/// What a function of many rows has seen so far.
#[derive(Clone, Debug)]
pub struct Accumulator {
    state: State,
    /// The texts of the values seen, when only distinct ones count.
    distinct: Option<HashSet<String>>,
}

#[derive(Clone, Debug)]
enum State {
    Rows(f64),
    Values(f64),
    Sum(Option<Js>),
    Total(f64),
    Average { first: Option<Js>, sum: Js, rows: u64, count: f64 },
    Extreme(Extreme),
    Numbers { kind: Kind, values: Vec<f64> },
    Quartile { which: f64, values: Vec<Js> },
    Moments { population: bool, root: bool, rows: u64, count: f64, sum: f64, squares: f64 },
    Concatenation(Option<String>),
    Array(Option<Vec<Value>>),
    First(Option<Js>),
    Last(Option<Js>),
}

/// Statistics of all numbers together.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Median,
    Mean,
    Mode,
    Product,
    Deviation,
}

/// MIN or MAX. Texts only count when there is nothing else.
#[derive(Clone, Debug)]
struct Extreme {
    largest: bool,
    rows: u64,
    value: Js,
    text: Option<Js>,
    only_texts: bool,
}

impl Accumulator {
    /// Before the first row.
    pub fn new(aggregate: &Aggregate) -> Accumulator {
        let moments = |population, root| State::Moments {
            population,
            root,
            rows: 0,
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
        };
        let extreme = |largest| {
            State::Extreme(Extreme { largest, rows: 0, value: Js::Null, text: None, only_texts: true })
        };
        let numbers = |kind| State::Numbers { kind, values: Vec::new() };
        let quartile = |which| State::Quartile { which, values: Vec::new() };
        let state = match aggregate.name.as_str() {
            "COUNT" if aggregate.argument.is_none() => State::Rows(0.0),
            "COUNT" => State::Values(0.0),
            "SUM" => State::Sum(None),
            "TOTAL" => State::Total(0.0),
            "AVG" => State::Average { first: None, sum: Js::Number(0.0), rows: 0, count: 0.0 },
            "MIN" => extreme(false),
            "MAX" => extreme(true),
            "MEDIAN" => numbers(Kind::Median),
            "MEAN" => numbers(Kind::Mean),
            "MODE" => numbers(Kind::Mode),
            "PROD" => numbers(Kind::Product),
            "MAD" => numbers(Kind::Deviation),
            "QUART" => quartile(1.0),
            "QUART2" => quartile(2.0),
            "QUART3" => quartile(3.0),
            "VAR" => moments(false, false),
            "STDEV" => moments(false, true),
            "VARP" => moments(true, false),
            "STDDEV" | "STD" | "STDEVP" => moments(!fault!("sql-deviation-of-sample"), true),
            "GROUP_CONCAT" => State::Concatenation(None),
            "ARRAY" => State::Array(None),
            "FIRST" => State::First(None),
            _ => State::Last(None),
        };
        let distinct = aggregate.distinct && !fault!("sql-distinct-in-functions-ignored");
        Accumulator { state, distinct: distinct.then(HashSet::new) }
    }

    /// Takes the argument's value in another row.
    pub fn add(&mut self, value: Js) {
        if let Some(seen) = &mut self.distinct
            && !value.is_nullish()
            && !seen.insert(value.to_text().into_owned())
        {
            return;
        }
        match &mut self.state {
            State::Rows(count) => *count += 1.0,
            State::Values(count) => {
                *count += f64::from(u8::from(!value.is_nullish() || fault!("sql-count-counts-nulls")));
            }
            State::Sum(sum) => match (&mut *sum, &value) {
                (Some(Js::Number(sum)), Js::Number(number)) => *sum += number,
                (Some(before), _) => *before = sum_of(before, value),
                (None, _) => {
                    let counts = value.truth() || matches!(value, Js::Number(_));
                    *sum = Some(if counts { value } else { Js::Null });
                }
            },
            State::Total(total) => *total += plain_number(&value),
            State::Average { first, sum, rows, count } => {
                *rows += 1;
                if value.is_nullish() && fault!("sql-average-of-all-rows") {
                    *count += 1.0;
                }
                if !value.is_nullish() {
                    *count += 1.0;
                    match (&mut *sum, &value) {
                        (Js::Number(sum), Js::Number(number)) => *sum += number,
                        (before, value) if value.truth() => *before = operators::add(before, value),
                        (before, _) => *before = operators::add(before, &Js::Number(0.0)),
                    }
                }
                if first.is_none() {
                    *first = Some(value);
                }
            }
            State::Extreme(extreme) => extreme.add(value),
            State::Numbers { values, .. } => values.extend(number(&value)),
            State::Quartile { values, .. } => {
                if !value.is_nullish() {
                    values.push(value);
                }
            }
            State::Moments { rows, count, sum, squares, .. } => {
                *rows += 1;
                if !value.is_nullish() {
                    let number = value.to_number();
                    *count += 1.0;
                    *sum += number;
                    *squares += number * number;
                }
            }
            State::Concatenation(text) => {
                if !value.is_nullish() {
                    match text {
                        None => *text = Some(value.to_text().into_owned()),
                        Some(text) => {
                            text.push_str(if fault!("sql-texts-joined-with-blanks") { ", " } else { "," });
                            text.push_str(&value.to_text());
                        }
                    }
                }
            }
            State::Array(items) => items.get_or_insert_default().push(value.to_value().unwrap_or_default()),
            State::First(first) => {
                first.get_or_insert(value);
            }
            State::Last(last) => *last = Some(value),
        }
    }

    /// The result. [`Js::Undefined`] where the earlier engine has none.
    pub fn result(self, engine: Engine) -> Js {
        let documented = engine == Engine::Documented;
        match self.state {
            State::Rows(count) | State::Values(count) => Js::Number(count),
            State::Sum(sum) => sum.unwrap_or(if documented { Js::Undefined } else { Js::Number(0.0) }),
            State::Total(total) => Js::Number(total),
            State::Average { rows: 0, .. } => Js::Undefined,
            State::Average { count: 0.0, .. } => Js::Null,
            State::Average { first: Some(first), rows: 1, .. } if !documented => first,
            State::Average { sum, count, .. } => Js::Number(sum.to_number() / count),
            State::Extreme(extreme) => extreme.result(documented),
            State::Numbers { kind, values } => statistic(kind, values),
            State::Quartile { which, values } => quartile(which, values),
            State::Moments { rows: 0, .. } => Js::Undefined,
            State::Moments { population, root, count, sum, squares, .. } => {
                let variance = match population {
                    true if count > 0.0 => {
                        let mean = sum / count;
                        squares / count - mean * mean
                    }
                    false if count > 1.0 => (squares - sum * sum / count) / (count - 1.0),
                    _ => 0.0,
                };
                Js::Number(if root { variance.sqrt() } else { variance })
            }
            State::Concatenation(text) => text.map_or(Js::Undefined, Js::from),
            State::Array(items) => items.map_or(Js::Undefined, |items| Js::from(Value::Array(items))),
            State::First(value) | State::Last(value) => value.unwrap_or_default(),
        }
    }
}

impl Extreme {
    fn add(&mut self, value: Js) {
        self.rows += 1;
        match &value {
            Js::Text(_) => {
                let better = |best: &Js| match value.order(best) {
                    Some(Ordering::Less) => !self.largest,
                    Some(Ordering::Greater) => self.largest,
                    _ => false,
                };
                if self.text.as_ref().is_none_or(better) {
                    self.text = Some(value.clone());
                }
            }
            value if !value.is_nullish() => self.only_texts = false,
            _ => {}
        }
        let is_number = matches!(value, Js::Number(_) | Js::Date(_));
        let is_object = matches!(value, Js::Json(_));
        if self.rows == 1 {
            if is_number || is_object {
                self.value = value;
            }
            return;
        }
        let replaces = if value.is_nullish() {
            false
        } else if self.value.is_nullish() {
            true
        } else {
            match value.order(&self.value) {
                Some(Ordering::Less) => !self.largest,
                Some(Ordering::Greater) => self.largest && !fault!("sql-maximum-is-first"),
                _ => false,
            }
        };
        if replaces && is_number {
            self.value = value;
        } else if replaces && is_object {
            self.value = Js::Number(value.to_number());
        } else if matches!(self.value, Js::Json(_)) {
            self.value = Js::Number(self.value.to_number());
        }
    }

    fn result(self, documented: bool) -> Js {
        match self.text {
            _ if self.rows == 0 => Js::Undefined,
            Some(text) if documented && self.only_texts => text,
            _ => self.value,
        }
    }
}

/// SUM over something else than numbers: JavaScript's `+`, started again at a number after what is neither number nor
/// object.
fn sum_of(before: &Js, value: Js) -> Js {
    let is_number = matches!(value, Js::Number(_));
    let weighs = |value: &Js| matches!(value, Js::Number(_) | Js::Date(_) | Js::Json(_));
    if before.is_nullish() && value.is_nullish() {
        return Js::Null;
    }
    let light = |value: &Js| !value.is_nullish() && !weighs(value);
    if (light(before) && light(&value)) || (!weighs(before) && !weighs(&value)) {
        return Js::Null;
    }
    if is_number && !weighs(before) {
        return value;
    }
    if value.is_nullish() && matches!(before, Js::Number(_)) {
        return before.clone();
    }
    let value = if value.truth() { value } else { Js::Number(0.0) };
    operators::add(before, &value)
}

/// What TOTAL adds for a value: numbers, booleans and texts of numbers.
fn plain_number(value: &Js) -> f64 {
    match value {
        Js::Number(number) if number.is_nan() => 0.0,
        Js::Number(_) | Js::Bool(_) => value.to_number(),
        Js::Text(_) => Some(value.to_number()).filter(|number| !number.is_nan()).unwrap_or(0.0),
        _ => 0.0,
    }
}

fn number(value: &Js) -> Option<f64> {
    match value {
        Js::Undefined | Js::Null => None,
        value => Some(value.to_number()).filter(|number| !number.is_nan()),
    }
}

fn statistic(kind: Kind, mut values: Vec<f64>) -> Js {
    if values.is_empty() {
        return Js::Null;
    }
    match kind {
        Kind::Median => Js::Number(median(&mut values)),
        Kind::Mean => Js::Number(values.iter().sum::<f64>() / values.len() as f64),
        Kind::Product => Js::Number(values.iter().product()),
        Kind::Deviation => {
            let middle = median(&mut values);
            let mut distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
            Js::Number(median(&mut distances))
        }
        Kind::Mode => Js::from(Value::Array(most_frequent(values).into_iter().map(Value::Number).collect())),
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        Some(upper) if values.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(values.get(middle - 1).copied().unwrap_or(*upper), *upper),
        None => f64::NAN,
    }
}

/// The values that are there most often, in the order in which they came to be.
fn most_frequent(values: Vec<f64>) -> Vec<f64> {
    let mut counts: std::collections::HashMap<u64, usize> = std::collections::HashMap::new();
    let (mut most, mut frequent) = (0, Vec::new());
    for value in values {
        let count = counts.entry((value + 0.0).to_bits()).or_insert(0);
        *count += 1;
        if *count > most {
            most = *count;
            frequent.clear();
        }
        if *count == most {
            frequent.push(value);
        }
    }
    frequent
}

fn quartile(which: f64, mut values: Vec<Js>) -> Js {
    if values.is_empty() {
        return Js::Undefined;
    }
    super::sorting::sort(&mut values, &|a, b| a.order(b).unwrap_or(Ordering::Less));
    let place = which * (values.len() as f64 + 1.0) / 4.0;
    let at = if place.fract() == 0.0 { place - 1.0 } else { place.floor() };
    values.get(at as usize).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(name: &str, distinct: bool, values: &[Js]) -> Js {
        let argument = (name != "COUNT(*)").then(|| Box::new(super::super::ast::Expr::Null));
        let name = name.trim_end_matches("(*)").to_owned();
        let mut accumulator = Accumulator::new(&Aggregate { name, distinct, argument });
        values.iter().for_each(|value| accumulator.add(value.clone()));
        accumulator.result(Engine::Legacy)
    }

    fn numbers(values: &[f64]) -> Vec<Js> {
        values.iter().copied().map(Js::Number).collect()
    }

    #[test]
    fn statistics_of_eight_numbers() {
        let values = numbers(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        let rounded = |name: &str| over(name, false, &values).to_number();
        assert_eq!(rounded("MEDIAN"), 4.5);
        assert_eq!(rounded("MEAN"), 5.0);
        assert_eq!(rounded("STDDEV"), 2.0);
        assert_eq!(rounded("VARP"), 4.0);
        assert_eq!(rounded("MAD"), 0.5);
        assert!((rounded("STDEV") - 2.1381).abs() < 1e-4);
        assert!((rounded("VAR") - 4.5714).abs() < 1e-4);
        assert_eq!(over("MODE", false, &values), Js::from(Value::Array(vec![Value::Number(4.0)])));
        assert_eq!(over("QUART", false, &numbers(&[5.0, 3.0, 8.0, 1.0, 9.0, 2.0])), Js::Number(2.0));
        assert_eq!(over("QUART3", false, &numbers(&[5.0, 3.0, 8.0, 1.0, 9.0, 2.0])), Js::Number(9.0));
    }

    #[test]
    fn sums_follow_javascript() {
        let sum = |values: &[Js]| over("SUM", false, values);
        assert_eq!(sum(&[]), Js::Number(0.0));
        assert_eq!(sum(&[Js::Null, Js::Null]), Js::Null);
        assert_eq!(sum(&[Js::Null, Js::Number(5.0)]), Js::Number(5.0));
        assert_eq!(sum(&[Js::Number(5.0), Js::text("x")]), Js::text("5x"));
        assert_eq!(sum(&[Js::text("x"), Js::Number(5.0)]), Js::Number(5.0));
        assert_eq!(sum(&[Js::text("a"), Js::text("b")]), Js::Null);
        assert_eq!(sum(&[Js::Number(1.0), Js::text("2"), Js::Number(3.0)]), Js::Number(3.0));
        assert_eq!(sum(&[Js::Bool(true), Js::Number(5.0)]), Js::Number(5.0));
        assert_eq!(sum(&[Js::Number(3.0), Js::Bool(true)]), Js::Number(4.0));
        let list = Js::from(Value::Array(vec![Value::from("b"), Value::Number(2.0)]));
        assert_eq!(sum(&[Js::Number(5.0), list]), Js::text("5b,2"));
    }

    #[test]
    fn extremes_are_of_numbers() {
        let least = |values: &[Js]| over("MIN", false, values);
        assert_eq!(least(&[]), Js::Undefined);
        assert_eq!(least(&[Js::text("a"), Js::text("b")]), Js::Null);
        assert_eq!(least(&[Js::text("x"), Js::Number(5.0)]), Js::Number(5.0));
        assert_eq!(least(&[Js::Null, Js::Number(5.0), Js::Number(-1.0)]), Js::Number(-1.0));
        assert_eq!(over("MAX", false, &[Js::Number(1.0), Js::Null, Js::Number(7.0)]), Js::Number(7.0));
        let object = Js::from(Value::Object(Default::default()));
        assert!(least(&[object, Js::Number(1.0)]).to_number().is_nan());
    }

    #[test]
    fn only_distinct_values_count() {
        let values = [Js::Number(1.0), Js::text("1"), Js::Null, Js::Number(2.0), Js::Number(1.0)];
        assert_eq!(over("COUNT", true, &values), Js::Number(2.0));
        assert_eq!(over("SUM", true, &values), Js::Number(3.0));
        assert_eq!(over("COUNT", false, &values), Js::Number(4.0));
        assert_eq!(over("COUNT(*)", false, &values), Js::Number(5.0));
    }
}
