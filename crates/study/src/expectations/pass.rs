//! One pass over the rows of dummy data: blocks of 8,192 rows, each forgotten when the next is made.

use std::cmp::Ordering;
use std::error::Error;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use cohorts::Kind;

use super::Cohort;
use super::dates::day_number;
use super::draw::{Draw, Labels};
use super::normal;
use super::plan::{Column, Drawn, Make};
use super::stream::{Key, Purpose, Selection, Stream};
use crate::model::{Extreme, Scalar};

/// Rows of one block.
const BLOCK: u64 = 8_192;

pub(crate) struct Pass<'a> {
    cohort: &'a Cohort,
    /// Rows that are made already.
    row: u64,
    patients: Patients<'a>,
    streams: Vec<Option<Streams>>,
    words: Vec<u64>,
    present: Vec<bool>,
}

struct Streams {
    values: Stream,
    empty: Option<Selection>,
}

/// Where patient ids come from.
enum Patients<'a> {
    /// A value file.
    File(&'a [i64]),
    /// N distinct numbers from 1 to 10N - 1, ascending: the next candidate, and the choice among all.
    Chosen(i64, Box<Selection>),
}

impl<'a> Pass<'a> {
    pub(crate) fn new(cohort: &'a Cohort) -> Self {
        let patients = match &cohort.files {
            Some(files) => Patients::File(&files.patients),
            None => {
                let key = Key::new(cohort.seed, Purpose::Patients, "patient_id", b"", cohort.patients);
                let candidates = cohort.patients.saturating_mul(10).saturating_sub(1);
                Patients::Chosen(1, Box::new(Selection::new(cohort.patients, candidates, key)))
            }
        };
        let streams = cohort.plan.columns.iter().map(|column| match &column.make {
            Make::Drawn(Drawn { values, empty, .. }) => {
                let empty = empty.map(|(rows, key)| Selection::new(rows, cohort.patients, key));
                Some(Streams { values: values.stream(), empty })
            }
            _ => None,
        });
        Self { cohort, row: 0, patients, streams: streams.collect(), words: Vec::new(), present: Vec::new() }
    }

    fn block(&mut self, rows: usize) -> Result<RecordBatch, Box<dyn Error + Send + Sync>> {
        let ids = self.ids(rows);
        let mut made: Vec<ArrayRef> = Vec::with_capacity(self.cohort.plan.columns.len());
        for (place, column) in self.cohort.plan.columns.iter().enumerate() {
            let array = match &column.make {
                Make::File(file) => self.file(*file, rows)?,
                Make::Same(other) => Arc::clone(&made[*other]),
                Make::Fixed(value) => fixed(value, rows),
                Make::Extreme(which, of) => extreme(column, *which, of, &made, rows),
                Make::Drawn(drawn) => self.drawn(place, drawn, rows),
            };
            made.push(array);
        }
        let written = self.cohort.plan.written.iter().map(|place| match place {
            Some(place) => Arc::clone(&made[*place]),
            None => Arc::clone(&ids),
        });
        self.row += rows as u64;
        Ok(RecordBatch::try_new(Arc::clone(&self.cohort.arrow), written.collect())?)
    }

    fn ids(&mut self, rows: usize) -> ArrayRef {
        let ids: Vec<i64> = match &mut self.patients {
            Patients::File(ids) => ids.iter().skip(self.row as usize).take(rows).copied().collect(),
            Patients::Chosen(next, chosen) => {
                let mut ids = Vec::with_capacity(rows);
                while ids.len() < rows && chosen.left() {
                    if chosen.next() {
                        ids.push(*next);
                    }
                    *next += 1;
                }
                ids
            }
        };
        Arc::new(Int64Array::from(ids))
    }

    fn file(&self, column: usize, rows: usize) -> Result<ArrayRef, Box<dyn Error + Send + Sync>> {
        let files = self.cohort.files.as_ref().ok_or("no value file was read")?;
        let (_, array) = files.columns.get(column).ok_or("a column of a value file is absent")?;
        match (self.row as usize).checked_add(rows) {
            Some(end) if end <= array.len() => Ok(array.slice(self.row as usize, rows)),
            _ => Err("a column of a value file is too short".into()),
        }
    }

    fn drawn(&mut self, place: usize, drawn: &Drawn, rows: usize) -> ArrayRef {
        let Some(streams) = &mut self.streams[place] else {
            return arrow_array::new_null_array(&arrow_schema::DataType::Null, rows);
        };
        self.present.clear();
        match &mut streams.empty {
            Some(selection) => self.present.extend((0..rows).map(|_| !selection.next())),
            None => self.present.resize(rows, true),
        }
        self.words.clear();
        if !matches!(drawn.draw, Draw::Flag) {
            self.words.extend((0..rows).map(|_| streams.values.bits()));
        }
        values(drawn, &self.words, &self.present)
    }
}

impl Iterator for Pass<'_> {
    type Item = Result<RecordBatch, Box<dyn Error + Send + Sync>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = (self.cohort.patients - self.row).min(BLOCK);
        (rows > 0).then(|| self.block(rows as usize))
    }
}

/// A block of drawn values: numbers that are emptied are 0, others NULL.
fn values(drawn: &Drawn, words: &[u64], present: &[bool]) -> ArrayRef {
    let rows = words.iter().zip(present);
    match &drawn.draw {
        Draw::Flag => Arc::new(BooleanArray::from(present.to_vec())),
        Draw::WholeNormal { mean, stddev } => whole(rows, |word| (mean + stddev * normal::standard(word)) as i64),
        Draw::Poisson { poisson, .. } => whole(rows, |word| poisson.draw(word)),
        Draw::Ages(ages) => whole(rows, |word| ages.pick(word) as i64),
        Draw::Normal { mean, stddev } => {
            let number =
                |(word, present): (&u64, &bool)| if *present { mean + stddev * normal::standard(*word) } else { 0.0 };
            Arc::new(Float64Array::from_iter_values(rows.map(number)))
        }
        Draw::Days(days) => {
            let (from, to) = drawn.within.unwrap_or((i32::MIN, i32::MAX));
            let day = |(word, present): (&u64, &bool)| {
                present.then(|| days.pick(*word)).filter(|day| (from..=to).contains(day))
            };
            Arc::new(Date32Array::from_iter(rows.map(day)))
        }
        Draw::Labels { labels, weighted, .. } => {
            let picks = rows.map(|(word, present)| present.then(|| weighted.pick(*word)));
            match labels {
                Labels::Texts(texts) => {
                    let mut builder = StringBuilder::with_capacity(words.len(), words.len() * 8);
                    picks.for_each(|pick| builder.append_option(pick.and_then(|pick| texts[pick].as_deref())));
                    Arc::new(builder.finish())
                }
                Labels::Numbers(numbers) => Arc::new(Int64Array::from_iter(picks.map(|pick| numbers[pick?]))),
                Labels::Days(days) => Arc::new(Date32Array::from_iter(picks.map(|pick| days[pick?]))),
            }
        }
    }
}

fn whole<'a>(rows: impl Iterator<Item = (&'a u64, &'a bool)>, number: impl Fn(u64) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.map(|(word, present)| if *present { number(*word) } else { 0 })))
}

fn fixed(value: &Scalar, rows: usize) -> ArrayRef {
    match value {
        Scalar::Bool(value) => Arc::new(BooleanArray::from(vec![*value; rows])),
        Scalar::Int(value) => Arc::new(Int64Array::from(vec![*value; rows])),
        Scalar::Float(value) => Arc::new(Float64Array::from(vec![*value; rows])),
        Scalar::Str(value) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows))),
        Scalar::Date(value) => Arc::new(Date32Array::from(vec![day_number(*value); rows])),
    }
}

/// Row by row over inputs of one type. Missing dates and texts are skipped; the zero of a number counts.
fn extreme(column: &Column, which: Extreme, of: &[usize], made: &[ArrayRef], rows: usize) -> ArrayRef {
    let inputs = || of.iter().map(|place| &made[*place]);
    let wins = |order: Ordering| match which {
        Extreme::Minimum => order == Ordering::Less,
        Extreme::Maximum => order == Ordering::Greater,
    };
    macro_rules! best {
        ($arrays:expr, $builder:expr, $missing:expr, $compare:expr) => {{
            let arrays: Vec<_> = $arrays;
            let mut builder = $builder;
            for row in 0..rows {
                let values = arrays.iter().filter(|array| array.is_valid(row)).map(|array| array.value(row));
                let best =
                    values.filter(|value| !$missing(value)).reduce(|a, b| if wins($compare(&b, &a)) { b } else { a });
                builder.append_option(best);
            }
            Arc::new(builder.finish())
        }};
    }
    match column.field.kind {
        Kind::Bool => {
            best!(
                inputs().map(|a| a.as_boolean()).collect(),
                BooleanBuilder::with_capacity(rows),
                |_: &bool| false,
                bool::cmp
            )
        }
        Kind::Int | Kind::IntCategory { .. } => {
            let arrays = inputs().map(|a| a.as_primitive::<Int64Type>()).collect();
            best!(arrays, Int64Builder::with_capacity(rows), |_: &i64| false, i64::cmp)
        }
        Kind::Float => {
            let arrays = inputs().map(|a| a.as_primitive::<Float64Type>()).collect();
            best!(arrays, Float64Builder::with_capacity(rows), |_: &f64| false, f64::total_cmp)
        }
        Kind::Date(_) => {
            let arrays = inputs().map(|a| a.as_primitive::<Date32Type>()).collect();
            best!(arrays, Date32Builder::with_capacity(rows), |_: &i32| false, i32::cmp)
        }
        Kind::Str => {
            let arrays = inputs().map(|a| a.as_string::<i32>()).collect();
            best!(arrays, StringBuilder::new(), |text: &&str| text.is_empty(), |a: &&str, b: &&str| ignoring_case(a, b))
        }
    }
}

/// As texts compare in real data.
fn ignoring_case(a: &str, b: &str) -> Ordering {
    let folded = |text: &str| text.trim_end_matches(' ').to_lowercase();
    folded(a).cmp(&folded(b))
}
