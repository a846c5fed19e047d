//! The same seed gives the same values; nothing else changes them.

use jiff::civil::date;
use study::expectations::Settings;
use study::model::ColumnType::{Bool, Float, Int, Str};
use study::model::{Study, Variable};

use crate::support::*;

fn of_all_types() -> Vec<Variable> {
    vec![
        column("flag", Bool, py!({"incidence": 0.3})),
        column("age", Int, py!({"rate": "universal", "int": {"distribution": "population_ages"}})),
        column("bmi", Float, py!({"incidence": 0.6, "float": {"distribution": "normal", "mean": 25, "stddev": 4}})),
        column("sex", Str, py!({"rate": "universal", "category": {"ratios": {"M": 0.5, "F": 0.5}}})),
        column("seen", DAY, py!({"incidence": 0.4, "date": {"earliest": "2019-01-01", "latest": "today"}})),
    ]
}

#[test]
fn a_second_pass_gives_the_same_rows() {
    let cohort = cohort(&study(of_all_types()), &settings(20_000));
    assert_eq!(cells(&cohort), cells(&cohort));
}

#[test]
fn every_number_of_rows_has_that_many() {
    for patients in [1, 2, 8_191, 8_192, 8_193, 16_384] {
        let cells = cells(&cohort(&study(of_all_types()), &settings(patients)));
        assert!(cells.values().all(|column| column.len() as u64 == patients), "{patients}");
    }
}

#[test]
fn another_column_changes_no_column() {
    let few = cells(&cohort(&study(of_all_types()), &settings(3_000)));
    let mut more = of_all_types();
    more.insert(0, column("first", Bool, py!({"incidence": 0.5})));
    more.push(date_of("bmi_date", 3));
    more[3].expectations = py!({"incidence": 0.6, "float": {"distribution": "normal", "mean": 25, "stddev": 4},
        "date": {"earliest": "2019-01-01", "latest": "2020-01-01"}});
    more.swap(4, 5);
    let more = cells(&cohort(&study(more), &settings(3_000)));
    for (name, column) in &few {
        assert_eq!(*column, more[name], "{name}");
    }
}

#[test]
fn seed_and_number_of_patients_change_values() {
    let study = study(of_all_types());
    let of = |seed, patients| cells(&cohort(&study, &Settings { seed, ..settings(patients) }));
    let (one, other, larger) = (of(1, 1000), of(2, 1000), of(1, 1001));
    for name in one.keys() {
        assert_ne!(one[name], other[name], "{name}");
        assert_ne!(one[name][..], larger[name][..1000], "{name}");
    }
}

/// Patients link over studies and dates: N distinct numbers below 10 N, ascending, from seed and N alone.
#[test]
fn patients_are_the_same_in_every_file() {
    let full = cells(&cohort(&study(of_all_types()), &on(date(2021, 1, 1), 20_000)));
    let small = cells(&cohort(&study(vec![]), &on(date(2022, 1, 1), 20_000)));
    assert_eq!(full["patient_id"], small["patient_id"]);
    let ids: Vec<f64> = small["patient_id"].iter().map(Cell::number).collect();
    assert_eq!(ids.len(), 20_000);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(ids[0] >= 1.0 && ids[19_999] < 200_000.0);
    // Spread evenly: the middle one lies near the middle (3 sigma of the median are 3 * 200,000 / 2 / sqrt(20,000) = 2,121).
    assert!((ids[10_000] - 100_000.0).abs() < 2_121.0, "{}", ids[10_000]);
}

/// What mentions the index date follows it; what does not stays, for the same patients.
#[test]
fn only_what_hangs_on_the_index_date_changes_with_it() {
    let mut variables = of_all_types();
    let dated = py!({"incidence": 0.4, "date": {"earliest": "index_date - 1 month", "latest": "index_date"}});
    variables.push(column("recent", DAY, dated.clone()));
    variables.push(column("flag_of_default", Bool, dated));
    let study: Study = study(variables);
    let march = cells(&cohort(&study, &on(date(2021, 3, 1), 2_000)));
    let april = cells(&cohort(&study, &on(date(2021, 4, 1), 2_000)));
    for (name, column) in &march {
        assert_eq!(*column == april[name], name != "recent", "{name}");
    }
    let within = |cells: &[Cell], from, to| {
        cells
            .iter()
            .filter(|cell| **cell != Cell::Missing)
            .all(|cell| (f64::from(from)..=f64::from(to)).contains(&cell.number()))
    };
    assert!(within(&march["recent"], day(2021, 2, 1), day(2021, 3, 1)));
    assert!(within(&april["recent"], day(2021, 3, 1), day(2021, 4, 1)));
}

/// Bytes are part of the contract: a change of this picture changes every file of dummy data that people have.
#[test]
fn values_never_change() {
    let cells = cells(&cohort(&study(of_all_types()), &Settings { seed: study::expectations::SEED, ..settings(6) }));
    let lines: Vec<String> = cells.iter().map(|(name, column)| format!("{name}: {column:?}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
