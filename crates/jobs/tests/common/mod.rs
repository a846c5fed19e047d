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

use std::path::{Path, PathBuf};

use pipeline::Project;
use serde_json::json;

/// A project of these actions: name, command, needs. Read as stored, so that it may break the rules of `load`.
pub fn project<N: Into<String>>(actions: impl IntoIterator<Item = (N, String, Vec<String>)>) -> Project {
    let action = |(name, run, needs): (N, String, Vec<String>)| {
        let name: String = name.into();
        let words: Vec<&str> = run.split(' ').collect();
        let (runtime, tag) = words[0].split_once(':').unwrap();
        let pattern = format!("output/{name}.csv");
        json!({
            "name": name,
            "words": words,
            "runtime": { "name": runtime, "tag": tag },
            "outputs": [{ "level": "moderately_sensitive", "name": "table", "pattern": pattern }],
            "needs": needs,
            "config": null,
            "dummy_data_file": null,
        })
    };
    let actions: Vec<_> = actions.into_iter().map(action).collect();
    let project = json!({ "version": { "text": "4", "number": 4.0 }, "population": 1000, "actions": actions });
    let mut project: Project = serde_json::from_value(project).unwrap();
    project.index = project.actions.iter().enumerate().map(|(i, action)| (action.name.clone(), i)).collect();
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
