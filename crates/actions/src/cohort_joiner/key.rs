//! What rows are joined by: whole numbers compare as such whatever the file wrote, other text by its bytes.
//! Rules of actions.md 4.2.

/// The `patient_id` of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// Matches nothing.
    Blank,
    Whole(u64),
    /// The bits of a number below zero.
    Negative(u64),
    Text(&'a [u8]),
}

impl<'a> Key<'a> {
    /// Of a field of text: spaces around a whole number, its leading zeros and a trailing `.0…` do not count.
    pub(super) fn of_text(text: &'a [u8]) -> Self {
        if (1..19).contains(&text.len()) {
            let (mut number, mut digits) = (0_u64, true);
            for byte in text {
                let digit = byte.wrapping_sub(b'0');
                digits &= digit < 10;
                number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            }
            if digits {
                return Self::Whole(number);
            }
        }
        Self::of_odd_text(text)
    }

    fn of_odd_text(text: &'a [u8]) -> Self {
        let spaces = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| **byte == b' ').count();
        let before = spaces(&mut text.iter());
        if before == text.len() {
            return Self::Blank;
        }
        let after = spaces(&mut text.iter().rev());
        let trimmed = &text[before..text.len() - after];
        let (negative, number) = match trimmed {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let digits = match number.iter().position(|byte| *byte == b'.') {
            Some(point) => {
                let zeros = &number[point + 1..];
                if zeros.is_empty() || zeros.iter().any(|byte| *byte != b'0') {
                    return Self::Text(text);
                }
                &number[..point]
            }
            None => number,
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Self::Text(text);
        }
        let add = |sum: u64, byte: &u8| sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'));
        match digits.iter().try_fold(0_u64, add) {
            Some(number) if !negative || number == 0 => Self::Whole(number),
            Some(number) => match 0_i64.checked_sub_unsigned(number) {
                Some(number) => Self::Negative(number.cast_unsigned()),
                None => Self::Text(text),
            },
            None => Self::Text(text),
        }
    }

    pub(super) fn of_signed(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Whole(number),
            Err(_) => Self::Negative(number.cast_unsigned()),
        }
    }

    /// A whole number that a double holds, if it does.
    pub(super) fn of_whole_float(number: f64) -> Option<Self> {
        // 2^64 and -2^63 are doubles; what lies between them and is whole fits.
        if number.fract() != 0.0 || !(-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&number) {
            return None;
        }
        Some(if number < 0.0 { Self::of_signed(number as i64) } else { Self::Whole(number as u64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_the_same_however_they_are_written() {
        let rows: &[(&str, Key<'_>)] = &[
            ("", Key::Blank),
            ("  ", Key::Blank),
            ("8", Key::Whole(8)),
            ("008", Key::Whole(8)),
            (" 8 ", Key::Whole(8)),
            ("8.0", Key::Whole(8)),
            ("+8.000", Key::Whole(8)),
            ("0", Key::Whole(0)),
            ("-0", Key::Whole(0)),
            ("-1", Key::Negative(u64::MAX)),
            ("18446744073709551615", Key::Whole(u64::MAX)),
            ("0018446744073709551615.0", Key::Whole(u64::MAX)),
            ("-9223372036854775808", Key::Negative(1 << 63)),
            ("999999999999999999", Key::Whole(999_999_999_999_999_999)),
            ("9223372036854775808", Key::Whole(1 << 63)),
        ];
        for (text, key) in rows {
            assert_eq!(Key::of_text(text.as_bytes()), *key, "{text}");
        }
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "8.",
            ".0",
            "8.01",
            "1e3",
            "8 8",
            "a",
            "-",
            "\t8",
            "8,0",
            "é",
        ] {
            assert_eq!(Key::of_text(text.as_bytes()), Key::Text(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn doubles_that_are_whole_are_whole_numbers() {
        assert_eq!(Key::of_whole_float(8.0), Some(Key::Whole(8)));
        assert_eq!(Key::of_whole_float(-0.0), Some(Key::Whole(0)));
        assert_eq!(Key::of_whole_float(-1.0), Some(Key::of_signed(-1)));
        assert_eq!(Key::of_whole_float(-9_223_372_036_854_775_808.0), Some(Key::of_signed(i64::MIN)));
        for other in [0.5, f64::INFINITY, f64::NAN, 18_446_744_073_709_551_616.0, -1e19] {
            assert_eq!(Key::of_whole_float(other), None);
        }
    }
}
