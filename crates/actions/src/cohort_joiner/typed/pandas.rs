//! What pandas wants to know of a table beside its Arrow types, brought up to date for a result (actions.md 3.4).
//! Entries of both sides are kept, under their new names; rows are only numbered.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::{Value, json};

/// Entries of a file's columns, by their names in it.
pub(super) fn entries(notes: Option<&String>) -> HashMap<String, Value> {
    let parsed: Option<Value> = notes.and_then(|text| serde_json::from_str(text).ok());
    let columns = parsed.as_ref().and_then(|notes| notes.get("columns")?.as_array()).cloned().unwrap_or_default();
    let named = columns.into_iter().filter_map(|entry| {
        let name = entry.get("field_name").or_else(|| entry.get("name"))?.as_str()?.to_owned();
        entry.is_object().then_some((name, entry))
    });
    named.collect()
}

/// The note of a result. `columns`: each with its entry so far, if it has one.
pub(super) fn note(columns: &[(&Field, Option<&Value>)], rows: u64) -> String {
    let columns: Vec<Value> = columns.iter().map(|(field, entry)| column(field, *entry)).collect();
    json!({
        "index_columns": [{"kind": "range", "name": null, "start": 0, "stop": rows, "step": 1}],
        "column_indexes": [{
            "name": null,
            "field_name": null,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }],
        "columns": columns,
        "creator": {"library": "cloister", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "1.0.1",
    })
    .to_string()
}

fn column(field: &Field, entry: Option<&Value>) -> Value {
    let mut entry = entry.cloned().unwrap_or_else(|| of_type(field.data_type()));
    if let Value::Object(entry) = &mut entry {
        entry.insert("name".to_owned(), json!(field.name()));
        entry.insert("field_name".to_owned(), json!(field.name()));
    }
    entry
}

fn of_type(of: &DataType) -> Value {
    let (pandas, numpy) = match of {
        DataType::Boolean => ("bool", "bool".to_owned()),
        DataType::Utf8 | DataType::LargeUtf8 => ("unicode", "object".to_owned()),
        DataType::Binary | DataType::LargeBinary => ("bytes", "object".to_owned()),
        DataType::Date32 | DataType::Date64 => ("date", "object".to_owned()),
        DataType::Timestamp(unit, _) => ("datetime", format!("datetime64[{}]", short(*unit))),
        DataType::Duration(unit) => ("timedelta", format!("timedelta64[{}]", short(*unit))),
        DataType::Dictionary(index, _) => ("categorical", index.to_string().to_lowercase()),
        DataType::Null => ("empty", "object".to_owned()),
        number => {
            let name = number.to_string().to_lowercase();
            return json!({"name": null, "field_name": null, "pandas_type": name, "numpy_type": name, "metadata": null});
        }
    };
    json!({"name": null, "field_name": null, "pandas_type": pandas, "numpy_type": numpy, "metadata": null})
}

const fn short(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}
