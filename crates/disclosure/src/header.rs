//! Whether a header cell names the patient identifier, however it is dressed up.
//! Spec jobs.md 12, row `patient id`.

/// What no aggregate file may have as a column.
const PATIENT_ID: &str = "patient_id";

/// Whether the cell equals `patient_id` after removing byte-order marks, quotes and outer blanks and folding case.
///
/// Whether a file is UTF-8 is known only at its end, so a cell is judged both as UTF-8 and as Windows-1252: either is
/// enough, and a stray byte far below cannot hide the column.
pub(crate) fn is_patient_id(cell: &[u8]) -> bool {
    let windows: String = cell.iter().map(|b| windows_1252(*b)).collect();
    names_it(&windows) || names_it(&String::from_utf8_lossy(cell))
}

fn names_it(text: &str) -> bool {
    let mark = text.replace("ï»¿", "");
    let bare = mark.trim_matches(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{feff}' | '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{200b}')
    });
    bare.chars().flat_map(char::to_lowercase).eq(PATIENT_ID.chars())
}

/// Only the blanks and quotes above 0x7f matter here; other bytes map as Latin-1.
fn windows_1252(byte: u8) -> char {
    match byte {
        0x91 => '\u{2018}',
        0x92 => '\u{2019}',
        0x93 => '\u{201c}',
        0x94 => '\u{201d}',
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dressed_up_names_are_recognised() {
        for cell in [
            &b"patient_id"[..],
            b" patient_id\t",
            b"PATIENT_ID",
            b"\xef\xbb\xbfpatient_id",
            b"\"Patient_Id\"",
            b"'patient_id'",
            b"\xa0patient_id\xa0",
            b"\xef\xbb\xbf \"patient_id \"",
        ] {
            assert!(is_patient_id(cell), "{}", cell.escape_ascii());
        }
        for cell in
            [&b"patient"[..], b"patient_id2", b"patient id", b"patientid", b"", b"my patient_id", b"patient_\xefid"]
        {
            assert!(!is_patient_id(cell), "{}", cell.escape_ascii());
        }
    }
}
