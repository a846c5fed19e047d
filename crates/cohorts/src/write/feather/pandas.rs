//! What pandas wants to know of a table beside its Arrow types: that its rows are only numbered, and which columns
//! are categories.

use serde_json::{Value, json};

use super::dictionary::Dictionary;
use crate::{Field, Kind};

pub(super) fn metadata(fields: &[Field], dictionaries: &[Option<Dictionary>], rows: u64) -> String {
    let columns: Vec<Value> =
        fields.iter().zip(dictionaries).map(|(field, dictionary)| column(field, dictionary.as_ref())).collect();
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

fn column(field: &Field, dictionary: Option<&Dictionary>) -> Value {
    let (pandas, numpy, metadata) = match (field.kind, dictionary) {
        (Kind::Bool, _) => ("bool", "bool".to_owned(), Value::Null),
        (Kind::Float, _) => ("float64", "float64".to_owned(), Value::Null),
        (Kind::Date(_), _) => ("datetime", "datetime64[ns]".to_owned(), Value::Null),
        (_, Some(dictionary)) => (
            "categorical",
            dictionary.index().to_string().to_lowercase(),
            json!({"num_categories": dictionary.values.len(), "ordered": false}),
        ),
        _ => ("int64", "int64".to_owned(), Value::Null),
    };
    json!({
        "name": field.name,
        "field_name": field.name,
        "pandas_type": pandas,
        "numpy_type": numpy,
        "metadata": metadata,
    })
}
