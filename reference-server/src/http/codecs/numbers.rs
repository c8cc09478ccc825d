//! Which numbers the binary types write as integers.

/// The number as an integer when it is whole and JavaScript can tell it from its neighbours.
pub(super) fn integer(number: f64) -> Option<i64> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    (number.fract() == 0.0 && number.abs() <= SAFE).then_some(number as i64)
}

/// A big integer by the room it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Integer {
    Signed(i64),
    Unsigned(u64),
    Long(i128),
    /// More than 128 bits.
    TooLong,
}

impl Integer {
    pub(super) fn of(digits: &str) -> Integer {
        match digits.parse::<i128>() {
            Ok(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => Integer::Signed(number),
                (_, Ok(number)) => Integer::Unsigned(number),
                _ => Integer::Long(number),
            },
            Err(_) => Integer::TooLong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_safe_numbers_are_integers() {
        assert_eq!(integer(-3.0), Some(-3));
        assert_eq!(integer(9_007_199_254_740_991.0), Some(9_007_199_254_740_991));
        for number in [1.5, 9_007_199_254_740_992.0, f64::NAN, f64::INFINITY] {
            assert_eq!(integer(number), None, "{number}");
        }
    }

    #[test]
    fn big_integers_by_size() {
        assert_eq!(Integer::of("-9223372036854775808"), Integer::Signed(i64::MIN));
        assert_eq!(Integer::of("18446744073709551615"), Integer::Unsigned(u64::MAX));
        assert_eq!(Integer::of("18446744073709551616"), Integer::Long(1 << 64));
        assert_eq!(Integer::of(&"9".repeat(60)), Integer::TooLong);
    }
}
