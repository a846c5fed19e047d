//! Damage is found and named, and a snapshot brings everything back. Spec jobs.md 9, 17, 21.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::{Ran, Study};

fn a_study() -> Study {
    let action = |name: &str, needs: &str| {
        format!(
            "  {name}:\n    needs: [{needs}]\n    run: python:v2 -c \"open('output/{name}.txt', 'w').write('{name}' * 100)\"\n    outputs:\n      moderately_sensitive: {{o: output/{name}.txt}}\n"
        )
    };
    Study::of(&[action("a", ""), action("b", "a"), action("c", "b")].concat(), &[])
}

fn backend(study: &Study, words: &[&str]) -> Ran {
    study.cloister(&[&["backend"], words].concat())
}

/// The object of the output of an action.
fn object(study: &Study, action: &str) -> PathBuf {
    let manifest: Value = serde_json::from_str(&study.read("metadata/manifest.json")).unwrap();
    let hash = manifest["outputs"][format!("output/{action}.txt")]["content_hash"].as_str().unwrap();
    study.folder.join("metadata/cloister/objects").join(&hash[..2]).join(hash)
}

fn flip(path: &PathBuf, at: usize) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_store_is_said_to_be_so() {
    let study = a_study();
    backend(&study, &["verify"]).failed().says("nothing has run in this folder yet");
    study.run(&["run_all"]).done();
    backend(&study, &["verify"]).done().says("all as written");
    let seen: Value = serde_json::from_str(&backend(&study, &["verify", "--json"]).done().out).unwrap();
    assert_eq!(seen["findings"], serde_json::json!([]));
    // Three outputs, and the project.yaml that they were made from.
    assert_eq!(seen["objects"], 4);
}

#[test]
fn any_flipped_byte_of_an_object_is_found_and_named() {
    let study = a_study();
    study.run(&["run_all"]).done();
    let path = object(&study, "b");
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    for at in [0, 57, 99] {
        flip(&path, at);
        backend(&study, &["verify"]).failed().says(&name).says("output/b.txt of b").says("1 fault found");
        flip(&path, at);
    }
    backend(&study, &["verify"]).done();
    fs::write(&path, "shorter").unwrap();
    backend(&study, &["verify"]).failed().says("output/b.txt of b");
}

#[test]
fn a_missing_object_is_found_named_and_made_again() {
    let study = a_study();
    study.run(&["run_all"]).done();
    fs::remove_file(object(&study, "a")).unwrap();
    fs::remove_file(study.folder.join("output/a.txt")).unwrap();
    backend(&study, &["verify"]).failed().says("it is gone").says("output/a.txt of a");
    study.run(&["run_all"]).done();
    backend(&study, &["verify"]).done();
}

#[test]
fn a_foreign_file_in_the_store_is_named() {
    let study = a_study();
    study.run(&["run_all"]).done();
    study.write("metadata/cloister/objects/ab/readme.txt", "hello");
    backend(&study, &["verify"]).failed().says("objects/ab/readme.txt");
}

/// Every page of the state file is looked at: with any of them cut off or overwritten, that is found.
#[test]
fn a_damaged_page_of_the_state_is_found() {
    let study = a_study();
    study.run(&["run_all"]).done();
    let path = study.folder.join("metadata/cloister/state.sqlite");
    let whole = fs::read(&path).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let pages = whole.len() / page;
    assert!(pages > 10);
    for cut in 1..pages {
        fs::write(&path, &whole[..cut * page]).unwrap();
        backend(&study, &["verify"]).failed().says("state.sqlite");
    }
    for overwritten in 0..pages {
        let mut bytes = whole.clone();
        bytes[overwritten * page..(overwritten + 1) * page].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        backend(&study, &["verify"]).failed().says("state.sqlite");
    }
    fs::write(&path, &whole).unwrap();
    backend(&study, &["verify"]).done();
}

#[test]
fn a_changed_row_is_found() {
    let study = a_study();
    study.run(&["run_all"]).done();
    let path = study.folder.join("metadata/cloister/state.sqlite");
    let whole = fs::read(&path).unwrap();
    // The path of an output, in its row and nowhere else in a form that SQLite would mind.
    let needle = b"output/b.txt";
    let places: Vec<_> =
        whole.windows(needle.len()).enumerate().filter(|(_, at)| at == needle).map(|(i, _)| i).collect();
    assert!(!places.is_empty());
    let mut found = 0;
    for place in places {
        let mut bytes = whole.clone();
        bytes[place + 7] = b'x';
        fs::write(&path, bytes).unwrap();
        found += usize::from(backend(&study, &["verify"]).code == Some(1));
    }
    assert!(found > 0, "the row of the output was changed, and nobody noticed");
}

/// A job is where its last event put it.
#[test]
fn a_job_that_was_moved_by_hand_is_found() {
    let study = a_study();
    study.run(&["a"]).done();
    let code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(\"update job set state = 'failed', code = 'internal_error'\"); db.commit()";
    let state = study.folder.join("metadata/cloister/state.sqlite");
    assert!(std::process::Command::new("python3").args(["-c", code]).arg(state).status().unwrap().success());
    backend(&study, &["verify"]).failed().says("does not stand where its last event put it");
}

#[test]
fn a_snapshot_brings_back_all_that_was_acknowledged_before_it() {
    let study = a_study();
    backend(&study, &["restore", "--yes"]).failed();
    study.run(&["b"]).done();
    let outputs = ["a", "b"].map(|name| study.read(&format!("output/{name}.txt")));
    backend(&study, &["snapshot"]).done();
    // What comes later may be lost, what was before may not, also after the store was tidied.
    study.write("project.yaml", &study.read("project.yaml").replace("* 100", "* 200"));
    study.run(&["run_all"]).done();
    backend(&study, &["gc", "--yes"]).done();
    backend(&study, &["verify"]).done().says("1 snapshot");
    study.write("project.yaml", &study.read("project.yaml").replace("* 200", "* 100"));

    fs::write(study.folder.join("metadata/cloister/state.sqlite"), [b'x'; 8192]).unwrap();
    study.run(&["run_all"]).failed().says("There is a snapshot").says("cloister backend restore");
    backend(&study, &["restore"]).failed().says("confirm with --yes");
    backend(&study, &["restore", "--yes"]).done().says("what was there is");
    backend(&study, &["verify"]).done();
    for (name, bytes) in ["a", "b"].into_iter().zip(&outputs) {
        let object = fs::read(object_of(&study, name)).unwrap();
        assert_eq!(object, bytes.as_bytes(), "{name}");
    }
    study.run(&["run_all"]).done();
    assert_eq!(study.read("output/c.txt"), "c".repeat(100));
}

/// The object of an output as the restored records have it.
fn object_of(study: &Study, action: &str) -> PathBuf {
    let jobs: Value = serde_json::from_str(&backend(study, &["jobs", "--json"]).done().out).unwrap();
    let ran = jobs.as_array().unwrap().iter().any(|job| job["action"] == action && job["state"] == "succeeded");
    assert!(ran, "{action}: {jobs}");
    let objects = study.folder.join("metadata/cloister/objects");
    let wanted = action.repeat(100);
    let all = fs::read_dir(objects).unwrap().flatten().filter(|entry| entry.file_name() != "tmp");
    let mut files = all.flat_map(|entry| fs::read_dir(entry.path()).unwrap().flatten()).map(|entry| entry.path());
    files.find(|path| fs::read(path).unwrap() == wanted.as_bytes()).unwrap()
}

#[test]
fn only_the_newest_snapshots_are_kept() {
    let study = a_study();
    study.run(&["a"]).done();
    for _ in 0..jobs::local::SNAPSHOTS + 2 {
        backend(&study, &["snapshot"]).done();
    }
    let kept = fs::read_dir(study.folder.join("metadata/cloister/snapshots")).unwrap().count();
    assert_eq!(kept, jobs::local::SNAPSHOTS);
}

#[test]
fn what_nothing_needs_is_removed_when_asked() {
    let study = a_study();
    study.run(&["run_all"]).done();
    let before = study.read("output/c.txt");
    backend(&study, &["gc"]).done().says("would remove 1 object");
    backend(&study, &["gc", "--yes"]).done().says("removed 1 object");
    backend(&study, &["gc"]).done().says("would remove 0 objects");
    study.run(&["run_all"]).done().says("nothing to run");
    assert_eq!(study.read("output/c.txt"), before);
}
