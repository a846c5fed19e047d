//! How numbers and days are spelled in text, in cells of patient tables (warehouse.md 4.1) and in casts (5.3).
//! One grammar, and no more than it says: no blanks, no underscores, no names of numbers, no weeks.

use jiff::civil::Date;

use crate::graph::DateFormat;

/// `[-+]?[0-9]+` within 64 bits.
pub fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A decimal with optional exponent, finite; no names of numbers, no blanks, no underscores.
pub fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// Text of a day.
pub fn spell(day: Date, format: DateFormat) -> String {
    let (year, month, date) = (day.year(), day.month(), day.day());
    match format {
        DateFormat::Day => format!("{year:04}-{month:02}-{date:02}"),
        DateFormat::Month => format!("{year:04}-{month:02}"),
        DateFormat::Year => format!("{year:04}"),
        DateFormat::British => format!("{date:02}/{month:02}/{year:04}"),
    }
}

/// A day from text that is spelled exactly so.
pub fn day(text: &str, format: DateFormat) -> Option<Date> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<i16>().ok()
    };
    let (year, month, day) = match format {
        DateFormat::Day => (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?),
        DateFormat::Month => (digits(0, 4)?, digits(5, 7)?, 1),
        DateFormat::Year => (digits(0, 4)?, 1, 1),
        DateFormat::British => (digits(6, 10)?, digits(3, 5)?, digits(0, 2)?),
    };
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (day.year() >= 1 && spell(day, format) == text).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn numbers_have_one_grammar() {
        for text in ["5_0", " 7", "nan", "inf", "", "-", "0x1", "1.0"] {
            assert_eq!(whole(text), None, "{text:?}");
        }
        assert_eq!([whole("+7"), whole("-08"), whole("9223372036854775808")], [Some(7), Some(-8), None]);
        for text in ["5_0", " 7", "nan", "infinity", "1e999", "", ".", "e5"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
        assert_eq!([decimal("-1.5e3"), decimal("4"), decimal(".5")], [Some(-1500.0), Some(4.0), Some(0.5)]);
    }

    #[test]
    fn text_of_a_day_has_one_spelling() {
        for text in ["2024-02-30", "2024-2-03", "2024-02-03 ", "20240203", "0000-01-01", "+024-02-03", "2024-W10-1"] {
            assert_eq!(day(text, DateFormat::Day), None, "{text}");
        }
        assert_eq!(day("03/02/2024", DateFormat::British), Some(date(2024, 2, 3)));
        assert_eq!(day("2024-02", DateFormat::Month), Some(date(2024, 2, 1)));
        assert_eq!(day("0001", DateFormat::Year), Some(date(1, 1, 1)));
    }
}
