//! Text for people: what may be shown on a terminal, and numbers that give nothing away.
//! Names and lines of a study are hostile until cleaned (cli.md 2, actions.md 1 and 3.6).

use std::io::Write;

/// Characters that steer a terminal or hide what a text says: controls, and marks that turn the writing direction.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// The text with every hostile character written as an escape; line ends stay.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_hostile(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A count as a log may show it (actions.md 3.6).
pub(crate) fn about(count: u64) -> String {
    match count {
        0 => "0".to_owned(),
        1..8 => "fewer than 8".to_owned(),
        8..100 => format!("about {}", (count + 2) / 5 * 5),
        _ => {
            let step = 10_u64.pow(count.ilog10() - 1);
            let rounded = (count / step).saturating_add(u64::from(count % step >= step.div_ceil(2))) * step;
            format!("about {}", grouped(rounded))
        }
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number as Python writes it: the shortest decimal that reads back the same (actions.md 3.5); nothing for NaN.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return String::new();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        let text = format!("{number}");
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) => match power.strip_prefix('-') {
            Some(power) => format!("{digits}e-{power:0>2}"),
            None => format!("{digits}e+{power:0>2}"),
        },
        None => text,
    }
}

/// Says a warning on stderr. A stderr that cannot be written to is no reason to fail.
pub(crate) fn warn(stderr: &mut dyn Write, message: &str) {
    let _ = writeln!(stderr, "warning: {}", clean(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_numbers_follow_the_rule() {
        let cases = [
            (0, "0"),
            (1, "fewer than 8"),
            (7, "fewer than 8"),
            (8, "about 10"),
            (12, "about 10"),
            (13, "about 15"),
            (97, "about 95"),
            (99, "about 100"),
            (100, "about 100"),
            (104, "about 100"),
            (105, "about 110"),
            (4_321, "about 4,300"),
            (995, "about 1,000"),
            (1_234_567, "about 1,200,000"),
            (u64::MAX, "about 18,000,000,000,000,000,000"),
        ];
        for (count, expected) in cases {
            assert_eq!(about(count), expected, "{count}");
        }
    }

    /// Made with Python's repr.
    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases = [
            (12.0, "12.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (1.0 / 3.0, "0.3333333333333333"),
            (123_456_789.125, "123456789.125"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, ""),
        ];
        for (number, expected) in cases {
            assert_eq!(float(number), expected);
        }
    }

    #[test]
    fn control_sequences_do_not_reach_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\r\nc\u{202e}d"), "a\\u{1b}[31mb\\r\nc\\u{202e}d");
    }
}
