//! What one field of a measure file says: a date, a value, or that there is none (actions.md 6.2).
//! The same bytes always mean the same; nothing of a bad field is shown, since it may be a patient's.

use jiff::civil::{Date, Time};

/// What a value field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Number(f64),
    Missing,
    /// A mark that a count was hidden; missing, and told of.
    Redacted,
    /// `inf` or `-inf`: a rate over nothing.
    Infinite(f64),
    NotNumeric,
}

/// What a date field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Date(Date),
    Blank,
    Bad,
}

/// The words that the original reads as missing (actions.md 3.3), besides blank and `nan`.
const MISSING_WORDS: &[&str] = &[
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "n/a", "null",
];

/// Reads a value. With `words` the missing words of the original count as missing too.
pub(super) fn value(bytes: &[u8], words: bool) -> Cell {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return Cell::Missing;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Cell::NotNumeric };
    if let Ok(number) = text.parse::<f64>() {
        return match number {
            n if n.is_nan() => Cell::Missing,
            n if n.is_infinite() => Cell::Infinite(n),
            n => Cell::Number(n),
        };
    }
    match text {
        "-" | "*" => Cell::Redacted,
        text if text.eq_ignore_ascii_case("[redacted]") => Cell::Redacted,
        text if is_below(text) => Cell::Redacted,
        text if words && MISSING_WORDS.contains(&text) => Cell::Missing,
        _ => Cell::NotNumeric,
    }
}

/// `<7`, `<=7`
fn is_below(text: &str) -> bool {
    let digits = text.strip_prefix("<=").or_else(|| text.strip_prefix('<'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`.
pub(super) fn day(bytes: &[u8]) -> Day {
    let (date, time) = match bytes {
        [] => return Day::Blank,
        [date @ .., b' ', _, _, b':', _, _, b':', _, _] if date.len() == 10 => (date, Some(&bytes[11..])),
        date => (date, None),
    };
    let number = |digits: &[u8]| {
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0')))
    };
    let short = |digits: &[u8]| number(digits).and_then(|n| i8::try_from(n).ok());
    let parsed = match date {
        [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => {
            number(y).zip(short(&[*m1, *m2])).zip(short(&[*d1, *d2])).and_then(|((y, m), d)| Date::new(y, m, d).ok())
        }
        _ => None,
    };
    let timed = time.is_none_or(|time| match time {
        [h1, h2, _, m1, m2, _, s1, s2] => {
            let parts = (short(&[*h1, *h2]), short(&[*m1, *m2]), short(&[*s1, *s2]));
            matches!(parts, (Some(h), Some(m), Some(s)) if Time::new(h, m, s, 0).is_ok())
        }
        _ => false,
    });
    parsed.filter(|_| timed).map_or(Day::Bad, Day::Date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn values_are_numbers_marks_or_missing() {
        for text in ["", " ", "nan", "NaN", "-nan", "NAN"] {
            assert_eq!(value(text.as_bytes(), false), Cell::Missing, "{text}");
        }
        for text in ["[REDACTED]", "[redacted]", "<5", "<=7", "<10", "-", "*", " <5 "] {
            assert_eq!(value(text.as_bytes(), false), Cell::Redacted, "{text}");
        }
        for (text, number) in [("0.25", 0.25), ("-1", -1.0), ("1e-3", 0.001), (".5", 0.5), ("5.", 5.0), (" 2 ", 2.0)] {
            assert_eq!(value(text.as_bytes(), false), Cell::Number(number), "{text}");
        }
        for text in ["inf", "+inf", "Infinity", "1e999"] {
            assert_eq!(value(text.as_bytes(), false), Cell::Infinite(f64::INFINITY), "{text}");
        }
        assert_eq!(value(b"-inf", false), Cell::Infinite(f64::NEG_INFINITY));
        for text in ["abc", "<", "<=", "<5x", "--", "**", "5%", "1,5", "0x1", "1_0", "NA", "redacted", "≤5"] {
            assert_eq!(value(text.as_bytes(), false), Cell::NotNumeric, "{text}");
        }
        assert_eq!(value(b"\xff", true), Cell::NotNumeric);
        assert_eq!(value(b"NA", true), Cell::Missing);
    }

    #[test]
    fn dates_are_iso_with_or_without_a_time() {
        assert_eq!(day(b"2020-02-29"), Day::Date(date(2020, 2, 29)));
        assert_eq!(day(b"2020-02-29 23:59:59"), Day::Date(date(2020, 2, 29)));
        assert_eq!(day(b""), Day::Blank);
        for bad in [
            "2021-02-29",
            "2020-2-1",
            "01/02/2020",
            "20200201",
            "2020-02-01T00:00:00",
            "2020-02-01 24:00:00",
            "2020-02-01 00:00",
            " 2020-02-01",
            "2020-02-01 ",
            "+020-02-01",
            "2020-13-01",
            "abc",
            "2020-02-0a",
        ] {
            assert_eq!(day(bad.as_bytes()), Day::Bad, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(prop::sample::select(b"0129-: <=inaN.e\xff".to_vec()), 0..24)) {
            value(&bytes, true);
            day(&bytes);
        }

        #[test]
        fn a_written_number_reads_back(number in any::<f64>()) {
            let expected = match number {
                n if n.is_nan() => Cell::Missing,
                n if n.is_infinite() => Cell::Infinite(n),
                n => Cell::Number(n),
            };
            prop_assert_eq!(value(crate::text::float(number).as_bytes(), false), expected);
        }
    }
}
