//! What an unquoted scalar means, and the decimal digits of integers of any size.
//! Spec project-yaml.md 2, second table.

/// The type of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Int,
    Float(f64),
    Date,
    Text,
}

/// Python refuses to print integers of more digits; a number in another base beyond it has no JSON either.
const MOST_DIGITS: usize = 4300;

/// Types a plain scalar.
pub(crate) fn resolve(text: &str) -> Plain {
    let bytes = text.as_bytes();
    let Some(&first) = bytes.first() else { return Plain::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        b'n' | b'N' | b'~' | b't' | b'T' | b'f' | b'F' => match text {
            "null" | "Null" | "NULL" | "~" => Plain::Null,
            "true" | "True" | "TRUE" => Plain::Bool(true),
            "false" | "False" | "FALSE" => Plain::Bool(false),
            _ => Plain::Text,
        },
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_decimal(unsigned) || radix(unsigned).is_some() {
        return Plain::Int;
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Plain::Float(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        _ => {}
    }
    if is_float(unsigned) {
        // The shape is checked; without underscores it is what Rust reads, `1.` and `.5` included.
        return unsigned.replace('_', "").parse::<f64>().map_or(Plain::Text, |f| Plain::Float(sign * f));
    }
    if is_date(text) { Plain::Date } else { Plain::Text }
}

/// Digits with `_` after the first.
fn is_decimal(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit) && text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// Base and digits of `0x…`, `0o…`, `0b…`.
fn radix(text: &str) -> Option<(u32, &str)> {
    let (base, digits) = match text.get(..2)? {
        "0x" => (16, &text[2..]),
        "0o" => (8, &text[2..]),
        "0b" => (2, &text[2..]),
        _ => return None,
    };
    let fine = digits.chars().all(|c| c == '_' || c.is_digit(base)) && digits.chars().any(|c| c != '_');
    fine.then_some((base, digits))
}

/// Digits with a `.` and/or an exponent; `_` after the first digit.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let exponent_fine = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit())
    });
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    exponent_fine
        && (fraction.is_some() || exponent.is_some())
        && digits(whole)
        && !whole.starts_with('_')
        && fraction.is_none_or(digits)
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && !(whole.is_empty() && fraction.is_some_and(|f| f.starts_with('_')))
}

/// `YYYY-MM-DD`, or that with a time in full ISO form.
fn is_date(text: &str) -> bool {
    let b = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| b.get(range).is_some_and(|s| s.iter().all(u8::is_ascii_digit));
    let day = digits(0..4) && b.get(4) == Some(&b'-') && digits(5..7) && b.get(7) == Some(&b'-') && digits(8..10);
    if !day || b.len() == 10 {
        return day;
    }
    let Some(rest) = text.get(10..) else { return false };
    let time = match rest.strip_prefix(['T', 't']) {
        Some(time) => time,
        None if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        None => return false,
    };
    is_time(time)
}

/// `hh:mm:ss`, fraction and zone optional.
fn is_time(text: &str) -> bool {
    let b = text.as_bytes();
    let pair = |s: Option<&[u8]>| s.is_some_and(|s| s.iter().all(u8::is_ascii_digit));
    let hour = if b.get(1) == Some(&b':') { 1 } else { 2 };
    let clock = pair(b.get(..hour))
        && b.get(hour) == Some(&b':')
        && pair(b.get(hour + 1..hour + 3))
        && b.get(hour + 3) == Some(&b':')
        && pair(b.get(hour + 4..hour + 6));
    let Some(mut rest) = text.get(hour + 6..).filter(|_| clock) else { return false };
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    let Some(offset) = zone.strip_prefix(['+', '-']) else { return matches!(zone, "" | "Z" | "z") };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    let number = |s: &str, least: usize| (least..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    number(hours, 1) && number(minutes, 2)
}

/// The decimal digits of an integer as written, sign first; `None` when it is too long to convert.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = match radix(unsigned) {
        Some((_, digits)) if digits.len() > MOST_DIGITS => return None,
        Some((base, digits)) => from_base(base, digits),
        None => unsigned.replace('_', ""),
    };
    let digits = digits.trim_start_matches('0');
    Some(match (digits, negative) {
        ("", _) => "0".to_owned(),
        (digits, true) => format!("-{digits}"),
        (digits, false) => digits.to_owned(),
    })
}

/// Long multiplication in limbs of nine decimal digits.
fn from_base(base: u32, digits: &str) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    for digit in digits.chars().filter_map(|c| c.to_digit(base)) {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let value = *limb * u64::from(base) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    limbs.iter().rev().map(|limb| format!("{limb:09}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_as_the_table_says() {
        let floats = [("1.", 1.0), (".5", 0.5), ("4e2", 400.0), ("1_0.5", 10.5), ("-2.5E-3", -0.0025), ("+.5e1", 5.0)];
        for (text, value) in floats {
            assert_eq!(resolve(text), Plain::Float(value), "{text}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(text), Plain::Null, "{text}");
        }
        for text in ["2020-01-01", "2020-01-01T12:30:45Z", "2020-01-01 12:30:45.5 +01:00", "2020-01-01t1:30:45-5"] {
            assert_eq!(resolve(text), Plain::Date, "{text}");
        }
        let texts = [
            "yes",
            "No",
            "on",
            "OFF",
            "y",
            "n",
            "12:30:45",
            "2020-1-1",
            "1,000",
            "_1",
            "=",
            "-",
            ".",
            "+",
            "1e",
            "0x",
            "0xg",
            "nUll",
            "tRue",
            "._5",
            "1.2.3",
            "2020-01-01T",
            "2020-01-01x",
            "0o8",
            "e5",
            "inf",
            "nan",
            "-_1",
        ];
        for text in texts {
            assert_eq!(resolve(text), Plain::Text, "{text}");
        }
        assert_eq!(resolve("-.INF"), Plain::Float(f64::NEG_INFINITY));
        assert!(matches!(resolve("+.nan"), Plain::Float(f) if f.is_nan()));
    }

    #[test]
    fn integers_of_any_size() {
        let cases = [
            ("007", "7"),
            ("2_500", "2500"),
            ("-0", "0"),
            ("+12", "12"),
            ("0o17", "15"),
            ("0xFF", "255"),
            ("0b101", "5"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0xffffffffffffffffffff", "1208925819614629174706175"),
            ("-0x1_0", "-16"),
        ];
        for (text, digits) in cases {
            assert_eq!(resolve(text), Plain::Int, "{text}");
            assert_eq!(decimal(text).as_deref(), Some(digits), "{text}");
        }
        assert_eq!(decimal(&format!("0x{}", "f".repeat(4301))), None);
    }
}
