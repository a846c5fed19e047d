//! Any bytes as a file of patients in each format: never a panic, never more memory than the limits say.
#![no_main]

use std::io::Cursor;

use cohorts::read::{Limits, Reader};
use cohorts::{DatePrecision, Field, Format, Kind, Schema, validate};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits =
    Limits { record: 1 << 16, columns: 1_000, batch: 1 << 22, texts: 1 << 20, unpacked_free: 1 << 22, unpacked_ratio: 20 };

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses the format, the rest is the file.
    let Some((choice, file)) = bytes.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    if let Ok(reader) = Reader::open(format, Cursor::new(file.to_vec()), LIMITS) {
        let width = reader.columns().len();
        let mut before = 0;
        for rows in reader.map_while(Result::ok) {
            assert_eq!(rows.before, before, "rows follow each other");
            assert_eq!(rows.columns.len(), width);
            assert!(rows.columns.iter().all(|column| column.len() == rows.len), "columns are as long as their batch");
            before += rows.len as u64;
        }
    }
    if let Ok(reader) = Reader::open(format, Cursor::new(file.to_vec()), LIMITS) {
        let kinds = [Kind::Bool, Kind::Int, Kind::Float, Kind::Str, Kind::Date(DatePrecision::Month)];
        let names: Vec<String> = reader.columns().iter().map(|column| column.name().into_owned()).collect();
        let fields = names.into_iter().zip(kinds.into_iter().cycle()).map(|(name, kind)| Field { name, kind }).collect();
        for finding in validate::rows(reader, &Schema { fields }).findings {
            assert!(!finding.to_string().is_empty());
        }
    }
});
