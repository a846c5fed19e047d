//! Random definitions over random tables for random index dates: never a panic, and the same values in every format.
//! Spec study-definitions.md 9.2 and 15. What the values are is for `study` to test, whose draws these are;
//! `RANDOM=7 RANDOM_STUDIES=100` draws others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../study/tests/random/data.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod data;
#[path = "../../study/tests/random/draw.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod draw;
#[path = "../../study/tests/random/expressions.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod expressions;
#[path = "../../study/tests/random/functions.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests, which use the rest")]
mod functions;
#[path = "../../study/tests/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests, which use the rest")]
mod support;

use std::fs;
use std::path::Path;

use actions::{Context, StudyCommand};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int8Type, Int32Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use cohorts::{DatePrecision, Format};
use draw::Draw;
use jiff::civil::{Date, date};
use study::CheckOptions;
use study::model::ColumnType;
use study::recording::Recording;
use support::case::{Case, Run};
use support::tables::{Folder, Table};

const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;
/// What a feather file can hold, in days from 1970.
const FEATHER_DAYS: [i64; 2] = [-106_752, 106_751];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Never the 29th to the 31st: month arithmetic on fixed days is strict.
fn dates(draw: &mut Draw) -> Vec<Date> {
    let one = |draw: &mut Draw| date(2019 + draw.below(4) as i16, 1 + draw.below(12) as i8, 1 + draw.below(28) as i8);
    let mut all = vec![one(draw), one(draw)];
    all.sort();
    all.dedup();
    all
}

fn case(text: &str, dates: &[Date], seed: u64) -> Case {
    Case {
        name: format!("random {seed}"),
        title: String::new(),
        tables: Folder::new(),
        files: vec![("output/values.csv".into(), data::file(&mut Draw::new(seed)))],
        studies: vec![("study_definition".into(), text.to_owned())],
        run: Run { index_dates: dates.to_vec(), ..Run::default() },
        expects: Vec::new(),
    }
}

#[test]
fn every_format_holds_the_same_values() {
    let (first, count) = (setting("RANDOM", 1), setting("RANDOM_STUDIES", 12));
    let mut cases = Vec::new();
    for seed in first..first + count {
        let drawn = functions::study(&mut Draw::new(seed));
        cases.push(case(&drawn.text, &dates(&mut Draw::new(seed + 7_000)), seed));
    }
    let mut compared = 0;
    for (case, recorded) in cases.iter().zip(support::recorder::texts(&cases)) {
        compared += one(case, &recorded.into_iter().next().unwrap().unwrap());
    }
    assert!(compared > count as usize, "only {compared} files could be compared");
}

/// Runs a recording over its own tables in all formats; how many files were compared.
fn one(case: &Case, recorded: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let seed: u64 = case.name.split(' ').next_back().unwrap().parse().unwrap();
    fs::create_dir(root.join("tables")).unwrap();
    for (name, table) in data::tables(&mut Draw::new(seed * 1000)) {
        fs::write(root.join(format!("tables/{name}.csv")), table.to_csv()).unwrap();
    }
    for (path, text) in &case.files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    fs::write(root.join("recording.json"), recorded).unwrap();
    let mut ended = Vec::new();
    for format in Format::ALL {
        ended.push(run(root, case, format));
    }
    // Data that contradict what the study says of them stop every run alike, and leave nothing.
    assert!(ended.iter().all(|one| one.0 == ended[0].0), "{}: {ended:?}", case.name);
    if ended[0].0 != 0 {
        assert!(ended.iter().all(|(_, said)| said.contains("error[D51")), "{}: {ended:?}", case.name);
        let left: Vec<_> = fs::read_dir(root.join("out")).map(|all| all.flatten().collect()).unwrap_or_default();
        assert!(left.is_empty(), "{}: {left:?}", case.name);
        return 0;
    }
    let recording = Recording::parse(recorded.as_bytes()).unwrap();
    let options = CheckOptions { index_dates: case.run.index_dates.clone(), ..CheckOptions::new(recording.date) };
    let study = study::check(&recording, &options).study.unwrap();
    let kinds: Vec<ColumnType> = study.columns().map(|id| study[id].kind).collect();
    let kinds = [&[ColumnType::Int], kinds.as_slice()].concat();
    for date in &case.run.index_dates {
        let csv = fs::read_to_string(root.join(format!("out/{date}.csv"))).unwrap();
        let expected = Table::parse(&csv).unwrap();
        for format in Format::ALL {
            let path = root.join(format!("out/{date}.{}", format.extension()));
            compare(&expected, &kinds, &path, format, &format!("{} {date} {format:?}\n{csv}", case.name));
        }
    }
    case.run.index_dates.len() * Format::ALL.len()
}

fn run(root: &Path, case: &Case, format: Format) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    fs::create_dir_all(root.join("out")).unwrap();
    let command = StudyCommand::Run {
        recording: "recording.json".into(),
        data: "tables".into(),
        out: format!("out/{{date}}.{}", format.extension()).into(),
        index_dates: case.run.index_dates.iter().map(ToString::to_string).collect(),
    };
    let code = actions::study(&command, &mut Context::by_hand(root, &mut out, &mut err));
    (code, String::from_utf8(err).unwrap())
}

fn compare(expected: &Table, kinds: &[ColumnType], path: &Path, format: Format, what: &str) {
    let reader = cohorts::read::open(path, format).unwrap();
    let names: Vec<String> = reader.columns().iter().map(|column| column.name().into_owned()).collect();
    assert_eq!(names, expected.columns, "{what}");
    let mut row = 0;
    for batch in reader {
        let batch = batch.unwrap();
        for at in 0..batch.len {
            for (column, kind) in kinds.iter().enumerate() {
                let wanted = expected.rows[row][column].clone().unwrap_or_default();
                let found = shown(*kind, &batch.columns[column], at);
                let wanted = kept(*kind, &wanted, format);
                assert_eq!(found, wanted, "row {row} {} {what}", names[column]);
            }
            row += 1;
        }
    }
    assert_eq!(row, expected.rows.len(), "{what}");
}

/// What a format keeps of a value of the csv file, by the rule of its format.
fn kept(kind: ColumnType, text: &str, format: Format) -> String {
    match (kind, format) {
        // Labels: 0 is no label (9.2), whether it was missing or not.
        (ColumnType::IntCategory { .. }, Format::Feather) if text == "0" => String::new(),
        (ColumnType::Date(_), Format::Feather) if !text.is_empty() => {
            let full = format!("{text}{}", &"-01-01"[..10 - text.len()]);
            let day = days(full.parse().unwrap());
            if day < FEATHER_DAYS[0] {
                "before".to_owned()
            } else if day > FEATHER_DAYS[1] {
                "after".to_owned()
            } else {
                text.to_owned()
            }
        }
        _ => text.to_owned(),
    }
}

fn days(day: Date) -> i64 {
    i64::from(date(1970, 1, 1).until((jiff::Unit::Day, day)).unwrap().get_days())
}

/// A cell in the words of the csv file.
fn shown(kind: ColumnType, array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Binary => String::from_utf8(array.as_binary::<i32>().value(row).to_vec()).unwrap(),
        DataType::Boolean => u8::from(array.as_boolean().value(row)).to_string(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 if kind == ColumnType::Float => {
            support::print::float(array.as_primitive::<Float64Type>().value(row))
        }
        DataType::Float64 => (array.as_primitive::<Float64Type>().value(row) as i64).to_string(),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => cut(kind, i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Timestamp(..) => match array.as_primitive::<TimestampNanosecondType>().value(row) {
            i64::MAX => "after".to_owned(),
            // 1677-09-21T00:12:43.145224193, the least that pandas knows.
            clamped if clamped == -i64::MAX => "before".to_owned(),
            moment => {
                assert_eq!(moment % NANOSECONDS_OF_DAY, 0);
                cut(kind, moment / NANOSECONDS_OF_DAY)
            }
        },
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys()[row];
            shown(kind, dictionary.values(), key)
        }
        other => panic!("{other} is not expected"),
    }
}

/// A day as far as its column goes; what is not kept is the first day of the year or month.
fn cut(kind: ColumnType, number: i64) -> String {
    let day = date(1970, 1, 1).checked_add(jiff::Span::new().days(number)).unwrap();
    let (shown, rest) = match kind {
        ColumnType::Date(DatePrecision::Year) => (4, "-01-01"),
        ColumnType::Date(DatePrecision::Month) => (7, "-01"),
        _ => (10, ""),
    };
    let text = day.to_string();
    assert_eq!(&text[shown..], rest);
    text[..shown].to_owned()
}
