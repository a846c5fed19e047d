//! Study definitions in a project: what `check` tells of them, and that rows of single patients are never released
//! (SD705). Spec study-definitions.md 11 and 13, jobs.md 11, cli.md 3.

use crate::rig::Study;

const PROJECT: &str = "\
version: '3.0'
expectations:
  population_size: 20
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

const DEFINITION: &str = "\
from cohortextractor import Measure, StudyDefinition, patients

study = StudyDefinition(
    index_date=\"2021-01-01\",
    population=patients.registered_as_of(\"index_date\"),
    ill=patients.registered_as_of(\"index_date\", return_expectations={\"incidence\": 0.5}),
    sex=patients.sex(return_expectations={\"rate\": \"universal\", \"category\": {\"ratios\": {\"F\": 0.5, \"M\": 0.5}}}),
)
measures = [
    Measure(id=\"by_sex\", numerator=\"ill\", denominator=\"population\", group_by=\"sex\"),
    Measure(id=\"each\", numerator=\"ill\", denominator=\"population\", group_by=None),
]
";

fn study(definition: &str) -> Study {
    let study = Study::of("", &[("analysis/study_definition.py", definition), ("codelists/keep.csv", "code\n")]);
    study.write("project.yaml", PROJECT);
    study
}

#[test]
fn rows_of_patients_are_a_fault_of_check_and_stay_in_the_high_store() {
    let study = study(DEFINITION);
    let checked = study.cloister(&["check", "--only", "project,studies", "--format", "short"]).failed();
    assert!(
        checked.out.contains("analysis/study_definition.py:11:") && checked.out.contains("error[SD705]"),
        "{}",
        checked.out
    );
    let ran = study.run(&["run_all"]).done();
    for (file, level) in [("each", "highly"), ("each_2021-01-01", "highly"), ("by_sex", "moderately")] {
        let line = ran.out.lines().find(|line| line.contains(&format!("output/measure_{file}.csv ")));
        assert!(line.is_some_and(|line| line.ends_with(&format!(" - {level}_sensitive"))), "{file}: {}", ran.out);
    }
    ran.says("`output/measure_each.csv` is patient-level data");
    assert!(!study.has(".cloister"), "the list of patient-level files is the job's own");
}

#[test]
fn check_tells_what_is_wrong_with_study_definitions() {
    let grouped = DEFINITION.replace("group_by=None", "group_by=\"population\"");
    study(&grouped).cloister(&["check", "--only", "studies"]).done();
    let unknown = grouped.replace("patients.sex(", "patients.sexx(");
    study(&unknown)
        .cloister(&["check", "--only", "project,studies"])
        .failed()
        .says("error[SD005]")
        .says("did you mean 'sex'?");
    let unset = grouped.replace("\"rate\": \"universal\", ", "");
    study(&unset)
        .cloister(&["check", "--only", "project,studies"])
        .failed()
        .says("error[SD603]")
        .says("study_definition.py:7:");
    // A lint is a note, unless it is denied.
    let lint = grouped.replace("patients.registered_as_of(\"index_date\"),\n    ill", "patients.all(),\n    ill");
    study(&lint)
        .cloister(&["check", "--only", "project,studies", "--strict", "--allow", "P111"])
        .done()
        .says("note[SD912]");
    study(&lint).cloister(&["check", "--only", "project,studies", "--deny", "SD912"]).failed().says("error[SD912]");
}
