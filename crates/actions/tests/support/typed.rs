//! A file of patients as text: `name:type` for each column, then the rows as csv, NULL for what is null. What one reads back
//! as, and one made of it.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use cohorts::{FeatherWriter, Format, Packing, StataColumn, WriteError, write_stata};

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

/// The path of the file that `path` says the text of, if it does.
pub fn file(path: &Path) -> Option<&Path> {
    let name = path.to_str()?.strip_suffix(".txt")?;
    [".feather", ".dta", ".dta.gz"].iter().any(|ending| name.ends_with(ending)).then_some(Path::new(name))
}

/// The bytes of a file of this text.
pub fn bytes(path: &Path, text: &str) -> Vec<u8> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heads: Vec<(&str, &str)> = lines.next().unwrap().iter().map(|head| head.split_once(':').unwrap()).collect();
    let rows: Vec<Vec<&str>> = lines.collect();
    let column = |(at, (name, kind)): (usize, &(&str, &str))| {
        let cells = rows.iter().map(|row| Some(row[at]).filter(|cell| *cell != "NULL")).collect();
        ((*name).to_owned(), array(kind, cells))
    };
    let (names, arrays): (Vec<String>, Vec<ArrayRef>) = heads.iter().enumerate().map(column).unzip();
    let mut out = Vec::new();
    match Format::of_name(path.file_name().unwrap().to_str().unwrap()).unwrap().1 {
        Format::Dta => stata(&names, &arrays, &mut out).unwrap(),
        Format::DtaGz => cohorts::gzip(1, &mut out, |out| stata(&names, &arrays, out)).unwrap(),
        _ => {
            let field = |(name, array): (&String, &ArrayRef)| Field::new(name, array.data_type().clone(), true);
            let schema = Arc::new(Schema::new(names.iter().zip(&arrays).map(field).collect::<Vec<_>>()));
            let mut file = FeatherWriter::begin(&mut out, Arc::clone(&schema), Packing::Zstd).unwrap();
            file.write(&RecordBatch::try_new(schema, arrays).unwrap()).unwrap();
            file.end().unwrap();
        }
    }
    out
}

fn stata(names: &[String], arrays: &[ArrayRef], out: &mut dyn std::io::Write) -> Result<(), WriteError> {
    let column = |(name, array): (&String, &ArrayRef)| StataColumn {
        name: name.clone(),
        data_type: array.data_type().clone(),
        format: None,
        labels: None,
    };
    let columns: Vec<StataColumn> = names.iter().zip(arrays).map(column).collect();
    write_stata(&columns, &mut |each| each(arrays), out).map(drop)
}

fn array(kind: &str, cells: Vec<Option<&str>>) -> ArrayRef {
    let day = |cell: &str| {
        let days = cell.parse::<jiff::civil::Date>().unwrap() - jiff::civil::date(1970, 1, 1);
        i64::from(days.get_days())
    };
    let cells = cells.into_iter();
    match kind {
        "bool" => Arc::new(cells.map(|cell| cell.map(|cell| cell.parse().unwrap())).collect::<BooleanArray>()),
        "int64" => Arc::new(cells.map(|cell| cell.map(|cell| cell.parse().unwrap())).collect::<Int64Array>()),
        "double" => Arc::new(cells.map(|cell| cell.map(|cell| cell.parse().unwrap())).collect::<Float64Array>()),
        "str" => Arc::new(cells.collect::<StringArray>()),
        "int8<str>" => Arc::new(cells.collect::<DictionaryArray<Int8Type>>()),
        "day" => Arc::new(cells.map(|cell| cell.map(|cell| day(cell) as i32)).collect::<Date32Array>()),
        "ns" => {
            let moments = cells.map(|cell| cell.map(|cell| day(cell) * 86_400_000_000_000));
            Arc::new(moments.collect::<TimestampNanosecondArray>())
        }
        other => panic!("{other}: no case has such a column yet"),
    }
}
