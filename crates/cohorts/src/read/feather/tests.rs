//! Types as the file has them, and files that lie.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Int64Array, LargeStringArray, NullArray,
    RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array,
};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_ipc::{CompressionType, MetadataVersion};
use proptest::prelude::*;

use crate::Format;
use crate::read::{Limits, Place, ReadError, Reader, Rows};

fn batch() -> RecordBatch {
    let words: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("a")].into_iter().collect();
    let ids = DictionaryArray::<Int32Type>::new(vec![1, 1, 0].into(), Arc::new(Int64Array::from(vec![7, 9])));
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, true),
        ("small", Arc::new(UInt8Array::from(vec![Some(1), None, Some(255)])), true),
        ("float", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(-1.0)])), true),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])), true),
        ("text", Arc::new(StringArray::from(vec![Some("é"), None, Some("")])), true),
        ("large", Arc::new(LargeStringArray::from(vec![Some("x"), None, Some("yy")])), true),
        ("words", Arc::new(words), true),
        ("ids", Arc::new(ids), true),
        ("day", Arc::new(Date32Array::from(vec![Some(0), None, Some(-1)])), true),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![Some(1), None, Some(-1)])), true),
        ("nothing", Arc::new(NullArray::new(3)), true),
    ])
    .unwrap()
}

fn file(compression: Option<CompressionType>, version: MetadataVersion, batches: usize) -> Vec<u8> {
    let options = IpcWriteOptions::try_new(8, false, version).unwrap().try_with_compression(compression).unwrap();
    let mut file = FileWriter::try_new_with_options(Vec::new(), &batch().schema(), options).unwrap();
    for _ in 0..batches {
        file.write(&batch()).unwrap();
    }
    file.finish().unwrap();
    file.into_inner().unwrap()
}

fn read(bytes: &[u8], limits: Limits) -> Result<Vec<Rows>, ReadError> {
    Reader::open(Format::Feather, Cursor::new(bytes.to_vec()), limits)?.collect()
}

fn fault(bytes: &[u8]) -> ReadError {
    read(bytes, Limits::default()).unwrap_err()
}

#[test]
fn columns_can_be_left_out_between_batches_and_their_nulls_are_still_told() {
    let bytes = file(Some(CompressionType::ZSTD), MetadataVersion::V5, 3);
    let mut reader = Reader::open(Format::Feather, Cursor::new(bytes), Limits::default()).unwrap();
    assert_eq!(reader.nulls(), None);
    assert_eq!(reader.rows().unwrap(), Some(9));
    let types = |rows: Rows| rows.columns.iter().map(|column| column.data_type().clone()).collect::<Vec<_>>();
    reader.keep(&[6]);
    assert_eq!(types(reader.next().unwrap().unwrap()), [batch().column(6).data_type().clone()]);
    assert_eq!(reader.nulls(), Some(&[0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 3][..]));
    // Categories are those of the list that was read at the beginning.
    reader.keep(&[3, 6]);
    let rows = reader.next().unwrap().unwrap();
    assert_eq!((rows.before, rows.len), (3, 3));
    assert_eq!(rows.columns[1].as_ref(), batch().column(6).as_ref());
    reader.keep(&[]);
    let rows = reader.next().unwrap().unwrap();
    assert_eq!((rows.before, rows.len, rows.columns.len()), (6, 3, 0));
    assert_eq!(reader.nulls().map(<[u64]>::len), Some(11));
    assert!(reader.next().is_none());
}

#[test]
fn types_are_kept_in_every_packing() {
    for (compression, version) in [
        (None, MetadataVersion::V5),
        (None, MetadataVersion::V4),
        (Some(CompressionType::ZSTD), MetadataVersion::V5),
        (Some(CompressionType::LZ4_FRAME), MetadataVersion::V5),
    ] {
        let bytes = file(compression, version, 2);
        let mut reader = Reader::open(Format::Feather, Cursor::new(bytes), Limits::default()).unwrap();
        let expected = batch();
        for (column, field) in reader.columns().iter().zip(expected.schema().fields()) {
            assert_eq!((column.name().as_ref(), &column.data_type), (field.name().as_str(), field.data_type()));
        }
        for before in [0, 3] {
            let rows = reader.next().unwrap().unwrap();
            assert_eq!((rows.before, rows.len), (before, 3));
            assert_eq!(rows.columns, expected.columns());
        }
        assert!(reader.next().is_none());
    }
}

#[test]
fn columns_may_be_left_out_and_repeated() {
    let bytes = file(Some(CompressionType::ZSTD), MetadataVersion::V5, 1);
    let mut reader = Reader::open(Format::Feather, Cursor::new(bytes), Limits::default()).unwrap();
    reader.keep(&[6, 0, 6]);
    let rows = reader.next().unwrap().unwrap();
    let expected = batch();
    assert_eq!(rows.columns, [expected.column(6).clone(), expected.column(0).clone(), expected.column(6).clone()]);
}

#[test]
fn what_is_no_feather_file_is_told() {
    assert!(matches!(fault(b""), ReadError::Malformed { place: Place::Header, .. }));
    assert!(matches!(fault(b"patient_id,a\n1,2\n3,4\n5,6\n"), ReadError::Malformed { place: Place::Header, .. }));
    assert!(matches!(fault(b"FEA1\0\0\0\0 and more, FEA1"), ReadError::Unsupported { .. }));
    let whole = file(None, MetadataVersion::V5, 1);
    for length in 8..whole.len() {
        assert!(
            matches!(fault(&whole[..length]), ReadError::Truncated { .. } | ReadError::Malformed { .. }),
            "{length}"
        );
    }
    assert!(matches!(fault(&whole[..whole.len() / 2]), ReadError::Truncated { .. }));
}

#[test]
fn a_batch_has_a_limit() {
    let bytes = file(Some(CompressionType::ZSTD), MetadataVersion::V5, 1);
    let fault = read(&bytes, Limits { batch: 100, ..Limits::default() }).unwrap_err();
    assert!(matches!(fault, ReadError::TooLarge { .. }), "{fault:?}");
}

#[test]
fn a_nested_column_is_named() {
    let pairs = arrow_array::StructArray::from(batch());
    let batch = RecordBatch::try_from_iter([("pair", Arc::new(pairs) as ArrayRef)]).unwrap();
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap();
    let fault = fault(&file.into_inner().unwrap());
    assert_eq!(
        fault.to_string(),
        "the column pair of type Struct_ cannot be read; columns hold numbers, texts, yes and no, dates or categories"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_bytes_make_it_panic(
        packing in prop::sample::select(vec![None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![0u8, 1, 4, 0x7f, 0x80, 0xff])), 1..6),
    ) {
        let mut bytes = file(packing, MetadataVersion::V5, 1);
        for (at, with) in changes {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        let _ = read(&bytes, Limits { batch: 1 << 20, ..Limits::default() });
    }
}
