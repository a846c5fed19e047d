//! The actions that make files, each with a command line, the names of its results and inputs of two ages. The inputs are
//! large enough for a debug build to be at work for some tens of milliseconds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::rig::{Age, Rig, ran, write};

/// One action with one format.
pub struct Kind {
    pub words: &'static [&'static str],
    /// Where results stand.
    pub results: &'static [&'static str],
    /// Writes the inputs of an age into a folder.
    pub inputs: fn(&Rig, &Path, Age),
}

/// Hands every kind, with the name of its test, to a macro: a new kind is a line here.
macro_rules! each {
    ($made:ident) => {
        $made! {
            joiner_csv: JOINER_CSV,
            joiner_csv_gz: JOINER_CSV_GZ,
            joiner_feather: JOINER_FEATHER,
            joiner_dta: JOINER_DTA,
            joiner_dta_gz: JOINER_DTA_GZ,
            report_csv: REPORT_CSV,
            report_csv_gz: REPORT_CSV_GZ,
            report_feather: REPORT_FEATHER,
            deciles_csv: DECILES_CSV,
            deciles_csv_gz: DECILES_CSV_GZ,
            sql_csv: SQL_CSV,
            sql_csv_gz: SQL_CSV_GZ,
            codelist_report: CODELIST,
            cohort_csv: COHORT_CSV,
            cohort_csv_gz: COHORT_CSV_GZ,
            cohort_feather: COHORT_FEATHER,
            cohort_dta: COHORT_DTA,
            cohort_dta_gz: COHORT_DTA_GZ,
        }
    };
}
pub(crate) use each;

pub const JOINER_CSV: Kind = Kind {
    words: &["cohort-joiner", "--lhs=in/input.csv", "--rhs=in/right.csv", "--output-dir=out"],
    results: &["out/input.csv"],
    inputs: |_, folder, age| sides(folder, age),
};
pub const JOINER_CSV_GZ: Kind = Kind {
    words: &["cohort-joiner", "--lhs=in/input.csv.gz", "--rhs=in/right.csv", "--output-dir=out"],
    results: &["out/input.csv.gz"],
    // Plain bytes under that name are read too.
    inputs: |_, folder, age| {
        sides(folder, age);
        fs::rename(folder.join("in/input.csv"), folder.join("in/input.csv.gz")).unwrap();
    },
};
pub const JOINER_FEATHER: Kind = Kind {
    words: &["cohort-joiner", "--lhs=in/input.feather", "--rhs=in/input_right.feather", "--output-dir=out"],
    results: &["out/input.feather"],
    inputs: |rig, folder, age| drawn(rig, folder, age, "feather"),
};
pub const JOINER_DTA: Kind = Kind {
    words: &["cohort-joiner", "--lhs=in/input.dta", "--rhs=in/input_right.dta", "--output-dir=out"],
    results: &["out/input.dta"],
    inputs: |rig, folder, age| drawn(rig, folder, age, "dta"),
};
pub const JOINER_DTA_GZ: Kind = Kind {
    words: &["cohort-joiner", "--lhs=in/input.dta.gz", "--rhs=in/input_right.dta.gz", "--output-dir=out"],
    results: &["out/input.dta.gz"],
    inputs: |rig, folder, age| drawn(rig, folder, age, "dta.gz"),
};

pub const REPORT_CSV: Kind = Kind {
    words: &["dataset-report", "--input-files=in/input.csv", "--output-dir=out", "--detail"],
    results: &["out/input.html"],
    inputs: |_, folder, age| wide(folder, age, "in/input.csv"),
};
pub const REPORT_CSV_GZ: Kind = Kind {
    words: &["dataset-report", "--input-files=in/input.csv.gz", "--output-dir=out", "--detail"],
    results: &["out/input.html"],
    inputs: |_, folder, age| wide(folder, age, "in/input.csv.gz"),
};
pub const REPORT_FEATHER: Kind = Kind {
    words: &["dataset-report", "--input-files=in/input.feather", "--output-dir=out", "--detail"],
    results: &["out/input.html"],
    inputs: |rig, folder, age| drawn(rig, folder, age, "feather"),
};

pub const DECILES_CSV: Kind = Kind {
    words: &[
        "deciles-charts",
        "--input-files=in/measure_*.csv",
        "--output-dir=out",
        "--config={\"show_outer_percentiles\":true,\"charts\":{\"formats\":[\"png\",\"svg\"]}}",
    ],
    results: &["out/deciles_table_x.csv", "out/deciles_chart_x.png", "out/deciles_chart_x.svg"],
    inputs: |_, folder, age| measure(folder, age, "in/measure_x.csv"),
};
pub const DECILES_CSV_GZ: Kind = Kind {
    words: &["deciles-charts", "--input-files=in/measure_*.csv.gz", "--output-dir=out"],
    results: &["out/deciles_table_x.csv", "out/deciles_chart_x.png"],
    inputs: |_, folder, age| measure(folder, age, "in/measure_x.csv.gz"),
};

pub const SQL_CSV: Kind = Kind {
    words: &["sqlrunner", "--output=out/rows.csv", "--dummy-data-file=in/dummy.csv", "in/query.sql"],
    results: &["out/rows.csv"],
    inputs: |_, folder, age| query(folder, age),
};
pub const SQL_CSV_GZ: Kind = Kind {
    words: &["sqlrunner", "--output=out/rows.csv.gz", "--dummy-data-file=in/dummy.csv", "in/query.sql"],
    results: &["out/rows.csv.gz"],
    inputs: |_, folder, age| query(folder, age),
};

pub const CODELIST: Kind = Kind {
    words: &[
        "cohortextractor",
        "generate_codelist_report",
        "--codelist-path=in/codelist.csv",
        "--start-date=2015-01-01",
        "--end-date=2022-06-15",
        "--output-dir=out",
    ],
    results: &[
        "out/counts_per_code.csv",
        "out/counts_per_week_per_practice.csv",
        "out/list_sizes.csv",
        "out/patient_count.csv",
    ],
    inputs: |_, folder, age| codelist(folder, age),
};

/// `generate_cohort` in a format.
macro_rules! cohort {
    ($ending:literal) => {
        Kind {
            words: &[
                "cohortextractor",
                "generate_cohort",
                "--study-definition=study_definition",
                "--expectations-population=3000",
                "--output-dir=out",
                concat!("--output-format=", $ending),
            ],
            results: &[concat!("out/input.", $ending)],
            inputs: |_, folder, age| studies(folder, age),
        }
    };
}

pub const COHORT_CSV: Kind = cohort!("csv");
pub const COHORT_CSV_GZ: Kind = cohort!("csv.gz");
pub const COHORT_FEATHER: Kind = cohort!("feather");
pub const COHORT_DTA: Kind = cohort!("dta");
pub const COHORT_DTA_GZ: Kind = cohort!("dta.gz");

/// A number that differs with the age.
fn salt(age: Age) -> usize {
    if age == Age::Old { 7 } else { 11 }
}

fn sides(folder: &Path, age: Age) {
    let (mut left, mut right) = ("patient_id,code,region\n".to_owned(), "patient_id,imd\n".to_owned());
    for row in 0..20_000 {
        writeln!(left, "{},{:04},\"North, {}\"", row * 3, row % 977, row % 13).unwrap();
        writeln!(right, "{},{}", row * 2, row % 5 * salt(age)).unwrap();
    }
    write(&folder.join("in/input.csv"), left.as_bytes());
    write(&folder.join("in/right.csv"), right.as_bytes());
}

/// Many columns, so that the page is long.
fn wide(folder: &Path, age: Age, name: &str) {
    let mut text = "patient_id".to_owned();
    (0..60).for_each(|column| write!(text, ",column_{column}").unwrap());
    text.push('\n');
    for row in 0..400 {
        write!(text, "{row}").unwrap();
        (0..60).for_each(|column| write!(text, ",{}", (row * (column + 1)) % salt(age)).unwrap());
        text.push('\n');
    }
    write(&folder.join(name), text.as_bytes());
}

fn measure(folder: &Path, age: Age, name: &str) {
    let mut text = "practice,numerator,denominator,value,date\n".to_owned();
    for month in 0..100 {
        for practice in 0..60 {
            let (year, month) = (2010 + month / 12, 1 + month % 12);
            let value = (practice * salt(age) + month) % 50;
            writeln!(text, "{practice},{value},50,{},{year}-{month:02}-01", f64::from(value as u32) / 50.0).unwrap();
        }
    }
    write(&folder.join(name), text.as_bytes());
}

fn query(folder: &Path, age: Age) {
    let mut text = "Patient_ID,Sex,Note\n".to_owned();
    (0..20_000).for_each(|row| writeln!(text, "{row},F,\"a \"\"{}\"\"\"", row % salt(age)).unwrap());
    write(&folder.join("in/dummy.csv"), text.as_bytes());
    let sql = "-- all of them: AllowedPatientsWithTypeOneDissent\nSELECT Patient_ID, Sex, Note FROM Patient\n";
    write(&folder.join("in/query.sql"), sql.as_bytes());
}

/// Lists of different codes, so that every count differs.
fn codelist(folder: &Path, age: Age) {
    let codes = if age == Age::Old { "22298006\n" } else { "195967001\n73211009\n" };
    write(&folder.join("in/codelist.csv"), format!("code\n{codes}").as_bytes());
}

fn studies(folder: &Path, age: Age) {
    let columns: String = (0..12)
        .map(|n| {
            format!(
                "    age_{n}=patients.age_as_of(\"index_date\", return_expectations={{\"rate\": \"universal\", \"int\": \
                 {{\"distribution\": \"normal\", \"mean\": {}, \"stddev\": 9}}}}),\n",
                30 + n + salt(age)
            )
        })
        .collect();
    let text = format!(
        "from cohortextractor import StudyDefinition, patients\n\nstudy = StudyDefinition(\n    index_date=\"2021-01-01\",\n    \
         population=patients.all(),\n    sex=patients.sex(return_expectations={{\"rate\": \"universal\", \"category\": \
         {{\"ratios\": {{\"F\": 0.5, \"M\": 0.5}}}}}}),\n{columns})\n"
    );
    write(&folder.join("analysis/study_definition.py"), text.as_bytes());
    write(&folder.join("analysis/study_definition_right.py"), text.replace("    age_", "    right_").as_bytes());
    write(&folder.join("codelists/keep.csv"), b"code\n");
}

/// Files with types, which the program makes itself: two sides about the same patients.
fn drawn(rig: &Rig, folder: &Path, age: Age, format: &str) {
    let study = rig.home().join("tmp/drawing");
    studies(&study, age);
    let format = format!("--output-format={format}");
    for name in ["study_definition", "study_definition_right"] {
        let name = format!("--study-definition={name}");
        let made = ran(&mut rig.action(
            &study,
            &[
                "cohortextractor",
                "generate_cohort",
                &name,
                "--expectations-population=3000",
                "--output-dir=in",
                &format,
            ],
        ));
        assert_eq!(made.code, Some(0), "{}", made.err);
    }
    fs::rename(study.join("in"), folder.join("in")).unwrap();
}
