//! Ranges of keys and of indexed values, as bounds of bytes.

use super::keys;
use crate::value::{Value, compare};
use std::cmp::Ordering;
use std::ops::Bound;

/// A range in the order of keys: of primary keys in a scan, of values in an index.
#[derive(Clone, Debug)]
pub struct KeyRange {
    low: Bound<Value>,
    high: Bound<Value>,
    prefix: Option<String>,
    /// The first form of the range.
    start: Vec<u8>,
    /// The first form after the range; `None` for no upper end.
    end: Option<Vec<u8>>,
    exact: bool,
}

/// A range of indexed values.
pub type ValueRange = KeyRange;

impl KeyRange {
    /// Everything.
    pub fn all() -> KeyRange {
        KeyRange::new(Bound::Unbounded, Bound::Unbounded)
    }

    /// One value.
    pub fn equal(value: &Value) -> KeyRange {
        let mut range = KeyRange::new(Bound::Included(value), Bound::Included(value));
        if !range.exact {
            // The hashed form leads to the value at once; the other bounds span all that agree up to the cut.
            let mut form = Vec::new();
            if keys::append_key(&mut form, value).is_some() {
                range.end = Some(successor(&form));
                range.start = form;
            }
        }
        range
    }

    /// The strings that begin with `text`.
    pub fn starting_with(text: &str) -> KeyRange {
        let mut start = Vec::new();
        keys::append_open_string(&mut start, text);
        let exact = start.len() <= keys::LONGEST_EXACT;
        start.truncate(keys::LONGEST_EXACT);
        let end = Some(beyond(&start));
        let (low, high) = (Bound::Unbounded, Bound::Unbounded);
        KeyRange { low, high, prefix: Some(text.to_owned()), start, end, exact }
    }

    /// The values between two bounds. A bound that has no place in the order of keys (an object) leaves nothing.
    pub fn new(low: Bound<&Value>, high: Bound<&Value>) -> KeyRange {
        let mut exact = true;
        let mut form = |value: &Value| {
            let mut form = Vec::new();
            let fits = keys::append_whole(&mut form, value);
            exact &= form.len() <= keys::LONGEST_EXACT;
            fits.then_some(form)
        };
        let start = match low {
            Bound::Unbounded => Some(Vec::new()),
            Bound::Included(value) => form(value).map(|form| match form.len() <= keys::LONGEST_EXACT {
                true => form,
                false => form[..keys::LONGEST_EXACT].to_vec(),
            }),
            Bound::Excluded(value) => form(value).map(|form| match form.len() <= keys::LONGEST_EXACT {
                true => successor(&form),
                false => form[..keys::LONGEST_EXACT].to_vec(),
            }),
        };
        let end = match high {
            Bound::Unbounded => Some(None),
            Bound::Included(value) => form(value).map(|form| match form.len() <= keys::LONGEST_EXACT {
                true => Some(successor(&form)),
                false => Some(beyond(&form[..keys::LONGEST_EXACT])),
            }),
            Bound::Excluded(value) => form(value).map(|form| match form.len() <= keys::LONGEST_EXACT {
                true => Some(form),
                false => Some(beyond(&form[..keys::LONGEST_EXACT])),
            }),
        };
        let (low, high, prefix) = (low.cloned(), high.cloned(), None);
        match (start, end) {
            (Some(start), Some(end)) => KeyRange { low, high, prefix, start, end, exact },
            // Reversed bounds: an empty range.
            _ => KeyRange { low, high, prefix, start: vec![1], end: Some(vec![0]), exact: true },
        }
    }

    /// True when an attribute's value has an index entry in the range: a scalar that lies in it, or an array with
    /// such an element.
    pub fn contains(&self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| !is_nested(item) && self.contains_key(item)),
            scalar => !is_nested(scalar) && self.contains_key(scalar),
        }
    }

    /// True when a primary key lies in the range. An array counts as a whole.
    pub fn contains_key(&self, value: &Value) -> bool {
        if let Some(prefix) = &self.prefix {
            return value.as_str().is_some_and(|text| text.starts_with(prefix.as_str()));
        }
        let above = match &self.low {
            Bound::Unbounded => true,
            Bound::Included(low) => compare(value, low) != Ordering::Less,
            Bound::Excluded(low) => compare(value, low) == Ordering::Greater,
        };
        above
            && match &self.high {
                Bound::Unbounded => true,
                Bound::Included(high) => compare(value, high) != Ordering::Greater,
                Bound::Excluded(high) => compare(value, high) == Ordering::Less,
            }
    }

    /// True when the bounds of bytes say all; else what they find is to be checked with [`KeyRange::contains`].
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// True when the bounds of bytes say all of primary keys too: arrays lie among the strings.
    pub(super) fn is_exact_for_keys(&self) -> bool {
        self.exact && self.prefix.is_none()
    }

    /// The keys of the range under a prefix: from the first, up to but not including the second.
    pub(super) fn under(&self, prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let start = [prefix, &self.start].concat();
        let end = match &self.end {
            Some(end) => [prefix, end].concat(),
            None => next_prefix(prefix),
        };
        (start, end)
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_) | Value::Bytes(_))
}

/// The first byte string after `form`; no other form lies between.
fn successor(form: &[u8]) -> Vec<u8> {
    [form, &[0]].concat()
}

/// A byte string after every form that begins with `start`, shortened ones included.
fn beyond(start: &[u8]) -> Vec<u8> {
    let mut end = start.to_vec();
    end.extend_from_slice(&[0xff; 17]);
    end
}

/// The first key after all that begin with `prefix`.
pub(super) fn next_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < 0xff {
            next.push(last + 1);
            return next;
        }
    }
    vec![0xff; prefix.len() + 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_successors() {
        assert_eq!(next_prefix(&[0, 1]), [0, 2]);
        assert_eq!(next_prefix(&[0, 0xff]), [1]);
        assert!(next_prefix(&[0xff]) > vec![0xff]);
    }

    #[test]
    fn what_a_range_contains() {
        let five = Value::Number(5.0);
        let range = KeyRange::new(Bound::Excluded(&five), Bound::Unbounded);
        assert!(!range.contains(&five) && range.contains(&Value::from("a")));
        assert!(range.contains(&Value::Array(vec![Value::Number(1.0), Value::Number(6.0)])));
        let array = Value::Array(vec![five]);
        assert!(!range.contains(&array) && range.contains_key(&array));
        assert!(!KeyRange::all().contains(&Value::Object(Default::default())));
        assert!(KeyRange::starting_with("ab").contains(&Value::from("abc")));
        assert!(!KeyRange::starting_with("ab").contains(&Value::Number(1.0)));
    }
}
