//! Fields as bytes, and faults with their lines.

use std::io::{Cursor, Write as _};

use arrow_array::cast::AsArray as _;
use proptest::prelude::*;

use crate::Format;
use crate::read::{Limits, Notes, Place, ReadError, Reader};

type Read = (Vec<String>, Vec<Vec<String>>, Notes);

fn read_as(format: Format, bytes: &[u8], limits: Limits, keep: Option<&[usize]>) -> Result<Read, ReadError> {
    let mut reader = Reader::open(format, Cursor::new(bytes.to_vec()), limits)?;
    let names = reader.columns().iter().map(|column| column.name().into_owned()).collect();
    if let Some(keep) = keep {
        reader.keep(keep);
    }
    let mut rows = Vec::new();
    for batch in &mut reader {
        let batch = batch?;
        assert_eq!(batch.before, rows.len() as u64);
        for row in 0..batch.len {
            let cell = |array: &arrow_array::ArrayRef| {
                String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned()
            };
            rows.push(batch.columns.iter().map(cell).collect());
        }
    }
    Ok((names, rows, reader.notes()))
}

fn read(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (names, rows, notes) = read_as(Format::Csv, text.as_bytes(), Limits::default(), None).unwrap();
    assert_eq!(notes, Notes::default());
    (names, rows)
}

fn fault(bytes: &[u8]) -> ReadError {
    read_as(Format::Csv, bytes, Limits::default(), None).unwrap_err()
}

#[test]
fn fields_are_their_text() {
    for (text, header, rows) in [
        ("id,code,region\n9,0042,NA\n", vec!["id", "code", "region"], vec![vec!["9", "0042", "NA"]]),
        ("a,a,\n1,2,3", vec!["a", "a", ""], vec![vec!["1", "2", "3"]]),
        ("\u{feff}a,b\r\n1,\r\n\r\n ,x\r\n", vec!["a", "b"], vec![vec!["1", ""], vec![" ", "x"]]),
        ("a\n\n\n1\n\"\"\n2", vec!["a"], vec![vec!["1"], vec![""], vec!["2"]]),
        ("\"a,\"\"b\"\"\"\n\"1\n\r\n2\"\n", vec!["a,\"b\""], vec![vec!["1\n\r\n2"]]),
        ("a,b\nx\"y,\"z\"w\n", vec!["a", "b"], vec![vec!["x\"y", "zw"]]),
        ("a,b\nx\"\"y,\"\"\"\"\n", vec!["a", "b"], vec![vec!["x\"\"y", "\""]]),
        ("a\n", vec!["a"], vec![]),
        ("a,b\n1\r,2\n", vec!["a", "b"], vec![vec!["1\r", "2"]]),
    ] {
        assert_eq!(
            read(text),
            (
                header.iter().map(ToString::to_string).collect(),
                rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
            ),
            "{text:?}"
        );
    }
}

#[test]
fn faults_name_their_line() {
    for (bytes, line) in [
        (&b""[..], 1),
        (b"\n\n", 1),
        (b"a,b\n1,2\n1,2,3\n", 3),
        (b"a,b\n\"x\ny\",2\n1,2,3\n", 4),
        (b"a,b\n1,2\n1,\"2\n3\n", 3),
        (b"a\n1\n\x00\n", 3),
    ] {
        assert!(
            matches!(fault(bytes), ReadError::Malformed { place: Place::Line(found), .. } if found == line),
            "{:?}",
            fault(bytes)
        );
    }
}

#[test]
fn odd_things_are_noted() {
    let (_, rows, notes) = read_as(Format::CsvGz, b"a,b\n1\n\xff,2\n", Limits::default(), None).unwrap();
    assert_eq!(rows, [["1", ""], ["\u{fffd}", "2"]]);
    assert_eq!(notes, Notes { plain_under_gz: true, short_records: 1, not_utf8: true });
}

#[test]
fn columns_may_be_left_out_and_repeated() {
    let text = b"a,b,c\n1,2,3\n4,\"5\",6\n";
    let (names, rows, _) = read_as(Format::Csv, text, Limits::default(), Some(&[2, 0, 2, 7])).unwrap();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(rows, [["3", "1", "3"], ["6", "4", "6"]]);
}

#[test]
fn memory_is_bounded() {
    let limits = Limits { record: 1 << 16, columns: 10, ..Limits::default() };
    let mut endless = b"a\n\"".to_vec();
    endless.resize(4 << 20, b'x');
    let fault = read_as(Format::Csv, &endless, limits, None).unwrap_err();
    assert!(matches!(fault, ReadError::TooLarge { what: "a record", place: Place::Line(2), .. }), "{fault:?}");
    let fault = read_as(Format::Csv, &[b','; 20], limits, None).unwrap_err();
    assert!(matches!(fault, ReadError::TooLarge { what: "the number of columns", .. }), "{fault:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_unpacked_and_its_faults_are_told() {
    let mut text = b"a\n".to_vec();
    for n in 0..50_000 {
        text.extend(format!("{n}\n").into_bytes());
    }
    let packed = gzip(&text);
    let (_, rows, _) = read_as(Format::CsvGz, &packed, Limits::default(), None).unwrap();
    assert_eq!(rows.len(), 50_000);
    assert_eq!(rows[49_999], ["49999"]);
    // Two members, as `cat` makes them.
    let two = [packed.clone(), gzip(b"x\n")].concat();
    assert_eq!(read_as(Format::CsvGz, &two, Limits::default(), None).unwrap().1.len(), 50_001);
    let cut = &packed[..packed.len() / 2];
    let fault = read_as(Format::CsvGz, cut, Limits::default(), None).unwrap_err();
    assert!(matches!(fault, ReadError::Truncated { place: Place::Line(_) }), "{fault:?}");
    let mut broken = packed.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 40].fill(0xff);
    let fault = read_as(Format::CsvGz, &broken, Limits::default(), None).unwrap_err();
    assert!(matches!(fault, ReadError::Malformed { format: "gzip", .. }), "{fault:?}");
    let limits = Limits { unpacked_free: 1 << 20, unpacked_ratio: 10, ..Limits::default() };
    let fault = read_as(Format::CsvGz, &gzip(&vec![b'\n'; 8 << 20]), limits, None).unwrap_err();
    assert!(matches!(fault, ReadError::UnpacksTooFar), "{fault:?}");
}

#[test]
fn a_packed_file_under_a_plain_name_is_told() {
    assert!(matches!(fault(&gzip(b"a\n1\n")), ReadError::Malformed { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a,\"\n\r é]{0,5}", 3), 0..30)) {
        let mut text = b"x,y,z\n".to_vec();
        for row in &rows {
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                crate::text::push_cell(&mut text, cell.as_bytes());
            }
            text.push(b'\n');
        }
        let (_, read, _) = read_as(Format::Csv, &text, Limits::default(), None).unwrap();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r\0\xff".to_vec()), 0..200)) {
        let _ = read_as(Format::Csv, &bytes, Limits { record: 50, ..Limits::default() }, None);
    }

    #[test]
    fn no_gzip_makes_it_panic(at in 0usize..200, with: u8) {
        let mut packed = gzip("a,b\n1,2\n".repeat(30).as_bytes());
        let length = packed.len();
        packed[at % length] = with;
        let _ = read_as(Format::CsvGz, &packed, Limits::default(), None);
    }
}
