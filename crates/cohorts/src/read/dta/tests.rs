//! Files of old and new releases, worked out by hand or written here, and files that lie.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, TimestampMillisecondType,
};
use arrow_array::{Date32Array, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;

use crate::read::{Limits, Place, ReadError, Reader, Rows};
use crate::write::tests::table;
use crate::{DatePrecision, Format, Kind};

fn open(bytes: &[u8]) -> Result<Reader, ReadError> {
    Reader::open(Format::Dta, Cursor::new(bytes.to_vec()), Limits::default())
}

fn read(bytes: &[u8]) -> Result<Vec<Rows>, ReadError> {
    open(bytes)?.collect()
}

fn fixed(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(width, 0);
    bytes
}

/// A file of release 114: seven columns, two rows, one list of labels.
fn old(big: bool) -> Vec<u8> {
    let n16 = |n: i16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let n32 = |n: i32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let n64 = |n: f64| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut file = vec![114, if big { 1 } else { 2 }, 1, 0];
    file.extend(n16(7));
    file.extend(n32(2));
    file.extend(fixed("", 81));
    file.extend(fixed("", 18));
    file.extend([251, 252, 253, 254, 255, 255, 3]);
    for name in ["b", "i", "day", "f", "d", "at", "s"] {
        file.extend(fixed(name, 33));
    }
    file.extend([0; 16]);
    for format in ["%8.0g", "%8.0g", "%td", "%9.0g", "%10.0g", "%tcDDmonCCYY", "%9s"] {
        file.extend(fixed(format, 49));
    }
    for labels in ["sex", "", "", "", "", "", ""] {
        file.extend(fixed(labels, 33));
    }
    file.extend([0; 7 * 81]);
    // One note of three bytes, and their end.
    file.push(1);
    file.extend(n32(3));
    file.extend(b"abc");
    file.extend([0; 5]);
    // 1, 32740, 1970-01-02, 0.5, 0.1, 1970-01-01 00:00:01, "é" in Latin-1 and "x"
    file.push(1);
    file.extend(n16(32_740));
    file.extend(n32(3_654));
    file.extend(n32(0.5f32.to_bits().cast_signed()));
    file.extend(n64(0.1));
    file.extend(n64(3_653.0 * 86_400_000.0 + 1_000.0));
    file.extend(b"\xe9x\0");
    // Missing in all but the text.
    file.push(101);
    file.extend(n16(32_741));
    file.extend(n32(2_147_483_621));
    file.extend(n32(0x7f00_0000));
    file.extend(n64(f64::from_bits(0x7fe0_0000_0000_0000)));
    file.extend(n64(f64::from_bits(0x7fe0_0100_0000_0000)));
    file.extend(b"abc");
    // Two labels: 1 and 2 are "F" and "M"; the texts take four bytes.
    file.extend(n32(8 + 16 + 4));
    file.extend(fixed("sex", 33));
    file.extend([0; 3]);
    for number in [2, 4, 0, 2, 1, 2] {
        file.extend(n32(number));
    }
    file.extend(b"F\0M\0");
    file
}

#[test]
fn old_releases_are_read_in_both_byte_orders() {
    for big in [false, true] {
        let mut reader = open(&old(big)).unwrap();
        let names: Vec<_> = reader.columns().iter().map(|column| column.name().into_owned()).collect();
        assert_eq!(names, ["b", "i", "day", "f", "d", "at", "s"]);
        let labels = reader.columns()[0].labels.clone().unwrap();
        assert_eq!(labels.iter().map(|(n, text)| (*n, text.as_str())).collect::<Vec<_>>(), [(1, "F"), (2, "M")]);
        assert_eq!(reader.columns()[5].stata_format.as_deref(), Some("%tcDDmonCCYY"));
        let rows = reader.next().unwrap().unwrap();
        assert!(reader.next().is_none());
        let [b, i, day, f, d, at, s] = &rows.columns[..] else { panic!("seven columns") };
        assert_eq!(b.as_primitive::<Int8Type>().iter().collect::<Vec<_>>(), [Some(1), None]);
        assert_eq!(i.as_primitive::<Int16Type>().iter().collect::<Vec<_>>(), [Some(32_740), None]);
        assert_eq!(day.as_primitive::<Date32Type>().iter().collect::<Vec<_>>(), [Some(1), None]);
        assert_eq!(f.as_primitive::<Float32Type>().iter().collect::<Vec<_>>(), [Some(0.5), None]);
        assert_eq!(d.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(0.1), None]);
        assert_eq!(at.as_primitive::<TimestampMillisecondType>().iter().collect::<Vec<_>>(), [Some(1_000), None]);
        assert_eq!(s.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("éx"), Some("abc")]);
    }
}

/// A file of release 118 with everything that is written here.
fn new() -> Vec<u8> {
    let long = "ü".repeat(1_500);
    let source = table(vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("big", Kind::Int, Arc::new(Int64Array::from(vec![1 << 40, 0, -1]))),
        ("f", Kind::Float, Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN), None]))),
        ("day", Kind::Date(DatePrecision::Day), Arc::new(Date32Array::from(vec![Some(18_321), None, Some(-9_999)]))),
        ("s", Kind::Str, Arc::new(StringArray::from(vec![Some("é,\""), None, Some("x")]))),
        ("long", Kind::Str, Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("y")]))),
    ]);
    let mut bytes = Vec::new();
    crate::write(Format::Dta, &source, &mut bytes).unwrap();
    bytes
}

#[test]
fn what_is_written_is_read() {
    let rows = read(&new()).unwrap();
    let [patient, big, f, day, s, long] = &rows[0].columns[..] else { panic!("six columns") };
    assert_eq!(patient.as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    assert_eq!(
        big.as_primitive::<Float64Type>().iter().flatten().collect::<Vec<_>>(),
        [1_099_511_627_776.0, 0.0, -1.0]
    );
    assert_eq!(f.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(0.1), None, Some(0.0)]);
    assert_eq!(day.as_primitive::<Date32Type>().iter().collect::<Vec<_>>(), [Some(18_321), None, Some(-9_999)]);
    assert_eq!(s.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["é,\"", "", "x"]);
    assert_eq!(long.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["ü".repeat(1_500).as_str(), "", "y"]);
}

#[test]
fn columns_may_be_left_out() {
    let mut reader = open(&new()).unwrap();
    reader.keep(&[4, 0]);
    let rows = reader.next().unwrap().unwrap();
    assert_eq!(rows.columns[0].as_string::<i32>().value(2), "x");
    assert_eq!(rows.columns[1].as_primitive::<Int32Type>().value(2), 3);
}

#[test]
fn a_packed_file_is_read() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(&new()).unwrap();
    let packed = encoder.finish().unwrap();
    let reader = Reader::open(Format::DtaGz, Cursor::new(packed.clone()), Limits::default()).unwrap();
    let rows: Vec<Rows> = reader.map(Result::unwrap).collect();
    assert_eq!(rows[0].columns, read(&new()).unwrap()[0].columns);
    let cut = packed[..packed.len() - 100].to_vec();
    let fault = Reader::open(Format::DtaGz, Cursor::new(cut), Limits::default())
        .and_then(Iterator::collect::<Result<Vec<_>, _>>);
    assert!(matches!(fault, Err(ReadError::Truncated { .. })), "{fault:?}");
}

#[test]
fn a_file_cut_anywhere_is_told() {
    let whole = new();
    let data = whole.windows(6).position(|w| w == b"<data>").unwrap();
    for length in (0..data + 40).step_by(7) {
        let fault = read(&whole[..length]).unwrap_err();
        assert!(matches!(fault, ReadError::Truncated { .. } | ReadError::Malformed { .. }), "{length}: {fault:?}");
    }
    let whole = old(false);
    // The second row ends before the labels of 68 bytes.
    assert!(matches!(read(&whole[..whole.len() - 70]).unwrap_err(), ReadError::Truncated { .. }));
    let mut unlabelled = whole.clone();
    let at = unlabelled.windows(4).position(|w| w == b"sex\0").unwrap();
    unlabelled[at] = 0;
    let fault = read(&unlabelled[..whole.len() - 70]).unwrap_err();
    assert!(matches!(fault, ReadError::Truncated { place: Place::Row(2) }), "{fault:?}");
}

#[test]
fn what_is_no_stata_file_is_told() {
    assert!(matches!(read(b"patient_id\n1\n").unwrap_err(), ReadError::Malformed { place: Place::Header, .. }));
    assert!(matches!(read(&[105, 2, 1, 0]).unwrap_err(), ReadError::Unsupported { .. }));
    assert!(matches!(read(b"<stata_dta><header><release>121").unwrap_err(), ReadError::Unsupported { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_bytes_make_it_panic(
        is_new: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![0u8, 1, 4, 0x7f, 0x80, 0xff])), 1..6),
    ) {
        let mut bytes = if is_new { new() } else { old(false) };
        for (at, with) in changes {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        let limits = Limits { texts: 1 << 20, ..Limits::default() };
        let _ = Reader::open(Format::Dta, Cursor::new(bytes), limits).map(Iterator::count);
    }
}
