//! The table of forms, cell by cell, in text and in typed files.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, NullArray, RecordBatch,
    StringArray, TimestampNanosecondArray,
};
use arrow_ipc::writer::FileWriter;

use super::*;
use crate::{DatePrecision, Kind};

const YEAR: Kind = Kind::Date(DatePrecision::Year);
const MONTH: Kind = Kind::Date(DatePrecision::Month);
const DAY: Kind = Kind::Date(DatePrecision::Day);
const CATEGORY: Kind = Kind::IntCategory { missing: Some(-1) };

fn schema(columns: &[(&str, Kind)]) -> Schema {
    let field = |(name, kind): &(&str, Kind)| Field { name: (*name).to_owned(), kind: *kind };
    Schema { fields: [("patient_id", Kind::Int)].iter().chain(columns).map(field).collect() }
}

fn csv(columns: &[(&str, Kind)], text: &str) -> Report {
    file("d.csv", Format::Csv, Cursor::new(text.as_bytes().to_vec()), Limits::default(), &schema(columns))
}

fn bad(report: &Report) -> Vec<(String, u64, String)> {
    let cells = report.findings.iter().find_map(|finding| match finding {
        Finding::BadValues { shown, .. } => Some(shown.clone()),
        _ => None,
    });
    cells.unwrap_or_default().into_iter().map(|cell| (cell.column, cell.row, cell.value)).collect()
}

#[test]
fn texts_have_the_form_of_their_column() {
    for (kind, good, bad_ones) in [
        (YEAR, vec!["2020", "2020.0", "", "0", "0.0", "NA", "False"], vec!["20", "2020-01", "2020.5", "abcd", "02020"]),
        (MONTH, vec!["2020-01", "2020-1", ""], vec!["2020", "2020-13", "2020-00", "2020-01-01", "2020-001"]),
        (
            DAY,
            vec!["2020-02-29", "2020-2-9", "", "0"],
            vec!["2021-02-29", "2020-04-31", "2020-02", "29/02/2020", "2020-02-29 00:00", "20-02-29"],
        ),
        (Kind::Bool, vec!["0", "1", "True", "False", "1.0", "", "true", "TRUE"], vec!["2", "yes", "T", "tRUE"]),
        (Kind::Int, vec!["7", "-7", "7.0", "1e3", "", "nan"], vec!["x", "inf", "7,1", "1_000"]),
        (CATEGORY, vec!["100", "-1", ""], vec!["x"]),
        (Kind::Float, vec!["7", "7.5", "-1e-5", "inf", ""], vec!["x", "7.5.1"]),
        (Kind::Str, vec!["", "x", "7", "NA"], vec![]),
    ] {
        for (values, fine) in [(good, true), (bad_ones, false)] {
            for value in values {
                let report = csv(&[("x", kind)], &format!("x,patient_id\n\"{value}\",1\n"));
                assert_eq!(report.is_fine(), fine, "{kind:?} {value:?}: {:?}", report.findings);
                if !fine {
                    assert_eq!(bad(&report), [("x".to_owned(), 2, value.to_owned())]);
                }
            }
        }
    }
}

#[test]
fn patients_are_whole_numbers() {
    let report = csv(&[], "patient_id\n1\n\"\"\n0\nx\n2.0\n1\n1\n");
    let rows: Vec<u64> = bad(&report).into_iter().map(|(_, row, _)| row).collect();
    assert_eq!(rows, [3, 5, 6]);
    assert!(matches!(report.findings[1], Finding::RepeatedPatients { count: 2 }));
}

#[test]
fn fractions_are_a_warning() {
    let report = csv(&[("x", Kind::Int)], "patient_id,x\n1,1\n2,1.5\n3,2.5\n");
    assert!(report.is_fine());
    assert_eq!(
        report.findings[0].to_string(),
        "x holds whole numbers, but 2 of the dummy data file have a fraction, the first in row 3"
    );
}

#[test]
fn all_columns_are_named() {
    let report = csv(&[("a", Kind::Int), ("b", Kind::Int), ("c", Kind::Int)], "d,a,patient_id,a,e\n1,z,1,2,3\n");
    assert_eq!(
        report.findings.iter().map(|finding| (finding.code(), finding.to_string())).collect::<Vec<_>>(),
        [
            (
                Some("SD612"),
                "the columns of the dummy data file are not those of the study; missing: b, c; not in the study: d, e; \
                 twice: a"
                    .to_owned()
            ),
            (
                Some("SD613"),
                "the dummy data file has 1 bad value\n  a, row 2: \"z\" is not a whole number".to_owned()
            ),
        ]
    );
}

#[test]
fn bad_cells_are_counted_and_the_first_ones_shown() {
    let text: String = (0..50).map(|n| format!("{n},x{n},y\n")).collect();
    let report = csv(&[("a", Kind::Int), ("b", Kind::Float)], &format!("patient_id,a,b\n{text}"));
    let Some(Finding::BadValues { count, shown }) = report.findings.first() else { panic!("bad values") };
    assert_eq!((*count, shown.len()), (100, SHOWN));
    assert_eq!((shown[2].column.as_str(), shown[2].row, shown[2].value.as_str()), ("a", 3, "x1"));
    assert!(report.findings[0].to_string().ends_with("\n  and 80 more"));
}

#[test]
fn the_whole_ending_counts() {
    assert!(ending("d.csv.gz", Format::CsvGz).is_none());
    let wrong = ending("d.csv", Format::CsvGz).unwrap();
    assert_eq!(wrong.code(), Some("SD611"));
    assert_eq!(
        wrong.to_string(),
        "d.csv is a .csv file, and the output is .csv.gz; give a .csv.gz file, or ask for another output format"
    );
    let report = file("d.feather", Format::Feather, Cursor::new(b"x".to_vec()), Limits::default(), &schema(&[]));
    assert_eq!(report.findings[0].code(), Some("SD611"));
}

fn feather(kind: Kind, array: ArrayRef) -> Report {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..array.len() as i64));
    let batch = RecordBatch::try_from_iter_with_nullable([("patient_id", ids, true), ("x", array, true)]).unwrap();
    let mut out = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    out.write(&batch).unwrap();
    out.finish().unwrap();
    let bytes = Cursor::new(out.into_inner().unwrap());
    file("d.feather", Format::Feather, bytes, Limits::default(), &schema(&[("x", kind)]))
}

#[test]
fn typed_cells_have_the_type_of_their_column() {
    const DAY_NS: i64 = 86_400_000_000_000;
    let times = |days: &[i64]| Arc::new(TimestampNanosecondArray::from_iter_values(days.iter().map(|d| d * DAY_NS)));
    let words = || -> ArrayRef {
        Arc::new(
            vec![Some("a"), None, Some("7")]
                .into_iter()
                .collect::<arrow_array::DictionaryArray<arrow_array::types::Int8Type>>(),
        )
    };
    let floats = || Arc::new(Float64Array::from(vec![Some(1.0), Some(0.0), Some(f64::NAN), Some(2.5), None]));
    let ints = || Arc::new(Int32Array::from(vec![Some(1), Some(0), Some(2), None]));
    // 2020-01-01, 2020-02-01, 2020-02-29
    let days = [18_262, 18_293, 18_321];
    let cases: Vec<(Kind, ArrayRef, &[u64])> = vec![
        (DAY, times(&days), &[]),
        (MONTH, times(&days), &[4]),
        (YEAR, times(&days), &[3, 4]),
        (DAY, Arc::new(Date32Array::from(vec![18_262])), &[]),
        (DAY, Arc::new(StringArray::from(vec!["2020-01-01", ""])), &[2]),
        (Kind::Bool, Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])), &[]),
        (Kind::Bool, ints(), &[4]),
        (Kind::Bool, floats(), &[5]),
        (Kind::Int, ints(), &[]),
        (Kind::Int, floats(), &[2, 5]),
        (Kind::Int, words(), &[2, 4]),
        (CATEGORY, words(), &[2]),
        (CATEGORY, ints(), &[]),
        (Kind::Float, floats(), &[]),
        (Kind::Float, ints(), &[2, 4]),
        (Kind::Str, words(), &[]),
        (Kind::Str, ints(), &[2, 4]),
        (DAY, Arc::new(NullArray::new(2)), &[]),
    ];
    for (kind, array, expected) in cases {
        let of = array.data_type().clone();
        let rows: Vec<u64> = bad(&feather(kind, array)).into_iter().map(|(_, row, _)| row).collect();
        assert_eq!(rows, expected, "{kind:?} {of}");
    }
}

/// Whatever is written here can stand for the same study.
#[test]
fn files_written_here_pass() {
    let long_name = "a_name_of_more_than_thirty_two_letters";
    let columns = [
        ("b", Kind::Bool),
        ("i", Kind::Int),
        ("f", Kind::Float),
        ("case", Kind::Str),
        ("y", YEAR),
        ("m", MONTH),
        ("d", DAY),
        (long_name, CATEGORY),
    ];
    let days = || -> ArrayRef { Arc::new(Date32Array::from(vec![Some(18_321), None])) };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Int64Array::from(vec![Some(1 << 40), None])),
        Arc::new(Float64Array::from(vec![Some(1.5), None])),
        Arc::new(StringArray::from(vec![Some("a,b"), None])),
        days(),
        days(),
        days(),
        Arc::new(Int64Array::from(vec![Some(300), None])),
    ];
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let named = columns.iter().zip(arrays).map(|((name, kind), array)| (*name, *kind, array));
    let source = write::tests::table([("patient_id", Kind::Int, ids)].into_iter().chain(named).collect());
    for format in Format::ALL {
        let mut bytes = Vec::new();
        crate::write(format, &source, &mut bytes).unwrap();
        let name = format!("d.{}", format.extension());
        let report = file(&name, format, Cursor::new(bytes), Limits::default(), &schema(&columns));
        assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
        assert_eq!(report.rows, 2);
    }
}
