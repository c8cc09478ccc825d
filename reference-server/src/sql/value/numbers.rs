//! Numbers and their texts, as JavaScript converts them.

/// The text of a number: shortest digits that read back the same, `NaN`, `Infinity`.
pub fn text_of_number(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { ryu_js::Buffer::new().format(number).to_owned() }
}

/// The number a text stands for: blanks around it do not count, empty is 0, `0x`, `0o` and `0b` are understood;
/// NaN when it stands for none.
pub fn number_of_text(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', ..] => whole_of_digits(&text[2..], 16),
        [b'0', b'o' | b'O', ..] => whole_of_digits(&text[2..], 8),
        [b'0', b'b' | b'B', ..] => whole_of_digits(&text[2..], 2),
        _ if unsigned == "Infinity" => {
            if text.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        _ if unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// What JavaScript counts as white space, in numbers and in `trim`.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\u{9}'..='\u{d}' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

fn whole_of_digits(digits: &str, base: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    let mut sum = 0.0;
    for digit in digits.chars() {
        match digit.to_digit(base) {
            Some(digit) => sum = sum * f64::from(base) + f64::from(digit),
            None => return f64::NAN,
        }
    }
    sum
}

/// The whole number of 32 bits that the bit operators work on.
pub fn to_int32(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    let wrapped = number.trunc().rem_euclid(4_294_967_296.0);
    (wrapped as u32) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers() {
        for (text, number) in [
            ("", 0.0),
            (" \t12\n", 12.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-0", 0.0),
            ("+4", 4.0),
            ("0xff", 255.0),
            ("0b11", 3.0),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(number_of_text(text), number, "{text}");
        }
        for none in ["abc", "12abc", "1 2", "0x", "-0x1", ".", "e5", "inf", "NaN", "infinity", "1_000", "--1"]
        {
            assert!(number_of_text(none).is_nan(), "{none}");
        }
    }

    #[test]
    fn whole_numbers_wrap_at_32_bits() {
        assert_eq!(to_int32(3_000_000_000.0), -1_294_967_296);
        assert_eq!(to_int32(-3.9), -3);
        assert_eq!(to_int32(f64::NAN), 0);
        assert_eq!(to_int32(1e300), 0);
        assert_eq!(to_int32(-4_294_967_297.0), -1);
    }
}
