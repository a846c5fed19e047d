//! Times of dummy data: `cargo run --release -p study --example dummy -- [ROWS] [DATES] [COLUMNS] [FORMAT]`.
//! The columns are as many and as mixed as those of a real study; with a format they are written, to nowhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for whoever measures"
)]

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use cohorts::{DatePrecision, Format, Source};
use jiff::ToSpan;
use jiff::civil::date;
use study::expectations::{Cohort, SEED, Settings};
use study::model::{ColumnType, DeathFact, Part, Period, Query, Study, Variable, VariableId};
use study::recording::{Recording, SourceId, Value};

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (text(key), value.clone())).collect())
}

fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn variable(place: usize) -> Variable {
    let incidence = ("incidence", Value::Float(0.1 + 0.8 * (place % 10) as f64 / 10.0));
    let normal = map(&[("distribution", text("normal")), ("mean", Value::Float(25.0)), ("stddev", Value::Float(4.0))]);
    let ages = map(&[("distribution", text("population_ages"))]);
    let labels = map(&[(
        "ratios",
        map(&[("White", Value::Float(0.6)), ("Mixed", Value::Float(0.3)), ("Other", Value::Float(0.1))]),
    )]);
    let dated = map(&[("earliest", text("2018-01-01")), ("latest", text("index_date"))]);
    let (kind, part) = match place % 20 {
        0..=7 => (ColumnType::Bool, None),
        8..=14 => (ColumnType::Date(DatePrecision::Day), Some(("date", dated.clone()))),
        15 | 16 => (ColumnType::Int, Some(("int", ages))),
        17 => (ColumnType::Float, Some(("float", normal))),
        _ => (ColumnType::Str, Some(("category", labels))),
    };
    let query = match kind {
        ColumnType::Date(_) if place % 20 == 8 && place > 20 => {
            Query::ValueFrom { source: VariableId(place - 1), part: Part::Date }
        }
        ColumnType::Date(_) => Query::PrimaryCareDeath { period: Period::default(), returning: DeathFact::DateOfDeath },
        _ => Query::Sex,
    };
    let expectations = map(&[incidence, part.unwrap_or(("date", dated.clone())), ("date", dated)]);
    let src = SourceId(0);
    Variable {
        name: format!("column_{place}"),
        called: String::new(),
        hidden: false,
        kind,
        query,
        expectations,
        src,
        via: vec![],
        name_src: None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, otherwise: u64| arguments.get(place).map_or(otherwise, |text| text.parse().expect("a number"));
    let (rows, dates, columns) = (number(0, 100_000), number(1, 1), number(2, 102) as usize);
    let format = arguments.get(3).map(|name| Format::of_name(&format!("x.{name}")).expect("a format").1);
    let mut variables: Vec<Variable> = (0..columns).map(variable).collect();
    variables.push(Variable { query: Query::AllPatients, name: "population".into(), ..variable(0) });
    let study = Study { variables, index_date: None, default_expectations: Value::Null };
    let recording = Recording {
        recorder: String::new(),
        python: String::new(),
        module: String::new(),
        file: String::new(),
        date: date(2022, 1, 1),
        params_given: vec![],
        params_read: vec![],
        sources: vec![],
        codelists: BTreeMap::new(),
        study: None,
        measures: None,
        files_read: vec![],
        faults: vec![],
        exception: None,
    };
    let start = Instant::now();
    let mut bytes = 0;
    for week in 0..dates {
        let index_date = date(2020, 1, 1).checked_add((week as i64).weeks()).unwrap();
        let settings = Settings { index_date: Some(index_date), today: date(2022, 1, 1), patients: rows, seed: SEED };
        let cohort = Cohort::new(&study, &recording, &settings, None).unwrap_or_else(|faults| panic!("{faults:?}"));
        match format {
            Some(format) => bytes += cohorts::write(format, &cohort, std::io::sink()).unwrap().bytes,
            None => bytes += cohort.batches().map(|batch| batch.unwrap().get_array_memory_size() as u64).sum::<u64>(),
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned();
    println!(
        "{rows} rows x {} columns x {dates} dates: {:.3} s, {bytes} bytes, at most {memory}",
        columns + 1,
        start.elapsed().as_secs_f64()
    );
}
