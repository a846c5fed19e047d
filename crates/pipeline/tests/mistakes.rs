//! Typical mistakes of researchers, as data in `mistakes/`: what they are told, word for word.
//! Each file begins with what is wrong and, as `# expect: CODE line:column`, what must be found where.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail here")]

use std::path::{Path, PathBuf};

use pipeline::report::{HumanOptions, human};
use pipeline::{Diagnostic, load};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mistakes");

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(FOLDER)).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// `P404 11:13` or, where the place is the reader's choice, `P404`.
fn place(d: &Diagnostic, expected: &str) -> String {
    match d.span {
        Some(span) if expected.contains(' ') => format!("{} {}:{}", d.code.0, span.start.line, span.start.column),
        _ => d.code.0.to_owned(),
    }
}

#[test]
fn each_mistake_is_found_where_it_is() {
    let mut wrong = String::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = text.lines().find_map(|l| l.strip_prefix("# expect: ")).expect("a line `# expect:`");
        let found = load(text.as_bytes(), "project.yaml").diagnostics;
        for one in expected.split(", ") {
            if !found.iter().any(|d| place(d, one) == one) {
                let all: Vec<String> = found.iter().map(|d| place(d, "P 1")).collect();
                wrong += &format!("{}: {one} is not among {all:?}\n", path.file_name().unwrap().display());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn each_mistake_is_told_in_these_words() {
    let options = HumanOptions { color: false, ascii: true, width: 80 };
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files() {
            let text = std::fs::read_to_string(&path).unwrap();
            let found = load(text.as_bytes(), "project.yaml").diagnostics;
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            insta::assert_snapshot!(name, human(&text, "project.yaml", &found, &options));
        }
    });
}
