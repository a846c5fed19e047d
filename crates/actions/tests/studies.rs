//! What is told of study definitions before anything runs: for a whole project (`cloister check`), and for one of them
//! (`cloister study check`). Spec study-definitions.md 11 and 13, cli.md 3.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/python.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod python;

use std::fs;

use actions::{Context, StudyCommand, StudyFile, Which, check_studies};
use pipeline::Severity;
use tempfile::TempDir;

const PROJECT: &str = "\
version: '3.0'
expectations:
  population_size: 100
actions:
  cohort:
    run: cohortextractor:latest generate_cohort --study-definition study_definition --index-date-range '2021-01-01 to 2021-02-01 by month'
    outputs:
      highly_sensitive:
        cohort: output/input_*.csv
  measures:
    run: cohortextractor:latest generate_measures --study-definition study_definition --output-dir=output
    needs: [cohort]
    outputs:
      moderately_sensitive:
        measure: output/measure_*.csv
";

const STUDY: &str = "\
from cohortextractor import Measure, StudyDefinition, patients

study = StudyDefinition(
    index_date=\"2021-01-01\",
    default_expectations={\"date\": {\"earliest\": \"2000-01-01\", \"latest\": \"index_date\"}, \"rate\": \"universal\"},
    population=patients.registered_as_of(\"index_date\"),
    died=patients.died_from_any_cause(on_or_before=\"index_date\", return_expectations={\"incidence\": 0.1}),
    sex=patients.sex(return_expectations={\"category\": {\"ratios\": {\"F\": 0.5, \"M\": 0.5}}}),
)
measures = [
    Measure(id=\"died_by_sex\", numerator=\"died\", denominator=\"population\", group_by=\"sex\"),
    Measure(id=\"died\", numerator=\"died\", denominator=\"population\", group_by=None),
]
";

fn folder(project: &str, study: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["analysis", "codelists"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("project.yaml"), project).unwrap();
    fs::write(folder.path().join("analysis/study_definition.py"), study).unwrap();
    folder
}

fn checked(project: &str, study: &str) -> Vec<StudyFile> {
    let folder = folder(project, study);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder.path(), &mut out, &mut err);
    context.fence = &python::fence;
    let loaded = pipeline::load(project.as_bytes(), "project.yaml");
    check_studies(&loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics)), &mut context).unwrap()
}

/// `severity code line words` of all that is not a note.
fn told(files: &[StudyFile]) -> Vec<String> {
    let all = files.iter().flat_map(|file| file.diagnostics.iter().map(move |one| (file, one)));
    all.filter(|(_, one)| one.severity > Severity::Note)
        .map(|(file, one)| {
            let line = one.span.map_or(0, |span| span.start.line);
            format!("{:?} {}:{line} {} {}", one.severity, file.name, one.code.0, one.message)
        })
        .collect()
}

fn study_check(project: &str, study: &str) -> (u8, String) {
    let folder = folder(project, study);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder.path(), &mut out, &mut err);
    context.fence = &python::fence;
    let which = Which { name: "study_definition".into(), ..Which::default() };
    let code = actions::study(&StudyCommand::Check { which, json: true }, &mut context);
    (code, String::from_utf8(out).unwrap())
}

/// The codes of faults in the answer for programs.
fn faults(answer: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    let entries = answer["faults"].as_array().unwrap().iter();
    entries
        .filter(|one| one["severity"] == "fault")
        .map(|one| format!("{} {}", one["code"].as_str().unwrap(), one["line"]))
        .collect()
}

#[test]
fn a_measure_with_a_row_for_each_patient_is_not_released() {
    let expected = "Error analysis/study_definition.py:12 SD705 measure `died` has a row for each patient, and the \
                    moderately sensitive output output/measure_*.csv collects it";
    assert_eq!(told(&checked(PROJECT, STUDY)), [expected]);
    let (code, answer) = study_check(PROJECT, STUDY);
    assert_eq!((code, faults(&answer)), (1, vec!["SD705 12".to_owned()]));

    // A pattern that does not match its files, a high level, another folder, or groups: nothing is wrong.
    for (from, to) in
        [("output/measure_*.csv", "output/measure_died_by_sex_*.csv"), ("moderately_sensitive", "highly_sensitive")]
    {
        let project = PROJECT.replace(from, to);
        assert_eq!(told(&checked(&project, STUDY)), Vec::<String>::new(), "{to}");
        assert_eq!(study_check(&project, STUDY).0, 0, "{to}");
    }
    let grouped = STUDY.replace("group_by=None", "group_by=\"population\"");
    assert_eq!(told(&checked(PROJECT, &grouped)), Vec::<String>::new());
}

#[test]
fn expectations_matter_where_rows_are_drawn_from_them() {
    let study = STUDY.replace("group_by=None", "group_by=\"sex\"").replace("\"M\": 0.5", "\"M\": 0.6");
    let found = told(&checked(PROJECT, &study));
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert!(one.starts_with("Error analysis/study_definition.py:8 SD606 "), "{one}");
    assert_eq!(faults(&study_check(PROJECT, &study).1), ["SD606 8"]);

    let own_rows =
        PROJECT.replace("    outputs:\n      highly", "    dummy_data_file: dummy.csv\n    outputs:\n      highly");
    assert_eq!(told(&checked(&own_rows, &study)), Vec::<String>::new());
    assert_eq!(study_check(&own_rows, &study).0, 0);
    // Without a project a study is taken as one whose rows are drawn.
    assert_eq!(faults(&study_check("", &study).1), ["SD606 8"]);
}

#[test]
fn a_study_that_cannot_be_read_is_told_with_its_line() {
    let broken = STUDY.replace("patients.sex(", "patients.sexes(");
    let found = told(&checked(PROJECT, &broken));
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert!(one.starts_with("Error analysis/study_definition.py:8 SD005 ") && one.contains("sexes"), "{one}");

    let unnamed =
        PROJECT.replace("--study-definition study_definition --index", "--study-definition study_definition_b --index");
    let found = told(&checked(&unnamed, STUDY));
    assert!(found[0].starts_with("Warning analysis:0 bad_argument "), "{found:?}");
}

/// Before the first run there is nothing yet of what an earlier action makes.
#[test]
fn what_an_earlier_action_makes_may_be_absent() {
    let reads =
        format!("dates = open(\"output/dates.json\").read()\n{}", STUDY.replace("group_by=None", "group_by=\"sex\""));
    let needs = PROJECT.replace("    outputs:\n      highly", "    needs: [dates]\n    outputs:\n      highly")
        + "  dates:\n    run: python:latest python analysis/dates.py\n    outputs:\n      moderately_sensitive:\n        dates: output/dates.json\n";
    assert_eq!(told(&checked(&needs, &reads)), Vec::<String>::new());
    let found = told(&checked(PROJECT, &reads));
    assert!(found.iter().all(|one| one.contains("SD005")) && !found.is_empty(), "{found:?}");
}
