//! Reusable actions: each file of `cases/actions/` is an action.yaml whose first line says what is made of it; how each code is
//! told in a study is a snapshot. Spec project-yaml.md 9.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pipeline::report::HumanOptions;
use pipeline::reusable::{LARGEST_ACTION_FILE, name_rule};
use pipeline::{
    ActionFile, DataKind, Registry, ReusableAction, ReusableActions, ReusableFault, RuntimeRef, Severity, load, report,
    resolve,
};

fn code(read: Result<ActionFile, ReusableFault>) -> String {
    match read {
        Ok(file) => serde_json::to_string(&file.words).unwrap(),
        Err(fault) => fault.code().0.to_owned(),
    }
}

#[test]
fn each_action_file_is_what_its_first_line_says() {
    let (mut wrong, mut seen) = (String::new(), BTreeSet::new());
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/actions")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# expect: ").unwrap();
        let found = code(ActionFile::read(&bytes, &world::registry()));
        if found != expected {
            wrong += &format!("{}: {found}\n", path.display());
        }
        seen.insert(if expected.starts_with('[') { "fine".to_owned() } else { expected.to_owned() });
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["P805", "P806", "P807", "fine"]);
}

#[test]
fn hostile_files_end_in_bounded_memory() {
    let registry = world::registry();
    let bad = |bytes: &[u8]| assert_eq!(code(ActionFile::read(bytes, &registry)), "P805");
    bad(&vec![b'a'; 1 << 20]);
    bad(format!("run: python:v2 {}\n", "a ".repeat(1 << 19)).as_bytes());
    bad(b"run: python:v2 \xff\n");
    bad(b"run: \"python:v2 a\\0b\"\n");
    bad("[".repeat(60_000).as_bytes());
    // Each level doubles what the one before stands for.
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..60 {
        bomb += &format!("a{n}: &a{n} [*a{m}, *a{m}]\n", m = n - 1);
    }
    bad((bomb + "run: python:v2 a.py\n").as_bytes());
    let most = LARGEST_ACTION_FILE as usize;
    let padded = |length: usize| format!("run: python:v2 a.py\n#{}", "x".repeat(length - 21));
    assert_eq!(padded(most).len(), most);
    assert_eq!(code(ActionFile::read(padded(most).as_bytes(), &registry)), r#"["python:v2","a.py"]"#);
    bad(padded(most + 1).as_bytes());
}

#[test]
fn names_become_parts_of_addresses() {
    for good in ["a", "count-rows", "x2.y_z", &"a".repeat(100)] {
        assert_eq!(name_rule(good), None, "{good}");
    }
    for bad in [
        "",
        "A",
        "a/b",
        "..",
        "../a",
        "-x",
        "--upload-pack=x",
        ".git",
        "a.git",
        "a.",
        "a..b",
        "é",
        "a b",
        &"a".repeat(101),
    ] {
        assert!(name_rule(bad).is_some(), "{bad}");
    }
}

const STUDY: &str = "version: 5
actions:
  prepare:
    run: python:v2 analysis/clean.py
    outputs: {highly_sensitive: {x: output/a.csv}}
  count:
    needs: [prepare]
    run: count-rows:v1.0 'output/a.csv' --n 3
    config: {unit: \"it's\"}
    outputs: {moderately_sensitive: {n: output/n.txt}}
";

fn reference() -> RuntimeRef {
    RuntimeRef { name: "count-rows".into(), tag: "v1.0".into() }
}

fn found() -> ReusableAction {
    ReusableAction {
        reference: reference(),
        repository: "https://code.example.org/actions/count-rows".into(),
        commit: "1d5f2671d5f2671d5f2671d5f2671d5f26712345".into(),
        words: ["python:latest", "python", "a b.py"].map(str::to_owned).to_vec(),
    }
}

/// The first word is replaced, the rest stays, the config follows (spec project-yaml.md 7.4 and 9).
#[test]
fn the_words_of_the_action_file_stand_for_the_first_word() {
    let written = load(STUDY.as_bytes(), "project.yaml").project.unwrap();
    let project = written.with_reusable(&[(reference(), found())].into());
    let count = &project.actions[1];
    let config = r#"{"unit": "it\u0027s"}"#;
    let expected = ["python:latest", "python", "a b.py", "output/a.csv", "--n", "3", "--config", config];
    assert_eq!(count.expand(&project, DataKind::Dummy).words, expected);
    assert_eq!(
        (count.runtime.to_string(), count.written_runtime().to_string()),
        ("python:latest".into(), "count-rows:v1.0".into())
    );
    assert_eq!(count.words.len(), count.word_spans.len());
    assert_eq!(
        (count.special(), &count.needs, &count.outputs),
        (None, &written.actions[1].needs, &written.actions[1].outputs)
    );
    assert_eq!(project.actions[0], written.actions[0]);
    assert_eq!(project.with_reusable(&[(reference(), found())].into()), project, "twice is once");
    assert_eq!(written.images(), ["count-rows:v1.0", "python:v2"]);
}

#[test]
fn each_fault_is_told_with_its_action_and_its_place() {
    let address = || "https://code.example.org/actions/count-rows".to_owned();
    let faults = [
        None,
        Some(ReusableFault::NoRepository { address: address(), why: "it is not there".into() }),
        Some(ReusableFault::NoTag { address: address(), why: None }),
        Some(ReusableFault::NotOnMain { why: format!("commit 1d5f26 is not on the branch `main` of {}", address()) }),
        Some(ReusableFault::NoActionFile { why: "commit 1d5f26 has no file action.yaml at its top".into() }),
        Some(ReusableFault::BadActionFile { why: "it has no key `run`".into() }),
        Some(ActionFile::read(b"run: other:v1", &world::registry()).unwrap_err()),
        Some(ActionFile::read(b"run: sqlrunner:v1 a.sql", &world::registry()).unwrap_err()),
    ];
    let project = load(STUDY.as_bytes(), "project.yaml").project.unwrap();
    let mut told = String::new();
    for fault in faults {
        let known: BTreeMap<_, _> = fault.map(|fault| (reference(), Err(fault))).into_iter().collect();
        let registry = Registry { reusable: ReusableActions::LookedUp(known), ..world::registry() };
        let all = resolve(&project, &registry, &world::tree());
        assert_eq!(all.len(), 1, "{all:?}");
        told += &report::human(STUDY, "project.yaml", &all, &HumanOptions { ascii: true, ..HumanOptions::default() });
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_name_is_a_runtime_a_reusable_action_or_nothing() {
    let codes = |name: &str, reusable: ReusableActions| {
        let text = STUDY.replace("count-rows:v1.0", name);
        let project = load(text.as_bytes(), "project.yaml").project.unwrap();
        let registry = Registry { reusable, ..world::registry() };
        let all = resolve(&project, &registry, &world::tree());
        all.iter().map(|d| (d.code.0, d.severity)).collect::<Vec<_>>()
    };
    let looked = || ReusableActions::LookedUp([(reference(), Ok(()))].into());
    let (error, note) = (Severity::Error, Severity::Note);
    assert_eq!(codes("count-rows:v1.0", looked()), []);
    assert_eq!(codes("count-rows:v1.1", looked()), [("P809", note)], "another tag is another question");
    assert_eq!(codes("count-rows:v1.0", ReusableActions::Nowhere), [("P307", error)]);
    assert_eq!(codes("Count-Rows:v1.0", looked()), [("P307", error)]);
    assert_eq!(codes("../count-rows:v1.0", looked()), [("P307", error)]);
    assert_eq!(codes("--upload-pack:v1.0", looked()), [("P808", error)]);
    assert_eq!(codes("count..rows:v1.0", looked()), [("P808", error)]);
    assert_eq!(codes("python:v41", looked()), [("P308", error)]);
    // A script may be one of the action's own.
    assert_eq!(codes("count-rows:v1.0 its/own.py", looked()), []);
    assert_eq!(codes("python:v2 no/such.py", looked()), [("P320", Severity::Warning)]);
}
