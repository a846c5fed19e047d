//! Each of the 52 rows of spec sandbox.md 13 is a test, or `docs/security.md` says that it is not claimed, and why.
//! That page and the tests cannot drift apart: what it calls tested must be there, what is there must be on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Names of the form `row_NN_...` of one source.
fn names(text: &str, found: &mut BTreeSet<String>) {
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
        let number = word.strip_prefix("row_").and_then(|rest| rest.split('_').next());
        if number.is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit())) {
            found.insert(word.to_owned());
        }
    }
}

/// Test sources only: a row that is only written about is no test.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && path.file_name().unwrap() != "claims.rs" {
            names(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

#[test]
fn every_row_is_tested_or_not_claimed() {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tested = BTreeSet::new();
    for room in fs::read_dir(root.join("crates")).unwrap().flatten() {
        tests(&room.path().join("tests"), &mut tested);
    }
    // Examples of names in the harness of the sandbox.
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (mut named, mut numbers, mut not_claimed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(number) = cells.get(1).and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        names(line, &mut named);
        if line.contains("row_") {
            numbers.insert(number);
        }
        if line.contains("not claimed") {
            assert!(cells.iter().any(|cell| cell.len() > 40), "row {number}: not claimed, and no reason:\n{line}");
            not_claimed.insert(number);
        }
    }
    assert_eq!(tested.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "tests that are not on the page");
    assert_eq!(named.difference(&tested).collect::<Vec<_>>(), Vec::<&String>::new(), "on the page, but no tests");
    for row in 1..=52 {
        assert!(
            numbers.contains(&row) || not_claimed.contains(&row),
            "row {row} is neither tested nor said to be not claimed"
        );
    }
}
