//! Every `cases/*.csv` against its `.expected`, and properties against a naive reader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::fs;
use std::path::Path;

use disclosure::{CsvFacts, Limits, MAX_RECORD, Reason, Scan, Unreadable, check, scan};
use proptest::prelude::*;

#[test]
fn cases() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut seen = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "csv") {
            continue;
        }
        seen += 1;
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let got = match scan(fs::File::open(&path).unwrap()).unwrap() {
            Scan::Read(f) => format!("rows: {}\ncolumns: {}\npatient_id: {}\n", f.rows, f.columns, f.patient_id),
            Scan::Unreadable { why, patient_id } => format!("unreadable: {why:?}\npatient_id: {patient_id}\n"),
        };
        assert_eq!(got, expected, "{}", path.display());
    }
    assert!(seen >= 15, "only {seen} cases were found");
}

#[test]
fn a_record_of_exactly_one_mebibyte_is_read() {
    let limits = Limits { max_filesize: u64::MAX, max_csv_rows: 10 };
    for (length, fine) in [(MAX_RECORD, true), (MAX_RECORD + 1, false)] {
        let mut bytes = b"a\n".to_vec();
        bytes.resize(2 + length, b'x');
        for end in ["", "\n", "\r\n"] {
            let bytes = [&bytes, end.as_bytes()].concat();
            let checked = check("a.csv", 0, || Ok(&bytes[..]), &limits).unwrap();
            let expected = if fine { vec![] } else { vec![Reason::Unreadable(Unreadable::LongRecord)] };
            assert_eq!(checked.excluded, expected);
            assert_eq!(checked.row_count, fine.then_some(1));
        }
    }
}

#[test]
fn an_endless_line_ends_soon() {
    let scanned = scan(std::io::repeat(b'x')).unwrap();
    assert_eq!(scanned, Scan::Unreadable { why: Unreadable::LongRecord, patient_id: false });
    let quoted = std::io::Read::chain(&b"a\n\""[..], std::io::repeat(b'\n'));
    assert_eq!(scan(quoted).unwrap(), Scan::Unreadable { why: Unreadable::LongRecord, patient_id: false });
}

#[test]
fn messages_are_for_researchers() {
    let limits = Limits::default();
    let long: String = "n\n".repeat(5_002);
    for (name, size, bytes) in [
        ("a.csv", 20_000_000, ""),
        ("a.xml", 1, ""),
        ("results", 1, ""),
        ("a.csv", 1, "patient_id\n1\n"),
        ("a.csv", 1, long.as_str()),
        ("a.csv", 1, "a\n\"x"),
        ("a.csv", 1, "a\0"),
    ] {
        let checked = check(name, size, || Ok(bytes.as_bytes()), &limits).unwrap();
        insta::with_settings!({description => format!("{name}, {size} bytes")}, {
            insta::assert_snapshot!(checked.message().unwrap());
        });
    }
}

/// Splits a whole text into records the slow way.
fn naive(text: &str) -> Option<Vec<Vec<String>>> {
    let chars: Vec<char> = text.chars().collect();
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut any, mut n) = (false, false, 0);
    let mut fresh = true;
    while n < chars.len() {
        let c = chars[n];
        if quoted {
            if c == '"' && chars.get(n + 1) == Some(&'"') {
                cell.push('"');
                n += 1;
            } else if c == '"' {
                quoted = false;
            } else {
                cell.push(c);
            }
        } else if c == '\n' || c == '\r' {
            if any {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            (any, fresh) = (false, true);
            n += 1;
            continue;
        } else if c == ',' {
            record.push(std::mem::take(&mut cell));
            (any, fresh) = (true, true);
            n += 1;
            continue;
        } else if c == '"' && fresh {
            quoted = true;
        } else {
            cell.push(c);
        }
        (any, fresh) = (true, false);
        n += 1;
    }
    if quoted {
        return None;
    }
    if any {
        record.push(cell);
        records.push(record);
    }
    Some(records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agrees_with_a_naive_reader(text in "([ab,\"\r\n]|patient_id){0,24}") {
        let expected = naive(&text);
        match (scan(text.as_bytes()).unwrap(), expected) {
            (Scan::Unreadable { why, .. }, None) => prop_assert_eq!(why, Unreadable::OpenQuote),
            (Scan::Read(facts), Some(records)) => {
                let header = records.first().cloned().unwrap_or_default();
                let names: std::collections::HashSet<_> = header.iter().collect();
                let rows = records.len().saturating_sub(1) as u64;
                let columns = records.get(1).map_or(0, |first| names.len() as u64 + u64::from(first.len() > header.len()));
                let outer = |c: char| c == '"' || c.is_whitespace();
                let patient_id = header.iter().any(|h| h.trim_matches(outer) == "patient_id");
                prop_assert_eq!(facts, CsvFacts { patient_id, rows, columns });
            }
            (got, expected) => prop_assert!(false, "{got:?} {expected:?}"),
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check("a.csv", bytes.len() as u64, || Ok(&bytes[..]), &Limits::default()).unwrap();
    }
}
