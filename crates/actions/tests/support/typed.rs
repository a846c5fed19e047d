//! What a file of patients reads back as: `name:type` for each column, then the rows as csv, NULL for what is null.

use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use cohorts::Format;

/// The file as text, or why it cannot be read.
pub fn text(path: &Path) -> String {
    let Some((_, format)) = path.file_name().and_then(|name| name.to_str()).and_then(Format::of_name) else {
        return format!("{} is of no format", path.display());
    };
    let reader = match cohorts::read::open(path, format) {
        Ok(reader) => reader,
        Err(error) => return format!("{}: {error}", path.display()),
    };
    let heads: Vec<String> =
        reader.columns().iter().map(|column| format!("{}:{}", column.name(), name(&column.data_type))).collect();
    let mut text = heads.join(",") + "\n";
    for batch in reader {
        let batch = batch.unwrap();
        for row in 0..batch.len {
            let cells: Vec<String> = batch.columns.iter().map(|array| cell(array, row)).collect();
            text += &(cells.join(",") + "\n");
        }
    }
    text
}

/// The type in the words of section 9.2.
fn name(kind: &DataType) -> String {
    match kind {
        DataType::Boolean => "bool".into(),
        DataType::Utf8 => "str".into(),
        DataType::Float64 => "double".into(),
        DataType::Date32 => "day".into(),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "ns".into(),
        DataType::Dictionary(keys, values) => format!("{}<{}>", name(keys), name(values)),
        other => other.to_string().to_lowercase(),
    }
}

fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".into();
    }
    let day = |days: i64| {
        let first = jiff::civil::date(1970, 1, 1);
        first.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
    };
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => day(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Timestamp(..) => {
            let moment = array.as_primitive::<TimestampNanosecondType>().value(row);
            if moment % 86_400_000_000_000 == 0 { day(moment / 86_400_000_000_000) } else { moment.to_string() }
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            cell(dictionary.values(), dictionary.normalized_keys()[row])
        }
        other => panic!("{other} is not expected"),
    }
}
