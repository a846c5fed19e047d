//! Who runs, and whose files come of it. Spec cli.md 12, sandbox.md 5.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::rig::Study;

/// No user of this machine needs to have this id.
const ORDINARY: u32 = 54_321;

fn study() -> Study {
    let study = Study::of(
        "  a:\n    run: python:v2 analysis/a.py\n    outputs:\n      moderately_sensitive: {o: output/a.csv}\n",
        &[("analysis/a.py", "import os\nopen('output/a.csv', 'w').write(str(os.getuid()))\n")],
    );
    // The system's own interpreter: the one that this test was started with may lie where another user cannot go.
    study.use_python("/usr/bin/python3");
    study
}

fn owners(study: &Study) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut waiting = vec![study.folder.clone()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let about = entry.path().symlink_metadata().unwrap();
            found.push((entry.path().display().to_string(), about.uid()));
            if about.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn an_ordinary_user_runs_a_study() {
    if !is_root() {
        // Every other test of this program is then this one.
        return println!("not tried: changing the user needs root");
    }
    let study = study();
    study.give_to(ORDINARY);
    study.cloister_as(ORDINARY, &["run", "a"]).done();
    assert_eq!(study.read("output/a.csv"), "10000", "inside it is nobody of this machine");
    assert!(owners(&study).iter().all(|(_, owner)| *owner == ORDINARY), "{:?}", owners(&study));
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    if !is_root() {
        return println!("not tried: it is about root");
    }
    let study = study();
    study.give_to(ORDINARY);
    study.run(&["a"]).done();
    assert_eq!(study.read("output/a.csv"), "10000");
    let wrong: Vec<_> = owners(&study).into_iter().filter(|(_, owner)| *owner != ORDINARY).collect();
    assert_eq!(wrong, []);
    assert!(Path::new(&study.folder).metadata().unwrap().permissions().mode() & 0o077 <= 0o055);
}
