//! Random tables over all pairs of formats against a naive model: the same rows, order and columns.
//! What each type becomes is told beside the code that makes it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use cohorts::read::{Limits, Reader};
use cohorts::{FeatherWriter, Format, Packing, StataColumn, write_stata};
use proptest::prelude::*;

use super::super::tests::run;
use super::cell::{self, Shown};

mod on_the_disk;
mod whole_batches;

/// A row: identifier, number, share, truth, text, day. A blank identifier, number, share or day is none.
type Row = (Option<i64>, Option<i64>, Option<f64>, bool, String, Option<i64>);

const DAY: i64 = 86_400_000_000_000;
const NAMES: [&str; 6] = ["patient_id", "n", "f", "b", "s", "d"];

fn arrays(rows: &[Row], dictionary: bool) -> Vec<ArrayRef> {
    let texts: Vec<&str> = rows.iter().map(|row| row.4.as_str()).collect();
    let text: ArrayRef = match dictionary {
        true => Arc::new(texts.iter().map(|text| Some(*text)).collect::<DictionaryArray<Int8Type>>()),
        false => Arc::new(StringArray::from(texts)),
    };
    vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.3)).collect::<BooleanArray>()),
        text,
        Arc::new(rows.iter().map(|row| row.5.map(|day| day * DAY)).collect::<TimestampNanosecondArray>()),
    ]
}

/// Writes rows in any format, with names that both sides share or not.
fn write(folder: &Path, stem: &str, format: Format, rows: &[Row], suffix: &str, packing: Packing) {
    let names: Vec<String> = NAMES
        .iter()
        .map(|name| if *name == "patient_id" { (*name).to_owned() } else { format!("{name}{suffix}") })
        .collect();
    let arrays = arrays(rows, format == Format::Feather);
    let mut out = File::create(folder.join(format!("{stem}.{}", format.extension()))).unwrap();
    let stata = |out: &mut dyn std::io::Write| {
        let column = |(name, array): (&String, &ArrayRef)| StataColumn {
            name: name.clone(),
            data_type: array.data_type().clone(),
            format: None,
            labels: None,
        };
        let columns: Vec<StataColumn> = names.iter().zip(&arrays).map(column).collect();
        write_stata(&columns, &mut |each| each(&arrays), out)
    };
    match format {
        Format::Csv | Format::CsvGz => {
            let mut text = (names.join(",") + "\n").into_bytes();
            for row in 0..rows.len() {
                for (at, array) in arrays.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    cell::push(&mut text, array, row, &Shown::default());
                }
                text.push(b'\n');
            }
            match format {
                Format::CsvGz => cohorts::gzip(1, &mut out, |out| out.write_all(&text)).unwrap(),
                _ => std::io::Write::write_all(&mut out, &text).unwrap(),
            }
        }
        Format::Feather => {
            let fields: Vec<Field> = names
                .iter()
                .zip(&arrays)
                .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
                .collect();
            let schema = Arc::new(Schema::new(fields));
            let mut file = FeatherWriter::begin(&mut out, Arc::clone(&schema), packing).unwrap();
            let batch = RecordBatch::try_new(schema, arrays).unwrap();
            // In short batches, so that their borders fall everywhere.
            for from in (0..rows.len()).step_by(5) {
                file.write(&batch.slice(from, 5.min(rows.len() - from))).unwrap();
            }
            if rows.is_empty() {
                file.write(&batch).unwrap();
            }
            file.end().unwrap();
        }
        Format::Dta => {
            stata(&mut out).unwrap();
        }
        Format::DtaGz => {
            cohorts::gzip(1, &mut out, stata).unwrap();
        }
    }
}

/// Names and cells of a file, numbers and truth in one form over all formats.
fn read(path: &Path, format: Format) -> (Vec<String>, Vec<Vec<String>>) {
    let reader = Reader::open(format, File::open(path).unwrap(), Limits::default()).unwrap();
    let names = reader.columns().iter().map(|column| column.name().into_owned()).collect();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for row in 0..batch.len {
            let cell = |array: &ArrayRef| {
                let mut text = Vec::new();
                cell::push(&mut text, array, row, &Shown::default());
                plain(&String::from_utf8(text).unwrap())
            };
            rows.push(batch.columns.iter().map(cell).collect());
        }
    }
    (names, rows)
}

/// What a cell says, whichever of the types of the formats it has.
fn plain(text: &str) -> String {
    match text {
        "True" => "1".to_owned(),
        "False" => "0".to_owned(),
        _ => text.strip_suffix(".0").unwrap_or(text).to_owned(),
    }
}

fn shown(row: &Row) -> Vec<String> {
    let arrays = arrays(std::slice::from_ref(row), false);
    let cell = |array: &ArrayRef| {
        let mut text = Vec::new();
        cell::push(&mut text, array, 0, &Shown::default());
        plain(&String::from_utf8(text).unwrap())
    };
    arrays.iter().map(cell).collect()
}

/// The join in its plainest form.
fn naive(left: &[Row], right: &[Row]) -> Vec<Vec<String>> {
    let mut joined = Vec::new();
    for l in left {
        let partners: Vec<&Row> = right.iter().filter(|r| l.0.is_some() && r.0 == l.0).collect();
        for partner in &partners {
            joined.push([shown(l), shown(partner)[1..].to_vec()].concat());
        }
        if partners.is_empty() {
            joined.push([shown(l), vec![String::new(); 5]].concat());
        }
    }
    joined
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.9, -2_i64..12),
        prop::option::of(-300_i64..300),
        prop::option::of((-50_i32..50).prop_map(|n| f64::from(n) / 4.0)),
        any::<bool>(),
        "[a-c]{1,2}|x\"y|p,q|é",
        prop::option::of(-4_000_i64..20_000),
    );
    prop::collection::vec(row, 0..17)
}

fn packing() -> impl Strategy<Value = Packing> {
    prop::sample::select(vec![Packing::None, Packing::Lz4, Packing::Zstd])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Every format joined to every other.
    #[test]
    fn all_pairs_of_formats_give_the_rows_of_the_naive_model(left in rows(), right in rows(), shared in any::<bool>(), packing in packing()) {
        for of_left in Format::ALL {
            for of_right in Format::ALL {
                let folder = tempfile::tempdir().unwrap();
                std::fs::create_dir(folder.path().join("in")).unwrap();
                write(&folder.path().join("in"), "left", of_left, &left, "", packing);
                write(folder.path(), "right", of_right, &right, if shared { "" } else { "2" }, packing);
                let rhs = format!("--rhs=right.{}", of_right.extension());
                let (done, said) = run(folder.path(), &["--lhs=in/*", &rhs, "--output-dir=out"], usize::MAX);
                prop_assert!(done, "{:?} {:?}: {}", of_left, of_right, said);
                let made = folder.path().join(format!("out/left.{}", of_left.extension()));
                let (names, cells) = read(&made, of_left);
                let suffixed = |suffix: &'static str| NAMES[1..].iter().map(move |name| format!("{name}{suffix}"));
                let expected: Vec<String> = match shared {
                    true => std::iter::once("patient_id".to_owned()).chain(suffixed("_x")).chain(suffixed("_y")).collect(),
                    false => NAMES.iter().map(|name| (*name).to_owned()).chain(suffixed("2")).collect(),
                };
                prop_assert_eq!(names, expected);
                prop_assert_eq!(cells, naive(&left, &right), "{:?} {:?}", of_left, of_right);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bytes changed or cut off anywhere: a whole result or none, and a fault in words.
    #[test]
    fn hostile_files_end_in_a_result_or_a_fault(
        rows in rows(),
        format in prop::sample::select(vec![Format::Feather, Format::Dta, Format::DtaGz]),
        on_the_left in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        write(&folder.path().join("in"), "left", if on_the_left { format } else { Format::Feather }, &rows, "", Packing::Zstd);
        write(folder.path(), "right", format, &rows, "2", Packing::Lz4);
        let name = format!("{}.{}", if on_the_left { "in/left" } else { "right" }, format.extension());
        let path = folder.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        std::fs::write(&path, bytes).unwrap();
        let rhs = format!("--rhs=right.{}", format.extension());
        let (done, said) = run(folder.path(), &["--lhs=in/*", &rhs, "--output-dir=out"], 64 << 20);
        let made = std::fs::read_dir(folder.path().join("out")).map_or(0, Iterator::count);
        prop_assert_eq!(made, usize::from(done));
        prop_assert_eq!(done, !said.contains("error["), "{}", said);
    }
}

/// Types, dictionaries, notes and packing of a feather file stay; what pandas reads is brought up to date.
#[test]
fn a_feather_file_keeps_what_it_says_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let values: ArrayRef = Arc::new(StringArray::from(vec!["b", "unused", "a"]));
    let keys = arrow_array::Int16Array::from(vec![2, 0]);
    let category: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
    let small: ArrayRef = Arc::new(arrow_array::UInt16Array::from(vec![7, 8]));
    let file = |name: &str, column: &str, array: &ArrayRef, ordered: bool| {
        let fields = vec![
            Field::new("patient_id", DataType::Int64, false),
            Field::new(column, array.data_type().clone(), true).with_dict_is_ordered(ordered),
        ];
        let note = format!(
            "{{\"columns\":[{{\"name\":\"{column}\",\"field_name\":\"{column}\",\"pandas_type\":\"own\",\"numpy_type\":\"own\",\"metadata\":{{\"k\":1}}}}]}}"
        );
        let notes = HashMap::from([("pandas".to_owned(), note), ("other".to_owned(), name.to_owned())]);
        let schema = Arc::new(Schema::new_with_metadata(fields, notes));
        let mut out = File::create(folder.path().join(name)).unwrap();
        let mut file = FeatherWriter::begin(&mut out, Arc::clone(&schema), Packing::Lz4).unwrap();
        file.write(&RecordBatch::try_new(schema, vec![Arc::clone(&id), Arc::clone(array)]).unwrap()).unwrap();
        file.end().unwrap();
    };
    file("in/left.feather", "c", &category, true);
    file("right.feather", "c", &small, false);
    assert!(run(folder.path(), &["--lhs=in/*", "--rhs=right.feather", "--output-dir=out"], usize::MAX).0);
    let made = File::open(folder.path().join("out/left.feather")).unwrap();
    let mut reader = Reader::open(Format::Feather, made, Limits::default()).unwrap();
    assert_eq!(reader.packing().unwrap(), Packing::Lz4);
    let schema = reader.schema().unwrap();
    let fields: Vec<String> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(fields, ["patient_id Int64", "c_x Dictionary(Int16, Utf8)", "c_y UInt16"]);
    assert_eq!(schema.field(1).dict_is_ordered(), Some(true));
    assert_eq!(schema.metadata().get("other").map(String::as_str), Some("in/left.feather"));
    let note: serde_json::Value = serde_json::from_str(&schema.metadata()["pandas"]).unwrap();
    assert_eq!(note["index_columns"][0]["stop"], 2);
    for (at, name) in [(1, "c_x"), (2, "c_y")] {
        assert_eq!(note["columns"][at]["name"], name);
        assert_eq!(note["columns"][at]["pandas_type"], "own");
        assert_eq!(note["columns"][at]["metadata"]["k"], 1);
    }
    let rows = reader.next().unwrap().unwrap();
    let dictionary = arrow_array::cast::AsArray::as_any_dictionary(&rows.columns[1]);
    assert_eq!(dictionary.values().len(), 3);
}
