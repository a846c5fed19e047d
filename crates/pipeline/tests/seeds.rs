//! The five seeds of spec project-yaml.md 17: warnings, plan counts, commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pipeline::{ActionName, DataKind, Loaded, Project, Severity, load};

fn seed(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/seeds").join(name);
    load(&std::fs::read(path).unwrap(), "project.yaml")
}

fn project(name: &str) -> Project {
    seed(name).project.unwrap()
}

/// How often each code is given at a severity.
fn counts(name: &str, severity: Severity) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for d in seed(name).diagnostics.iter().filter(|d| d.severity == severity) {
        *counts.entry(d.code.0).or_insert(0) += 1;
    }
    counts
}

/// The actions that these need through any number of steps, themselves included.
fn closure<'p>(project: &'p Project, names: impl IntoIterator<Item = &'p str>) -> BTreeSet<&'p str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = names.into_iter().collect();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(project.action(&ActionName::new(name)).unwrap().needs.iter().map(ActionName::as_str));
        }
    }
    found
}

fn waves(project: &Project, names: &BTreeSet<&str>) -> usize {
    project
        .waves()
        .iter()
        .zip(&project.actions)
        .filter(|(_, a)| names.contains(a.name.as_str()))
        .map(|(w, _)| *w)
        .max()
        .unwrap()
}

#[test]
fn warnings() {
    type Row<'a> = (&'a str, &'a str, usize, &'a [(&'a str, usize)], &'a [(&'a str, usize)]);
    let expected: [Row<'_>; 5] = [
        ("000.yaml", "3.0", 5, &[("P111", 1), ("P207", 1), ("P513", 1)], &[("P306", 1)]),
        // `cohort-joiner` and `dataset-report` name a version; the other five say `latest`, which is one note.
        ("001.yaml", "3.0", 7, &[("P111", 1), ("P521", 6)], &[("P306", 1)]),
        ("002.yaml", "3.0", 14, &[("P111", 1), ("P513", 1), ("P521", 11)], &[("P306", 1), ("P521", 2)]),
        ("003.yaml", "3.0", 4, &[("P111", 1), ("P512", 1)], &[("P306", 1)]),
        ("004.yaml", "3.0", 3, &[("P111", 1)], &[("P306", 1)]),
    ];
    for (name, version, actions, warnings, notes) in expected {
        assert_eq!(counts(name, Severity::Error), BTreeMap::new(), "{name}");
        assert_eq!(counts(name, Severity::Warning), warnings.iter().copied().collect(), "{name}");
        assert_eq!(counts(name, Severity::Note), notes.iter().copied().collect(), "{name}");
        let project = project(name);
        assert_eq!((project.version.text.as_str(), project.actions.len()), (version, actions), "{name}");
        assert_eq!(project.population.0, 1000, "{name}");
    }
}

#[test]
fn what_run_all_stands_for() {
    for (name, jobs, depth) in [("000.yaml", 4, 3), ("001.yaml", 7, 3), ("003.yaml", 4, 3), ("004.yaml", 3, 3)] {
        let project = project(name);
        let all = closure(&project, project.run_all().map(|a| a.name.as_str()));
        assert_eq!(all.len(), jobs, "{name}");
        assert_eq!(waves(&project, &all), depth, "{name}");
        assert!(!all.contains("run_all"), "{name}");
    }
    let project = project("002.yaml");
    let named = project.actions.iter().map(|a| a.name.as_str()).filter(|n| *n != "run_tests");
    assert_eq!(closure(&project, named).len(), 13);
}

#[test]
fn images() {
    assert_eq!(project("000.yaml").images(), ["cohortextractor:v1", "r:v1"]);
    assert_eq!(
        project("001.yaml").images(),
        ["cohort-joiner:v0.0.44", "cohortextractor:v1", "dataset-report:v0.0.24", "jupyter:v1"]
    );
    assert_eq!(project("003.yaml").images(), ["cohortextractor:v1", "deciles-charts:v0.0.24", "python:v1"]);
}

#[test]
fn commands() {
    let project = project("003.yaml");
    let chart = project.action(&ActionName::new("deciles_charts_02qBxF241hTOBjX0jLfYkz")).unwrap();
    let words = chart.expand(&project, DataKind::Real).words;
    let config = r#"{"show_outer_percentiles": false, "tables": {"output": true}, "charts": {"output": true}}"#;
    assert_eq!(words[words.len() - 2..], ["--config", config]);
    let project = self::project("000.yaml");
    let cohort = project.action(&ActionName::new("generate_cohort")).unwrap();
    assert_eq!(
        cohort.expand(&project, DataKind::Dummy).words[4..],
        ["--expectations-population=1000", "--output-dir=output"].map(str::to_owned)
    );
    assert_eq!(cohort.expand(&project, DataKind::Real).words[4..], ["--output-dir=output".to_owned()]);
    let check = project.action(&ActionName::new("run_all")).unwrap();
    assert!(!check.is_database() && cohort.is_database());
}

#[test]
fn the_flattened_text_gives_one_diagnostic() {
    let loaded = seed("001_flattened.yaml");
    assert!(loaded.project.is_none());
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].code.0, "P002");
    assert!(loaded.diagnostics[0].message.contains("indentation"));
    assert_eq!(loaded.diagnostics[0].span.unwrap().start.line, 3);
}
