//! Times of writing and reading: `cargo run --release -p cohorts --example figures -- [FORMAT] [ROWS]`.
//! A study of 103 columns, as wide and as mixed as a real one; the bytes go nowhere, or to the file
//! named by a third argument, which is then read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever measures")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field as ArrowField, Schema as ArrowSchema};
use cohorts::{DatePrecision, Field, Format, Kind, Schema, Source};

const BATCH: u64 = 8_192;

struct Study {
    schema: Schema,
    arrow: Arc<ArrowSchema>,
    rows: u64,
}

/// A number that is always the same for one cell (SplitMix64).
fn draw(column: u64, row: u64) -> u64 {
    let mut z = (column << 40 ^ row).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Study {
    fn new(rows: u64) -> Self {
        let kind = |n: u64| match n {
            0 => Kind::Int,
            1..=40 => Kind::Date(DatePrecision::Day),
            41..=45 => Kind::Date(DatePrecision::Month),
            46..=75 => Kind::Bool,
            76..=85 => Kind::Int,
            86..=91 => Kind::Float,
            92..=101 => Kind::Str,
            _ => Kind::IntCategory { missing: Some(-1) },
        };
        let name = |n: u64| if n == 0 { "patient_id".to_owned() } else { format!("column_{n}") };
        let fields: Vec<Field> = (0..103).map(|n| Field { name: name(n), kind: kind(n) }).collect();
        let arrow = fields
            .iter()
            .map(|field| {
                let of = match field.kind {
                    Kind::Bool => DataType::Boolean,
                    Kind::Int | Kind::IntCategory { .. } => DataType::Int64,
                    Kind::Float => DataType::Float64,
                    Kind::Str => DataType::Utf8,
                    Kind::Date(_) => DataType::Date32,
                };
                ArrowField::new(field.name.clone(), of, true)
            })
            .collect::<Vec<_>>();
        Self { schema: Schema { fields }, arrow: Arc::new(ArrowSchema::new(arrow)), rows }
    }

    fn column(kind: Kind, column: u64, rows: std::ops::Range<u64>) -> ArrayRef {
        let there = |bits: u64| bits % 10 < 4;
        match kind {
            Kind::Int if column == 0 => Arc::new(Int64Array::from_iter_values(rows.map(|row| row as i64 * 9 + 1))),
            Kind::Bool => Arc::new(BooleanArray::from_iter(rows.map(|row| Some(there(draw(column, row)))))),
            Kind::Int => Arc::new(Int64Array::from_iter_values(rows.map(|row| (draw(column, row) % 90) as i64))),
            Kind::Float => Arc::new(Float64Array::from_iter(rows.map(|row| {
                let bits = draw(column, row);
                there(bits).then_some((bits >> 11) as f64 / 1e14)
            }))),
            Kind::Str => Arc::new(StringArray::from_iter(rows.map(|row| {
                let bits = draw(column, row);
                there(bits).then_some(["M", "F", "White", "Mixed", "London", "South East"][(bits >> 9) as usize % 6])
            }))),
            Kind::Date(_) => Arc::new(Date32Array::from_iter(rows.map(|row| {
                let bits = draw(column, row);
                there(bits).then_some(18_262 - ((bits >> 20) as f64 / 4.4e12).powi(3) as i32)
            }))),
            Kind::IntCategory { .. } => {
                Arc::new(Int64Array::from_iter_values(rows.map(|row| (draw(column, row) % 328 * 100) as i64)))
            }
        }
    }
}

impl Source for Study {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn batches(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, Box<dyn Error + Send + Sync>>> + '_> {
        Box::new((0..self.rows.div_ceil(BATCH)).map(|block| {
            let rows = block * BATCH..self.rows.min((block + 1) * BATCH);
            let columns = self
                .schema
                .fields
                .iter()
                .enumerate()
                .map(|(at, field)| Self::column(field.kind, at as u64, rows.clone()))
                .collect();
            Ok(RecordBatch::try_new(Arc::clone(&self.arrow), columns)?)
        }))
    }
}

fn most_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let formats: Vec<Format> = match arguments.first().map(String::as_str) {
        None | Some("all") => Format::ALL.to_vec(),
        Some(name) => vec![Format::of_name(&format!("x.{name}")).expect("one of the five formats").1],
    };
    let rows = arguments.get(1).map_or(100_000, |rows| rows.parse().expect("a number of rows"));
    let study = Study::new(rows);
    let start = Instant::now();
    for batch in study.batches() {
        std::hint::black_box(batch.unwrap());
    }
    println!("one pass over the source: {:.3} s", start.elapsed().as_secs_f64());
    for format in formats {
        let out: Box<dyn Write> = match arguments.get(2) {
            Some(path) => Box::new(BufWriter::new(File::create(path).unwrap())),
            None => Box::new(io::sink()),
        };
        let start = Instant::now();
        let written = cohorts::write(format, &study, out);
        let seconds = start.elapsed().as_secs_f64();
        println!("{:8} {seconds:.3} s {written:?} most memory {}", format.extension(), most_memory());
        if let Some(path) = arguments.get(2) {
            let start = Instant::now();
            let rows: usize = cohorts::read::open(path.as_ref(), format).unwrap().map(|rows| rows.unwrap().len).sum();
            let seconds = start.elapsed().as_secs_f64();
            println!("{:8} {seconds:.3} s to read {rows} rows, most memory {}", "", most_memory());
        }
    }
}
