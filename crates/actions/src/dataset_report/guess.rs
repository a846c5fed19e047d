//! The type that a column of a csv file would have to a Python reader, from all its fields, and how often 0 and 1 stand there.
//! Fields are looked at once and forgotten (actions.md 3.3, 5.2).

use super::kind::Kind;

/// Fields that stand for nothing.
const MISSING: [&[u8]; 17] = [
    b"#N/A",
    b"#N/A N/A",
    b"#NA",
    b"-1.#IND",
    b"-1.#QNAN",
    b"-NaN",
    b"-nan",
    b"1.#IND",
    b"1.#QNAN",
    b"<NA>",
    b"N/A",
    b"NA",
    b"NULL",
    b"NaN",
    b"n/a",
    b"nan",
    b"null",
];

/// Longer fields are no missing words and no truth values.
const LONGEST_WORD: usize = 8;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Missing,
    Bool(bool),
    Whole(Whole),
    /// A number with a point or an exponent, or without end.
    Decimal,
    Text,
}

/// How a whole number fits integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Zero,
    One,
    /// Another that 64 bits with a sign hold.
    Positive,
    Negative,
    /// Only 64 bits without a sign hold it.
    Large,
    /// None of these.
    Huge,
}

impl Sort {
    pub(super) fn of(field: &[u8]) -> Self {
        if field.is_empty() {
            return Self::Missing;
        }
        if let Some(number) = number(trimmed(field)) {
            return number;
        }
        if field.len() > LONGEST_WORD {
            return if is_endless(trimmed(field)) { Self::Decimal } else { Self::Text };
        }
        match field {
            b"True" | b"TRUE" | b"true" => Self::Bool(true),
            b"False" | b"FALSE" | b"false" => Self::Bool(false),
            field if MISSING.contains(&field) => Self::Missing,
            field if is_endless(trimmed(field)) => Self::Decimal,
            _ => Self::Text,
        }
    }
}

fn trimmed(field: &[u8]) -> &[u8] {
    // Nearly all fields begin and end with what is no blank.
    if let ([first, ..], [.., last]) = (field, field)
        && *first > b' '
        && *last > b' '
    {
        return field;
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let from = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let to = field.iter().rposition(|byte| !blank(byte)).map_or(from, |last| last + 1);
    field.get(from..to).unwrap_or_default()
}

fn unsigned(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn is_endless(text: &[u8]) -> bool {
    let (_, text) = unsigned(text);
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

fn number(text: &[u8]) -> Option<Sort> {
    let (negative, text) = unsigned(text);
    let (whole, rest) = digits(text);
    if rest.is_empty() {
        return (!whole.is_empty()).then(|| Sort::Whole(fit(negative, whole)));
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => digits(rest),
        _ => (&[] as &[u8], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    match rest {
        [] => Some(Sort::Decimal),
        [b'e' | b'E', power @ ..] => {
            let (power, rest) = digits(unsigned(power).1);
            (!power.is_empty() && rest.is_empty()).then_some(Sort::Decimal)
        }
        _ => None,
    }
}

fn fit(negative: bool, digits: &[u8]) -> Whole {
    let significant = digits.get(digits.iter().take_while(|byte| **byte == b'0').count()..).unwrap_or_default();
    match significant {
        [] => return Whole::Zero,
        b"1" if !negative => return Whole::One,
        _ => {}
    }
    match significant.len() {
        ..=18 => return if negative { Whole::Negative } else { Whole::Positive },
        19 | 20 => {}
        _ => return Whole::Huge,
    }
    // Twenty digits fit.
    let value = significant.iter().fold(0_u128, |value, digit| value * 10 + u128::from(digit - b'0'));
    match negative {
        true if value <= 1 << 63 => Whole::Negative,
        true => Whole::Huge,
        false if value < 1 << 63 => Whole::Positive,
        false if value <= u128::from(u64::MAX) => Whole::Large,
        false => Whole::Huge,
    }
}

/// What has been seen of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Guess {
    missing: u64,
    zeros: u64,
    ones: u64,
    trues: u64,
    falses: u64,
    /// Whole numbers besides 0 and 1 written in any way.
    whole: bool,
    negative: bool,
    large: bool,
    huge: bool,
    decimal: bool,
    /// A number that is neither 0 nor 1.
    other: bool,
    text: bool,
}

/// How often each value stands in a column of truth values, or of 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) missing: u64,
    /// `False`, `0` or `0.0`.
    pub(super) no: u64,
    /// `True`, `1` or `1.0`.
    pub(super) yes: u64,
}

impl Guess {
    pub(super) fn see(&mut self, field: &[u8]) {
        match field {
            // Most fields by far.
            [] => self.missing += 1,
            b"0" => self.zeros += 1,
            b"1" => self.ones += 1,
            // Nothing makes it another type again.
            _ if self.text => {}
            _ => self.look(field),
        }
    }

    fn look(&mut self, field: &[u8]) {
        match Sort::of(field) {
            Sort::Missing => self.missing += 1,
            Sort::Bool(true) => self.trues += 1,
            Sort::Bool(false) => self.falses += 1,
            Sort::Whole(Whole::Zero) => self.zeros += 1,
            Sort::Whole(Whole::One) => self.ones += 1,
            Sort::Whole(fit) => {
                (self.whole, self.other) = (true, true);
                match fit {
                    Whole::Negative => self.negative = true,
                    Whole::Large => self.large = true,
                    Whole::Huge => self.huge = true,
                    Whole::Zero | Whole::One | Whole::Positive => {}
                }
            }
            Sort::Decimal => {
                self.decimal = true;
                if !self.other {
                    match value(field) {
                        Some(0.0) => self.zeros += 1,
                        Some(1.0) => self.ones += 1,
                        _ => self.other = true,
                    }
                }
            }
            Sort::Text => self.text = true,
        }
    }

    /// Whether every field is missing.
    pub(super) fn is_empty(&self, rows: u64) -> bool {
        self.missing == rows
    }

    /// The type; `rows` is how many fields were seen.
    pub(super) fn kind(&self, rows: u64) -> Kind {
        let numbers = self.zeros + self.ones > 0 || self.whole || self.decimal;
        let bools = self.trues + self.falses > 0;
        if rows == 0 || self.text || (bools && (numbers || self.missing > 0)) {
            Kind::Object
        } else if bools {
            Kind::Bool
        } else if self.decimal || self.missing > 0 || self.huge || (self.large && self.negative) {
            Kind::Float(64)
        } else if self.large {
            Kind::UInt(64)
        } else {
            Kind::Int(64)
        }
    }

    /// The counts of a column of truth values, or of numbers that are all 0 or 1.
    pub(super) fn pair(&self, rows: u64) -> Option<Pair> {
        match self.kind(rows) {
            Kind::Bool => Some(Pair { missing: 0, no: self.falses, yes: self.trues }),
            Kind::Int(_) | Kind::Float(_) if !self.other => {
                Some(Pair { missing: self.missing, no: self.zeros, yes: self.ones })
            }
            _ => None,
        }
    }
}

impl Guess {
    /// The counts of a column of truth values of which some are missing.
    pub(super) fn nullable_pair(&self) -> Option<Pair> {
        let other = self.text || self.zeros + self.ones > 0 || self.whole || self.decimal;
        let pair = Pair { missing: self.missing, no: self.falses, yes: self.trues };
        (!other && self.falses + self.trues > 0).then_some(pair)
    }
}

/// The value of a field that is a number.
pub(super) fn value(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(trimmed(field)).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(fields: &[&str]) -> (String, Option<(u64, u64, u64)>) {
        let mut guess = Guess::default();
        for field in fields {
            guess.see(field.as_bytes());
        }
        let rows = fields.len() as u64;
        (guess.kind(rows).to_string(), guess.pair(rows).map(|pair| (pair.missing, pair.no, pair.yes)))
    }

    /// By the words of actions.md 3.3.
    #[test]
    fn types_follow_the_rule() {
        type Row = (&'static [&'static str], &'static str, Option<(u64, u64, u64)>);
        let rows: &[Row] = &[
            (&[], "object", None),
            (&["1", "0", "1"], "int64", Some((0, 1, 2))),
            (&["1", "", "0"], "float64", Some((1, 1, 1))),
            (&["", ""], "float64", Some((2, 0, 0))),
            (&["NA", "null", "", "-1.#QNAN", "#N/A N/A"], "float64", Some((5, 0, 0))),
            (&["+1", " 0 ", "-0", "001"], "int64", Some((0, 2, 2))),
            (&["1.0", "0.000", "1e0", "0"], "float64", Some((0, 2, 2))),
            (&["1.0", "0.5"], "float64", None),
            (&["2", "1"], "int64", None),
            (&["-1", "1"], "int64", None),
            (&["9223372036854775807", "-9223372036854775808"], "int64", None),
            (&["9223372036854775808", "1"], "uint64", None),
            (&["18446744073709551615", "0"], "uint64", None),
            (&["18446744073709551616"], "float64", None),
            (&["9223372036854775808", "-1"], "float64", None),
            (&["9223372036854775808", ""], "float64", None),
            (&["-9223372036854775809"], "float64", None),
            (&["000000000000000000000000000001"], "int64", Some((0, 0, 1))),
            (&["True", "FALSE", "true"], "bool", Some((0, 1, 2))),
            (&["True", ""], "object", None),
            (&["True", "1"], "object", None),
            (&["True", "yes"], "object", None),
            (&["tRUE"], "object", None),
            (&["inf", "-Infinity", "+inf"], "float64", None),
            (&["info"], "object", None),
            (&["1.", ".5", "5e-3", "-1E+10"], "float64", None),
            (&[".", "1"], "object", None),
            (&["1e", "1"], "object", None),
            (&["1 2"], "object", None),
            (&["0x10"], "object", None),
            (&["1,5"], "object", None),
            (&["2020-01-01", ""], "object", None),
            (&[" "], "object", None),
            (&[" NA"], "object", None),
            (&["na"], "object", None),
            (&["0042", "7"], "int64", None),
            (&["+"], "object", None),
            (&["--1"], "object", None),
        ];
        for (fields, kind, pair) in rows {
            assert_eq!(guess(fields), ((*kind).to_owned(), *pair), "{fields:?}");
            let mut turned = fields.to_vec();
            turned.reverse();
            assert_eq!(guess(&turned), guess(fields), "the order must not matter: {fields:?}");
        }
    }

    #[test]
    fn long_numbers_take_no_time() {
        let long = "9".repeat(1 << 20);
        assert_eq!(guess(&[&long]).0, "float64");
        let zeros = "0".repeat(1 << 20);
        assert_eq!(guess(&[&zeros]), ("int64".to_owned(), Some((0, 1, 0))));
    }
}
