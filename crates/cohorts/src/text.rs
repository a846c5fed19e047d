//! Values as text: numbers as Python prints them, days cut to their precision, cells quoted only where they must be.
//! Spec study-definitions.md 9.2 and actions.md 3.5.

use crate::DatePrecision;

/// The shortest decimal that reads back as the same double, in Python's form: plain from 1e-4 to below 1e16, with a
/// point; else with an exponent of two digits at least.
pub fn push_float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if (1e-4..1e16).contains(&size) {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else if size == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0.0" } else { b"0.0" });
    } else if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value < 0.0 { b"-inf" } else { b"inf" });
    } else {
        push_with_exponent(out, value);
    }
}

/// As `1e-05` and `1.5e+16`. The standard library's shortest form will not do: between two that are equally near, Python
/// takes the even one.
fn push_with_exponent(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let all: String = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    // How far the point moves to stand behind the first digit.
    let moved = whole.len() as i32 - (all.len() - digits.len()) as i32 - 1;
    let exponent = exponent.parse::<i32>().unwrap_or(0) + moved;
    let digits = digits.trim_end_matches('0');
    let (first, rest) = digits.split_at(digits.len().min(1));
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.abs()).as_bytes());
}

/// A whole number, plain.
pub fn push_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A day as year, month and day of the Gregorian calendar; `days` counts from 1970-01-01.
pub const fn civil(days: i32) -> (i64, u8, u8) {
    // Years that begin in March put the leap day last; eras of 400 years repeat.
    let days = days as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month as u8, day as u8)
}

/// Stata counts days from 1960-01-01.
pub const DAYS_1960_TO_1970: i64 = 3_653;

/// The first day of the day's year or month, or itself.
pub(crate) fn first_day(days: i32, precision: DatePrecision) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let (year, month, day) = civil(days);
    let of_month = i64::from(days) - i64::from(day) + 1;
    match precision {
        DatePrecision::Day => i64::from(days),
        DatePrecision::Month => of_month,
        DatePrecision::Year => {
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let before = BEFORE.get(usize::from(month) - 1).copied().unwrap_or(0);
            of_month - before - i64::from(leap && month > 2)
        }
    }
}

/// A day, cut to its precision; `days` counts from 1970-01-01.
pub fn push_date(out: &mut Vec<u8>, days: i32, precision: DatePrecision) {
    let (year, month, day) = civil(days);
    if (0..=9_999).contains(&year) {
        let (hundreds, ones) = ((year / 100) as u8, (year % 100) as u8);
        out.extend_from_slice(&two(hundreds));
        out.extend_from_slice(&two(ones));
    } else {
        out.extend_from_slice(format!("{year:04}").as_bytes());
    }
    if precision != DatePrecision::Year {
        out.push(b'-');
        out.extend_from_slice(&two(month));
    }
    if precision == DatePrecision::Day {
        out.push(b'-');
        out.extend_from_slice(&two(day));
    }
}

const fn two(number: u8) -> [u8; 2] {
    [b'0' + number / 10, b'0' + number % 10]
}

/// A cell of a csv file, in quotes only where the file could not be read without them.
pub fn push_cell(out: &mut Vec<u8>, cell: &[u8]) {
    if cell.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.push(b'"');
        let mut rest = cell;
        while let Some(at) = memchr::memchr(b'"', rest) {
            out.extend_from_slice(&rest[..=at]);
            out.push(b'"');
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    } else {
        out.extend_from_slice(cell);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float(value: f64) -> String {
        let mut out = Vec::new();
        push_float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_python_s() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (5.0, "5.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.000_12, "0.00012"),
            (0.000_099_999, "9.9999e-05"),
            (1e-5, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (1e15, "1000000000000000.0"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            // Exactly between two of 17 digits: 224999519888175.125 and 2^60 + 2^59 + 2^8 = 1729382256910270720.
            (224_999_519_888_175.0 + 0.125, "224999519888175.12"),
            (1_729_382_256_910_270_720.0, "1.7293822569102707e+18"),
            (-1.5e-7, "-1.5e-07"),
            (1.234e-5, "1.234e-05"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn days_are_cut() {
        for (days, text) in [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (-25_567, "1900-01-01")] {
            for (precision, length) in [(DatePrecision::Year, 4), (DatePrecision::Month, 7), (DatePrecision::Day, 10)] {
                let mut out = Vec::new();
                push_date(&mut out, days, precision);
                assert_eq!(out, &text.as_bytes()[..length]);
            }
        }
        let mut out = Vec::new();
        push_date(&mut out, 2_932_896, DatePrecision::Day);
        assert_eq!(out, b"9999-12-31");
    }

    #[test]
    fn days_have_a_first_one() {
        // 18321 is 2020-02-29, 18262 the first of that year, 18293 the first of that month, 18628 2021-01-01.
        assert_eq!(first_day(18_321, DatePrecision::Day), 18_321);
        assert_eq!(first_day(18_321, DatePrecision::Month), 18_293);
        for day in [18_262, 18_321, 18_322, 18_627] {
            assert_eq!(first_day(day, DatePrecision::Year), 18_262);
        }
        for day in [18_628, 18_686, 18_687, 18_992] {
            assert_eq!(first_day(day, DatePrecision::Year), 18_628);
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        for (cell, text) in [
            ("", ""),
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("\"", "\"\"\"\""),
            ("a\r", "\"a\r\""),
            ("a\nb", "\"a\nb\""),
            ("é;'", "é;'"),
        ] {
            let mut out = Vec::new();
            push_cell(&mut out, cell.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn floats_read_back_and_are_shortest(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = float(value);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            // As many digits as the standard library's shortest form, which differs only between two equally near ones.
            let digits = |text: &str| {
                let mantissa: String = text.split('e').next().unwrap().chars().filter(char::is_ascii_digit).collect();
                mantissa.trim_matches('0').len()
            };
            prop_assert_eq!(digits(&text), digits(&format!("{value:e}")));
        }

        #[test]
        fn plain_floats_read_back_and_are_shortest(value in -1e17f64..1e17, scale in 0i32..22) {
            let value = value / 10f64.powi(scale);
            let text = float(value);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            let plain = value == 0.0 || (1e-4..1e16).contains(&value.abs());
            prop_assert_eq!(plain, !text.contains('e'));
            prop_assert_eq!(plain, text.contains('.') && !text.contains('e'));
        }

        #[test]
        fn days_are_those_of_a_calendar(days in -719_528i32..2_932_897) {
            // Counted by years, the slow way.
            let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            let mut left = i64::from(days) + 719_528; // days since 0000-01-01
            let mut year = left / 366;
            let before = |y: i64| 365 * y + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;
            while before(year + 1) <= left { year += 1; }
            left -= before(year);
            let mut month = 1u8;
            for length in [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                if left < length { break; }
                left -= length;
                month += 1;
            }
            prop_assert_eq!(civil(days), (year, month, left as u8 + 1));
        }
    }
}
