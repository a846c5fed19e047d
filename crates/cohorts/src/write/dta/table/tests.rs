//! What is written to a Stata file comes back from our reader, with the types that fit.
//! What Stata has no place for is refused.

use std::io::Cursor;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int8Type, Int16Type, Int32Type};
use arrow_array::{Array as _, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int8Array};
use arrow_array::{Int64Array, StringArray, TimestampNanosecondArray, UInt8Array};

use super::*;
use crate::Format;
use crate::read::{Limits, Reader};

fn column(name: &str, array: &ArrayRef) -> StataColumn {
    StataColumn { name: name.to_owned(), data_type: array.data_type().clone(), format: None, labels: None }
}

fn written(columns: &[StataColumn], arrays: &[ArrayRef]) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    write_stata(columns, &mut |each| each(arrays), &mut out).map(|_| out)
}

fn read(bytes: Vec<u8>) -> (Vec<crate::read::Column>, Vec<ArrayRef>) {
    let mut reader = Reader::open(Format::Dta, Cursor::new(bytes), Limits::default()).unwrap();
    let columns = reader.columns().to_vec();
    (columns, reader.next().unwrap().unwrap().columns)
}

#[test]
fn columns_come_back_with_the_types_that_fit() {
    let day = 86_400_000_000_000_i64;
    let long = "x".repeat(3_000);
    let texts: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("")].into_iter().collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(2_147_483_620), None, Some(-2_147_483_647)])),
        Arc::new(Int64Array::from(vec![Some(2_147_483_621), None, Some(0)])),
        Arc::new(Int8Array::from(vec![Some(100), None, Some(-127)])),
        Arc::new(UInt8Array::from(vec![Some(101), None, Some(255)])),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NAN)])),
        Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-0.0)])),
        Arc::new(texts),
        Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("é")])),
        Arc::new(Date32Array::from(vec![Some(0), None, Some(-3_653)])),
        Arc::new(TimestampNanosecondArray::from(vec![Some(day), None, Some(-day)])),
        Arc::new(TimestampNanosecondArray::from(vec![Some(day + 1_000_000), None, Some(0)])),
    ];
    let mut columns: Vec<StataColumn> =
        arrays.iter().enumerate().map(|(at, of)| column(&format!("c{at}"), of)).collect();
    columns[2].labels = Some(Arc::new([(1, "one".to_owned()), (100, "é".to_owned())].into()));
    columns[2].format = Some("%5.0g".to_owned());
    let (read, back) = read(written(&columns, &arrays).unwrap());
    let types: Vec<String> = read.iter().map(|column| column.data_type.to_string()).collect();
    assert_eq!(types[..4], ["Int32", "Float64", "Int8", "Int16"]);
    assert_eq!(types[4..11], ["Int8", "Float32", "Float64", "Utf8", "Utf8", "Date32", "Date32"]);
    assert_eq!((&read[2].labels, &read[2].stata_format), (&columns[2].labels, &columns[2].format));
    assert_eq!(read[3].labels, None);
    assert!(back.iter().take(7).all(|array| array.is_null(1)));
    assert_eq!(back[0].as_primitive::<Int32Type>().values()[0], 2_147_483_620);
    assert_eq!(back[1].as_primitive::<Float64Type>().values()[0], 2_147_483_621.0);
    assert_eq!(back[2].as_primitive::<Int8Type>().values()[2], -127);
    assert_eq!(back[3].as_primitive::<Int16Type>().values()[2], 255);
    assert!(back[5].is_null(2));
    assert_eq!(back[7].as_string::<i32>().value(0), "b");
    assert_eq!(back[8].as_string::<i32>().value(0), long);
    assert_eq!(back[8].as_string::<i32>().value(2), "é");
    assert_eq!(back[9].as_primitive::<Date32Type>().values()[2], -3_653);
    assert_eq!(back[10].as_primitive::<Date32Type>().values()[0], 1);
    assert_eq!(types[11], "Timestamp(ms)");
    assert_eq!(back[11].as_primitive::<arrow_array::types::TimestampMillisecondType>().values()[0], 86_400_001);
}

#[test]
fn what_stata_has_no_place_for_is_refused() {
    let cases: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![(1 << 53) + 1])),
        Arc::new(Float64Array::from(vec![f64::INFINITY])),
        Arc::new(Float32Array::from(vec![f32::NEG_INFINITY])),
        Arc::new(StringArray::from(vec!["a\0b"])),
        Arc::new(Date32Array::from(vec![i32::MAX])),
        Arc::new(TimestampNanosecondArray::from(vec![1])),
        Arc::new(arrow_array::BinaryArray::from(vec![&b"a"[..]])),
    ];
    for array in cases {
        let columns = [column("a", &array)];
        let refused = written(&columns, std::slice::from_ref(&array));
        assert!(matches!(refused, Err(WriteError::CannotRepresent { row: 1, .. })), "{array:?}");
    }
}

#[test]
fn names_are_made_to_fit() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let names = ["a b", "a_b", "a_b"].map(|name| column(name, &array));
    let mut out = Vec::new();
    let arrays = vec![Arc::clone(&array), Arc::clone(&array), array];
    let renamed = write_stata(&names, &mut |each| each(&arrays), &mut out).unwrap();
    assert_eq!(renamed.len(), 2);
    let (columns, _) = read(out);
    let mut made: Vec<String> = columns.iter().map(|column| column.name().into_owned()).collect();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 3);
}
