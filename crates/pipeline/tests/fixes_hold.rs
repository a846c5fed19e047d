//! What `check --fix` would write: each `sure` fix removes its fault and brings no error of its own.
//! Spec project-yaml.md 17. Inputs: the mistakes, the cases and the failing examples of the pages.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail here")]

use std::collections::BTreeMap;

use pipeline::explain::{self, Block, ExampleKind};
use pipeline::report::{apply_fixes, diff};
use pipeline::{Applicability, Diagnostic, Severity, load};

fn inputs() -> Vec<(String, String)> {
    let mut inputs = Vec::new();
    for folder in ["mistakes", "cases"].map(|name| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|e| e == "yaml") {
                inputs.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    for code in explain::codes() {
        for block in explain::page(code).unwrap().blocks {
            if let Block::Example { kind: ExampleKind::Fail, text } = block {
                inputs.push((code.to_owned(), text));
            }
        }
    }
    inputs
}

fn counts(found: &[Diagnostic], only: impl Fn(&Diagnostic) -> bool) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for d in found.iter().filter(|d| only(d)) {
        *counts.entry(d.code.0).or_insert(0) += 1;
    }
    counts
}

fn has_sure(d: &Diagnostic) -> bool {
    d.fixes.iter().any(|f| f.applicability == Applicability::Sure)
}

#[test]
fn sure_fixes_mend_and_break_nothing() {
    let mut mended = BTreeMap::new();
    let mut wrong = String::new();
    for (name, text) in inputs() {
        let before = load(text.as_bytes(), "project.yaml").diagnostics;
        let Some(fixed) = apply_fixes(&text, &before) else {
            if before.iter().any(has_sure) {
                wrong += &format!("{name}: has a sure fix that changes nothing\n");
            }
            continue;
        };
        let after = load(fixed.text.as_bytes(), "project.yaml").diagnostics;
        let (old, new) = (counts(&before, has_sure), counts(&after, has_sure));
        for (code, count) in &old {
            *mended.entry(*code).or_insert(0) += 1;
            if new.get(code).is_some_and(|left| left >= count) {
                wrong += &format!("{name}: {code} is still there\n{}", diff(&text, &fixed.text, &name));
            }
        }
        let errors = |d: &Diagnostic| d.severity == Severity::Error;
        // A file that could not be read at all shows its other faults only afterwards.
        let unread = before.iter().any(|d| d.code.0.starts_with("P0") && errors(d));
        for (code, count) in counts(&after, errors) {
            if !unread && counts(&before, errors).get(code).is_none_or(|had| *had < count) {
                wrong += &format!("{name}: {code} is new\n{}", diff(&text, &fixed.text, &name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    // The faults that the specification gives a sure fix, as far as the inputs hold them.
    for code in ["P002", "P126", "P203", "P403", "P404", "P407"] {
        assert!(mended.contains_key(code), "{code} has no sure fix: {mended:?}");
    }
}
