//! Case files through recorder and check: those with rows have no fault, those of `cases/faults/` have exactly the faults
//! that they expect, and what a researcher reads of these is a snapshot.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

#[path = "../support/case.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests, which use the rest")]
mod case;
#[path = "../support/recorder.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod recorder;
#[path = "../support/tables.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests, which use the rest")]
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use case::{Case, Expect, all};
use study::fault::{Fault, Severity, Texts, entries, human, silence};
use study::recording::Recording;
use study::{CheckOptions, check};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// A case and its recording.
struct Recorded {
    case: Case,
    recording: Recording,
}

/// The first study of each case, recorded.
fn record(cases: Vec<Case>) -> Vec<Recorded> {
    let recordings = recorder::record(&cases);
    let one = |(case, found): (Case, recorder::Recorded)| {
        let first = found.into_iter().next().unwrap_or_else(|| panic!("{}: no study", case.name));
        let recording = first.unwrap_or_else(|why| panic!("{}: {why}", case.name));
        Recorded { case, recording }
    };
    cases.into_iter().zip(recordings).map(one).collect()
}

/// Faults that are left after `# cloister: ignore`, and the texts that they point into.
fn faults(one: &Recorded) -> (bool, Vec<Fault>, Texts) {
    let Recorded { case, recording } = one;
    let mut options = CheckOptions::new(case.run.today.unwrap_or(recording.date));
    options.index_dates.clone_from(&case.run.index_dates);
    let checked = check(recording, &options);
    let mut faults = checked.faults;
    let read = |path: &str| {
        let module = |(name, text): &(String, String)| (format!("analysis/{name}.py") == path).then(|| text.clone());
        let file = |(name, text): &(String, String)| (name == path).then(|| text.clone());
        case.studies.iter().find_map(module).or_else(|| case.files.iter().find_map(file))
    };
    let texts = Texts::read(recording, &faults, read);
    silence(recording, &mut faults, &texts);
    (checked.study.is_some(), faults, texts)
}

fn told(one: &Recorded, faults: &[Fault], texts: &Texts) -> String {
    human(&one.recording, faults, texts, &pipeline::report::HumanOptions { width: 100, ..Default::default() })
}

#[test]
fn studies_of_other_cases_are_sound() {
    let is_study = |case: &Case| {
        !case.name.starts_with("faults/")
            && case.expects.iter().all(|e| !matches!(e, Expect::Fault { code, .. } if code.starts_with("SD")))
    };
    let mut wrong = String::new();
    let cases: Vec<Case> = all(&root()).into_iter().filter(is_study).collect();
    assert!(cases.len() > 50, "{} cases", cases.len());
    for one in record(cases) {
        let (sound, faults, texts) = faults(&one);
        if !sound {
            let faults: Vec<Fault> = faults.into_iter().filter(|f| f.severity == Severity::Fault).collect();
            wrong.push_str(&format!("{}\n{}\n", one.case.name, told(&one, &faults, &texts)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_fault_is_told_with_its_place_and_its_fix() {
    let mut wrong = String::new();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for one in record(all(&root()).into_iter().filter(|case| case.name.starts_with("faults/")).collect()) {
        let (sound, faults, texts) = faults(&one);
        let text = told(&one, &faults, &texts);
        let mut left: Vec<_> = entries(&one.recording, &faults, &texts).into_iter().zip(&faults).collect();
        for expect in &one.case.expects {
            let (severity, code, line, fragments) = match expect {
                Expect::Fault { code, line, fragments } => ("fault", code, line, fragments),
                Expect::Lint { code, line, fragments } => ("lint", code, line, fragments),
                Expect::Rows { .. } => panic!("{}: rows under faults/", one.case.name),
            };
            let line = *line;
            let found = left.iter().position(|(entry, _)| {
                entry.code == code && entry.severity == severity && (line.is_none() || entry.line == line)
            });
            let Some(found) = found else {
                wrong.push_str(&format!("{}: no {severity} {code} at {line:?}\n{text}\n", one.case.name));
                continue;
            };
            let (_, fault) = left.remove(found);
            let whole = told(&one, std::slice::from_ref(fault), &texts);
            let plain: String = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            for fragment in fragments.iter().filter(|fragment| !plain.contains(fragment.trim())) {
                wrong.push_str(&format!("{}: {fragment:?} is not in\n{whole}\n", one.case.name));
            }
        }
        for (entry, _) in left {
            wrong.push_str(&format!("{}: surplus {} {:?}\n{text}\n", one.case.name, entry.code, entry.line));
        }
        // A faulty measure does not keep a study from making its file.
        let of_study = |code: &str| !code.starts_with("SD7");
        let expects_fault = one.case.expects.iter().any(|e| matches!(e, Expect::Fault { code, .. } if of_study(code)));
        if sound == expects_fault {
            wrong.push_str(&format!("{}: study {sound}\n", one.case.name));
        }
        pages.insert(one.case.name.clone(), text);
    }
    assert!(wrong.is_empty(), "{wrong}");
    let page: String = pages.iter().map(|(name, text)| format!("==== {name}\n{text}\n")).collect();
    insta::assert_snapshot!("faults", page);
}

/// What the examples of the documentation take for granted.
const BEFORE: [(&str, &str); 7] = [
    ("registered", "patients.registered_as_of(\"index_date\")"),
    ("age", "patients.age_as_of(\"index_date\")"),
    ("sex", "patients.sex(return_expectations={\"category\": {\"ratios\": {\"M\": 1}}})"),
    ("bmi", "patients.most_recent_bmi()"),
    ("creatinine", "patients.with_these_clinical_events(bp_codes, returning=\"numeric_value\")"),
    ("stroke_date", "patients.with_these_clinical_events(bp_codes, returning=\"date\", date_format=\"YYYY-MM-DD\")"),
    ("mi_date", "patients.with_these_clinical_events(bp_codes, returning=\"date\", date_format=\"YYYY-MM-DD\")"),
];
const LISTS: &str = "bp_codes = sbp_codes = codelist([\"271649006\"], system=\"snomed\")
defaults = {\"date\": {\"earliest\": \"2000-01-01\", \"latest\": \"2021-01-01\"}, \"rate\": \"uniform\", \"incidence\": 0.5,
            \"int\": {\"distribution\": \"normal\", \"mean\": 3, \"stddev\": 1},
            \"float\": {\"distribution\": \"normal\", \"mean\": 3, \"stddev\": 1}}
statin_codes = codelist([\"396111000000100\"], system=\"snomed\")
mi_codes = covid_codes = codelist([\"I21\"], system=\"icd10\")
";

#[test]
fn examples_of_the_documentation_are_sound() {
    let examples = study::functions::table().functions().iter().filter_map(|f| f.example.as_deref());
    let cases: Vec<Case> = examples
        .map(|example| {
            let name = example.split('=').next().unwrap();
            let mut columns: Vec<String> = BEFORE
                .iter()
                // Those of a satisfying are nested in it.
                .filter(|(column, _)| *column != name && !example.contains(&format!("{column}=")))
                .map(|(column, call)| format!("{column}={call}"))
                .collect();
            if name != "population" {
                columns.push("population=patients.all()".to_owned());
            }
            columns.push(example.to_owned());
            let study = format!(
                "{LISTS}study = StudyDefinition(index_date=\"2021-03-01\", default_expectations=defaults, {})\n",
                columns.join(", ")
            );
            let text = format!("x\n--- study\n{study}--- expect\npatient_id\n");
            case::parse(name, &text).unwrap_or_else(|why| panic!("{example}: {why}"))
        })
        .collect();
    for one in record(cases) {
        let (sound, faults, texts) = faults(&one);
        assert!(sound, "{}", told(&one, &faults, &texts));
        let study = check(&one.recording, &CheckOptions::new(one.recording.date)).study.unwrap();
        let file = |v: &study::model::Variable| {
            matches!(v.query, study::model::Query::InFile { .. } | study::model::Query::ValueFromFile { .. })
        };
        if !study.variables.iter().any(file) {
            let (index_date, today) = (study.index_date, one.recording.date);
            let run = study::expectations::Settings { index_date, today, patients: 10, seed: 0 };
            let dummy = study::expectations::Cohort::new(&study, &one.recording, &run, None);
            let faults = dummy.err().unwrap_or_default();
            assert!(faults.is_empty(), "{}", told(&one, &faults, &texts));
        }
    }
}
