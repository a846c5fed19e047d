//! Two studies of one repository on simulated patients: their files tell the same of a person (study-definitions.md 10.2.1).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use actions::Context;

fn fence() -> Result<Box<dyn study::record::Fence>, String> {
    let ask = std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let answer = ask.map_err(|error| format!("this test needs python3: {error}"))?.stdout;
    let python = PathBuf::from(String::from_utf8_lossy(&answer).trim());
    let python = python.canonicalize().map_err(|error| error.to_string())?;
    Ok(Box::new(study::record::ChildFence::new(study::record::Python::at(python))))
}

fn cohort(workspace: &Path, args: &[&str]) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(workspace, &mut stdout, &mut stderr);
    context.fence = &fence;
    context.today = jiff::civil::date(2022, 1, 10);
    let fixed = ["generate_cohort", "--dummy=simulated", "--expectations-population=400"];
    let args: Vec<OsString> = fixed.iter().chain(args).map(OsString::from).collect();
    let exit = actions::run("cohortextractor:latest", &args, &mut context);
    let told = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(exit, 0, "{told}");
    told
}

/// By patient and column.
fn read(path: PathBuf) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    lines.map(|cells| (cells[0].clone(), columns.iter().cloned().zip(cells).collect())).collect()
}

const PEOPLE: &str = r#"
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    default_expectations={"date": {"earliest": "2020-02-01", "latest": LATEST}, "rate": "uniform", "incidence": DEAD},
    population=patients.satisfying("age >= 18", age=patients.age_as_of("index_date", return_expectations={
        "rate": "universal", "int": {"distribution": "population_ages"}})),
    born=patients.date_of_birth("YYYY-MM", return_expectations={"rate": "universal"}),
    sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"M": MEN, "F": 1 - MEN}}}),
    stp=patients.registered_practice_as_of("2020-01-01", returning="stp_code", return_expectations={
        "rate": "universal", "category": {"ratios": {"STP1": MEN, "STP2": 1 - MEN}}}),
    died=patients.died_from_any_cause(returning="date_of_death", date_format="YYYY-MM-DD"),
)
"#;

const PROJECT: &str = "version: '3.0'
expectations:
  population_size: 400
actions:
  one:
    run: cohortextractor:latest generate_cohort --study-definition study_definition --index-date-range \"2021-01-01\"
    outputs: {highly_sensitive: {cohort: output/input_2*.csv}}
  two:
    run: cohortextractor:latest generate_cohort --study-definition study_definition --index-date-range \"2021-07-01\"
    outputs: {highly_sensitive: {cohort: output/input_*.csv}}
  other:
    run: cohortextractor:latest generate_cohort --study-definition study_definition_other
    outputs: {highly_sensitive: {cohort: output/input_other.csv}}
";

#[test]
fn files_of_a_repository_tell_the_same_of_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["analysis", "codelists"] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    std::fs::write(root.join("project.yaml"), PROJECT).unwrap();
    let study = |name: &str, men: &str, dead: &str, latest: &str, more: &str| {
        let text = PEOPLE.replace("MEN", men).replace("DEAD", dead).replace("LATEST", latest);
        let text = text.replace("StudyDefinition(\n", &format!("StudyDefinition({more}\n"));
        std::fs::write(root.join("analysis").join(name), text).unwrap();
    };
    study("study_definition.py", "0.2", "0.1", "\"today\"", "");
    study("study_definition_other.py", "0.7", "0.3", "\"2021-03-01\"", "index_date=\"2021-10-01\",");
    cohort(root, &["--study-definition", "study_definition", "--index-date-range", "2021-01-01"]);
    cohort(root, &["--study-definition", "study_definition", "--index-date-range", "2021-07-01"]);
    let told = cohort(root, &["--study-definition", "study_definition_other"]);
    assert!(told.contains("study_definition says how they are"), "{told}");
    let output = root.join("output");
    let [one, two, other] =
        ["input_2021-01-01.csv", "input_2021-07-01.csv", "input_other.csv"].map(|name| read(output.join(name)));
    for (here, there) in [(&one, &two), (&one, &other), (&two, &other)] {
        let both: Vec<_> = here.iter().filter_map(|(id, person)| Some((person, there.get(id)?))).collect();
        assert!(both.len() > 350, "only {} people are in both files", both.len());
        for (person, same) in both {
            // On one day some are between two practices, whichever file tells it.
            assert_eq!(person, same);
        }
    }
    let men = other.values().filter(|person| person["sex"] == "M").count();
    assert!((50..120).contains(&men), "{men} of 400 where a fifth is expected");
}
