//! Helpers shared by the tests: projects built by hand, and the case files.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses its part"
)]

pub mod store;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pipeline::{Action, ActionName, Output, Pattern, Population, PrivacyLevel, Project, RuntimeRef, Version};

/// A project of these actions: name, command, needs.
pub fn project<N: Into<String>>(actions: impl IntoIterator<Item = (N, String, Vec<String>)>) -> Project {
    let mut project = Project {
        version: Version { text: "4".into(), number: 4.0 },
        population: Population(1000),
        actions: Vec::new(),
        index: BTreeMap::new(),
    };
    for (name, run, needs) in actions {
        let name = ActionName::new(name);
        let words: Vec<String> = run.split(' ').map(str::to_owned).collect();
        let (runtime, tag) = words[0].split_once(':').unwrap();
        let pattern = Pattern::new(format!("output/{name}.csv"));
        let output = Output {
            level: PrivacyLevel::ModeratelySensitive,
            name: "table".into(),
            pattern,
            span: Default::default(),
        };
        project.index.insert(name.clone(), project.actions.len());
        project.actions.push(Action {
            name,
            runtime: RuntimeRef { name: runtime.into(), tag: tag.into() },
            words,
            outputs: vec![output],
            needs: needs.into_iter().map(ActionName::new).collect(),
            config: None,
            dummy_data_file: None,
            dummy_data_file_span: None,
            span: Default::default(),
            word_spans: Vec::new(),
        });
    }
    project
}

pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The files of a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    files
}
