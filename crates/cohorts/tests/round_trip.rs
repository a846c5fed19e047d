//! The same rows in every format hold the same values: random tables are written, read back and compared as text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int8Type, Int32Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use cohorts::read::{Limits, Reader};
use cohorts::{DatePrecision, Field, Format, Kind, Memory, Schema};
use jiff::civil::Date;
use proptest::prelude::*;

const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;

/// A cell, as drawn: which value it is depends on the kind of its column.
type Drawn = Option<(i64, f64, String)>;

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Bool),
        Just(Kind::Int),
        Just(Kind::Float),
        Just(Kind::Str),
        Just(Kind::Date(DatePrecision::Year)),
        Just(Kind::Date(DatePrecision::Month)),
        Just(Kind::Date(DatePrecision::Day)),
        Just(Kind::IntCategory { missing: Some(-1) }),
        Just(Kind::IntCategory { missing: Some(0) }),
        Just(Kind::IntCategory { missing: None }),
    ]
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![-3i64..4, Just(2_147_483_620), Just(2_147_483_621), Just(-2_147_483_648), -(1i64 << 53)..1 << 53]
}

fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        -10f64..10.0,
        prop::num::f64::NORMAL.prop_filter("larger than Stata keeps", |value| value.abs() < 8e307)
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-c]{0,2}", 4 => "[a,\"\n\ré ]{0,6}", 1 => "[xü]{1020,1030}"]
}

fn tables() -> impl Strategy<Value = (Vec<Kind>, Vec<Vec<Drawn>>)> {
    prop::collection::vec(kinds(), 1..6).prop_flat_map(|kinds| {
        let cell = prop::option::weighted(0.7, (numbers(), floats(), texts()));
        let rows = prop::collection::vec(prop::collection::vec(cell, kinds.len()), 0..20);
        (Just(kinds), rows)
    })
}

/// From 1700 to 2200, so that feather files need not clamp.
fn day(number: i64) -> i32 {
    (number.rem_euclid(182_000) - 98_000) as i32
}

fn column(kind: Kind, cells: &[Drawn]) -> ArrayRef {
    let number = |cell: &Drawn| cell.as_ref().map(|(number, ..)| *number);
    match kind {
        Kind::Bool => Arc::new(BooleanArray::from_iter(cells.iter().map(|cell| number(cell).map(|n| n % 2 == 0)))),
        Kind::Int | Kind::IntCategory { .. } => Arc::new(Int64Array::from_iter(cells.iter().map(number))),
        Kind::Float => Arc::new(Float64Array::from_iter(cells.iter().map(|cell| cell.as_ref().map(|(_, f, _)| *f)))),
        Kind::Str => Arc::new(StringArray::from_iter(cells.iter().map(|cell| cell.as_ref().map(|(.., text)| text)))),
        Kind::Date(_) => Arc::new(Date32Array::from_iter(cells.iter().map(|cell| number(cell).map(day)))),
    }
}

fn date(days: i64, precision: DatePrecision, first: bool) -> String {
    let mut date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
    if first {
        date = match precision {
            DatePrecision::Day => date,
            DatePrecision::Month => date.first_of_month(),
            DatePrecision::Year => date.first_of_year(),
        };
    }
    let text = date.to_string();
    match precision {
        DatePrecision::Day => text,
        DatePrecision::Month => {
            assert_eq!(&text[7..], "-01");
            text[..7].to_owned()
        }
        DatePrecision::Year => {
            assert_eq!(&text[4..], "-01-01");
            text[..4].to_owned()
        }
    }
}

/// What every format should say, worked out from the rule.
fn expected(kind: Kind, cell: &Drawn) -> String {
    let Some((number, float, text)) = cell else {
        return match kind {
            Kind::Bool | Kind::Int => "0".to_owned(),
            Kind::Float => "0.0".to_owned(),
            Kind::Str | Kind::Date(_) | Kind::IntCategory { missing: None } => String::new(),
            Kind::IntCategory { missing: Some(missing) } => missing.to_string(),
        };
    };
    match kind {
        Kind::Bool => u8::from(number % 2 == 0).to_string(),
        Kind::Int | Kind::IntCategory { .. } => number.to_string(),
        Kind::Float => format!("{float:?}"),
        Kind::Str => text.clone(),
        Kind::Date(precision) => date(i64::from(day(*number)), precision, true),
    }
}

/// A cell of a typed file in the words of [`expected`].
fn shown(kind: Kind, array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        // Both stand for nothing in real data.
        return if matches!(kind, Kind::IntCategory { missing: Some(_) }) { "0".to_owned() } else { String::new() };
    }
    let whole = |value: f64| (value as i64).to_string();
    match (kind, array.data_type()) {
        (_, DataType::Boolean) => u8::from(array.as_boolean().value(row)).to_string(),
        (_, DataType::Int8) => array.as_primitive::<Int8Type>().value(row).to_string(),
        (_, DataType::Int32) => array.as_primitive::<Int32Type>().value(row).to_string(),
        (_, DataType::Int64) => array.as_primitive::<Int64Type>().value(row).to_string(),
        (Kind::Float, DataType::Float64) => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        (_, DataType::Float64) => whole(array.as_primitive::<Float64Type>().value(row)),
        (_, DataType::Utf8) => array.as_string::<i32>().value(row).to_owned(),
        (Kind::Date(precision), DataType::Date32) => {
            date(i64::from(array.as_primitive::<Date32Type>().value(row)), precision, false)
        }
        (Kind::Date(precision), DataType::Timestamp(..)) => {
            let nanoseconds = array.as_primitive::<TimestampNanosecondType>().value(row);
            assert_eq!(nanoseconds % NANOSECONDS_OF_DAY, 0);
            date(nanoseconds / NANOSECONDS_OF_DAY, precision, false)
        }
        (_, DataType::Dictionary(..)) => {
            let dictionary = array.as_any_dictionary();
            let values = dictionary.values();
            let key = shown(Kind::Int, dictionary.keys(), row).parse().unwrap();
            shown(kind, values.as_ref(), key)
        }
        (_, other) => panic!("{other} is not expected"),
    }
}

fn read(format: Format, kinds: &[Kind], bytes: Vec<u8>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in Reader::open(format, Cursor::new(bytes), Limits::default()).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.len {
            let cells = batch.columns.iter().zip(kinds).map(|(array, kind)| match array.data_type() {
                DataType::Binary if *kind == Kind::Float => {
                    let text = std::str::from_utf8(array.as_binary::<i32>().value(row)).unwrap().to_owned();
                    format!("{:?}", text.parse::<f64>().unwrap())
                }
                DataType::Binary => String::from_utf8(array.as_binary::<i32>().value(row).to_vec()).unwrap(),
                _ => shown(*kind, array.as_ref(), row),
            });
            rows.push(cells.collect());
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn formats_agree((kinds, rows) in tables()) {
        let ids: Vec<Drawn> = (0..rows.len()).map(|id| Some((id as i64, 0.0, String::new()))).collect();
        let kinds: Vec<Kind> = [Kind::Int].into_iter().chain(kinds).collect();
        let mut columns = vec![ids];
        for at in 0..kinds.len() - 1 {
            columns.push(rows.iter().map(|row| row[at].clone()).collect());
        }
        let name = |at: usize| if at == 0 { "patient_id".to_owned() } else { format!("c{at}") };
        let fields = kinds.iter().enumerate().map(|(at, kind)| Field { name: name(at), kind: *kind }).collect();
        let arrays = kinds.iter().zip(&columns).enumerate().map(|(at, (kind, cells))| (name(at), column(*kind, cells), true));
        let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
        let half = batch.num_rows() / 2;
        let batches = vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)];
        let source = Memory { schema: Schema { fields }, batches };
        for format in Format::ALL {
            let mut bytes = Vec::new();
            let written = cohorts::write(format, &source, &mut bytes).unwrap();
            prop_assert_eq!((written.rows, written.bytes), (rows.len() as u64, bytes.len() as u64));
            let read = read(format, &kinds, bytes);
            prop_assert_eq!(read.len(), rows.len());
            for (row, cells) in read.iter().enumerate() {
                for (at, cell) in cells.iter().enumerate() {
                    let expected = expected(kinds[at], &columns[at][row]);
                    prop_assert_eq!(cell, &expected, "{:?} {:?} row {}", format, kinds[at], row);
                }
            }
        }
    }
}
