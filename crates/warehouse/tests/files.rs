//! Files that are no text: Parquet, gzip, links, things that are no files; and the files of patients of a study.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, types::Int32Type,
};
use parquet::arrow::ArrowWriter;
use query::reference::Rows;
use query::{Catalogue, Inline, Type, Value};
use warehouse::{Code, Faults, Folder, open, read_patient_file};

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn tpp(folder: &Path) -> Result<Folder, Faults> {
    open(folder, Catalogue::tpp(), &warehouse::Policy::default())
}

fn day(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

#[test]
fn parquet_converts_only_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let codes: DictionaryArray<Int32Type> = [Some(" a"), None, Some("")].into_iter().collect();
    parquet(
        &folder.path().join("CodedEvent.parquet"),
        vec![
            ("NumericValue", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(2.0)])) as ArrayRef),
            ("ignored", Arc::new(Int32Array::from(vec![1, 2, 3]))),
            ("Patient_ID", Arc::new(Int32Array::from(vec![1, 1, 2]))),
            ("CTV3Code", Arc::new(codes)),
            ("ConsultationDate", Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(86_399_000_000)]))),
        ],
    );
    parquet(
        &folder.path().join("APCS.parquet"),
        vec![
            ("Patient_ID", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("APCS_Ident", Arc::new(StringArray::from(vec!["77"]))),
            ("Admission_Date", Arc::new(Date32Array::from(vec![18_628]))),
            ("Discharge_Date", Arc::new(TimestampMillisecondArray::from(vec![18_628 * 86_400_000_i64]))),
            ("Der_Spell_LoS", Arc::new(Int64Array::from(vec![5]))),
        ],
    );
    let opened = tpp(folder.path()).unwrap();
    let events = opened.tables.get("CodedEvent").unwrap();
    assert_eq!(events.columns, ["NumericValue", "Patient_ID", "CTV3Code", "ConsultationDate", "CodedEvent_ID"]);
    let time = |text: &str| Value::DateTime(text.parse().unwrap());
    assert_eq!(
        events.rows,
        [
            // a 32-bit float is widened exactly
            vec![
                Value::Float(0.100_000_001_490_116_12),
                Value::Int(1),
                Value::text("a"),
                time("1970-01-01T00:00:00"),
                Value::Int(1)
            ],
            vec![Value::Null, Value::Int(1), Value::Null, Value::Null, Value::Int(2)],
            vec![Value::Float(2.0), Value::Int(2), Value::text(""), time("1970-01-01T23:59:59"), Value::Int(3)],
        ]
    );
    let stays = &opened.tables.get("APCS").unwrap().rows[0];
    assert_eq!(stays[1..], [Value::Int(77), day("2021-01-01"), day("2021-01-01"), Value::Int(5)]);
}

#[test]
fn parquet_with_a_loss_is_a_fault_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    parquet(
        &folder.path().join("APCS.parquet"),
        vec![
            ("Patient_ID", Arc::new(Int64Array::from(vec![Some(1), Some(1), None])) as ArrayRef),
            ("APCS_Ident", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            ("Admission_Date", Arc::new(TimestampMillisecondArray::from(vec![0, 1, 0]))),
            ("Der_Spell_LoS", Arc::new(Int64Array::from(vec![1_i64 << 40, 1, 1]))),
        ],
    );
    parquet(
        &folder.path().join("Household.parquet"),
        vec![
            ("Household_ID", Arc::new(BooleanArray::from(vec![true])) as ArrayRef),
            ("MSOA", Arc::new(Int64Array::from(vec![1]))),
        ],
    );
    fs::write(folder.path().join("EC.parquet"), b"PAR1 nothing PAR1").unwrap();
    let faults = tpp(folder.path()).unwrap_err();
    let places: Vec<_> = faults.shown.iter().map(|f| (f.code, f.file.as_str(), f.line, f.column.as_deref())).collect();
    assert_eq!(
        places,
        [
            (Code::D101, "APCS.parquet", Some(1), Some("Der_Spell_LoS")),
            (Code::D101, "APCS.parquet", Some(2), Some("Admission_Date")),
            (Code::D101, "APCS.parquet", Some(3), Some("Patient_ID")),
            (Code::D203, "EC.parquet", None, None),
            (Code::D101, "Household.parquet", None, Some("Household_ID")),
            (Code::D101, "Household.parquet", None, Some("MSOA")),
        ]
    );
}

#[test]
fn damaged_parquet_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("EC.parquet");
    let days = Date32Array::from((0..200).collect::<Vec<i32>>());
    parquet(
        &path,
        vec![
            ("Patient_ID", Arc::new(Int64Array::from((0..200).collect::<Vec<i64>>())) as ArrayRef),
            ("EC_Ident", Arc::new(Int64Array::from((0..200).collect::<Vec<i64>>()))),
            ("Arrival_Date", Arc::new(days)),
        ],
    );
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(13) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x5a;
        fs::write(&path, &damaged).unwrap();
        let _ = tpp(folder.path());
        fs::write(&path, &whole[..at]).unwrap();
        assert!(tpp(folder.path()).is_err(), "cut at {at}");
    }
}

#[test]
fn gzip_is_unpacked_and_must_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("CodedEvent.csv.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"Patient_ID,CodedEvent_ID\n1,2\n").unwrap();
    let packed = packed.finish().unwrap();
    fs::write(&path, &packed).unwrap();
    assert_eq!(tpp(folder.path()).unwrap().supplied[0].rows, 1);
    fs::write(&path, &packed[..packed.len() - 9]).unwrap();
    assert_eq!(tpp(folder.path()).unwrap_err().shown[0].code, Code::D203);
    fs::write(folder.path().join("CodedEvent.csv"), "Patient_ID\n").unwrap();
    fs::write(&path, &packed).unwrap();
    let faults = tpp(folder.path()).unwrap_err();
    assert!(faults.to_string().contains("CodedEvent.csv holds the same table"), "{faults}");
}

#[test]
fn no_link_leads_out() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.csv"), "Patient_ID\n1\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), folder.path().join("CodedEvent.csv")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("EC.csv")).unwrap();
    fs::create_dir(folder.path().join("APCS.csv")).unwrap();
    let faults = tpp(folder.path()).unwrap_err();
    let words: Vec<&str> = faults.shown.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(words[..2], ["is no file", "leads out of the folder"]);
    assert_eq!(faults.count, 3);
    assert!(tpp(&folder.path().join("absent")).is_err());
}

fn patients(name: &str, columns: &[(&str, Type)], text: &[u8]) -> Result<Rows, Faults> {
    let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    read_patient_file(&Inline { file: name.to_owned(), columns }, text)
}

#[test]
fn files_of_patients() {
    let columns = [("flag", Type::Bool), ("n", Type::Int), ("seen", Type::Date)];
    let text = b"n,patient_id,seen,flag,other\n3,1,2021-02,1,x\n\" \",2,,,y\n-4,9,2021-02-03,F,\n";
    let rows = patients("outputs/x.csv", &columns, text).unwrap();
    assert_eq!(rows.columns, ["patient_id", "flag", "n", "seen"]);
    assert_eq!(
        rows.rows,
        [
            vec![Value::Int(1), Value::Bool(true), Value::Int(3), day("2021-02-01")],
            vec![Value::Int(2), Value::Null, Value::Null, Value::Null],
            vec![Value::Int(9), Value::Bool(false), Value::Int(-4), day("2021-02-03")],
        ]
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    assert_eq!(patients("outputs/x.csv.gz", &columns, &packed.finish().unwrap()).unwrap(), rows);
}

#[test]
fn faults_of_files_of_patients_are_d511_with_their_line() {
    let faults = patients("x.csv", &[("n", Type::Int)], b"patient_id,n\n1,1.0\n1,2\n,3\n2,4,5\n1,7\n").unwrap_err();
    let lines: Vec<(Code, Option<u64>)> = faults.shown.iter().map(|f| (f.code, f.line)).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6].map(|line| (Code::D511, Some(line))));
    let faults = patients("x.csv", &[("n", Type::Int)], b"patient,n,n\n").unwrap_err();
    assert_eq!(faults.count, 2);
    assert!(faults.to_string().contains("the column is missing; there are patient, n, n"), "{faults}");
    assert!(patients("x.csv", &[], b"").is_err());
    assert!(patients("x.csv.gz", &[], b"patient_id\n").is_err());
}
