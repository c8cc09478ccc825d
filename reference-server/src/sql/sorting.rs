//! ORDER BY. The order of expressions is none of mathematics: a number and a text that is none cannot be compared. So
//! that such values fall where they do in the engine the language comes from, rows are sorted as its `Array.sort`
//! does it: short runs by binary insertion, longer ones by merging.

use super::value::Js;
use std::cmp::Ordering;

/// Runs shorter than this are made by insertion alone.
const SHORTEST_MERGED: usize = 64;

/// Compares two values in one direction; incomparable ones as JavaScript's comparator does, which says "less".
pub fn compare_values(a: &Js, b: &Js, descending: bool) -> Ordering {
    let empty = Js::text(if fault!("sql-nulls-sort-last") { "\u{ffff}" } else { "" });
    let a = if a.truth() { a } else { &empty };
    let b = if b.truth() { b } else { &empty };
    match a.order(b) {
        Some(Ordering::Equal) => Ordering::Equal,
        Some(order) if descending && !fault!("sql-order-descending-ignored") => order.reverse(),
        Some(order) => order,
        None if a.loosely_equals(b) => Ordering::Equal,
        None => Ordering::Less,
    }
}

/// Compares the keys of two rows, which are sorted in the given directions.
pub fn compare_keys(a: &[Js], b: &[Js], descending: &[bool]) -> Ordering {
    for ((a, b), descending) in a.iter().zip(b).zip(descending) {
        let order = compare_values(a, b, *descending);
        if order != Ordering::Equal || fault!("sql-order-first-key-only") {
            return order;
        }
    }
    Ordering::Equal
}

/// Sorts stably by a comparison that need not be one.
pub fn sort<T>(items: &mut Vec<T>, compare: &dyn Fn(&T, &T) -> Ordering) {
    let length = items.len();
    if length < 2 {
        return;
    }
    let minimum = shortest_run(length);
    // Runs that are merged lie side by side, as slots that are emptied and filled again.
    let mut slots: Vec<Option<T>> = items.drain(..).map(Some).collect();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut low = 0;
    while low < length {
        let mut run = natural_run(&mut slots[low..], compare);
        if run < minimum {
            let forced = minimum.min(length - low);
            insert(&mut slots[low..low + forced], run, compare);
            run = forced;
        }
        runs.push((low, run));
        low += run;
        collapse(&mut slots, &mut runs, compare);
    }
    while runs.len() > 1 {
        let at = runs.len() - 2;
        let at = if at > 0 && runs[at - 1].1 < runs[at + 1].1 { at - 1 } else { at };
        merge_at(&mut slots, &mut runs, at, compare);
    }
    items.extend(slots.into_iter().flatten());
}

/// Sorts and keeps the first.
pub fn sort_and_keep<T>(items: &mut Vec<T>, count: usize, compare: &dyn Fn(&T, &T) -> Ordering) {
    sort(items, compare);
    items.truncate(count);
}

fn shortest_run(mut length: usize) -> usize {
    let mut odd = 0;
    while length >= SHORTEST_MERGED {
        odd |= length & 1;
        length >>= 1;
    }
    length + odd
}

fn less<T>(a: Option<&T>, b: Option<&T>, compare: &dyn Fn(&T, &T) -> Ordering) -> bool {
    matches!((a, b), (Some(a), Some(b)) if compare(a, b) == Ordering::Less)
}

/// The length of the ascending run at the beginning; a strictly descending one is turned round.
fn natural_run<T>(slots: &mut [Option<T>], compare: &dyn Fn(&T, &T) -> Ordering) -> usize {
    if slots.len() < 2 {
        return slots.len();
    }
    let descending = less(slots[1].as_ref(), slots[0].as_ref(), compare);
    let mut run = 2;
    while run < slots.len() && less(slots[run].as_ref(), slots[run - 1].as_ref(), compare) == descending {
        run += 1;
    }
    if descending {
        slots[..run].reverse();
    }
    run
}

/// Binary insertion of what follows the first `sorted` ones.
fn insert<T>(slots: &mut [Option<T>], sorted: usize, compare: &dyn Fn(&T, &T) -> Ordering) {
    for start in sorted.max(1)..slots.len() {
        let (mut left, mut right) = (0, start);
        while left < right {
            let middle = left + (right - left) / 2;
            if less(slots[start].as_ref(), slots[middle].as_ref(), compare) {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        slots[left..=start].rotate_right(1);
    }
}

/// Merges neighbouring runs until their lengths fall off quickly enough.
fn collapse<T>(
    slots: &mut [Option<T>],
    runs: &mut Vec<(usize, usize)>,
    compare: &dyn Fn(&T, &T) -> Ordering,
) {
    while runs.len() > 1 {
        let last = runs.len() - 2;
        let length = |at: usize| runs[at].1;
        let crowded = |at: usize| at >= 1 && length(at - 1) <= length(at) + length(at + 1);
        if crowded(last) || (last >= 1 && crowded(last - 1)) {
            let at = if length(last - 1) < length(last + 1) { last - 1 } else { last };
            merge_at(slots, runs, at, compare);
        } else if length(last) <= length(last + 1) {
            merge_at(slots, runs, last, compare);
        } else {
            break;
        }
    }
}

fn merge_at<T>(
    slots: &mut [Option<T>],
    runs: &mut Vec<(usize, usize)>,
    at: usize,
    compare: &dyn Fn(&T, &T) -> Ordering,
) {
    let ((start, first), (_, second)) = (runs[at], runs[at + 1]);
    runs[at].1 = first + second;
    runs.remove(at + 1);
    let whole = &mut slots[start..start + first + second];
    let mut left: std::collections::VecDeque<Option<T>> =
        whole[..first].iter_mut().map(Option::take).collect();
    let mut right = first;
    let mut out = 0;
    while !left.is_empty() {
        let take_right = right < whole.len() && less(whole[right].as_ref(), left[0].as_ref(), compare);
        whole[out] = if take_right {
            right += 1;
            whole[right - 1].take()
        } else {
            left.pop_front().flatten()
        };
        out += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(values: &[Js], descending: bool) -> Vec<Js> {
        let mut values = values.to_vec();
        sort(&mut values, &|a, b| compare_values(a, b, descending));
        values
    }

    fn js(number: f64) -> Js {
        Js::Number(number)
    }

    #[test]
    fn incomparable_values_fall_as_in_javascript() {
        let text = |text: &str| Js::text(text);
        let mixed = [js(0.0), js(1.0), js(2.0), text("k1"), text("k2"), text("k0")];
        assert_eq!(sorted(&mixed, false), [js(0.0), text("k0"), text("k1"), text("k2"), js(1.0), js(2.0)]);
        assert_eq!(sorted(&mixed, true), [text("k2"), text("k1"), text("k0"), js(2.0), js(1.0), js(0.0)]);
        assert_eq!(sorted(&[js(3.0), text("x"), js(1.0)], false), [js(1.0), text("x"), js(3.0)]);
        assert_eq!(sorted(&[text("x"), js(3.0), js(1.0)], false), [js(1.0), js(3.0), text("x")]);
        assert_eq!(sorted(&[js(-5.0), Js::Null, js(3.0)], false), [js(-5.0), Js::Null, js(3.0)]);
    }

    proptest! {
        #[test]
        fn comparable_values_are_sorted_stably(keys in prop::collection::vec(0u8..20, 0..400)) {
            let mut rows: Vec<(u8, usize)> = keys.iter().copied().zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            sort(&mut rows, &|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn nothing_is_lost_whatever_the_comparison_says(keys in prop::collection::vec(any::<u16>(), 0..300), salt in any::<u16>()) {
            let mut rows = keys.clone();
            sort(&mut rows, &|a, b| match (a ^ b ^ salt) % 3 {
                0 => Ordering::Less,
                1 => Ordering::Equal,
                _ => Ordering::Greater,
            });
            let mut expected = keys;
            rows.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(rows, expected);
        }
    }
}
