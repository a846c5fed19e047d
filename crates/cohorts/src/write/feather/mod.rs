//! Rows as an Arrow IPC file (Feather V2) with zstd, as pandas and R read it.
//! Spec study-definitions.md 9.2. A first pass gathers the dictionaries, a second one writes.

mod columns;
mod dictionary;
mod packed;
mod pandas;
mod table;

pub use self::table::FeatherWriter;

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef, TimeUnit};

use self::columns::Column;
use self::dictionary::{Dictionary, Gathering};
use self::packed::Packed;
use super::WriteError;
use super::cells::each_batch;
use crate::{Kind, Packing, Source};

/// Rows of one batch of the file, as other writers of the format have them.
const BATCH: usize = 65_536;

impl From<ArrowError> for WriteError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Io(error),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

pub(super) fn write(source: &dyn Source, out: &mut dyn Write) -> Result<u64, WriteError> {
    let mut gathering: Vec<Option<Gathering>> = source.schema().fields.iter().map(|f| Gathering::of(f.kind)).collect();
    let rows = each_batch(source, |columns, rows| {
        for (gathering, column) in gathering.iter_mut().zip(columns) {
            if let Some(gathering) = gathering {
                gathering.see(column, rows)?;
            }
        }
        Ok(())
    })?;
    let dictionaries: Vec<Option<Dictionary>> = gathering.into_iter().map(|g| g.map(Gathering::sorted)).collect();
    let schema = schema(source, &dictionaries, rows);
    let mut file = Packed::begin(out, &schema, Packing::Zstd)?;
    let expected = usize::try_from(rows).unwrap_or(usize::MAX).min(BATCH);
    let mut held: Vec<Column> = source
        .schema()
        .fields
        .iter()
        .zip(dictionaries)
        .map(|(field, dictionary)| Column::new(field.kind, dictionary, expected))
        .collect();
    let mut filled = 0;
    let again = each_batch(source, |columns, rows| {
        let mut from = 0;
        while from < rows {
            let taken = (rows - from).min(BATCH - filled);
            for (held, column) in held.iter_mut().zip(columns) {
                held.push(column, from, taken)?;
            }
            filled += taken;
            from += taken;
            if filled == BATCH {
                file.write(&batch(&schema, &mut held)?)?;
                filled = 0;
            }
        }
        Ok(())
    })?;
    if again != rows {
        return Err(WriteError::Changed);
    }
    // A file without rows has one batch without rows, which carries its dictionaries.
    if filled > 0 || rows == 0 {
        file.write(&batch(&schema, &mut held)?)?;
    }
    file.end(&schema)?;
    Ok(rows)
}

fn batch(schema: &SchemaRef, held: &mut [Column]) -> Result<RecordBatch, WriteError> {
    let arrays = held.iter_mut().map(Column::take).collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

fn schema(source: &dyn Source, dictionaries: &[Option<Dictionary>], rows: u64) -> SchemaRef {
    let fields: Vec<ArrowField> = source
        .schema()
        .fields
        .iter()
        .zip(dictionaries)
        .map(|(field, dictionary)| {
            let of = match (field.kind, dictionary) {
                (Kind::Bool, _) => DataType::Boolean,
                (Kind::Float, _) => DataType::Float64,
                (Kind::Date(_), _) => DataType::Timestamp(TimeUnit::Nanosecond, None),
                (_, Some(dictionary)) => dictionary.data_type(),
                _ => DataType::Int64,
            };
            ArrowField::new(field.name.clone(), of, true)
        })
        .collect();
    let metadata = pandas::metadata(&source.schema().fields, dictionaries, rows);
    Arc::new(ArrowSchema::new_with_metadata(fields, HashMap::from([("pandas".to_owned(), metadata)])))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use arrow_array::cast::AsArray as _;
    use arrow_array::types::{Int8Type, Int16Type, Int64Type};
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use arrow_ipc::reader::FileReader;

    use super::*;
    use crate::write::tests::table;

    fn read(source: &dyn Source) -> (SchemaRef, Vec<RecordBatch>) {
        let mut bytes = Vec::new();
        write(source, &mut bytes).unwrap();
        let reader = FileReader::try_new(Cursor::new(bytes), None).unwrap();
        (reader.schema(), reader.map(Result::unwrap).collect())
    }

    fn ids(rows: i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(0..rows))
    }

    #[test]
    fn dictionaries_are_sorted_and_small() {
        let texts = StringArray::from(vec![Some("b"), None, Some(""), Some("a"), Some("b")]);
        let imd = Int64Array::from(vec![Some(300), None, Some(0), Some(-5), Some(100)]);
        let source = table(vec![
            ("patient_id", Kind::Int, ids(5)),
            ("s", Kind::Str, Arc::new(texts)),
            ("imd", Kind::IntCategory { missing: Some(-1) }, Arc::new(imd.clone())),
            ("rural", Kind::IntCategory { missing: Some(0) }, Arc::new(imd.clone())),
            ("dummy", Kind::IntCategory { missing: None }, Arc::new(imd)),
        ]);
        let (_, batches) = read(&source);
        let column = |name: &str| batches[0].column_by_name(name).unwrap().as_dictionary::<Int8Type>().clone();
        let numbers = |name: &str| column(name).values().as_primitive::<Int64Type>().values().to_vec();
        let texts: Vec<_> = column("s").values().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
        assert_eq!(texts, ["a", "b"]);
        assert_eq!(column("s").keys().iter().collect::<Vec<_>>(), [Some(1), None, None, Some(0), Some(1)]);
        assert_eq!(numbers("imd"), [-5, -1, 100, 300]);
        assert_eq!(column("imd").keys().iter().collect::<Vec<_>>(), [Some(3), Some(1), None, Some(0), Some(2)]);
        assert_eq!(numbers("rural"), [-5, 100, 300]);
        assert_eq!(column("rural").keys().iter().collect::<Vec<_>>(), [Some(2), None, None, Some(0), Some(1)]);
        assert_eq!(numbers("dummy"), [-5, 0, 100, 300]);
        assert_eq!(column("dummy").keys().iter().collect::<Vec<_>>(), [Some(3), None, Some(1), Some(0), Some(2)]);
    }

    #[test]
    fn an_index_grows_with_its_values() {
        for (values, index) in [(0, DataType::Int8), (128, DataType::Int8), (129, DataType::Int16)] {
            let texts = StringArray::from_iter((0..129).map(|n| (n < values).then(|| n.to_string())));
            let source = table(vec![("patient_id", Kind::Int, ids(129)), ("s", Kind::Str, Arc::new(texts))]);
            let (schema, _) = read(&source);
            assert_eq!(
                *schema.field(1).data_type(),
                DataType::Dictionary(Box::new(index), Box::new(DataType::Utf8)),
                "{values}"
            );
        }
    }

    #[test]
    fn many_rows_are_several_batches() {
        let rows = 2 * BATCH as i64 + 1;
        let texts = StringArray::from_iter_values((0..rows).map(|n| (n % 1000).to_string()));
        let source = table(vec![("patient_id", Kind::Int, ids(rows)), ("s", Kind::Str, Arc::new(texts))]);
        let (_, batches) = read(&source);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [BATCH, BATCH, 1]);
        let mut next = 0;
        for batch in &batches {
            let ids = batch.column(0).as_primitive::<Int64Type>();
            let texts = batch.column(1).as_dictionary::<Int16Type>().downcast_dict::<StringArray>().unwrap();
            for (id, text) in ids.iter().zip(texts) {
                assert_eq!(id, Some(next));
                assert_eq!(text, Some((next % 1000).to_string().as_str()));
                next += 1;
            }
        }
    }

    #[test]
    fn no_rows_keep_their_types() {
        let none: [Option<&str>; 0] = [];
        let source =
            table(vec![("patient_id", Kind::Int, ids(0)), ("s", Kind::Str, Arc::new(StringArray::from_iter(none)))]);
        let (schema, batches) = read(&source);
        assert_eq!(schema.fields().len(), 2);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }
}
