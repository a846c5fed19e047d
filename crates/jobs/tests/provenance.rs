//! Run keys and staleness: each component alone, any mixture of them, and chains of needs (spec jobs.md 17).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use jobs::provenance::{
    Chain, Change, CodeChange, CodeFile, CodeTree, Component, Components, DataIdentity, Difference, ImageIdentity,
    InputFile, KnownRead, OutputSpec, PinnedOutput, Staleness, compare, propagate, split_config, workspace_inputs,
};
use jobs::{JobId, ObjectId, RequestId};
use pipeline::{ActionName, Pattern, PrivacyLevel};
use proptest::prelude::*;

fn name(text: &str) -> ActionName {
    ActionName::new(text)
}

fn job(number: u8) -> JobId {
    JobId::of(&RequestId::from_random([number; 10]), &name("clean"))
}

fn file(path: &str, bytes: &str) -> CodeFile {
    CodeFile { path: path.into(), mode: 0o100_644, hash: ObjectId::of(bytes.as_bytes()) }
}

fn input(path: &str, bytes: &str, number: u8) -> InputFile {
    let object = ObjectId::of(bytes.as_bytes());
    InputFile {
        path: path.into(),
        object,
        action: name("clean"),
        job: job(number),
        level: PrivacyLevel::HighlySensitive,
    }
}

fn base() -> Components {
    Components {
        command: ["r:v1", "analysis/fit.R", "--n", "3"].map(String::from).into(),
        config: Some(r#"{"tables": {"output": true}, "n": 1}"#.into()),
        image: ImageIdentity::Builtin { name: "x".into(), profile: "v1".into(), behaviour: "1".into() },
        code: CodeTree::new([file("analysis/fit.R", "a"), file("analysis/other.R", "b"), file("README.md", "c")]),
        inputs: vec![input("output/clean.csv", "one", 1), input("output/more.csv", "two", 1)],
        outputs: vec![OutputSpec { level: PrivacyLevel::ModeratelySensitive, pattern: Pattern::new("output/fit.csv") }],
        environment: BTreeMap::from([("OPENSAFELY_BACKEND".into(), "expectations".into())]),
        data: Some(DataIdentity { version: "1".into(), scope: vec![] }),
    }
}

fn known() -> KnownRead {
    ["analysis/fit.R"].into_iter().collect()
}

/// What a person reads after changing the base in this way.
fn words(change: impl FnOnce(&mut Components)) -> Vec<String> {
    let mut new = base();
    change(&mut new);
    assert_ne!(new.run_key(), base().run_key());
    match compare(Some(&base()), &new, &known()) {
        Staleness::Stale(differences) => differences.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_component_alone_is_named() {
    assert_eq!(words(|c| c.command[3] = "4".into()), ["command: `4` instead of `3`"]);
    assert_eq!(words(|c| c.command.truncate(2)), ["command: nothing instead of `--n 3`"]);
    assert_eq!(words(|c| c.config = Some(r#"{"tables": 1, "n": 1}"#.into())), ["config key tables changed"]);
    assert_eq!(words(|c| c.config = None), ["config keys n, tables changed"]);
    let reordered = r#"{"n": 1, "tables": {"output": true}}"#;
    assert_eq!(words(|c| c.config = Some(reordered.into())), ["config written differently"]);
    let image = ImageIdentity::Digest { digest: "sha256:aa".into() };
    assert_eq!(words(|c| c.image = image), ["runs in sha256:aa instead of built-in x v1, behaviour 1"]);
    let code = |files: &[(&str, &str)]| CodeTree::new(files.iter().map(|(path, bytes)| file(path, bytes)));
    let same = [("analysis/other.R", "b"), ("README.md", "c")];
    assert_eq!(words(|c| c.code = code(&[&[("analysis/fit.R", "A")][..], &same].concat())), ["analysis/fit.R changed"]);
    assert_eq!(words(|c| c.code = code(&same)), ["analysis/fit.R removed"]);
    assert_eq!(words(|c| c.inputs[0] = input("output/clean.csv", "x", 2)), ["output/clean.csv of clean changed"]);
    assert_eq!(words(|c| c.inputs.truncate(1)), ["output/more.csv of clean removed"]);
    assert_eq!(words(|c| c.inputs.push(input("n.csv", "", 2))), ["n.csv of clean added"]);
    assert_eq!(
        words(|c| c.outputs[0].level = PrivacyLevel::HighlySensitive),
        ["output output/fit.csv (moderately_sensitive) removed", "output output/fit.csv (highly_sensitive) added"]
    );
    assert_eq!(words(|c| c.environment.clear()), ["environment OPENSAFELY_BACKEND removed"]);
    assert_eq!(
        words(|c| c.data = Some(DataIdentity { version: "2".into(), scope: vec![] })),
        ["data version 2 instead of 1"]
    );
    assert_eq!(
        words(|c| c.data = Some(DataIdentity { version: "1".into(), scope: vec!["x".into()] })),
        ["data permissions changed"]
    );
}

#[test]
fn what_does_not_matter() {
    let same = |change: fn(&mut Components)| {
        let mut new = base();
        change(&mut new);
        assert_eq!(new.run_key(), base().run_key());
        assert_eq!(compare(Some(&base()), &new, &known()), Staleness::UpToDate);
    };
    same(|c| c.inputs.reverse());
    same(|c| c.inputs[0].job = job(9));
    same(|c| {
        let more = ["project.yaml", "a/__pycache__/x.txt", "a/b.pyc", ".ipynb_checkpoints/n.ipynb"];
        c.code = CodeTree::new(c.code.files().iter().cloned().chain(more.map(|path| file(path, "z"))));
    });
    // But only the project's own file, and only caches.
    assert!(
        CodeTree::counts("analysis/project.yaml")
            && CodeTree::counts("a.pyc.txt")
            && CodeTree::counts("x__pycache__/a")
    );
}

#[test]
fn unread_code_alone_is_only_possibly_stale() {
    let mut new = base();
    new.code = CodeTree::new([file("analysis/fit.R", "a"), file("analysis/other.R", "B"), file("new.R", "")]);
    let change = |path: &str, change| CodeChange { path: path.into(), change, read: false };
    let wanted = vec![
        change("README.md", Change::Removed),
        change("analysis/other.R", Change::Changed),
        change("new.R", Change::Added),
    ];
    assert_eq!(compare(Some(&base()), &new, &known()), Staleness::PossiblyStale(wanted.clone()));
    assert_ne!(new.run_key(), base().run_key());
    // With a real cause beside it, it is told, but never first.
    new.environment.clear();
    let Staleness::Stale(differences) = compare(Some(&base()), &new, &known()) else { panic!() };
    assert!(differences[0].is_cause());
    assert_eq!(differences[1..], wanted.into_iter().map(Difference::Code).collect::<Vec<_>>());
    assert_eq!(compare(None, &new, &known()), Staleness::Unknown);
    // A change of mode is a change.
    let mut executable = base();
    let mut files = executable.code.files().to_vec();
    files[1].mode = 0o100_755;
    executable.code = CodeTree::new(files);
    assert!(compare(Some(&base()), &executable, &known()).is_stale());
}

#[test]
fn the_encoding_keeps_parts_apart() {
    let key = |command: &[&str], config: Option<&str>| {
        let command = command.iter().map(|w| (*w).to_owned()).collect();
        Components { command, config: config.map(str::to_owned), ..base() }.run_key()
    };
    let keys = [
        key(&["ab"], None),
        key(&["a", "b"], None),
        key(&["a", "b", ""], None),
        key(&["a"], Some("b")),
        key(&["a"], Some("")),
        key(&["a"], None),
        key(&[], None),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    // The key is part of stored records: it must not change with the program. Worked out apart from it, by
    // `cases/run_key.py`.
    assert_eq!(base().run_key().hex(), include_str!("../cases/run_key.txt").trim());
}

#[test]
fn config_is_taken_out_of_the_words() {
    let words = ["r:v1", "--config", "{}", "x", "--config", "{}", "--output-dir=o"].map(String::from);
    let (command, config) = split_config(&words, Some("{}"));
    assert_eq!((command.join(" ").as_str(), config.as_deref()), ("r:v1 --config {} x --output-dir=o", Some("{}")));
    assert_eq!(split_config(&words, None).0, words);
    assert_eq!(split_config(&words, Some("[]")), (words.to_vec(), None));
}

#[test]
fn of_two_inputs_with_one_path_the_last_finished_is_read() {
    let offer = |action: &str, bytes: &str, finished_at| PinnedOutput {
        file: InputFile { action: name(action), ..input("a.csv", bytes, 1) },
        finished_at,
    };
    let (inputs, collisions) = workspace_inputs([offer("one", "x", 9), offer("two", "y", 5), offer("three", "x", 2)]);
    assert_eq!(inputs.iter().map(|i| i.action.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(collisions.len(), 1, "equal bytes do not collide");
    assert_eq!((&collisions[0].used, &collisions[0].hidden), (&name("one"), &name("two")));
    let (inputs, _) = workspace_inputs([offer("one", "x", 5), offer("two", "y", 5)]);
    assert_eq!(inputs[0].action, name("two"));
}

#[test]
fn a_stale_need_makes_its_dependants_stale() {
    let actions = [
        ("a", vec![]),
        ("b", vec!["a"]),
        ("c", vec!["b"]),
        ("d", vec!["c", "b"]),
        ("apart", vec![]),
        ("new", vec!["a"]),
        ("after_new", vec!["new"]),
    ];
    let project = common::project(
        actions.map(|(n, needs)| (n, format!("python:v1 {n}.py"), needs.into_iter().map(String::from).collect())),
    );
    let changed = |path: &str, read| CodeChange { path: path.into(), change: Change::Changed, read };
    let cause = Difference::Code(changed("b.py", true));
    let own = BTreeMap::from([
        (name("a"), Staleness::UpToDate),
        (name("b"), Staleness::Stale(vec![cause.clone()])),
        (name("c"), Staleness::PossiblyStale(vec![changed("x.py", false)])),
        (name("d"), Staleness::Unknown),
        (name("apart"), Staleness::UpToDate),
        (name("after_new"), Staleness::UpToDate),
    ]);
    let all = propagate(&project, &own);
    let needs =
        |action: &str| Difference::Needs { action: name(action), first: name("b"), cause: Box::new(cause.clone()) };
    let unread = Difference::Code(changed("x.py", false));
    assert_eq!(all[&name("c")], Staleness::Stale(vec![needs("b"), unread]));
    assert_eq!(all[&name("d")], Staleness::Stale(vec![needs("c"), needs("b")]));
    for action in ["a", "b", "apart", "after_new"] {
        assert_eq!(all[&name(action)], own[&name(action)], "{action}");
    }
    assert!(!all.contains_key(&name("new")));
    let chain = Chain::of(&name("d"), &all).unwrap();
    assert_eq!(chain.actions, ["d", "c", "b"].map(name));
    assert_eq!(chain.causes, std::slice::from_ref(&cause));
    assert_eq!(Chain::of(&name("apart"), &all), None);
    assert_eq!(needs("b").to_string(), "b is out of date: b.py changed");
    assert_eq!(needs("c").to_string(), "c is out of date, because of b: b.py changed");
}

proptest! {
    /// Any mixture of changes: exactly the changed components are named, and the key tells the same.
    #[test]
    fn a_random_edit_names_every_changed_component_and_no_other(
        edits in proptest::collection::btree_set(0..8usize, 0..8),
        what in "[a-z]{1,3}",
    ) {
        let mut new = base();
        for &edit in &edits {
            match Component::ALL[edit] {
                Component::Command => new.command.push(what.clone()),
                Component::Config => new.config = Some(format!(r#"{{"{what}": 2}}"#)),
                Component::Image => new.image = ImageIdentity::Environment { lock: what.clone() },
                Component::Code => new.code = CodeTree::new([file("analysis/fit.R", &format!("{what}!"))]),
                Component::Inputs => new.inputs.push(input(&what, "", 3)),
                Component::Outputs => new.outputs.clear(),
                Component::Environment => { new.environment.insert(what.clone(), what.clone()); }
                Component::Data => new.data = None,
            }
        }
        let changed: BTreeSet<Component> = edits.iter().map(|&edit| Component::ALL[edit]).collect();
        let (before, after) = (base().hashes(), new.hashes());
        let hashed: BTreeSet<Component> = Component::ALL.into_iter().filter(|c| before[c] != after[c]).collect();
        prop_assert_eq!(&hashed, &changed);
        let named: BTreeSet<Component> = match compare(Some(&base()), &new, &known()) {
            Staleness::UpToDate => BTreeSet::new(),
            Staleness::Stale(differences) => differences.iter().filter_map(Difference::component).collect(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(named, changed);
        prop_assert_eq!(new.run_key() == base().run_key(), edits.is_empty());
        let stored: Components = serde_json::from_str(&serde_json::to_string(&new).unwrap()).unwrap();
        prop_assert_eq!(stored, new);
    }
}
