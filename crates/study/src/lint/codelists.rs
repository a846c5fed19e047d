//! SD917: codes whose shape their system does not have, damage by spreadsheets, lists that repeat themselves.
//! Spec study-definitions.md 6.

use std::collections::HashMap;

use crate::model::System;
use crate::recording::{Codelist, CodelistItems, Value};

/// A code that stands this often is a mistake of the list.
const REPEATS: usize = 500;

/// Codes that are looked at for repeats.
const MOST: usize = 1_000_000;

/// What is odd about a list, in words.
pub(crate) fn codelist(list: &Codelist, system: System) -> Option<String> {
    let codes: Vec<&str> = match &list.items {
        CodelistItems::Plain(codes) => codes.iter().filter_map(text).collect(),
        CodelistItems::Categorised(pairs) => pairs.iter().filter_map(|(code, _)| text(code)).collect(),
    };
    let odd: Vec<&str> = codes.iter().copied().filter(|code| !fits(code, system)).collect();
    if let Some(first) = odd.first() {
        let damage = if is_damaged(first) { ", as spreadsheets write long numbers" } else { "" };
        let shown: String = first.chars().take(40).collect();
        let more = if odd.len() > 1 { format!(" and {} more", odd.len() - 1) } else { String::new() };
        return Some(format!("{shown:?}{more} does not look like a code of {}{damage}", system.name()));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for code in codes.into_iter().take(MOST) {
        let times = seen.entry(code).or_default();
        *times += 1;
        if *times >= REPEATS {
            return Some(format!("{code:?} stands in the list at least {REPEATS} times"));
        }
    }
    None
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Str(text) => Some(text.trim()),
        _ => None,
    }
}

fn fits(code: &str, system: System) -> bool {
    let letters = |code: &str| code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    match system {
        System::Snomed => (6..=18).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()),
        System::Ctv3 => code.chars().count() == 5,
        System::Icd10 => {
            (1..=7).contains(&code.len()) && letters(code) && code.starts_with(|c: char| c.is_ascii_alphabetic())
        }
        System::Opcs4 => {
            (1..=6).contains(&code.len()) && letters(code) && code.starts_with(|c: char| c.is_ascii_alphabetic())
        }
    }
}

fn is_damaged(code: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let exponent = |text: &str| text.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit());
    code.split_once(['E', 'e']).is_some_and(|(number, power)| digits(number) && exponent(power))
        || code.strip_suffix(".0").is_some_and(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (code, system) in [
            ("123456789012345678", System::Snomed),
            ("XaJ4P", System::Ctv3),
            ("C10..", System::Ctv3),
            ("I21", System::Icd10),
            ("I219", System::Icd10),
            ("K40.1", System::Opcs4),
        ] {
            assert!(fits(code, system), "{code}");
        }
        for (code, system) in [
            ("12345", System::Snomed),
            ("1.23E+15", System::Snomed),
            ("C10", System::Ctv3),
            ("XaJ4P0", System::Ctv3),
            ("21", System::Icd10),
        ] {
            assert!(!fits(code, system), "{code}");
        }
        assert!(is_damaged("1.23E+15") && is_damaged("1234567.0") && !is_damaged("E11"));
    }
}
