//! What cases cannot show: values on the disk, random files against a naive model, many results, logs that tell nothing.
//! Everything else about deciles-charts is a case under `cases/deciles-charts`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::options::{self, Asked};
use super::profile;
use crate::Context;

const TABLES: &str = r#"{"show_outer_percentiles":true,"charts":{"output":false}}"#;

/// Runs with a limit of values in memory; gives the exit and what was said.
fn run(folder: &Path, config: &str, limit: usize) -> (bool, String) {
    let args = ["--input-files", "measure_*", "--output-dir", "out", "--config", config].map(OsString::from);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder, &mut stdout, &mut stderr);
    let Ok(Asked::Run(options)) = options::read(&args, profile::newest(), None).0 else { panic!("good arguments") };
    let done = super::make(&options, None, &mut context, limit).is_ok();
    (done, String::from_utf8(stderr).unwrap())
}

fn table(folder: &Path, id: &str) -> String {
    std::fs::read_to_string(folder.join(format!("out/deciles_table_{id}.csv"))).unwrap()
}

/// The table as the rule has it, in its plainest form.
fn naive(rows: &[(u8, Option<f64>)]) -> String {
    let mut dates: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
    for (day, value) in rows {
        dates.entry(*day).or_default().extend(value);
    }
    let mut text = "date,percentile,value\n".to_owned();
    for (day, mut values) in dates {
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for p in (10..100).step_by(10).chain(1..10).chain(91..100) {
            let cell = if values.is_empty() {
                String::new()
            } else {
                let t = f64::from(p) / 100.0 * (values.len() - 1) as f64;
                let (i, f) = (t.floor() as usize, t - t.floor());
                crate::text::float(if f == 0.0 { values[i] } else { values[i] + (values[i + 1] - values[i]) * f })
            };
            let _ = writeln!(text, "2021-01-{day:02},{p},{cell}");
        }
    }
    text
}

fn file(rows: &[(u8, Option<f64>)]) -> String {
    let mut text = "practice,value,date\n".to_owned();
    for (at, (day, value)) in rows.iter().enumerate() {
        let value = value.map(|value| value.to_string()).unwrap_or_default();
        let _ = writeln!(text, "{at},{value},2021-01-{day:02}");
    }
    text
}

fn rows() -> impl Strategy<Value = Vec<(u8, Option<f64>)>> {
    let value = prop_oneof![3 => (0_u8..20).prop_map(|n| Some(f64::from(n) / 7.0)), 3 => (0.0..1e6).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((1_u8..6, value), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// In any order of rows, held in memory or written to the disk: the table is that of the naive model.
    #[test]
    fn tables_are_those_of_the_naive_model(rows in rows(), turned in 0_usize..60, limit in 8_usize..600) {
        let folder = tempfile::tempdir().unwrap();
        let mut turned_rows = rows.clone();
        turned_rows.rotate_left(if rows.is_empty() { 0 } else { turned % rows.len() });
        std::fs::write(folder.path().join("measure_a.csv"), file(&turned_rows)).unwrap();
        prop_assert!(run(folder.path(), TABLES, limit).0);
        prop_assert_eq!(table(folder.path(), "a"), naive(&rows));
        let left = std::fs::read_dir(folder.path().join("out")).unwrap().count();
        prop_assert_eq!(left, 1, "no file of the values on the disk stays");
    }

    #[test]
    fn hostile_files_end_in_a_result_or_a_fault(text in "[dateval,;\"\n\r0-9.\\-<*é]{0,80}", head in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let head = if head { "date,value\n" } else { "" };
        std::fs::write(folder.path().join("measure_a.csv"), format!("{head}{text}")).unwrap();
        let (done, _) = run(folder.path(), TABLES, usize::MAX);
        let out = std::fs::read_dir(folder.path().join("out")).unwrap().count();
        prop_assert_eq!(out, usize::from(done));
    }
}

/// Results wait for each other without holding files open.
#[test]
fn more_measures_than_a_process_may_open_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "measure,interval_start,interval_end,ratio,numerator,denominator\n".to_owned();
    for measure in 0..1100 {
        let _ = writeln!(text, "m{measure},2021-01-01,2021-01-31,0.5,1,2");
    }
    std::fs::write(folder.path().join("measure_all.csv"), text).unwrap();
    assert!(run(folder.path(), TABLES, usize::MAX).0);
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1100);
}

/// A fault in one file: no result of any, and nothing left over.
#[test]
fn after_a_fault_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("measure_a.csv"), file(&[(1, Some(1.0))])).unwrap();
    std::fs::write(folder.path().join("measure_b.csv"), "date,value\n2021-01-01,x\n").unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    std::fs::write(folder.path().join("out/deciles_table_a.csv"), "before").unwrap();
    assert!(!run(folder.path(), "{}", usize::MAX).0);
    assert_eq!(table(folder.path(), "a"), "before");
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
}

/// Files that differ in a few rows of each kind give the same log (actions.md 13, leak tests).
#[test]
fn logs_tell_no_exact_counts() {
    let said = |times: usize| {
        let folder = tempfile::tempdir().unwrap();
        let odd = ["2021-01-01,inf\n", "2021-01-01,[REDACTED]\n", ",1\n", "2021-01-01\n"].map(|row| row.repeat(times));
        let good: String = (0..900).map(|n| format!("2021-01-01,{n}\n")).collect();
        std::fs::write(folder.path().join("measure_a.csv"), format!("date,value\n{}{good}", odd.concat())).unwrap();
        let (done, said) = run(folder.path(), TABLES, usize::MAX);
        assert!(done);
        said
    };
    assert_eq!(said(1), said(7));
    assert_eq!(said(98), said(100));
    assert!(said(98).contains("about 100") && !said(98).contains("98"));
}

#[test]
fn help_teaches() {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(Path::new("."), &mut stdout, &mut stderr);
    assert_eq!(crate::run("deciles-charts", &["--help".into()], &mut context), 0);
    insta::assert_snapshot!(String::from_utf8(stdout).unwrap());
}
