//! Files for other programs and from them, so that tests in their languages can look: `exchange write FOLDER` writes one
//! small table as `sample.FORMAT` and an empty one as `empty.FORMAT`; `exchange read FILE` prints a file's columns, types and cells.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for tests")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, new_empty_array,
};
use cohorts::{DatePrecision, Field, Format, Kind, Memory, Schema};

/// Dates: 2020-02-29, the last day of all, a day before 1677, none.
const DAYS: [Option<i32>; 4] = [Some(18_321), Some(2_932_896), Some(-135_000), None];

fn columns() -> Vec<(&'static str, Kind, ArrayRef)> {
    let category = || Arc::new(Int64Array::from(vec![Some(300), None, Some(0), Some(100)]));
    let days = || Arc::new(Date32Array::from(DAYS.to_vec()));
    let long = "é".repeat(1_023);
    vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1, 20, 300, 4_000_000_000]))),
        ("small", Kind::Int, Arc::new(Int64Array::from(vec![Some(-7), None, Some(0), Some(2_147_483_620)]))),
        ("yes", Kind::Bool, Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
        ("float", Kind::Float, Arc::new(Float64Array::from(vec![Some(0.1), Some(1e-5), None, Some(-5.0)]))),
        ("text", Kind::Str, Arc::new(StringArray::from(vec![Some("b,\"é\""), Some(""), None, Some("a")]))),
        ("long_text", Kind::Str, Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("x"), Some("x")]))),
        ("no_text", Kind::Str, Arc::new(StringArray::from(vec![None::<&str>; 4]))),
        ("year", Kind::Date(DatePrecision::Year), days()),
        ("month", Kind::Date(DatePrecision::Month), days()),
        ("day", Kind::Date(DatePrecision::Day), days()),
        ("imd", Kind::IntCategory { missing: Some(-1) }, category()),
        ("rural", Kind::IntCategory { missing: Some(0) }, category()),
        ("dummy", Kind::IntCategory { missing: None }, category()),
        ("a_name_of_more_than_thirty_two_letters_1", Kind::Int, Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("a_name_of_more_than_thirty_two_letters_2", Kind::Int, Arc::new(Int64Array::from(vec![5, 6, 7, 8]))),
    ]
}

fn table(empty: bool) -> Memory {
    let columns = columns();
    let fields = columns.iter().map(|(name, kind, _)| Field { name: (*name).to_owned(), kind: *kind }).collect();
    let arrays = columns
        .into_iter()
        .map(|(name, _, array)| (name, if empty { new_empty_array(array.data_type()) } else { array }, true));
    Memory { schema: Schema { fields }, batches: vec![RecordBatch::try_from_iter_with_nullable(arrays).unwrap()] }
}

fn write(folder: &Path) {
    for format in Format::ALL {
        for (name, empty) in [("sample", false), ("empty", true)] {
            let file = File::create(folder.join(format!("{name}.{}", format.extension()))).unwrap();
            cohorts::write(format, &table(empty), file).unwrap();
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        _ => {
            println!("exchange write FOLDER");
            std::process::exit(2);
        }
    }
}
