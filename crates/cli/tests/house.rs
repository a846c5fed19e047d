//! The rules of the house, checked over the whole workspace: who may know whom, how large a room may grow,
//! and that every room says what it is for. ARCHITECTURE.md gives the reasons.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every room and the rooms it may know. A new room needs a line here, and a reason in ARCHITECTURE.md.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("pipeline", &[]),
    ("disclosure", &[]),
    ("sandbox", &[]),
    ("runtimes", &["pipeline", "sandbox"]),
    ("repositories", &[]),
    ("protocol", &[]),
    ("jobs", &["pipeline", "disclosure", "sandbox", "runtimes", "repositories"]),
    ("cohorts", &[]),
    ("query", &[]),
    ("study", &["query", "cohorts", "pipeline", "sandbox"]),
    ("warehouse", &["query"]),
    ("actions", &["disclosure", "study", "query", "cohorts", "warehouse", "pipeline", "sandbox"]),
    ("codelists", &["sandbox"]),
    ("ui", &[]),
    ("site", &["ui", "protocol", "pipeline", "runtimes", "codelists", "repositories", "jobs"]),
    ("backend", &["ui", "protocol", "pipeline", "repositories", "runtimes", "sandbox", "jobs", "codelists"]),
    ("demo", &["site", "backend", "sandbox"]),
    (
        "cli",
        &[
            "pipeline",
            "disclosure",
            "sandbox",
            "runtimes",
            "jobs",
            "actions",
            "codelists",
            "site",
            "backend",
            "demo",
            "study",
            "query",
            "cohorts",
            "warehouse",
        ],
    ),
];
const LONGEST_FILE: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rooms() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn each_room_knows_only_the_rooms_below_it() {
    let rooms = rooms();
    for room in &rooms {
        let allowed = MAY_KNOW
            .iter()
            .find(|(name, _)| name == room)
            .unwrap_or_else(|| panic!("the room `{room}` has no line in MAY_KNOW"))
            .1;
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let mut known = BTreeSet::new();
        for section in ["dependencies", "build-dependencies"] {
            if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
                known.extend(table.keys().filter(|k| rooms.contains(k)).cloned());
            }
        }
        for name in known {
            assert!(allowed.contains(&name.as_str()), "the room `{room}` may not know `{name}`");
        }
    }
}

/// A job's network is off by its type; only a person's own command has another one (spec sandbox.md 3).
#[test]
fn only_the_command_line_can_ask_for_a_network() {
    for room in rooms().iter().filter(|room| !["cli", "sandbox"].contains(&room.as_str())) {
        let mut files = Vec::new();
        rust_files(&root().join("crates").join(room).join("src"), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("sandbox::interactive"), "{} may not run interactive commands", file.display());
        }
    }
}

#[test]
fn each_room_says_what_it_is_for() {
    for room in rooms() {
        let readme = fs::read_to_string(root().join("crates").join(&room).join("README.md"))
            .unwrap_or_else(|_| panic!("crates/{room} has no README.md"));
        assert!(readme.len() > 200, "crates/{room}/README.md says too little");
    }
}

#[test]
fn no_file_outgrows_its_room() {
    let mut files = Vec::new();
    for room in rooms() {
        rust_files(&root().join("crates").join(room).join("src"), &mut files);
    }
    assert!(files.len() > 20, "the walk found only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines; {LONGEST_FILE} are allowed", file.display());
        let name = file.file_name().unwrap();
        let documented = text.starts_with("//!") || text.starts_with("#![doc") || text.starts_with("#![");
        assert!(documented, "{} does not begin by saying what it is for ({name:?})", file.display());
    }
}
