//! A row as its folder says it: `rows/NN-name/row.toml` and the scripts beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The attempt, in the words of the specification.
    pub about: String,
    /// Said when the row is smaller than the specification's, and why.
    #[allow(dead_code, reason = "for readers")]
    pub smaller: Option<String>,
    pub case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: Option<String>,
    /// A script of the row's folder, for Python.
    #[serde(default = "attempt")]
    pub script: String,
    /// Instead of the script: a line for the shell.
    pub sh: Option<String>,
    #[serde(default)]
    pub control: Control,
    /// Why there is none, if there is none.
    pub no_control: Option<String>,
    /// Repeat it with one wall taken away, then with both.
    #[serde(default)]
    pub walls: bool,
    /// The caller has descriptors open on a marked file.
    #[serde(default)]
    pub inherit: bool,
    /// Walls that are gone in all of the case.
    #[serde(default)]
    pub without: Vec<String>,
    /// Programs with set-uid bits and file capabilities stand in the world's tree.
    #[serde(default)]
    pub planted: bool,
    /// The run is shown the world's own tree of programs.
    #[serde(default)]
    pub prefix: bool,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub exit: Exit,
    /// Name of each attempt, and what must come of it.
    #[serde(default)]
    pub attempts: BTreeMap<String, Outcomes>,
    /// The test stops the run when it has said `ready`, with this grace.
    pub stop_ms: Option<u64>,
    /// Before that, a trivial run beside it must begin and end.
    #[serde(default)]
    pub neighbour: bool,
    /// Lines that must be in the log.
    #[serde(default)]
    pub says: Vec<String>,
    /// Only for this user, and why.
    pub only: Option<Only>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    pub who: String,
    #[allow(dead_code, reason = "for readers")]
    pub why: String,
}

fn attempt() -> String {
    "attempt.py".to_owned()
}

/// Where the same attempt must succeed.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// As the same user, outside.
    #[default]
    Outside,
    /// As root whoever attempts it: the kernel refuses it to others anyway.
    OutsideAsRoot,
    /// In namespaces that are thrown away, as their root.
    Namespace,
    /// In a sandbox that has all but the system call filter.
    WithoutFilter,
    None,
}

/// Outcomes by place: `a|b` one of them, `!a` any but that, `-` the attempt does not even end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// In the control; absent: as inside.
    pub outside: Option<String>,
    pub inside: String,
    /// With the mounts taken away, if it differs from inside.
    pub landlock_only: Option<String>,
    /// With both walls taken away, if it differs from outside.
    pub neither: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub memory_mib: Option<u64>,
    pub disk_mib: Option<u64>,
    pub files: Option<u64>,
    pub processes: Option<u32>,
    pub log: Option<u64>,
    pub time_ms: Option<u64>,
    pub grace_ms: Option<u64>,
}

/// How the run ends inside.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Exit {
    pub code: i32,
    pub signal: Option<i32>,
    /// `time`, `disk`, `stopped` or nothing.
    pub limit: Option<String>,
    pub out_of_memory: bool,
    pub children_out_of_memory: Option<u32>,
}

pub fn rows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/rows")
}

/// `row_08_network` lives in `08-network`.
pub fn folder(test: &str) -> PathBuf {
    rows().join(test.trim_start_matches("row_").replace('_', "-"))
}

/// The tests that the folders stand for, sorted.
pub fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(rows()).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        entries.map(|entry| format!("row_{}", entry.file_name().to_str().unwrap().replace('-', "_"))).collect();
    names.sort();
    names
}

pub fn load(test: &str) -> Row {
    let file = folder(test).join("row.toml");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
