//! Every code of study definitions (study-definitions.md 13) is shown by a case, or by the test that is named here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Codes that no case file can show, and the test that does.
const ELSEWHERE: [(&str, &str); 2] = [
    // Tables of EMIS are not reached by a command yet.
    ("SD210", "study: check::tests::functions_that_a_flavour_lacks_and_one_file_for_many_dates"),
    // It needs a project.
    ("SD705", "tests/studies.rs: a_measure_with_a_row_for_each_patient_is_not_released"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The codes that a case expects: `--- expect fault SD501`, the first line of a recorder's case, `stderr: error[SD501]`.
fn expected(path: &Path, text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = match path.extension().and_then(|ending| ending.to_str()) {
        Some("case") => text.lines().filter(|line| line.starts_with("--- expect ")).collect(),
        Some("py") => text.lines().take(1).filter(|line| line.starts_with("# SD")).collect(),
        _ => text.lines().filter(|line| line.starts_with("stderr: ")).collect(),
    };
    let words = lines.iter().flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()));
    words.filter(|word| word.starts_with("SD") && word.len() == 5).map(str::to_owned).collect()
}

#[test]
fn every_code_is_shown() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["cases/cohortextractor", "../study/cases", "../study/tests/recorder/faults"] {
        files(&here.join(folder), &mut found);
    }
    found.retain(|path| path.file_name().is_some_and(|name| name == "cmd") || !path.starts_with(here.join("cases")));
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for path in &found {
        shown.extend(expected(path, &fs::read_to_string(path).unwrap()));
    }
    let known: BTreeSet<String> = study::fault::rules().iter().map(|rule| rule.code.to_owned()).collect();
    let stray: Vec<_> = shown.difference(&known).collect();
    assert!(stray.is_empty(), "cases expect codes that do not exist: {stray:?}");
    shown.extend(ELSEWHERE.iter().map(|(code, _)| (*code).to_owned()));
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// The options that a command's help names, and of those the ones with values of their own.
fn options(command: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut context = actions::Context::by_hand(folder.path(), &mut out, &mut err);
    let args = [command, "--help"].map(std::ffi::OsString::from);
    assert_eq!(actions::run("cohortextractor:latest", &args, &mut context), 0);
    let help = String::from_utf8(out).unwrap();
    let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

/// Every option of the commands, in a case of its command; also every format, and every unit of a range of dates.
#[test]
fn every_option_is_in_a_case() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/cohortextractor");
    let mut found = Vec::new();
    files(&cases, &mut found);
    let mut used: BTreeSet<String> = BTreeSet::new();
    for path in found.iter().filter(|path| path.file_name().is_some_and(|name| name == "cmd")) {
        let text = fs::read_to_string(path).unwrap();
        let args: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("arg: ")).collect();
        let args: Vec<&str> = args.into_iter().map(|arg| if arg == "-h" { "--help" } else { arg }).collect();
        let Some(command) = args.iter().find(|arg| !arg.starts_with('-')) else { continue };
        used.extend(args.iter().map(|arg| format!("{command} {}", arg.split('=').next().unwrap())));
        used.extend(args.iter().filter(|arg| arg.contains("-format=")).map(|arg| format!("{command} {arg}")));
        let units = ["month", "week"].into_iter().filter(|unit| text.contains(&format!(" by {unit}")));
        used.extend(units.map(|unit| format!("{command} by {unit}")));
    }
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for command in ["generate_cohort", "generate_measures"] {
        let options = options(command);
        assert!(options.len() > 5, "{options:?}");
        wanted.extend(options.iter().map(|option| format!("{command} {option}")));
    }
    wanted.extend(cohorts::Format::ALL.map(|format| format!("generate_cohort --output-format={}", format.extension())));
    wanted.extend(["month", "week"].map(|unit| format!("generate_cohort by {unit}")));
    let missing: Vec<_> = wanted.difference(&used).collect();
    assert!(missing.is_empty(), "in no case: {missing:?}");
}
