//! Files byte by byte where a rule fixes them, and what cannot be stored.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};

use crate::write::tests::table;
use crate::{DatePrecision, Format, Kind, Memory, WriteError};

fn written(source: &Memory) -> Vec<u8> {
    let mut out = Vec::new();
    crate::write(Format::Dta, source, &mut out).unwrap();
    out
}

fn fault(kind: Kind, array: ArrayRef) -> WriteError {
    let source = table(vec![("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1]))), ("x", kind, array)]);
    crate::write(Format::Dta, &source, std::io::sink()).unwrap_err()
}

/// What stands between two tags.
fn between<'a>(bytes: &'a [u8], tag: &str) -> &'a [u8] {
    let find = |what: String| bytes.windows(what.len()).position(|w| w == what.as_bytes()).unwrap();
    &bytes[find(format!("<{tag}>")) + tag.len() + 2..find(format!("</{tag}>"))]
}

#[test]
fn rows_are_as_the_format_says() {
    let source = table(vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1, 2_147_483_620]))),
        ("big", Kind::Int, Arc::new(Int64Array::from(vec![Some(2_147_483_621), None]))),
        ("b", Kind::Bool, Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("f", Kind::Float, Arc::new(Float64Array::from(vec![f64::NAN, -1.5]))),
        ("s", Kind::Str, Arc::new(StringArray::from(vec![Some("é"), None]))),
        ("none", Kind::Str, Arc::new(StringArray::from(vec![None::<&str>, None]))),
        ("y", Kind::Date(DatePrecision::Year), Arc::new(Date32Array::from(vec![Some(-3_300), None]))),
        ("c", Kind::IntCategory { missing: None }, Arc::new(Int64Array::from(vec![Some(0), None]))),
    ]);
    let bytes = written(&source);
    assert!(bytes.starts_with(
        b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>\x08\0</K><N>\x02\0\0\0\0\0\0\0</N>\
          <label>\0\0</label><timestamp>\0</timestamp></header><map>"
    ));
    let types: Vec<u16> =
        between(&bytes, "variable_types").chunks(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    // long, double, byte, double, str2, str1, long, long
    assert_eq!(types, [65_528, 65_526, 65_530, 65_526, 2, 1, 65_528, 65_528]);
    let mut rows = Vec::new();
    rows.extend([1, 0, 0, 0]);
    rows.extend(2_147_483_621f64.to_le_bytes());
    rows.push(1);
    // The first missing value of a double is 2^1023.
    rows.extend([0, 0, 0, 0, 0, 0, 0xe0, 0x7f]);
    rows.extend("é".as_bytes());
    rows.push(0);
    // 1960-12-19 is cut to 1960-01-01.
    rows.extend([0, 0, 0, 0]);
    rows.extend([0, 0, 0, 0]);
    rows.extend([0xe4, 0xff, 0xff, 0x7f]);
    rows.extend(0f64.to_le_bytes());
    rows.push(0);
    rows.extend((-1.5f64).to_le_bytes());
    rows.extend([0, 0, 0]);
    // The first missing value of a long is 2,147,483,621.
    rows.extend([0xe5, 0xff, 0xff, 0x7f]);
    rows.extend([0xe5, 0xff, 0xff, 0x7f]);
    assert_eq!(between(&bytes, "data"), rows);
}

#[test]
fn the_map_points_to_every_section() {
    let long = "x".repeat(2_046);
    let source = table(vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("s", Kind::Str, Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("a")]))),
    ]);
    let bytes = written(&source);
    let positions: Vec<usize> =
        between(&bytes, "map").chunks(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap()) as usize).collect();
    let tags = [
        "<stata_dta>",
        "<map>",
        "<variable_types>",
        "<varnames>",
        "<sortlist>",
        "<formats>",
        "<value_label_names>",
        "<variable_labels>",
        "<characteristics>",
        "<data>",
        "<strls>",
        "<value_labels>",
        "</stata_dta>",
    ];
    assert_eq!(positions.len(), 14);
    for (position, tag) in positions.iter().zip(tags) {
        assert!(bytes[*position..].starts_with(tag.as_bytes()), "{tag}");
    }
    assert_eq!(positions[13], bytes.len());
    // Column 2, rows 1 and 3: a reference of two and six bytes each, and the text with its length and a zero.
    assert_eq!(between(&bytes, "data")[4..12], [2, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(between(&bytes, "data")[16..24], [0; 8]);
    let mut texts = b"GSO\x02\0\0\0\x01\0\0\0\0\0\0\0\x82\xff\x07\0\0".to_vec();
    texts.extend(long.as_bytes());
    texts.extend(b"\0GSO\x02\0\0\0\x03\0\0\0\0\0\0\0\x82\x02\0\0\0a\0");
    assert_eq!(between(&bytes, "strls"), texts);
}

#[test]
fn text_of_2045_bytes_stays_in_the_row() {
    let long = "x".repeat(2_045);
    let source = table(vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1]))),
        ("s", Kind::Str, Arc::new(StringArray::from(vec![long.as_str()]))),
    ]);
    assert_eq!(between(&written(&source), "data")[4..], *long.as_bytes());
}

#[test]
fn what_stata_cannot_keep_is_told() {
    let cannot = |kind, array: ArrayRef| {
        let fault = fault(kind, array);
        assert!(matches!(&fault, WriteError::CannotRepresent { column, row: 1, .. } if column == "x"), "{fault}");
    };
    cannot(Kind::Int, Arc::new(Int64Array::from(vec![9_007_199_254_740_993])));
    cannot(Kind::Int, Arc::new(Int64Array::from(vec![i64::MAX])));
    cannot(Kind::Float, Arc::new(Float64Array::from(vec![f64::INFINITY])));
    cannot(Kind::Float, Arc::new(Float64Array::from(vec![9e307])));
    cannot(Kind::Str, Arc::new(StringArray::from(vec!["a\0b"])));
    cannot(Kind::Date(DatePrecision::Day), Arc::new(Date32Array::from(vec![i32::MAX])));
}

#[test]
fn a_changed_name_is_told() {
    let source = table(vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1]))),
        ("case", Kind::Int, Arc::new(Int64Array::from(vec![1]))),
    ]);
    let written = crate::write(Format::Dta, &source, std::io::sink()).unwrap();
    assert_eq!(written.renamed, [("case".to_owned(), "_case".to_owned())]);
}

#[test]
fn the_packed_file_holds_the_same() {
    use std::io::Read as _;
    let source = table(vec![("patient_id", Kind::Int, Arc::new(Int64Array::from_iter_values(0..20_000)))]);
    let mut packed = Vec::new();
    crate::write(Format::DtaGz, &source, &mut packed).unwrap();
    let mut plain = Vec::new();
    flate2::bufread::GzDecoder::new(&packed[..]).read_to_end(&mut plain).unwrap();
    assert!(plain == written(&source));
}
