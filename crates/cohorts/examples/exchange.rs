//! Files for other programs and from them, so that tests in their languages can look: `exchange write FOLDER` writes one
//! small table as `sample.FORMAT`, an empty one as `empty.FORMAT`, and floats with their bits as `floats.csv`;
//! `exchange read FILE` prints a file's columns, types and cells as JSON.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a tool for tests")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, new_empty_array,
    types,
};
use arrow_schema::{DataType, TimeUnit};
use cohorts::{DatePrecision, Field, Format, Kind, Memory, Schema};
use serde_json::{Value, json};

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
    cohorts::write(Format::Csv, &floats(), File::create(folder.join("floats.csv")).unwrap()).unwrap();
}

/// Doubles of all sizes, with their bits as whole numbers.
fn floats() -> Memory {
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut values = vec![0.0, -0.0, 0.1, 1e-5, 1e16, 224_999_519_888_175.0 + 0.125, 1_729_382_256_910_270_720.0];
    while values.len() < 200_000 {
        // SplitMix64, once as bits of a double and once as a number of everyday size.
        bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        values.extend([f64::from_bits(mixed), mixed as f64 / 2f64.powi((mixed % 128) as i32)]);
    }
    values.retain(|value| value.is_finite());
    let bits = values.iter().map(|value| value.to_bits().cast_signed());
    let columns: Vec<(&str, Kind, ArrayRef)> = vec![
        ("patient_id", Kind::Int, Arc::new(Int64Array::from_iter_values(0..values.len() as i64))),
        ("bits", Kind::Int, Arc::new(Int64Array::from_iter_values(bits))),
        ("value", Kind::Float, Arc::new(Float64Array::from(values.clone()))),
    ];
    let fields = columns.iter().map(|(name, kind, _)| Field { name: (*name).to_owned(), kind: *kind }).collect();
    let arrays = columns.into_iter().map(|(name, _, array)| (name, array));
    Memory { schema: Schema { fields }, batches: vec![RecordBatch::try_from_iter(arrays).unwrap()] }
}

fn read(path: &Path) {
    let (_, format) = Format::of_name(path.to_str().unwrap()).unwrap();
    let reader = cohorts::read::open(path, format).unwrap();
    let columns: Vec<Value> = reader
        .columns()
        .iter()
        .map(|column| json!({"name": column.name(), "type": column.data_type.to_string(), "labels": column.labels.as_deref()}))
        .collect();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        rows.extend((0..batch.len).map(|row| batch.columns.iter().map(|array| cell(array.as_ref(), row)).collect()));
    }
    println!("{}", json!({"columns": columns, "rows": rows}));
}

fn cell(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    macro_rules! number {
        ($of:ident) => {
            json!(array.as_primitive::<types::$of>().value(row))
        };
    }
    match array.data_type() {
        DataType::Binary => json!(String::from_utf8_lossy(array.as_binary::<i32>().value(row))),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => json!(array.as_string::<i64>().value(row)),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => number!(Date32Type),
        DataType::Timestamp(TimeUnit::Millisecond, _) => number!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => number!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => number!(TimestampNanosecondType),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = cell(dictionary.keys(), row).as_u64().unwrap();
            cell(dictionary.values().as_ref(), key as usize)
        }
        other => panic!("{other} is not expected here"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        ["read", file] => read(Path::new(file)),
        _ => {
            println!("exchange write FOLDER | exchange read FILE");
            std::process::exit(2);
        }
    }
}
