//! Whether a code can be an identifier of SNOMED CT: 6 to 18 digits of which the last one checks the others (actions.md 8).
//! The check is Verhoeff's: it finds every single wrong digit and every pair of neighbours that changed places.

/// What adding a digit to a sum does: the group of the symmetries of a pentagon.
const SUM: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// What a digit counts as one place further to the left.
const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

pub(crate) fn is_identifier(code: &str) -> bool {
    (6..=18).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()) && sum(code) == Some(0)
}

/// 0 if the last digit is the one that the others ask for.
fn sum(digits: &str) -> Option<u8> {
    digits.bytes().rev().enumerate().try_fold(0_u8, |sum, (place, byte)| {
        let mut digit = byte.checked_sub(b'0')?;
        for _ in 0..place % 8 {
            digit = *STEP.get(usize::from(digit))?;
        }
        SUM.get(usize::from(sum))?.get(usize::from(digit)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published identifiers: 22298006 is myocardial infarction, 195967001 asthma, 73211009 diabetes mellitus,
    /// 138875005 the root, 900000000000207008 the core module; 236 with check digit 3 is Verhoeff's usual example.
    #[test]
    fn published_identifiers_pass() {
        for code in ["22298006", "195967001", "73211009", "138875005", "900000000000207008", "1263005"] {
            assert!(is_identifier(code), "{code}");
        }
        assert_eq!(sum("2363"), Some(0));
    }

    #[test]
    fn one_wrong_digit_or_two_that_changed_places_are_found() {
        let code = b"195967001";
        for at in 0..code.len() {
            for digit in b'0'..=b'9' {
                let mut other = code.to_vec();
                other[at] = digit;
                let other = String::from_utf8(other).unwrap();
                assert_eq!(is_identifier(&other), other.as_bytes() == code, "{other}");
            }
        }
        assert!(!is_identifier("195976001"));
    }

    #[test]
    fn other_shapes_fail() {
        for code in
            ["", "2363", "12345", "22298006.0", "1.23E+15", "XaJ4P", "2229 8006", "9000000000002070080", "٢٢٢٩٨"]
        {
            assert!(!is_identifier(code), "{code}");
        }
    }
}
