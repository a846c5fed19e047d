//! Which forms a cell may have in a column of a kind: the table of study-definitions.md 9.3.
//! Null, empty, 0 and False pass everywhere but in patient_id.

use super::cell::Cell;
use crate::text::civil;
use crate::{DatePrecision, Format, Kind};

/// What pandas takes for a missing value in text.
const MISSING: &[&str] = &[
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "n/a", "nan", "null",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// A warning where whole numbers stand.
    Fraction,
    Patient(i64),
    Bad,
}

/// What should stand in a column, in words.
pub(super) const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "0 or 1, or True or False",
        Kind::Int | Kind::IntCategory { .. } => "a whole number",
        Kind::Float => "a number",
        Kind::Str => "a text",
        Kind::Date(DatePrecision::Year) => "a year (YYYY; 1 January of it in binary files)",
        Kind::Date(DatePrecision::Month) => "a month (YYYY-MM; the first day of it in binary files)",
        Kind::Date(DatePrecision::Day) => "a date (YYYY-MM-DD)",
    }
}

fn fine(condition: bool) -> Verdict {
    if condition { Verdict::Fine } else { Verdict::Bad }
}

pub(super) fn patient(cell: &Cell<'_>, format: Format) -> Verdict {
    let id = match cell {
        Cell::Whole(id) => i64::try_from(*id).ok(),
        Cell::Text(text) if is_csv(format) => text.trim().parse().ok(),
        Cell::Float(id) if is_stata(format) && id.fract() == 0.0 && id.abs() < 9.0e15 => Some(*id as i64),
        _ => None,
    };
    id.map_or(Verdict::Bad, Verdict::Patient)
}

pub(super) fn of(kind: Kind, cell: &Cell<'_>, format: Format) -> Verdict {
    match cell {
        Cell::Null | Cell::Bool(false) | Cell::Whole(0) => Verdict::Fine,
        Cell::Float(value) if *value == 0.0 || value.is_nan() => Verdict::Fine,
        Cell::Text(text) if is_csv(format) => of_text(kind, text),
        Cell::Text(text) if text.is_empty() => Verdict::Fine,
        cell => fine(of_typed(kind, cell, format)),
    }
}

const fn is_csv(format: Format) -> bool {
    matches!(format, Format::Csv | Format::CsvGz)
}

const fn is_stata(format: Format) -> bool {
    matches!(format, Format::Dta | Format::DtaGz)
}

fn of_typed(kind: Kind, cell: &Cell<'_>, format: Format) -> bool {
    // Stata has no whole numbers beyond 32 bits: they are doubles there.
    let whole = |cell: &Cell<'_>| match cell {
        Cell::Whole(_) => true,
        Cell::Float(value) => is_stata(format) && value.fract() == 0.0,
        _ => false,
    };
    match (kind, cell) {
        (Kind::Bool, Cell::Bool(_) | Cell::Whole(1)) => true,
        (Kind::Bool, Cell::Float(value)) => *value == 1.0,
        (Kind::IntCategory { .. }, Cell::Text(label)) => label.parse::<i64>().is_ok(),
        (Kind::Int | Kind::IntCategory { .. }, cell) => whole(cell),
        (Kind::Float, Cell::Float(_)) | (Kind::Str, Cell::Text(_)) => true,
        (Kind::Date(precision), Cell::Day(days)) => {
            i32::try_from(*days).is_ok_and(|days| match (precision, civil(days)) {
                (DatePrecision::Day, _) => true,
                (DatePrecision::Month, (_, _, day)) => day == 1,
                (DatePrecision::Year, (_, month, day)) => month == 1 && day == 1,
            })
        }
        _ => false,
    }
}

fn of_text(kind: Kind, text: &str) -> Verdict {
    let number: Option<f64> = text.trim().parse().ok();
    if MISSING.contains(&text) || number == Some(0.0) || is_word(text, "false") || kind == Kind::Str {
        return Verdict::Fine;
    }
    match (kind, number) {
        (Kind::Bool, number) => fine(number == Some(1.0) || is_word(text, "true")),
        (Kind::Int | Kind::IntCategory { .. }, Some(number)) if number.is_finite() => {
            if number.fract() == 0.0 {
                Verdict::Fine
            } else {
                Verdict::Fraction
            }
        }
        (Kind::Float, Some(_)) => Verdict::Fine,
        (Kind::Date(precision), _) => fine(is_date(text, precision)),
        _ => Verdict::Bad,
    }
}

/// As Python writes it, in small or in capital letters.
fn is_word(text: &str, word: &str) -> bool {
    text == word || text == word.to_uppercase() || (text.eq_ignore_ascii_case(word) && text.get(1..) == word.get(1..))
}

fn is_date(text: &str, precision: DatePrecision) -> bool {
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| -> Option<u32> {
        (lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
    };
    let parts: Vec<&str> = text.split('-').collect();
    match (precision, &parts[..]) {
        (DatePrecision::Year, [year]) => digits(year.strip_suffix(".0").unwrap_or(year), 4..=4).is_some(),
        (DatePrecision::Month, [year, month]) => {
            digits(year, 4..=4).is_some() && digits(month, 1..=2).is_some_and(|month| (1..=12).contains(&month))
        }
        (DatePrecision::Day, [year, month, day]) => {
            let (Some(year), Some(month), Some(day)) = (digits(year, 4..=4), digits(month, 1..=2), digits(day, 1..=2))
            else {
                return false;
            };
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            (1..=length).contains(&day)
        }
        _ => false,
    }
}
