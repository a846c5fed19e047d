//! The outside world of the tests: the runtimes of spec project-yaml.md 9 and a small checkout.
//! Tags as in spec actions.md 2.1, cut to what the examples need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use pipeline::{Registry, RuntimeEntry, RuntimeKind, TagStatus, Tree};

fn one_to(tag: &str, known: &[&str]) -> TagStatus {
    if known.contains(&tag) || tag == "latest" || tag == "dev" {
        TagStatus::Known
    } else {
        TagStatus::Unknown { nearest: known.iter().map(|t| (*t).to_owned()).collect() }
    }
}

fn v1(tag: &str) -> TagStatus {
    one_to(tag, &["v1"])
}

fn v1_v2(tag: &str) -> TagStatus {
    one_to(tag, &["v2", "v1"])
}

fn v0_v1(tag: &str) -> TagStatus {
    one_to(tag, &["v1", "v0"])
}

fn patches(tag: &str) -> TagStatus {
    match tag.strip_prefix("v0.0.").and_then(|p| p.parse::<u32>().ok()) {
        Some(1..=47) => TagStatus::Known,
        Some(48..) => TagStatus::Newer { last_known: "v0.0.47".to_owned() },
        _ => one_to(tag, &["v0.0.47"]),
    }
}

/// Runtimes, built-ins and the planned ones.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    let mut add = |name: &str, kind, latest: Option<&str>, tag| {
        registry.runtimes.insert(name.to_owned(), RuntimeEntry { kind, latest: latest.map(str::to_owned), tag });
    };
    add("python", RuntimeKind::Platform, Some("v1"), v1_v2);
    add("r", RuntimeKind::Platform, Some("v1"), v1_v2);
    add("jupyter", RuntimeKind::Platform, Some("v1"), v1);
    add("stata-mp", RuntimeKind::Platform, Some("v1"), v1);
    add("cohortextractor", RuntimeKind::Builtin, None, v1);
    add("sqlrunner", RuntimeKind::Builtin, None, v1);
    add("deciles-charts", RuntimeKind::Builtin, None, patches);
    add("cohort-joiner", RuntimeKind::Builtin, None, patches);
    add("dataset-report", RuntimeKind::Builtin, None, patches);
    add("ehrql", RuntimeKind::Planned, None, v0_v1);
    add("databuilder", RuntimeKind::Planned, None, v0_v1);
    registry
}

/// A study folder with the scripts that the examples name rightly.
pub(crate) fn tree() -> Tree {
    let files = [
        "project.yaml",
        "analysis/clean.py",
        "analysis/describe.py",
        "analysis/model.R",
        "analysis/study_definition.py",
        "analysis/dataset_definition.py",
    ];
    Tree { files: files.iter().map(|f| (*f).to_owned()).collect() }
}
