//! A new study checks and runs, without a network, and nothing is ever overwritten (spec cli.md 10).

use std::path::Path;
use std::process::{Command, Output};

fn cloister(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cloister")).args(words).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_new_study_checks_and_runs() {
    let home = tempfile::tempdir().unwrap();
    let made = cloister(home.path(), &["init", "mine", "--no-git"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made));
    let study = home.path().join("mine");
    let checked = cloister(&study, &["check", "--strict", "--allow", "P111"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked));
    let ran = cloister(&study, &["--offline", "run", "run_all"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    let rows = std::fs::read_to_string(study.join("output/input.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1001, "a line of names and 1,000 patients");
    assert!(study.join("output/measure_deaths.csv").is_file());
    let again = cloister(home.path(), &["init", "mine", "--no-git"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("project.yaml"), "{}", text(&again));
    let refused = cloister(home.path(), &["init", "other", "--extraction", "ehrql"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!home.path().join("other").exists());
}
