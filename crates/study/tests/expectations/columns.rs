//! Which columns there are, what they hold, and how they agree.

use std::io::{self, Read};

use arrow_array::Int64Array;
use cohorts::{DatePrecision, Kind, Source};
use jiff::civil::date;
use study::expectations::{Cohort, read_files};
use study::model::ColumnType::{self, Bool, Float, Int, Str};
use study::model::*;
use study::recording::Value;

use crate::support::*;

fn names(cohort: &Cohort) -> Vec<&str> {
    cohort.schema().fields.iter().map(|field| field.name.as_str()).collect()
}

fn hidden(variable: Variable) -> Variable {
    Variable { hidden: true, ..variable }
}

fn aggregate(name: &str, kind: ColumnType, which: Extreme, of: &[usize]) -> Variable {
    variable(name, kind, Query::Aggregate { which, of: of.iter().copied().map(VariableId).collect() }, Value::Null)
}

fn fixed(name: &str, kind: ColumnType, value: Scalar) -> Variable {
    variable(name, kind, Query::Fixed(value), Value::Null)
}

fn seen() -> Value {
    py!({"incidence": 0.5, "date": {"earliest": "2020-01-01", "latest": "2021-01-01"}})
}

fn number() -> Value {
    py!({"incidence": 0.5, "int": {"distribution": "poisson", "mean": 5}})
}

/// Dates, others, fixed values, aggregates, patient_id.
#[test]
fn order_of_columns() {
    let study = study(vec![
        fixed("one", Int, Scalar::Int(1)),
        column("n", Int, number()),
        aggregate("most", Int, Extreme::Maximum, &[0, 1]),
        column("seen", DAY, seen()),
        variable("everybody", Bool, Query::AllPatients, Value::Null),
        hidden(column("unseen", Bool, Value::Null)),
        fixed("then", DAY, Scalar::Date(date(2020, 1, 1))),
        column("again", DAY, seen()),
        aggregate("earliest", DAY, Extreme::Minimum, &[3, 6, 7]),
    ]);
    let cohort = cohort(&study, &settings(10));
    assert_eq!(names(&cohort), ["seen", "again", "n", "everybody", "one", "then", "most", "earliest", "patient_id"]);
    assert!(cells(&cohort)["everybody"].iter().all(|cell| *cell == Cell::Bool(true)));
    assert!(read_files(&study, &|_| panic!("no column reads a file")).unwrap().is_none());
}

/// A flag, two dates of it and the date column of another all from one draw; the flag is set exactly where they are.
#[test]
fn companions_agree_with_their_source() {
    let study = study(vec![
        column(
            "bp",
            Float,
            py!({"incidence": 0.3, "float": {"distribution": "normal", "mean": 120, "stddev": 9},
            "date": {"earliest": "2020-01-01", "latest": "2021-01-01"}}),
        ),
        date_of("bp_date", 0),
        Variable { kind: ColumnType::Date(DatePrecision::Month), ..date_of("bp_month", 0) },
        column("seen", DAY, seen()),
        date_of("seen_too", 3),
    ]);
    let cells = cells(&cohort(&study, &settings(10_000)));
    assert_eq!(cells["bp_date"], cells["bp_month"]);
    assert_eq!(cells["seen"], cells["seen_too"]);
    for (value, date) in cells["bp"].iter().zip(&cells["bp_date"]) {
        assert_eq!(value.is_empty(), *date == Cell::Missing);
    }
    assert_eq!(cells["bp"].iter().filter(|cell| !cell.is_empty()).count(), 3_000);
}

/// The period of a value with a date beside it does not empty either: both are there for the same half of the patients.
#[test]
fn companions_are_not_cut() {
    let bound = DateExpr { base: DateBase::IndexDate, function: None, offset: None, text: "index_date".into() };
    let period = Period { from: Some(bound), to: None };
    let flag = Query::PrimaryCareDeath { period, returning: DeathFact::BinaryFlag };
    let study = study(vec![variable("x", Bool, flag, seen()), date_of("x_date", 0)]);
    let cohort = cohort(&study, &on(date(2020, 7, 1), 1_000));
    assert!(cohort.lints().is_empty());
    let cells = cells(&cohort);
    assert_eq!(cells["x"].iter().filter(|cell| !cell.is_empty()).count(), 500);
    for (value, date) in cells["x"].iter().zip(&cells["x_date"]) {
        assert_eq!(value.is_empty(), *date == Cell::Missing);
    }
}

/// Missing dates and texts are skipped; the zero of a number counts.
#[test]
fn aggregates_go_row_by_row() {
    let study = study(vec![
        column("a", DAY, seen()),
        hidden(column("b", DAY, seen())),
        aggregate("first", DAY, Extreme::Minimum, &[0, 1]),
        aggregate("last", DAY, Extreme::Maximum, &[0, 1]),
        column("m", Int, number()),
        column("n", Int, number()),
        aggregate("least", Int, Extreme::Minimum, &[4, 5]),
        hidden(aggregate("most_hidden", Int, Extreme::Maximum, &[4, 5])),
        hidden(fixed("fixed_value_1", Int, Scalar::Int(6))),
        aggregate("most", Int, Extreme::Maximum, &[7, 8]),
        column("s", Str, py!({"incidence": 0.5, "category": {"ratios": {"b": 0.5, "": 0.5}}})),
        column("t", Str, py!({"incidence": 0.5, "category": {"ratios": {"A": 1}}})),
        aggregate("text", Str, Extreme::Minimum, &[10, 11]),
    ]);
    let with_b = Study {
        variables: study.variables.iter().map(|v| Variable { hidden: v.name == "population", ..v.clone() }).collect(),
        ..study.clone()
    };
    let narrow = cells(&cohort(&study, &settings(2_000)));
    let cells = cells(&cohort(&with_b, &settings(2_000)));
    for name in narrow.keys() {
        assert_eq!(narrow[name], cells[name], "{name}");
    }
    assert!(!narrow.contains_key("b"));
    assert!(cells.values().all(|column| column.len() == 2_000));
    (0..2_000).for_each(|row| {
        let at = |name: &str| cells[name][row].clone();
        let dates: Vec<i32> = [at("a"), at("b")]
            .iter()
            .filter_map(|cell| if let Cell::Day(day) = cell { Some(*day) } else { None })
            .collect();
        assert_eq!(at("first"), dates.iter().min().map_or(Cell::Missing, |day| Cell::Day(*day)));
        assert_eq!(at("last"), dates.iter().max().map_or(Cell::Missing, |day| Cell::Day(*day)));
        assert_eq!(at("least").number(), at("m").number().min(at("n").number()));
        assert_eq!(at("most").number(), at("m").number().max(at("n").number()).max(6.0));
        let b = Cell::Text("b".into());
        let text = match (at("s") == b, at("t") == Cell::Text("A".into())) {
            (_, true) => Cell::Text("A".into()),
            (true, false) => b,
            (false, false) => Cell::Missing,
        };
        assert_eq!(at("text"), text);
    });
}

/// The period is that of the run's index date; a bound that hangs on a column is open.
#[test]
fn dates_outside_the_fixed_period_become_missing() {
    let bound = |base, text: &str| Some(DateExpr { base, function: None, offset: None, text: text.into() });
    let period =
        Period { from: bound(DateBase::IndexDate, "index_date"), to: bound(DateBase::Column(VariableId(0)), "a") };
    let expectations =
        py!({"incidence": 1, "rate": "uniform", "date": {"earliest": "2020-01-01", "latest": "2020-12-31"}});
    let study = study(vec![
        column("a", DAY, expectations.clone()),
        variable("b", DAY, dated(period), expectations),
        date_of("b_date", 1),
    ]);
    let cohort = cohort(&study, &on(date(2020, 7, 1), 10_000));
    // Of the 365 days before the latest 184 lie from 1 July on: 50.4 %.
    let lints: Vec<(&str, &str)> =
        cohort.lints().iter().map(|lint| (lint.code, lint.variable.as_deref().unwrap())).collect();
    assert_eq!(lints, [("SD913", "b")]);
    assert!(cohort.lints()[0].message.contains("49.6 %"), "{}", cohort.lints()[0].message);
    let cells = cells(&cohort);
    let kept = cells["b"].iter().filter(|cell| **cell != Cell::Missing).count();
    // 3 sigma of 10,000 draws with a chance of a half are 150.
    assert!((4_890..=5_190).contains(&kept), "{kept}");
    assert!(cells["b"].iter().all(|cell| *cell == Cell::Missing || cell.number() >= f64::from(day(2020, 7, 1))));
    assert_eq!(cells["b"], cells["b_date"]);
}

/// IMD, rural/urban and groups: numbers when the ratios have numbers, texts when they have texts; '' when emptied.
#[test]
fn numbers_that_are_labels_take_the_type_of_the_ratios() {
    let ratios = |label: Value| {
        Value::Map(vec![
            (Value::Str("incidence".into()), Value::Float(0.5)),
            (
                Value::Str("category".into()),
                Value::Map(vec![(Value::Str("ratios".into()), Value::Map(vec![(label, Value::Int(1))]))]),
            ),
        ])
    };
    let imd = ColumnType::IntCategory { missing: -1 };
    let study =
        study(vec![column("n", imd, ratios(Value::Int(100))), column("t", imd, ratios(Value::Str("100".into())))]);
    let cohort = cohort(&study, &settings(100));
    assert_eq!(cohort.schema().fields[0].kind, Kind::IntCategory { missing: None });
    assert_eq!(cohort.schema().fields[1].kind, Kind::Str);
    let cells = cells(&cohort);
    for (name, label) in [("n", Cell::Int(100)), ("t", Cell::Text("100".into()))] {
        assert_eq!(cells[name].iter().filter(|cell| **cell == label).count(), 50);
        assert_eq!(cells[name].iter().filter(|cell| **cell == Cell::Missing).count(), 50);
    }
}

/// Categories of the type date are drawn by ratios, stand among the categories and are days.
#[test]
fn categories_can_be_days() {
    let day_of = |n: i8| Scalar::Date(date(2021, n, 1));
    let cases = Cases { branches: vec![(day_of(1), Expr::Int(1))], default: day_of(2) };
    let study = study(vec![
        variable(
            "then",
            DAY,
            Query::Categorised(cases),
            py!({"rate": "universal", "category": {"ratios": {"2021-01-01": 0.5, "2021-02-01": 0.5}}}),
        ),
        column("seen", DAY, seen()),
    ]);
    let cohort = cohort(&study, &settings(100));
    assert_eq!(names(&cohort), ["seen", "then", "patient_id"]);
    assert!(cells(&cohort)["then"].iter().all(|cell| [day(2021, 1, 1), day(2021, 2, 1)].map(Cell::Day).contains(cell)));
}

/// A file's patients are the rows, whatever N is; its columns come first, after patient_id.
#[test]
fn value_files_bring_their_patients() {
    let study = study(vec![
        column("n", Int, number()),
        variable("of_file", Str, Query::ValueFromFile { path: "f.csv".into(), column: "x".into() }, Value::Null),
    ]);
    let files = read_files(&study, &open(&[("f.csv", "x,patient_id,y\nq,8,\np,3,\n,5,\n")])).unwrap();
    let cohort = Cohort::new(&study, &recording(), &settings(1000), files).unwrap();
    assert_eq!(names(&cohort), ["patient_id", "of_file", "n"]);
    assert_eq!(cohort.patients(), 3);
    let batch = cohort.batches().next().unwrap().unwrap();
    assert_eq!(batch.column(0).as_ref(), &Int64Array::from(vec![3, 5, 8]));
    assert_eq!(batch.num_rows(), 3);
    let cells = cells(&cohort);
    assert_eq!(cells["of_file"], [Cell::Text("p".into()), Cell::Missing, Cell::Text("q".into())]);
    // int((1 - 0.5) * 3) = 1 is emptied; a Poisson number of 5 is 0 once in 148 times, and not here.
    assert_eq!(cells["n"].iter().filter(|cell| cell.is_empty()).count(), 1);
}

type Opened = io::Result<Box<dyn Read>>;

fn open<'a>(files: &'a [(&str, &str)]) -> impl Fn(&str) -> Opened + 'a {
    |path| {
        let file = files.iter().find(|(name, _)| *name == path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(file.1.to_owned())) as Box<dyn Read>)
    }
}

fn of_file(name: &str, kind: ColumnType, path: &str) -> Variable {
    variable(name, kind, Query::ValueFromFile { path: path.into(), column: "x".into() }, Value::Null)
}

/// Two files: the patients of both; who is in one is told by `which_exist_in_file`.
#[test]
fn several_value_files_bring_all_their_patients() {
    let study = study(vec![
        of_file("n", Int, "a.csv"),
        of_file("d", DAY, "b.csv"),
        variable("in_b", Bool, Query::InFile { path: "b.csv".into() }, Value::Null),
    ]);
    let files = open(&[
        ("a.csv", "patient_id,x\n2,4.0\n1,\n"),
        ("b.csv", "\u{feff}patient_id,x\r\n9,2021-03\r\n2,2021-03-04\r\n"),
    ]);
    let files = read_files(&study, &files).unwrap();
    let cells = cells(&Cohort::new(&study, &recording(), &settings(1), files).unwrap());
    let ids: Vec<f64> = cells["patient_id"].iter().map(Cell::number).collect();
    assert_eq!(ids, [1.0, 2.0, 9.0]);
    assert_eq!(cells["n"], [Cell::Missing, Cell::Int(4), Cell::Missing]);
    assert_eq!(cells["d"], [Cell::Missing, Cell::Day(day(2021, 3, 4)), Cell::Day(day(2021, 3, 1))]);
    assert_eq!(cells["in_b"], [false, true, true].map(Cell::Bool));
}

#[test]
fn faults_of_value_files_have_a_line_and_no_value() {
    let cases = [
        ("f.csv", "patient_id,x\n1,2\n1,3\n", "f.csv line 3: a patient of an earlier line"),
        ("f.csv", "patient_id,x\n1,secret\n", "f.csv line 2: the value of x is no whole number"),
        ("f.csv", "patient_id,x\nsecret,1\n", "f.csv line 2: patient_id is no whole number"),
        ("f.csv", "patient_id,x\n1,1,1\n", "f.csv line 2: it has not as many cells"),
        ("f.csv", "id,x\n1,1\n", "f.csv has no column patient_id; it has id, x"),
        ("f.txt", "", "f.txt: value files are .csv"),
        ("f.csv.gz", "patient_id,x\n", "f.csv.gz: "),
    ];
    for (path, content, message) in cases {
        let study = study(vec![of_file("n", Int, path)]);
        let found = read_files(&study, &open(&[(path, content)])).unwrap_err().to_string();
        assert!(found.starts_with(&format!("D511: {message}")) && !found.contains("secret"), "{found}");
    }
    assert!(
        read_files(&study(vec![of_file("n", Int, "g.csv")]), &open(&[]))
            .unwrap_err()
            .to_string()
            .starts_with("D511: g.csv: ")
    );
}

/// The population and hidden variables need no expectations.
#[test]
fn inner_keys_win_one_by_one() {
    let default =
        py!({"incidence": 0.2, "rate": "uniform", "date": {"earliest": "2020-01-01", "latest": "2020-01-11"}});
    let study = study_with(
        default,
        vec![
            column("a", DAY, py!({"date": {"latest": "2020-01-02"}})),
            column("b", Bool, Value::Null),
            hidden(column("c", Str, Value::Null)),
        ],
    );
    let cells = cells(&cohort(&study, &settings(100)));
    let days: Vec<&Cell> = cells["a"].iter().filter(|cell| **cell != Cell::Missing).collect();
    assert_eq!(days.len(), 20);
    assert!(days.iter().all(|cell| **cell == Cell::Day(day(2020, 1, 2))));
    assert_eq!(cells["b"].iter().filter(|cell| **cell == Cell::Bool(true)).count(), 20);
}
